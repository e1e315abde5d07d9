/* SPDX-License-Identifier: Apache-2.0 */
/* Starting: what runs, with what fds and environment, and what is said when it cannot be. */
#include <sys/resource.h>
#include <sys/stat.h>

#include "harness.h"

static void test_exit_code(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pdk_command command = command_of(HELPER("exit", "7"));
    child_run(&world, &child, &command);
    assert_int_equal(child.end.exit_code, 7);
    assert_int_equal(child.end.signal, 0);
    assert_int_equal(child.started, 1);
    assert_true(child.end.usage.max_rss > 0);
    assert_int_equal(world.process->kill(world.process, child.handle), -ESTALE);
    assert_int_equal(world.process->signal(world.process, child.handle, SIGTERM, 0), -ESTALE);
    assert_int_equal(world.process->resume(world.process, child.handle), -ESTALE);
    child_free(&child);
    world_close(&world);
}

static void test_both_streams(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pdk_command command = command_of(HELPER("echo", "to stdout", "to stderr"));
    child_run(&world, &child, &command);
    assert_string_equal(text_of(&child, PDK_STDOUT), "to stdout");
    assert_string_equal(text_of(&child, PDK_STDERR), "to stderr");
    child_free(&child);
    command.stderr_to = PDK_STREAM_JOIN;
    child_run(&world, &child, &command);
    assert_string_equal(text_of(&child, PDK_STDOUT), "to stdoutto stderr");
    assert_int_equal(child.sizes[PDK_STDERR], 0);
    child_free(&child);
    command.stdout_to = command.stderr_to = PDK_STREAM_NULL;
    child_run(&world, &child, &command);
    assert_int_equal(child.sizes[PDK_STDOUT] + child.sizes[PDK_STDERR], 0);
    child_free(&child);
    world_close(&world);
}

static void test_environment_is_all_of_it(void **state) {
    (void)state;
    struct world world;
    struct child child;
    static const char *const env[] = {"A=1", "B=two words", NULL};
    world_open(&world);
    pdk_command command = command_of(HELPER("env"));
    command.env = env;
    child_run(&world, &child, &command);
    assert_string_equal(text_of(&child, PDK_STDOUT), "A=1\nB=two words\n");
    child_free(&child);
    command.env = NULL;
    child_run(&world, &child, &command);
    assert_string_equal(text_of(&child, PDK_STDOUT), "");
    child_free(&child);
    world_close(&world);
}

/* Fds: its own three and those passed, whatever the rest of the process forgot to mark close-on-exec. */
static void test_fds_of_the_child(void **state) {
    (void)state;
    struct world world;
    struct child child;
    int pipes[2];
    int careless = open("/dev/null", O_RDONLY); /* no O_CLOEXEC */
    world_open(&world);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    const int32_t pass[] = {pipes[0], pipes[1], pipes[0]};
    pdk_command command = command_of(HELPER("fds"));
    child_run(&world, &child, &command);
    assert_string_equal(text_of(&child, PDK_STDOUT), "0 1 2 ");
    child_free(&child);
    command.pass_fds = pass;
    command.pass_count = 3;
    child_run(&world, &child, &command);
    assert_string_equal(text_of(&child, PDK_STDOUT), "0 1 2 3 4 5 ");
    child_free(&child);
    assert_int_equal(write(pipes[1], "through", 7), 7);
    close(pipes[1]);
    command = command_of(HELPER("cat", "3"));
    command.pass_fds = pass;
    command.pass_count = 1;
    child_run(&world, &child, &command);
    assert_string_equal(text_of(&child, PDK_STDOUT), "through");
    child_free(&child);
    close(pipes[0]);
    world_close(&world);
    close(careless);
}

