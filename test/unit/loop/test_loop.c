/* SPDX-License-Identifier: Apache-2.0 */
/* What our loop does beyond the rules of pdk_loop, which test/embed/rules_of_*.c tries on it: it wakes when it waits, holds
 * many timers, and leaves nothing behind when it is freed. */
#include <ev.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/loop/loop.h"
#include "support/fail_alloc.h"

struct seen {
    struct pdk_ev *ev;
    const pdk_loop *loop;
    pdk_watch watch;
    uint32_t events;
    int count, wanted;
    uint64_t times[8];
    pdk_exit end;
    int fd;
};

static int setup(void **state) {
    struct seen *seen = calloc(1, sizeof *seen);
    assert_int_equal(pdk_ev_create(&seen->ev), 0);
    seen->loop = pdk_ev_loop(seen->ev);
    seen->wanted = 1;
    *state = seen;
    return 0;
}

static int teardown(void **state) {
    struct seen *seen = *state;
    pdk_ev_free(seen->ev);
    free(seen);
    return 0;
}

static void count(void *arg) {
    struct seen *seen = arg;
    if (seen->count < 8) seen->times[seen->count] = pdk_clock_now();
    if (++seen->count == seen->wanted) pdk_ev_break(seen->ev);
}

static void on_ready(void *arg, uint32_t events) {
    struct seen *seen = arg;
    seen->events = events;
    count(seen);
}

static void never(void *arg) {
    (void)arg;
    fail_msg("a stopped watch was called");
}

/* Run until nothing is left to be done: everything that is ready now has run before this timer. */
static void settle(struct seen *seen) {
    struct seen done = {.ev = seen->ev, .loop = seen->loop, .wanted = 1};
    for (int i = 0; i < 3; i++) {
        done.count = 0;
        assert_int_equal(seen->loop->timer(seen->loop, PDK_MILLISECOND, 0, count, &done, &done.watch), 0);
        pdk_ev_run(seen->ev);
    }
}

/* ---- timers ---- */

struct order {
    struct seen *seen;
    uint64_t due;
};

static void check_order(void *arg) {
    struct order *order = arg;
    assert_true(pdk_clock_now() >= order->due);
    count(order->seen);
}

static void test_many_timers(void **state) {
    enum { MANY = 20000 };
    struct seen *seen = *state;
    struct order *orders = calloc(MANY, sizeof *orders);
    pdk_watch *watches = calloc(MANY, sizeof *watches);
    for (uint32_t i = 0; i < MANY; i++) {
        uint64_t delay = (i * 7919u) % 5000 * PDK_MICROSECOND;
        orders[i] = (struct order){seen, pdk_clock_now() + delay};
        assert_int_equal(seen->loop->timer(seen->loop, delay, 0, check_order, &orders[i], &watches[i]), 0);
    }
    for (uint32_t i = 0; i < MANY; i += 2) seen->loop->stop(seen->loop, watches[i]);
    seen->wanted = MANY / 2;
    pdk_ev_run(seen->ev);
    settle(seen);
    assert_int_equal(seen->count, MANY / 2);
    free(orders);
    free(watches);
}

/* ---- children ---- */

static pid_t child_that(int code, bool waits) {
    pid_t pid = fork();
    if (pid == 0) {
        while (waits) pause();
        _exit(code);
    }
    return pid;
}

static void never_ended(void *arg, const pdk_exit *end) {
    (void)end;
    never(arg);
}

/* ---- posts ---- */

enum { POSTERS = 4, POSTS = 20000 };

struct poster {
    pthread_t thread;
    struct seen *seen;
    pdk_call call;
    _Atomic uint32_t written;
    uint32_t read, runs;
};

static void poster_run(void *arg) {
    struct poster *poster = arg;
    poster->runs++;
    uint32_t now = poster->written;
    if (poster->read < POSTS && now == POSTS) count(poster->seen);
    poster->read = now;
}

