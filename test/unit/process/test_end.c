/* SPDX-License-Identifier: Apache-2.0 */
/* Ending: signals, and that nothing a child has started outlives it. */
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "harness.h"

/* Of a process that is nobody's child here: until it is gone, or ten seconds. */
static bool dies(pid_t pid) {
    for (int i = 0; i < 1000 && lives(pid); i++) poll(NULL, 0, 10);
    return !lives(pid);
}

static void test_signals(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pdk_command command = command_of(HELPER("hearing"));
    child_start(&world, &child, &command);
    run_until_output(&world, &child);
    assert_int_equal(world.process->signal(world.process, child.handle, 0, 0), -EINVAL);
    assert_int_equal(world.process->signal(world.process, child.handle, 65, 0), -EINVAL);
    assert_int_equal(world.process->signal(world.process, child.handle, SIGUSR1, 1), 0);
    run_until_over(&world, 1);
    assert_int_equal(child.end.exit_code, 40);
    assert_string_equal(text_of(&child, PDK_STDOUT), "ready\n10");
    child_free(&child);
    child_start(&world, &child, &command);
    run_until_output(&world, &child);
    assert_int_equal(world.process->signal(world.process, child.handle, SIGTERM, 0), 0);
    run_until_over(&world, 2);
    assert_string_equal(text_of(&child, PDK_STDOUT), "ready\n15");
    child_free(&child);
    world_close(&world);
}

static void test_signal_before_it_has_started(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pdk_command command = command_of(HELPER("pause"));
    child_start(&world, &child, &command);
    assert_int_equal(world.process->signal(world.process, child.handle, SIGTERM, 1), 0);
    run_until_over(&world, 1);
    assert_int_equal(child.end.signal, SIGTERM);
    child_free(&child);
    world_close(&world);
}

static void test_kill_of_one_that_ignores_all_else(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pdk_command command = command_of(HELPER("deaf"));
    child_start(&world, &child, &command);
    run_until_output(&world, &child);
    assert_int_equal(world.process->signal(world.process, child.handle, SIGTERM, 0), 0);
    assert_int_equal(world.process->kill(world.process, child.handle), 0);
    assert_int_equal(world.process->kill(world.process, child.handle), 0);
    run_until_over(&world, 1);
    assert_int_equal(child.end.signal, SIGKILL);
    child_free(&child);
    world_close(&world);
}

static void test_kill_before_it_has_started(void **state) {
    (void)state;
    enum { MANY = 50 };
    struct world world;
    struct child children[MANY];
    world_open(&world);
    pdk_command command = command_of(HELPER("pause"));
    for (int i = 0; i < MANY; i++) child_start(&world, &children[i], &command);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(world.process->kill(world.process, children[i].handle), 0);
        assert_int_equal(children[i].failed, 0); /* never inside the call */
    }
    run_until_over(&world, MANY);
    int never = 0;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(children[i].failed + children[i].ended, 1);
        never += children[i].failed;
        if (children[i].failed) assert_int_equal(children[i].error.code, -ECANCELED);
        if (children[i].ended) assert_int_equal(children[i].end.signal, SIGKILL);
        child_free(&children[i]);
    }
    assert_true(never > 0);
    world_close(&world);
}

/* The leader ends by itself; what it left in its group dies, and is dead when we hear of the end. */
static void test_group_dies_with_its_leader(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pdk_command command = command_of(HELPER("leaver"));
    uint64_t before = pdk_clock_now();
    child_run(&world, &child, &command);
    assert_int_equal(child.end.exit_code, 0);
    assert_true(pdk_clock_now() - before < 4 * PDK_SECOND); /* it did not wait for the pipe */
    pid_t left = (pid_t)strtol(text_of(&child, PDK_STDOUT), NULL, 10);
    assert_true(left > 0);
    assert_false(lives(left));
    child_free(&child);
    world_close(&world);
}

/* One that escaped holds the pipe: without a way to reach it we read on for drain_ms and no longer. */
static void test_drain(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open_with(&world, (struct pdk_spawner_options){.cgroups = 0});
    pdk_command command = command_of(HELPER("escaper", "hold"));
    command.drain_ms = 100;
    uint64_t before = pdk_clock_now();
    child_run(&world, &child, &command);
    uint64_t took = pdk_clock_now() - before;
    assert_true(took >= 100 * PDK_MILLISECOND);
    assert_true(took < 4 * PDK_SECOND);
    pid_t escaped = (pid_t)strtol(text_of(&child, PDK_STDOUT), NULL, 10);
    assert_true(lives(escaped));
    kill(escaped, SIGKILL);
    child_free(&child);
    world_close(&world);
}

static void test_kill_ends_the_drain(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open_with(&world, (struct pdk_spawner_options){.cgroups = 0});
    pdk_command command = command_of(HELPER("escaper", "hold"));
    command.drain_ms = 60000;
    child_start(&world, &child, &command);
    run_until_output(&world, &child);
    while (lives(child.pid)) poll(NULL, 0, 1);
    assert_int_equal(world.process->kill(world.process, child.handle), 0);
    run_until_over(&world, 1);
    pid_t escaped = (pid_t)strtol(text_of(&child, PDK_STDOUT), NULL, 10);
    kill(escaped, SIGKILL);
    child_free(&child);
    world_close(&world);
}

