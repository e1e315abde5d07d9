/* SPDX-License-Identifier: Apache-2.0 */
/* states.md section 11, tests 1 to 13: what follows the end of an attempt. */
#include "sim.h"

/* When attempts were started, in ms since the first. */
static void starts(struct sim *sim, const char *name, const uint64_t *ms, uint32_t count) {
    const struct sim_task *task = sim_task(sim, name);
    assert_true(task->starts >= count);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(task->started[i] - task->started[0], ms[i] * MS);
}
#define STARTS(sim, name, ...)                                                                                         \
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
    pdk_run run = sim_submit_task(sim, "a", "'with':{'script':'F'}", NULL);
    sim_advance(sim, 0);
    sim_expect(sim, run, PDK_END_FAILED, "");
    assert_int_equal(sim_outcome(sim, run)->attempts, 1);
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(once_ok), cmocka_unit_test(once_fail)};
    (void)starts;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
