/* SPDX-License-Identifier: Apache-2.0 */
/* One task read: shorthand, defaults, every field through the table, and what holds between fields. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/spec/body.h"
#include "core/spec/interpolate.h"
#include "core/spec/merge.h"
#include "core/spec/scalar.h"

#define GRACE     (10 * PDK_SECOND)
#define KILL_WAIT (5 * PDK_SECOND)

/* What ends at once and is started again without a pause is no busy loop. */
#define START_BURST  10
#define START_WITHIN (10 * PDK_SECOND)

/* What the name and the folder of a task take, and a field or two. */
#define TEXTS 160

static const char *const no_names[] = {NULL};

/* What each row was given, by the task itself or by defaults. */
struct given {
    const pdk_value *values[PDK_TASK_ROWS];
    bool own[PDK_TASK_ROWS];
};

static void set_defaults(struct pdk_task_body *body) {
    struct pdk_task *task = &body->task;
    task->plugin.struct_size = sizeof task->plugin;
    task->plugin.grace_ns = GRACE;
    task->kill_wait = KILL_WAIT;
    task->references = 1;
    task->replicas = 1;
    task->description = "";
    task->after = task->needs = no_names;
    task->policy.jitter = PDK_JITTER_EQUAL;
    task->policy.retries = PDK_RETRIES_UNLIMITED;
    task->policy.backoff_first = 200 * PDK_MILLISECOND;
    task->policy.backoff_max = 30 * PDK_SECOND;
    task->policy.backoff_factor = UINT64_C(2) << 20;
    task->policy.backoff_reset = PDK_MINUTE;
    body->program.stop_signal = PDK_STOP_SIGNAL;
}

/* Sort the keys of a map to their rows. defaults: only rows that are still empty, or merged. */
static void sort_keys(struct pdk_reading *reading, const pdk_value *map, bool named, struct given *given) {
    for (uint32_t i = 0; i < map->size; i++) {
        const struct pdk_value_entry *entry = &map->as.map.entries[i];
        const struct pdk_field *row = pdk_field_find(pdk_task_rows, entry->key, entry->key_size);
        if (!row) {
            if (named || strcmp(entry->key, "name") != 0) pdk_field_unknown(reading, pdk_task_rows, map, i);
        } else if (row->since > PDK_SPEC_VERSION) {
            reading->marks |= PDK_MARK_LATER;
            pdk_field_later(reading, row, map, i);
        } else {
            given->values[row - pdk_task_rows] = entry->value;
            given->own[row - pdk_task_rows] = true;
        }
    }
}

static void add_default(struct pdk_reading *reading, struct pdk_task_body *body, const struct pdk_field *row,
                        const pdk_value *value, struct given *given) {
    size_t at = (size_t)(row - pdk_task_rows);
    const pdk_value *merged;
    int32_t rc;
    if (!given->values[at]) {
        given->values[at] = value;
    } else if (row->flags & PDK_FIELD_MERGE) {
        if (pdk_value_is_null(given->values[at]) || pdk_value_is_null(value)) return;
        rc = pdk_merge_field(row, value, given->values[at], &merged);
        pdk_reading_error(reading, rc);
        if (rc < 0) return;
        pdk_task_keep(body, merged);
        given->values[at] = merged;
    }
}

static void add_defaults(struct pdk_reading *reading, struct pdk_task_body *body, const pdk_value *defaults,
                         struct given *given) {
    for (uint32_t i = 0; i < defaults->size; i++) {
        const struct pdk_value_entry *entry = &defaults->as.map.entries[i];
        const struct pdk_field *row = pdk_field_find(pdk_task_rows, entry->key, entry->key_size);
        if (!row) {
            pdk_field_unknown(reading, pdk_task_rows, defaults, i);
        } else if (row->since > PDK_SPEC_VERSION) {
            pdk_field_later(reading, row, defaults, i);
        } else if (row->flags & PDK_FIELD_NO_DEFAULT) {
            pdk_reading_fault_key(reading, entry->value, "write it in each task", "%s cannot stand in defaults",
                                  row->name);
        } else {
            add_default(reading, body, row, entry->value, given);
        }
    }
}

