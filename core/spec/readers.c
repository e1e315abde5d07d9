/* SPDX-License-Identifier: Apache-2.0 */
/* Reading by rows: a reader for each type of field, and maps of them. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/spec/fields.h"
#include "core/spec/scalar.h"

/* No list of names or words of a command is longer. */
#define LIST_LIMIT 10000

void pdk_reading_error(struct pdk_reading *reading, int32_t rc) {
    if (rc < 0 && (reading->error == 0 || rc == -ENOMEM)) reading->error = rc;
}

bool pdk_reading_end(struct pdk_reading *reading, int32_t before) {
    int32_t own = reading->error;
    reading->error = before;
    pdk_reading_error(reading, own);
    return own == 0;
}

void *pdk_reading_alloc(struct pdk_reading *reading, size_t size) {
    void *memory = pdk_arena_alloc(reading->arena, size);
    if (!memory) pdk_reading_error(reading, -ENOMEM);
    return memory;
}

char *pdk_reading_text(struct pdk_reading *reading, const char *data, size_t size) {
    char *text = pdk_arena_text(reading->arena, data, size);
    if (!text) pdk_reading_error(reading, -ENOMEM);
    return text;
}

void pdk_reading_fault(struct pdk_reading *reading, const pdk_value *at, const char *expected, const char *suggestion,
                       const char *format, ...) {
    char message[320];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    pdk_reading_error(reading, pdk_value_fault(reading->report, -EINVAL, at, expected, suggestion, "%s", message));
}

void pdk_reading_fault_key(struct pdk_reading *reading, const pdk_value *value, const char *expected,
                           const char *format, ...) {
    char message[320], path[512];
    struct pdk_fault fault = {.code = -EINVAL, .place = pdk_scalar_key_place(value)};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    fault.path = pdk_scalar_path(value, path, sizeof path);
    fault.message = message;
    fault.expected = expected;
    pdk_reading_error(reading, pdk_report_add(reading->report, &fault));
}

static void complain(struct pdk_reading *reading, const pdk_value *value, const struct pdk_complaint *why) {
    pdk_reading_error(reading, pdk_complain(reading->report, value, why));
}

static void complain_type(struct pdk_reading *reading, const pdk_value *value, const char *wanted) {
    struct pdk_complaint why;
    pdk_complaint_clear(&why);
    (void)pdk_complain_type(value, wanted, &why);
    complain(reading, value, &why);
}

/* Finding rows. */

const struct pdk_field *pdk_field_find(const struct pdk_field *rows, const char *name, size_t size) {
    for (const struct pdk_field *row = rows; row->name; row++)
        if (row->size == size && row->name[0] == name[0] && memcmp(row->name, name, size) == 0) return row;
    return NULL;
}

/* What is spelt well, and stands in the wrong list. */
static const char *where_it_belongs(const struct pdk_field *rows, const char *key) {
    bool is_entry = rows == pdk_source_rows || rows == pdk_metrics_rows;
    return is_entry && pdk_field_find(pdk_plugin_rows, key, strlen(key)) ? "only runners have it, under plugins" : NULL;
}

void pdk_field_unknown(struct pdk_reading *reading, const struct pdk_field *rows, const pdk_value *map, size_t i) {
    const char *words[PDK_TASK_ROWS], *key = map->as.map.entries[i].key;
    const char *belongs = where_it_belongs(rows, key);
    size_t count = 0;
    for (; rows->name && count + 1 < PDK_TASK_ROWS; rows++)
        if (rows->since <= PDK_SPEC_VERSION) words[count++] = rows->name;
    words[count] = NULL;
    pdk_reading_error(reading,
                      pdk_value_key_fault(reading->report, -EINVAL, map, i, belongs,
                                          belongs ? NULL : pdk_nearest(key, words), "unknown field \"%.100s\"", key));
}

