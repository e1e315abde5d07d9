/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every store promises to the queue (plugins/queue/store.h), in its words alone: no test here knows what is behind
 * the table. A new store gets a row in `stores` of conformance.h and nothing else. Here: what lives.
 */
#include "conformance.h"

/* ---- submit and claim ---- */

static void a_job_keeps_what_it_was_given(void **state) {
    struct queue_new given = some("mail");
    (void)state;
    given.spec = "{\"kind\":\"echo\"}";
    given.input = "[1,2]";
    given.priority = 7;
    int64_t id = give(&given).id;
    struct seen seen = show(id);
    assert_string_equal(seen.spec, given.spec);
    assert_int_equal(seen.job.state, QUEUE_READY);
    assert_int_equal(seen.job.priority, 7);
    assert_int_equal(seen.job.submitted, w.now);
    assert_int_equal(seen.job.counts.max_attempts, 3);
    struct claims claims = claim(10);
    assert_int_equal(claims.count, 1);
    assert_string_equal(claims.of[0].spec, given.spec);
    assert_string_equal(claims.of[0].input, given.input);
    assert_string_equal(claims.of[0].topic, "mail");
    assert_counts("mail", 0, 0, 1, 0);
}

static void priority_then_age_decides(void **state) {
    (void)state;
    int64_t a = give_topic("t", 0, 0), b = give_topic("t", 5, 0), c = give_topic("t", 0, 0), d = give_topic("t", 5, 0);
    struct claims first = claim(2), second = claim(2);
    assert_int_equal(first.count, 2);
    assert_true(first.of[0].id + first.of[1].id == b + d && first.of[0].id != first.of[1].id);
    assert_true(second.of[0].id + second.of[1].id == a + c);
}

static void topics_take_turns(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) (void)give_topic("long", 100, 0);
    (void)give_topic("short", -100, 0);
    struct claims claims = claim(4);
    bool found = false;
    assert_int_equal(claims.count, 4);
    for (size_t i = 0; i < claims.count; i++) found |= strcmp(claims.of[i].topic, "short") == 0;
    assert_true(found);
}

static void nothing_is_claimed_twice(void **state) {
    (void)state;
    (void)give_topic("t", 0, 0);
    assert_int_equal(claim(10).count, 1);
    assert_int_equal(claim(10).count, 0);
}

static void what_is_delayed_waits(void **state) {
    (void)state;
    int64_t id = give_topic("t", 0, 500);
    assert_int_equal(claim(10).count, 0);
    assert_int_equal(due, w.now + 500);
    assert_counts("t", 1, 0, 0, 0);
    w.now += 499;
    assert_int_equal(claim(10).count, 0);
    w.now += 1;
    struct claims claims = claim(10);
    assert_int_equal(claims.count, 1);
    assert_int_equal(claims.of[0].id, id);
    assert_int_equal(due, 0);
}

static void a_pause_and_a_limit_hold_back(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) (void)give_topic("t", 0, 0);
    set_topic("t", 1, -1);
    assert_int_equal(claim(10).count, 0);
    set_topic("t", 0, 2);
    struct claims claims = claim(10);
    assert_int_equal(claims.count, 2);
    assert_int_equal(claim(10).count, 0);
    assert_int_equal(settle(&claims, 0, PDK_END_SUCCEEDED), 0);
    assert_int_equal(claim(10).count, 1);
    set_topic("t", -1, 0);
    assert_int_equal(claim(10).count, 2);
    crash();
    assert_false(topic("t").paused);
    set_topic("t", 1, 3);
    crash();
    assert_true(topic("t").paused);
    assert_int_equal(topic("t").limit, 3);
}

/* ---- ends ---- */

static void an_end_moves_it_to_the_past(void **state) {
    (void)state;
    int64_t id = give_topic("t", 0, 0);
    struct claims claims = claim(1);
    w.now += 10;
    assert_int_equal(settle(&claims, 0, PDK_END_SUCCEEDED), 0);
    struct seen seen = show(id);
    assert_int_equal(seen.job.state, QUEUE_ENDED);
    assert_int_equal(seen.job.outcome, PDK_END_SUCCEEDED);
    assert_int_equal(seen.job.ended, w.now);
    assert_int_equal(seen.job.counts.attempts, 1);
    assert_int_equal(seen.attempts, 0);
    assert_string_equal(seen.message, "so it went");
    assert_counts("t", 0, 0, 0, 0);
}

