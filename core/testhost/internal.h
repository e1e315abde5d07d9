/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the test host share: the host, and what it knows of everything that passed through it. */
#ifndef CORE_TESTHOST_INTERNAL_H
#define CORE_TESTHOST_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/table.h"
#include "core/loop/loop.h"
#include "core/plugin/instance.h"
#include "core/process/process.h"
#include "core/testhost/testhost.h"

enum { BROKEN_MAX = 64, FAULTS = 12, OUTPUT_MAX = 64 << 20, TEXT_MAX = 1 << 20 };

struct broken {
    int32_t rule;
    char line[512];
};

struct fault {
    int32_t answer;
    uint32_t after, times, struck;
};

/* What of the host's the plugin owns: see owned.c. */
enum { PDK_TEST_WATCHED = 8 }; /* hosts at once whose plugins are watched for it */
struct owning {
    pdk_values table;                 /* what the plugin is given */
    _Atomic(pdk_test *) *row;         /* NULL: it is not watched */
    struct pdk_table values, writers; /* by address; under the lock */
    uint64_t order;
    bool spoiled; /* there was no memory to count */
};

struct attempt {
    pdk_test_attempt public; /* first: one is cast to the other */
    TAILQ_ENTRY(attempt) link;
    struct pdk_buffer out[3];
    char code[64], message[1024], text[256];
    bool running, asked, killed;
    bool gone; /* its task was destroyed */
};

struct task {
    pdk_test_task public;
    TAILQ_ENTRY(task) link;
    struct attempt *last; /* started; NULL: never */
    uint32_t attempts;
};

struct child {
    pdk_test_child public;
    TAILQ_ENTRY(child) link;
    pdk_test *test;
    uintptr_t caller;
    int32_t fails; /* the errno of the failure that is due in the next turn; 0: none is */
};

struct delivery {
    pdk_test_delivery public;
    TAILQ_ENTRY(delivery) link;
};

struct watch {
    LIST_ENTRY(watch) link;
    pdk_watch handle;
    int32_t fd; /* -1: a timer */
    uint32_t events;
    uint64_t due, repeat;
    uintptr_t caller; /* who began to watch */
    void (*ready)(void *arg, uint32_t events);
    void (*fire)(void *arg);
    void *arg;
};

/* Jobs, in order of submit. */
struct job {
    TAILQ_ENTRY(job) link;
    pdk_job *job;
    int32_t status; /* for its done */
    uintptr_t caller;
};

/* A series that the plugin asked metrics/1 for. */
struct pdk_series {
    LIST_ENTRY(pdk_series) link;
    const pdk_metric *metric;
    char *values;
    double value; /* of a histogram: how often */
};

TAILQ_HEAD(attempts, attempt);
TAILQ_HEAD(tasks, task);
TAILQ_HEAD(children, child);
TAILQ_HEAD(deliveries, delivery);
TAILQ_HEAD(jobs, job);
LIST_HEAD(watches, watch);
LIST_HEAD(series_list, pdk_series);

enum phase { PHASE_MADE, PHASE_OPEN, PHASE_DRAINING, PHASE_STOPPING, PHASE_STOPPED };

/* What a process has that a plugin may not change behind our back. */
struct footprint {
    uint32_t fds, threads;
    uint64_t heap; /* a point in time, see heap.h */
    uint32_t watches, jobs, children;
};

struct pdk_test {
    pdk_test_options options; /* its texts and its table are copies */
    pdk_host host;
    const pdk_plugin *plugin;
    void *self;
    bool self_made;
    struct pdk_library library; /* plugin NULL: it came from memory */
    struct pdk_arena arena;     /* [main] */
    pthread_t main;
    bool real;
    enum phase phase;

    pthread_mutex_t
        lock; /* of attempts, deliveries, series, posts, health, owning; no foreign code is called under it */
    pthread_mutex_t said; /* of broken, log and record; taken last */
    struct broken *broken;
    uint32_t broken_count, broken_kept;
    struct pdk_buffer log, record, shown_log, shown_record, page;

    struct attempts attempts;
    struct tasks tasks, gone; /* gone: destroyed, but attempts point to them */
    struct children children;
    struct deliveries deliveries;
    struct series_list series;
    struct jobs jobs, worked; /* that wait, that wait for their done */
    pdk_call *first_post, *last_post;
    struct watches watches;
    uint32_t child_count, delivery_count;
    uint64_t next_handle;
    const pdk_value **values;
    size_t value_count, value_capacity;