void pdk_field_later(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *map, size_t i) {
    pdk_reading_fault_key(reading, map->as.map.entries[i].value, row->instead ? row->instead : "remove it",
                          "\"%s\" comes with a later version", row->name);
}

/* Simple types. */

const char *pdk_read_text(struct pdk_reading *reading, const pdk_value *value, const char *wanted) {
    const char *text = pdk_value_text(value);
    if (!text) {
        if (pdk_value_is_null(value))
            pdk_reading_fault(reading, value, "write \"\" or leave the field out", NULL, "expected %s, found nothing",
                              wanted);
        else
            complain_type(reading, value, wanted);
        return NULL;
    }
    return text;
}

const char *pdk_read_path(struct pdk_reading *reading, const pdk_value *value) {
    const char *text = pdk_read_text(reading, value, "a path"), *start = pdk_value_folder(value);
    size_t size, folder;
    char *path;
    if (!text) return NULL;
    size = strlen(text);
    if (size == 0 || size > PDK_PATH_BYTES) {
        pdk_reading_fault(reading, value, size ? "expected at most 4096 bytes" : NULL, NULL,
                          size ? "this path is too long" : "a path cannot be empty");
        return NULL;
    }
    if (text[0] == '/') return text;
    while (text[0] == '.' && text[1] == '/') text += 2 + strspn(text + 2, "/");
    if (!strcmp(text, ".")) text = "";
    size = strlen(text);
    if (!start) start = reading->folder;
    folder = strlen(start);
    path = pdk_reading_alloc(reading, folder + size + 2);
    if (!path) return NULL;
    memcpy(path, start, folder);
    if (size > 0 && path[folder - 1] != '/') path[folder++] = '/';
    memcpy(path + folder, text, size + 1);
    return path;
}

static const char *const no_names[] = {NULL};

const char *const *pdk_read_names(struct pdk_reading *reading, const pdk_value *value) {
    bool list = value->type == PDK_LIST;
    size_t count = list ? value->size : 1;
    const char **names;
    if (count == 0) return no_names;
    if (count > LIST_LIMIT) {
        pdk_reading_fault(reading, value, NULL, NULL, "a list of more than %d", LIST_LIMIT);
        return no_names;
    }
    names = pdk_reading_alloc(reading, (count + 1) * sizeof *names);
    if (!names) return no_names;
    for (size_t i = 0, used = 0; i < count; i++) {
        const char *name =
            pdk_read_text(reading, list ? value->as.items[i] : value, list ? "a name" : "a list of names");
        if (name) names[used++] = name;
    }
    return names;
}

bool pdk_read_command(struct pdk_reading *reading, const pdk_value *value) {
    if (!value || value->type != PDK_LIST) {
        const char *text = pdk_value_text(value);
        if (!text) {
            complain_type(reading, value, "a command: text for the shell, or a list");
            return false;
        }
        if (text[strspn(text, " \t\n")] != '\0') return true;
        pdk_reading_fault(reading, value, NULL, NULL, "a command cannot be empty");
        return false;
    }
    if (value->size == 0 || value->size > LIST_LIMIT) {
        pdk_reading_fault(reading, value, NULL, NULL,
                          value->size ? "a command of too many words" : "a command cannot be empty");
        return false;
    }
    for (uint32_t i = 0; i < value->size; i++) {
        if (!pdk_read_text(reading, value->as.items[i], "a word of the command")) return false;
    }
    if (*pdk_value_text(value->as.items[0])) return true;
    pdk_reading_fault(reading, value->as.items[0], NULL, NULL, "the program's name cannot be empty");
    return false;
}

const char *const *pdk_command_argv(struct pdk_reading *reading, const pdk_value *value) {
    size_t count = value->type == PDK_LIST ? value->size : 3;
    const char **argv = pdk_reading_alloc(reading, (count + 1) * sizeof *argv);
    if (!argv) return NULL;
    if (value->type != PDK_LIST) {
        argv[0] = "/bin/sh";
        argv[1] = "-c";
        argv[2] = pdk_read_text(reading, value, "a command");
    } else {
        for (size_t i = 0; i < count; i++) argv[i] = pdk_read_text(reading, value->as.items[i], "a word");
    }
    return argv;
}

