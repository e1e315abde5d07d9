/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "sqlite/inside.h"

enum { ID_BLOCK = 1000 };

/* Ids are never given twice, whatever is purged; a block of them is set aside at a time. */
int32_t queue_sqlite_next_id(struct queue_store *store, int64_t *ret, pdk_error *err) {
    if (store->next_id >= store->id_limit) {
        int32_t rc = queue_sql_bind(store, SQL_META_SET, err, "ti", "next_id", store->next_id + ID_BLOCK);
        if (rc == 0) rc = queue_sql_run(store, SQL_META_SET, err);
        if (rc < 0) return rc;
        store->id_limit = store->next_id + ID_BLOCK;
    }
    *ret = store->next_id++;
    return 0;
}

void queue_sqlite_due(struct queue_store *store, int64_t due) {
    if (store->next_due == 0 || (store->next_due > 0 && due < store->next_due)) store->next_due = due;
}

/* A key that was seen in the last day: 1, and the receipt of then. */
static int32_t find_key(struct queue_store *store, const char *key, struct queue_receipt *ret, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_KEY_FIND, err, "ti", key, store->now);
    if (rc == 0) rc = queue_sql_step(store, SQL_KEY_FIND, &row, err);
    if (rc <= 0) return rc;
    *ret = (struct queue_receipt){sqlite3_column_int64(row, 0), true};
    queue_sql_reset(store, SQL_KEY_FIND);
    return 1;
}

struct twin {
    int64_t id, due;
    enum queue_state state;
};

/* The job that is alive with this unique key: 1. */
static int32_t find_twin(struct queue_store *store, const struct queue_new *given, struct twin *ret, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_UNIQUE_FIND, err, "tt", given->topic, given->unique);
    if (rc == 0) rc = queue_sql_step(store, SQL_UNIQUE_FIND, &row, err);
    if (rc <= 0) return rc;
    *ret = (struct twin){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 2),
                         (enum queue_state)(sqlite3_column_int(row, 1) & 3)};
    queue_sql_reset(store, SQL_UNIQUE_FIND);
    return 1;
}

static int32_t replace(struct queue_store *store, struct queue_sqlite_topic *topic, const struct queue_new *given,
                       const struct twin *twin, pdk_error *err) {
    const struct queue_backoff *backoff = &given->backoff;
    int64_t due = given->mode == QUEUE_DEBOUNCE ? store->now + given->delay : twin->due;
    int64_t state = due > store->now ? QUEUE_DELAYED : QUEUE_READY;
    int32_t rc = queue_sql_bind(store, SQL_REPLACE, err, "iiiiiiiiittttt", twin->id, state, given->priority, due,
                                given->max_attempts, backoff->first, backoff->max, backoff->factor, backoff->jitter,
                                given->name, given->kind, given->spec, given->input, given->trace);
    if (rc == 0) rc = queue_sql_run(store, SQL_REPLACE, err);
    if (rc < 0) return rc;
    queue_sqlite_count(store, topic, twin->state, -1);
    queue_sqlite_count(store, topic, (enum queue_state)state, 1);
    if (state == QUEUE_DELAYED) queue_sqlite_due(store, due);
    return 0;
}

/* 1: the one that is alive stands for this one. 0: make another; one that runs already gives its key to it, so that
 * the newest wish is always carried out. */
static int32_t meet_twin(struct queue_store *store, struct queue_sqlite_topic *topic, const struct queue_new *given,
                         struct queue_receipt *ret, pdk_error *err) {
    struct twin twin;
    int32_t rc = find_twin(store, given, &twin, err);
    if (rc <= 0) return rc;
    *ret = (struct queue_receipt){twin.id, true};
    if (given->mode == QUEUE_KEEP) return 1;
    if (twin.state != QUEUE_RUNNING) {
        rc = replace(store, topic, given, &twin, err);
        return rc < 0 ? rc : 1;
    }
    rc = queue_sql_bind(store, SQL_UNIQUE_FREE, err, "i", twin.id);
    if (rc == 0) rc = queue_sql_run(store, SQL_UNIQUE_FREE, err);
    return rc < 0 ? rc : 0;
}