    _Atomic uint64_t now;
    int32_t wake; /* an eventfd: something was heard from another thread */
    struct pdk_test_tuning tuning;
    const char *inside; /* which call of the plugin runs on the main thread; NULL: none */
    uint64_t entered;

    int32_t health;
    char health_text[256];
    bool stopped;

    struct fault faults[FAULTS];
    struct footprint begin;

    uint32_t room;
    bool pressed; /* it was told to wait */
    int32_t templates;

    pdk_loop loop;
    pdk_pool pool;
    pdk_process process;
    pdk_source source;
    pdk_metrics metrics;
    struct owning owning;
    struct real *services; /* of the core, or NULL */
};

/* ---- broken.c ---- */
void pdk_test_break(pdk_test *t, int32_t rule, const char *format, ...) __attribute__((format(printf, 3, 4)));
void pdk_test_note(pdk_test *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pdk_test_note_log(pdk_test *t, const char *text);
void pdk_test_check_main(pdk_test *t, const char *call);
/* A failure that the caller of the test wants to see, or that counts as a failed expectation when err is NULL. */
int32_t pdk_test_failed(pdk_test *t, pdk_error *err, int32_t rc, const pdk_error *why, const char *what);

/* ---- footprint.c ---- */
void pdk_test_footprint(pdk_test *t, struct footprint *ret);
/* Break PURE when there is more than before. */
void pdk_test_pure(pdk_test *t, const struct footprint *before, const char *call);
uint32_t pdk_test_threads(void);

/* ---- host.c ---- */
void pdk_test_fill_host(pdk_test *t);
int32_t pdk_test_take_output(pdk_test *t, pdk_attempt handle, int32_t stream, const char *data, size_t size);
/* Around each call of the plugin on the main thread. */
void pdk_test_enter(pdk_test *t, const char *call);
void pdk_test_leave(pdk_test *t);

/* ---- fault.c ---- */
/* Does this call end badly? Then *ret is its answer. */
bool pdk_test_strikes(pdk_test *t, int32_t fault, int32_t *ret);

/* ---- values.c ---- */
int32_t pdk_test_parse(pdk_test *t, const char *json, const pdk_value **ret, pdk_error *err);
const pdk_value *pdk_test_keep(pdk_test *t, const pdk_value *value); /* until the end; NULL: no memory */
int32_t pdk_test_complete(pdk_test *t, const pdk_schema *schema, const pdk_value *given, const pdk_value **ret,
                          pdk_error *err);

/* ---- owned.c ---- */
const pdk_values *pdk_test_watch_values(pdk_test *t);
/* Break OWNED for what is left, if its instance was destroyed, and give it back. */
void pdk_test_free_values(pdk_test *t, bool destroyed);

/* ---- loop.c, pool.c, process.c, source.c, metrics.c ---- */
void pdk_test_fill_loop(pdk_test *t);
bool pdk_test_posts(pdk_test *t); /* run them; was there one? */
void pdk_test_wake(pdk_test *t);
struct watch *pdk_test_next_timer(const pdk_test *t, uint64_t until);
void pdk_test_fire(pdk_test *t, struct watch *watch);
/* Wait for descriptors; -1: no waiting. Was there one? */
bool pdk_test_poll(pdk_test *t, int timeout_ms);
void pdk_test_free_loop(pdk_test *t);
void pdk_test_fill_pool(pdk_test *t);
bool pdk_test_end_jobs(pdk_test *t); /* done of those that worked */
void pdk_test_free_pool(pdk_test *t);
void pdk_test_fill_process(pdk_test *t);
bool pdk_test_fail_children(pdk_test *t); /* those whose failure is due */
void pdk_test_free_process(pdk_test *t);
void pdk_test_fill_source(pdk_test *t);
void pdk_test_free_source(pdk_test *t);
void pdk_test_settle_rest(pdk_test *t);
void pdk_test_fill_metrics(pdk_test *t);
void pdk_test_free_metrics(pdk_test *t);

/* ---- real.c ---- */
int32_t pdk_test_make_real(pdk_test *t, pdk_error *err);
void pdk_test_free_real(pdk_test *t);
const void *pdk_test_real_service(const pdk_test *t, const char *id);
uint64_t pdk_test_real_now(const pdk_test *t);
void pdk_test_real_wake(pdk_test *t);
/* One turn, or until something is heard, at most so long. */
void pdk_test_real_run(pdk_test *t, uint64_t ns);

/* ---- task.c ---- */
void pdk_test_end_tasks(pdk_test *t);
void pdk_test_free_attempts(pdk_test *t);

#endif
