/* SPDX-License-Identifier: Apache-2.0 */
/* A value checked by a schema and written anew as its rows say. */
#include "core/spec/completion.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/spec/body.h"
#include "core/spec/fallback.h"
#include "core/spec/scalar.h"

/* More rows than a table may have where nearest words are looked for. */
#define WORDS 128

struct run {
    const struct pdk_completion *job;
    struct pdk_report *report;
    const pdk_values *values;
    pdk_writer *writer;
    int32_t error;
    uint8_t flags;           /* of all that is put: PDK_VALUE_FALLBACK while a fallback is */
    const pdk_value *handed; /* what is put comes from the task, in its form for runners: a size is its bytes */
};

/* Faults, all with the name of the plugin. */

static void add(struct run *run, struct pdk_place place, const char *path, const struct pdk_complaint *why,
                enum pdk_severity severity, bool secret) {
    struct pdk_fault fault = {.severity = severity,
                              .code = -EINVAL,
                              .place = place,
                              .path = path,
                              .message = why->message,
                              .expected = why->expected,
                              .suggestion = why->suggestion,
                              .plugin = run->job->plugin,
                              .secret = secret};
    (void)pdk_report_add(run->report, &fault);
    if (severity == PDK_SEVERITY_ERROR && run->error == 0) run->error = -EINVAL;
}

static void complain(struct run *run, const pdk_param *row, const pdk_value *value, struct pdk_complaint *why) {
    bool secret = row->flags & PDK_SECRET;
    char path[512];
    if (value && (value->flags & PDK_VALUE_FAULTY)) {
        if (run->error == 0) run->error = -EINVAL;
        return;
    }
    if (secret) (void)snprintf(why->message, sizeof why->message, "this is not what is wanted here");
    add(run, pdk_value_place(value), pdk_scalar_path(value, path, sizeof path), why, PDK_SEVERITY_ERROR, secret);
}

static void complain_type(struct run *run, const pdk_param *row, const pdk_value *value, const char *wanted) {
    struct pdk_complaint why;
    pdk_complaint_clear(&why);
    (void)pdk_complain_type(value, wanted, &why);
    complain(run, row, value, &why);
}

static bool is_top(const struct run *run, const pdk_value *map) {
    return !map || map == run->job->value;
}

/* The path of a map: of the top one that which it was made from, or that of the task which has no `with`. */
static const char *path_of(const struct run *run, const pdk_value *map, char *buf, size_t size) {
    const pdk_value *source;
    if (!is_top(run, map)) return pdk_scalar_path(map, buf, size);
    if (run->job->at) return pdk_scalar_path(run->job->at, buf, size);
    if (!run->job->body) return pdk_scalar_path(map, buf, size);
    source = run->job->body->task.source;
    (void)pdk_scalar_path(source, buf, size);
    (void)strlcat(buf, source->line == 0 ? "/with" : *buf ? ".with" : "with", size);
    return buf;
}

/* Where something is missing from a map. */
static struct pdk_place place_of(const struct run *run, const pdk_value *map) {
    if (!is_top(run, map)) return pdk_value_place(map);
    if (run->job->at) return pdk_value_place(run->job->at);
    return run->job->body ? pdk_scalar_key_place(run->job->body->task.source) : pdk_value_place(map);
}

static void unknown_key(struct run *run, const pdk_param *rows, const pdk_value *map, uint32_t i) {
    const char *words[WORDS], *nearest, *key = map->as.map.entries[i].key;
    struct pdk_complaint why;
    char path[512];
    size_t count = 0;
    const pdk_param *row;
    pdk_complaint_clear(&why);
    for (size_t k = 0; count + 1 < WORDS && (row = pdk_param_at(rows, run->job->schema->param_size, k)); k++)
        words[count++] = row->name;
    words[count] = NULL;
    nearest = pdk_nearest(key, words);
    (void)snprintf(why.message, sizeof why.message, "unknown field \"%.100s\"", key);
    if (nearest) (void)strlcpy(why.suggestion, nearest, sizeof why.suggestion);
    add(run, pdk_value_key_place(map, i), path_of(run, map, path, sizeof path), &why, PDK_SEVERITY_ERROR, false);
}

