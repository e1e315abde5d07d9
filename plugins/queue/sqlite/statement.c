/* SPDX-License-Identifier: Apache-2.0 */
/* Every statement, prepared once when it is first needed; and what its errors mean. */
#include <errno.h>

#include "sqlite/inside.h"

/* In this order everywhere, up to `output`: see read.c. */
#define COMMON                                                                                             \
    "id,state,topic,name,kind,priority,submitted,due,started,attempts,max_attempts,rescues,snoozes,fence," \
    "code,message,run_id"
#define LIVE   COMMON ",0,0,0,0,0"
#define ENDED  COMMON ",ended,outcome,dead,exit_code,signal"
#define POLICY "backoff_first,backoff_max,backoff_factor,backoff_jitter"

#define CLAIM(and)                                                                                                \
    "UPDATE job SET state=2,fence=fence+1,started=?2,owner=?4 WHERE id IN (SELECT id FROM job WHERE state=1 AND " \
    "topic=?1" and                                                                                                \
        " ORDER BY priority DESC,due,id LIMIT ?3) RETURNING id,fence,priority,due,submitted,attempts,"            \
        "max_attempts,rescues,snoozes," POLICY ",name,kind,spec,input,unique_key IS NOT NULL,trace"

static const char *const texts[] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_META_GET] = "SELECT value FROM meta WHERE name=?1",
    [SQL_META_SET] = "INSERT INTO meta(name,value) VALUES(?1,?2) ON CONFLICT(name) DO UPDATE SET value=excluded.value",
    [SQL_KEY_FIND] = "SELECT job_id FROM idempotency WHERE key=?1 AND expires>?2",
    [SQL_KEY_ADD] = "INSERT OR REPLACE INTO idempotency(key,job_id,expires) VALUES(?1,?2,?3)",
    [SQL_UNIQUE_FIND] = "SELECT id,state,due FROM job WHERE topic=?1 AND unique_key=?2",
    [SQL_UNIQUE_FREE] = "UPDATE job SET unique_key=NULL WHERE id=?1",
    [SQL_SUBMIT] =
        "INSERT INTO job(id,topic,state,priority,due,submitted,max_attempts," POLICY ",unique_key,name,kind,"
        "spec,input,fence,started,owner,trace) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,"
        "?18,?19,?20)",
    [SQL_REPLACE] = "UPDATE job SET state=?2,priority=?3,due=?4,max_attempts=?5,backoff_first=?6,backoff_max=?7,"
                    "backoff_factor=?8,backoff_jitter=?9,name=?10,kind=?11,spec=?12,input=?13,trace=?14 WHERE id=?1",
    [SQL_NEXT_DUE] = "SELECT due FROM job WHERE state=0 ORDER BY due LIMIT 1",
    [SQL_WAKE] = "UPDATE job SET state=1 WHERE id IN (SELECT id FROM job WHERE state=0 AND due<=?1 ORDER BY due LIMIT "
                 "1000) RETURNING topic",
    [SQL_CLAIM] = CLAIM(""),
    [SQL_CLAIM_FRESH] = CLAIM(" AND rescues=0"),
    [SQL_CLAIM_SUSPECT] = CLAIM(" AND rescues>0 AND rescues BETWEEN ?5 AND ?6"),
    [SQL_SUSPECTS] = "SELECT 1 FROM job WHERE state=1 AND rescues>0 LIMIT 1",
    [SQL_END] = "INSERT INTO ended(" COMMON "," POLICY ",unique_key,spec,input,ended,outcome,dead,exit_code,signal,"
                "output,trace) SELECT id,3,topic,name,kind,priority,submitted,due,started,?3,max_attempts,?4,?5,fence,"
                "?6,?7,coalesce(?8,run_id)," POLICY ",unique_key,spec,input,?9,?10,?11,?12,?13,?14,trace FROM job "
                "WHERE id=?1 AND fence=?2 AND state=?15",
    [SQL_END_CLAIMED] =
        "INSERT INTO ended(id,state,topic,name,kind,priority,submitted,due,started,attempts,max_attempts,"
        "rescues,snoozes,fence,code,message,run_id," POLICY ",spec,input,ended,outcome,dead,exit_code,"
        "signal,output,trace) VALUES(?1,3,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,"
        "?21,?22,?23,?24,?25,?26,?27,?28,?29)",
    [SQL_DROP_CLAIMED] = "DELETE FROM job WHERE id=?1 AND fence=?2 AND state=2",
    [SQL_DROP] = "DELETE FROM job WHERE id=?1",
    [SQL_AGAIN] = "UPDATE job SET state=?3,due=?4,attempts=?5,rescues=?6,snoozes=?7,code=?8,message=?9,"
                  "run_id=coalesce(?10,run_id) WHERE id=?1 AND fence=?2 AND state=2",
    [SQL_ATTEMPT] = "INSERT OR REPLACE INTO attempt(job_id,number,fate,started,ended,code,message,run_id) "
                    "VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
    [SQL_CANCEL] = "UPDATE job SET cancel=1 WHERE id=?1",
    [SQL_WAITING] = "SELECT topic,state,fence,attempts,rescues,snoozes,cancel,started FROM job WHERE id=?1",
    [SQL_TOPIC_SET] = "INSERT INTO topic(name,paused,running) VALUES(?1,?2,?3) ON CONFLICT(name) DO UPDATE SET "
                      "paused=excluded.paused,running=excluded.running",
    [SQL_TOPIC_OLDEST] = "SELECT priority,due FROM job WHERE state=1 AND topic=?1 AND priority<?2 ORDER BY priority "
                         "DESC,due LIMIT 1",
    [SQL_ENDED_FIND] = "SELECT topic,dead,unique_key FROM ended WHERE id=?1",
    [SQL_ENDED_DROP] = "DELETE FROM ended WHERE id=?1",
    [SQL_ATTEMPTS_DROP] = "DELETE FROM attempt WHERE job_id=?1",
    [SQL_COPY] =
        "INSERT INTO job(id,topic,state,priority,due,submitted,max_attempts," POLICY ",unique_key,name,kind,"
        "spec,input,trace) SELECT ?2,topic,1,priority,?3,?3,max_attempts," POLICY ",unique_key,name,kind,spec,input,"
        "trace "
        "FROM ended WHERE id=?1",
    [SQL_REPLAY] = "INSERT INTO job(id,topic,state,priority,due,submitted,fence,max_attempts," POLICY ",unique_key,"
                   "name,kind,spec,input,code,message,run_id,trace) SELECT id,topic,1,priority,?2,submitted,fence,"
                   "max_attempts," POLICY ",unique_key,name,kind,spec,input,code,message,run_id,trace FROM ended WHERE "
                   "id=?1",
    [SQL_DEAD_OF] = "SELECT id FROM ended WHERE dead=1 AND topic=?1 AND id>?2 ORDER BY id LIMIT 1",
    [SQL_BEFORE_OF] = "SELECT id FROM ended WHERE topic=?1 AND ended<?2 AND id>?3 ORDER BY id LIMIT 1",
    [SQL_OLD] = "SELECT id FROM ended WHERE ended<?2 AND dead=?1 ORDER BY ended LIMIT 1",
    [SQL_KEYS_OLD] = "DELETE FROM idempotency WHERE key IN (SELECT key FROM idempotency WHERE expires<=?1 LIMIT ?2)",
    [SQL_LIST] = "SELECT " LIVE " FROM job WHERE id>?1 ORDER BY id LIMIT ?2",
    [SQL_LIST_ENDED] = "SELECT " ENDED " FROM ended WHERE id>?1 ORDER BY id LIMIT ?2",
    [SQL_SHOW] = "SELECT " LIVE ",spec,input,NULL,trace FROM job WHERE id=?1",
    [SQL_SHOW_ENDED] = "SELECT " ENDED ",spec,input,output,trace FROM ended WHERE id=?1",
    [SQL_ATTEMPTS] =
        "SELECT number,fate,started,ended,code,message,run_id FROM attempt WHERE job_id=?1 ORDER BY number",
    [SQL_RUNNING] = "SELECT id,fence,topic,attempts,max_attempts,rescues,snoozes,cancel FROM job WHERE state=2 AND "
                    "owner IS NOT ?1 LIMIT 1",
    [SQL_OWNERS] = "SELECT session,boot,pid,start FROM owner",
    [SQL_OWNER_ADD] = "INSERT INTO owner(session,boot,pid,start,since) VALUES(?1,?2,?3,?4,?5)",
    [SQL_OWNER_DROP] = "DELETE FROM owner WHERE session<>?1",
};