static void a_late_completion_never_lands(void **state) {
    (void)state;
    int64_t id = give_topic("t", 0, 0);
    struct claims first = claim(1);
    assert_int_equal(settle(&first, 0, PDK_END_FAILED), 0);
    struct claims second = claim(1);
    assert_int_equal(second.of[0].id, id);
    assert_int_not_equal(second.of[0].fence, first.of[0].fence);
    assert_int_equal(settle(&first, 0, PDK_END_SUCCEEDED), -ESTALE);
    assert_int_equal(show(id).job.state, QUEUE_RUNNING);
    assert_int_equal(settle(&second, 0, PDK_END_SUCCEEDED), 0);
    assert_int_equal(settle(&second, 0, PDK_END_FATAL), -ESTALE);
    assert_int_equal(show(id).job.outcome, PDK_END_SUCCEEDED);
    assert_int_equal(settle_as(9999, 1, &first.of[0].counts, PDK_END_SUCCEEDED), -ESTALE);
}

static void failures_are_counted_until_it_is_dead(void **state) {
    (void)state;
    int64_t id = give_topic("t", 0, 0);
    for (int i = 0; i < 3; i++) {
        struct claims claims = claim(1);
        assert_int_equal(claims.count, 1);
        assert_int_equal(claims.of[0].counts.attempts, i);
        assert_int_equal(settle(&claims, 0, PDK_END_FAILED), 0);
    }
    struct seen seen = show(id);
    assert_int_equal(seen.job.outcome, PDK_END_FAILED);
    assert_true(seen.job.dead);
    assert_int_equal(seen.job.counts.attempts, 3);
    assert_int_equal(seen.attempts, 2);
    assert_int_equal(seen.fates[0], QUEUE_RETRIED);
    assert_counts("t", 0, 0, 0, 1);
}

static void a_roll_back_leaves_no_trace(void **state) {
    struct queue_new given = some("t");
    struct queue_receipt receipt;
    pdk_error err = PDK_ERROR;
    (void)state;
    int64_t kept = give_topic("t", 0, 0);
    struct claims claims = claim(1);
    begin();
    struct queue_settle settle = {.id = kept, .fence = claims.of[0].fence};
    settle.verdict = (struct queue_verdict){.state = QUEUE_ENDED, .dead = true};
    assert_int_equal(w.ops->settle(w.store, &settle, &err), 0);
    assert_int_equal(w.ops->submit(w.store, &given, NULL, NULL, &receipt, &err), 0);
    given.topic = "new";
    assert_int_equal(w.ops->submit(w.store, &given, NULL, NULL, &receipt, &err), 0);
    struct queue_topic_setting setting = {"t", 7, 1};
    assert_int_equal(w.ops->set_topic(w.store, &setting, &err), 0);
    w.ops->rollback(w.store);
    assert_counts("t", 0, 0, 1, 0);
    assert_false(topic("t").paused);
    assert_int_equal(topic("t").limit, 0);
    int64_t next = give_topic("new", 0, 0);
    assert_true(next > kept);
    assert_counts("new", 0, 1, 0, 0);
    crash();
    assert_counts("new", 0, 1, 0, 0);
}

/* ---- cancel ---- */

static int32_t cancel(int64_t id) {
    pdk_error err = PDK_ERROR;
    begin();
    int32_t rc = w.ops->cancel(w.store, id, "no more", &err);
    commit();
    return rc;
}

static void a_cancel_ends_what_waits(void **state) {
    (void)state;
    int64_t ready = give_topic("t", 0, 0), delayed = give_topic("t", 0, 1000);
    assert_int_equal(cancel(ready), 0);
    assert_int_equal(cancel(delayed), 0);
    assert_int_equal(show(ready).job.outcome, PDK_END_CANCELED);
    assert_false(show(delayed).job.dead);
    assert_string_equal(show(delayed).message, "no more");
    assert_int_equal(cancel(ready), -EALREADY);
    assert_int_equal(cancel(9999), -ENOENT);
    assert_int_equal(claim(10).count, 0);
    assert_counts("t", 0, 0, 0, 0);
}

static void a_cancel_wins_over_a_retry_and_a_rescue(void **state) {
    (void)state;
    int64_t id = give_topic("t", 0, 0);
    struct claims claims = claim(1);
    assert_int_equal(cancel(id), 1);
    assert_int_equal(show(id).job.state, QUEUE_RUNNING);
    assert_int_equal(settle(&claims, 0, PDK_END_FAILED), 0);
    assert_int_equal(show(id).job.outcome, PDK_END_CANCELED);
    int64_t other = give_topic("t", 0, 0);
    (void)claim(1);
    assert_int_equal(cancel(other), 1);
    crash();
    assert_int_equal(show(other).job.outcome, PDK_END_CANCELED);
}