/* Nobody is before it, and it may run: then it is never READY at all. */
static bool may_start(const struct queue_store *store, const struct queue_sqlite_topic *topic,
                      const struct queue_new *given) {
    const struct queue_topic *now = &topic->now;
    if (given->delay > 0 || store->ready || now->paused || topic->damaged) return false;
    return !now->limit || now->jobs[QUEUE_RUNNING] < now->limit;
}

static int32_t start_it(struct queue_store *store, const struct queue_new *given, int64_t id, queue_each_job start,
                        void *arg) {
    const struct queue_job job = {.id = id,
                                  .fence = 1,
                                  .state = QUEUE_RUNNING,
                                  .topic = given->topic,
                                  .name = given->name,
                                  .kind = given->kind,
                                  .spec = given->spec,
                                  .input = given->input,
                                  .priority = given->priority,
                                  .submitted = store->now,
                                  .due = store->now,
                                  .started = store->now,
                                  .counts = {0, given->max_attempts, 0, 0},
                                  .backoff = given->backoff,
                                  .unique = given->unique != NULL,
                                  .traced = given->trace != NULL,
                                  .trace = queue_sqlite_trace(store, id, given->trace)};
    queue_sqlite_out(store, 0, 1);
    int32_t rc = start(arg, &job);
    if (rc < 0) store->fault = QUEUE_FAULT_STORE;
    return rc;
}

static int32_t insert(struct queue_store *store, struct queue_sqlite_topic *topic, const struct queue_new *given,
                      enum queue_state state, struct queue_receipt *ret, pdk_error *err) {
    const struct queue_backoff *backoff = &given->backoff;
    int64_t due = store->now + given->delay, runs = state == QUEUE_RUNNING;
    int32_t rc = queue_sqlite_next_id(store, &ret->id, err);
    if (rc < 0) return rc;
    rc = queue_sql_bind(store, SQL_SUBMIT, err, "itiiiiiiiiitttttinnt", ret->id, given->topic, (int64_t)state,
                        given->priority, due, store->now, given->max_attempts, backoff->first, backoff->max,
                        backoff->factor, backoff->jitter, given->unique, given->name, given->kind, given->spec,
                        given->input, runs, runs ? store->now : 0, runs ? store->session : 0, given->trace);
    if (rc == 0) rc = queue_sql_run(store, SQL_SUBMIT, err);
    if (rc < 0) return rc;
    ret->duplicate = false;
    queue_sqlite_count(store, topic, state, 1);
    if (state == QUEUE_DELAYED) queue_sqlite_due(store, due);
    return 0;
}

static int32_t add(struct queue_store *store, struct queue_sqlite_topic *topic, const struct queue_new *given,
                   queue_each_job start, void *arg, struct queue_receipt *ret, pdk_error *err) {
    bool runs = start && may_start(store, topic, given);
    enum queue_state state = runs ? QUEUE_RUNNING : given->delay > 0 ? QUEUE_DELAYED : QUEUE_READY;
    int32_t rc = insert(store, topic, given, state, ret, err);
    return rc == 0 && runs ? start_it(store, given, ret->id, start, arg) : rc;
}

static int32_t add_key(struct queue_store *store, const char *key, int64_t id, pdk_error *err) {
    int32_t rc = queue_sql_bind(store, SQL_KEY_ADD, err, "tii", key, id, store->now + QUEUE_KEY_AGE);
    if (rc == 0) rc = queue_sql_run(store, SQL_KEY_ADD, err);
    return rc < 0 ? rc : 0;
}

int32_t queue_sqlite_submit(struct queue_store *store, const struct queue_new *given, queue_each_job start, void *arg,
                            struct queue_receipt *ret, pdk_error *err) {
    struct queue_sqlite_topic *topic = NULL;
    int32_t rc = given->key ? find_key(store, given->key, ret, err) : 0;
    if (rc != 0) return rc < 0 ? rc : 0;
    if (store->live >= store->config.max_jobs)
        return pdk_failf(err, -ENOSPC, NULL, "there are %lld jobs, as many as there may be", (long long)store->live);
    rc = queue_sqlite_topic_get(store, given->topic, &topic, err);
    if (rc == 0 && given->unique) rc = meet_twin(store, topic, given, ret, err);
    if (rc == 0) rc = add(store, topic, given, start, arg, ret, err);
    if (rc >= 0 && given->key) rc = add_key(store, given->key, ret->id, err);
    return rc < 0 ? rc : 0;
}