/* As the reaper of orphans we find one that left by setsid and a double fork, and it is dead before we are told. */
static void escape_with(struct pdk_spawner_options options, const char *how, const char *stays) {
    struct world world;
    struct child child;
    world_open_with(&world, options);
    pdk_command command = command_of(HELPER("escaper", how, stays));
    child_start(&world, &child, &command);
    run_until_output(&world, &child);
    pid_t escaped = (pid_t)strtol(text_of(&child, PDK_STDOUT), NULL, 10);
    assert_true(escaped > 0);
    if (stays) assert_int_equal(world.process->kill(world.process, child.handle), 0);
    run_until_over(&world, 1);
    assert_int_equal(child.ended, 1);
    assert_false(lives(escaped));
    child_free(&child);
    world_close(&world);
}

static void test_escaped_orphans_are_found(void **state) {
    (void)state;
    const struct pdk_spawner_options options = {.subreaper = true, .cgroups = 0};
    escape_with(options, "hold", NULL);
    escape_with(options, "close", NULL);
    escape_with(options, "close", "stays");
    int reaper = 1;
    prctl(PR_GET_CHILD_SUBREAPER, &reaper);
    assert_int_equal(reaper, 0);
}

static void test_escaped_orphans_in_a_cgroup(void **state) {
    (void)state;
    if (geteuid() != 0) skip();
    escape_with((struct pdk_spawner_options){.cgroups = 1}, "close", NULL);
    escape_with((struct pdk_spawner_options){.cgroups = -1}, "close", NULL);
    escape_with((struct pdk_spawner_options){.cgroups = 1}, "hold", "stays");
}

/* Two attempts with orphans: each loses its own. */
static void test_orphans_of_others_are_left_alone(void **state) {
    (void)state;
    struct world world;
    struct child one, two;
    static const char *const other[] = {"PADDOCK_RUN_ID=test-1", "PADDOCK_ATTEMPT=2", NULL};
    world_open_with(&world, (struct pdk_spawner_options){.subreaper = true});
    pdk_command command = command_of(HELPER("escaper", "close", "stays"));
    child_start(&world, &one, &command);
    run_until_output(&world, &one);
    command.env = other;
    child_start(&world, &two, &command);
    run_until_output(&world, &two);
    pid_t first = (pid_t)strtol(text_of(&one, PDK_STDOUT), NULL, 10),
          second = (pid_t)strtol(text_of(&two, PDK_STDOUT), NULL, 10);
    world.process->kill(world.process, one.handle);
    run_until_over(&world, 1);
    assert_false(lives(first));
    assert_true(lives(second));
    world.process->kill(world.process, two.handle);
    run_until_over(&world, 2);
    assert_false(lives(second));
    child_free(&one), child_free(&two);
    world_close(&world);
}

static void test_free_kills_and_reaps(void **state) {
    (void)state;
    enum { MANY = 20 };
    struct world world;
    struct child children[MANY], orphaned;
    world_open_with(&world, (struct pdk_spawner_options){.subreaper = true});
    pdk_command deaf = command_of(HELPER("deaf")), escaper = command_of(HELPER("escaper", "close", "stays"));
    child_start(&world, &orphaned, &escaper);
    run_until_output(&world, &orphaned);
    pid_t escaped = (pid_t)strtol(text_of(&orphaned, PDK_STDOUT), NULL, 10);
    for (int i = 0; i < MANY; i++) {
        child_start(&world, &children[i], &deaf);
        if (i == MANY / 2) run_until_output(&world, &children[0]);
    }
    world_close(&world); /* some run, some are being started, some wait: it checks that none is left */
    assert_false(lives(escaped));
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(children[i].ended + children[i].failed, 0);
        if (children[i].pid) assert_false(lives(children[i].pid));
        child_free(&children[i]);
    }
    child_free(&orphaned);
    pdk_spawner_free(NULL);
}

static void test_children_of_the_host_are_left_alone(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pid_t foreign = fork();
    if (foreign == 0) {
        setpgid(0, 0);
        _exit(9);
    }
    pdk_command command = command_of(HELPER("exit", "0"));
    for (int i = 0; i < 20; i++) {
        child_run(&world, &child, &command);
        child_free(&child);
    }
    int status = 0;
    assert_int_equal(waitpid(foreign, &status, 0), foreign);
    assert_int_equal(WEXITSTATUS(status), 9);
    world_close(&world);
}

/* When the host is killed nothing of it runs on. */
static void test_children_die_with_the_host(void **state) {
    (void)state;
    int fds[2];
    pid_t told = 0;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t host = fork();
    if (host == 0) {
        struct world world;
        struct child child;
        world_open(&world);
        pdk_command command = command_of(HELPER("deaf"));
        child_start(&world, &child, &command);
        run_until_output(&world, &child);
        if (write(fds[1], &child.pid, sizeof child.pid) < 0) _exit(1);
        for (;;) pause();
    }
    assert_int_equal(read(fds[0], &told, sizeof told), sizeof told);
    assert_true(lives(told));
    kill(host, SIGKILL);
    assert_int_equal(waitpid(host, NULL, 0), host);
    assert_true(dies(told));
    close(fds[0]), close(fds[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_signal_before_it_has_started),
        cmocka_unit_test(test_kill_of_one_that_ignores_all_else),
        cmocka_unit_test(test_kill_before_it_has_started),
        cmocka_unit_test(test_group_dies_with_its_leader),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_kill_ends_the_drain),
        cmocka_unit_test(test_escaped_orphans_are_found),
        cmocka_unit_test(test_escaped_orphans_in_a_cgroup),
        cmocka_unit_test(test_orphans_of_others_are_left_alone),
        cmocka_unit_test(test_free_kills_and_reaps),
        cmocka_unit_test(test_children_of_the_host_are_left_alone),
        cmocka_unit_test(test_children_die_with_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
