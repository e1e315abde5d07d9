/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of children: a handle is a slot and its generation, so that a stale one is noticed. */
#include <errno.h>
#include <stdlib.h>

#include "core/process/cgroup.h"
#include "core/process/spawner.h"

enum { FIRST_SLOTS = 64 };

#define NO_SLOT UINT32_MAX

static int32_t grow(struct pdk_spawner *spawner) {
    uint32_t count = spawner->slot_count ? spawner->slot_count * 2 : FIRST_SLOTS;
    struct pdk_slot *slots = count > NO_SLOT / 4 ? NULL : reallocarray(spawner->slots, count, sizeof *slots);
    if (!slots) return -ENOMEM;
    if (spawner->slot_count == 0) spawner->free_slot = NO_SLOT;
    for (uint32_t i = count; i-- > spawner->slot_count;) {
        slots[i] = (struct pdk_slot){NULL, 0, spawner->free_slot};
        spawner->free_slot = i;
    }
    spawner->slots = slots;
    spawner->slot_count = count;
    return 0;
}

struct pdk_child_state *pdk_child_add(struct pdk_spawner *spawner, pdk_child *ret) {
    if ((spawner->slot_count == 0 || spawner->free_slot == NO_SLOT) && grow(spawner) < 0) return NULL;
    struct pdk_child_state *child = calloc(1, sizeof *child);
    if (!child) return NULL;
    struct pdk_slot *slot = &spawner->slots[spawner->free_slot];
    child->spawner = spawner;
    child->index = spawner->free_slot;
    child->streams[0].fd = child->streams[1].fd = -1;
    spawner->free_slot = slot->next_free;
    slot->child = child;
    TAILQ_INSERT_TAIL(&spawner->children, child, all);
    *ret = (uint64_t)slot->generation << 32 | (child->index + 1);
    return child;
}

struct pdk_child_state *pdk_child_find(const struct pdk_spawner *spawner, pdk_child handle) {
    uint32_t index = (uint32_t)handle - 1;
    if ((uint32_t)handle == 0 || index >= spawner->slot_count) return NULL;
    const struct pdk_slot *slot = &spawner->slots[index];
    return slot->generation == handle >> 32 ? slot->child : NULL;
}

void pdk_child_remove(struct pdk_child_state *child) {
    struct pdk_spawner *spawner = child->spawner;
    struct pdk_slot *slot = &spawner->slots[child->index];
    const pdk_watch watches[] = {child->watch, child->drain_timer, child->clear_timer};
    for (size_t i = 0; i < sizeof watches / sizeof *watches; i++) spawner->loop->stop(spawner->loop, watches[i]);
    for (int i = 0; i < 2; i++) {
        pdk_stream_free(child, &child->streams[i]);
        free(child->marks[i]);
    }
    if (child->is_later) TAILQ_REMOVE(&spawner->later, child, later);
    TAILQ_REMOVE(&spawner->children, child, all);
    slot->child = NULL;
    slot->generation++;
    slot->next_free = spawner->free_slot;
    spawner->free_slot = child->index;
    free(child);
}

void pdk_child_later(struct pdk_child_state *child) {
    struct pdk_spawner *spawner = child->spawner;
    if (child->is_later) return;
    child->is_later = true;
    TAILQ_INSERT_TAIL(&spawner->later, child, later);
    if (spawner->later_timer) return;
    int32_t r = spawner->loop->timer(spawner->loop, 0, 0, pdk_children_progress, spawner, &spawner->later_timer);
    /* It stays in the list: the next child that wants something takes it along. */
    if (r < 0) pdk_spawner_log(spawner, PDK_LOG_ERROR, "no timer for the next turn: error %d", -r);
}

void pdk_children_progress(void *arg) {
    struct pdk_spawner *spawner = arg;
    struct pdk_child_list now = TAILQ_HEAD_INITIALIZER(now);
    spawner->later_timer = 0;
    TAILQ_CONCAT(&now, &spawner->later, later);
    struct pdk_child_state *child;
    while ((child = TAILQ_FIRST(&now))) {
        TAILQ_REMOVE(&now, child, later);
        child->is_later = false;
        pdk_child_progress(child);
    }
}
