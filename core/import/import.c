/* SPDX-License-Identifier: Apache-2.0 */
/* From files to tasks: which format is it, and what comes after the last one. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "core/import/internal.h"

static const struct {
    const char *name, *what;
} formats[PDK_IMPORT_FORMATS] = {
    [PDK_IMPORT_GUESS] = {NULL, "an unknown file"},
    [PDK_IMPORT_PROCFILE] = {"procfile", "a Procfile"},
    [PDK_IMPORT_SYSTEMD] = {"systemd", "a unit of systemd"},
    [PDK_IMPORT_SUPERVISORD] = {"supervisord", "a configuration of supervisord"},
    [PDK_IMPORT_CRON] = {"cron", "a crontab"},
};

const char *pdk_import_format_name(enum pdk_import_format format) {
    return format > PDK_IMPORT_GUESS && format < PDK_IMPORT_FORMATS ? formats[format].name : NULL;
}

const char *pdk_import_format_what(enum pdk_import_format format) {
    return formats[format].what;
}

/* ---- guessing */

static bool ends_in(const char *text, const char *ending) {
    size_t size = strlen(text), length = strlen(ending);
    return size >= length && strcmp(text + size - length, ending) == 0;
}

static enum pdk_import_format by_name(const char *file) {
    static const char *const units[] = {".service", ".timer", ".socket", ".target", ".mount", ".path", ".slice"};
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (ends_in(base, units[i])) return PDK_IMPORT_SYSTEMD;
    if (strncasecmp(base, "procfile", 8) == 0 || ends_in(base, ".procfile")) return PDK_IMPORT_PROCFILE;
    if (strncmp(base, "supervisord", 11) == 0) return PDK_IMPORT_SUPERVISORD;
    if (strncmp(base, "crontab", 7) == 0 || strstr(file, "cron.d/")) return PDK_IMPORT_CRON;
    return PDK_IMPORT_GUESS;
}

