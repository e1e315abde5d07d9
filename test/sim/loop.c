/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of the simulation: posts in order, timers by due time, and a clock that jumps from one to the next. */
#include "sim.h"

static struct sim *of(const pdk_loop *loop) {
    return loop->data;
}

static uint64_t loop_now(const pdk_loop *loop) {
    return of(loop)->now;
}

static int32_t loop_timer(const pdk_loop *loop, uint64_t delay, uint64_t repeat, void (*fire)(void *), void *arg,
                          pdk_watch *ret) {
    struct sim *sim = of(loop);
    assert_int_equal(repeat, 0);
    assert_true(sim->timer_count < 4096);
    sim->timers[sim->timer_count++] = (struct sim_timer){++sim->next_id, pdk_time_add(sim->now, delay), fire, arg};
    *ret = sim->next_id;
    return 0;
}

static void loop_stop(const pdk_loop *loop, pdk_watch watch) {
    struct sim *sim = of(loop);
    for (uint32_t i = 0; i < sim->timer_count; i++) {
        if (sim->timers[i].id != watch) continue;
        sim->timers[i] = sim->timers[--sim->timer_count];
        return;
    }
}

static void loop_post(const pdk_loop *loop, pdk_call *call) {
    struct sim *sim = of(loop);
    for (uint32_t i = 0; i < sim->call_count; i++) {
        if (sim->calls[(sim->call_first + i) % 4096] == call) return;
    }
    assert_true(sim->call_count < 4096);
    sim->calls[(sim->call_first + sim->call_count++) % 4096] = call;
}

static int32_t no_io(const pdk_loop *loop, int32_t fd, uint32_t events, void (*ready)(void *, uint32_t), void *arg,
                     pdk_watch *ret) {
    (void)loop, (void)fd, (void)events, (void)ready, (void)arg, (void)ret;
    return -ENOTSUP;
}

static int32_t no_change(const pdk_loop *loop, pdk_watch watch, uint32_t events) {
    (void)loop, (void)watch, (void)events;
    return -ENOTSUP;
}

static int32_t no_child(const pdk_loop *loop, int32_t pid, int32_t pidfd, void (*ended)(void *, const pdk_exit *),
                        void *arg, pdk_watch *ret) {
    (void)loop, (void)pid, (void)pidfd, (void)ended, (void)arg, (void)ret;
    return -ENOTSUP;
}

void sim_loop(struct sim *sim);
void sim_loop(struct sim *sim) {
    sim->now = 1000 * S;
    sim->loop = (pdk_loop){
        (uint32_t)sizeof sim->loop, 0, sim, no_io, no_change, loop_timer, no_child, loop_stop, loop_post, loop_now};
}

void sim_turn(struct sim *sim) {
    while (sim->call_count) {
        pdk_call *call = sim->calls[sim->call_first];
        sim->call_first = (sim->call_first + 1) % 4096;
        sim->call_count--;
        call->run(call->arg);
    }
}

/* The earliest; of those due at one time the one that was started first. */
static struct sim_timer *earliest(struct sim *sim) {
    struct sim_timer *best = NULL;
    for (uint32_t i = 0; i < sim->timer_count; i++) {
        struct sim_timer *timer = &sim->timers[i];
        if (!best || timer->due < best->due || (timer->due == best->due && timer->id < best->id)) best = timer;
    }
    return best;
}

void sim_until(struct sim *sim, uint64_t at) {
    sim_turn(sim);
    for (struct sim_timer *timer = earliest(sim); timer && timer->due <= at; timer = earliest(sim)) {
        struct sim_timer fired = *timer;
        if (fired.due > sim->now) sim->now = fired.due;
        loop_stop(&sim->loop, fired.id);
        fired.fire(fired.arg);
        sim_turn(sim);
    }
    if (at > sim->now) sim->now = at;
    sim_turn(sim);
}

void sim_advance(struct sim *sim, uint64_t ns) {
    sim_until(sim, pdk_time_add(sim->now, ns));
}
