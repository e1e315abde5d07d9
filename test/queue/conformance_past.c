/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every store promises to the queue (plugins/queue/store.h), in its words alone: no test here knows what is behind
 * the table. A new store gets a row in `stores` of conformance.h and nothing else. Here: what has ended, and what a crash leaves.
 */
#include "conformance.h"

/* ---- the past ---- */

static void the_dead_are_replayed(void **state) {
    pdk_error err = PDK_ERROR;
    (void)state;
    int64_t a = kill_one("t", NULL), b = kill_one("t", "u"), c = kill_one("t", NULL);
    (void)kill_one("other", NULL);
    assert_counts("t", 0, 0, 0, 3);
    begin();
    assert_int_equal(w.ops->replay(w.store, a, NULL, 0, &err), 1);
    commit();
    struct claims claims = claim(1);
    assert_int_equal(claims.of[0].id, a);
    assert_int_equal(claims.of[0].counts.attempts, 0);
    assert_int_equal(settle(&claims, 0, PDK_END_SUCCEEDED), 0);
    begin();
    assert_int_equal(w.ops->replay(w.store, a, NULL, 0, &err), -EBUSY);
    assert_int_equal(w.ops->replay(w.store, 9999, NULL, 0, &err), -ENOENT);
    commit();
    (void)give_unique("{}", QUEUE_KEEP, 5000);
    begin();
    assert_int_equal(w.ops->replay(w.store, b, NULL, 0, &err), -EEXIST);
    assert_int_equal(w.ops->replay(w.store, 0, "t", 100, &err), 1); /* c; the key of b is taken */
    commit();
    assert_int_equal(show(c).job.state, QUEUE_READY);
    assert_counts("t", 1, 1, 0, 1);
    assert_counts("other", 0, 0, 0, 1);
}

static void a_retry_is_a_new_job(void **state) {
    struct queue_receipt made;
    pdk_error err = PDK_ERROR;
    (void)state;
    int64_t old = kill_one("t", NULL);
    begin();
    assert_int_equal(w.ops->retry(w.store, old, &made, &err), 0);
    commit();
    assert_int_not_equal(made.id, old);
    assert_int_equal(show(old).job.state, QUEUE_ENDED);
    begin();
    assert_int_equal(w.ops->retry(w.store, made.id, &made, &err), -EBUSY);
    assert_int_equal(w.ops->retry(w.store, 9999, &made, &err), -ENOENT);
    commit();
    assert_counts("t", 0, 1, 0, 1);
}

static int32_t find(int64_t id) {
    struct seen seen = {0};
    pdk_error err = PDK_ERROR;
    begin();
    int32_t rc = w.ops->show(w.store, id, note_job, note_attempt, &seen, &err);
    commit();
    return rc;
}

static void what_is_old_is_forgotten(void **state) {
    pdk_error err = PDK_ERROR;
    (void)state;
    int64_t dead = kill_one("t", NULL), good = give_topic("t", 0, 0);
    struct claims claims = claim(1);
    assert_int_equal(settle(&claims, 0, PDK_END_SUCCEEDED), 0);
    w.now += w.config.keep_ended + 1;
    int64_t fresh = give_topic("t", 0, 0);
    begin();
    assert_int_equal(w.ops->sweep(w.store, 100, &err), 1);
    commit();
    assert_int_equal(find(good), -ENOENT);
    assert_int_equal(find(dead), 0);
    assert_int_equal(find(fresh), 0);
    w.now += w.config.keep_dead;
    begin();
    assert_int_equal(w.ops->sweep(w.store, 100, &err), 1);
    commit();
    assert_int_equal(find(dead), -ENOENT);
    assert_int_equal(find(fresh), 0); /* what lives is never swept */
    assert_counts("t", 0, 1, 0, 0);
}

static void a_purge_takes_what_was_named(void **state) {
    pdk_error err = PDK_ERROR;
    (void)state;
    int64_t a = kill_one("t", NULL), b = kill_one("t", NULL), other = kill_one("u", NULL);
    int64_t live = give_topic("t", 0, 0);
    begin();
    assert_int_equal(w.ops->purge(w.store, live, NULL, 0, 0, &err), -EBUSY);
    assert_int_equal(w.ops->purge(w.store, a, NULL, 0, 0, &err), 1);
    assert_int_equal(w.ops->purge(w.store, 0, "t", w.now, 100, &err), 0); /* before now, not now */
    assert_int_equal(w.ops->purge(w.store, 0, "t", w.now + 1, 100, &err), 1);
    commit();
    assert_int_equal(find(b), -ENOENT);
    assert_int_equal(find(other), 0);
    assert_counts("t", 0, 1, 0, 0);
    crash();
    assert_true(give_topic("t", 0, 0) > live); /* no id is given twice */
}

/* ---- list ---- */

static struct seen list(struct queue_filter filter, int64_t *next) {
    struct seen seen = {0};
    pdk_error err = PDK_ERROR;
    begin();
    assert_int_equal(w.ops->list(w.store, &filter, note_job, &seen, next, &err), 0);
    commit();
    return seen;
}

static void a_list_has_both_worlds_in_pages(void **state) {
    struct queue_filter all = {.limit = 3};
    int64_t next;
    (void)state;
    int64_t dead = kill_one("t", NULL), first = give_topic("t", 0, 0);
    (void)give_topic("u", 0, 700);
    set_topic("t", 1, -1);
    int64_t last = kill_one("v", NULL);
    struct seen page = list(all, &next);
    assert_int_equal(page.jobs, 3);
    assert_int_equal(page.ids[0], dead);
    assert_int_equal(page.ids[1], first);
    all.after = next;
    page = list(all, &next);
    assert_int_equal(page.jobs, 1);
    assert_int_equal(page.ids[0], last);
    assert_int_equal(next, 0);
}

