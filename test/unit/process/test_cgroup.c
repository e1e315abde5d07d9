/* SPDX-License-Identifier: Apache-2.0 */
/* Limits by cgroup. Without cgroups that can be written these are skipped: then a limit is refused, see
 * test_controls.c. */
#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "core/process/hierarchy.h"
#include "harness.h"

static struct pdk_hierarchy hierarchies[PDK_HIERARCHIES];
static int32_t hierarchy_count;

/* Which hierarchy can limit this, or -1. */
static int holder(int controller) {
    for (int i = 0; i < hierarchy_count; i++)
        if (hierarchies[i].controllers >> controller & 1 && access(hierarchies[i].path, W_OK) == 0) return i;
    return -1;
}

static int find_hierarchies(void **state) {
    (void)state;
    hierarchy_count = pdk_hierarchies_find(hierarchies);
    return 0;
}

/* Folders of ours that are there, in all hierarchies. */
static int count_folders(pid_t pid) {
    int count = 0;
    for (int i = 0; i < hierarchy_count; i++) {
        char path[8192];
        snprintf(path, sizeof path, "%s/paddock-%d", hierarchies[i].path, pid);
        count += access(path, F_OK) == 0;
    }
    return count;
}

static void test_memory(void **state) {
    (void)state;
    struct world world;
    struct child child;
    if (holder(PDK_CGROUP_MEMORY) < 0) skip();
    world_open(&world);
    pdk_command command = command_of(HELPER("eater", "100"));
    command.memory_max = 16 << 20;
    child_run(&world, &child, &command);
    if (child.failed) fail_msg("%s", child.error.message);
    assert_int_equal(child.end.signal, SIGKILL);
    assert_int_equal(child.limits, PDK_LIMIT_MEMORY);
    child_free(&child);
    /* The same cgroup again: what it has seen before is not this one's. */
    command = command_of(HELPER("eater", "4"));
    command.memory_max = 16 << 20;
    child_run(&world, &child, &command);
    assert_int_equal(child.end.exit_code, 0);
    assert_int_equal(child.limits, 0);
    assert_true(child.end.usage.max_rss >= 4 << 20);
    child_free(&child);
    command = command_of(HELPER("eater", "100"));
    command.memory_max = 200 << 20;
    child_run(&world, &child, &command);
    assert_int_equal(child.end.exit_code, 0);
    child_free(&child);
    world_close(&world);
    assert_int_equal(count_folders(getpid()), 0);
}

/* A bomb under a limit of processes, half of which leave their group: killed, all of it. */
static void defuse(const struct pdk_spawner_options *options) {
    struct world world;
    struct child child, next;
    world_open_with(&world, *options);
    pdk_command command = command_of(HELPER("bomb"));
    command.pids_max = 50;
    child_start(&world, &child, &command);
    run_until_output(&world, &child);
    poll(NULL, 0, 50); /* let it grow; whether it has does not matter to what follows */
    assert_int_equal(world.process->kill(world.process, child.handle), 0);
    run_until_over(&world, 1);
    assert_int_equal(child.end.signal, SIGKILL);
    assert_int_equal(child.limits, PDK_LIMIT_PIDS);
    child_free(&child);
    /* The cgroup can be used again, though forking was forbidden in it to kill them all. */
    command = command_of(HELPER("leaver"));
    command.pids_max = 50;
    child_run(&world, &next, &command);
    assert_int_equal(next.end.exit_code, 0);
    assert_int_equal(next.limits, 0);
    child_free(&next);
    world_close(&world);
    assert_int_equal(count_folders(getpid()), 0);
}

static void test_fork_bomb(void **state) {
    (void)state;
    if (holder(PDK_CGROUP_PIDS) < 0) skip();
    defuse(&(const struct pdk_spawner_options){.cgroups = -1});
}

/* The same on a machine that has v1 alone: v2 is taken away in a mount namespace. */
static void test_fork_bomb_without_v2(void **state) {
    (void)state;
    int pids = holder(PDK_CGROUP_PIDS), status = 1;
    if (pids < 0 || hierarchies[pids].version != 1 || geteuid() != 0) skip();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) _exit(77);
        if (hierarchies[0].version == 2 && umount2(hierarchies[0].path, MNT_DETACH) < 0) _exit(77);
        find_hierarchies(NULL);
        if (hierarchies[0].version != 1) _exit(77);
        const struct CMUnitTest inner[] = {cmocka_unit_test(test_fork_bomb)};
        _exit(cmocka_run_group_tests_name("without v2", inner, NULL, NULL));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) skip();
    assert_int_equal(status, 0);
}

static void test_cpu(void **state) {
    (void)state;
    int cpu = holder(PDK_CGROUP_CPU);
    struct world world;
    struct child child;
    char path[8192], text[64] = "";
    if (cpu < 0) skip();
    world_open(&world);
    pdk_command command = command_of(HELPER("pause"));
    command.cpu_max = 0.5;
    child_start(&world, &child, &command);
    run_until_output(&world, &child);
    snprintf(path, sizeof path, "%s/paddock-%d/a1/%s", hierarchies[cpu].path, getpid(),
             hierarchies[cpu].version == 2 ? "cpu.max" : "cpu.cfs_quota_us");
    assert_true(pdk_cgroup_read(AT_FDCWD, path, text, sizeof text) > 0);
    assert_int_equal(strtol(text, NULL, 10), 50000);
    snprintf(path, sizeof path, "%s/paddock-%d/a1/cgroup.procs", hierarchies[cpu].path, getpid());
    assert_true(pdk_cgroup_read(AT_FDCWD, path, text, sizeof text) > 0);
    assert_int_equal(strtol(text, NULL, 10), child.pid);
    world_close(&world); /* kills it, and removes the folder */
    assert_int_equal(count_folders(getpid()), 0);
    child_free(&child);
}