static bool begins(const char *line, size_t size, const char *word) {
    return size >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

static size_t span(const char *line, size_t size, const char *letters) {
    size_t n = 0;
    while (n < size && line[n] && strchr(letters, line[n])) n++;
    return n;
}

/* "5 4 * * * x" or "@daily x" */
static bool is_cron(const char *line, size_t size) {
    if (begins(line, size, "@")) return isalpha((unsigned char)line[size > 1]);
    for (int field = 0; field < 5; field++) {
        size_t word = span(line, size, "0123456789*/,-");
        if (word == 0) return false;
        line += word;
        size -= word;
        word = span(line, size, " \t");
        if (word == 0) return false;
        line += word;
        size -= word;
    }
    return size > 0;
}

static bool is_procfile(const char *line, size_t size) {
    size_t name = span(line, size, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return name && name + 1 < size && line[name] == ':' &&
           span(line + name + 1, size - name - 1, " \t") + name + 1 < size;
}

static enum pdk_import_format by_line(const char *line, size_t size) {
    static const char *const systemd[] = {"[Unit]", "[Service]", "[Timer]", "[Install]", "[Socket]"};
    static const char *const supervisord[] = {"[program:", "[supervisord]", "[unix_http_server]", "[inet_http_server]",
                                              "[group:",   "[include]",     "[eventlistener:",    "[supervisorctl]"};
    for (size_t i = 0; i < sizeof systemd / sizeof *systemd; i++)
        if (begins(line, size, systemd[i])) return PDK_IMPORT_SYSTEMD;
    for (size_t i = 0; i < sizeof supervisord / sizeof *supervisord; i++)
        if (begins(line, size, supervisord[i])) return PDK_IMPORT_SUPERVISORD;
    if (is_cron(line, size)) return PDK_IMPORT_CRON;
    return is_procfile(line, size) ? PDK_IMPORT_PROCFILE : PDK_IMPORT_GUESS;
}

enum pdk_import_format pdk_import_guess(const char *file, const char *text, size_t size, const char **why) {
    const char *at = text, *line;
    enum pdk_import_format format = by_name(file);
    size_t length;
    *why = "";
    if (ends_in(file, ".yaml") || ends_in(file, ".yml")) {
        *why = "files of Compose, and other YAML, cannot be imported";
        return PDK_IMPORT_GUESS;
    }
    while (format == PDK_IMPORT_GUESS && pdk_import_line(&at, text + size, &line, &length)) {
        size_t blank = span(line, length, " \t");
        if (blank == length || strchr("#;", line[blank])) continue;
        format = by_line(line + blank, length - blank);
    }
    return format;
}

/* ---- adding */

static void read_source(struct pdk_import *import, enum pdk_import_format format,
                        const struct pdk_import_source *source) {
    static void (*const parsers[PDK_IMPORT_FORMATS])(struct pdk_import *, const struct pdk_import_source *) = {
        [PDK_IMPORT_PROCFILE] = pdk_import_procfile,
        [PDK_IMPORT_SYSTEMD] = pdk_import_unit,
        [PDK_IMPORT_SUPERVISORD] = pdk_import_supervisord,
        [PDK_IMPORT_CRON] = pdk_import_cron,
    };
    if (!import->error && parsers[format]) parsers[format](import, source);
}

/* What it is, or a fault. */
static enum pdk_import_format decide(struct pdk_import *import, enum pdk_import_format format,
                                     const struct pdk_import_source *source) {
    const char *why;
    if (import->error || format != PDK_IMPORT_GUESS) return format;
    format = pdk_import_guess(source->file, source->text, source->size, &why);
    if (format == PDK_IMPORT_GUESS)
        (void)pdk_import_fault(import, (struct pdk_import_at){.source = source}, NULL,
                               *why ? why : "say --from procfile, systemd, supervisord or cron",
                               "this is like no format that is known");
    return format;
}

int32_t pdk_import_text(struct pdk_import *import, enum pdk_import_format format, const char *file, const char *folder,
                        const char *text, size_t size) {
    struct pdk_import_source *source = pdk_import_source(import, file, folder, text, size);
    if (source) format = decide(import, format, source);
    if (source) read_source(import, format, source);
    return import->error;
}

int32_t pdk_import_file(struct pdk_import *import, enum pdk_import_format format, const char *path,
                        enum pdk_import_format *ret_format) {
    import->reads_files = strcmp(path, "-") != 0;
    if (import->reads_files && pdk_import_is_read(import, path)) { /* beside another that was named before */
        if (ret_format) *ret_format = PDK_IMPORT_GUESS;
        return import->error;
    }
    struct pdk_import_source *source = pdk_import_read(import, path, false);
    if (source) format = decide(import, format, source);
    if (source) read_source(import, format, source);
    if (source && format == PDK_IMPORT_SYSTEMD && import->reads_files) pdk_import_unit_companions(import, path);
    if (ret_format) *ret_format = format;
    return import->error;
}

int32_t pdk_import_finish(struct pdk_import *import) {
    if (!import->error) pdk_import_units_finish(import);
    if (!import->error) pdk_import_names(import);
    if (!import->error) pdk_import_order(import);
    if (!import->error) pdk_import_lift(import);
    return import->error;
}

/* ---- counting */

static uint32_t count_notes(const struct pdk_import_notes *notes) {
    uint32_t count = 0;
    for (const struct pdk_import_note *note = notes->first; note; note = note->next) count += !note->remark;
    return count;
}

static uint32_t count_node(const struct pdk_import_node *node) {
    uint32_t count = count_notes(&node->notes);
    for (const struct pdk_import_node *child = node->first; child; child = child->next) count += count_node(child);
    return count;
}

uint32_t pdk_import_untranslated(const struct pdk_import *import) {
    uint32_t count = count_notes(&import->notes);
    for (const struct pdk_import_task *task = import->tasks; task; task = task->next)
        if (!task->dropped) count += count_notes(&task->notes) + count_node(&task->fields);
    return count;
}
