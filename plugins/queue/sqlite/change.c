/* SPDX-License-Identifier: Apache-2.0 */
/* What may become of ended jobs: another like them, once more, or nothing. */
#include <errno.h>

#include "sqlite/inside.h"

struct ended {
    struct queue_sqlite_topic *topic;
    bool dead;
    bool taken; /* a job that is alive has its unique key */
};

static int32_t is_taken(struct queue_store *store, const char *topic, const char *key, bool *ret, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    *ret = false;
    if (!key) return 0;
    int32_t rc = queue_sql_bind(store, SQL_UNIQUE_FIND, err, "tt", topic, key);
    if (rc == 0) rc = queue_sql_step(store, SQL_UNIQUE_FIND, &row, err);
    *ret = rc > 0;
    queue_sql_reset(store, SQL_UNIQUE_FIND);
    return rc < 0 ? rc : 0;
}

static int32_t find(struct queue_store *store, int64_t id, struct ended *ret, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_ENDED_FIND, err, "i", id);
    if (rc == 0) rc = queue_sql_step(store, SQL_ENDED_FIND, &row, err);
    if (rc < 0) return rc;
    if (rc == 0) {
        rc = queue_sql_bind(store, SQL_WAITING, err, "i", id);
        if (rc == 0) rc = queue_sql_step(store, SQL_WAITING, &row, err);
        queue_sql_reset(store, SQL_WAITING);
        if (rc < 0) return rc;
        return rc ? pdk_failf(err, -EBUSY, NULL, "job %lld has not ended", (long long)id)
                  : pdk_failf(err, -ENOENT, NULL, "there is no job %lld", (long long)id);
    }
    const char *topic = queue_column_text(row, 0);
    ret->dead = sqlite3_column_int(row, 1) != 0;
    rc = topic ? queue_sqlite_topic_get(store, topic, &ret->topic, err) : -EIO;
    if (rc == 0) rc = is_taken(store, topic, queue_column_text(row, 2), &ret->taken, err);
    queue_sql_reset(store, SQL_ENDED_FIND);
    return rc;
}

static int32_t taken(int64_t id, pdk_error *err) {
    return pdk_failf(err, -EEXIST, NULL, "a job with the unique key of job %lld is alive", (long long)id);
}

int32_t queue_sqlite_retry(struct queue_store *store, int64_t id, struct queue_receipt *ret, pdk_error *err) {
    struct ended ended = {0};
    int32_t rc = find(store, id, &ended, err);
    if (rc < 0) return rc;
    if (ended.taken) return taken(id, err);
    if (store->live >= store->config.max_jobs)
        return pdk_failf(err, -ENOSPC, NULL, "there are %lld jobs, as many as there may be", (long long)store->live);
    rc = queue_sqlite_next_id(store, &ret->id, err);
    if (rc == 0) rc = queue_sql_bind(store, SQL_COPY, err, "iii", id, ret->id, store->now);
    if (rc == 0) rc = queue_sql_run(store, SQL_COPY, err);
    if (rc < 0) return rc;
    ret->duplicate = false;
    queue_sqlite_count(store, ended.topic, QUEUE_READY, 1);
    return 0;
}

static int32_t drop_row(struct queue_store *store, int64_t id, pdk_error *err) {
    int32_t rc = queue_sql_bind(store, SQL_ENDED_DROP, err, "i", id);
    return rc < 0 ? rc : queue_sql_run(store, SQL_ENDED_DROP, err);
}

static int32_t replay_one(struct queue_store *store, int64_t id, const struct ended *ended, pdk_error *err) {
    int32_t rc = queue_sql_bind(store, SQL_REPLAY, err, "ii", id, store->now);
    if (rc == 0) rc = queue_sql_run(store, SQL_REPLAY, err);
    if (rc >= 0) rc = drop_row(store, id, err);
    if (rc < 0) return rc;
    queue_sqlite_count(store, ended->topic, QUEUE_ENDED, -1);
    queue_sqlite_count(store, ended->topic, QUEUE_READY, 1);
    return 1;
}