/* Many with limits at once, in changing cgroups. */
static void test_pool(void **state) {
    (void)state;
    enum { MANY = 100 };
    struct world world;
    struct child *children = calloc(MANY, sizeof *children);
    if (holder(PDK_CGROUP_PIDS) < 0) skip();
    world_open(&world);
    pdk_command command = command_of(HELPER("exit", "3"));
    for (int i = 0; i < MANY; i++) {
        command.pids_max = (uint64_t)(10 + i % 3);
        child_start(&world, &children[i], &command);
    }
    run_until_over(&world, MANY);
    for (int i = 0; i < MANY; i++) {
        if (children[i].failed) fail_msg("%s", children[i].error.message);
        assert_int_equal(children[i].end.exit_code, 3);
        assert_int_equal(children[i].limits, 0);
    }
    free(children);
    world_close(&world);
    assert_int_equal(count_folders(getpid()), 0);
}

/* One that could not be started leaves the cgroup to the next. */
static void test_failed_start_gives_back(void **state) {
    (void)state;
    struct world world;
    struct child child;
    if (holder(PDK_CGROUP_PIDS) < 0) skip();
    world_open(&world);
    pdk_command command = command_of(HELPER("exit", "0"));
    command.pids_max = 5;
    command.program = "/no/such/program";
    for (int i = 0; i < 3; i++) {
        child_run(&world, &child, &command);
        assert_int_equal(child.error.code, -ENOENT);
    }
    char path[8192];
    snprintf(path, sizeof path, "%s/paddock-%d/a2", hierarchies[holder(PDK_CGROUP_PIDS)].path, getpid());
    assert_int_equal(access(path, F_OK), -1);
    world_close(&world);
}

/* What a supervisor that was killed has left is removed by the next, and who still runs in it is killed. */
static void test_folders_of_the_dead(void **state) {
    (void)state;
    int pids = holder(PDK_CGROUP_PIDS), fds[2];
    pid_t orphan = 0;
    if (pids < 0) skip();
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    fflush(stdout);
    pid_t host = fork();
    if (host == 0) {
        struct world world;
        struct child child;
        world_open(&world);
        pdk_command command = command_of(HELPER("escaper", "close", "stays"));
        command.pids_max = 20;
        child_start(&world, &child, &command);
        run_until_output(&world, &child);
        orphan = (pid_t)strtol(text_of(&child, PDK_STDOUT), NULL, 10);
        if (write(fds[1], &orphan, sizeof orphan) < 0) _exit(1);
        for (;;) pause();
    }
    assert_int_equal(read(fds[0], &orphan, sizeof orphan), sizeof orphan);
    kill(host, SIGKILL);
    assert_int_equal(waitpid(host, NULL, 0), host);
    assert_true(lives(orphan)); /* it had left its group, and nobody was there to find it */
    assert_true(count_folders(host) > 0);
    for (int i = 0; i < 200 && count_folders(host) > 0; i++) { /* dying takes a moment, so perhaps not the first */
        struct world world;
        struct child child;
        world_open(&world);
        pdk_command command = command_of(HELPER("exit", "0"));
        command.pids_max = 20;
        child_run(&world, &child, &command);
        world_close(&world);
    }
    assert_false(lives(orphan));
    assert_int_equal(count_folders(host), 0);
    close(fds[0]), close(fds[1]);
}

/* Several supervisors of one process: each has its folder, and leaves those of the others alone. What it finds in one that
 * nobody holds is of a dead process which had our number. */
static void test_folders_of_several(void **state) {
    (void)state;
    int at = holder(PDK_CGROUP_PIDS);
    if (at < 0) skip();
    struct pdk_hierarchy first = hierarchies[at], second = hierarchies[at];
    char left[8192], theirs[8192];
    pdk_error err = PDK_ERROR;
    snprintf(left, sizeof left, "%s/paddock-%d", first.path, getpid());
    assert_int_equal(mkdir(left, 0755), 0);
    strlcat(left, "/a7", sizeof left);
    assert_int_equal(mkdir(left, 0755), 0);
    assert_int_equal(pdk_hierarchy_open(&first, 0, false, &err), 0);
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(pdk_hierarchy_open(&second, 0, false, &err), 0);
    assert_string_not_equal(first.base, second.base);
    assert_int_equal(mkdirat(second.base_fd, "a1", 0755), 0);
    snprintf(theirs, sizeof theirs, "%s/%s/a1", second.path, second.base);
    pdk_hierarchy_close(&first);
    assert_int_equal(access(theirs, F_OK), 0);
    assert_int_equal(pdk_hierarchy_open(&first, 0, false, &err), 0); /* its name is free again */
    assert_string_not_equal(first.base, second.base);
    pdk_hierarchy_close(&first);
    pdk_hierarchy_close(&second);
    assert_int_equal(access(theirs, F_OK), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_fork_bomb),
        cmocka_unit_test(test_fork_bomb_without_v2),
        cmocka_unit_test(test_cpu),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_failed_start_gives_back),
        cmocka_unit_test(test_folders_of_the_dead),
        cmocka_unit_test(test_folders_of_several),
    };
    return cmocka_run_group_tests(tests, find_hierarchies, NULL);
}
