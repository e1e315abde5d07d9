/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of configurations share: YAML in, what is printed out. */
#ifndef TEST_UNIT_CONFIG_LOAD_H
#define TEST_UNIT_CONFIG_LOAD_H

#include "support/unit.h"

#include "core/base/buffer.h"
#include "core/config/config.h"
#include "core/yaml/yaml.h"

struct loaded {
    struct pdk_config *config;
    struct pdk_report report;
    struct pdk_buffer printed;
    int32_t rc;
};

static inline void print_report(struct loaded *loaded) {
    pdk_report_sort(&loaded->report);
    loaded->printed = PDK_BUFFER(1 << 20);
    pdk_report_print(&loaded->report, false, pdk_buffer_write, &loaded->printed);
}

/* Read YAML named t.yaml, in the folder /f. */
static inline struct loaded load_text(const char *text) {
    struct loaded loaded = {.config = NULL};
    const pdk_value *value = NULL;
    loaded.rc = pdk_yaml_parse("t.yaml", text, strlen(text), &loaded.report, &value);
    if (loaded.rc == 0) loaded.rc = pdk_config_read(value, "/f", &loaded.report, &loaded.config);
    print_report(&loaded);
    pdk_values_get()->drop(value);
    return loaded;
}

static inline struct loaded load_files(const char *const *files) {
    struct loaded loaded = {.config = NULL};
    loaded.rc = pdk_config_load(files, &loaded.report, &loaded.config);
    print_report(&loaded);
    return loaded;
}

static inline void unload(struct loaded *loaded) {
    pdk_buffer_free(&loaded->printed);
    pdk_report_free(&loaded->report);
    pdk_config_free(loaded->config);
}

/* Loads without a word. */
static inline struct loaded load_good(const char *text) {
    struct loaded loaded = load_text(text);
    assert_string_equal(pdk_buffer_string(&loaded.printed), "");
    assert_int_equal(loaded.rc, 0);
    return loaded;
}

/* Prints exactly this. */
static inline void assert_printed(struct loaded *loaded, const char *wanted) {
    assert_string_equal(pdk_buffer_string(&loaded->printed), wanted);
}

#endif