/* What goes wrong with the store, and not with the call. */
static const struct {
    int code;
    int32_t rc, fault;
    const char *words;
} faults[] = {
    {SQLITE_FULL, -ENOSPC, QUEUE_FAULT_STORE, "no space is left for it"},
    {SQLITE_READONLY, -EROFS, QUEUE_FAULT_STORE, "it cannot be written to"},
    {SQLITE_IOERR, -EIO, QUEUE_FAULT_STORE, "it cannot be read or written"},
    {SQLITE_CANTOPEN, -EIO, QUEUE_FAULT_STORE, "it cannot be opened"},
    {SQLITE_PERM, -EACCES, QUEUE_FAULT_STORE, "it may not be opened"},
    {SQLITE_BUSY, -EBUSY, QUEUE_FAULT_STORE, "another program has locked it"},
    {SQLITE_NOMEM, -ENOMEM, QUEUE_FAULT_STORE, "out of memory"},
    {SQLITE_CORRUPT, -EIO, QUEUE_FAULT_CALL, "a page of it is damaged"},
    {SQLITE_NOTADB, -EIO, QUEUE_FAULT_STORE, "it is no database, or a damaged one"},
    {SQLITE_TOOBIG, -E2BIG, QUEUE_FAULT_CALL, "too large"},
    {SQLITE_CONSTRAINT, -EINVAL, QUEUE_FAULT_CALL, "it breaks a rule of its own"},
};

