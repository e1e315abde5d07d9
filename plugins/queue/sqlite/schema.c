/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables, as steps: a file that an older Paddock wrote takes those it lacks, in one transaction each.
 *
 * job has what lives, and nothing else, so that it stays small and fast; ended has what was, and attempt what became of
 * the claims that did not end their job. Times are milliseconds since 1970.
 */
#include <errno.h>

#include "sqlite/inside.h"

enum { APPLICATION = 0x5044514a }; /* "PDQJ": what `file` and we know our files by */

#define COMMON                                                                                              \
    "id INTEGER PRIMARY KEY,topic TEXT NOT NULL,state INTEGER NOT NULL,priority INTEGER NOT NULL,"          \
    "due INTEGER NOT NULL,submitted INTEGER NOT NULL,fence INTEGER NOT NULL DEFAULT 0,"                     \
    "attempts INTEGER NOT NULL DEFAULT 0,max_attempts INTEGER NOT NULL,rescues INTEGER NOT NULL DEFAULT 0," \
    "snoozes INTEGER NOT NULL DEFAULT 0,started INTEGER,backoff_first INTEGER NOT NULL,"                    \
    "backoff_max INTEGER NOT NULL,backoff_factor INTEGER NOT NULL,backoff_jitter INTEGER NOT NULL,"         \
    "name TEXT,kind TEXT,unique_key TEXT,spec TEXT NOT NULL,input TEXT,code TEXT,message TEXT,run_id TEXT,"

static const char *const steps[] = {
    "CREATE TABLE meta(name TEXT PRIMARY KEY,value INTEGER NOT NULL) STRICT,WITHOUT ROWID;"
    "CREATE TABLE migration(version INTEGER PRIMARY KEY,applied INTEGER NOT NULL) STRICT;"
    "CREATE TABLE owner(session INTEGER PRIMARY KEY,boot TEXT NOT NULL,pid INTEGER NOT NULL,start INTEGER NOT NULL,"
    "since INTEGER NOT NULL) STRICT;"
    "CREATE TABLE topic(name TEXT PRIMARY KEY,paused INTEGER NOT NULL,running INTEGER NOT NULL) STRICT,WITHOUT ROWID;"
    "CREATE TABLE idempotency(key TEXT PRIMARY KEY,job_id INTEGER NOT NULL,expires INTEGER NOT NULL) STRICT,"
    "WITHOUT ROWID;"
    "CREATE INDEX idempotency_expires ON idempotency(expires);"
    /* state: 0 delayed, 1 ready, 2 running */
    "CREATE TABLE job(" COMMON "cancel INTEGER NOT NULL DEFAULT 0,owner INTEGER) STRICT;"
    "CREATE INDEX job_ready ON job(topic,priority DESC,due) WHERE state=1;"
    "CREATE INDEX job_delayed ON job(due) WHERE state=0;"
    "CREATE INDEX job_running ON job(owner) WHERE state=2;"
    "CREATE UNIQUE INDEX job_unique ON job(topic,unique_key) WHERE unique_key IS NOT NULL;"
    "CREATE TABLE ended(" COMMON "ended INTEGER NOT NULL,outcome INTEGER NOT NULL,dead INTEGER NOT NULL,"
    "exit_code INTEGER,signal INTEGER,output TEXT) STRICT;"
    "CREATE INDEX ended_when ON ended(dead,ended);"
    "CREATE INDEX ended_dead ON ended(topic,id) WHERE dead=1;"
    "CREATE TABLE attempt(job_id INTEGER NOT NULL,number INTEGER NOT NULL,fate INTEGER NOT NULL,started INTEGER,"
    "ended INTEGER NOT NULL,code TEXT,message TEXT,run_id TEXT,PRIMARY KEY(job_id,number)) STRICT,WITHOUT ROWID;",

    "ALTER TABLE job ADD COLUMN trace TEXT;"
    "ALTER TABLE ended ADD COLUMN trace TEXT;"
    "CREATE INDEX job_suspect ON job(topic,rescues) WHERE state=1 AND rescues>0;",
};
enum { VERSION = sizeof steps / sizeof *steps };

/* One number that a PRAGMA or a SELECT gives. */
static int32_t ask(struct queue_store *store, const char *text, int64_t *ret, pdk_error *err) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, text, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) *ret = sqlite3_column_int64(statement, 0);
    int32_t rc = code == SQLITE_ROW ? 0 : queue_sql_fault(store, code, err);
    (void)sqlite3_finalize(statement);
    return rc;
}

static int32_t take_step(struct queue_store *store, int64_t version, int64_t now, pdk_error *err) {
    char text[256];
    int32_t rc = queue_sql_script(store, "BEGIN IMMEDIATE", err);
    if (rc < 0) return rc;
    (void)snprintf(text, sizeof text,
                   "PRAGMA application_id=%d;PRAGMA user_version=%lld;INSERT INTO migration VALUES(%lld,%lld);COMMIT",
                   APPLICATION, (long long)version, (long long)version, (long long)now);
    rc = queue_sql_script(store, steps[version - 1], err);
    if (rc == 0) rc = queue_sql_script(store, text, err);
    if (rc < 0) (void)queue_sql_script(store, "ROLLBACK", NULL);
    return rc;
}

int32_t queue_sqlite_migrate(struct queue_store *store, int64_t now, pdk_error *err) {
    int64_t application = 0, version = 0, tables = 0;
    int32_t rc = ask(store, "PRAGMA application_id", &application, err);
    if (rc == 0) rc = ask(store, "PRAGMA user_version", &version, err);
    if (rc == 0) rc = ask(store, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (rc < 0) return rc;
    if (tables && application != APPLICATION)
        return pdk_failf(err, -EINVAL, NULL, "%s: it is a database of something else", store->config.path);
    if (version > VERSION)
        return pdk_failf(err, -EINVAL, NULL,
                         "%s: a newer Paddock wrote it (its tables are of version %lld, ours of %d)",
                         store->config.path, (long long)version, (int)VERSION);
    while (rc == 0 && version < VERSION) rc = take_step(store, ++version, now, err);
    return rc;
}
