/* SPDX-License-Identifier: Apache-2.0 */
/* Looking. Jobs that live and jobs that have ended are two tables, read side by side in the order of their ids. */
#include <errno.h>

#include "sqlite/inside.h"

enum { LOOKED_AT = 20000 }; /* rows of each table for one page, however few of them match */

/* A row of one of four statements; what only the last two have is for their caller. */
static void read_row(sqlite3_stmt *row, struct queue_job *ret) {
    *ret = (struct queue_job){
        .id = sqlite3_column_int64(row, 0),
        .state = (enum queue_state)(sqlite3_column_int(row, 1) & 3),
        .topic = queue_column_text(row, 2),
        .name = queue_column_text(row, 3),
        .kind = queue_column_text(row, 4),
        .priority = sqlite3_column_int64(row, 5),
        .submitted = sqlite3_column_int64(row, 6),
        .due = sqlite3_column_int64(row, 7),
        .started = sqlite3_column_int64(row, 8),
        .counts = {sqlite3_column_int64(row, 9), sqlite3_column_int64(row, 10), sqlite3_column_int64(row, 11),
                   sqlite3_column_int64(row, 12)},
        .fence = sqlite3_column_int64(row, 13),
        .code = queue_column_text(row, 14),
        .message = queue_column_text(row, 15),
        .run_id = queue_column_text(row, 16),
        .ended = sqlite3_column_int64(row, 17),
        .outcome = sqlite3_column_int(row, 18),
        .dead = sqlite3_column_int(row, 19) != 0,
        .exit_code = sqlite3_column_int64(row, 20),
        .signal = sqlite3_column_int64(row, 21),
    };
    if (ret->outcome < 0 || ret->outcome > PDK_END_LOST) ret->outcome = PDK_END_LOST; /* an index into words */
}

static bool fits(const struct queue_filter *filter, const struct queue_job *job) {
    bool ended = job->state == QUEUE_ENDED;
    if (filter->states && !(filter->states >> job->state & 1)) return false;
    if (filter->outcomes && (!ended || !(filter->outcomes >> job->outcome & 1))) return false;
    if (filter->dead && !job->dead) return false;
    if (filter->topic && strcmp(filter->topic, job->topic ? job->topic : "") != 0) return false;
    return !filter->name || strcmp(filter->name, job->name ? job->name : "") == 0;
}

/* One of the two tables, as far as it was read. */
struct side {
    enum queue_sql which;
    sqlite3_stmt *row; /* NULL: no more */
    int64_t id;
    uint32_t seen;
};

static int32_t step(struct queue_store *store, struct side *side, pdk_error *err) {
    int32_t rc = queue_sql_step(store, side->which, &side->row, err);
    if (rc <= 0) side->row = NULL;
    if (rc > 0) side->id = sqlite3_column_int64(side->row, 0);
    side->seen += rc > 0;
    return rc < 0 ? rc : 0;
}

static int32_t open_side(struct queue_store *store, struct side *side, int64_t after, bool wanted, pdk_error *err) {
    if (!wanted) return 0;
    int32_t rc = queue_sql_bind(store, side->which, err, "ii", after, (int64_t)LOOKED_AT);
    return rc < 0 ? rc : step(store, side, err);
}

static struct side *lower(struct side *a, struct side *b) {
    if (!a->row || !b->row) return a->row ? a : b;
    return a->id < b->id ? a : b;
}

static int32_t read_page(struct queue_store *store, struct side *live, struct side *ended,
                         const struct queue_filter *filter, queue_each_job each, void *arg, int64_t *next,
                         pdk_error *err) {
    uint32_t found = 0;
    while (live->row || ended->row) {
        struct side *side = lower(live, ended);
        struct queue_job job;
        int32_t rc = 0;
        if (found >= filter->limit) return 0; /* *next stands at the last one */
        *next = side->id;
        read_row(side->row, &job);
        if (fits(filter, &job)) {
            found++;
            rc = each(arg, &job);
        }
        if (rc == 0 && side->seen >= LOOKED_AT) return 0;
        if (rc == 0) rc = step(store, side, err);
        if (rc < 0) return rc;
    }
    *next = 0;
    return 0;
}

int32_t queue_sqlite_list(struct queue_store *store, const struct queue_filter *filter, queue_each_job each, void *arg,
                          int64_t *ret_next, pdk_error *err) {
    struct side live = {.which = SQL_LIST}, ended = {.which = SQL_LIST_ENDED};
    const uint32_t ended_bit = UINT32_C(1) << QUEUE_ENDED, states = filter->states ? filter->states : UINT32_MAX;
    bool want_ended = states & ended_bit;
    bool want_live = states & ~ended_bit && !filter->dead && !filter->outcomes;
    *ret_next = 0;
    int32_t rc = open_side(store, &live, filter->after, want_live, err);
    if (rc == 0) rc = open_side(store, &ended, filter->after, want_ended, err);
    if (rc == 0) rc = read_page(store, &live, &ended, filter, each, arg, ret_next, err);
    queue_sql_reset(store, SQL_LIST);
    queue_sql_reset(store, SQL_LIST_ENDED);
    return rc;
}

/* 1: it was there. */
static int32_t show_row(struct queue_store *store, enum queue_sql which, int64_t id, queue_each_job each, void *arg,
                        pdk_error *err) {
    struct queue_job job;
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, which, err, "i", id);
    if (rc == 0) rc = queue_sql_step(store, which, &row, err);
    if (rc <= 0) return rc;
    read_row(row, &job);
    job.spec = queue_column_text(row, 22);
    job.input = queue_column_text(row, 23);
    job.output = queue_column_text(row, 24);
    job.trace = queue_sqlite_trace(store, id, queue_column_text(row, 25));
    rc = each(arg, &job);
    queue_sql_reset(store, which);
    return rc < 0 ? rc : 1;
}

static int32_t show_attempts(struct queue_store *store, int64_t id, queue_each_attempt each, void *arg,
                             pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_ATTEMPTS, err, "i", id);
    while (rc == 0 && (rc = queue_sql_step(store, SQL_ATTEMPTS, &row, err)) > 0) {
        struct queue_attempt attempt = {sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 2),
                                        sqlite3_column_int64(row, 3), (enum queue_fate)sqlite3_column_int(row, 1),
                                        queue_column_text(row, 4),    queue_column_text(row, 5),
                                        queue_column_text(row, 6)};
        rc = attempt.fate > QUEUE_HANDED_BACK ? 0 : each(arg, &attempt);
    }
    queue_sql_reset(store, SQL_ATTEMPTS);
    return rc;
}

int32_t queue_sqlite_show(struct queue_store *store, int64_t id, queue_each_job job, queue_each_attempt attempt,
                          void *arg, pdk_error *err) {
    int32_t rc = show_row(store, SQL_SHOW, id, job, arg, err);
    if (rc == 0) rc = show_row(store, SQL_SHOW_ENDED, id, job, arg, err);
    if (rc < 0) return rc;
    if (rc == 0) return pdk_failf(err, -ENOENT, NULL, "there is no job %lld", (long long)id);
    return show_attempts(store, id, attempt, arg, err);
}