static void read_rows(struct pdk_reading *reading, struct pdk_task_body *body, const struct given *given) {
    for (const struct pdk_field *row = pdk_task_rows; row->name; row++) {
        const pdk_value *value = given->values[row - pdk_task_rows];
        if (!value) continue;
        if (value->type == PDK_NULL && !(row->flags & PDK_FIELD_NULL)) {
            pdk_reading_fault(reading, value,
                              row->type == PDK_FIELD_TEXT ? "write \"\" or leave the field out" : "leave the field out",
                              NULL, "%s has no value", row->name);
            continue;
        }
        reading->marks = row->mark;
        pdk_field_read(reading, row, value, body);
        body->given |= reading->marks;
        if (given->own[row - pdk_task_rows]) body->own |= reading->marks;
    }
}

/* Name, slot, kind. */

static void check_name(struct pdk_reading *reading, const pdk_value *value, const char *name, bool of_field) {
    const char *why = "";
    if (pdk_task_name_check(name, &why) == 0) return;
    if (of_field)
        pdk_reading_fault(reading, value, why, NULL, "\"%.80s\" cannot be the name of a task", name);
    else
        pdk_reading_fault_key(reading, value, why, "\"%.80s\" cannot be the name of a task", name);
}

static void read_name(struct pdk_reading *reading, struct pdk_task_body *body, const pdk_value *value,
                      const char *name) {
    const pdk_value *field = NULL;
    if (!name) {
        field = value->type == PDK_MAP ? pdk_values_get()->get(value, "name") : NULL;
        if (!field) {
            pdk_reading_fault(reading, value, NULL, NULL, "\"name\" is missing");
            return;
        }
        name = pdk_read_text(reading, field, "a name");
        if (!name) return;
        body->task.plugin.name = name;
    } else {
        body->task.plugin.name = pdk_reading_text(reading, name, strlen(name));
    }
    check_name(reading, field ? field : value, name, field != NULL);
}

static void finish_names(struct pdk_reading *reading, struct pdk_task_body *body, const pdk_value *value) {
    pdk_spec *spec = &body->task.plugin;
    char longest[16];
    if (!spec->slot) spec->slot = spec->name;
    if (!spec->kind && (body->given & PDK_MARK_COMMAND)) spec->kind = "subprocess";
    if (!spec->kind && !(body->given & PDK_MARK_KIND) && !(reading->marks & PDK_MARK_LATER))
        pdk_reading_fault_key(reading, value, "write command: ..., or kind: ...", "a task needs a command or a kind");
    if (body->task.replicas == 1 || !spec->slot) return;
    (void)snprintf(longest, sizeof longest, ".%u", body->task.replicas);
    if (strlen(spec->slot) + strlen(longest) > 64)
        pdk_reading_fault_key(reading, value, "write a shorter slot: ...", "\"%.80s%s\" is too long for a slot",
                              spec->slot, longest);
}

/* Restart follows from every, retries and backoff. What the task wrote itself counts more than defaults. */

static const pdk_value *field(const pdk_value *map, const char *name) {
    return map->type == PDK_MAP ? pdk_values_get()->get(map, name) : NULL;
}

static void contradiction(struct pdk_reading *reading, const pdk_value *map, const char *name, const char *wanted) {
    char expected[80];
    (void)snprintf(expected, sizeof expected, "%s means restart: %s; remove one of them", name, wanted);
    pdk_reading_fault(reading, field(map, "restart"), expected, NULL, "this contradicts %s", name);
}

static void imply(struct pdk_reading *reading, const pdk_value *map, uint32_t marks, struct pdk_policy *policy) {
    bool restart = marks & PDK_MARK_RESTART;
    if (marks & PDK_MARK_EVERY) {
        if (restart && policy->restart != PDK_RESTART_ALWAYS) contradiction(reading, map, "every", "always");
        policy->restart = PDK_RESTART_ALWAYS;
    } else if (marks & (PDK_MARK_RETRIES | PDK_MARK_BACKOFF)) {
        const char *name = (marks & PDK_MARK_RETRIES) ? "retries" : "backoff";
        if (restart && policy->restart == PDK_RESTART_NEVER) contradiction(reading, map, name, "on-failure");
        if (!restart) policy->restart = PDK_RESTART_ON_FAILURE;
    }
}

