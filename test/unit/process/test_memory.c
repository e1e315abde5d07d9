/* SPDX-License-Identifier: Apache-2.0 */
/* Out of memory at every single allocation, on the main thread or on those that start children: the service is not
 * made, a spawn is refused, or its child has one end; and nothing is left of any of them. */
#include <sys/resource.h>

#include "harness.h"
#include "support/fail_alloc.h"

/* Fds that are taken, so that the loop needs more memory to watch those of a child. */
enum { CROWD = 200 };

struct attempt {
    struct pdk_spawner_options options;
    pdk_command command;
};

/* 0: all went well; else how it failed. */
static int32_t outcome_of(const struct child *child) {
    assert_int_equal(child->failed + child->ended, 1);
    if (child->failed) return child->error.code;
    return child->end.error;
}

/* As the harness's, but it takes no memory of its own: that would be made to fail, too. */
static int32_t output(void *arg, int32_t stream, const char *data, size_t size) {
    struct child *child = arg;
    (void)data;
    child->sizes[stream] += size;
    return 0;
}

static const pdk_child_ops OPS = {sizeof OPS, 0, child_started, child_failed, output, child_ended, NULL, NULL};

static int32_t spawn_once(struct world *world, const pdk_command *command) {
    pdk_error err = PDK_ERROR;
    struct child child = {.world = world};
    int32_t r = world->process->spawn(world->process, 0, command, &OPS, &child, &child.handle, &err);
    if (r < 0) {
        assert_int_equal(err.code, r);
        assert_true(err.message[0] != 0);
        return r;
    }
    run_until_over(world, world->over + 1);
    return outcome_of(&child);
}

static int32_t attempt_once(void *arg) {
    const struct attempt *attempt = arg;
    struct pdk_spawner_options options = attempt->options;
    struct world world = {.fds = count_fds()};
    pdk_error err = PDK_ERROR;
    int32_t r = pdk_ev_create(&world.ev);
    if (r < 0) return r;
    options.loop = pdk_ev_loop(world.ev);
    r = pdk_spawner_create(&options, &world.spawner, &err);
    if (r == 0) {
        int crowd[CROWD];
        for (int i = 0; i < CROWD; i++) crowd[i] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 64);
        world.process = pdk_spawner_service(world.spawner);
        r = spawn_once(&world, &attempt->command);
        for (int i = 0; i < CROWD; i++) close(crowd[i]);
    }
    world_close(&world);
    return r;
}

static struct attempt attempt_of(const char *const *argv) {
    return (struct attempt){{.threads = 1}, command_of(argv)};
}

static void sweep(struct attempt attempt) {
    assert_true(pdk_fail_sweep(attempt_once, &attempt) > 5);
}

static void test_bare_child(void **state) {
    (void)state;
    struct attempt attempt = attempt_of(HELPER("exit", "0"));
    attempt.command.stdout_to = attempt.command.stderr_to = PDK_STREAM_NULL;
    sweep(attempt);
}

static void test_child_with_all_there_is(void **state) {
    (void)state;
    const pdk_rlimit limit = {RLIMIT_CORE, 0, 0, 0};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct attempt attempt = attempt_of(HELPER("echo", "to stdout", "to stderr"));
    attempt.command.rlimits = &limit, attempt.command.rlimit_count = 1;
    attempt.command.input_fd = null;
    attempt.command.pass_fds = &null, attempt.command.pass_count = 1;
    attempt.command.oom_score = 500;
    sweep(attempt);
    close(null);
}

static void test_child_found_in_path(void **state) {
    (void)state;
    struct attempt attempt = attempt_of((const char *const[]){"true", NULL});
    attempt.command.program = NULL;
    sweep(attempt);
}

static void test_reaper_of_orphans(void **state) {
    (void)state;
    struct attempt attempt = attempt_of(HELPER("exit", "0"));
    attempt.options.subreaper = true;
    sweep(attempt);
}

static void test_cgroup_for_each(void **state) {
    (void)state;
    struct attempt attempt = attempt_of(HELPER("exit", "0"));
    attempt.options.cgroups = -1;
    sweep(attempt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bare_child),          cmocka_unit_test(test_child_with_all_there_is),
        cmocka_unit_test(test_child_found_in_path), cmocka_unit_test(test_reaper_of_orphans),
        cmocka_unit_test(test_cgroup_for_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
