/* SPDX-License-Identifier: Apache-2.0 */
/* Controls: each has its effect in the child and none in us, and one that fails names itself. */
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "harness.h"

enum { NOBODY = 65534 };

/* Run the helper and compare what it wrote. */
static void expect(const pdk_command *command, const char *wanted) {
    struct world world;
    struct child child;
    world_open(&world);
    child_run(&world, &child, command);
    if (child.failed) fail_msg("%s", child.error.message);
    assert_string_equal(text_of(&child, PDK_STDOUT), wanted);
    child_free(&child);
    world_close(&world);
}

static void expect_failure(const pdk_command *command, int32_t code, const char *message) {
    struct world world;
    struct child child;
    world_open(&world);
    child_run(&world, &child, command);
    assert_string_equal(child.error.message, message);
    assert_int_equal(child.error.code, code);
    child_free(&child);
    world_close(&world);
}

static void test_state(void **state) {
    (void)state;
    const pdk_rlimit limit = {RLIMIT_NOFILE, 0, 50, 60};
    char wanted[128];
    mode_t mask = umask(022);
    int niceness = getpriority(PRIO_PROCESS, 0); /* who runs the tests may have set it */
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    pdk_command command = command_of(HELPER("state"));
    command.umask = 027;
    command.nice = niceness < 15 ? niceness + 5 : 19; /* more is for root alone to take back */
    command.io_class = 2, command.io_level = 6;
    command.oom_score = 500;
    command.rlimits = &limit, command.rlimit_count = 1;
    command.cwd_fd = root;
    snprintf(wanted, sizeof wanted, "umask 27 nice %d io 16390 files 50 60 cwd / oom 500 leader 1 death 9",
             command.nice);
    expect(&command, wanted);
    close(root);
    assert_int_equal(umask(mask), 022);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), niceness);
}

static void test_user(void **state) {
    (void)state;
    if (geteuid() != 0) skip();
    const uint32_t groups[] = {1, 2};
    pdk_command command = command_of(HELPER("status", "Uid", "Gid", "Groups", "CapEff"));
    command.flags = PDK_COMMAND_USER;
    command.uid = command.gid = NOBODY;
    expect(&command, "Uid:\t65534\t65534\t65534\t65534\nGid:\t65534\t65534\t65534\t65534\nGroups:\t \n"
                     "CapEff:\t0000000000000000\n");
    command.groups = groups, command.group_count = 2;
    expect(&command, "Uid:\t65534\t65534\t65534\t65534\nGid:\t65534\t65534\t65534\t65534\nGroups:\t1 2 \n"
                     "CapEff:\t0000000000000000\n");
    assert_int_equal(geteuid(), 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 1); /* the child had our memory when it changed */
    command = command_of(HELPER("state"));
    command.flags = PDK_COMMAND_USER;
    command.uid = command.gid = NOBODY;
    struct world world;
    struct child child;
    world_open(&world);
    child_run(&world, &child, &command);
    assert_non_null(strstr(text_of(&child, PDK_STDOUT), "leader 1 death 9")); /* in spite of the change */
    child_free(&child);
    world_close(&world);
}

enum { CHANGES = 200, AT_ONCE = 4 };

struct service {
    struct world world;
    pthread_t thread;
    int ended;
};

/* What a supervisor does that lives in a thread of its own. */
static void *change_user_often(void *arg) {
    struct service *service = arg;
    struct child children[AT_ONCE];
    pdk_command command = command_of(HELPER("exit", "0"));
    command.flags = PDK_COMMAND_USER;
    command.uid = command.gid = NOBODY;
    for (int i = 0; i < CHANGES; i++) {
        for (int k = 0; k < AT_ONCE; k++) child_start(&service->world, &children[k], &command);
        run_until_over(&service->world, service->world.over + AT_ONCE);
        for (int k = 0; k < AT_ONCE; k++) service->ended += children[k].ended;
    }
    return NULL;
}

