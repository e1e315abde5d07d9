/* SPDX-License-Identifier: Apache-2.0 */
/* A declared task with other fields. */
#include <errno.h>

#include "core/spec/body.h"
#include "core/spec/merge.h"

int32_t pdk_task_map(const pdk_value *value, const pdk_value **ret) {
    const pdk_values *values = pdk_values_get();
    if (value->type != PDK_STRING && value->type != PDK_LIST) {
        *ret = values->hold(value);
        return 0;
    }
    pdk_writer *writer = values->open(values);
    pdk_writer_like(writer, value);
    values->put_map(writer);
    values->key(writer, "command");
    values->put_value(writer, value);
    values->end(writer);
    return values->close(writer, ret, NULL);
}

int32_t pdk_task_differ(struct pdk_task *task, const pdk_value *fields, struct pdk_report *report,
                        struct pdk_task **ret) {
    const struct pdk_task_body *body = pdk_task_body(task);
    const struct pdk_task_options options = {.name = task->plugin.name,
                                             .defaults = body->held_count > 1 ? body->held[1] : NULL,
                                             .folder = body->program.folder,
                                             .trusted = true};
    const pdk_value *map = NULL, *merged = NULL;
    int32_t rc = pdk_task_map(task->source, &map);
    if (rc == 0) rc = pdk_merge_defaults(map, fields, &merged);
    pdk_values_get()->drop(map);
    if (rc == 0) rc = pdk_task_read(merged, &options, report, ret);
    pdk_values_get()->drop(merged);
    return rc;
}

/* Defaults for one that runs no program: those of programs pass it by. Owned by the caller. */
static int32_t without_program(const pdk_value *defaults, const pdk_value **ret) {
    const pdk_values *values = pdk_values_get();
    pdk_writer *writer = values->open(values);
    values->put_map(writer);
    for (size_t i = 0; i < values->count(defaults); i++) {
        const char *key = values->key_at(defaults, i);
        if (pdk_handed_find(key)) continue;
        values->key(writer, key);
        values->put_value(writer, values->at(defaults, i));
    }
    values->end(writer);
    return values->close(writer, ret, NULL);
}

int32_t pdk_task_whole(struct pdk_task *task, const pdk_value **ret) {
    const struct pdk_task_body *body = pdk_task_body(task);
    const pdk_values *values = pdk_values_get();
    const pdk_value *defaults = NULL, *map = NULL;
    int32_t rc = pdk_task_map(task->source, &map);
    if (rc == 0 && body->held_count > 1) {
        bool program = values->get(map, "command") || values->get(map, "script");
        if (program)
            defaults = values->hold(body->held[1]);
        else
            rc = without_program(body->held[1], &defaults);
    }
    if (rc == 0) rc = pdk_merge_defaults(defaults, map, ret);
    values->drop(defaults);
    values->drop(map);
    return rc;
}
