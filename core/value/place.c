/* SPDX-License-Identifier: Apache-2.0 */
/* Where a value stands, and faults about it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/value/alias.h"
#include "core/value/document.h"
#include "core/value/path.h"
#include "core/value/read.h"

#define PATH_TEXT    512
#define MESSAGE_TEXT 640

struct pdk_place pdk_value_place(const struct pdk_value *value) {
    if (!value || !value->document) return (struct pdk_place){0};
    const struct pdk_document_file *file = &value->document->files[value->file];
    return (struct pdk_place){file->name, file->text, value->line, value->column, value->span};
}

const char *pdk_value_folder(const struct pdk_value *value) {
    return value && value->document ? value->document->files[value->file].folder : NULL;
}

int32_t pdk_value_set_folder(const struct pdk_value *value, const char *folder) {
    const char *copy = pdk_arena_text(&value->document->arena, folder, strlen(folder));
    if (!copy) return -ENOMEM;
    value->document->files[value->file].folder = copy;
    return 0;
}

struct pdk_place pdk_value_key_place(const struct pdk_value *map, size_t i) {
    if (pdk_value_type(map) != PDK_MAP || i >= map->size) return pdk_value_place(map);
    const struct pdk_value_entry *entry = &map->as.map.entries[i];
    struct pdk_place place = pdk_value_place(entry->value);
    if (!place.file) place = pdk_value_place(map);
    place.line = entry->line;
    place.column = entry->column;
    place.span = entry->span;
    return place;
}

/* More than a tree is deep: a value may lie in what was made from a part of another tree, and so on. */
#define STEPS_MAX ((size_t)4 * PDK_VALUE_DEPTH_MAX)

/* From the value up to the root, through what each was made from. */
static size_t find_ancestors(const struct pdk_value *value, const struct pdk_value *line[STEPS_MAX]) {
    size_t depth = 0;
    for (const struct pdk_value *v = pdk_value_written(value); v && v->parent && depth < STEPS_MAX;
         v = pdk_value_written(v->parent))
        line[depth++] = v;
    return depth;
}

static size_t find_child(const struct pdk_value *parent, const struct pdk_value *child) {
    size_t i = 0;
    while (i < parent->size && pdk_value_at(parent, i) != child) i++;
    return i;
}

static const char *write_path(const struct pdk_value *value, char *buf, size_t size, bool pointer) {
    const struct pdk_value *line[STEPS_MAX];
    struct pdk_path path = pdk_path_start(buf, size);
    for (size_t i = find_ancestors(value, line); i-- > 0;) {
        const struct pdk_value *parent = line[i]->parent;
        size_t child = find_child(parent, line[i]);
        const char *key = pdk_value_key_at(parent, child);
        char number[32];
        snprintf(number, sizeof(number), "%zu", child);
        if (pointer) {
            pdk_path_token(&path, key ? key : number);
        } else if (key) {
            pdk_path_key(&path, key);
        } else {
            pdk_path_index(&path, child);
        }
    }
    return buf;
}

const char *pdk_value_path(const struct pdk_value *value, char *buf, size_t size) {
    return write_path(value, buf, size, false);
}

const char *pdk_value_pointer(const struct pdk_value *value, char *buf, size_t size) {
    return write_path(value, buf, size, true);
}

/* What came from somewhere that has no lines was JSON. */
static const char *describe(const struct pdk_value *value, const struct pdk_place *place, char *buf, size_t size) {
    return write_path(value, buf, size, place->file && !place->line);
}

size_t pdk_value_where(const struct pdk_value *value, char *buf, size_t size) {
    char path[PATH_TEXT], numbers[32] = "";
    struct pdk_place place = pdk_value_place(value);
    describe(value, &place, path, sizeof(path));
    if (place.line) snprintf(numbers, sizeof(numbers), ":%u:%u", (unsigned)place.line, (unsigned)place.column);
    const char *blank = place.file && path[0] ? " " : "";
    int length = snprintf(buf, size, "%s%s%s%s", place.file ? place.file : "", numbers, blank, path);
    return length < 0 ? 0 : (size_t)length;
}

/* What a plugin gives may lack its NUL, or was cut inside a character. */
static void copy_cleanly(char *buf, size_t size, const char *text, size_t text_size) {
    size_t length = strnlen(text, text_size < size ? text_size : size - 1);
    memcpy(buf, text, length);
    buf[length] = '\0';
    int64_t fault = pdk_utf8_fault(buf, length);
    while (fault >= 0 && (size_t)fault + 4 < length) {
        buf[fault] = '?';
        fault = pdk_utf8_fault(buf, length);
    }
    if (fault >= 0) buf[fault] = '\0';
}

/* Fill in the place and path of value, and the note at its anchor. path: room for it. */
static void fill_in(struct pdk_fault *fault, const struct pdk_value *value, char *path, size_t size) {
    fault->place = pdk_value_place(value);
    fault->path = describe(value, &fault->place, path, size);
    fault->secret = value && (value->flags & PDK_VALUE_SECRET);
    const struct pdk_value *origin = pdk_value_origin(value);
    if (!origin) return;
    fault->note = pdk_value_place(origin);
    fault->note_text = "it comes from here";
}

/* Nobody will read it, so it is not worth looking for its path. */
static bool is_unread(const struct pdk_report *report) {
    return !report || pdk_report_is_full(report);
}

int32_t pdk_value_fault(struct pdk_report *report, int32_t code, const struct pdk_value *at, const char *expected,
                        const char *suggestion, const char *format, ...) {
    char path[PATH_TEXT], message[MESSAGE_TEXT];
    struct pdk_fault fault = {.code = code, .expected = expected, .suggestion = suggestion, .message = message};
    if (is_unread(report)) return pdk_report_add(report, &fault);
    va_list args;
    if (at && (at->flags & PDK_VALUE_FAULTY)) return code;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    fill_in(&fault, at, path, sizeof(path));
    return pdk_report_add(report, &fault);
}

int32_t pdk_value_key_fault(struct pdk_report *report, int32_t code, const struct pdk_value *map, size_t i,
                            const char *expected, const char *suggestion, const char *format, ...) {
    char path[PATH_TEXT], message[MESSAGE_TEXT];
    struct pdk_fault fault = {.code = code, .expected = expected, .suggestion = suggestion, .message = message};
    if (is_unread(report)) return pdk_report_add(report, &fault);
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    fill_in(&fault, map, path, sizeof(path));
    fault.place = pdk_value_key_place(map, i);
    fault.secret = false;
    const struct pdk_value *origin = pdk_value_origin(pdk_value_at(map, i));
    if (origin) {
        fault.note = pdk_value_place(origin);
        fault.note_text = "it comes from here";
    }
    return pdk_report_add(report, &fault);
}

int32_t pdk_value_fault_error(struct pdk_report *report, const struct pdk_value *fallback_at, const char *plugin,
                              const pdk_error *err) {
    char path[PATH_TEXT], message[MESSAGE_TEXT], hint[sizeof(err->hint) + 1];
    struct pdk_fault fault = {.code = err->code, .expected = hint, .message = message, .plugin = plugin};
    if (is_unread(report)) return pdk_report_add(report, &fault);
    copy_cleanly(message, sizeof(message), err->message, sizeof(err->message));
    copy_cleanly(hint, sizeof(hint), err->hint, sizeof(err->hint));
    fill_in(&fault, err->at ? err->at : fallback_at, path, sizeof(path));
    return pdk_report_add(report, &fault);
}