static void finish_policy(struct pdk_reading *reading, struct pdk_task_body *body, const pdk_value *value,
                          const pdk_value *defaults) {
    const uint32_t all = PDK_MARK_RESTART | PDK_MARK_EVERY | PDK_MARK_RETRIES | PDK_MARK_BACKOFF;
    struct pdk_policy *policy = &body->task.policy;
    uint32_t own = body->own & all, given = body->given & all;
    if (own & (PDK_MARK_RESTART | PDK_MARK_EVERY)) {
        imply(reading, value, own, policy);
    } else if (given) {
        if (defaults) imply(reading, defaults, given & ~own, policy);
        if (own && policy->restart == PDK_RESTART_NEVER) policy->restart = PDK_RESTART_ON_FAILURE;
    }
    if (policy->restart != PDK_RESTART_ALWAYS) policy->every = 0;
    bool again_at_once = policy->restart == PDK_RESTART_ALWAYS && policy->every == 0;
    bool retried_at_once = policy->restart != PDK_RESTART_NEVER && policy->backoff_first == 0;
    if (again_at_once || retried_at_once) {
        policy->start_burst = START_BURST;
        policy->start_within = START_WITHIN;
    }
}

static void finish_program(struct pdk_reading *reading, struct pdk_task_body *body) {
    pdk_spec *spec = &body->task.plugin;
    if (pdk_value_is_null(spec->input)) spec->input = NULL;
    body->program.folder = pdk_reading_text(reading, reading->folder, strlen(reading->folder));
    if (!body->program.cwd) body->program.cwd = body->program.folder;
    if (!spec->with) spec->with = &pdk_value_empty_map;
    if (!spec->labels) spec->labels = &pdk_value_empty_map;
}

/* The whole. */

static void read_body(struct pdk_reading *reading, struct pdk_task_body *body, const pdk_value *value,
                      const struct pdk_task_options *options) {
    struct given given;
    uint32_t later;
    memset(&given, 0, sizeof given);
    set_defaults(body);
    read_name(reading, body, value, options->name);
    if (value->type == PDK_MAP) {
        sort_keys(reading, value, options->name != NULL, &given);
    } else if (pdk_value_is_null(value)) {
        pdk_reading_fault_key(reading, value, "write what it runs: NAME: COMMAND", "this task is empty");
        return;
    } else {
        for (const struct pdk_field *row = pdk_task_rows; row->name; row++) {
            if (row->mark != PDK_MARK_COMMAND) continue;
            given.values[row - pdk_task_rows] = value;
            given.own[row - pdk_task_rows] = true;
        }
    }
    later = reading->marks & PDK_MARK_LATER;
    if (options->defaults) add_defaults(reading, body, options->defaults, &given);
    read_rows(reading, body, &given);
    reading->marks = later | ((body->given | reading->marks) & PDK_MARK_LATER);
    body->with_at = field(value, "with");
    if (!body->with_at) body->with_at = body->task.plugin.with;
    finish_names(reading, body, value);
    finish_policy(reading, body, value, options->defaults);
    finish_program(reading, body);
}

int32_t pdk_defaults_check(const pdk_value *defaults, const struct pdk_task_options *options,
                           struct pdk_report *report) {
    struct pdk_task_body *body = pdk_task_new(TEXTS);
    struct pdk_reading reading = {.report = report, .folder = options->folder, .trusted = options->trusted};
    struct given given;
    if (!body) return -ENOMEM;
    memset(&given, 0, sizeof given);
    reading.arena = &body->task.arena;
    set_defaults(body);
    add_defaults(&reading, body, defaults, &given);
    read_rows(&reading, body, &given);
    pdk_task_drop(&body->task);
    return reading.error;
}

int32_t pdk_task_read(const pdk_value *value, const struct pdk_task_options *options, struct pdk_report *report,
                      struct pdk_task **ret) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *expanded = NULL;
    struct pdk_task_body *body = pdk_task_new(TEXTS);
    struct pdk_reading reading = {
        .report = report, .folder = options->folder ? options->folder : "/", .trusted = options->trusted};
    if (!body) return -ENOMEM;
    reading.arena = &body->task.arena;
    if (options->interpolate) {
        pdk_reading_error(&reading, pdk_interpolate(value, PDK_INTERPOLATE_TASK, report, &expanded));
        value = expanded;
    } else {
        (void)values->hold(value);
    }
    if (value) {
        body->task.source = value;
        body->task.plugin.whole = value;
        pdk_task_keep(body, value);
        if (options->defaults) pdk_task_keep(body, values->hold(options->defaults));
        if (options->trusted) body->task.file = pdk_value_place(value).file;
        read_body(&reading, body, value, options);
    }
    if (reading.error < 0) {
        pdk_task_drop(&body->task);
        return reading.error;
    }
    *ret = &body->task;
    return 0;
}
