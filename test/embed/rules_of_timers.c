/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of timers: never early, never inside the call, and they keep nobody from their turn. */
#include "rules.h"

#include <fcntl.h>
#include <unistd.h>

static void test_timer_is_never_early(void **state) {
    struct seen *seen = *state;
    static const uint64_t delays[] = {0, 1, 1000, 50000, MILLISECOND, 3 * MILLISECOND + 1};
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        seen->count = 0;
        /* The loop's own idea of the time is now old; the delay must count from here all the same. */
        for (uint64_t until = rules_now() + 2 * MILLISECOND; rules_now() < until;) {}
        uint64_t from = seen->loop->now_ns(seen->loop);
        assert_int_equal(seen->loop->timer(seen->loop, delays[i], 0, rules_count, seen, &seen->watch), 0);
        assert_int_equal(seen->count, 0);
        rules_run(seen);
        assert_true(seen->times[0] >= from + delays[i]);
        seen->loop->stop(seen->loop, seen->watch); /* has fired: harmless */
    }
}

static void test_timer_repeats(void **state) {
    struct seen *seen = *state;
    uint64_t from = rules_now();
    seen->wanted = 4;
    assert_int_equal(seen->loop->timer(seen->loop, MILLISECOND, 2 * MILLISECOND, rules_count, seen, &seen->watch), 0);
    rules_run(seen);
    for (uint64_t i = 0; i < 4; i++) assert_true(seen->times[i] >= from + (1 + 2 * i) * MILLISECOND);
    seen->loop->stop(seen->loop, seen->watch);
    rules_settle(seen);
    assert_int_equal(seen->count, 4);
}

static void test_timer_stopped_before_and_after_the_turn(void **state) {
    struct seen *seen = *state;
    pdk_watch same_turn, later;
    assert_int_equal(seen->loop->timer(seen->loop, 0, 0, rules_never, NULL, &same_turn), 0);
    assert_int_equal(seen->loop->timer(seen->loop, SECOND, 0, rules_never, NULL, &later), 0);
    seen->loop->stop(seen->loop, same_turn);
    rules_settle(seen);
    seen->loop->stop(seen->loop, later);
    seen->loop->stop(seen->loop, later);
    rules_settle(seen);
    assert_int_equal(seen->loop->timer(seen->loop, UINT64_MAX, UINT64_MAX, rules_never, NULL, &later), 0);
    rules_settle(seen);
}

static void stop_itself(void *arg) {
    struct seen *seen = arg;
    seen->loop->stop(seen->loop, seen->watch);
    rules_count(seen);
}

static void test_timer_stops_itself(void **state) {
    struct seen *seen = *state;
    assert_int_equal(seen->loop->timer(seen->loop, 0, 1, stop_itself, seen, &seen->watch), 0);
    rules_run(seen);
    rules_settle(seen);
    assert_int_equal(seen->count, 1);
}

static void on_tick(void *arg) {
    (void)arg;
}

struct rearmed {
    struct seen *seen;
    pdk_watch watch;
};

static void rearm(void *arg) {
    struct rearmed *rearmed = arg;
    const pdk_loop *loop = rearmed->seen->loop;
    assert_int_equal(loop->timer(loop, 0, 0, rearm, rearmed, &rearmed->watch), 0);
}

/* Timers that are always due must not keep an fd from its turn. */
static void test_timer_does_not_starve_io(void **state) {
    struct seen *seen = *state;
    struct rearmed rearmed = {seen, 0};
    pdk_watch quick;
    int fds[2];
    rearm(&rearmed);
    assert_int_equal(seen->loop->timer(seen->loop, 0, 1, on_tick, seen, &quick), 0);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, rules_ready, seen, &seen->watch), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    rules_run(seen);
    seen->loop->stop(seen->loop, seen->watch);
    seen->loop->stop(seen->loop, rearmed.watch);
    seen->loop->stop(seen->loop, quick);
    close(fds[0]);
    close(fds[1]);
}

struct order {
    struct seen *seen;
    uint64_t due;
};

static void check_order(void *arg) {
    struct order *order = arg;
    assert_true(rules_now() >= order->due);
    rules_count(order->seen);
}

static void test_many_timers(void **state) {
    enum { MANY = 1000 };
    struct seen *seen = *state;
    struct order *orders = calloc(MANY, sizeof *orders);
    pdk_watch *watches = calloc(MANY, sizeof *watches);
    for (uint32_t i = 0; i < MANY; i++) {
        uint64_t delay = (i * 7919u) % 5000 * MICROSECOND;
        orders[i] = (struct order){seen, rules_now() + delay};
        assert_int_equal(seen->loop->timer(seen->loop, delay, 0, check_order, &orders[i], &watches[i]), 0);
    }
    for (uint32_t i = 0; i < MANY; i += 2) seen->loop->stop(seen->loop, watches[i]);
    seen->wanted = MANY / 2;
    rules_run(seen);
    rules_settle(seen);
    assert_int_equal(seen->count, MANY / 2);
    free(orders);
    free(watches);
}

int rules_of_timers(void) {
    const struct CMUnitTest tests[] = {
        WITH_LOOP(test_timer_is_never_early),
        WITH_LOOP(test_timer_repeats),
        WITH_LOOP(test_timer_stopped_before_and_after_the_turn),
        WITH_LOOP(test_timer_stops_itself),
        WITH_LOOP(test_timer_does_not_starve_io),
        WITH_LOOP(test_many_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