/* The mark that a child's change leaves is one for the process, whoever's child it is. */
static void test_users_of_two_services(void **state) {
    struct service services[2];
    struct stat self;
    (void)state;
    if (geteuid() != 0) skip();
    (void)helper_path();
    for (int i = 0; i < 2; i++) {
        services[i].ended = 0;
        world_open(&services[i].world);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&services[i].thread, NULL, change_user_often, &services[i]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(services[i].thread, NULL), 0);
        assert_int_equal(services[i].ended, CHANGES * AT_ONCE);
    }
    assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
    assert_int_equal(stat("/proc/self/auxv", &self), 0);
    assert_int_equal(self.st_uid, geteuid());
    pdk_spawner_free(services[1].world.spawner);
    pdk_ev_free(services[1].world.ev);
    world_close(&services[0].world);
}

static void test_capabilities(void **state) {
    (void)state;
    if (geteuid() != 0) skip();
    pdk_command command = command_of(HELPER("status", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"));
    command.flags = PDK_COMMAND_KEEP_CAPABILITIES;
    expect(&command, "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n"
                     "CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\n");
    command.capabilities = 1u << CAP_NET_BIND_SERVICE;
    const char *bind = "CapInh:\t0000000000000400\nCapPrm:\t0000000000000400\nCapEff:\t0000000000000400\n"
                       "CapBnd:\t0000000000000400\nCapAmb:\t0000000000000400\n";
    expect(&command, bind);
    command.flags |= PDK_COMMAND_USER;
    command.uid = command.gid = NOBODY;
    expect(&command, bind);
}

static void test_no_new_privileges(void **state) {
    (void)state;
    pdk_command command = command_of(HELPER("status", "NoNewPrivs"));
    expect(&command, "NoNewPrivs:\t0\n");
    command.flags = PDK_COMMAND_NO_NEW_PRIVILEGES;
    expect(&command, "NoNewPrivs:\t1\n");
}

static void test_seccomp(void **state) {
    (void)state;
    const struct sock_filter deny_getppid[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    pdk_command command = command_of(HELPER("denied"));
    expect(&command, "1 0");
    command.flags = PDK_COMMAND_NO_NEW_PRIVILEGES;
    command.seccomp = deny_getppid, command.seccomp_count = 4;
    expect(&command, "-1 13");
}

static void test_private_tmp(void **state) {
    (void)state;
    struct stat info;
    if (geteuid() != 0) skip();
    close(open("/tmp/outside-marker", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    pdk_command command = command_of(HELPER("tmp"));
    /* The helper may live in /tmp itself, where it cannot be seen any more: start it by its fd. */
    int helper = open(helper_path(), O_RDONLY | O_CLOEXEC);
    const int32_t pass[] = {helper};
    command.program = "/proc/self/fd/3";
    command.pass_fds = pass, command.pass_count = 1;
    command.flags = PDK_COMMAND_PRIVATE_TMP;
    expect(&command, "inside");
    close(helper);
    assert_int_equal(stat("/tmp/inside-marker", &info), -1);
    assert_int_equal(stat("/tmp/outside-marker", &info), 0);
    unlink("/tmp/outside-marker");
}

/* Whatever we ignore or block, a child begins as if nobody did. */
static void test_signals_are_reset(void **state) {
    (void)state;
    sigset_t some, before;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    sigprocmask(SIG_BLOCK, &some, &before);
    signal(SIGPIPE, SIG_IGN), signal(SIGHUP, SIG_IGN), signal(40, SIG_IGN), signal(64, SIG_IGN);
    pdk_command command = command_of(HELPER("status", "SigBlk", "SigIgn"));
    expect(&command, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    signal(SIGPIPE, SIG_DFL), signal(SIGHUP, SIG_DFL), signal(40, SIG_DFL), signal(64, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static volatile sig_atomic_t heard_by;

static void hear(int number) {
    (void)number;
    heard_by = gettid();
}

/* A handler that the host sets, at whatever time, runs on a thread of the host. */
static void test_handler_runs_on_no_thread_of_ours(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open_with(&world, (struct pdk_spawner_options){.threads = 1});
    pdk_command command = command_of(HELPER("exit", "0"));
    child_run(&world, &child, &command); /* nobody handles it: the thread lets it pass */
    signal(SIGCHLD, hear);
    child_run(&world, &child, &command);
    assert_int_equal(heard_by, getpid());
    signal(SIGCHLD, SIG_DFL);
    world_close(&world);
}

/* ---- steps that fail ---- */

static void test_failing_steps_of_anybody(void **state) {
    (void)state;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    const pdk_rlimit more = {RLIMIT_NOFILE, 0, 1u << 30, UINT64_C(1) << 40};
    int not_a_folder = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pdk_command command = command_of(HELPER("exit", "0"));
    command.cwd_fd = not_a_folder;
    expect_failure(&command, -ENOTDIR, "change to its folder: Not a directory");
    close(not_a_folder);
    command.cwd_fd = -1;
    command.rlimits = &more, command.rlimit_count = 1;
    expect_failure(&command, -EPERM, "set limit NOFILE: Operation not permitted");
    command.rlimit_count = 0;
    const struct sock_filter nonsense[] = {{0xffff, 0, 0, 0}};
    command.flags = PDK_COMMAND_NO_NEW_PRIVILEGES;
    command.seccomp = nonsense, command.seccomp_count = 1;
    expect_failure(&command, -EINVAL, "load its seccomp filter: Invalid argument");
}

/* As nobody, in a process of its own, for there is no way back. */
static void as_nobody(void **state) {
    (void)state;
    if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0) _exit(1);
    pdk_command command = command_of(HELPER("exit", "0"));
    command.nice = -5;
    expect_failure(&command, -EACCES, "set nice to -5: Permission denied");
    command.nice = PDK_UNCHANGED;
    command.io_class = 1;
    expect_failure(&command, -EPERM, "set its I/O priority: Operation not permitted");
    command.io_class = 0;
    command.oom_score = -900;
    expect_failure(&command, -EACCES, "set oom_score_adj to -900: Permission denied");
    command.oom_score = PDK_UNCHANGED;
    command.flags = PDK_COMMAND_PRIVATE_TMP;
    expect_failure(&command, -EPERM, "make a private /tmp: Operation not permitted");
    command.flags = PDK_COMMAND_KEEP_CAPABILITIES;
    expect_failure(&command, -EPERM, "drop capabilities: Operation not permitted");
    command.flags = PDK_COMMAND_USER;
    command.uid = command.gid = 33;
    expect_failure(&command, -EPERM, "set its supplementary groups: Operation not permitted");
    command.flags = 0;
    command.memory_max = 1 << 20;
    struct world world;
    struct child child;
    world_open(&world);
    child_run(&world, &child, &command);
    assert_int_equal(child.failed, 1);
    assert_non_null(strstr(child.error.message, "cgroup"));
    assert_non_null(strstr(child.error.hint, "Delegate=yes"));
    world_close(&world);
}

/* With the capability for groups but not for users, the change of user is what fails. */
static void without_setuid(void **state) {
    (void)state;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) _exit(1);
    for (int i = 0; i < 2; i++) data[i].inheritable = 0;
    data[0].effective &= ~(1u << CAP_SETUID);
    data[0].permitted &= ~(1u << CAP_SETUID);
    if (syscall(SYS_capset, &header, data) < 0) _exit(1);
    pdk_command command = command_of(HELPER("exit", "0"));
    command.flags = PDK_COMMAND_USER;
    command.uid = command.gid = 33;
    expect_failure(&command, -EPERM, "change to user 33: Operation not permitted");
}

/* With a runner of its own: a failed assertion goes back to where the last one began. */
static void in_a_process_of_its_own(CMUnitTestFunction test) {
    int status = 1;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        const struct CMUnitTest inner[] = {cmocka_unit_test(test)};
        _exit(cmocka_run_group_tests_name("inner", inner, NULL, NULL));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_failing_steps_of_nobody(void **state) {
    (void)state;
    if (geteuid() != 0) skip();
    in_a_process_of_its_own(as_nobody);
    in_a_process_of_its_own(without_setuid);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_user),
        cmocka_unit_test(test_users_of_two_services),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_no_new_privileges),
        cmocka_unit_test(test_seccomp),
        cmocka_unit_test(test_private_tmp),
        cmocka_unit_test(test_signals_are_reset),
        cmocka_unit_test(test_handler_runs_on_no_thread_of_ours),
        cmocka_unit_test(test_failing_steps_of_anybody),
        cmocka_unit_test(test_failing_steps_of_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