static void missing(struct run *run, const pdk_param *row, const pdk_value *map) {
    struct pdk_complaint why;
    char path[512];
    pdk_complaint_clear(&why);
    (void)snprintf(why.message, sizeof why.message, "\"%s\" is missing", row->name);
    if (row->doc && *row->doc) (void)snprintf(why.expected, sizeof why.expected, "%s: %.200s", row->name, row->doc);
    add(run, place_of(run, map), path_of(run, map, path, sizeof path), &why, PDK_SEVERITY_ERROR, false);
}

static void deprecated(struct run *run, const pdk_param *row, const pdk_value *value) {
    struct pdk_complaint why;
    char path[512];
    pdk_complaint_clear(&why);
    (void)snprintf(why.message, sizeof why.message, "\"%s\" is deprecated", row->name);
    if (row->doc) (void)strlcpy(why.expected, row->doc, sizeof why.expected);
    add(run, pdk_scalar_key_place(value), pdk_scalar_path(value, path, sizeof path), &why, PDK_SEVERITY_WARNING, false);
}

/* Ranges. */

static void check_range(struct run *run, const pdk_param *row, const pdk_value *value, double n, const char *what) {
    struct pdk_complaint why;
    const char *text;
    if ((row->min == 0.0 && row->max == 0.0) || (n >= row->min && n <= row->max)) return;
    pdk_complaint_clear(&why);
    text = pdk_value_text(value);
    if (*what)
        (void)snprintf(why.message, sizeof why.message, "%s is out of range", what);
    else
        (void)snprintf(why.message, sizeof why.message, "%.80s is out of range", text ? text : "this");
    (void)snprintf(why.expected, sizeof why.expected, "expected %.15g to %.15g", row->min, row->max);
    complain(run, row, value, &why);
}

/* Values by type of row. */

/* Does it lie in what a task hands on, which is gone soon? To share a part of that would keep all of it. */
static bool is_passing(const struct run *run, const pdk_value *value) {
    return run->handed && value && value->document == run->handed->document;
}

static void like(struct run *run, const pdk_value *value) {
    if (is_passing(run, value)) value = value->flags & PDK_VALUE_MADE ? value->parent : NULL;
    pdk_writer_like(run->writer, value);
}

static void put_like(struct run *run, const pdk_value *value, const pdk_param *row) {
    uint8_t flags = value->flags | run->flags;
    if (row->flags & PDK_SECRET) flags |= PDK_VALUE_SECRET;
    like(run, value);
    pdk_writer_flags(run->writer, flags);
}

static void put_text(struct run *run, const pdk_param *row, const pdk_value *value, const char *text) {
    if (value->type == PDK_STRING && !(row->flags & PDK_SECRET) && !is_passing(run, value)) {
        run->values->put_value(run->writer, value);
        return;
    }
    put_like(run, value, row);
    run->values->put_string(run->writer, text, strlen(text));
}

static void put_null(struct run *run) {
    run->values->put_null(run->writer);
}

static bool is_secret(const pdk_value *value) {
    const char *key;
    if (value->type != PDK_MAP || value->size != 1) return false;
    key = value->as.map.entries[0].key;
    return (!strcmp(key, "file") || !strcmp(key, "env") || !strcmp(key, "credential")) &&
           pdk_value_text(value->as.map.entries[0].value);
}

static void put_string(struct run *run, const pdk_param *row, const pdk_value *value) {
    const char *text = pdk_value_text(value);
    struct pdk_complaint why;
    int32_t choice;
    if ((row->flags & PDK_SECRET) && is_secret(value)) {
        run->values->put_value(run->writer, value);
        return;
    }
    if (!text) {
        complain_type(run, row, value, (row->flags & PDK_SECRET) ? "text or a secret" : "text");
        put_null(run);
        return;
    }
    pdk_complaint_clear(&why);
    if (row->choices && pdk_scalar_choice(value, row->choices, &choice, &why) < 0) complain(run, row, value, &why);
    if (row->type == PDK_STRING) check_range(run, row, value, (double)pdk_utf8_count(text, strlen(text)), "its length");
    put_text(run, row, value, text);
}

