/* SPDX-License-Identifier: Apache-2.0 */
/* Row 8: a million pending timers, against libev itself with its watchers in an array. */
#include <ev.h>

#include "bench.h"
#include "core/loop/loop.h"

struct size {
    uint32_t count;
};

static uint64_t random_state = 88172645463325252u;

static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* In random order, none before all are set, and all in FAR. */
#define FAR (700 * PDK_MILLISECOND)

static uint64_t near_delay(void) {
    return FAR - next_random() % (50 * PDK_MILLISECOND);
}

static double per(uint64_t from, uint32_t count) {
    return (double)(pdk_clock_now() - from) / count;
}

static void nothing(void *arg) {
    (void)arg;
}

static void break_ours(void *arg) {
    pdk_ev_break(arg);
}

static double ours_insert_stop(void *arg) {
    uint32_t count = ((struct size *)arg)->count;
    struct pdk_ev *ev;
    pdk_watch *watches = malloc(count * sizeof *watches), end;
    if (!watches || pdk_ev_create(&ev) < 0) exit(1);
    const pdk_loop *loop = pdk_ev_loop(ev);
    for (int warm = 0; warm < 2; warm++) { /* memory is had by then, as it is with the array */
        uint64_t from = pdk_clock_now();
        for (uint32_t i = 0; i < count; i++) loop->timer(loop, PDK_HOUR + near_delay(), 0, nothing, NULL, &watches[i]);
        loop->timer(loop, 0, 0, break_ours, ev, &end);
        pdk_ev_run(ev); /* what is set in a turn joins the heap when it ends */
        for (uint32_t i = 0; i < count; i++) loop->stop(loop, watches[i]);
        if (warm == 0) continue;
        double result = per(from, count);
        pdk_ev_free(ev);
        free(watches);
        return result;
    }
    return 0;
}

static void raw_nothing(struct ev_loop *loop, struct ev_timer *timer, int events) {
    (void)loop, (void)timer, (void)events;
}

static double raw_insert_stop(void *arg) {
    uint32_t count = ((struct size *)arg)->count;
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    struct ev_timer *timers = malloc(count * sizeof *timers);
    if (!loop || !timers) exit(1);
    double result = 0;
    for (int warm = 0; warm < 2; warm++) {
        uint64_t from = pdk_clock_now();
        for (uint32_t i = 0; i < count; i++) {
            ev_timer_init(&timers[i], raw_nothing, 3600 + (double)near_delay() * 1e-9, 0);
            ev_timer_start(loop, &timers[i]);
        }
        ev_run(loop, EVRUN_NOWAIT);
        for (uint32_t i = 0; i < count; i++) ev_timer_stop(loop, &timers[i]);
        result = per(from, count);
    }
    ev_loop_destroy(loop);
    free(timers);
    return result;
}

struct countdown {
    uint32_t left;
    struct pdk_ev *ev;
};

static void count_ours(void *arg) {
    struct countdown *countdown = arg;
    if (--countdown->left == 0) pdk_ev_break(countdown->ev);
}

static void wait_until(uint64_t when) {
    while (pdk_clock_now() < when) {}
}

static double ours_expire(void *arg) {
    struct countdown countdown = {((struct size *)arg)->count, NULL};
    uint32_t count = countdown.left;
    pdk_watch watch, end;
    if (pdk_ev_create(&countdown.ev) < 0) exit(1);
    const pdk_loop *loop = pdk_ev_loop(countdown.ev);
    for (uint32_t i = 0; i < count; i++) loop->timer(loop, near_delay() + 1, 0, count_ours, &countdown, &watch);
    loop->timer(loop, 0, 0, break_ours, countdown.ev, &end);
    pdk_ev_run(countdown.ev);
    wait_until(pdk_clock_now() + FAR);
    uint64_t from = pdk_clock_now();
    if (countdown.left) pdk_ev_run(countdown.ev);
    double result = per(from, count);
    pdk_ev_free(countdown.ev);
    return result;
}

static void count_raw(struct ev_loop *loop, struct ev_timer *timer, int events) {
    struct countdown *countdown = timer->data;
    (void)events;
    if (--countdown->left == 0) ev_break(loop, EVBREAK_ONE);
}

static double raw_expire(void *arg) {
    struct countdown countdown = {((struct size *)arg)->count, NULL};
    uint32_t count = countdown.left;
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL);
    struct ev_timer *timers = malloc(count * sizeof *timers);
    if (!loop || !timers) exit(1);
    ev_now_update(loop);
    for (uint32_t i = 0; i < count; i++) {
        ev_timer_init(&timers[i], count_raw, 1e-9 + (double)near_delay() * 1e-9, 0);
        timers[i].data = &countdown;
        ev_timer_start(loop, &timers[i]);
    }
    wait_until(pdk_clock_now() + FAR);
    uint64_t from = pdk_clock_now();
    ev_run(loop, 0);
    double result = per(from, count);
    ev_loop_destroy(loop);
    free(timers);
    return result;
}

int main(void) {
    struct size many = {1000000}, some = {100000};
    bench_head();
    bench_row("8", "insert + stop, 100k pending, ns each", bench_both(ours_insert_stop, raw_insert_stop, &some), 1.5,
              0);
    bench_row("8", "insert + stop, 1M pending, ns each", bench_both(ours_insert_stop, raw_insert_stop, &many), 1.5, 0);
    bench_row("8", "expire, 100k pending, ns each", bench_both(ours_expire, raw_expire, &some), 1.5, 0);
    bench_row("8", "expire, 1M pending, ns each", bench_both(ours_expire, raw_expire, &many), 1.5, 0);
    return 0;
}