static void test_stdin_and_stdout_by_fd(void **state) {
    (void)state;
    struct world world;
    struct child child;
    int in[2], out[2];
    char got[16] = "";
    world_open(&world);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(write(in[1], "input", 5), 5);
    pdk_command command = command_of(HELPER("cat"));
    command.input_fd = in[0];
    command.stdout_to = PDK_STREAM_FD;
    command.stdout_fd = out[1];
    child_start(&world, &child, &command);
    close(in[0]), close(in[1]), close(out[1]); /* they were duplicated */
    run_until_over(&world, 1);
    assert_int_equal(read(out[0], got, sizeof got), 5);
    assert_string_equal(got, "input");
    close(out[0]);
    child_free(&child);
    world_close(&world);
}

/* When the host has closed its own, pipes come to lie at 0, 1 and 2 and must get out of each other's way. */
static void test_without_fds_of_our_own(void **state) {
    (void)state;
    struct world world;
    struct child child;
    int kept[3];
    for (int i = 0; i < 3; i++) {
        kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
        close(i);
    }
    world_open(&world);
    pdk_command command = command_of(HELPER("echo", "out", "err"));
    child_run(&world, &child, &command);
    world_close(&world);
    for (int i = 0; i < 3; i++) {
        dup2(kept[i], i);
        close(kept[i]);
    }
    assert_string_equal(text_of(&child, PDK_STDOUT), "out");
    assert_string_equal(text_of(&child, PDK_STDERR), "err");
    child_free(&child);
}

struct refusal {
    const char *program;
    int32_t code;
    const char *message;
};

static void test_what_cannot_be_started(void **state) {
    (void)state;
    static const struct refusal REFUSALS[] = {
        {"./no-such-program", -ENOENT, "start \"./no-such-program\": No such file or directory"},
        {"no-such-program", -ENOENT, "start \"no-such-program\": No such file or directory"},
        {"/etc/passwd", -EACCES, "start \"/etc/passwd\": Permission denied"},
        {"/", -EACCES, "start \"/\": Permission denied"},
        {"./plain-text", -ENOEXEC,
         "start \"./plain-text\": not executable: no #! line, and no program of this machine"},
        {"./bad-interpreter", -ENOENT, "start \"./bad-interpreter\": No such file or directory"},
        {"./being-written", -ETXTBSY, "start \"./being-written\": Text file busy"},
    };
    struct world world;
    struct child child;
    char folder[] = "/tmp/pdk-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int text = openat(folder_fd, "plain-text", O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    int bad = openat(folder_fd, "bad-interpreter", O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    int busy = openat(folder_fd, "being-written", O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    assert_int_equal(write(text, "hello\n", 6), 6);
    assert_int_equal(write(bad, "#!/no/such/shell\n", 17), 17);
    close(text), close(bad);
    world_open(&world);
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        pdk_command command = command_of(HELPER("x"));
        command.program = REFUSALS[i].program;
        command.cwd_fd = folder_fd;
        child_run(&world, &child, &command);
        assert_int_equal(child.failed, 1);
        assert_int_equal(child.started, 0);
        assert_string_equal(child.error.message, REFUSALS[i].message);
        assert_int_equal(child.error.code, REFUSALS[i].code);
        if (strcmp(REFUSALS[i].program, "./bad-interpreter") == 0)
            assert_non_null(strstr(child.error.hint, "interpreter"));
        if (strcmp(REFUSALS[i].program, "no-such-program") == 0)
            assert_non_null(strstr(child.error.hint, "/usr/bin:/bin"));
        child_free(&child);
    }
    world_close(&world);
    unlinkat(folder_fd, "plain-text", 0), unlinkat(folder_fd, "bad-interpreter", 0);
    unlinkat(folder_fd, "being-written", 0);
    close(busy), close(folder_fd);
    rmdir(folder);
}

static void test_path_is_searched_as_execvp_does(void **state) {
    (void)state;
    struct world world;
    struct child child;
    static const char *const env[] = {"PATH=/no/such:/etc/passwd:/proc/self:/bin", NULL};
    world_open(&world);
    pdk_command command = command_of((const char *const[]){"true", NULL});
    command.program = NULL;
    command.env = env;
    child_run(&world, &child, &command);
    assert_int_equal(child.ended, 1);
    child_free(&child);
    world_close(&world);
}

