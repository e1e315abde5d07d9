/* SPDX-License-Identifier: Apache-2.0 */
/* sleep: in virtual time. */
#include "plugin_test.h"

static void sleeps_as_long_as_told(void **state) {
    pdk_test *m = load_plugin("sleep", NULL, 0);
    pdk_test_attempt *attempt = start(build(m, "sleep", "{'for': '2s'}"));
    (void)state;
    pdk_test_advance(m, SECONDS(2) - 1);
    assert_int_equal(attempt->done, 0);
    pdk_test_advance(m, 1);
    assert_int_equal(attempt->done, 1);
    assert_int_equal(attempt->status, PDK_SUCCESS);
    assert_int_equal(pdk_test_timers(m), 0);
    end_plugin(m);
}

static void sleeps_a_second_unless_told(void **state) {
    pdk_test *m = load_plugin("sleep", NULL, 0);
    pdk_test_attempt *attempt = start(build(m, "sleep", "{}"));
    (void)state;
    pdk_test_advance(m, SECONDS(1) - 1);
    assert_int_equal(attempt->done, 0);
    pdk_test_advance(m, 1);
    assert_int_equal(attempt->done, 1);
    end_plugin(m);
}

static void zero_is_no_time_but_not_at_once(void **state) {
    pdk_test *m = load_plugin("sleep", NULL, 0);
    pdk_test_attempt *attempt = start(build(m, "sleep", "{'for': 0}"));
    (void)state;
    assert_int_equal(attempt->done, 0);
    pdk_test_advance(m, 0);
    assert_int_equal(attempt->done, 1);
    end_plugin(m);
}

static void reports_progress(void **state) {
    pdk_test *m = load_plugin("sleep", NULL, 0);
    pdk_test_attempt *attempt = start(build(m, "sleep", "{'for': '1s'}"));
    (void)state;
    pdk_test_advance(m, SECONDS(1) / 2);
    assert_int_equal(attempt->reports, 5);
    assert_true(attempt->fraction > 0.49 && attempt->fraction < 0.51);
    pdk_test_advance(m, SECONDS(1) / 2);
    assert_int_equal(attempt->reports, 9);
    end_plugin(m);
}

static void a_long_sleep_reports_fifty_times(void **state) {
    pdk_test *m = load_plugin("sleep", NULL, 0);
    pdk_test_attempt *attempt = start(build(m, "sleep", "{'for': '1h'}"));
    (void)state;
    pdk_test_advance(m, SECONDS(3600));
    assert_int_equal(attempt->done, 1);
    assert_int_equal(attempt->reports, 49);
    end_plugin(m);
}

static void is_quiet_when_told(void **state) {
    pdk_test *m = load_plugin("sleep", NULL, 0);
    pdk_test_attempt *attempt = start(build(m, "sleep", "{'for': '1h', 'progress': false}"));
    (void)state;
    pdk_test_advance(m, SECONDS(3600));
    assert_int_equal(attempt->done, 1);
    assert_int_equal(attempt->reports, 0);
    end_plugin(m);
}

/* A length that no step divides, and a clock that is ahead of the timer, still end in time. */
static void ends_on_time_for_odd_lengths(void **state) {
    static const uint64_t lengths[] = {1, 199999999, 200000001, 333333333, 1234567891, 7777777777};
    pdk_test *m = load_plugin("sleep", NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        pdk_test_attempt *attempt;
        char with[64];
        (void)snprintf(with, sizeof with, "{'for': '%lluns'}", (unsigned long long)lengths[i]);
        attempt = start(build(m, "sleep", with));
        pdk_test_advance(m, lengths[i] - 1);
        assert_int_equal(attempt->done, 0);
        pdk_test_advance(m, 1);
        assert_int_equal(attempt->done, 1);
    }
    end_plugin(m);
}

static void ends_as_told(void **state) {
    static const char *const words[] = {"success", "failure", "fatal", "retry"};
    pdk_test *m = load_plugin("sleep", NULL, 0);
    (void)state;
    for (int32_t i = 0; i < 4; i++) {
        pdk_test_attempt *attempt;
        char with[64];
        (void)snprintf(with, sizeof with, "{'for': '1ms', 'then': '%s'}", words[i]);
        attempt = start(build(m, "sleep", with));
        pdk_test_advance(m, SECONDS(1));
        assert_int_equal(attempt->status, i);
    }
    end_plugin(m);
}

static void retry_after_is_handed_on(void **state) {
    pdk_test *m = load_plugin("sleep", NULL, 0);
    pdk_test_attempt *attempt = start(build(m, "sleep", "{'for': 0, 'then': 'retry', 'retry_after': '7s'}"));
    (void)state;
    pdk_test_advance(m, 1);
    assert_int_equal(attempt->status, PDK_RETRY);
    assert_true(attempt->retry_after_ns == SECONDS(7));
    assert_string_equal(refused(m, "sleep", "{'retry_after': '7s'}", NULL), "retry_after goes with then: retry");
    end_plugin(m);
}

static void fails_as_often_as_told(void **state) {
    pdk_test *m = load_plugin("sleep", NULL, 0);
    pdk_test_task *task = build(m, "sleep", "{'for': '1ms', 'then': 'failure', 'times': 2}");
    (void)state;
    for (int i = 1; i <= 4; i++) {
        pdk_test_attempt *attempt = start(task);
        pdk_test_advance(m, SECONDS(1));
        assert_int_equal(attempt->status, i <= 2 ? PDK_FAILURE : PDK_SUCCESS);
    }
    end_plugin(m);
}

static void cancel_wakes_it(void **state) {
    pdk_test *m = load_plugin("sleep", NULL, 0);
    pdk_test_task *task = build(m, "sleep", "{'for': '1h'}");
    pdk_test_attempt *attempt = start(task);
    (void)state;
    pdk_test_advance(m, SECONDS(60));
    cancel(attempt);
    assert_int_equal(attempt->done, 1);
    assert_int_equal(attempt->status, PDK_CANCELED);
    assert_int_equal(pdk_test_timers(m), 0);
    /* a cancel that crosses done */
    pdk_test_cancel_late(attempt, PDK_CANCEL_USER);
    assert_int_equal(attempt->done, 1);
    attempt = start(task);
    pdk_test_advance(m, SECONDS(3600));
    assert_int_equal(attempt->status, PDK_SUCCESS);
    end_plugin(m);
}

static void without_a_loop_it_is_checked_and_not_run(void **state) {
    pdk_test *m = load_plugin("sleep", NULL, PDK_TEST_NO_SERVICES);
    (void)state;
    assert_int_equal(start_refused(build(m, "sleep", "{'for': '1s'}")), -ENOTSUP);
    (void)refused(m, "sleep", "{'then': 'later'}", NULL);
    end_plugin(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeps_as_long_as_told),
        cmocka_unit_test(sleeps_a_second_unless_told),
        cmocka_unit_test(zero_is_no_time_but_not_at_once),
        cmocka_unit_test(reports_progress),
        cmocka_unit_test(a_long_sleep_reports_fifty_times),
        cmocka_unit_test(is_quiet_when_told),
        cmocka_unit_test(ends_on_time_for_odd_lengths),
        cmocka_unit_test(ends_as_told),
        cmocka_unit_test(retry_after_is_handed_on),
        cmocka_unit_test(fails_as_often_as_told),
        cmocka_unit_test(cancel_wakes_it),
        cmocka_unit_test(without_a_loop_it_is_checked_and_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
