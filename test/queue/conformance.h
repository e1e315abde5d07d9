/* SPDX-License-Identifier: Apache-2.0 */
/* The words in which conformance*.c say what every store promises; see there. */
#ifndef TEST_QUEUE_CONFORMANCE_H
#define TEST_QUEUE_CONFORMANCE_H

#include "support/unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store.h"

static const struct queue_store_ops *const stores[] = {&queue_sqlite};

struct world {
    const struct queue_store_ops *ops;
    struct queue_store *store;
    struct queue_store_config config;
    char folder[64], path[128];
    int64_t now;
};

static struct world w;

static inline void open_store(void) {
    pdk_error err = PDK_ERROR;
    if (w.ops->open(&w.config, w.now, &w.store, &err) < 0) fail_msg("%s", err.message);
}

static inline void close_store(void) {
    w.ops->close(w.store);
    w.store = NULL;
}

static inline int set_up(void **state) {
    w = (struct world){.ops = stores[0], .now = 1000000, .folder = "/tmp/paddock-store-XXXXXX"};
    (void)state;
    if (!mkdtemp(w.folder)) return -1;
    (void)snprintf(w.path, sizeof w.path, "%s/queue.db", w.folder);
    w.config = (struct queue_store_config){.path = w.path,
                                           .max_jobs = 1000000,
                                           .max_topics = 100,
                                           .max_rescues = QUEUE_RESCUES,
                                           .keep_ended = QUEUE_DAY_MS,
                                           .keep_dead = 2 * QUEUE_DAY_MS};
    open_store();
    return 0;
}

static inline int tear_down(void **state) {
    static const char *const names[] = {"queue.db", "queue.db-wal", "queue.db-shm", "queue.db.lock"};
    char path[256];
    (void)state;
    if (w.store) close_store();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", w.folder, names[i]);
        (void)unlink(path);
    }
    return rmdir(w.folder);
}

/* ---- words ---- */

static inline void begin(void) {
    pdk_error err = PDK_ERROR;
    if (w.ops->begin(w.store, w.now, &err) < 0) fail_msg("%s", err.message);
}

static inline void commit(void) {
    pdk_error err = PDK_ERROR;
    if (w.ops->commit(w.store, &err) < 0) fail_msg("%s", err.message);
}

static inline struct queue_new some(const char *topic) {
    return (struct queue_new){.topic = topic,
                              .name = "hello",
                              .kind = "echo",
                              .spec = "{}",
                              .max_attempts = 3,
                              .backoff = queue_default_backoff};
}

static inline struct queue_receipt give(const struct queue_new *given) {
    struct queue_receipt receipt = {0, false};
    pdk_error err = PDK_ERROR;
    begin();
    if (w.ops->submit(w.store, given, NULL, NULL, &receipt, &err) < 0) fail_msg("%s", err.message);
    commit();
    return receipt;
}

static inline int64_t give_topic(const char *topic, int64_t priority, int64_t delay) {
    struct queue_new given = some(topic);
    given.priority = priority;
    given.delay = delay;
    return give(&given).id;
}

struct claims {
    size_t count;
    struct {
        int64_t id, fence;
        struct queue_counts counts;
        struct queue_job job; /* without its texts */
        char spec[64], input[64], topic[64], trace[QUEUE_TRACE_SIZE];
    } of[64];
};

static inline int32_t note_claim(void *arg, const struct queue_job *job) {
    struct claims *claims = arg;
    assert_true(claims->count < COUNT_OF(claims->of));
    claims->of[claims->count].id = job->id;
    claims->of[claims->count].fence = job->fence;
    claims->of[claims->count].counts = job->counts;
    claims->of[claims->count].job = *job;
    queue_cut(claims->of[claims->count].spec, 64, job->spec);
    queue_cut(claims->of[claims->count].input, 64, job->input ? job->input : "");
    queue_cut(claims->of[claims->count].topic, 64, job->topic);
    queue_cut(claims->of[claims->count].trace, QUEUE_TRACE_SIZE, job->trace);
    assert_int_equal(job->state, QUEUE_RUNNING);
    claims->count++;
    return 0;
}

static int64_t due; /* of the last claim */

static inline struct claims claim(uint32_t limit) {
    struct claims claims = {0};
    pdk_error err = PDK_ERROR;
    begin();
    if (w.ops->claim(w.store, limit, note_claim, &claims, &due, &err) < 0) fail_msg("%s", err.message);
    commit();
    return claims;
}

