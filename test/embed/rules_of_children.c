/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of children: each told once, reaped after it was told, and nobody else's touched. */
#include "rules.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_ended(void *arg, const pdk_exit *end) {
    struct seen *seen = arg;
    seen->end = *end;
    /* Not yet reaped: its group is still its own. */
    if (seen->fd > 0 && !rules_kind->reaps_all) assert_int_equal(kill(seen->fd, 0), 0);
    seen->loop->stop(seen->loop, seen->watch); /* harmless now */
    rules_count(seen);
}

static void test_child_exit(void **state) {
    struct seen *seen = *state;
    pid_t pid = rules_child(7, false);
    seen->fd = pid;
    assert_int_equal(seen->loop->child(seen->loop, pid, -1, on_ended, seen, &seen->watch), 0);
    rules_run(seen);
    assert_int_equal(seen->end.exit_code, 7);
    assert_int_equal(seen->end.signal, 0);
    assert_int_equal(seen->end.error, 0);
    assert_true(seen->end.usage.max_rss > 0 || rules_kind->reaps_all);
    assert_int_equal(waitpid(pid, NULL, 0), -1);
    assert_int_equal(errno, ECHILD);
    seen->loop->stop(seen->loop, seen->watch);
}

static void test_child_killed(void **state) {
    struct seen *seen = *state;
    pid_t pid = rules_child(0, true);
    assert_int_equal(seen->loop->child(seen->loop, pid, -1, on_ended, seen, &seen->watch), 0);
    kill(pid, SIGTERM);
    rules_run(seen);
    assert_int_equal(seen->end.signal, SIGTERM);
    assert_int_equal(seen->end.exit_code, 0);
}

static void test_child_stopped_is_still_reaped(void **state) {
    struct seen *seen = *state;
    pid_t pid = rules_child(0, true);
    assert_int_equal(seen->loop->child(seen->loop, pid, -1, rules_never_ended, NULL, &seen->watch), 0);
    seen->loop->stop(seen->loop, seen->watch);
    kill(pid, SIGKILL);
    siginfo_t info;
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0) rules_settle(seen);
    assert_int_equal(errno, ECHILD);
}

/* A pidfd that is given becomes the loop's, and a child may have ended before it is. */
static void test_child_that_has_ended_by_pidfd(void **state) {
    struct seen *seen = *state;
    pid_t pid = rules_child(9, false);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd over = {pidfd, POLLIN, 0};
    assert_int_equal(poll(&over, 1, -1), 1);
    rules_settle(seen);
    assert_int_equal(seen->loop->child(seen->loop, pid, pidfd, on_ended, seen, &seen->watch), 0);
    assert_int_equal(seen->count, 0);
    rules_run(seen);
    assert_int_equal(seen->end.exit_code, 9);
    rules_settle(seen); /* ended ran before the loop closed it */
    assert_int_equal(fcntl(pidfd, F_GETFD), -1);
    assert_int_equal(waitpid(pid, NULL, 0), -1);
}

/* All at once, and each is told once, with its own code. */
static void test_many_children(void **state) {
    enum { MANY = 60 };
    struct seen *seen = *state, each[MANY];
    int gate[2];
    char byte;
    assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
    for (int i = 0; i < MANY; i++) {
        each[i] = *seen;
        pid_t pid = fork();
        if (pid == 0) {
            close(gate[1]);
            _exit(read(gate[0], &byte, 1) == 0 ? i : 255);
        }
        assert_int_equal(seen->loop->child(seen->loop, pid, -1, on_ended, &each[i], &each[i].watch), 0);
    }
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < MANY; i++) {
        rules_run(&each[i]);
        assert_int_equal(each[i].end.exit_code, i);
        assert_int_equal(each[i].end.error, 0);
    }
    rules_settle(seen);
    for (int i = 0; i < MANY; i++) assert_int_equal(each[i].count, 1);
}

static void test_foreign_children_are_left_alone(void **state) {
    struct seen *seen = *state;
    if (rules_kind->reaps_all) skip();
    pid_t foreign = rules_child(3, false), ours = rules_child(4, false);
    assert_int_equal(seen->loop->child(seen->loop, ours, -1, on_ended, seen, &seen->watch), 0);
    rules_run(seen);
    assert_int_equal(seen->end.exit_code, 4);
    int status;
    assert_int_equal(waitpid(foreign, &status, 0), foreign);
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_int_equal(seen->loop->child(seen->loop, foreign, -1, on_ended, seen, &seen->watch), -ECHILD);
    assert_int_equal(seen->loop->child(seen->loop, getppid(), -1, on_ended, seen, &seen->watch), -ECHILD);
}

static void test_child_reaped_by_somebody_else(void **state) {
    struct seen *seen = *state;
    pid_t pid = rules_child(0, true);
    assert_int_equal(seen->loop->child(seen->loop, pid, -1, on_ended, seen, &seen->watch), 0);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    rules_run(seen);
    assert_int_equal(seen->end.error, -ECHILD);
}

int rules_of_children(void) {
    const struct CMUnitTest tests[] = {
        WITH_LOOP(test_child_exit),
        WITH_LOOP(test_child_killed),
        WITH_LOOP(test_child_stopped_is_still_reaped),
        WITH_LOOP(test_child_that_has_ended_by_pidfd),
        WITH_LOOP(test_many_children),
        WITH_LOOP(test_foreign_children_are_left_alone),
        WITH_LOOP(test_child_reaped_by_somebody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
