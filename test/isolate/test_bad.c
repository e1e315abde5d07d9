/* SPDX-License-Identifier: Apache-2.0 */
/* What bad.c does to its process stays in it. */
#include "isolate/world.h"

#include "core/base/clock.h"

static const char bad[] = BAD_PLUGINS "/bad.so", echo[] = PLUGINS "/echo.so";

static struct world *begin(const struct pdk_isolation *isolation) {
    struct world *world = world_begin();
    pdk_error err = PDK_ERROR;
    const struct pdk_isolation usual = world_isolation();
    if (world_isolate(world, bad, NULL, NULL, isolation ? isolation : &usual, false, &err) < 0)
        fail_msg("%s", err.message);
    world_load(world, echo);
    world_start(world);
    world_until(world, world_is_up(world, "bad"));
    return world;
}

static struct world_run *submit(struct world *world, const char *how, const char *more) {
    static uint32_t number;
    char spec[512];
    (void)snprintf(spec, sizeof spec, "{'name': '%s-%u', 'kind': 'bad', 'with': {'how': '%s'}%s}", how, ++number, how,
                   more);
    return world_submit(world, spec, 0);
}

/* The same misbehaviour gets the same answer as in our own process. */
static void rules_that_are_broken(void **state) {
    static const struct {
        const char *how;
        int32_t end;
        const char *code, *misbehaves;
    } cases[] = {{"thread", PDK_END_SUCCEEDED, "", NULL},
                 {"twice", PDK_END_SUCCEEDED, "", "done twice for twice"},
                 {"storm", PDK_END_SUCCEEDED, "", "plugin bad misbehaves: done "},
                 {"late", PDK_END_SUCCEEDED, "", NULL},
                 {"liar", PDK_END_FAILED, "start_failed", "done twice for liar"},
                 {"guess", PDK_END_SUCCEEDED, "", "done for an attempt that is not on (0)"},
                 {"positive", PDK_END_FAILED, "start_failed", NULL},
                 {"canceled", PDK_END_CANCELED, "", NULL},
                 {"silent", PDK_END_FAILED, "start_failed", NULL},
                 {"odd", PDK_END_FAILED, "", NULL},
                 {"flood", PDK_END_SUCCEEDED, "", NULL}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct world *world = begin(NULL);
        const struct world_run *run = submit(world, cases[i].how, "");
        world_until(world, run->settled);
        if (run->end != cases[i].end || strcmp(run->code, cases[i].code) != 0)
            fail_msg("%s: end %d, code %s, %s", cases[i].how, run->end, run->code, run->message);
        if (cases[i].misbehaves) world_until(world, strstr(world->log, cases[i].misbehaves));
        assert_int_equal(world_count(world->log, "the process (pid"), 0);
        world_end(world);
    }
}

/* The attempt of before cannot end the one of now. */
static void a_ghost_of_the_first_attempt(void **state) {
    (void)state;
    struct world *world = begin(NULL);
    const struct world_run *run = submit(world, "ghost", ", 'restart': 'on-failure', 'retries': 3");
    world_until(world, run->settled);
    assert_int_equal(run->end, PDK_END_FATAL);
    assert_int_equal(run->attempts, 2);
    world_end(world);
}

static void expect_gone(const struct world_run *run, const char *words) {
    if (run->end != PDK_END_FAILED || strcmp(run->code, "plugin_gone") != 0 || !strstr(run->message, words))
        fail_msg("end %d, code %s, %s", run->end, run->code, run->message);
    assert_int_equal(run->status, PDK_FAILURE);
    assert_int_equal(run->category, PDK_CAT_INTERNAL);
}

static void comes_back(struct world *world) {
    const struct world_run *after = submit(world, "thread", "");
    world_until(world, after->settled);
    assert_int_equal(after->end, PDK_END_SUCCEEDED);
}

