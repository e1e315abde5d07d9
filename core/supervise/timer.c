/* SPDX-License-Identifier: Apache-2.0 */
/* A heap of four children per node: half the levels of two, and the children share a cache line or two. */
#include "core/supervise/timer.h"

#include <errno.h>
#include <stdlib.h>

struct pdk_timer_entry {
    uint64_t due, order;
    struct pdk_timer *timer;
};

int32_t pdk_timers_reserve(struct pdk_timers *timers, uint32_t count) {
    if (count < timers->capacity) return 0;
    uint32_t capacity = timers->capacity ? timers->capacity : 64;
    while (capacity <= count) {
        if (capacity > UINT32_MAX / 2) return -ENOMEM;
        capacity *= 2;
    }
    struct pdk_timer_entry *heap = reallocarray(timers->heap, capacity, sizeof *heap);
    if (!heap) return -ENOMEM;
    timers->heap = heap;
    timers->capacity = capacity;
    return 0;
}

void pdk_timers_free(struct pdk_timers *timers) {
    free(timers->heap);
    *timers = (struct pdk_timers){0};
}

static inline bool before(const struct pdk_timer_entry *a, const struct pdk_timer_entry *b) {
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static inline void put(struct pdk_timers *timers, uint32_t place, const struct pdk_timer_entry *entry) {
    timers->heap[place] = *entry;
    entry->timer->place = place;
}

/* Children of n are 4n-2 .. 4n+1, so the parent of n is (n+2)/4. */
static void rise(struct pdk_timers *timers, uint32_t place, struct pdk_timer_entry entry) {
    while (place > 1) {
        uint32_t parent = (place + 2) / 4;
        if (!before(&entry, &timers->heap[parent])) break;
        put(timers, place, &timers->heap[parent]);
        place = parent;
    }
    put(timers, place, &entry);
}

static uint32_t least_child(const struct pdk_timers *timers, uint32_t place) {
    uint64_t first = 4 * (uint64_t)place - 2;
    if (first > timers->count) return 0;
    uint32_t least = (uint32_t)first;
    for (uint32_t i = 1; i < 4 && first + i <= timers->count; i++) {
        if (before(&timers->heap[first + i], &timers->heap[least])) least = (uint32_t)first + i;
    }
    return least;
}

static void sink(struct pdk_timers *timers, uint32_t place, struct pdk_timer_entry entry) {
    for (uint32_t child = least_child(timers, place); child; child = least_child(timers, place)) {
        if (!before(&timers->heap[child], &entry)) break;
        put(timers, place, &timers->heap[child]);
        place = child;
    }
    put(timers, place, &entry);
}

void pdk_timer_start(struct pdk_timers *timers, struct pdk_timer *timer, uint64_t due, uint64_t order) {
    pdk_timer_stop(timers, timer);
    timer->due = due;
    rise(timers, ++timers->count, (struct pdk_timer_entry){due, order, timer});
}

void pdk_timer_remove(struct pdk_timers *timers, struct pdk_timer *timer) {
    uint32_t place = timer->place;
    timer->place = 0;
    struct pdk_timer_entry last = timers->heap[timers->count--];
    if (last.timer == timer) return;
    if (place > 1 && before(&last, &timers->heap[(place + 2) / 4])) {
        rise(timers, place, last);
    } else {
        sink(timers, place, last);
    }
}

struct pdk_timer *pdk_timers_first(const struct pdk_timers *timers) {
    return timers->count ? timers->heap[1].timer : NULL;
}
