/* SPDX-License-Identifier: Apache-2.0 */
/*
 * READY runs and permits. There is one FIFO, kept as one queue per runner with a stamp in each run: the first whose
 * runner has room is the lowest stamp among the heads, and a full runner holds up nobody but its own.
 */
#include "core/supervise/internal.h"

void pdk_ready_push(struct pdk_supervisor *s, struct pdk_record *run) {
    struct pdk_member *member = run->member;
    run->stamp = s->next_stamp++;
    TAILQ_INSERT_TAIL(&member->ready, run, line);
    s->ready++;
    if (member->is_active) return;
    member->is_active = true;
    TAILQ_INSERT_TAIL(&s->active, member, active);
}

void pdk_ready_remove(struct pdk_supervisor *s, struct pdk_record *run) {
    struct pdk_member *member = run->member;
    TAILQ_REMOVE(&member->ready, run, line);
    s->ready--;
    if (!TAILQ_EMPTY(&member->ready)) return;
    member->is_active = false;
    TAILQ_REMOVE(&s->active, member, active);
}

void pdk_permit_take(struct pdk_supervisor *s, struct pdk_record *run) {
    s->running++;
    run->member->running++;
    pdk_meter_add(run->member->meter.running, 1);
}

void pdk_permit_give(struct pdk_supervisor *s, struct pdk_record *run) {
    s->running--;
    run->member->running--;
    pdk_meter_add(run->member->meter.running, -1);
}

bool pdk_member_has_room(const struct pdk_member *member) {
    if (member->limits.running && member->running >= member->limits.running) return false;
    return atomic_load_explicit(&member->instance->health, memory_order_relaxed) != PDK_DOWN;
}

static struct pdk_record *first(const struct pdk_supervisor *s) {
    if (s->paused || !s->started || (s->options.running && s->running >= s->options.running)) return NULL;
    struct pdk_record *best = NULL;
    struct pdk_member *member;
    TAILQ_FOREACH(member, &s->active, active) {
        struct pdk_record *run = TAILQ_FIRST(&member->ready);
        if (pdk_member_has_room(member) && (!best || run->stamp < best->stamp)) best = run;
    }
    return best;
}

/* A run whose deadline has come between its timer's turn and now does not start. */
void pdk_pump(struct pdk_supervisor *s, uint32_t *budget) {
    while (s->ready && *budget && !s->held_up) {
        struct pdk_record *run = first(s);
        if (!run) return;
        pdk_clock(s);
        if (run->deadline && run->deadline <= s->now) {
            pdk_step(s, run, PDK_INPUT_T_TOTAL, 0, NULL);
        } else {
            --*budget;
            pdk_step(s, run, PDK_INPUT_PERMIT, 0, NULL);
        }
    }
}

bool pdk_pump_has_work(const struct pdk_supervisor *s) {
    return s->ready && !s->held_up && first(s);
}
