/* SPDX-License-Identifier: Apache-2.0 */
/* What follows the end of an attempt. */
#include "sim.h"

/* When attempts were started, in ms since the first. */
static void starts(struct sim *sim, const char *name, const uint64_t *ms, uint32_t count) {
    const struct sim_task *task = sim_task(sim, name);
    assert_true(task->starts >= count);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(task->started[i] - task->started[0], ms[i] * MS);
}
#define STARTS(sim, name, ...) \
    starts(sim, name, (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void once_ok(void **state) {
    struct sim *sim = sim_new();
    char text[256];
    (void)state;
    sim_listen(sim);
    pdk_run run = sim_submit(sim, "a", "'with':{'script':'S:1s'}");
    assert_int_equal(sim_state(sim, run), PDK_STATE_RUNNING);
    sim_advance(sim, 1 * S);
    sim_expect(sim, run, PDK_END_SUCCEEDED, "");
    assert_int_equal(sim_outcome(sim, run)->attempts, 1);
    assert_string_equal(sim_events(sim, run, text, sizeof text), "ACCEPTED STARTED ENDED OUTCOME");
    assert_string_equal(sim_outcome(sim, run)->run_id, "fake-a-1");
    sim_end(sim);
}

static void once_fail(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a", "'restart':'never','with':{'script':'F'}");
    sim_run(sim, run);
    sim_advance(sim, 0);
    sim_expect(sim, run, PDK_END_FAILED, "");
    assert_int_equal(sim_outcome(sim, run)->attempts, 1);
    sim_end(sim);
}

static void fatal_beats_always(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a", "'restart':'always','with':{'script':'X'}");
    sim_advance(sim, HOUR);
    sim_expect(sim, run, PDK_END_FATAL, NULL);
    assert_int_equal(sim_outcome(sim, run)->attempts, 1);
    sim_end(sim);
}

static void self_cancel_ends(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a", "'restart':'always','with':{'script':'C'}");
    sim_advance(sim, HOUR);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_outcome(sim, run)->reason, 0);
    assert_int_equal(sim_outcome(sim, run)->attempts, 1);
    sim_end(sim);
}

static void retry_vector(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    sim_listen(sim);
    pdk_run run = sim_submit(sim, "a", "'retries':3,'backoff':{'jitter':'none'},'with':{'script':'F'}");
    sim_advance(sim, HOUR);
    STARTS(sim, "a", 0, 200, 600, 1400);
    sim_expect(sim, run, PDK_END_FAILED, NULL);
    assert_int_equal(sim_outcome(sim, run)->attempts, 4);
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_WAITING, 1), "retry 2 of 3 in 400ms: exit code 1");
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_OUTCOME, 0), "gave up after 3 of 3 retries: exit code 1");
    sim_end(sim);
}

static const struct {
    const char *jitter;
    uint64_t delays[3]; /* after attempts 1, 2 and 9 */
} vectors[] = {
    {"none", {200000000, 400000000, 30000000000}},
    {"full", {194463262, 262214765, 27678446380}},
    {"equal", {152042073, 357764521, 27213510314}},
    {"decorrelated", {265674051, 964884968, 6275326003}},
};

/* The same numbers whatever else runs in between. */
static void jitter_vectors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        for (int others = 0; others < 2; others++) {
            struct sim *sim = sim_new();
            char fields[256];
            (void)snprintf(fields, sizeof fields, "'retries':12,'backoff':{'jitter':'%s'},'with':{'script':'F'}",
                           vectors[i].jitter);
            pdk_run run = sim_submit(sim, "a", fields);
            assert_int_equal(run >> PDK_INDEX_BITS, 1);
            for (int k = 0; others && k < 5; k++) {
                char name[8];
                (void)snprintf(name, sizeof name, "o%d", k);
                (void)sim_submit(sim, name, fields);
            }
            sim_advance(sim, HOUR);
            const struct sim_task *task = sim_task(sim, "a");
            const uint64_t *at = task->started;
            assert_int_equal(task->starts, 13);
            assert_int_equal(at[1] - at[0], vectors[i].delays[0]);
            assert_int_equal(at[2] - at[1], vectors[i].delays[1]);
            assert_int_equal(at[9] - at[8], vectors[i].delays[2]);
            sim_end(sim);
        }
    }
}

static void streak_reset(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a",
                             "'restart':'always','every':'1s','retries':2,'backoff':{'jitter':'none'},"
                             "'with':{'script':'F F S F F S F F S F F S -'}");
    sim_advance(sim, HOUR);
    STARTS(sim, "a", 0, 200, 600, 1600, 1800, 2200, 3200, 3400, 3800, 4800, 5000, 5400, 6400);
    assert_int_equal(sim_state(sim, run), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void long_run_resets_b_only(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run =
        sim_submit(sim, "a", "'retries':2,'backoff':{'jitter':'none','reset':'10m'},'with':{'script':'F:11m'}");
    sim_advance(sim, HOUR);
    STARTS(sim, "a", 0, 660200, 1320400);
    sim_expect(sim, run, PDK_END_FAILED, NULL);
    assert_int_equal(sim_outcome(sim, run)->attempts, 3);
    sim_end(sim);
}

static void every_after_end(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    sim_listen(sim);
    pdk_run run = sim_submit(sim, "a", "'every':'10s','with':{'script':'S:3s'}");
    sim_advance(sim, 27 * S);
    STARTS(sim, "a", 0, 13000, 26000);
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_WAITING, 0), "again in 10s");
    sim_end(sim);
}