static void put_number(struct run *run, const pdk_param *row, const pdk_value *value) {
    struct pdk_complaint why;
    int64_t integer = 0;
    double number = 0;
    int32_t rc;
    pdk_complaint_clear(&why);
    rc = row->type == PDK_INT ? pdk_scalar_int(value, &integer, &why) : pdk_scalar_number(value, &number, &why);
    if (rc < 0) {
        complain(run, row, value, &why);
        put_null(run);
        return;
    }
    if (row->choices && pdk_scalar_choice(value, row->choices, &rc, &why) < 0) complain(run, row, value, &why);
    check_range(run, row, value, row->type == PDK_INT ? (double)integer : number, "");
    put_like(run, value, row);
    if (row->type == PDK_INT)
        run->values->put_int(run->writer, integer);
    else
        run->values->put_number(run->writer, number);
}

static void put_bool(struct run *run, const pdk_param *row, const pdk_value *value) {
    struct pdk_complaint why;
    bool is_true = false;
    pdk_complaint_clear(&why);
    if (pdk_scalar_bool(value, &is_true, &why) < 0) complain(run, row, value, &why);
    put_like(run, value, row);
    run->values->put_bool(run->writer, is_true);
}

/* Durations and sizes stay text: plugins read them by values->duration and values->size. */
static void put_measure(struct run *run, const pdk_param *row, const pdk_value *value) {
    struct pdk_complaint why;
    uint64_t n = 0;
    bool duration = row->type == PDK_DURATION;
    pdk_complaint_clear(&why);
    if (run->handed && !duration && value->type == PDK_INT) {
        check_range(run, row, value, (double)value->as.scalar.integer, "");
        put_like(run, value, row);
        run->values->put_int(run->writer, value->as.scalar.integer);
        return;
    }
    if ((duration ? pdk_scalar_duration(value, &n, &why) : pdk_scalar_size(value, &n, &why)) < 0) {
        complain(run, row, value, &why);
        put_null(run);
        return;
    }
    check_range(run, row, value, duration ? (double)n / 1e9 : (double)n, "");
    put_text(run, row, value, pdk_value_text(value));
}

static void put_strings(struct run *run, const pdk_param *row, const pdk_value *value) {
    if (value->type == PDK_MAP || pdk_value_is_null(value)) {
        complain_type(run, row, value, "a list of texts");
        put_null(run);
        return;
    }
    if (value->type == PDK_LIST) check_range(run, row, value, (double)value->size, "its length");
    like(run, value);
    run->values->put_list(run->writer);
    if (value->type != PDK_LIST)
        put_string(run, row, value);
    else
        for (uint32_t i = 0; i < value->size; i++) put_string(run, row, value->as.items[i]);
    run->values->end(run->writer);
}

static void put_string_map(struct run *run, const pdk_param *row, const pdk_value *value) {
    if (value->type != PDK_MAP) {
        complain_type(run, row, value, "a map");
        put_null(run);
        return;
    }
    check_range(run, row, value, (double)value->size, "its length");
    pdk_writer_like(run->writer, value);
    run->values->put_map(run->writer);
    for (uint32_t i = 0; i < value->size; i++) {
        pdk_writer_key_like(run->writer, value, i);
        run->values->key(run->writer, value->as.map.entries[i].key);
        put_string(run, row, value->as.map.entries[i].value);
    }
    run->values->end(run->writer);
}

static void put_rows(struct run *run, const pdk_param *rows, const pdk_value *map);

static void put_container(struct run *run, const pdk_param *row, const pdk_value *value) {
    if (value->type != row->type) {
        complain_type(run, row, value, row->type == PDK_MAP ? "a map" : "a list");
        put_null(run);
        return;
    }
    check_range(run, row, value, (double)value->size, "its length");
    if (!row->fields) {
        run->values->put_value(run->writer, value);
    } else if (row->type == PDK_MAP) {
        put_rows(run, row->fields, value);
    } else {
        like(run, value);
        run->values->put_list(run->writer);
        for (uint32_t i = 0; i < value->size; i++) {
            if (value->as.items[i]->type == PDK_MAP)
                put_rows(run, row->fields, value->as.items[i]);
            else
                complain_type(run, row, value->as.items[i], "a map");
        }
        run->values->end(run->writer);
    }
}