static inline int32_t settle_of(int64_t id, int64_t fence, const struct queue_job *job,
                                const struct queue_counts *counts, int32_t end) {
    struct queue_end how = {end, 0, 0, "", 0};
    struct queue_settle settle = {
        .id = id, .fence = fence, .claimed = job, .message = "so it went", .run_id = "echo-hello-1"};
    struct queue_backoff none = {0, 0, 1000, 0};
    pdk_error err = PDK_ERROR;
    settle.verdict = queue_life_ended(counts, &none, &how, 0);
    begin();
    int32_t rc = w.ops->settle(w.store, &settle, &err);
    commit();
    return rc;
}

/* By nothing but its fence. */
static inline int32_t settle_as(int64_t id, int64_t fence, const struct queue_counts *counts, int32_t end) {
    return settle_of(id, fence, NULL, counts, end);
}

/* With what the claim brought, as the queue does it. */
static inline int32_t settle(const struct claims *claims, size_t i, int32_t end) {
    struct queue_job job = claims->of[i].job;
    job.topic = claims->of[i].topic;
    job.name = "hello";
    job.kind = "echo";
    job.spec = claims->of[i].spec;
    job.input = *claims->of[i].input ? claims->of[i].input : NULL;
    job.trace = claims->of[i].trace;
    return settle_of(claims->of[i].id, claims->of[i].fence, &job, &claims->of[i].counts, end);
}

struct seen {
    struct queue_job job;
    char message[64], code[64], spec[64], trace[QUEUE_TRACE_SIZE];
    size_t jobs, attempts;
    int64_t ids[64];
    enum queue_fate fates[16];
};

static inline int32_t note_job(void *arg, const struct queue_job *job) {
    struct seen *seen = arg;
    seen->job = *job;
    queue_cut(seen->message, 64, job->message ? job->message : "");
    queue_cut(seen->code, 64, job->code ? job->code : "");
    queue_cut(seen->spec, 64, job->spec ? job->spec : "");
    queue_cut(seen->trace, sizeof seen->trace, job->trace ? job->trace : "");
    if (seen->jobs < 64) seen->ids[seen->jobs] = job->id;
    seen->jobs++;
    return 0;
}

static inline int32_t note_attempt(void *arg, const struct queue_attempt *attempt) {
    struct seen *seen = arg;
    seen->fates[seen->attempts++] = attempt->fate;
    return 0;
}

static inline struct seen show(int64_t id) {
    struct seen seen = {0};
    pdk_error err = PDK_ERROR;
    begin();
    if (w.ops->show(w.store, id, note_job, note_attempt, &seen, &err) < 0) fail_msg("%s", err.message);
    commit();
    return seen;
}

static inline int32_t note_topic(void *arg, const struct queue_topic *topic) {
    *(struct queue_topic *)arg = *topic;
    return 0;
}

static inline struct queue_topic topic(const char *name) {
    struct queue_topic found = {"", false, 0, {0}, 0};
    pdk_error err = PDK_ERROR;
    begin();
    if (w.ops->topics(w.store, name, note_topic, &found, &err) < 0) fail_msg("%s", err.message);
    commit();
    return found;
}

static inline void set_topic(const char *name, int32_t paused, int64_t limit) {
    struct queue_topic_setting setting = {"", limit, paused};
    pdk_error err = PDK_ERROR;
    queue_cut(setting.name, sizeof setting.name, name);
    begin();
    assert_int_equal(w.ops->set_topic(w.store, &setting, &err), 0);
    commit();
}

static inline void assert_counts(const char *name, int64_t delayed, int64_t ready, int64_t running, int64_t dead) {
    struct queue_topic found = topic(name);
    assert_int_equal(found.jobs[QUEUE_DELAYED], delayed);
    assert_int_equal(found.jobs[QUEUE_READY], ready);
    assert_int_equal(found.jobs[QUEUE_RUNNING], running);
    assert_int_equal(found.jobs[QUEUE_ENDED], dead);
}

/* As kill -9 leaves it: the file as it is, and nobody who moves out. */
static inline void crash(void) {
    close_store();
    open_store();
}

static inline struct queue_receipt give_unique(const char *spec, enum queue_unique mode, int64_t delay) {
    struct queue_new given = some("t");
    given.unique = "u";
    given.spec = spec;
    given.mode = mode;
    given.delay = delay;
    return give(&given);
}

static inline int64_t kill_one(const char *name, const char *unique) {
    struct queue_new given = some(name);
    given.unique = unique;
    int64_t id = give(&given).id;
    struct claims claims = claim(1);
    assert_int_equal(claims.of[0].id, id);
    assert_int_equal(settle(&claims, 0, PDK_END_FATAL), 0);
    return id;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
