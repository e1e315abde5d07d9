/* SPDX-License-Identifier: Apache-2.0 */
/* Output: all of it, in order, whoever is slow; and when something must be lost, it is counted. */
#include <poll.h>

#include "harness.h"

enum { LINE = 64 };

static void expect_lines(const char *text, size_t size, int first) {
    char line[LINE + 1];
    assert_int_equal(size % LINE, 0);
    for (size_t i = 0; i < size / LINE; i++) {
        snprintf(line, sizeof line, "line %058d\n", first + (int)i);
        assert_memory_equal(text + i * LINE, line, LINE);
    }
}

static void test_a_megabyte(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pdk_command command = command_of(HELPER("lines", "16384"));
    child_run(&world, &child, &command);
    assert_int_equal(child.sizes[PDK_STDOUT], 1 << 20);
    expect_lines(text_of(&child, PDK_STDOUT), 1 << 20, 0);
    assert_int_equal(child.lost[PDK_STDOUT], 0);
    child_free(&child);
    world_close(&world);
}

/* A slow reader blocks the child, and nothing is lost however often it pauses. */
static void test_pause_that_blocks(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pdk_command command = command_of(HELPER("lines", "16384"));
    command.flags = PDK_COMMAND_BLOCK;
    child_start(&world, &child, &command);
    child.answer = PDK_PAUSE;
    int pauses = 0;
    for (size_t before = 1; child.ended == 0 && before != child.sizes[PDK_STDOUT]; pauses++) {
        before = child.sizes[PDK_STDOUT];
        child.break_on_output = true;
        world.wanted = 1;
        pdk_ev_run(world.ev);
        assert_int_equal(world.process->resume(world.process, child.handle), child.ended ? -ESTALE : 0);
    }
    child.answer = 0;
    child.break_on_output = false;
    run_until_over(&world, 1);
    assert_true(pauses > 8); /* a pipe holds 64 KiB */
    assert_int_equal(child.sizes[PDK_STDOUT], 1 << 20);
    expect_lines(text_of(&child, PDK_STDOUT), 1 << 20, 0);
    assert_int_equal(child.lost[PDK_STDOUT], 0);
    child_free(&child);
    world_close(&world);
}

/* A child that must not wait for its reader: the newest is kept, whole lines, and the rest is counted. */
static void test_pause_that_loses(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pdk_command command = command_of(HELPER("lines", "16384"));
    child_start(&world, &child, &command);
    child.answer = PDK_PAUSE;
    run_until_over(&world, 1); /* without a resume: it ends all the same */
    size_t size = child.sizes[PDK_STDOUT], lost = child.lost[PDK_STDOUT];
    assert_true(lost > 0);
    assert_int_equal(size + lost, 1 << 20);
    const char *text = text_of(&child, PDK_STDOUT), *last = text + size - LINE;
    char line[LINE + 1];
    snprintf(line, sizeof line, "line %058d\n", 16383);
    assert_memory_equal(last, line, LINE);
    expect_lines(text + size - 60000 / LINE * LINE, 60000 / LINE * LINE, 16384 - 60000 / LINE);
    struct pdk_spawner_stats stats;
    pdk_spawner_stats(world.spawner, &stats);
    assert_int_equal(stats.output_lost, lost);
    assert_int_equal(stats.output_bytes, size);
    child_free(&child);
    world_close(&world);
}

static void test_resume_hands_on_what_was_kept(void **state) {
    (void)state;
    struct world world;
    struct child child;
    int in[2];
    world_open(&world);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    pdk_command command = command_of(HELPER("cat"));
    command.input_fd = in[0];
    child_start(&world, &child, &command);
    child.answer = PDK_PAUSE;
    assert_int_equal(write(in[1], "first ", 6), 6);
    run_until_output(&world, &child);
    assert_int_equal(write(in[1], "second ", 7), 7);
    for (int i = 0; i < 50; i++) { /* a few turns: it is read, and nobody is told */
        struct child other;
        pdk_command exits = command_of(HELPER("exit", "0"));
        child_run(&world, &other, &exits);
    }
    assert_string_equal(text_of(&child, PDK_STDOUT), "first ");
    child.answer = 0;
    assert_int_equal(world.process->resume(world.process, child.handle), 0);
    assert_string_equal(text_of(&child, PDK_STDOUT), "first "); /* never inside the call */
    close(in[0]), close(in[1]);
    run_until_over(&world, world.over + 1);
    assert_string_equal(text_of(&child, PDK_STDOUT), "first second ");
    child_free(&child);
    world_close(&world);
}

/* Killed while its reader pauses and never resumes: it ends, and what was in the pipe is counted. */
static void test_kill_while_paused(void **state) {
    (void)state;
    struct world world;
    struct child child;
    world_open(&world);
    pdk_command command = command_of(HELPER("lines", "100000"));
    command.flags = PDK_COMMAND_BLOCK;
    child_start(&world, &child, &command);
    child.answer = PDK_PAUSE;
    run_until_output(&world, &child);
    while (state_of(child.pid) != 'S') poll(NULL, 0, 1); /* the pipe is full */
    assert_int_equal(world.process->kill(world.process, child.handle), 0);
    run_until_over(&world, 1);
    assert_int_equal(child.end.signal, SIGKILL);
    assert_true(child.lost[PDK_STDOUT] > 0);
    child_free(&child);
    world_close(&world);
}

struct taken {
    pdk_attempt attempt;
    size_t sizes[3];
};

static int32_t take_output(void *arg, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    struct taken *taken = arg;
    (void)data;
    taken->attempt = attempt;
    taken->sizes[stream] += size;
    return 0;
}

static void test_output_of_an_attempt(void **state) {
    (void)state;
    struct world world;
    struct child child = {.world = &world};
    struct taken taken = {0};
    pdk_child_ops ops = CHILD_OPS;
    pdk_error err = PDK_ERROR;
    ops.output = NULL;
    world_open_with(&world, (struct pdk_spawner_options){.output = take_output, .arg = &taken, .cgroups = -1});
    pdk_command command = command_of(HELPER("echo", "12345", "123"));
    assert_int_equal(world.process->spawn(world.process, 42, &command, &ops, &child, &child.handle, &err), 0);
    run_until_over(&world, 1);
    assert_int_equal(taken.attempt, 42);
    assert_int_equal(taken.sizes[PDK_STDOUT], 5);
    assert_int_equal(taken.sizes[PDK_STDERR], 3);
    /* For no attempt there is nobody to tell. */
    assert_int_equal(world.process->spawn(world.process, 0, &command, &ops, &child, &child.handle, &err), 0);
    run_until_over(&world, 2);
    assert_int_equal(taken.sizes[PDK_STDOUT], 5);
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_megabyte),        cmocka_unit_test(test_pause_that_blocks),
        cmocka_unit_test(test_pause_that_loses),  cmocka_unit_test(test_resume_hands_on_what_was_kept),
        cmocka_unit_test(test_kill_while_paused), cmocka_unit_test(test_output_of_an_attempt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