static void put_row(struct run *run, const pdk_param *row, const pdk_value *value) {
    switch (row->type) {
    case PDK_BOOL: put_bool(run, row, value); break;
    case PDK_INT:
    case PDK_NUMBER: put_number(run, row, value); break;
    case PDK_STRING: put_string(run, row, value); break;
    case PDK_LIST:
    case PDK_MAP: put_container(run, row, value); break;
    case PDK_DURATION:
    case PDK_SIZE: put_measure(run, row, value); break;
    case PDK_STRINGS: put_strings(run, row, value); break;
    case PDK_STRING_MAP: put_string_map(run, row, value); break;
    case PDK_NULL:
        if (!pdk_value_is_null(value)) complain_type(run, row, value, "nothing");
        put_null(run);
        break;
    default: run->values->put_value(run->writer, value);
    }
}

/* Where the task has it, unless its parts say more. */
static void like_field(pdk_writer *writer, const struct pdk_task_body *body, const struct pdk_handed *handed) {
    const pdk_value *source = body->task.source;
    pdk_writer_like(writer, source->type == PDK_MAP ? pdk_values_get()->get(source, handed->field) : NULL);
}

/* What a task hands on has its form already. A row that is narrower, or of another type, has the last word. */
static void put_handed(struct run *run, const pdk_param *row, const struct pdk_handed *handed) {
    bool narrow = row->choices || row->fields || row->min != 0.0 || row->max != 0.0;
    const pdk_value *value = NULL;
    pdk_writer *writer;
    int32_t rc;
    if (!narrow && (row->type == handed->type || row->type == PDK_ANY ||
                    (handed->type == PDK_MAP && row->type == PDK_STRING_MAP))) {
        like_field(run->writer, run->job->body, handed);
        handed->put(run->writer, run->job->body);
        return;
    }
    writer = run->values->open(run->values);
    like_field(writer, run->job->body, handed);
    handed->put(writer, run->job->body);
    rc = run->values->close(writer, &value, NULL);
    run->handed = value;
    if (rc == 0)
        put_row(run, row, value);
    else
        run->error = rc;
    run->handed = NULL;
    run->values->drop(value);
}

/* A fallback of a text is that text, but for quotes. */
static bool is_plain_text(const pdk_param *row) {
    return (row->type == PDK_STRING || row->type == PDK_DURATION || row->type == PDK_SIZE) && row->fallback[0] != '"' &&
           row->fallback[0] != '\'';
}

static int32_t read_fallback(const struct run *run, const pdk_param *row, const pdk_value **ret) {
    const char *why = "";
    pdk_writer *writer;
    if (!is_plain_text(row)) return pdk_fallback_read(row->fallback, ret, &why);
    writer = run->values->open(run->values);
    run->values->put_string(writer, row->fallback, strlen(row->fallback));
    return run->values->close(writer, ret, NULL);
}

static void put_fallback(struct run *run, const pdk_param *row) {
    const pdk_value *value = NULL;
    int32_t rc;
    run->values->key(run->writer, row->name);
    if (is_plain_text(row) && !run->job->strict) {
        pdk_writer_flags(run->writer, PDK_VALUE_FALLBACK);
        run->values->put_string(run->writer, row->fallback, strlen(row->fallback));
        return;
    }
    if (row->type == PDK_BOOL && !run->job->strict) {
        pdk_writer_flags(run->writer, PDK_VALUE_FALLBACK);
        run->values->put_bool(run->writer, strcmp(row->fallback, "true") == 0);
        return;
    }
    rc = read_fallback(run, row, &value);
    if (rc < 0) {
        if (run->error != -ENOMEM) run->error = rc;
        put_null(run);
        return;
    }
    run->flags = PDK_VALUE_FALLBACK;
    pdk_writer_flags(run->writer, run->flags);
    put_row(run, row, value);
    run->flags = 0;
    run->values->drop(value);
}

static const pdk_value *lookup(const pdk_value *map, const char *name, uint32_t *ret_at) {
    if (!map || map->type != PDK_MAP) return NULL;
    for (uint32_t i = 0; i < map->size; i++) {
        if (strcmp(map->as.map.entries[i].key, name) != 0) continue;
        *ret_at = i;
        return map->as.map.entries[i].value;
    }
    return NULL;
}

/* Fields of a task are handed on by the task; they are not written into `with`. */
static void misplaced(struct run *run, const pdk_value *map, uint32_t i) {
    struct pdk_complaint why;
    char path[512];
    pdk_complaint_clear(&why);
    (void)snprintf(why.message, sizeof why.message, "\"%s\" is a field of the task", map->as.map.entries[i].key);
    (void)strlcpy(why.expected, "move it up, out of with", sizeof why.expected);
    add(run, pdk_value_key_place(map, i), path_of(run, map, path, sizeof path), &why, PDK_SEVERITY_ERROR, false);
}

