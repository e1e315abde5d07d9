/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as each of the formats: refused with words, or written as a paddock.yaml that parses and checks without a
 * fault, and that is written the same way again. The first byte chooses the format; without one, all are tried. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/config/config.h"
#include "core/import/import.h"
#include "core/yaml/yaml.h"
#include "fuzz.h"

static const struct {
    enum pdk_import_format format;
    const char *file;
} inputs[] = {{PDK_IMPORT_PROCFILE, "Procfile"},
              {PDK_IMPORT_SYSTEMD, "etc/a@b-c.service"},
              {PDK_IMPORT_SUPERVISORD, "supervisord.conf"},
              {PDK_IMPORT_CRON, "crontab"},
              {PDK_IMPORT_CRON, "etc/cron.d/job"},
              {PDK_IMPORT_GUESS, "x"}};

/* Several units in one input: a line "### NAME" begins the next. */
static int32_t add_all(struct pdk_import *import, enum pdk_import_format format, const char *file, const char *text,
                       size_t size) {
    char name[64];
    (void)snprintf(name, sizeof name, "%s", file);
    int32_t rc = 0;
    while (rc == 0) {
        const char *next = format == PDK_IMPORT_SYSTEMD ? memmem(text, size, "\n### ", 5) : NULL;
        size_t own = next ? (size_t)(next - text) + 1 : size;
        rc = pdk_import_text(import, format, name, "/here", text, own);
        if (!next) break;
        text += own + 4;
        size -= own + 4;
        size_t line = 0;
        while (line < size && text[line] != '\n') line++;
        (void)snprintf(name, sizeof name, "%.*s", (int)(line < 60 ? line : 60), text);
        text += line;
        size -= line;
    }
    return rc;
}

static void check(const char *data, size_t size) {
    struct pdk_report report = {0};
    const pdk_value *value = NULL;
    struct pdk_config *config = NULL;
    int32_t rc = pdk_yaml_parse("out.yaml", data, size, &report, &value);
    if (rc == 0) rc = pdk_config_read(value, "/f", &report, &config);
    if (rc < 0 || report.errors || report.warnings) {
        (void)fwrite(data, 1, size, stderr);
        for (uint32_t i = 0; i < report.count; i++)
            (void)fprintf(stderr, "%u: %s: %s\n", report.faults[i].place.line, report.faults[i].path,
                          report.faults[i].message);
        abort();
    }
    pdk_values_get()->drop(value);
    pdk_report_free(&report);
    pdk_config_free(config);
}

static void try(enum pdk_import_format format, const char *file, const char *data, size_t size) {
    struct pdk_report report = {0};
    struct pdk_import import = {.report = &report};
    struct pdk_buffer out = PDK_BUFFER(4u << 20);
    int32_t rc = add_all(&import, format, file, data, size);
    if (rc == 0) rc = pdk_import_finish(&import);
    if (rc < 0) {
        MUST(report.errors > 0);
        pdk_report_sort(&report);
        pdk_report_print(&report, true, ignore_text, NULL);
    } else {
        MUST(report.errors == 0);
        pdk_import_print(&import, &out);
        MUST(out.error == 0);
        check(pdk_buffer_string(&out), out.size);
    }
    pdk_buffer_free(&out);
    pdk_report_free(&report);
    pdk_import_free(&import);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (size == 0 || data[0] % 8 == i || data[0] % 8 > 5)
            try(inputs[i].format, inputs[i].file, (const char *)data + (size > 0), size - (size > 0));
    return 0;
}