/* ---- keys ---- */

static void an_idempotency_key_gives_the_first_id_for_a_day(void **state) {
    struct queue_new given = some("t");
    (void)state;
    given.key = "k1";
    struct queue_receipt first = give(&given), again = give(&given);
    assert_false(first.duplicate);
    assert_true(again.duplicate);
    assert_int_equal(again.id, first.id);
    struct claims claims = claim(10);
    assert_int_equal(claims.count, 1);
    assert_int_equal(settle(&claims, 0, PDK_END_SUCCEEDED), 0);
    crash();
    assert_int_equal(give(&given).id, first.id);
    w.now += QUEUE_KEY_AGE + 1;
    assert_false(give(&given).duplicate);
}

static void a_unique_key_is_alive_once(void **state) {
    (void)state;
    struct queue_receipt first = give_unique("{\"v\":1}", QUEUE_KEEP, 0);
    struct queue_receipt kept = give_unique("{\"v\":2}", QUEUE_KEEP, 0);
    assert_true(kept.duplicate && kept.id == first.id);
    assert_string_equal(show(first.id).spec, "{\"v\":1}");
    struct queue_receipt replaced = give_unique("{\"v\":3}", QUEUE_REPLACE, 900);
    assert_true(replaced.duplicate && replaced.id == first.id);
    assert_string_equal(show(first.id).spec, "{\"v\":3}");
    assert_int_equal(show(first.id).job.state, QUEUE_READY); /* replace leaves the time alone */
    struct claims claims = claim(1);
    assert_true(give_unique("{}", QUEUE_KEEP, 0).duplicate);
    assert_int_equal(settle(&claims, 0, PDK_END_SUCCEEDED), 0);
    assert_false(give_unique("{}", QUEUE_KEEP, 0).duplicate);
}

static void debounce_waits_for_the_last(void **state) {
    (void)state;
    struct queue_receipt first = give_unique("{\"v\":1}", QUEUE_DEBOUNCE, 1000);
    w.now += 900;
    struct queue_receipt second = give_unique("{\"v\":2}", QUEUE_DEBOUNCE, 1000);
    assert_int_equal(second.id, first.id);
    assert_int_equal(show(first.id).job.due, w.now + 1000);
    w.now += 900;
    assert_int_equal(claim(10).count, 0);
    w.now += 100;
    struct claims claims = claim(10);
    assert_int_equal(claims.count, 1);
    assert_string_equal(claims.of[0].spec, "{\"v\":2}");
}

static void what_runs_hands_its_key_to_the_newest(void **state) {
    (void)state;
    struct queue_receipt first = give_unique("{\"v\":1}", QUEUE_REPLACE, 0);
    struct claims claims = claim(1);
    struct queue_receipt second = give_unique("{\"v\":2}", QUEUE_REPLACE, 0);
    assert_false(second.duplicate);
    assert_int_not_equal(second.id, first.id);
    assert_int_equal(settle(&claims, 0, PDK_END_FAILED), 0); /* it comes back, without the key */
    assert_int_equal(claim(10).count, 2);
}

/* What a claim brought may be used instead of what is stored: nobody can tell. */
static void both_ways_to_end_are_one(void **state) {
    struct queue_new given = some("both");
    struct seen seen[2];
    (void)state;
    given.spec = "{\"a\":1}";
    given.input = "[2]";
    given.priority = 7;
    for (int i = 0; i < 2; i++) {
        int64_t id = give(&given).id;
        struct claims claims = claim(1);
        assert_int_equal(claims.of[0].id, id);
        assert_int_equal(i ? settle(&claims, 0, PDK_END_SUCCEEDED)
                           : settle_as(id, claims.of[0].fence, &claims.of[0].counts, PDK_END_SUCCEEDED),
                         0);
        assert_int_equal(settle(&claims, 0, PDK_END_SUCCEEDED), -ESTALE);
        seen[i] = show(id);
    }
    assert_string_equal(seen[0].spec, seen[1].spec);
    assert_string_equal(seen[0].message, seen[1].message);
    seen[1].job.id = seen[0].job.id;
    for (int i = 0; i < 2; i++)
        seen[i].job.topic = seen[i].job.name = seen[i].job.kind = seen[i].job.spec = seen[i].job.input =
            seen[i].job.code = seen[i].job.message = seen[i].job.run_id = seen[i].job.output = seen[i].job.trace = NULL;
    assert_memory_equal(&seen[0].job, &seen[1].job, sizeof seen[0].job);
    assert_int_equal(topic("both").jobs[QUEUE_RUNNING], 0);
}

