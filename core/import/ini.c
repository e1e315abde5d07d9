/* SPDX-License-Identifier: Apache-2.0 */
#include "core/import/ini.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

struct reader {
    struct pdk_import *import;
    enum pdk_ini_dialect dialect;
    const char *at, *end, *section;
    struct pdk_import_at place;
    struct pdk_ini_line *first, **last;
    struct pdk_buffer text; /* of the line with its continuations */
};

bool pdk_ini_bool(const char *text, bool *ret) {
    static const char *const words[] = {"true", "yes", "on", "1", "t", "y", "false", "no", "off", "0", "f", "n"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i]) != 0) continue;
        *ret = i < sizeof words / sizeof *words / 2;
        return true;
    }
    return false;
}

static bool is_comment(const struct reader *reader, const char *line, size_t size) {
    size_t blank = reader->dialect == PDK_INI_SYSTEMD ? strspn(line, " \t") : 0;
    return blank < size && strchr("#;", line[blank]);
}

static bool is_blank(const char *line, size_t size) {
    return strspn(line, " \t\r") >= size;
}

/* supervisord: up to a blank with ; or # behind it. */
static size_t without_comment(const char *line, size_t size) {
    for (size_t i = 1; i < size; i++)
        if ((line[i] == ';' || line[i] == '#') && isspace((unsigned char)line[i - 1])) return i;
    return size;
}

/* Lines that end in a backslash, and those behind them; comments between them do not count. */
static void join_backslashes(struct reader *reader, const char *line, size_t size) {
    uint32_t lines = 0;
    for (;;) {
        bool more = size && line[size - 1] == '\\';
        pdk_buffer_add(&reader->text, line, more ? size - 1 : size);
        if (!more) break;
        pdk_buffer_text(&reader->text, " ");
        do {
            if (!pdk_import_line(&reader->at, reader->end, &line, &size)) size = 0, line = "";
            lines++;
        } while (size && is_comment(reader, line, size));
    }
    reader->place.line += lines;
}

/* Lines that are indented. They are words behind those before them, as what is split later wants it. */
static void join_indented(struct reader *reader, const char *line, size_t size) {
    uint32_t lines = 0;
    pdk_buffer_add(&reader->text, line, without_comment(line, size));
    while (reader->at < reader->end && strchr(" \t", *reader->at)) {
        if (!pdk_import_line(&reader->at, reader->end, &line, &size)) break;
        lines++;
        if (is_blank(line, size) || strchr("#;", line[strspn(line, " \t")])) continue;
        pdk_buffer_text(&reader->text, "\n");
        size_t blank = strspn(line, " \t");
        pdk_buffer_add(&reader->text, line + blank, without_comment(line + blank, size - blank));
    }
    reader->place.line += lines;
}

static void add(struct reader *reader, struct pdk_import_at at, const char *key, const char *value) {
    struct pdk_ini_line *line = pdk_import_alloc(reader->import, sizeof *line);
    if (!line) return;
    *line = (struct pdk_ini_line){.section = reader->section, .key = key, .value = value, .at = at};
    *reader->last = line;
    reader->last = &line->next;
}

static void read_section(struct reader *reader, struct pdk_import_at at, const char *line, size_t size) {
    while (size && strchr(" \t\r", line[size - 1])) size--;
    const char *end = memchr(line, ']', size);
    if (!end || (reader->dialect == PDK_INI_SYSTEMD && end != line + size - 1)) {
        (void)pdk_import_fault(reader->import, at, NULL, "expected [SECTION]", "the name of a section is not closed");
        return;
    }
    reader->section = pdk_import_trim(reader->import, line + 1, (size_t)(end - line) - 1);
    add(reader, at, NULL, NULL);
}

static const char *lower(struct pdk_import *import, const char *text) {
    struct pdk_buffer to = PDK_BUFFER(PDK_IMPORT_LINE_BYTES);
    for (; text && *text; text++) {
        char c = (char)tolower((unsigned char)*text);
        pdk_buffer_add(&to, &c, 1);
    }
    return pdk_import_taken(import, &to);
}

static void read_key(struct reader *reader, struct pdk_import_at at) {
    const char *text = pdk_buffer_string(&reader->text);
    bool supervisord = reader->dialect == PDK_INI_SUPERVISORD;
    size_t size = strcspn(text, supervisord ? "=:" : "=");
    if (!reader->section) {
        (void)pdk_import_fault(reader->import, at, NULL, "expected [SECTION] first", "a line before any section");
        return;
    }
    const char *key = pdk_import_trim(reader->import, text, size);
    if (!text[size] || !key || !*key) {
        (void)pdk_import_fault(reader->import, at, NULL, "expected KEY=VALUE", "this is neither a section nor a value");
        return;
    }
    const char *value = pdk_import_trim(reader->import, text + size + 1, reader->text.size - size - 1);
    add(reader, at, supervisord ? lower(reader->import, key) : key, value);
}

static void read_line(struct reader *reader, const char *line, size_t size) {
    struct pdk_import_at at = reader->place;
    size_t blank = strspn(line, " \t");
    if (line[blank] == '[' && (blank == 0 || reader->dialect == PDK_INI_SYSTEMD)) {
        read_section(reader, at, line + blank, size - blank);
        return;
    }
    reader->text.size = 0;
    if (reader->dialect == PDK_INI_SYSTEMD)
        join_backslashes(reader, line, size);
    else
        join_indented(reader, line, size);
    if (reader->text.error == -E2BIG)
        (void)pdk_import_fault(reader->import, at, NULL, "put it into a script", "a line of more than 64KiB");
    pdk_import_check(reader->import, &reader->text);
    if (!reader->import->error) read_key(reader, at);
}

struct pdk_ini_line *pdk_ini_read(struct pdk_import *import, const struct pdk_import_source *source,
                                  enum pdk_ini_dialect dialect) {
    struct reader reader = {.import = import,
                            .dialect = dialect,
                            .at = source->text,
                            .end = source->text + source->size,
                            .place = {.source = source},
                            .text = PDK_BUFFER(PDK_IMPORT_LINE_BYTES)};
    const char *line;
    size_t size;
    reader.last = &reader.first;
    while (!import->error && pdk_import_line(&reader.at, reader.end, &line, &size)) {
        reader.place.line++;
        if (!is_blank(line, size) && !is_comment(&reader, line, size)) read_line(&reader, line, size);
    }
    pdk_buffer_free(&reader.text);
    return import->error ? NULL : reader.first;
}
