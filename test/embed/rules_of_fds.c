/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of fds: level-triggered, one watch each, and no call after stop. */
#include "rules.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_io_is_level_triggered(void **state) {
    struct seen *seen = *state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, rules_ready, seen, &seen->watch), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    seen->wanted = 3; /* nobody reads the byte */
    rules_run(seen);
    assert_int_equal(seen->events, PDK_READ);
    close(fds[1]);
    seen->wanted = 4;
    rules_run(seen);
    assert_int_equal(seen->events, PDK_READ | PDK_HANGUP);
    seen->loop->stop(seen->loop, seen->watch);
    close(fds[0]);
    rules_settle(seen);
    assert_int_equal(seen->count, 4);
}

static void test_io_one_watch_per_fd(void **state) {
    struct seen *seen = *state;
    int fds[2];
    pdk_watch other = 7;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, rules_ready, seen, &seen->watch), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, rules_ready, seen, &other), -EEXIST);
    assert_int_equal(other, 7);
    seen->loop->stop(seen->loop, seen->watch);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, rules_ready, seen, &other), 0);
    assert_int_not_equal(other, seen->watch);
    assert_int_equal(seen->loop->change(seen->loop, seen->watch, PDK_WRITE), -ESTALE);
    seen->loop->stop(seen->loop, seen->watch); /* stale: harmless to the new one in its slot */
    assert_int_equal(seen->loop->change(seen->loop, other, PDK_READ), 0);
    assert_int_equal(seen->loop->change(seen->loop, 0, PDK_READ), -ESTALE);
    seen->loop->stop(seen->loop, 0);
    assert_int_equal(seen->loop->io(seen->loop, 99999, PDK_READ, rules_ready, seen, &seen->watch), -EBADF);
    seen->loop->stop(seen->loop, other);
    close(fds[0]);
    close(fds[1]);
}

static void test_io_change(void **state) {
    struct seen *seen = *state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_WRITE, rules_ready, seen, &seen->watch), 0);
    rules_run(seen);
    assert_int_equal(seen->events, PDK_WRITE);
    assert_int_equal(seen->loop->change(seen->loop, seen->watch, PDK_READ), 0);
    rules_settle(seen);
    assert_int_equal(seen->count, 1);
    assert_int_equal(write(fds[1], "x", 1), 1);
    seen->wanted = 2;
    rules_run(seen);
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
    assert_int_equal(seen->loop->io(seen->loop, fds[0], 0, rules_ready, seen, &seen->watch), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    rules_settle(seen);
    assert_int_equal(seen->count, 0);
    assert_int_equal(seen->loop->change(seen->loop, seen->watch, PDK_READ), 0);
    rules_run(seen);
    assert_int_equal(seen->events, PDK_READ);
    assert_int_equal(seen->loop->change(seen->loop, seen->watch, 0), 0);
    rules_settle(seen);
    assert_int_equal(seen->count, 1);
    close(fds[1]);
    seen->wanted = 2;
    rules_run(seen);
    assert_int_equal(seen->events, PDK_HANGUP);
    seen->loop->stop(seen->loop, seen->watch);
    close(fds[0]);
    rules_settle(seen);
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
    rules_count(pair->seen);
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
    rules_settle(seen);
    assert_int_equal(seen->count, 1);
    close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

struct change {
    struct seen *seen;
    pdk_watch other;
};

static void change_other(void *arg, uint32_t events) {
    (void)events;
    struct change *change = arg;
    assert_int_equal(change->seen->loop->change(change->seen->loop, change->other, 0), 0);
    rules_count(change->seen);
}

/* Both are ready in the same turn; whoever is first has the other wait for a hangup only. */
static void test_io_changed_while_pending(void **state) {
    struct seen *seen = *state;
    int a[2], b[2];
    struct change one = {seen, 0}, two = {seen, 0};
    assert_int_equal(pipe2(a, O_CLOEXEC), 0);
    assert_int_equal(pipe2(b, O_CLOEXEC), 0);
    assert_int_equal(write(a[1], "x", 1), 1);
    assert_int_equal(write(b[1], "x", 1), 1);
    assert_int_equal(seen->loop->io(seen->loop, a[0], PDK_READ, change_other, &one, &two.other), 0);
    assert_int_equal(seen->loop->io(seen->loop, b[0], PDK_READ, change_other, &two, &one.other), 0);
    rules_run(seen);
    int called = seen->count; /* the other one not, in this turn */
    assert_int_equal(called, 1);
    seen->loop->stop(seen->loop, one.other);
    seen->loop->stop(seen->loop, two.other);
    close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

static void test_io_of_a_number_used_again(void **state) {
    struct seen *seen = *state;
    int fds[2], again[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, rules_ready, seen, &seen->watch), 0);
    rules_run(seen);
    seen->loop->stop(seen->loop, seen->watch);
    int number = fds[0];
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(pipe2(again, O_CLOEXEC), 0);
    assert_true(again[0] == number || again[1] == number);
    assert_int_equal(seen->loop->io(seen->loop, again[0], PDK_READ, rules_ready, seen, &seen->watch), 0);
    rules_settle(seen);
    assert_int_equal(seen->count, 1);
    assert_int_equal(write(again[1], "x", 1), 1);
    seen->wanted = 2;
    rules_run(seen);
    seen->loop->stop(seen->loop, seen->watch);
    close(again[0]);
    close(again[1]);
}

/* Nobody reads any more: that is told again and again, like all else. And the fd is somebody else's: it blocks or not, as
 * it did. */
static void test_io_hangup_of_a_writer(void **state) {
    struct seen *seen = *state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    int flags = fcntl(fds[1], F_GETFL);
    assert_int_equal(seen->loop->io(seen->loop, fds[1], 0, rules_ready, seen, &seen->watch), 0);
    rules_settle(seen);
    assert_int_equal(seen->count, 0);
    close(fds[0]);
    seen->wanted = 3;
    rules_run(seen);
    assert_int_equal(seen->events, PDK_HANGUP);
    assert_int_equal(seen->loop->change(seen->loop, seen->watch, PDK_WRITE), 0);
    seen->wanted = 6;
    rules_run(seen);
    assert_true(seen->events & PDK_HANGUP);
    seen->loop->stop(seen->loop, seen->watch);
    assert_int_equal(fcntl(fds[1], F_GETFL), flags);
    close(fds[1]);
}

/* The other side writes no more, but it may still read. */
static void test_io_half_closed_is_no_hangup(void **state) {
    struct seen *seen = *state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], 0, rules_ready, seen, &seen->watch), 0);
    rules_settle(seen);
    assert_int_equal(seen->count, 0);
    close(fds[1]);
    rules_run(seen);
    assert_int_equal(seen->events, PDK_HANGUP);
    seen->loop->stop(seen->loop, seen->watch);
    close(fds[0]);
}

int rules_of_fds(void) {
    const struct CMUnitTest tests[] = {
        WITH_LOOP(test_io_is_level_triggered),
        WITH_LOOP(test_io_one_watch_per_fd),
        WITH_LOOP(test_io_change),
        WITH_LOOP(test_io_nothing_but_a_hangup),
        WITH_LOOP(test_io_stopped_while_pending),
        WITH_LOOP(test_io_changed_while_pending),
        WITH_LOOP(test_io_of_a_number_used_again),
        WITH_LOOP(test_io_hangup_of_a_writer),
        WITH_LOOP(test_io_half_closed_is_no_hangup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
