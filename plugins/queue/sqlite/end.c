/* SPDX-License-Identifier: Apache-2.0 */
/* How a claim ends. All of it asks for the fence of that claim, so that what comes too late changes nothing. */
#include <errno.h>

#include "sqlite/inside.h"

struct found {
    struct queue_sqlite_topic *topic;
    enum queue_state state;
    int64_t fence, started;
    struct queue_counts counts;
    bool cancel;
};

/* 1: it is alive. */
static int32_t find(struct queue_store *store, int64_t id, struct found *ret, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_WAITING, err, "i", id);
    if (rc == 0) rc = queue_sql_step(store, SQL_WAITING, &row, err);
    if (rc <= 0) return rc;
    const char *topic = queue_column_text(row, 0);
    *ret = (struct found){topic ? queue_sqlite_topic_find(store, topic) : NULL,
                          (enum queue_state)(sqlite3_column_int(row, 1) & 3),
                          sqlite3_column_int64(row, 2),
                          sqlite3_column_int64(row, 7),
                          {sqlite3_column_int64(row, 3), 0, sqlite3_column_int64(row, 4), sqlite3_column_int64(row, 5)},
                          sqlite3_column_int(row, 6) != 0};
    queue_sql_reset(store, SQL_WAITING);
    if (ret->topic) return 1;
    store->fault = QUEUE_FAULT_CALL;
    return pdk_failf(err, -EIO, NULL, "%s: job %lld is of a topic that is not there", store->config.path,
                     (long long)id);
}

/* From job to ended. */
static int32_t end(struct queue_store *store, const struct found *found, const struct queue_settle *given,
                   pdk_error *err) {
    const struct queue_verdict *verdict = &given->verdict;
    int32_t rc =
        queue_sql_bind(store, SQL_END, err, "iiiiitttiiinnti", given->id, found->fence, verdict->counts.attempts,
                       verdict->counts.rescues, verdict->counts.snoozes, given->code, given->message, given->run_id,
                       store->now, (int64_t)verdict->outcome, (int64_t)verdict->dead, given->exit_code, given->signal,
                       given->output, (int64_t)found->state);
    if (rc == 0) rc = queue_sql_run(store, SQL_END, err);
    if (rc <= 0) return rc < 0 ? rc : -ESTALE;
    rc = queue_sql_bind(store, SQL_DROP, err, "i", given->id);
    if (rc == 0) rc = queue_sql_run(store, SQL_DROP, err);
    if (rc < 0) return rc;
    if (found->state == QUEUE_RUNNING) queue_sqlite_out(store, found->counts.rescues, -1);
    queue_sqlite_count(store, found->topic, found->state, -1);
    queue_sqlite_count(store, found->topic, QUEUE_ENDED, verdict->dead);
    return 0;
}

static int32_t note_attempt(struct queue_store *store, const struct found *found, const struct queue_settle *given,
                            pdk_error *err) {
    int32_t rc =
        queue_sql_bind(store, SQL_ATTEMPT, err, "iiiiittt", given->id, given->fence, (int64_t)given->verdict.fate,
                       found->started, store->now, given->code, given->message, given->run_id);
    if (rc == 0) rc = queue_sql_run(store, SQL_ATTEMPT, err);
    return rc < 0 ? rc : 0;
}

static int32_t again(struct queue_store *store, const struct found *found, const struct queue_settle *given,
                     pdk_error *err) {
    const struct queue_verdict *verdict = &given->verdict;
    int64_t due = store->now + verdict->delay;
    int32_t rc = queue_sql_bind(store, SQL_AGAIN, err, "iiiiiiittt", given->id, given->fence, (int64_t)verdict->state,
                                due, verdict->counts.attempts, verdict->counts.rescues, verdict->counts.snoozes,
                                given->code, given->message, given->run_id);
    if (rc == 0) rc = queue_sql_run(store, SQL_AGAIN, err);
    if (rc <= 0) return rc < 0 ? rc : -ESTALE;
    queue_sqlite_out(store, found->counts.rescues, -1);
    queue_sqlite_count(store, found->topic, QUEUE_RUNNING, -1);
    queue_sqlite_count(store, found->topic, verdict->state, 1);
    if (verdict->state == QUEUE_DELAYED) queue_sqlite_due(store, due);
    return verdict->fate == QUEUE_HANDED_BACK ? 0 : note_attempt(store, found, given, err);
}

