/* SPDX-License-Identifier: Apache-2.0 */
/* The file: who may have it, how it is kept, and the batches around what the other files do. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite/inside.h"

/* In WAL, FULL means that the log is synced at each commit, NORMAL only before it is moved into the file. */
static const char full[] = "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;";
static const char relaxed[] = "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;";
static const char settings[] =
    "PRAGMA busy_timeout=2000;PRAGMA cache_size=-65536;PRAGMA wal_autocheckpoint=4000;PRAGMA temp_store=MEMORY;"
    "PRAGMA journal_size_limit=67108864;PRAGMA cell_size_check=ON;PRAGMA trusted_schema=OFF;";

/* What fails here fails again, with words, when the file is opened. */
static void make_folder(const char *path) {
    char folder[1024];
    queue_cut(folder, sizeof folder, path);
    for (char *at = strchr(folder + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(folder, 0700);
        *at = '/';
    }
}

static int32_t lock(struct queue_store *store, pdk_error *err) {
    int64_t pid;
    int32_t rc = queue_owner_lock(store->config.path, &pid);
    if (rc >= 0) {
        store->lock = rc;
        return 0;
    }
    if (rc != -EBUSY) return pdk_failf(err, rc, NULL, "%s.lock: %s", store->config.path, strerror(-rc));
    if (!pid) return pdk_failf(err, rc, NULL, "%s: another Paddock has it", store->config.path);
    return pdk_failf(err, rc, NULL, "%s: process %lld has it", store->config.path, (long long)pid);
}

static int32_t open_file(struct queue_store *store, pdk_error *err) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    /* jobs may hold what is not for everybody, and what SQLite makes beside the file has its mode */
    int fd = open(store->config.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOSPC) return pdk_failf(err, -ENOSPC, NULL, "%s: %s", store->config.path, strerror(ENOSPC));
    if (fd >= 0) (void)close(fd);
    int code = sqlite3_open_v2(store->config.path, &store->db, flags, "unix");
    if (code != SQLITE_OK) return queue_sql_fault(store, code, err);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    int32_t rc = queue_sql_script(store, settings, err);
    if (rc == 0) rc = queue_sql_script(store, store->config.relaxed ? relaxed : full, err);
    return rc;
}

static int32_t read_ids(struct queue_store *store, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_META_GET, err, "t", "next_id");
    if (rc == 0) rc = queue_sql_step(store, SQL_META_GET, &row, err);
    store->next_id = rc > 0 ? sqlite3_column_int64(row, 0) : 1;
    store->id_limit = store->next_id;
    if (rc > 0) queue_sql_reset(store, SQL_META_GET);
    return rc < 0 ? rc : 0;
}

static int32_t set_topics(struct queue_store *store, pdk_error *err) {
    int32_t rc = 0;
    for (size_t i = 0; i < store->config.topic_count && rc == 0; i++)
        rc = queue_sqlite_set_topic(store, &store->config.topics[i], err);
    return rc;
}

/* A number of this file's own, once and for all. */
static int32_t choose_seed(struct queue_store *store, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = queue_sql_bind(store, SQL_META_GET, err, "t", "seed");
    if (rc == 0) rc = queue_sql_step(store, SQL_META_GET, &row, err);
    if (rc > 0) store->seed = (uint64_t)sqlite3_column_int64(row, 0);
    if (rc > 0) queue_sql_reset(store, SQL_META_GET);
    if (rc != 0) return rc < 0 ? rc : 0;
    if (getrandom(&store->seed, sizeof store->seed, GRND_NONBLOCK) < 0)
        store->seed = (uint64_t)store->now ^ (uint64_t)store->self.start << 32 ^ (uint64_t)store->self.pid;
    rc = queue_sql_bind(store, SQL_META_SET, err, "ti", "seed", (int64_t)store->seed);
    if (rc == 0) rc = queue_sql_run(store, SQL_META_SET, err);
    return rc < 0 ? rc : 0;
}

const char *queue_sqlite_trace(struct queue_store *store, int64_t id, const char *stored) {
    if (stored) return stored;
    queue_trace_make(store->trace, store->seed, id);
    return store->trace;
}

/* Ours is the newest session; what others were on is rescued, and then they are forgotten. */
static int32_t begin(struct queue_store *store, int64_t now, pdk_error *err);
static int32_t commit(struct queue_store *store, pdk_error *err);
static void roll_back(struct queue_store *store);