static void test_too_long_for_the_kernel(void **state) {
    (void)state;
    enum { SIZE = 300 * 1024 };
    struct world world;
    struct child child;
    char *text = malloc(SIZE);
    memset(text, 'x', SIZE - 1);
    text[SIZE - 1] = 0;
    world_open(&world);
    pdk_command command = command_of(HELPER("echo", text));
    child_run(&world, &child, &command);
    assert_int_equal(child.error.code, -E2BIG);
    child_free(&child);
    world_close(&world);
    free(text);
}

static void test_what_can_never_be(void **state) {
    (void)state;
    struct world world;
    world_open(&world);
    const pdk_rlimit upside_down = {RLIMIT_NOFILE, 0, 20, 10}, unknown = {99, 0, 1, 1};
    static const char *const bad_env[] = {"NOEQUALS", NULL};
    const pdk_command good = command_of(HELPER("exit", "0"));
    pdk_command bad[12];
    for (size_t i = 0; i < 12; i++) bad[i] = good;
    bad[0].argv = HELPER(NULL) + 1;
    bad[1].program = "";
    bad[2].stdout_to = PDK_STREAM_JOIN;
    bad[3].nice = 20;
    bad[4].flags = 1u << 30;
    bad[5].rlimits = &upside_down, bad[5].rlimit_count = 1;
    bad[6].rlimits = &unknown, bad[6].rlimit_count = 1;
    bad[7].env = bad_env;
    bad[8].struct_size = 8;
    bad[9].cpu_max = 0.001;
    bad[10].oom_score = 1001;
    bad[11].umask = 01000;
    for (size_t i = 0; i < 12; i++) {
        pdk_error err = PDK_ERROR;
        pdk_child handle = 77;
        int32_t r = world.process->spawn(world.process, 0, &bad[i], &CHILD_OPS, NULL, &handle, &err);
        if (r != -EINVAL || !err.message[0]) fail_msg("case %zu: %d, \"%s\"", i, r, err.message);
        assert_int_equal(handle, 77);
    }
    pdk_command closed = good;
    pdk_error err = PDK_ERROR;
    pdk_child handle = 0;
    closed.input_fd = 12345;
    assert_int_equal(world.process->spawn(world.process, 0, &closed, &CHILD_OPS, NULL, &handle, &err), -EBADF);
    assert_string_equal(err.message, "stdin: fd 12345: Bad file descriptor");
    world_close(&world);
}

static void test_too_many_wait(void **state) {
    (void)state;
    struct world world;
    struct child children[3];
    pdk_error err = PDK_ERROR;
    pdk_child handle;
    world_open_with(&world, (struct pdk_spawner_options){.pending = 3, .cgroups = -1});
    pdk_command command = command_of(HELPER("exit", "0"));
    for (int i = 0; i < 3; i++) child_start(&world, &children[i], &command);
    assert_int_equal(world.process->spawn(world.process, 0, &command, &CHILD_OPS, NULL, &handle, &err), -EAGAIN);
    run_until_over(&world, 3);
    world_close(&world);
}

/* Few fds are allowed, and most are taken: all goes well but the fds lie where they must. */
static void test_few_fds(void **state) {
    (void)state;
    struct world world;
    struct child child;
    struct rlimit before, few = {64, 64};
    getrlimit(RLIMIT_NOFILE, &before);
    few.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_NOFILE, &few);
    world_open(&world);
    pdk_command command = command_of(HELPER("echo", "out", "err"));
    child_run(&world, &child, &command);
    assert_string_equal(text_of(&child, PDK_STDOUT), "out");
    child_free(&child);

    int taken[64], count = 0;
    while ((taken[count] = fcntl(0, F_DUPFD_CLOEXEC, 3)) >= 0) count++;
    child_run(&world, &child, &command);
    assert_int_equal(child.error.code, -EMFILE);
    assert_string_equal(child.error.message, "open a pipe for stdout: Too many open files");
    child_free(&child);
    for (int i = 0; i < 3; i++) close(taken[--count]); /* for the pipes, but not for the pidfd */
    child_run(&world, &child, &command);
    assert_int_equal(child.error.code, -EMFILE);
    child_free(&child);
    while (count > 0) close(taken[--count]);
    child_run(&world, &child, &command);
    assert_string_equal(text_of(&child, PDK_STDERR), "err");
    child_free(&child);
    world_close(&world);
    setrlimit(RLIMIT_NOFILE, &before);
}