bool pdk_read_is_map(struct pdk_reading *reading, const pdk_value *value, const char *wanted) {
    if (value && value->type == PDK_MAP) return true;
    complain_type(reading, value, wanted);
    return false;
}

/* By row. */

static void out_of_range(struct pdk_reading *reading, const pdk_value *value, const char *min, const char *max) {
    char expected[160];
    const char *text = pdk_value_text(value);
    if (max)
        (void)snprintf(expected, sizeof expected, "expected %s to %s", min, max);
    else
        (void)snprintf(expected, sizeof expected, "expected %s or more", min);
    pdk_reading_fault(reading, value, expected, NULL, "%.40s is out of range", text ? text : "this");
}

static bool word(const pdk_value *value, const char *wanted) {
    const char *text = pdk_value_text(value);
    return text && text[0] == wanted[0] && strcmp(text, wanted) == 0;
}

static void read_int(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value, uint32_t *ret) {
    struct pdk_complaint why;
    char min[24], max[24];
    int64_t n;
    pdk_complaint_clear(&why);
    if ((row->flags & PDK_FIELD_UNLIMITED) && word(value, "unlimited")) {
        *ret = UINT32_MAX;
    } else if (pdk_scalar_int(value, &n, &why) < 0) {
        if ((row->flags & PDK_FIELD_UNLIMITED) && !why.expected[0])
            (void)strlcpy(why.expected, "or the word unlimited", sizeof why.expected);
        complain(reading, value, &why);
    } else if (n < 0 || (uint64_t)n < row->min || (uint64_t)n > row->max) {
        (void)snprintf(min, sizeof min, "%" PRIu64, row->min);
        (void)snprintf(max, sizeof max, "%" PRIu64, row->max);
        out_of_range(reading, value, min, max);
    } else {
        *ret = (uint32_t)n;
    }
}

static void read_number(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value, double *ret) {
    struct pdk_complaint why;
    char max[24];
    double n;
    pdk_complaint_clear(&why);
    if (pdk_scalar_number(value, &n, &why) < 0) {
        complain(reading, value, &why);
    } else if (!(n > 0.0) || n < (double)row->min || n > (double)row->max) {
        (void)snprintf(max, sizeof max, "%" PRIu64, row->max);
        out_of_range(reading, value, "more than 0", max);
    } else {
        *ret = n;
    }
}

static void read_duration(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value,
                          uint64_t *ret) {
    struct pdk_complaint why;
    char least[32], min[48], max[32];
    uint64_t n;
    pdk_complaint_clear(&why);
    if ((row->flags & PDK_FIELD_NONE) && word(value, "none")) {
        *ret = 0;
    } else if (pdk_scalar_duration(value, &n, &why) < 0) {
        complain(reading, value, &why);
    } else if (n == 0 && (row->flags & PDK_FIELD_NONE)) {
        pdk_reading_fault(reading, value, "write none, or leave the field out", NULL, "a %s of 0 is over at once",
                          row->name);
    } else if (n == 0 && (row->flags & PDK_FIELD_ZERO)) {
        *ret = 0;
    } else if (row->max && (n < row->min || n > row->max)) {
        (void)snprintf(min, sizeof min, "%s%s", row->flags & PDK_FIELD_ZERO ? "0s, or " : "",
                       pdk_duration_format(row->min, least, sizeof least));
        out_of_range(reading, value, min, pdk_duration_format(row->max, max, sizeof max));
    } else {
        *ret = n;
    }
}