static void ten_in_ten(struct pdk_task *task) {
    task->policy.start_burst = 10;
    task->policy.start_within = 10 * S;
}

static void hot_loop_limited(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    (void)sim_submit_task(sim, "a", "'restart':'always','with':{'script':'S'}", ten_in_ten);
    sim_advance(sim, 9 * S);
    assert_int_equal(sim_task(sim, "a")->starts, 10);
    sim_advance(sim, 2 * S);
    STARTS(sim, "a", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10000);
    sim_advance(sim, 89 * S);
    assert_int_equal(sim_task(sim, "a")->starts, 110);
    sim_end(sim);
}

/* No pause before a retry, but no busy loop either: on-failure, and the failures of what runs every so often. */
static void retries_at_once_are_limited(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    (void)sim_submit(sim, "a", "'backoff':'0s','with':{'script':'F'}");
    (void)sim_submit(sim, "b", "'every':'2s','backoff':{'first':'0s'},'with':{'script':'S F'}");
    (void)sim_submit(sim, "c", "'every':'500ms','backoff':'0s','with':{'script':'S'}");
    pdk_run few = sim_submit(sim, "d", "'retries':3,'backoff':'0s','with':{'script':'F'}");
    sim_advance(sim, 0);
    sim_expect(sim, few, PDK_END_FAILED, NULL);
    sim_advance(sim, 29 * S + 999 * MS);
    STARTS(sim, "a", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10000);
    assert_int_equal(sim_task(sim, "a")->starts, 30);
    STARTS(sim, "b", 0, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 2000, 10000, 12000, 12000);
    assert_int_equal(sim_task(sim, "c")->starts, 60); /* nobody holds it back */
    sim_end(sim);
}

static void three_in_five(struct pdk_task *task) {
    task->policy.start_burst = 3;
    task->policy.start_within = 5 * S;
    task->policy.start_fail = 1;
}

static void start_limit_fail(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit_task(sim, "a", "'restart':'always','with':{'script':'S'}", three_in_five);
    sim_advance(sim, MINUTE);
    sim_expect(sim, run, PDK_END_FAILED, "start_limit");
    assert_int_equal(sim_outcome(sim, run)->attempts, 3);
    sim_end(sim);
}

static void retry_after_exact(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a", "'retries':3,'backoff':{'jitter':'none'},'with':{'script':'R7s R7s F S'}");
    pdk_run never = sim_submit(sim, "b", "'restart':'never','with':{'script':'R7s'}");
    sim_advance(sim, MINUTE);
    STARTS(sim, "a", 0, 7000, 14000, 14200);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    sim_expect(sim, never, PDK_END_FAILED, NULL);
    run = sim_submit(sim, "c", "'retries':1,'with':{'script':'R7s'}");
    sim_advance(sim, MINUTE);
    sim_expect(sim, run, PDK_END_FAILED, NULL);
    assert_int_equal(sim_outcome(sim, run)->attempts, 2);
    sim_end(sim);
}

static void retry_after_clamped(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    (void)sim_submit(sim, "a", "'restart':'on-failure','with':{'script':'R9h R S'}");
    sim_advance(sim, 10 * HOUR);
    STARTS(sim, "a", 0, 3600000, 3600001);
    sim_end(sim);
}

/* `retries: {limit, within}`: two failures in ten seconds are too many, one every eight is not. */
static void retries_within(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run slow = sim_submit(
        sim, "a", "'retries':{'limit':1,'within':'10s'},'backoff':{'jitter':'none'},'with':{'script':'F:11s'}");
    pdk_run quick = sim_submit(
        sim, "b", "'retries':{'limit':1,'within':'10s'},'backoff':{'jitter':'none'},'with':{'script':'F:8s'}");
    sim_advance(sim, MINUTE);
    assert_int_equal(sim_outcome(sim, slow)->told, 0);
    sim_expect(sim, quick, PDK_END_FAILED, NULL);
    assert_int_equal(sim_outcome(sim, quick)->attempts, 2);
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_ok),
        cmocka_unit_test(once_fail),
        cmocka_unit_test(fatal_beats_always),
        cmocka_unit_test(self_cancel_ends),
        cmocka_unit_test(retry_vector),
        cmocka_unit_test(jitter_vectors),
        cmocka_unit_test(streak_reset),
        cmocka_unit_test(long_run_resets_b_only),
        cmocka_unit_test(every_after_end),
        cmocka_unit_test(hot_loop_limited),
        cmocka_unit_test(retries_at_once_are_limited),
        cmocka_unit_test(start_limit_fail),
        cmocka_unit_test(retry_after_exact),
        cmocka_unit_test(retry_after_clamped),
        cmocka_unit_test(retries_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
