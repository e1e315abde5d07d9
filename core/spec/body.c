/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a task: references, copies that share. */
#include "core/spec/body.h"

#include <errno.h>

struct pdk_task_body *pdk_task_new(size_t more) {
    struct pdk_arena arena = {NULL, NULL, NULL};
    struct pdk_task_body *body = pdk_arena_begin(&arena, sizeof *body, more);
    if (body) body->task.arena = arena;
    return body;
}

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
    struct pdk_arena arena = task->arena; /* the task lies in it, too */
    pdk_arena_free(&arena);
}

struct pdk_task_body *pdk_task_derive(struct pdk_task *task, size_t more) {
    struct pdk_task_body *body = pdk_task_new(more);
    if (!body) return NULL;
    struct pdk_arena arena = body->task.arena;
    *body = *pdk_task_body(task);
    body->base = pdk_task_body(pdk_task_hold(task));
    body->task.references = 1;
    body->task.arena = arena;
    body->held_count = 0;
    return body;
}