static int32_t move_in(struct queue_store *store, int64_t now, pdk_error *err) {
    int32_t rc = begin(store, now, err);
    if (rc < 0) return rc;
    rc = queue_sqlite_rescue(store, err);
    memset(store->out, 0, sizeof store->out); /* what was out was another's */
    store->suspects = true;
    if (rc == 0) rc = set_topics(store, err);
    if (rc == 0) rc = choose_seed(store, err);
    if (rc == 0) return commit(store, err);
    roll_back(store);
    return rc;
}

static void close_store(struct queue_store *store) {
    if (!store) return;
    if (store->db && store->id_limit > store->next_id && begin(store, store->now, NULL) == 0) {
        /* ids that were set aside and not given; without this, they are only skipped */
        int32_t rc = queue_sql_bind(store, SQL_META_SET, NULL, "ti", "next_id", store->next_id);
        if (rc == 0) rc = queue_sql_run(store, SQL_META_SET, NULL);
        if (rc < 0 || commit(store, NULL) < 0) roll_back(store);
    }
    queue_sql_finalize(store);
    if (store->db) (void)sqlite3_close(store->db);
    if (store->lock >= 0) (void)close(store->lock);
    queue_sqlite_topics_free(store);
    free(store);
}

static int32_t open_store(const struct queue_store_config *config, int64_t now, struct queue_store **ret,
                          pdk_error *err) {
    struct queue_store *store = calloc(1, sizeof *store);
    if (!store) return pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    store->config = *config;
    store->lock = -1;
    store->next_due = -1;
    queue_owner_self(&store->self);
    if (config->make_folder) make_folder(config->path);
    int32_t rc = lock(store, err);
    if (rc == 0) queue_sqlite_look_at_log(store);
    if (rc == 0) rc = open_file(store, err);
    if (rc == 0) rc = queue_sqlite_migrate(store, now, err);
    if (rc == 0) rc = read_ids(store, err);
    if (rc == 0) rc = queue_sqlite_topics_load(store, err);
    if (rc == 0) rc = move_in(store, now, err);
    if (rc == 0)
        *ret = store;
    else
        close_store(store);
    return rc;
}

static int32_t begin(struct queue_store *store, int64_t now, pdk_error *err) {
    store->now = now;
    store->batch++;
    store->fault = QUEUE_FAULT_NONE;
    store->live_before = store->live;
    store->ready_before = store->ready;
    memcpy(store->out_before, store->out, sizeof store->out);
    int32_t rc = queue_sql_run(store, SQL_BEGIN, err);
    return rc < 0 ? rc : 0;
}

static void roll_back(struct queue_store *store) {
    for (int i = 0; i < SQL_COUNT; i++) queue_sql_reset(store, (enum queue_sql)i);
    if (!sqlite3_get_autocommit(store->db)) (void)queue_sql_run(store, SQL_ROLLBACK, NULL);
    queue_sqlite_counts_back(store);
    store->live = store->live_before;
    store->ready = store->ready_before;
    memcpy(store->out, store->out_before, sizeof store->out);
    store->id_limit = store->next_id; /* it may not have been kept: set aside anew */
    store->next_due = -1;
}

static int32_t commit(struct queue_store *store, pdk_error *err) {
    int32_t rc = queue_sql_run(store, SQL_COMMIT, err);
    if (rc < 0) store->fault = QUEUE_FAULT_STORE;
    return rc < 0 ? rc : 0;
}

static int32_t fault(const struct queue_store *store) {
    return store->fault;
}

static int32_t probe(struct queue_store *store, pdk_error *err) {
    int32_t rc = queue_sql_bind(store, SQL_META_SET, err, "ti", "probe", store->now);
    if (rc == 0) rc = queue_sql_run(store, SQL_META_SET, err);
    return rc < 0 ? rc : 0;
}

const struct queue_store_ops queue_sqlite = {
    .open = open_store,
    .close = close_store,
    .begin = begin,
    .commit = commit,
    .rollback = roll_back,
    .fault = fault,
    .probe = probe,
    .submit = queue_sqlite_submit,
    .claim = queue_sqlite_claim,
    .settle = queue_sqlite_settle,
    .cancel = queue_sqlite_cancel,
    .retry = queue_sqlite_retry,
    .replay = queue_sqlite_replay,
    .purge = queue_sqlite_purge,
    .sweep = queue_sqlite_sweep,
    .set_topic = queue_sqlite_set_topic,
    .list = queue_sqlite_list,
    .show = queue_sqlite_show,
    .topics = queue_sqlite_topics,
};
