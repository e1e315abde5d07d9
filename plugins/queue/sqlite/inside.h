/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in a file, by SQLite: what its own files share. Only this folder knows of SQLite.
 *
 *     open.c     the file, its lock and its settings     schema.c     tables, and what made them
 *     statement.c  every statement, its errors           topic.c      topics and their counts, in memory too
 *     submit.c   in                                      claim.c      what runs next
 *     end.c      how a claim ends, and cancel            change.c     retry, replay, purge, sweep
 *     read.c     list and show                           rescue.c     what a host that is gone left behind
 *     log.c      is the write-ahead log whole?
 */
#ifndef QUEUE_SQLITE_INSIDE_H
#define QUEUE_SQLITE_INSIDE_H

#include <sqlite3.h>

#include "owner.h"
#include "store.h"

/* A row of statement.c each. */
enum queue_sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_META_GET,
    SQL_META_SET,
    SQL_KEY_FIND,
    SQL_KEY_ADD,
    SQL_UNIQUE_FIND,
    SQL_UNIQUE_FREE,
    SQL_SUBMIT,
    SQL_REPLACE,
    SQL_NEXT_DUE,
    SQL_WAKE,
    SQL_CLAIM,
    SQL_CLAIM_FRESH,
    SQL_CLAIM_SUSPECT,
    SQL_SUSPECTS,
    SQL_END,
    SQL_END_CLAIMED,
    SQL_DROP_CLAIMED,
    SQL_DROP,
    SQL_AGAIN,
    SQL_ATTEMPT,
    SQL_CANCEL,
    SQL_WAITING,
    SQL_TOPIC_SET,
    SQL_TOPIC_OLDEST,
    SQL_ENDED_FIND,
    SQL_ENDED_DROP,
    SQL_ATTEMPTS_DROP,
    SQL_COPY,
    SQL_REPLAY,
    SQL_DEAD_OF,
    SQL_BEFORE_OF,
    SQL_OLD,
    SQL_KEYS_OLD,
    SQL_LIST,
    SQL_LIST_ENDED,
    SQL_SHOW,
    SQL_SHOW_ENDED,
    SQL_ATTEMPTS,
    SQL_RUNNING,
    SQL_OWNERS,
    SQL_OWNER_ADD,
    SQL_OWNER_DROP,
    SQL_COUNT
};

/* A topic with its counts. What a batch changes is put back when it is rolled back. */
struct queue_sqlite_topic {
    struct queue_topic now, before;
    uint64_t batch; /* that last changed it */
    bool stored;
    bool damaged; /* see claim.c */
};

struct queue_store {
    struct queue_store_config config;
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT];
    int lock; /* fd; -1: none */
    struct queue_owner self;
    int64_t session;
    int64_t now; /* of the batch */
    uint64_t batch;
    int32_t fault;
    struct queue_sqlite_topic **topics; /* by name */
    size_t topic_count, topic_turn;
    int64_t live, live_before;
    int64_t ready, ready_before;  /* of all topics */
    int64_t next_id, id_limit;    /* ids below the limit are ours to give */
    int64_t next_due;             /* 0: nothing is delayed; -1: look */
    uint64_t seed;                /* of traces that nobody gave */
    char trace[QUEUE_TRACE_SIZE]; /* the last that was made */
    bool suspects;                /* there may be some that are READY: see claim.c */
    int64_t out[QUEUE_SUSPICION + 1], out_before[QUEUE_SUSPICION + 1]; /* claimed, by how often they were rescued */
};

/* ---- statement.c ---- */

