/* SPDX-License-Identifier: Apache-2.0 */
/* What runs next. Topics take turns, so that a long one starves no other; within one, priority counts. */
#include <errno.h>

#include "sqlite/inside.h"

enum { WAKES = 1000 }; /* as in SQL_WAKE */

static int32_t find_due(struct queue_store *store, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_NEXT_DUE, err, "");
    if (rc == 0) rc = queue_sql_step(store, SQL_NEXT_DUE, &row, err);
    if (rc < 0) return rc;
    store->next_due = rc > 0 ? sqlite3_column_int64(row, 0) : 0;
    if (rc > 0) queue_sql_reset(store, SQL_NEXT_DUE);
    return 0;
}

static int32_t wake_some(struct queue_store *store, uint32_t *ret, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_WAKE, err, "i", store->now);
    for (*ret = 0; rc == 0 && (rc = queue_sql_step(store, SQL_WAKE, &row, err)) > 0; rc = 0, ++*ret) {
        const char *name = queue_column_text(row, 0);
        struct queue_sqlite_topic *topic = name ? queue_sqlite_topic_find(store, name) : NULL;
        if (!topic) continue;
        queue_sqlite_count(store, topic, QUEUE_DELAYED, -1);
        queue_sqlite_count(store, topic, QUEUE_READY, 1);
    }
    return rc;
}

/* What is due becomes READY. */
static int32_t wake(struct queue_store *store, pdk_error *err) {
    int32_t rc = store->next_due < 0 ? find_due(store, err) : 0;
    while (rc == 0 && store->next_due && store->next_due <= store->now) {
        uint32_t n;
        rc = wake_some(store, &n, err);
        if (rc == 0) rc = find_due(store, err);
        if (n < WAKES) break;
    }
    return rc;
}

static uint32_t may_run(const struct queue_sqlite_topic *topic) {
    const int64_t *jobs = topic->now.jobs;
    int64_t n = jobs[QUEUE_READY];
    if (topic->now.paused || topic->damaged) return 0;
    if (topic->now.limit && topic->now.limit - jobs[QUEUE_RUNNING] < n) n = topic->now.limit - jobs[QUEUE_RUNNING];
    return n <= 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void read_claimed(struct queue_store *store, sqlite3_stmt *row, struct queue_job *job) {
    job->id = sqlite3_column_int64(row, 0);
    job->fence = sqlite3_column_int64(row, 1);
    job->priority = sqlite3_column_int64(row, 2);
    job->due = sqlite3_column_int64(row, 3);
    job->submitted = sqlite3_column_int64(row, 4);
    job->counts = (struct queue_counts){sqlite3_column_int64(row, 5), sqlite3_column_int64(row, 6),
                                        sqlite3_column_int64(row, 7), sqlite3_column_int64(row, 8)};
    job->backoff = (struct queue_backoff){sqlite3_column_int64(row, 9), sqlite3_column_int64(row, 10),
                                          sqlite3_column_int64(row, 11), sqlite3_column_int64(row, 12)};
    job->name = queue_column_text(row, 13);
    job->kind = queue_column_text(row, 14);
    job->spec = queue_column_text(row, 15);
    job->input = queue_column_text(row, 16);
    job->unique = sqlite3_column_int(row, 17) != 0;
    job->traced = sqlite3_column_type(row, 18) != SQLITE_NULL;
    job->trace = queue_sqlite_trace(store, job->id, queue_column_text(row, 18));
}

static int32_t claim_by(struct queue_store *store, enum queue_sql which, struct queue_sqlite_topic *topic,
                        int64_t rescues, uint32_t limit, queue_each_job each, void *arg, uint32_t *ret,
                        pdk_error *err) {
    struct queue_job job = {.state = QUEUE_RUNNING, .topic = topic->now.name, .started = store->now};
    sqlite3_stmt *row = NULL;
    int32_t rc =
        queue_sql_bind(store, which, err, which == SQL_CLAIM_SUSPECT ? "tiiiii" : "tiii", topic->now.name, store->now,
                       (int64_t)limit, store->session, rescues, rescues < QUEUE_SUSPICION ? rescues : INT64_MAX);
    for (; rc == 0 && (rc = queue_sql_step(store, which, &row, err)) > 0; ++*ret) {
        queue_sqlite_count(store, topic, QUEUE_READY, -1);
        queue_sqlite_count(store, topic, QUEUE_RUNNING, 1);
        read_claimed(store, row, &job);
        queue_sqlite_out(store, job.counts.rescues, 1);
        rc = each(arg, &job);
        if (rc < 0) queue_sql_reset(store, which);
        if (rc < 0) store->fault = QUEUE_FAULT_STORE; /* it is claimed in the file and by nobody */
    }
    return rc;
}

/* The more often a job was out when its host died, the fewer such are out at once: so that the one that kills is found, and
 * not all that waited beside it end among the dead. One at a time would find it sooner, but be slow for who is innocent. */
static int32_t claim_suspects(struct queue_store *store, struct queue_sqlite_topic *topic, uint32_t limit,
                              queue_each_job each, void *arg, uint32_t *ret, pdk_error *err) {
    static const int64_t most[QUEUE_SUSPICION + 1] = {0, 64, 16, 4};
    int32_t rc = 0;
    for (int64_t rescues = QUEUE_SUSPICION; rescues > 0 && rc == 0 && *ret < limit; rescues--) {
        int64_t room = most[rescues] - store->out[rescues];
        if (room > limit - *ret) room = limit - *ret;
        if (room > 0) rc = claim_by(store, SQL_CLAIM_SUSPECT, topic, rescues, (uint32_t)room, each, arg, ret, err);
    }
    return rc;
}

static int32_t claim_of(struct queue_store *store, struct queue_sqlite_topic *topic, uint32_t limit,
                        queue_each_job each, void *arg, uint32_t *ret, pdk_error *err) {
    *ret = 0;
    if (!store->suspects) return claim_by(store, SQL_CLAIM, topic, 0, limit, each, arg, ret, err);
    int32_t rc = claim_suspects(store, topic, limit, each, arg, ret, err);
    if (rc == 0 && *ret < limit) rc = claim_by(store, SQL_CLAIM_FRESH, topic, 0, limit - *ret, each, arg, ret, err);
    return rc;
}

static int32_t look_for_suspects(struct queue_store *store, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_SUSPECTS, err, "");
    if (rc == 0) rc = queue_sql_step(store, SQL_SUSPECTS, &row, err);
    if (rc > 0) queue_sql_reset(store, SQL_SUSPECTS);
    if (rc >= 0) store->suspects = rc > 0;
    return rc < 0 ? rc : 0;
}