static void test_ten_thousand_fds(void **state) {
    (void)state;
    enum { MANY = 10000 };
    struct world world;
    struct child child;
    int *fds = calloc(MANY, sizeof *fds);
    for (int i = 0; i < MANY; i++) fds[i] = fcntl(0, F_DUPFD, 3); /* not even close-on-exec */
    assert_true(fds[MANY - 1] > 0);
    world_open(&world);
    pdk_command command = command_of(HELPER("fds"));
    child_run(&world, &child, &command);
    assert_string_equal(text_of(&child, PDK_STDOUT), "0 1 2 ");
    child_free(&child);
    world_close(&world);
    for (int i = 0; i < MANY; i++) close(fds[i]);
    free(fds);
}

static void test_many_at_once(void **state) {
    (void)state;
    enum { MANY = 200 };
    struct world world;
    struct child *children = calloc(MANY, sizeof *children);
    world_open(&world);
    pdk_command command = command_of(HELPER("echo", "one of many"));
    for (int i = 0; i < MANY; i++) child_start(&world, &children[i], &command);
    run_until_over(&world, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(children[i].ended, 1);
        assert_string_equal(text_of(&children[i], PDK_STDOUT), "one of many");
        child_free(&children[i]);
    }
    struct pdk_spawner_stats stats;
    pdk_spawner_stats(world.spawner, &stats);
    assert_int_equal(stats.spawned, MANY);
    assert_int_equal(stats.ended, MANY);
    assert_int_equal(stats.output_bytes, MANY * 11);
    free(children);
    world_close(&world);
}

struct told {
    int busy, eased;
};

static void on_busy(void *arg, bool busy) {
    struct told *told = arg;
    ++*(busy ? &told->busy : &told->eased);
}

static void test_busy_until_most_have_started(void **state) {
    (void)state;
    enum { BUSY = 64 };
    struct world world;
    struct child children[BUSY + 1] = {0};
    struct told told = {0, 0};
    world_open_with(&world, (struct pdk_spawner_options){.cgroups = -1, .busy = on_busy, .arg = &told});
    pdk_command command = command_of(HELPER("exit", "0"));
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < BUSY + 1; i++) {
            assert_int_equal(told.busy, i < BUSY ? round - 1 : round);
            child_start(&world, &children[i], &command);
        }
        assert_int_equal(told.eased, round - 1);
        run_until_over(&world, world.over + BUSY + 1);
        for (int i = 0; i < BUSY + 1; i++) child_free(&children[i]);
        assert_int_equal(told.eased, round);
    }
    assert_int_equal(told.busy, 2);
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_code),
        cmocka_unit_test(test_both_streams),
        cmocka_unit_test(test_environment_is_all_of_it),
        cmocka_unit_test(test_fds_of_the_child),
        cmocka_unit_test(test_stdin_and_stdout_by_fd),
        cmocka_unit_test(test_without_fds_of_our_own),
        cmocka_unit_test(test_what_cannot_be_started),
        cmocka_unit_test(test_path_is_searched_as_execvp_does),
        cmocka_unit_test(test_too_long_for_the_kernel),
        cmocka_unit_test(test_what_can_never_be),
        cmocka_unit_test(test_too_many_wait),
        cmocka_unit_test(test_few_fds),
        cmocka_unit_test(test_ten_thousand_fds),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_busy_until_most_have_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
