/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host that is gone left behind. The lock says that no other host lives in this file; where a file system does
 * not keep locks, the boot, pid and start time of those that were here say it.
 */
#include <errno.h>

#include "sqlite/inside.h"

static int32_t meet_owners(struct queue_store *store, int64_t *ret_last, pdk_error *err) {
    struct queue_owner owner = {"", 0, 0};
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_OWNERS, err, "");
    *ret_last = 0;
    while (rc == 0 && (rc = queue_sql_step(store, SQL_OWNERS, &row, err)) > 0) {
        const char *boot = queue_column_text(row, 1);
        int64_t session = sqlite3_column_int64(row, 0);
        queue_cut(owner.boot, sizeof owner.boot, boot ? boot : "");
        owner.pid = sqlite3_column_int64(row, 2);
        owner.start = sqlite3_column_int64(row, 3);
        if (session > *ret_last) *ret_last = session;
        rc = 0;
        if (queue_owner_same(&owner, &store->self) || !queue_owner_lives(&owner)) continue;
        rc = pdk_failf(err, -EBUSY, NULL, "%s: process %lld has it", store->config.path, (long long)owner.pid);
    }
    queue_sql_reset(store, SQL_OWNERS);
    return rc;
}

static int32_t move_in(struct queue_store *store, pdk_error *err) {
    int32_t rc = queue_sql_bind(store, SQL_OWNER_ADD, err, "itiii", store->session, store->self.boot, store->self.pid,
                                store->self.start, store->now);
    if (rc == 0) rc = queue_sql_run(store, SQL_OWNER_ADD, err);
    if (rc >= 0) rc = queue_sql_bind(store, SQL_OWNER_DROP, err, "i", store->session);
    if (rc == 0) rc = queue_sql_run(store, SQL_OWNER_DROP, err);
    return rc < 0 ? rc : 0;
}

/* 1: there was one more. */
static int32_t rescue_one(struct queue_store *store, pdk_error *err) {
    struct queue_settle settle = {0};
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_RUNNING, err, "i", store->session);
    if (rc == 0) rc = queue_sql_step(store, SQL_RUNNING, &row, err);
    if (rc <= 0) return rc;
    struct queue_counts counts = {sqlite3_column_int64(row, 3), sqlite3_column_int64(row, 4),
                                  sqlite3_column_int64(row, 5), sqlite3_column_int64(row, 6)};
    settle.id = sqlite3_column_int64(row, 0);
    settle.fence = sqlite3_column_int64(row, 1);
    settle.verdict = queue_life_rescued(&counts, store->config.max_rescues, sqlite3_column_int(row, 7) != 0);
    settle.code = "host_gone";
    settle.message = "the process that ran it is gone";
    queue_sql_reset(store, SQL_RUNNING);
    rc = queue_sqlite_settle(store, &settle, err);
    return rc < 0 ? rc : 1;
}

int32_t queue_sqlite_rescue(struct queue_store *store, pdk_error *err) {
    int64_t last;
    uint32_t count = 0;
    char text[128];
    int32_t rc = meet_owners(store, &last, err);
    store->session = last + 1;
    if (rc == 0) rc = move_in(store, err);
    while (rc == 0 && (rc = rescue_one(store, err)) > 0) {
        count++;
        rc = 0;
    }
    if (rc < 0 || !count || !store->config.note) return rc;
    (void)snprintf(text, sizeof text, "%u jobs were running when the last process ended: they are ready again", count);
    store->config.note(store->config.arg, PDK_LOG_WARN, text);
    return 0;
}