static uint32_t count_runnable(const struct queue_store *store) {
    uint32_t n = 0;
    for (size_t i = 0; i < store->topic_count; i++) n += may_run(store->topics[i]) > 0;
    return n;
}

/* What cannot be read keeps its topic still, and no other, until the file is opened again. */
static void set_aside(struct queue_store *store, struct queue_sqlite_topic *topic, const pdk_error *err) {
    char text[700];
    topic->damaged = true;
    (void)snprintf(text, sizeof text, "nothing of topic %s runs any more: %s", topic->now.name, err->message);
    if (store->config.note) store->config.note(store->config.arg, PDK_LOG_ERROR, text);
}

/* One round: each topic that may run gets its share of what is left. */
static int32_t claim_round(struct queue_store *store, uint32_t *left, queue_each_job each, void *arg, pdk_error *err) {
    uint32_t runnable = count_runnable(store), share = runnable ? *left / runnable : 0;
    int32_t rc = 0;
    for (size_t i = 0; i < store->topic_count && *left && rc == 0; i++) {
        size_t at = (store->topic_turn + i) % store->topic_count;
        uint32_t most = may_run(store->topics[at]), n = 0;
        if (!most) continue;
        if (most > (share ? share : 1)) most = share ? share : 1;
        rc = claim_of(store, store->topics[at], most, each, arg, &n, err);
        *left -= n;
        if (rc == 0 && n < most && !store->suspects)
            queue_sqlite_count(store, store->topics[at], QUEUE_READY, -store->topics[at]->now.jobs[QUEUE_READY]);
        if (rc < 0 && store->fault == QUEUE_FAULT_CALL) set_aside(store, store->topics[at], err);
    }
    if (store->topic_count) store->topic_turn = (store->topic_turn + 1) % store->topic_count;
    return rc;
}

int32_t queue_sqlite_claim(struct queue_store *store, uint32_t limit, queue_each_job each, void *arg, int64_t *ret_due,
                           pdk_error *err) {
    uint32_t left = limit, before = limit + 1;
    int32_t rc = wake(store, err);
    if (rc == 0 && store->suspects) rc = look_for_suspects(store, err);
    for (; rc == 0 && left && left < before && count_runnable(store); rc = claim_round(store, &left, each, arg, err))
        before = left;
    if (rc == 0) *ret_due = store->next_due;
    return rc;
}
