/* SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "queue_store.h"
#include "store.h"

enum { BACKLOG = 1000000, BATCH = 4096 };

char folder[] = "/tmp/paddock-bench-queue-XXXXXX";

const char *file(const char *name) {
    static char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void die(const char *what, const char *why) {
    (void)fprintf(stderr, "bench-queue: %s: %s\n", what, why);
    exit(1);
}

void print_percentiles(const char *row, const char *text, double *us, int count, double goal) {
    qsort(us, (size_t)count, sizeof *us, bench_compare);
    double p99 = us[count * 99 / 100];
    printf("%-4s %-52s p50 %8.0f us  p99 %8.0f us", row, text, us[count / 2], p99);
    if (goal > 0) printf("  <= %.0f %s", goal, p99 <= goal ? "ok" : "missed");
    printf("\n");
    fflush(stdout);
}

double cpu_us(clockid_t clock) {
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- bare SQLite ---- */

static sqlite3 *db;

static void run(const char *sql) {
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK) die(sql, why);
}

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) die(sql, sqlite3_errmsg(db));
    return statement;
}

static void step(sqlite3_stmt *statement) {
    while (sqlite3_step(statement) == SQLITE_ROW) continue;
    if (sqlite3_reset(statement) != SQLITE_OK) die("step", sqlite3_errmsg(db));
}

static struct queue_store_config config_of(const char *path) {
    return (struct queue_store_config){
        .path = path, .max_jobs = INT64_MAX, .max_topics = 10, .keep_ended = INT64_MAX / 2, .keep_dead = INT64_MAX / 2};
}

/* The file as the queue makes it. */
static void open_bare(const char *name) {
    const struct queue_store_config config = config_of(file(name));
    struct queue_store *store;
    pdk_error err = PDK_ERROR;
    if (queue_sqlite.open(&config, 1, &store, &err) < 0) die("open", err.message);
    queue_sqlite.close(store);
    if (sqlite3_open(file(name), &db) != SQLITE_OK) die("open", name);
    run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000");
}

static sqlite3_stmt *insert, *take, *finish, *drop;

static void prepare_bare(void) {
    insert =
        prepare("INSERT INTO job(id,topic,state,priority,due,submitted,max_attempts,backoff_first,backoff_max,"
                "backoff_factor,backoff_jitter,name,kind,spec) VALUES(?1,'default',1,0,?2,?2,1,1000,3600000,2000,1,"
                "'hello','noop','{\"name\":\"hello\",\"kind\":\"noop\"}')");
    take =
        prepare("UPDATE job SET state=2,fence=fence+1,started=2,owner=1 WHERE id IN (SELECT id FROM job WHERE state=1 "
                "AND topic='default' ORDER BY priority DESC,due,id LIMIT 4096) RETURNING id,fence,priority,due,spec");
    finish =
        prepare("INSERT INTO ended(id,topic,state,priority,due,submitted,fence,attempts,max_attempts,started,"
                "backoff_first,backoff_max,backoff_factor,backoff_jitter,name,kind,spec,run_id,ended,outcome,dead) "
                "SELECT id,topic,3,priority,due,submitted,fence,1,max_attempts,started,backoff_first,backoff_max,"
                "backoff_factor,backoff_jitter,name,kind,spec,'noop-hello-12345',?2,0,0 FROM job WHERE id=?1 AND "
                "fence=1 AND state=2");
    drop = prepare("DELETE FROM job WHERE id=?1");
}

static void close_bare(void) {
    sqlite3_stmt *const all[] = {insert, take, finish, drop};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) (void)sqlite3_finalize(all[i]);
    (void)sqlite3_close(db);
}

