/* SPDX-License-Identifier: Apache-2.0 */
/* A guest that runs real commands leaves the process of its host alone: its signals, children, stdout, fds, threads, its
 * limits and attributes. Some of it while the guest is here, all of it when it is gone. */
#include "guest.h"
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int told, told_elsewhere;

/* Of the host: counts, on whichever thread it is called. */
static void on_child(int number) {
    (void)number;
    atomic_fetch_add(&told, 1);
    if (gettid() != getpid()) atomic_fetch_add(&told_elsewhere, 1);
}

static void same(const char *what, char *before, char *after) {
    if (strcmp(before, after) != 0) fail_msg("%s\n--- before\n%s--- after\n%s", what, before, after);
    free(before);
    free(after);
}

static void compare_signals(void *arg) {
    char *state = process_state();
    if (strcmp(state, arg) != 0) fail_msg("changed meanwhile\n--- before\n%s--- now\n%s", (char *)arg, state);
    free(state);
}

/* Whether the host handles SIGCHLD or not; and something is blocked. */
static void test_state_of_the_process(void **state) {
    (void)state;
    struct guest first = {0};
    guest_visit(&first); /* what the C library opens for ever it has opened now */
    static void (*const handlers[])(int) = {SIG_DFL, on_child};
    for (size_t i = 0; i < COUNT_OF(handlers); i++) {
        sigset_t blocked;
        signal(SIGCHLD, handlers[i]);
        signal(SIGPIPE, handlers[i] == SIG_DFL ? SIG_IGN : on_child);
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGUSR2);
        sigprocmask(SIG_SETMASK, &blocked, NULL);
        char *before = process_state(), *things = process_things();
        struct guest guest = {.meanwhile = compare_signals, .arg = before};
        guest_visit(&guest);
        same("the state of the process changed", before, process_state());
        same("something is left behind", things, process_things());
    }
    assert_int_equal(told_elsewhere, 0);
    signal(SIGCHLD, SIG_DFL);
}

static void test_stdout(void **state) {
    (void)state;
    int file = memfd_create("stdout", MFD_CLOEXEC), kept[2];
    struct stat said;
    for (int i = 0; i < 2; i++) {
        kept[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 10);
        dup2(file, i + 1);
    }
    struct guest guest = {0};
    guest_visit(&guest);
    (void)fflush(NULL);
    for (int i = 0; i < 2; i++) {
        dup2(kept[i], i + 1);
        close(kept[i]);
    }
    assert_int_equal(fstat(file, &said), 0);
    assert_int_equal(said.st_size, 0);
    close(file);
}

/* Ended before, meanwhile, and not yet: all are still the host's to wait for. */
static void test_own_children(void **state) {
    (void)state;
    int gate[2];
    char byte;
    assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
    pid_t ended = fork();
    if (ended == 0) _exit(3);
    pid_t lives = fork();
    if (lives == 0) {
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? 4 : 5);
    }
    struct guest guest = {0};
    guest_visit(&guest);
    int status;
    assert_int_equal(waitpid(ended, &status, 0), ended);
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_int_equal(waitpid(lives, &status, WNOHANG), 0);
    close(gate[0]);
    close(gate[1]);
    assert_int_equal(waitpid(lives, &status, 0), lives);
    assert_int_equal(WEXITSTATUS(status), 4);
    assert_int_equal(waitpid(-1, &status, 0), -1); /* and none of the guest's is left to us */
    assert_int_equal(errno, ECHILD);
}

/* A host that ignores SIGCHLD has the kernel reap all children: nobody can tell how one ended, and that is said. */
static void test_host_that_ignores_children(void **state) {
    (void)state;
    struct guest guest = {0};
    signal(SIGCHLD, SIG_IGN);
    guest_create(&guest, NULL, NULL);
    guest_submit(&guest, "quiet", ":");
    assert_int_equal(pdk_supervisor_run(guest.supervisor), 0);
    guest_destroy(&guest);
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(guest.failed, 1);
    assert_string_equal(guest.message, "nobody could tell how it ended: No child processes");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state_of_the_process),
        cmocka_unit_test(test_stdout),
        cmocka_unit_test(test_own_children),
        cmocka_unit_test(test_host_that_ignores_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