static void read_size(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value, uint64_t *ret) {
    struct pdk_complaint why;
    char min[32], max[32];
    uint64_t n;
    pdk_complaint_clear(&why);
    if (pdk_scalar_size(value, &n, &why) < 0)
        complain(reading, value, &why);
    else if (row->max && (n < row->min || n > row->max))
        out_of_range(reading, value, pdk_size_format(row->min, min, sizeof min),
                     row->max == INT64_MAX ? NULL : pdk_size_format(row->max, max, sizeof max));
    else
        *ret = n;
}

static void read_text(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value,
                      const char **ret) {
    const char *text = pdk_read_text(reading, value, "text");
    size_t size = text ? strlen(text) : 0;
    if (!text) return;
    if (row->max && (size < row->min || size > row->max)) {
        char expected[80];
        (void)snprintf(expected, sizeof expected, "expected %" PRIu64 " to %" PRIu64 " bytes", row->min, row->max);
        pdk_reading_fault(reading, value, expected, NULL, "a text of %zu bytes", size);
        return;
    }
    *ret = text;
}

static void read_bool(struct pdk_reading *reading, const pdk_value *value, bool *ret) {
    struct pdk_complaint why;
    pdk_complaint_clear(&why);
    if (pdk_scalar_bool(value, ret, &why) < 0) complain(reading, value, &why);
}

static void read_choice(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value,
                        int32_t *ret) {
    struct pdk_complaint why;
    pdk_complaint_clear(&why);
    if (pdk_scalar_choice(value, row->choices, ret, &why) < 0) complain(reading, value, &why);
}

void pdk_field_read(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value, void *base) {
    void *at = (char *)base + row->offset;
    if ((row->flags & PDK_FIELD_FILE) && !reading->trusted) {
        pdk_reading_fault_key(reading, value, "remove it", "only a task of a file may use %s", row->name);
        return;
    }
    switch (row->type) {
    case PDK_FIELD_BOOL: read_bool(reading, value, at); break;
    case PDK_FIELD_INT: read_int(reading, row, value, at); break;
    case PDK_FIELD_NUMBER: read_number(reading, row, value, at); break;
    case PDK_FIELD_DURATION: read_duration(reading, row, value, at); break;
    case PDK_FIELD_SIZE: read_size(reading, row, value, at); break;
    case PDK_FIELD_CHOICE: read_choice(reading, row, value, at); break;
    case PDK_FIELD_TEXT: read_text(reading, row, value, at); break;
    case PDK_FIELD_PATH: *(const char **)at = pdk_read_path(reading, value); break;
    case PDK_FIELD_NAMES: *(const char *const **)at = pdk_read_names(reading, value); break;
    case PDK_FIELD_COMMAND:
        if (pdk_read_command(reading, value)) *(const pdk_value **)at = value;
        break;
    case PDK_FIELD_ANY: *(const pdk_value **)at = value; break;
    default: row->read(reading, row, value, base);
    }
}

static bool given(const pdk_value *map, const struct pdk_field *row) {
    for (uint32_t i = 0; i < map->size; i++)
        if (!strcmp(map->as.map.entries[i].key, row->name)) return true;
    return false;
}

void pdk_fields_read(struct pdk_reading *reading, const struct pdk_field *rows, const pdk_value *map, void *base) {
    for (uint32_t i = 0; i < map->size; i++) {
        const struct pdk_value_entry *entry = &map->as.map.entries[i];
        const struct pdk_field *row = pdk_field_find(rows, entry->key, entry->key_size);
        if (!row) {
            pdk_field_unknown(reading, rows, map, i);
            continue;
        }
        reading->marks |= row->mark;
        if (row->since > PDK_SPEC_VERSION)
            pdk_field_later(reading, row, map, i);
        else
            pdk_field_read(reading, row, entry->value, base);
    }
    for (const struct pdk_field *row = rows; row->name; row++)
        if ((row->flags & PDK_FIELD_REQUIRED) && !given(map, row))
            pdk_reading_fault(reading, map, NULL, NULL, "\"%s\" is missing", row->name);
}