static bool is_task_top(const struct run *run, const pdk_value *map) {
    return run->job->body && map == run->job->value;
}

static void check_keys(struct run *run, const pdk_param *rows, const pdk_value *map) {
    for (uint32_t i = 0; i < map->size; i++) {
        const char *key = map->as.map.entries[i].key;
        const pdk_param *row;
        size_t k = 0;
        if (is_task_top(run, map) && pdk_handed_find(key)) {
            misplaced(run, map, i);
            continue;
        }
        while ((row = pdk_param_at(rows, run->job->schema->param_size, k)) && strcmp(row->name, key) != 0) k++;
        if (!row) unknown_key(run, rows, map, i);
    }
}

static void put_absent(struct run *run, const pdk_param *row, const pdk_value *map, bool is_handed) {
    if (!(row->flags & PDK_REQUIRED)) {
        if (row->fallback) put_fallback(run, row);
    } else if (!is_handed) {
        missing(run, row, map);
    } else if (run->error == 0) {
        run->error = -EINVAL; /* who hands it on has said so */
    }
}

/* Is it what the task says, or would every other say the same? */
static bool is_said(const struct run *run, const struct pdk_handed *handed) {
    const struct pdk_task_body *body = run->job->body;
    return pdk_handed_given(handed, body) && (!handed->same || (body->given & handed->marks));
}

/* A row of the top that the task says nothing of, from the blank one. */
static bool put_blank(struct run *run, const pdk_param *row, const struct pdk_handed *handed, const pdk_value *map) {
    uint32_t at;
    const pdk_value *value = lookup(run->job->blank, row->name, &at);
    if (!value || (handed ? is_said(run, handed) : lookup(map, row->name, &at) != NULL)) return false;
    run->values->key(run->writer, row->name);
    run->values->put_value(run->writer, value);
    return true;
}

static void put_rows(struct run *run, const pdk_param *rows, const pdk_value *map) {
    bool top = is_task_top(run, map);
    const pdk_param *row;
    if (map && map->type == PDK_MAP) check_keys(run, rows, map);
    like(run, map);
    run->values->put_map(run->writer);
    for (size_t k = 0; (row = pdk_param_at(rows, run->job->schema->param_size, k)); k++) {
        const struct pdk_handed *handed = top ? pdk_handed_find(row->name) : NULL;
        const pdk_value *value;
        uint32_t at = 0;
        if (top && put_blank(run, row, handed, map)) continue;
        if (handed && pdk_handed_given(handed, run->job->body)) {
            run->values->key(run->writer, row->name);
            put_handed(run, row, handed);
        } else if (!handed && (value = lookup(map, row->name, &at))) {
            if (row->flags & PDK_DEPRECATED) deprecated(run, row, value);
            if (!is_passing(run, map)) pdk_writer_key_like(run->writer, map, at);
            run->values->key(run->writer, row->name);
            put_row(run, row, value);
        } else {
            put_absent(run, row, map, handed != NULL);
        }
    }
    run->values->end(run->writer);
}

int32_t pdk_completion_run(const struct pdk_completion *completion, struct pdk_report *report, const pdk_value **ret) {
    static const pdk_param none[] = {PDK_PARAM_END};
    static const pdk_schema nothing = PDK_SCHEMA("", "", none);
    struct pdk_completion job = *completion;
    struct run run = {.job = &job, .report = report, .values = pdk_values_get()};
    const pdk_value *value = NULL;
    int32_t rc;
    if (!job.schema || !job.schema->params) job.schema = &nothing;
    run.writer = run.values->open(run.values);
    if (job.value && job.value->type != PDK_MAP && job.value->type != PDK_NULL) {
        static const pdk_param map = PDK_PARAM("", PDK_MAP, 0, NULL, "");
        complain_type(&run, &map, job.value, "a map");
        job.value = NULL;
        job.schema = &nothing;
    }
    put_rows(&run, job.schema->params, job.value);
    rc = run.values->close(run.writer, &value, NULL);
    if (run.error == -ENOMEM || (rc == 0 && run.error < 0)) {
        run.values->drop(value);
        rc = run.error;
    }
    if (rc == 0) *ret = value;
    return rc;
}