static void a_list_is_filtered(void **state) {
    int64_t next;
    (void)state;
    int64_t dead = kill_one("t", NULL), delayed = give_topic("u", 0, 700);
    (void)give_topic("w", 0, 0);
    struct seen seen = list((struct queue_filter){.states = 1u << QUEUE_DELAYED, .limit = 9}, &next);
    assert_int_equal(seen.jobs, 1);
    assert_int_equal(seen.ids[0], delayed);
    seen = list((struct queue_filter){.outcomes = 1u << PDK_END_FATAL, .limit = 9}, &next);
    assert_int_equal(seen.jobs, 1);
    assert_int_equal(seen.ids[0], dead);
    seen = list((struct queue_filter){.states = 1u << QUEUE_DELAYED | 1u << QUEUE_ENDED, .limit = 9}, &next);
    assert_int_equal(seen.jobs, 2);
    assert_int_equal(seen.ids[0], dead);
    assert_int_equal(seen.ids[1], delayed);
    assert_int_equal(
        list((struct queue_filter){.states = 1u << QUEUE_ENDED, .dead = true, .topic = "u", .limit = 9}, &next).jobs,
        0);
    assert_int_equal(list((struct queue_filter){.name = "hello", .limit = 9}, &next).jobs, 3);
    assert_int_equal(list((struct queue_filter){.name = "nobody", .limit = 9}, &next).jobs, 0);
}

/* ---- limits, and what a crash leaves ---- */

static void there_is_an_end_to_jobs_and_topics(void **state) {
    struct queue_receipt receipt;
    pdk_error err = PDK_ERROR;
    (void)state;
    close_store();
    w.config.max_jobs = 2;
    w.config.max_topics = 2;
    open_store();
    (void)give_topic("a", 0, 0);
    (void)give_topic("b", 0, 0);
    struct queue_new given = some("a");
    begin();
    assert_int_equal(w.ops->submit(w.store, &given, NULL, NULL, &receipt, &err), -ENOSPC);
    assert_int_equal(w.ops->fault(w.store), QUEUE_FAULT_NONE);
    commit();
    struct claims claims = claim(1);
    assert_int_equal(settle(&claims, 0, PDK_END_SUCCEEDED), 0);
    given.topic = "c";
    begin();
    assert_int_equal(w.ops->submit(w.store, &given, NULL, NULL, &receipt, &err), -ENOSPC);
    commit();
    (void)give_topic("a", 0, 0);
}

static void what_ran_is_rescued_and_counted(void **state) {
    (void)state;
    int64_t id = give_topic("t", 0, 0);
    struct claims first = claim(1);
    for (int i = 1; i <= w.config.max_rescues; i++) {
        crash();
        struct seen seen = show(id);
        assert_int_equal(seen.job.state, QUEUE_READY);
        assert_int_equal(seen.job.counts.rescues, i);
        assert_int_equal(seen.job.counts.attempts, 0);
        assert_int_equal(seen.attempts, i);
        assert_int_equal(seen.fates[i - 1], QUEUE_RESCUED);
        assert_int_equal(settle(&first, 0, PDK_END_SUCCEEDED), -ESTALE); /* of the process that is gone */
        assert_int_equal(claim(1).count, 1);
    }
    crash();
    struct seen seen = show(id);
    assert_int_equal(seen.job.state, QUEUE_ENDED);
    assert_int_equal(seen.job.outcome, PDK_END_LOST);
    assert_true(seen.job.dead);
    assert_string_equal(seen.code, "host_gone");
}

/* As often as the file says, and no job is too suspect to be tried. */
static void patience_with_deaths_is_configured(void **state) {
    (void)state;
    close_store();
    w.config.max_rescues = 7;
    open_store();
    int64_t id = give_topic("t", 0, 0);
    for (int64_t i = 0; i <= w.config.max_rescues; i++) {
        assert_int_equal(claim(1).count, 1);
        crash();
    }
    assert_true(show(id).job.dead);
    assert_int_equal(show(id).job.counts.rescues, 8);
    close_store();
    w.config.max_rescues = 0;
    open_store();
    id = give_topic("t", 0, 0);
    assert_int_equal(claim(1).count, 1);
    crash();
    assert_true(show(id).job.dead);
}

static void counts_survive(void **state) {
    (void)state;
    (void)kill_one("t", NULL);
    (void)give_topic("t", 0, 700);
    (void)give_topic("t", 0, 0);
    crash();
    assert_counts("t", 1, 1, 0, 1);
    assert_int_equal(topic("t").oldest, w.now);
}

static void two_hosts_are_one_too_many(void **state) {
    struct queue_store *second = NULL;
    pdk_error err = PDK_ERROR;
    char want[64];
    (void)state;
    assert_int_equal(w.ops->open(&w.config, w.now, &second, &err), -EBUSY);
    (void)snprintf(want, sizeof want, "process %d has it", (int)getpid());
    assert_non_null(strstr(err.message, want));
    assert_null(second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_dead_are_replayed),
        CASE(a_retry_is_a_new_job),
        CASE(what_is_old_is_forgotten),
        CASE(a_purge_takes_what_was_named),
        CASE(a_list_has_both_worlds_in_pages),
        CASE(a_list_is_filtered),
        CASE(there_is_an_end_to_jobs_and_topics),
        CASE(what_ran_is_rescued_and_counted),
        CASE(patience_with_deaths_is_configured),
        CASE(counts_survive),
        CASE(two_hosts_are_one_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
