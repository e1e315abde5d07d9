/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a task: references, copies that share. */
#include "core/spec/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void pdk_task_keep(struct pdk_task_body *body, const pdk_value *value) {
    if (body->held_count < PDK_HELD_LIMIT)
        body->held[body->held_count++] = value;
    else
        pdk_values_get()->drop(value); /* cannot happen: fewer fields are merged than there is room */
}

struct pdk_task *pdk_task_hold(struct pdk_task *task) {
    task->references++;
    return task;
}

void pdk_task_drop(struct pdk_task *task) {
    const pdk_values *values = pdk_values_get();
    struct pdk_task_body *body;
    if (!task || --task->references > 0) return;
    body = pdk_task_body(task);
    for (uint32_t i = 0; i < body->held_count; i++) values->drop(body->held[i]);
    if (body->base) pdk_task_drop(&body->base->task);
    pdk_arena_free(&task->arena);
    free(body);
}

struct pdk_task_body *pdk_task_derive(struct pdk_task *task) {
    struct pdk_task_body *from = pdk_task_body(task), *body = malloc(sizeof *body);
    if (!body) return NULL;
    memcpy(body, from, sizeof *body);
    body->base = from;
    (void)pdk_task_hold(task);
    body->task.references = 1;
    body->task.arena = (struct pdk_arena){NULL, NULL, NULL};
    body->held_count = 0;
    return body;
}
