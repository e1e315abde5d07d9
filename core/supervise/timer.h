/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All timers of a supervisor, in one heap of four children per node. The loop has one timer, for the earliest,
 * so a million that wait cost it nothing. A timer is part of who it belongs to; starting one needs no memory as
 * long as the heap has been reserved for it.
 */
#ifndef CORE_SUPERVISE_TIMER_H
#define CORE_SUPERVISE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: not running. */
struct pdk_timer {
    uint64_t due;
    uint32_t place; /* in the heap, from 1; 0: not running */
    uint32_t kind;  /* its owner's */
};

struct pdk_timer_entry;
struct pdk_timers {
    struct pdk_timer_entry *heap; /* from 1 */
    uint32_t count, capacity;
};

/* Room for so many timers at once. 0 or -ENOMEM. */
int32_t pdk_timers_reserve(struct pdk_timers *timers, uint32_t count);
void pdk_timers_free(struct pdk_timers *timers);

/* Start, or start again. Timers due at one time go by order, the lower first. */
void pdk_timer_start(struct pdk_timers *timers, struct pdk_timer *timer, uint64_t due, uint64_t order);

/* Stop. One that does not run may be stopped: most are. */
void pdk_timer_remove(struct pdk_timers *timers, struct pdk_timer *timer);
static inline void pdk_timer_stop(struct pdk_timers *timers, struct pdk_timer *timer) {
    if (timer->place) pdk_timer_remove(timers, timer);
}

/* The next to be due; NULL when none runs. */
struct pdk_timer *pdk_timers_first(const struct pdk_timers *timers);

static inline bool pdk_timer_runs(const struct pdk_timer *timer) {
    return timer->place != 0;
}

#endif
