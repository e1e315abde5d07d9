/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from an end, and the pauses: functions of their arguments. */
#include "support/unit.h"

#include "job.h"

static const struct queue_counts fresh = {0, 3, 0, 0}, last = {2, 3, 0, 0};
static const struct queue_backoff plain = {1000, 10000, 2000, 0};

static struct queue_verdict after(const struct queue_counts *counts, int32_t end, int32_t reason, const char *code) {
    struct queue_end how = {end, reason, 0, code, 0};
    return queue_life_ended(counts, &plain, &how, 0);
}

static void ends_by_table(void **state) {
    static const struct {
        const struct queue_counts *counts;
        int32_t end, reason;
        const char *code;
        enum queue_state state;
        enum queue_fate fate;
        int32_t outcome;
        bool dead;
        int64_t delay, attempts, snoozes;
    } rows[] = {
        {&fresh, PDK_END_SUCCEEDED, 0, "", QUEUE_ENDED, QUEUE_FINISHED, PDK_END_SUCCEEDED, false, 0, 1, 0},
        {&fresh, PDK_END_FAILED, 0, "", QUEUE_DELAYED, QUEUE_RETRIED, 0, false, 1000, 1, 0},
        {&last, PDK_END_FAILED, 0, "", QUEUE_ENDED, QUEUE_FINISHED, PDK_END_FAILED, true, 0, 3, 0},
        {&fresh, PDK_END_TIMED_OUT, 0, "", QUEUE_DELAYED, QUEUE_RETRIED, 0, false, 1000, 1, 0},
        {&last, PDK_END_TIMED_OUT, 0, "", QUEUE_ENDED, QUEUE_FINISHED, PDK_END_TIMED_OUT, true, 0, 3, 0},
        {&fresh, PDK_END_FATAL, 0, "", QUEUE_ENDED, QUEUE_FINISHED, PDK_END_FATAL, true, 0, 1, 0},
        {&fresh, PDK_END_CANCELED, PDK_CANCEL_USER, "", QUEUE_ENDED, QUEUE_FINISHED, PDK_END_CANCELED, false, 0, 1, 0},
        {&fresh, PDK_END_CANCELED, PDK_CANCEL_SHUTDOWN, "", QUEUE_READY, QUEUE_HANDED_BACK, 0, false, 0, 0, 0},
        {&fresh, PDK_END_CANCELED, PDK_CANCEL_DEADLINE, "", QUEUE_ENDED, QUEUE_FINISHED, PDK_END_TIMED_OUT, false, 0, 1,
         0},
        {&fresh, PDK_END_REJECTED, 0, "shutting_down", QUEUE_READY, QUEUE_HANDED_BACK, 0, false, 0, 0, 0},
        {&fresh, PDK_END_REJECTED, 0, "slot_busy", QUEUE_DELAYED, QUEUE_SNOOZED, 0, false, 1000, 0, 1},
        {&fresh, PDK_END_REJECTED, 0, "queue_full", QUEUE_DELAYED, QUEUE_SNOOZED, 0, false, 1000, 0, 1},
        {&fresh, PDK_END_REJECTED, 0, "replaced", QUEUE_ENDED, QUEUE_FINISHED, PDK_END_CANCELED, false, 0, 0, 0},
        {&fresh, PDK_END_REJECTED, 0, "deadline", QUEUE_ENDED, QUEUE_FINISHED, PDK_END_TIMED_OUT, false, 0, 0, 0},
        {&fresh, PDK_END_REJECTED, 0, "something new", QUEUE_ENDED, QUEUE_FINISHED, PDK_END_REJECTED, true, 0, 0, 0},
        {&fresh, PDK_END_LOST, 0, "", QUEUE_RUNNING, QUEUE_HANDED_BACK, 0, false, 0, 0, 0},
        {&fresh, 99, 0, "", QUEUE_ENDED, QUEUE_FINISHED, PDK_END_FATAL, true, 0, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct queue_verdict got = after(rows[i].counts, rows[i].end, rows[i].reason, rows[i].code);
        if (got.state != rows[i].state || got.fate != rows[i].fate || got.dead != rows[i].dead ||
            got.delay != rows[i].delay || got.counts.attempts != rows[i].attempts ||
            got.counts.snoozes != rows[i].snoozes || (got.state == QUEUE_ENDED && got.outcome != rows[i].outcome))
            fail_msg("row %zu", i);
    }
}

static void a_snooze_uses_up_nothing(void **state) {
    struct queue_counts counts = {2, 3, 0, 41};
    struct queue_end how = {PDK_END_FAILED, 0, PDK_RETRY, "", 5000000000u};
    (void)state;
    struct queue_verdict got = queue_life_ended(&counts, &plain, &how, 0);
    assert_int_equal(got.state, QUEUE_DELAYED);
    assert_int_equal(got.delay, 5000);
    assert_int_equal(got.counts.attempts, 2);
    assert_int_equal(got.counts.snoozes, 42);
    how.retry_after_ns = UINT64_MAX;
    assert_int_equal(queue_life_ended(&counts, &plain, &how, 0).delay, QUEUE_MAX_DELAY);
    how.retry_after_ns = 1;
    assert_int_equal(queue_life_ended(&counts, &plain, &how, 0).delay, 1);
    how.retry_after_ns = 0; /* at once: an attempt like another, or it would spin */
    assert_true(queue_life_ended(&counts, &plain, &how, 0).dead);
}

static void rescues_end_in_the_grave(void **state) {
    struct queue_counts counts = {1, 3, 0, 0};
    (void)state;
    for (int i = 1; i <= 5; i++) {
        struct queue_verdict got = queue_life_rescued(&counts, 5, false);
        assert_int_equal(got.state, QUEUE_READY);
        assert_int_equal(got.counts.rescues, i);
        assert_int_equal(got.counts.attempts, 1);
        counts = got.counts;
    }
    struct queue_verdict got = queue_life_rescued(&counts, 5, false);
    assert_int_equal(got.state, QUEUE_ENDED);
    assert_int_equal(got.outcome, PDK_END_LOST);
    assert_true(got.dead);
    assert_int_equal(queue_life_rescued(&fresh, 5, true).outcome, PDK_END_CANCELED);
}

static void pauses_grow_to_their_cap(void **state) {
    static const int64_t want[] = {1000, 2000, 4000, 8000, 10000, 10000};
    struct queue_backoff huge = {1, INT64_MAX, INT64_MAX, 0};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(want); i++)
        assert_int_equal(queue_life_backoff(&plain, (int64_t)i + 1, 0), want[i]);
    assert_int_equal(queue_life_backoff(&plain, 1000, 0), 10000);
    assert_int_equal(queue_life_backoff(&huge, 1000, 0), QUEUE_MAX_DELAY);
    struct queue_backoff even = {50, 5000, 1000, 0};
    assert_int_equal(queue_life_backoff(&even, 1000, 0), 50);
}

