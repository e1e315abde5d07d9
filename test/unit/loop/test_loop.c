/* SPDX-License-Identifier: Apache-2.0 */
/* The loop behind pdk_loop: fds, timers, children, calls from threads, and what remains when it is freed. */
#include <errno.h>
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
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/loop/loop.h"

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

/* ---- fds ---- */

static void test_io_is_level_triggered(void **state) {
    struct seen *seen = *state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, on_ready, seen, &seen->watch), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    seen->wanted = 3; /* nobody reads the byte */
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->events, PDK_READ);
    close(fds[1]);
    seen->wanted = 4;
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->events, PDK_READ | PDK_HANGUP);
    seen->loop->stop(seen->loop, seen->watch);
    close(fds[0]);
    settle(seen);
    assert_int_equal(seen->count, 4);
}

static void test_io_one_watch_per_fd(void **state) {
    struct seen *seen = *state;
    int fds[2];
    pdk_watch other = 7;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, on_ready, seen, &seen->watch), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, on_ready, seen, &other), -EEXIST);
    assert_int_equal(other, 7);
    seen->loop->stop(seen->loop, seen->watch);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, on_ready, seen, &other), 0);
    assert_int_not_equal(other, seen->watch);
    assert_int_equal(seen->loop->change(seen->loop, seen->watch, PDK_WRITE), -ESTALE);
    seen->loop->stop(seen->loop, seen->watch); /* stale: harmless to the new one in its slot */
    assert_int_equal(seen->loop->change(seen->loop, other, PDK_READ), 0);
    assert_int_equal(seen->loop->io(seen->loop, 99999, PDK_READ, on_ready, seen, &seen->watch), -EBADF);
    seen->loop->stop(seen->loop, other);
    close(fds[0]);
    close(fds[1]);
}

static void test_io_change(void **state) {
    struct seen *seen = *state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_WRITE, on_ready, seen, &seen->watch), 0);
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->events, PDK_WRITE);
    assert_int_equal(seen->loop->change(seen->loop, seen->watch, PDK_READ), 0);
    settle(seen);
    assert_int_equal(seen->count, 1);
    assert_int_equal(write(fds[1], "x", 1), 1);
    seen->wanted = 2;
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->events, PDK_READ);
    seen->loop->stop(seen->loop, seen->watch);
    close(fds[0]);
    close(fds[1]);
}

/* Data that waits must not call, a hangup must. */
static void test_io_nothing_but_a_hangup(void **state) {
    struct seen *seen = *state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], 0, on_ready, seen, &seen->watch), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    settle(seen);
    assert_int_equal(seen->count, 0);
    assert_int_equal(seen->loop->change(seen->loop, seen->watch, PDK_READ), 0);
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->events, PDK_READ);
    assert_int_equal(seen->loop->change(seen->loop, seen->watch, 0), 0);
    settle(seen);
    assert_int_equal(seen->count, 1);
    close(fds[1]);
    seen->wanted = 2;
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->events, PDK_HANGUP);
    seen->loop->stop(seen->loop, seen->watch);
    close(fds[0]);
    settle(seen);
    assert_int_equal(seen->count, 2);
}

struct pair {
    struct seen *seen;
    pdk_watch mine, other;
};

static void stop_both(void *arg, uint32_t events) {
    (void)events;
    struct pair *pair = arg;
    pair->seen->loop->stop(pair->seen->loop, pair[0].mine);
    pair->seen->loop->stop(pair->seen->loop, pair[0].other);
    count(pair->seen);
}