int32_t queue_sql_fault(struct queue_store *store, int code, pdk_error *err) {
    int system_error = store->db ? sqlite3_system_errno(store->db) : 0;
    const char *detail = store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code);
    if ((code & 0xff) == SQLITE_IOERR && system_error) detail = strerror(system_error);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (faults[i].code != (code & 0xff)) continue;
        store->fault = faults[i].fault;
        return pdk_failf(err, faults[i].rc, NULL, "%s: %s (%s)", store->config.path, faults[i].words, detail);
    }
    store->fault = QUEUE_FAULT_CALL;
    return pdk_failf(err, -EIO, NULL, "%s: %s", store->config.path, detail);
}

static int32_t prepare(struct queue_store *store, enum queue_sql which, pdk_error *err) {
    if (store->statements[which]) return 0;
    int code =
        sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[which], NULL);
    return code == SQLITE_OK ? 0 : queue_sql_fault(store, code, err);
}

int32_t queue_sql_bind(struct queue_store *store, enum queue_sql which, pdk_error *err, const char *format, ...) {
    va_list args;
    int32_t rc = prepare(store, which, err);
    if (rc < 0) return rc;
    sqlite3_stmt *statement = store->statements[which];
    int code = SQLITE_OK;
    va_start(args, format);
    for (int i = 0; format[i] && code == SQLITE_OK; i++) {
        if (format[i] == 't') {
            code = sqlite3_bind_text(statement, i + 1, va_arg(args, const char *), -1, SQLITE_STATIC);
        } else {
            int64_t n = va_arg(args, int64_t);
            code =
                format[i] == 'n' && !n ? sqlite3_bind_null(statement, i + 1) : sqlite3_bind_int64(statement, i + 1, n);
        }
    }
    va_end(args);
    return code == SQLITE_OK ? 0 : queue_sql_fault(store, code, err);
}

int32_t queue_sql_step(struct queue_store *store, enum queue_sql which, sqlite3_stmt **ret, pdk_error *err) {
    sqlite3_stmt *statement = store->statements[which];
    int code = sqlite3_step(statement);
    int32_t rc = 0;
    if (code == SQLITE_ROW) {
        *ret = statement;
        return 1;
    }
    if (code != SQLITE_DONE) rc = queue_sql_fault(store, code, err);
    (void)sqlite3_reset(statement);
    return rc;
}

void queue_sql_reset(struct queue_store *store, enum queue_sql which) {
    if (store->statements[which]) (void)sqlite3_reset(store->statements[which]);
}

int32_t queue_sql_run(struct queue_store *store, enum queue_sql which, pdk_error *err) {
    sqlite3_stmt *row = NULL;
    int32_t rc = prepare(store, which, err);
    if (rc == 0) rc = queue_sql_step(store, which, &row, err);
    if (rc > 0) queue_sql_reset(store, which);
    return rc < 0 ? rc : sqlite3_changes(store->db);
}

int32_t queue_sql_script(struct queue_store *store, const char *text, pdk_error *err) {
    int code = sqlite3_exec(store->db, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : queue_sql_fault(store, code, err);
}

void queue_sql_finalize(struct queue_store *store) {
    for (size_t i = 0; i < SQL_COUNT; i++) (void)sqlite3_finalize(store->statements[i]);
}