/* Its process ends, all its attempts with it, and nobody else's. */
static void crashes(void **state) {
    static const struct {
        const char *how, *words;
    } cases[] = {{"crash", "its plugin's process was killed by SIGKILL"},
                 {"abort", "its plugin's process was killed by SIGABRT"}};
    (void)state;
    struct world *world = begin(NULL);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int32_t before = world_warden(world, "bad");
        const struct world_run *other = submit(world, "never", "");
        world_until(world, other->started);
        const struct world_run *run = submit(world, cases[i].how, "");
        const struct world_run *good = world_submit(world, "{'name': 'good', 'kind': 'echo', 'with': {}}", 0);
        world_until(world, run->settled && other->settled && good->settled);
        expect_gone(run, cases[i].words);
        expect_gone(other, cases[i].words);
        assert_int_equal(good->end, PDK_END_SUCCEEDED);
        comes_back(world);
        assert_int_not_equal(world_warden(world, "bad"), before);
        assert_false(world_lives(before));
    }
    assert_int_equal(world_count(world->log, "2 attempts end with it; started again in"), 2);
    world_end(world);
}

/* plugin_gone is a failure like another: it is tried again, in the process that comes. */
static void crashes_are_tried_again(void **state) {
    (void)state;
    struct world *world = begin(NULL);
    const struct world_run *run = submit(world, "crash", ", 'restart': 'on-failure', 'retries': 2, 'backoff': '1ms'");
    world_until(world, run->settled);
    assert_int_equal(run->attempts, 3);
    expect_gone(run, "killed by SIGKILL");
    assert_int_equal(world_count(world->log, "the process (pid"), 3);
    world_end(world);
}

/* What it had said before it died counts, though nobody had listened yet. */
static void a_done_before_the_end(void **state) {
    (void)state;
    struct world *world = begin(NULL);
    int32_t host = world_host(world, "bad");
    const struct world_run *run = submit(world, "brief", "");
    world_until(world, run->started);
    pdk_ev_once(world->ev); /* the start goes out */
    while (world_lives(host)) {}
    world_until(world, run->settled);
    assert_int_equal(run->end, PDK_END_SUCCEEDED);
    world_until(world, world_count(world->log, "0 attempts end with it") == 1);
    comes_back(world);
    world_end(world);
}

static void a_loop_thread_that_hangs(void **state) {
    struct pdk_isolation isolation = world_isolation();
    isolation.ping_every = 20 * PDK_MILLISECOND;
    isolation.ping_timeout = 500 * PDK_MILLISECOND;
    (void)state;
    struct world *world = begin(&isolation);
    const struct world_run *run = submit(world, "hang", "");
    world_until(world, run->settled);
    expect_gone(run, "was killed: its loop thread did not answer for 500ms");
    comes_back(world);
    world_end(world);
}

/* Deaf to cancel and kill: after kill_wait its process is killed, so no run of it is ever lost. */
static void deaf(void **state) {
    (void)state;
    struct world *world = begin(NULL);
    const struct world_run *run =
        world_submit(world,
                     "{'name': 'deaf', 'kind': 'bad', 'with': {'how': 'never'}, 'timeout': '20ms', 'stop': {'grace': "
                     "'20ms'}}",
                     20);
    world_until(world, run->settled);
    assert_int_equal(run->end, PDK_END_TIMED_OUT);
    world_until(world, strstr(world->log, "was killed: a run of it did not stop, even when killed"));
    comes_back(world);
    world_end(world);
}

/* Nothing keeps a shutdown. */
static void deaf_at_the_end(void **state) {
    (void)state;
    struct world *world = begin(NULL);
    const struct world_run *run =
        world_submit(world, "{'name': 'deaf', 'kind': 'bad', 'with': {'how': 'never'}, 'stop': {'grace': '10ms'}}", 20);
    world_until(world, run->started);
    (void)pdk_supervisor_shutdown(world->supervisor);
    world_until(world, world->stopped);
    assert_true(run->settled);
    assert_int_equal(run->end, PDK_END_CANCELED);
    uint32_t stuck = 7;
    assert_int_equal(pdk_supervisor_stopped(world->supervisor, &stuck), 1);
    assert_int_equal(stuck, 0);
    world_end(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_that_are_broken),
        cmocka_unit_test(a_ghost_of_the_first_attempt),
        cmocka_unit_test(crashes),
        cmocka_unit_test(crashes_are_tried_again),
        cmocka_unit_test(a_done_before_the_end),
        cmocka_unit_test(a_loop_thread_that_hangs),
        cmocka_unit_test(deaf),
        cmocka_unit_test(deaf_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
