/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of retries: exact delays, and what holds for every policy there can be. */
#include "support/unit.h"

#include "core/base/clock.h"
#include "core/supervise/jitter.h"
#include "core/supervise/policy.h"

#define MS PDK_MILLISECOND

static struct pdk_policy on_failure(void) {
    return (struct pdk_policy){.restart = PDK_RESTART_ON_FAILURE,
                               .jitter = PDK_JITTER_NONE,
                               .retries = PDK_RETRIES_UNLIMITED,
                               .backoff_first = 200 * MS,
                               .backoff_max = 30000 * MS,
                               .backoff_factor = 2 << 20,
                               .backoff_reset = 60000 * MS};
}

static struct pdk_ending failure(uint64_t now) {
    return (struct pdk_ending){.status = PDK_FAILURE, .now = now, .seed = 1, .seq = 1};
}

static struct pdk_next ask(const struct pdk_policy *policy, const struct pdk_past *past,
                           const struct pdk_ending *ending) {
    struct pdk_next next;
    pdk_policy_next(policy, past, ending, &next);
    return next;
}

static void bases(void **state) {
    static const uint64_t expected[] = {200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    struct pdk_policy policy = on_failure();
    struct pdk_past past = {0};
    struct pdk_ending ending = failure(1);
    (void)state;
    for (uint32_t i = 0; i < 10; i++) {
        past.attempts = i + 1;
        struct pdk_next next = ask(&policy, &past, &ending);
        assert_int_equal(next.kind, PDK_NEXT_RETRY);
        assert_int_equal(next.delay, expected[i] * MS);
        past.base = next.base;
        past.retries = next.retries;
    }
}

static void factor_of_one_and_a_tenth(void **state) {
    static const uint64_t expected[] = {200000000, 220000076, 242000167, 266200276};
    struct pdk_policy policy = on_failure();
    struct pdk_past past = {0};
    struct pdk_ending ending = failure(1);
    (void)state;
    policy.backoff_factor = 1153434; /* round(1.1 * 2^20) */
    for (uint32_t i = 0; i < 4; i++) {
        past.base = ask(&policy, &past, &ending).base;
        assert_int_equal(past.base, expected[i]);
    }
}

static const struct {
    enum pdk_jitter jitter;
    uint64_t delays[3];
} vectors[] = {
    {PDK_JITTER_FULL, {194463262, 262214765, 27678446380}},
    {PDK_JITTER_EQUAL, {152042073, 357764521, 27213510314}},
    {PDK_JITTER_DECORRELATED, {265674051, 964884968, 6275326003}},
};

static void jitters(void **state) {
    struct pdk_policy policy = on_failure();
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        policy.jitter = vectors[i].jitter;
        assert_int_equal(pdk_jitter_delay(&policy, 200 * MS, 1, 1, 1), vectors[i].delays[0]);
        assert_int_equal(pdk_jitter_delay(&policy, 400 * MS, 1, 1, 2), vectors[i].delays[1]);
        assert_int_equal(pdk_jitter_delay(&policy, 30000 * MS, 1, 1, 9), vectors[i].delays[2]);
    }
}

/* An odd base: the half is rounded down, and what is left of it is drawn from. */
static void odd_half(void **state) {
    struct pdk_policy policy = on_failure();
    (void)state;
    policy.jitter = PDK_JITTER_EQUAL;
    assert_int_equal(pdk_jitter_delay(&policy, 200000001, 1, 1, 1), 167201261);
}

static uint64_t dice = 1;
static uint64_t roll(uint64_t sides) {
    dice = pdk_jitter_mix(dice);
    return dice % sides;
}

static struct pdk_policy any_policy(void) {
    struct pdk_policy policy = on_failure();
    policy.jitter = (enum pdk_jitter)roll(4);
    policy.backoff_max = 1 + roll(roll(2) ? UINT64_MAX / 2 : 100000 * MS);
    policy.backoff_first = roll(5) ? MS + roll(policy.backoff_max) : 0;
    if (policy.backoff_first > policy.backoff_max) policy.backoff_first = policy.backoff_max;
    policy.backoff_factor = (1 << 20) + roll((uint64_t)999 << 20);
    return policy;
}

/* Whatever the numbers: bases never shrink within a streak, no delay is above the maximum or below its floor. */
static void any_policy_holds(void **state) {
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct pdk_policy policy = any_policy();
        struct pdk_past past = {0};
        for (past.attempts = 1; past.attempts < 12; past.attempts++) {
            struct pdk_ending ending = failure(roll(UINT64_MAX));
            ending.seed = roll(UINT64_MAX);
            struct pdk_next next = ask(&policy, &past, &ending);
            uint64_t floor = MS < policy.backoff_max ? MS : policy.backoff_max;
            assert_int_equal(next.kind, PDK_NEXT_RETRY);
            assert_true(next.base >= past.base && next.base <= policy.backoff_max);
            assert_true(next.delay <= policy.backoff_max);
            assert_true(next.base == 0 ? next.delay == 0 : next.delay >= floor);
            past.base = next.base;
            past.retries = next.retries;
        }
    }
}

static void limit_is_tested_first(void **state) {
    struct pdk_policy policy = on_failure();
    struct pdk_past past = {.attempts = 4, .retries = 3};
    struct pdk_ending ending = failure(1);
    (void)state;
    policy.retries = 3;
    struct pdk_next next = ask(&policy, &past, &ending);
    assert_int_equal(next.kind, PDK_NEXT_END);
    assert_int_equal(next.end, PDK_END_FAILED);
    assert_true(next.exhausted);
    ending.timed_out = true;
    ending.status = PDK_SUCCESS; /* whatever was said after it ran out of time */
    assert_int_equal(ask(&policy, &past, &ending).end, PDK_END_TIMED_OUT);
}

static void times_saturate(void **state) {
    struct pdk_policy policy = on_failure();
    struct pdk_past past = {0};
    struct pdk_ending ending = failure(UINT64_MAX - 1);
    (void)state;
    ending.deadline = UINT64_MAX;
    struct pdk_next next = ask(&policy, &past, &ending);
    assert_int_equal(next.kind, PDK_NEXT_END);
    assert_string_equal(next.code, "deadline");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bases),
        cmocka_unit_test(factor_of_one_and_a_tenth),
        cmocka_unit_test(jitters),
        cmocka_unit_test(odd_half),
        cmocka_unit_test(any_policy_holds),
        cmocka_unit_test(limit_is_tested_first),
        cmocka_unit_test(times_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
