/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A turn: everything that was noted down is carried out, always in this order.
 *
 *   1 dones, as they came   2 timers, by due time and run   3 commands, as they came
 *   4 outcomes are told     5 sources flush                 6 permits: starts
 *
 * So a source hears of the end of a run before the next one in that slot starts. A wake of the loop is good for many
 * turns as long as they have work, but for 64 starts at most: then the loop gets its turn.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/supervise/internal.h"

enum { TURNS_PER_WAKE = 64 };

/* The wall clock is not read for every run; it may be set by hand, so now and then. */
static void look_at_wall(struct pdk_supervisor *s) {
    if (s->unix_offset && s->now - s->offset_at < PDK_SECOND) return;
    s->offset_at = s->now;
    s->unix_offset = s->host.unix_ns(&s->host) - s->now;
}

void pdk_clock(struct pdk_supervisor *s) {
    s->now = s->loop->now_ns(s->loop);
    look_at_wall(s);
}

uint64_t pdk_unix_of(const struct pdk_supervisor *s, uint64_t time) {
    return time + s->unix_offset;
}

static void post(struct pdk_supervisor *s) {
    if (!atomic_exchange(&s->wake->posted, 1)) s->loop->post(s->loop, &s->wake->call);
}

/* A turn goes on for as long as there is work, so within one nobody needs to be woken. */
void pdk_wake(struct pdk_supervisor *s) {
    if (s->turning || atomic_load_explicit(&s->wake->posted, memory_order_relaxed)) return;
    post(s);
}

void pdk_poke(struct pdk_supervisor *s) {
    if (pdk_on_main(s)) {
        pdk_wake(s);
    } else {
        post(s);
    }
}

static void woken(void *arg) {
    struct pdk_wake *wake = arg;
    if (!wake->supervisor) {
        free(wake);
        return;
    }
    atomic_store(&wake->posted, 0);
    pdk_turn(wake->supervisor);
}

int32_t pdk_wake_create(struct pdk_supervisor *s) {
    s->wake = calloc(1, sizeof *s->wake);
    if (!s->wake) return -ENOMEM;
    s->wake->call = (pdk_call){.run = woken, .arg = s->wake};
    s->wake->supervisor = s;
    return 0;
}

void pdk_wake_free(struct pdk_supervisor *s, bool with_loop) {
    if (!s->wake) return;
    s->wake->supervisor = NULL;
    if (with_loop || !atomic_load(&s->wake->posted)) free(s->wake);
}

static void take_dones(struct pdk_supervisor *s) {
    pdk_cells_collect(s);
    for (struct pdk_cell *cell = pdk_cells_next(s); cell; cell = pdk_cells_next(s)) {
        pdk_output_drain(s, cell); /* what it printed is heard before its end */
        pdk_step(s, cell->run, PDK_INPUT_DONE, 0, NULL);
    }
}

static struct pdk_record *owner_of(struct pdk_timer *timer) {
    size_t offset =
        timer->kind == PDK_INPUT_T_TOTAL ? offsetof(struct pdk_record, total) : offsetof(struct pdk_record, phase);
    return (struct pdk_record *)(void *)((char *)timer - offset);
}

static void take_timers(struct pdk_supervisor *s) {
    for (struct pdk_timer *timer = pdk_timers_first(&s->timers); timer && timer->due <= s->now;
         timer = pdk_timers_first(&s->timers)) {
        pdk_timer_stop(&s->timers, timer);
        switch (timer->kind) {
        case PDK_TIMER_LIFE: pdk_shutdown_timer(s); break;
        case PDK_TIMER_HOSTED: pdk_shutdown_hosted(s); break;
        case PDK_TIMER_HISTORY: pdk_history_age(s); break;
        case PDK_TIMER_STARVED: pdk_sources_starved(s); break;
        case PDK_TIMER_TELL: break; /* pdk_tells looks at the clock itself */
        default: pdk_step(s, owner_of(timer), (enum pdk_input)timer->kind, 0, NULL);
        }
    }
}

static bool has_work(const struct pdk_supervisor *s) {
    const struct pdk_timer *timer = pdk_timers_first(&s->timers);
    return s->dones || !STAILQ_EMPTY(&s->orders) || !STAILQ_EMPTY(&s->outbox) || (timer && timer->due <= s->now) ||
           pdk_pump_has_work(s) || atomic_load_explicit(&s->inbox, memory_order_relaxed) ||
           atomic_load_explicit(&s->news, memory_order_relaxed) ||
           atomic_load_explicit(&s->health_new, memory_order_relaxed);
}

static void one_turn(struct pdk_supervisor *s, uint32_t *budget) {
    pdk_clock(s);
    take_dones(s);
    take_timers(s);
    pdk_orders_carry_out(s);
    pdk_outbox_settle(s);
    pdk_sources_resume(s);
    pdk_sources_flush(s);
    pdk_pump(s, budget);
    pdk_news_take(s);
    pdk_members_health(s);
    pdk_sources_start(s);
    pdk_tells(s);
    pdk_shutdown_look(s);
    if (s->backends) pdk_meter_states(s);
}

static void fired(void *supervisor) {
    struct pdk_supervisor *s = supervisor;
    s->timer = 0;
    if (s->backends) pdk_meter_observe(s->meters.lag, (double)(s->loop->now_ns(s->loop) - s->timer_due) / 1e9);
    pdk_turn(s);
}

/* One timer of the loop for all of ours. One that fires too early does no harm, so it is only moved forward. */
static void arm(struct pdk_supervisor *s) {
    const struct pdk_timer *first = pdk_timers_first(&s->timers);
    if (s->timer && (!first || first->due < s->timer_due)) {
        s->loop->stop(s->loop, s->timer);
        s->timer = 0;
    }
    if (!first || s->timer) return;
    uint64_t now = s->loop->now_ns(s->loop);
    if (s->loop->timer(s->loop, first->due > now ? first->due - now : 0, 0, fired, s, &s->timer) < 0) {
        s->timer = 0;
        pdk_wake(s); /* without memory for a timer we look again at once */
        return;
    }
    s->timer_due = first->due;
}

/* The last thing that is done: whoever waits may take the supervisor apart from the next turn of the loop on. */
static void over(struct pdk_supervisor *s) {
    if (s->timer) s->loop->stop(s->loop, s->timer);
    s->timer = 0;
    if (s->stopped_told) return;
    s->stopped_told = true;
    if (s->own_loop) pdk_ev_break(s->own_loop);
    if (s->options.stopped) s->options.stopped(s->options.arg);
}

void pdk_turn(void *supervisor) {
    struct pdk_supervisor *s = supervisor;
    uint32_t budget = PDK_STARTS_PER_TURN;
    if (s->turning || s->stopped_told) return;
    s->turning = true;
    atomic_store_explicit(&s->main, (uint64_t)pthread_self(), memory_order_relaxed);
    bool more = true, events = false;
    for (uint32_t i = 0; more && i < TURNS_PER_WAKE; i++) {
        one_turn(s, &budget);
        events = pdk_events_deliver(s);
        more = budget && has_work(s);
    }
    more = has_work(s);
    s->turning = false;
    if (pdk_shutdown_over(s)) {
        if (events)
            pdk_wake(s); /* first whoever listens hears all of it */
        else
            over(s);
        return;
    }
    if (more || events) pdk_wake(s);
    arm(s);
}