static void *poster_main(void *arg) {
    struct poster *poster = arg;
    for (int i = 0; i < POSTS; i++) {
        poster->written++;
        poster->seen->loop->post(poster->seen->loop, &poster->call);
    }
    return NULL;
}

/* However they coalesce, the last write before a post is seen by a run after it. */
static void test_posts_coalesce_and_lose_nothing(void **state) {
    struct seen *seen = *state;
    struct poster posters[POSTERS] = {0};
    seen->wanted = POSTERS;
    for (int i = 0; i < POSTERS; i++) {
        posters[i].seen = seen;
        posters[i].call = (pdk_call){.run = poster_run, .arg = &posters[i]};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, poster_main, &posters[i]), 0);
    }
    pdk_ev_run(seen->ev);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(posters[i].read, POSTS);
        assert_true(posters[i].runs <= POSTS);
    }
    settle(seen); /* a last run may still wait in the list */
}

/* ---- the end ---- */

static void test_free_while_watching(void **state) {
    (void)state;
    struct pdk_ev *ev;
    pdk_watch watch;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(pdk_ev_create(&ev), 0);
    const pdk_loop *loop = pdk_ev_loop(ev);
    pid_t pid = child_that(0, true);
    assert_int_equal(loop->io(loop, fds[0], PDK_READ, on_ready, NULL, &watch), 0);
    assert_int_equal(loop->io(loop, fds[1], 0, on_ready, NULL, &watch), 0);
    assert_int_equal(loop->timer(loop, 0, 0, never, NULL, &watch), 0);
    assert_int_equal(loop->child(loop, pid, -1, never_ended, NULL, &watch), 0);
    pdk_call call = {.run = never};
    loop->post(loop, &call);
    pdk_ev_free(ev);
    pdk_ev_free(NULL);
    close(fds[0]);
    close(fds[1]);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void break_loop(void *arg) {
    struct seen *seen = arg;
    seen->count++;
    ev_break((struct ev_loop *)(void *)(uintptr_t)seen->times[7], EVBREAK_ONE);
}

static void test_adopted_loop(void **state) {
    (void)state;
    struct ev_loop *theirs = ev_loop_new(EVFLAG_AUTO);
    struct seen seen = {0};
    seen.times[7] = (uintptr_t)theirs;
    assert_int_equal(pdk_ev_adopt(theirs, &seen.ev), 0);
    seen.loop = pdk_ev_loop(seen.ev);
    assert_int_equal(seen.loop->timer(seen.loop, PDK_MILLISECOND, 0, break_loop, &seen, &seen.watch), 0);
    pdk_ev_break(seen.ev); /* to end their run is not ours */
    ev_run(theirs, 0);
    assert_int_equal(seen.count, 1);
    pdk_ev_free(seen.ev);
    assert_int_equal(ev_run(theirs, EVRUN_NOWAIT), 0); /* it is theirs again, with nothing of ours in it */
    ev_loop_destroy(theirs);
}

/* libev's default loop, on which we also listen to what it reaps. */
static int32_t adopt_default(void *theirs) {
    struct pdk_ev *ev;
    int32_t rc = pdk_ev_adopt(theirs, &ev);
    if (rc == 0) pdk_ev_free(ev);
    return rc;
}

static void test_no_memory_for_adoption(void **state) {
    (void)state;
    struct ev_loop *theirs = ev_default_loop(EVFLAG_AUTO);
    assert_int_equal(pdk_fail_sweep(adopt_default, theirs), 2);
    assert_int_equal(ev_run(theirs, EVRUN_NOWAIT), 0);
    ev_loop_destroy(theirs);
}

int main(void) {
#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_LOOP(test_many_timers),
        WITH_LOOP(test_posts_coalesce_and_lose_nothing),
        cmocka_unit_test(test_free_while_watching),
        cmocka_unit_test(test_adopted_loop),
        cmocka_unit_test(test_no_memory_for_adoption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