static void jitter_stays_within(void **state) {
    static const int64_t low[] = {4000, 0, 2000, 1000}, high[] = {4000, 4000, 4000, 10000};
    (void)state;
    for (int64_t jitter = 0; jitter < 4; jitter++) {
        struct queue_backoff backoff = {1000, 10000, 2000, jitter};
        int64_t least = INT64_MAX, most = 0;
        for (uint64_t i = 0; i < 20000; i++) {
            int64_t pause = queue_life_backoff(&backoff, 3, i * 0x9E3779B97F4A7C15u);
            if (pause < least) least = pause;
            if (pause > most) most = pause;
        }
        assert_true(least >= low[jitter] && least <= low[jitter] + 20);
        assert_true(most <= high[jitter] && most >= high[jitter] - 20);
    }
}

static void texts_are_cut_between_characters(void **state) {
    char buf[8];
    (void)state;
    queue_cut(buf, sizeof buf, "short");
    assert_string_equal(buf, "short");
    queue_cut(buf, sizeof buf, "sixsix\xc3\xa9");
    assert_string_equal(buf, "sixsix");
    queue_cut(buf, sizeof buf, "a\xff\xc3z\xed\xa0\x80");
    assert_string_equal(buf, "a??z???");
    queue_cut(buf, sizeof buf, "\xe2\x82\xac\xf0\x9f\x90\x8e!");
    assert_string_equal(buf, "\xe2\x82\xac\xf0\x9f\x90\x8e");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_by_table),
        cmocka_unit_test(a_snooze_uses_up_nothing),
        cmocka_unit_test(rescues_end_in_the_grave),
        cmocka_unit_test(pauses_grow_to_their_cap),
        cmocka_unit_test(jitter_stays_within),
        cmocka_unit_test(texts_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