/* Most claims end their job. All of it is known then but a unique key, which may have been given away meanwhile, and the
 * run_id of an earlier claim: nothing need be read. -ESTALE: look. */
static int32_t end_claimed(struct queue_store *store, const struct queue_settle *given, pdk_error *err) {
    const struct queue_verdict *verdict = &given->verdict;
    const struct queue_job *job = given->claimed;
    struct queue_sqlite_topic *topic = job ? queue_sqlite_topic_find(store, job->topic) : NULL;
    if (!topic || job->unique || !given->run_id) return -ESTALE;
    int32_t rc = queue_sql_bind(store, SQL_DROP_CLAIMED, err, "ii", given->id, given->fence);
    if (rc == 0) rc = queue_sql_run(store, SQL_DROP_CLAIMED, err);
    if (rc <= 0) return rc < 0 ? rc : -ESTALE;
    rc = queue_sql_bind(store, SQL_END_CLAIMED, err, "itttiiiiiiiiitttiiiittiiinntt", given->id, job->topic, job->name,
                        job->kind, job->priority, job->submitted, job->due, job->started, verdict->counts.attempts,
                        job->counts.max_attempts, verdict->counts.rescues, verdict->counts.snoozes, given->fence,
                        given->code, given->message, given->run_id, job->backoff.first, job->backoff.max,
                        job->backoff.factor, job->backoff.jitter, job->spec, job->input, store->now,
                        (int64_t)verdict->outcome, (int64_t)verdict->dead, given->exit_code, given->signal,
                        given->output, job->traced ? job->trace : NULL);
    if (rc == 0) rc = queue_sql_run(store, SQL_END_CLAIMED, err);
    if (rc < 0) return rc;
    queue_sqlite_out(store, job->counts.rescues, -1);
    queue_sqlite_count(store, topic, QUEUE_RUNNING, -1);
    queue_sqlite_count(store, topic, QUEUE_ENDED, verdict->dead);
    return 0;
}

int32_t queue_sqlite_settle(struct queue_store *store, const struct queue_settle *given, pdk_error *err) {
    struct queue_settle settle = *given;
    struct found found;
    int32_t rc = given->verdict.state == QUEUE_ENDED ? end_claimed(store, given, err) : -ESTALE;
    if (rc != -ESTALE) return rc;
    rc = find(store, given->id, &found, err);
    if (rc < 0) return rc;
    if (rc == 0 || found.state != QUEUE_RUNNING || found.fence != given->fence)
        return pdk_failf(err, -ESTALE, NULL, "job %lld: this claim of it does not hold any more", (long long)given->id);
    if (settle.verdict.state != QUEUE_ENDED && found.cancel) {
        settle.verdict.state = QUEUE_ENDED;
        settle.verdict.outcome = PDK_END_CANCELED;
    }
    return settle.verdict.state == QUEUE_ENDED ? end(store, &found, &settle, err) : again(store, &found, &settle, err);
}

static int32_t not_alive(struct queue_store *store, int64_t id, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_ENDED_FIND, err, "i", id);
    if (rc == 0) rc = queue_sql_step(store, SQL_ENDED_FIND, &row, err);
    if (rc > 0) queue_sql_reset(store, SQL_ENDED_FIND);
    if (rc < 0) return rc;
    if (rc > 0) return pdk_failf(err, -EALREADY, NULL, "job %lld has ended", (long long)id);
    return pdk_failf(err, -ENOENT, NULL, "there is no job %lld", (long long)id);
}

int32_t queue_sqlite_cancel(struct queue_store *store, int64_t id, const char *reason, pdk_error *err) {
    struct queue_settle settle = {.id = id, .code = "canceled", .message = reason};
    struct found found;
    int32_t rc = find(store, id, &found, err);
    if (rc <= 0) return rc < 0 ? rc : not_alive(store, id, err);
    if (found.state == QUEUE_RUNNING) {
        rc = queue_sql_bind(store, SQL_CANCEL, err, "i", id);
        if (rc == 0) rc = queue_sql_run(store, SQL_CANCEL, err);
        return rc < 0 ? rc : 1;
    }
    settle.verdict = (struct queue_verdict){
        .state = QUEUE_ENDED, .fate = QUEUE_FINISHED, .outcome = PDK_END_CANCELED, .counts = found.counts};
    return end(store, &found, &settle, err);
}