/* Its key is free again when it ends, whoever has it by then. */
static void a_unique_one_ends_with_its_key(void **state) {
    struct queue_new given = some("keyed");
    (void)state;
    given.unique = "one";
    int64_t first = give(&given).id;
    struct claims claims = claim(1);
    assert_int_equal(claims.of[0].id, first);
    assert_true(claims.of[0].job.unique);
    assert_true(give(&given).duplicate);
    assert_int_equal(settle(&claims, 0, PDK_END_SUCCEEDED), 0);
    assert_false(give(&given).duplicate);
}

static void a_probe_means_nothing(void **state) {
    pdk_error err = PDK_ERROR;
    (void)state;
    int64_t id = give_topic("a", 0, 0);
    begin();
    assert_int_equal(w.ops->probe(w.store, &err), 0);
    commit();
    assert_int_equal(show(id).job.state, QUEUE_READY);
    assert_int_equal(topic("a").jobs[QUEUE_READY], 1);
}

/* Given or not, it is the same from the first claim to the past. */
static void a_trace_goes_through_all_of_it(void **state) {
    static const char own[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    char made[QUEUE_TRACE_SIZE];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct queue_new given = some("traced");
        given.trace = i ? own : NULL;
        int64_t id = give(&given).id;
        queue_cut(made, sizeof made, show(id).trace);
        assert_true(queue_trace_is(made));
        if (i) assert_string_equal(made, own);
        struct claims claims = claim(1);
        assert_string_equal(claims.of[0].trace, made);
        assert_int_equal(settle(&claims, 0, PDK_END_FAILED), 0);
        crash();
        claims = claim(1);
        assert_string_equal(claims.of[0].trace, made);
        crash(); /* it is rescued */
        claims = claim(1);
        assert_string_equal(claims.of[0].trace, made);
        assert_int_equal(settle(&claims, 0, PDK_END_SUCCEEDED), 0);
        assert_string_equal(show(id).trace, made);
    }
    assert_false(queue_trace_is("00-00000000000000000000000000000000-b7ad6b7169203331-01"));
    assert_false(queue_trace_is("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    assert_false(queue_trace_is("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"));
    assert_false(queue_trace_is(""));
}

/* Those that were out when hosts died come back fewer at a time: each death costs a few jobs at most, and not all that
 * waited beside the one that kills. */
static void what_waits_beside_a_killer_survives(void **state) {
    static const size_t out[] = {20, 20, 16, 4 + 4, 4};
    (void)state;
    for (int i = 0; i < 20; i++) (void)give_topic("beside", 0, 0);
    for (size_t died = 0; died < COUNT_OF(out); died++) {
        assert_int_equal(claim(64).count, out[died]);
        assert_int_equal(claim(64).count, 0);
        crash();
    }
    assert_counts("beside", 0, 12, 0, 8);
    for (int i = 0; i < 3; i++) {
        struct claims claims = claim(64);
        assert_int_equal(claims.count, 4);
        for (size_t k = 0; k < 4; k++) assert_int_equal(settle(&claims, k, PDK_END_SUCCEEDED), 0);
    }
    assert_counts("beside", 0, 0, 0, 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_job_keeps_what_it_was_given),
        CASE(priority_then_age_decides),
        CASE(topics_take_turns),
        CASE(nothing_is_claimed_twice),
        CASE(what_is_delayed_waits),
        CASE(a_pause_and_a_limit_hold_back),
        CASE(an_end_moves_it_to_the_past),
        CASE(a_late_completion_never_lands),
        CASE(failures_are_counted_until_it_is_dead),
        CASE(a_roll_back_leaves_no_trace),
        CASE(a_cancel_ends_what_waits),
        CASE(a_cancel_wins_over_a_retry_and_a_rescue),
        CASE(an_idempotency_key_gives_the_first_id_for_a_day),
        CASE(a_unique_key_is_alive_once),
        CASE(debounce_waits_for_the_last),
        CASE(what_runs_hands_its_key_to_the_newest),
        CASE(both_ways_to_end_are_one),
        CASE(a_unique_one_ends_with_its_key),
        CASE(a_probe_means_nothing),
        CASE(a_trace_goes_through_all_of_it),
        CASE(what_waits_beside_a_killer_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