double measure_bare(double *ret_cpu_us) {
    static int round;
    char name[32];
    (void)snprintf(name, sizeof name, "bare-%d.db", round++);
    open_bare(name);
    prepare_bare();
    double cpu = cpu_us(CLOCK_THREAD_CPUTIME_ID);
    uint64_t began = pdk_clock_now();
    for (int first = 1; first <= JOBS; first += BATCH) {
        run("BEGIN IMMEDIATE");
        for (int id = first; id < first + BATCH && id <= JOBS; id++) {
            (void)sqlite3_bind_int(insert, 1, id);
            (void)sqlite3_bind_int64(insert, 2, 1700000000000 + id);
            step(insert);
        }
        step(take);
        run("COMMIT");
        run("BEGIN IMMEDIATE");
        for (int id = first; id < first + BATCH && id <= JOBS; id++) {
            (void)sqlite3_bind_int(finish, 1, id);
            (void)sqlite3_bind_int64(finish, 2, 1700000000000 + id);
            step(finish);
            (void)sqlite3_bind_int(drop, 1, id);
            step(drop);
        }
        run("COMMIT");
    }
    double seconds = (double)(pdk_clock_now() - began) / 1e9;
    *ret_cpu_us = (cpu_us(CLOCK_THREAD_CPUTIME_ID) - cpu) / JOBS;
    close_bare();
    return JOBS / seconds;
}

void measure_commit(void) {
    static double us[SAMPLES];
    open_bare("commit.db");
    prepare_bare();
    for (int i = 0; i < SAMPLES; i++) {
        uint64_t began = pdk_clock_now();
        (void)sqlite3_bind_int(insert, 1, i + 1);
        (void)sqlite3_bind_int64(insert, 2, i);
        step(insert);
        us[i] = (double)(pdk_clock_now() - began) / 1e3;
    }
    close_bare();
    print_percentiles("", "   beside: one bare commit of one row", us, SAMPLES, 0);
}

/* ---- a million behind it ---- */

static int32_t drop_job(void *arg, const struct queue_job *job) {
    (void)job;
    ++*(int *)arg;
    return 0;
}

static void fill(struct queue_store *store) {
    pdk_error err = PDK_ERROR;
    struct queue_receipt receipt;
    struct queue_new given = {.topic = "default",
                              .name = "hello",
                              .kind = "noop",
                              .spec = "{\"name\":\"hello\",\"kind\":\"noop\"}",
                              .max_attempts = 1,
                              .backoff = queue_default_backoff};
    uint64_t began = pdk_clock_now();
    for (int i = 0; i < BACKLOG; i++) {
        if (i % 10000 == 0 && queue_sqlite.begin(store, 1000 + i, &err) < 0) die("begin", err.message);
        given.priority = i % 7;
        if (queue_sqlite.submit(store, &given, NULL, NULL, &receipt, &err) < 0) die("submit", err.message);
        if (i % 10000 == 9999 && queue_sqlite.commit(store, &err) < 0) die("commit", err.message);
    }
    printf("%-4s %-52s %12.0f jobs/s\n", "", "   a million submitted, 10,000 a batch",
           BACKLOG / ((double)(pdk_clock_now() - began) / 1e9));
}

void measure_claims(uint32_t limit) {
    static double call[SAMPLES], whole[SAMPLES];
    const struct queue_store_config config = config_of(file("backlog.db"));
    struct queue_store *store;
    pdk_error err = PDK_ERROR;
    char text[80];
    int64_t due;
    int count = 0;
    bool first = access(config.path, F_OK) != 0;
    if (queue_sqlite.open(&config, 1, &store, &err) < 0) die("open", err.message);
    if (first) fill(store);
    for (int i = 0; i < SAMPLES; i++) {
        uint64_t began = pdk_clock_now();
        if (queue_sqlite.begin(store, 2000000, &err) < 0) die("begin", err.message);
        uint64_t called = pdk_clock_now();
        if (queue_sqlite.claim(store, limit, drop_job, &count, &due, &err) < 0) die("claim", err.message);
        call[i] = (double)(pdk_clock_now() - called) / 1e3;
        if (queue_sqlite.commit(store, &err) < 0) die("commit", err.message);
        whole[i] = (double)(pdk_clock_now() - began) / 1e3;
    }
    if (count != SAMPLES * (int)limit) die("claim", "too few");
    queue_sqlite.close(store);
    (void)snprintf(text, sizeof text, "claim of %u, backlog of a million: the call", limit);
    print_percentiles("53", text, call, SAMPLES, 5000);
    print_percentiles("", "   with its commit", whole, SAMPLES, 0);
}