/* Both are ready in the same turn; whoever is first stops both. */
static void test_io_stopped_while_pending(void **state) {
    struct seen *seen = *state;
    int a[2], b[2];
    struct pair one = {seen, 0, 0}, two = {seen, 0, 0};
    assert_int_equal(pipe2(a, O_CLOEXEC), 0);
    assert_int_equal(pipe2(b, O_CLOEXEC), 0);
    assert_int_equal(write(a[1], "x", 1), 1);
    assert_int_equal(write(b[1], "x", 1), 1);
    assert_int_equal(seen->loop->io(seen->loop, a[0], PDK_READ, stop_both, &one, &one.mine), 0);
    assert_int_equal(seen->loop->io(seen->loop, b[0], PDK_READ, stop_both, &two, &two.mine), 0);
    one.other = two.mine;
    two.other = one.mine;
    settle(seen);
    assert_int_equal(seen->count, 1);
    close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

/* ---- timers ---- */

static void test_timer_is_never_early(void **state) {
    struct seen *seen = *state;
    static const uint64_t delays[] = {0, 1, 1000, 50000, PDK_MILLISECOND, 3 * PDK_MILLISECOND + 1};
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        seen->count = 0;
        /* The loop's own idea of the time is now old; the delay must count from here all the same. */
        for (uint64_t until = pdk_clock_now() + 2 * PDK_MILLISECOND; pdk_clock_now() < until;) {}
        uint64_t from = seen->loop->now_ns(seen->loop);
        assert_int_equal(seen->loop->timer(seen->loop, delays[i], 0, count, seen, &seen->watch), 0);
        assert_int_equal(seen->count, 0);
        pdk_ev_run(seen->ev);
        assert_true(seen->times[0] >= from + delays[i]);
        seen->loop->stop(seen->loop, seen->watch); /* has fired: harmless */
    }
}

static void test_timer_repeats(void **state) {
    struct seen *seen = *state;
    uint64_t from = pdk_clock_now();
    seen->wanted = 4;
    assert_int_equal(seen->loop->timer(seen->loop, PDK_MILLISECOND, 2 * PDK_MILLISECOND, count, seen, &seen->watch), 0);
    pdk_ev_run(seen->ev);
    for (uint64_t i = 0; i < 4; i++) assert_true(seen->times[i] >= from + (1 + 2 * i) * PDK_MILLISECOND);
    seen->loop->stop(seen->loop, seen->watch);
    settle(seen);
    assert_int_equal(seen->count, 4);
}

static void test_timer_stopped_before_and_after_the_turn(void **state) {
    struct seen *seen = *state;
    pdk_watch same_turn, later;
    assert_int_equal(seen->loop->timer(seen->loop, 0, 0, never, NULL, &same_turn), 0);
    assert_int_equal(seen->loop->timer(seen->loop, PDK_SECOND, 0, never, NULL, &later), 0);
    seen->loop->stop(seen->loop, same_turn);
    settle(seen);
    seen->loop->stop(seen->loop, later);
    seen->loop->stop(seen->loop, later);
    settle(seen);
    assert_int_equal(seen->loop->timer(seen->loop, UINT64_MAX, UINT64_MAX, never, NULL, &later), 0);
    settle(seen);
}

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

static void on_ended(void *arg, const pdk_exit *end) {
    struct seen *seen = arg;
    seen->end = *end;
    /* Not yet reaped: its group is still its own. */
    if (seen->fd > 0) assert_int_equal(kill(seen->fd, 0), 0);
    count(seen);
}

static void test_child_exit(void **state) {
    struct seen *seen = *state;
    pid_t pid = child_that(7, false);
    seen->fd = pid;
    assert_int_equal(seen->loop->child(seen->loop, pid, -1, on_ended, seen, &seen->watch), 0);
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->end.exit_code, 7);
    assert_int_equal(seen->end.signal, 0);
    assert_int_equal(seen->end.error, 0);
    assert_true(seen->end.usage.max_rss > 0);
    assert_int_equal(waitpid(pid, NULL, 0), -1);
    assert_int_equal(errno, ECHILD);
    seen->loop->stop(seen->loop, seen->watch);
}

static void test_child_killed(void **state) {
    struct seen *seen = *state;
    pid_t pid = child_that(0, true);
    assert_int_equal(seen->loop->child(seen->loop, pid, -1, on_ended, seen, &seen->watch), 0);
    kill(pid, SIGTERM);
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->end.signal, SIGTERM);
    assert_int_equal(seen->end.exit_code, 0);
}

static void never_ended(void *arg, const pdk_exit *end) {
    (void)end;
    never(arg);
}

static void test_child_stopped_is_still_reaped(void **state) {
    struct seen *seen = *state;
    pid_t pid = child_that(0, true);
    assert_int_equal(seen->loop->child(seen->loop, pid, -1, never_ended, NULL, &seen->watch), 0);
    seen->loop->stop(seen->loop, seen->watch);
    kill(pid, SIGKILL);
    siginfo_t info;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0) settle(seen);
    assert_int_equal(errno, ECHILD);
}