/* format has a letter for each value: i int64_t, t text or NULL, n NULL for 0 (int64_t). */
int32_t queue_sql_bind(struct queue_store *, enum queue_sql, pdk_error *, const char *format, ...);
/* 1: a row, to be read from *ret; 0: no more. Negative: failed, and it is reset. */
int32_t queue_sql_step(struct queue_store *, enum queue_sql, sqlite3_stmt **ret, pdk_error *);
void queue_sql_reset(struct queue_store *, enum queue_sql);
/* One that gives no rows, to its end. How many rows it changed. */
int32_t queue_sql_run(struct queue_store *, enum queue_sql, pdk_error *);
/* A script, outside of any batch. */
int32_t queue_sql_script(struct queue_store *, const char *text, pdk_error *);
/* What SQLite's code means to us; sets store->fault. */
int32_t queue_sql_fault(struct queue_store *, int code, pdk_error *);
void queue_sql_finalize(struct queue_store *);

static inline const char *queue_column_text(sqlite3_stmt *row, int i) {
    return (const char *)sqlite3_column_text(row, i);
}

/* ---- log.c: says so when it is damaged; before SQLite opens it. ---- */
void queue_sqlite_look_at_log(const struct queue_store *);

/* ---- schema.c ---- */
int32_t queue_sqlite_migrate(struct queue_store *, int64_t now, pdk_error *);

/* ---- topic.c ---- */
int32_t queue_sqlite_topics_load(struct queue_store *, pdk_error *);
int32_t queue_sqlite_topic_get(struct queue_store *, const char *name, struct queue_sqlite_topic **ret, pdk_error *);
struct queue_sqlite_topic *queue_sqlite_topic_find(struct queue_store *, const char *name); /* NULL: none */
/* n more are claimed that were rescued so often. */
static inline void queue_sqlite_out(struct queue_store *store, int64_t rescues, int64_t n) {
    store->out[rescues < 0 ? 0 : rescues > QUEUE_SUSPICION ? QUEUE_SUSPICION : rescues] += n;
}
/* The trace of a job, as it is stored, or NULL: then it is made. It lives until the next one is asked for. */
const char *queue_sqlite_trace(struct queue_store *, int64_t id, const char *stored);
/* n jobs more in this state, of this batch. */
void queue_sqlite_count(struct queue_store *, struct queue_sqlite_topic *, enum queue_state, int64_t n);
void queue_sqlite_counts_back(struct queue_store *);
void queue_sqlite_topics_free(struct queue_store *);
int32_t queue_sqlite_set_topic(struct queue_store *, const struct queue_topic_setting *, pdk_error *);
int32_t queue_sqlite_topics(struct queue_store *, const char *name, queue_each_topic, void *arg, pdk_error *);

/* ---- the rest of the table ---- */
int32_t queue_sqlite_submit(struct queue_store *, const struct queue_new *, queue_each_job start, void *arg,
                            struct queue_receipt *, pdk_error *);
int32_t queue_sqlite_next_id(struct queue_store *, int64_t *ret, pdk_error *);
void queue_sqlite_due(struct queue_store *, int64_t due); /* something is delayed until then */
int32_t queue_sqlite_claim(struct queue_store *, uint32_t limit, queue_each_job, void *arg, int64_t *ret_due,
                           pdk_error *);
int32_t queue_sqlite_settle(struct queue_store *, const struct queue_settle *, pdk_error *);
int32_t queue_sqlite_cancel(struct queue_store *, int64_t id, const char *reason, pdk_error *);
int32_t queue_sqlite_retry(struct queue_store *, int64_t id, struct queue_receipt *, pdk_error *);
int32_t queue_sqlite_replay(struct queue_store *, int64_t id, const char *topic, uint32_t limit, pdk_error *);
int32_t queue_sqlite_purge(struct queue_store *, int64_t id, const char *topic, int64_t before, uint32_t limit,
                           pdk_error *);
int32_t queue_sqlite_sweep(struct queue_store *, uint32_t limit, pdk_error *);
int32_t queue_sqlite_list(struct queue_store *, const struct queue_filter *, queue_each_job, void *arg,
                          int64_t *ret_next, pdk_error *);
int32_t queue_sqlite_show(struct queue_store *, int64_t id, queue_each_job, queue_each_attempt, void *arg, pdk_error *);
int32_t queue_sqlite_rescue(struct queue_store *, pdk_error *);

#endif