/* The next row of a statement that gives one id; 0: none. */
static int32_t next_id(struct queue_store *store, enum queue_sql which, int64_t *ret, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_step(store, which, &row, err);
    if (rc > 0) *ret = sqlite3_column_int64(row, 0);
    if (rc > 0) queue_sql_reset(store, which);
    return rc;
}

static int32_t replay_topic(struct queue_store *store, const char *topic, uint32_t limit, pdk_error *err) {
    int64_t id = 0;
    int32_t count = 0;
    for (uint32_t i = 0; i < limit; i++) {
        struct ended ended = {0};
        int32_t rc = queue_sql_bind(store, SQL_DEAD_OF, err, "ti", topic, id);
        if (rc == 0) rc = next_id(store, SQL_DEAD_OF, &id, err);
        if (rc <= 0) return rc < 0 ? rc : count;
        rc = find(store, id, &ended, err);
        if (rc == 0 && !ended.taken) rc = replay_one(store, id, &ended, err);
        if (rc < 0) return rc;
        count += rc;
    }
    return count;
}

int32_t queue_sqlite_replay(struct queue_store *store, int64_t id, const char *topic, uint32_t limit, pdk_error *err) {
    struct ended ended = {0};
    if (!id) return replay_topic(store, topic, limit, err);
    int32_t rc = find(store, id, &ended, err);
    if (rc < 0) return rc;
    if (!ended.dead) return pdk_failf(err, -EBUSY, NULL, "job %lld is no dead letter", (long long)id);
    return ended.taken ? taken(id, err) : replay_one(store, id, &ended, err);
}

static int32_t purge_one(struct queue_store *store, int64_t id, pdk_error *err) {
    struct ended ended = {0};
    int32_t rc = find(store, id, &ended, err);
    if (rc == 0) rc = queue_sql_bind(store, SQL_ATTEMPTS_DROP, err, "i", id);
    if (rc == 0) rc = queue_sql_run(store, SQL_ATTEMPTS_DROP, err);
    if (rc >= 0) rc = drop_row(store, id, err);
    if (rc < 0) return rc;
    if (ended.dead) queue_sqlite_count(store, ended.topic, QUEUE_ENDED, -1);
    return 1;
}

int32_t queue_sqlite_purge(struct queue_store *store, int64_t id, const char *topic, int64_t before, uint32_t limit,
                           pdk_error *err) {
    int64_t after = 0;
    int32_t count = 0;
    if (id) return purge_one(store, id, err);
    for (uint32_t i = 0; i < limit; i++) {
        int32_t rc = queue_sql_bind(store, SQL_BEFORE_OF, err, "tii", topic, before, after);
        if (rc == 0) rc = next_id(store, SQL_BEFORE_OF, &after, err);
        if (rc <= 0) return rc < 0 ? rc : count;
        rc = purge_one(store, after, err);
        if (rc < 0) return rc;
        count++;
    }
    return count;
}

static int32_t sweep(struct queue_store *store, int64_t dead, int64_t before, uint32_t limit, pdk_error *err) {
    int32_t count = 0;
    for (uint32_t i = 0; i < limit; i++) {
        int64_t id = 0;
        int32_t rc = queue_sql_bind(store, SQL_OLD, err, "ii", dead, before);
        if (rc == 0) rc = next_id(store, SQL_OLD, &id, err);
        if (rc <= 0) return rc < 0 ? rc : count;
        rc = purge_one(store, id, err);
        if (rc < 0) return rc;
        count++;
    }
    return count;
}

int32_t queue_sqlite_sweep(struct queue_store *store, uint32_t limit, pdk_error *err) {
    int32_t ended = sweep(store, 0, store->now - store->config.keep_ended, limit, err);
    int32_t dead = ended < 0 ? ended : sweep(store, 1, store->now - store->config.keep_dead, limit, err);
    int32_t rc = dead < 0 ? dead : queue_sql_bind(store, SQL_KEYS_OLD, err, "ii", store->now, (int64_t)limit);
    if (rc == 0) rc = queue_sql_run(store, SQL_KEYS_OLD, err);
    return rc < 0 ? rc : ended + dead + rc;
}