static void test_foreign_children_are_left_alone(void **state) {
    struct seen *seen = *state;
    pid_t foreign = child_that(3, false), ours = child_that(4, false);
    assert_int_equal(seen->loop->child(seen->loop, ours, -1, on_ended, seen, &seen->watch), 0);
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->end.exit_code, 4);
    int status;
    assert_int_equal(waitpid(foreign, &status, 0), foreign);
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_int_equal(seen->loop->child(seen->loop, foreign, -1, on_ended, seen, &seen->watch), -ECHILD);
    assert_int_equal(seen->loop->child(seen->loop, getppid(), -1, on_ended, seen, &seen->watch), -ECHILD);
}

static void test_child_reaped_by_somebody_else(void **state) {
    struct seen *seen = *state;
    pid_t pid = child_that(0, true);
    assert_int_equal(seen->loop->child(seen->loop, pid, -1, on_ended, seen, &seen->watch), 0);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->end.error, -ECHILD);
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

struct numbered {
    pdk_call call;
    struct seen *seen;
    int number;
};

static void in_order(void *arg) {
    struct numbered *mine = arg;
    assert_int_equal(mine->number, mine->seen->count);
    struct seen *seen = mine->seen;
    free(mine); /* it is ours again */
    count(seen);
}

static void test_posts_run_in_order_and_not_inside(void **state) {
    struct seen *seen = *state;
    seen->wanted = 100;
    for (int i = 0; i < 100; i++) {
        struct numbered *one = calloc(1, sizeof *one);
        *one = (struct numbered){.call = {.run = in_order, .arg = one}, .seen = seen, .number = i};
        seen->loop->post(seen->loop, &one->call);
        seen->loop->post(seen->loop, &one->call); /* waits already */
    }
    assert_int_equal(seen->count, 0);
    pdk_ev_run(seen->ev);
    settle(seen);
    assert_int_equal(seen->count, 100);
}

struct again {
    pdk_call call;
    struct seen *seen;
};

static void post_again(void *arg) {
    struct again *again = arg;
    again->seen->loop->post(again->seen->loop, &again->call);
}

/* A call that posts itself for ever must not keep an fd from its turn. */
static void test_post_does_not_starve_io(void **state) {
    struct seen *seen = *state;
    int fds[2];
    struct again again = {.seen = seen};
    again.call = (pdk_call){.run = post_again, .arg = &again};
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, on_ready, seen, &seen->watch), 0);
    seen->loop->post(seen->loop, &again.call);
    assert_int_equal(write(fds[1], "x", 1), 1);
    pdk_ev_run(seen->ev);
    assert_int_equal(seen->count, 1);
    close(fds[1]);
    seen->loop->stop(seen->loop, seen->watch);
    close(fds[0]);
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
    ev_run(theirs, 0);
    assert_int_equal(seen.count, 1);
    pdk_ev_free(seen.ev);
    assert_int_equal(ev_run(theirs, EVRUN_NOWAIT), 0); /* it is theirs again, with nothing of ours in it */
    ev_loop_destroy(theirs);
}

int main(void) {
#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_LOOP(test_io_is_level_triggered),
        WITH_LOOP(test_io_one_watch_per_fd),
        WITH_LOOP(test_io_change),
        WITH_LOOP(test_io_nothing_but_a_hangup),
        WITH_LOOP(test_io_stopped_while_pending),
        WITH_LOOP(test_timer_is_never_early),
        WITH_LOOP(test_timer_repeats),
        WITH_LOOP(test_timer_stopped_before_and_after_the_turn),
        WITH_LOOP(test_many_timers),
        WITH_LOOP(test_child_exit),
        WITH_LOOP(test_child_killed),
        WITH_LOOP(test_child_stopped_is_still_reaped),
        WITH_LOOP(test_foreign_children_are_left_alone),
        WITH_LOOP(test_child_reaped_by_somebody_else),
        WITH_LOOP(test_posts_coalesce_and_lose_nothing),
        WITH_LOOP(test_posts_run_in_order_and_not_inside),
        WITH_LOOP(test_post_does_not_starve_io),
        cmocka_unit_test(test_free_while_watching),
        cmocka_unit_test(test_adopted_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
