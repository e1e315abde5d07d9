/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/testhost.h - a host for testing one plugin, without a daemon. Link with pkg-config paddock-testhost.
 *
 * Time stands still until it is moved; jobs and children wait until the test says what becomes of them; what
 * can go wrong goes wrong when the test says so. Everything the plugin does is kept, and every rule of the
 * headers that can be watched is watched.
 *
 *     pdk_test *t = pdk_test_load("./greet.so", NULL, NULL);
 *     pdk_test_attempt *attempt = pdk_test_start(pdk_test_build(t, "greet", "{'name': 'you'}", NULL), NULL);
 *     pdk_test_wait(attempt);
 *     PDK_TEST(t, attempt->status == PDK_SUCCESS);
 *     return pdk_test_end(t);
 *
 * It fits any framework: a broken rule or a failed expectation is a line, which goes to options.broken, or to
 * stderr when there is none, and makes pdk_test_end answer something else than 0. Where a call takes an error
 * that may be NULL, NULL says that the call is expected to go well. Calls on NULL do nothing and answer NULL
 * or a negative errno, so a chain of them needs no checks.
 *
 *   JSON     In all texts of JSON that a test gives, ' stands for ".
 *   Threads  All calls are for the thread that made the host, which is the plugin's main thread, unless [any].
 *   Memory   What a call returns lives until pdk_test_end, unless the text says less. Structs are the host's,
 *            read only; fields are only ever added at the end.
 */
#ifndef PADDOCK_TESTHOST_H
#define PADDOCK_TESTHOST_H

#include "control.h"
#include "library.h"
#include "loop.h"
#include "process.h"

PDK_BEGIN

#define PDK_SECOND      ((uint64_t)1000000000)
#define PDK_MILLISECOND ((uint64_t)1000000)

typedef struct pdk_test pdk_test; /* a host with one instance of one plugin in it */

/* ---- the host and its instance ---- */

/* pdk_test_options.flags */
enum {
    PDK_TEST_REAL = 1,        /* the loop, pool and processes of the core, and the time of the wall */
    PDK_TEST_NO_SERVICES = 2, /* get_extension answers NULL to everything, as in `paddock check` */
    PDK_TEST_UNCHECKED = 4,   /* config and parameters are given as they are, not checked and completed by the schema */
    PDK_TEST_KEEPS_HEAP = 8   /* blocks of memory that the plugin still has at the end are no fault */
};

/* Which rule a line is about. */
enum {
    PDK_TEST_RULE_EXPECTED = 0, /* the test's own: PDK_TEST, a NULL error, a wait that took too long */
    PDK_TEST_RULE_THREAD = 1,   /* a [main] call from another thread */
    PDK_TEST_RULE_DONE = 2,     /* exactly one done per start that returned 0, none for others */
    PDK_TEST_RULE_AFTER = 3,    /* nothing comes after done, stopped or drain */
    PDK_TEST_RULE_HANDLE = 4,   /* no handle that is stale, or that never was */
    PDK_TEST_RULE_RESULT = 5,   /* a result, a progress, an error or a metric that its header does not allow */
    PDK_TEST_RULE_MANNERS = 6,  /* a log line with a newline, loop->child instead of process/1 and the like */
    PDK_TEST_RULE_PURE = 7,     /* create, supports and build_task start and open nothing */
    PDK_TEST_RULE_LEFT = 8,     /* no watch, job, child, descriptor, thread or memory is left at the end */
    PDK_TEST_RULE_STOP = 9,     /* stopped is said once, after stop */
    PDK_TEST_RULE_SLOW = 10,    /* a [main] call blocked */
    PDK_TEST_RULE_WORDS = 11,   /* a result that is no success says why; the headers allow not to */
    PDK_TEST_RULE_OWNED = 12    /* who owns a value drops it, once; who opened a writer closes it */
};

/* A service that the test offers, in place of or beside those of the host. */
typedef struct pdk_test_service {
    const char *id;      /* as get_extension is asked; the last of a table: NULL */
    const void *service; /* NULL: the host has none */
} pdk_test_service;

typedef struct pdk_test_options {
    uint32_t struct_size;
    uint32_t flags;                   /* PDK_TEST_REAL ... */
    uint32_t roles;                   /* PDK_ROLE_...: host->roles; 0: all that the plugin has */
    uint32_t reserved;                /* 0 */
    const char *config;               /* JSON; NULL: {} */
    const char *instance;             /* its name; NULL: "test" */
    const pdk_test_service *services; /* NULL: none */

    /* [any] A rule was broken, or an expectation failed; line has no newline. NULL: to stderr. */
    void (*broken)(void *arg, int32_t rule, const char *line);
    void *arg;
} pdk_test_options;

#define PDK_TEST_OPTIONS(flags, config) \
    { (uint32_t)sizeof(pdk_test_options), (flags), 0, 0, (config), NULL, NULL, NULL, NULL }

/* Load a plugin's file and create an instance. options NULL: the defaults. NULL and *err when the file is no plugin,
 * the config is refused, or create fails; err->code is the reason, e.g. what create returned. With err NULL the
 * reason goes where broken rules go. */
PDK_API pdk_test *pdk_test_load(const char *path, const pdk_test_options *options, pdk_error *err);

/* The same for a plugin from memory, which outlives the host: one that is linked into the test. */
PDK_API pdk_test *pdk_test_make(const pdk_plugin *plugin, const pdk_test_options *options, pdk_error *err);

/* Destroy the tasks that are left and the instance, look for what they left behind, and free the host. Answers how many
 * rules were broken and expectations failed, at most 125: fit for the exit code of a program. NULL: 1. */
PDK_API int pdk_test_end(pdk_test *t);

PDK_API const pdk_plugin *pdk_test_plugin(const pdk_test *t);
PDK_API const pdk_host *pdk_test_host(const pdk_test *t); /* what create was given */
PDK_API void *pdk_test_self(const pdk_test *t);           /* what create made */

/* Something else that the plugin's file exports, or NULL. */
PDK_API void *pdk_test_symbol(const pdk_test *t, const char *name);

/* [any] An expectation: condition 0 is a line with its text, file and line. Answers condition. */
PDK_API int pdk_test_expect(pdk_test *t, int condition, const char *text, const char *file, int line);
#define PDK_TEST(t, condition) pdk_test_expect((t), (condition) ? 1 : 0, #condition, __FILE__, __LINE__)

/* What was broken so far: how many lines, and each of them; NULL past the last. Only the first 64 are kept. */
PDK_API uint32_t pdk_test_broken(const pdk_test *t);
PDK_API const char *pdk_test_broken_line(const pdk_test *t, uint32_t i, int32_t *ret_rule);
/* Forget them: the test wanted them. */
PDK_API void pdk_test_forgive(pdk_test *t);

/* ---- what was heard of the instance ---- */

/* Every line it logged, each ending in a newline; "" when there is none. Until the next call of this. */
PDK_API const char *pdk_test_log(pdk_test *t);
/* Every call between host and plugin, a line each, oldest first, for a look at what happened; the last MiB of it.
 * Until the next call of this. */
PDK_API const char *pdk_test_record(pdk_test *t);
/* The state it said last: PDK_UP ...; before the first word, UP without a start in its table, else DOWN. */
PDK_API int32_t pdk_test_health(const pdk_test *t, const char **ret_text);
/* What it counts by metrics/1: the sum of the series of that name (of a histogram: how often), 0 when there are none. */
PDK_API double pdk_test_counted(pdk_test *t, const char *metric);

/* ---- values ---- */

/* Parse JSON. NULL and a line when it is wrong. */
PDK_API const pdk_value *pdk_test_value(pdk_test *t, const char *json);
/* A value as JSON on one line; "null" for NULL. */
PDK_API const char *pdk_test_text(pdk_test *t, const pdk_value *value);

/* ---- time and the loop ---- */

/* Nanoseconds of host->now_ns. */
PDK_API uint64_t pdk_test_now(const pdk_test *t);
/* Time passes: timers fire in order, what they posted runs, descriptors are looked at. In real time: the loop runs. */
PDK_API void pdk_test_advance(pdk_test *t, uint64_t ns);
/* One turn of the loop without time: what was posted, what is readable or writable. */
PDK_API void pdk_test_turn(pdk_test *t);
/* Go on (jobs run, simulated time jumps to the next timer, descriptors are waited for) until is_so answers something
 * else than 0. Children that are simulated end only when the test says so. -ETIMEDOUT, and a line, when nothing is
 * left that could happen, or when a minute of the wall has passed. */
PDK_API int32_t pdk_test_until(pdk_test *t, int (*is_so)(void *arg), void *arg);

/* What is there of each now. */
PDK_API uint32_t pdk_test_timers(const pdk_test *t);
PDK_API uint32_t pdk_test_descriptors(const pdk_test *t); /* being watched */
PDK_API uint32_t pdk_test_jobs(const pdk_test *t);        /* submitted and not begun */

/* All jobs that wait: each works on a thread that is not the main one, then its done is called. Those submitted meanwhile
 * too. How many there were. */
PDK_API uint32_t pdk_test_run_jobs(pdk_test *t);
/* The first job that waits works, but its done is called only in the next turn: whatever the test does in between
 * crosses it. -ENOENT: none waits. */
PDK_API int32_t pdk_test_work_job(pdk_test *t);

/* ---- faults ---- */

enum {
    PDK_TEST_FAULT_ALLOCATION = 1, /* malloc and its kin, called by the plugin; the answer is always NULL */
    PDK_TEST_FAULT_SUBMIT_JOB = 2, /* pool->submit: -EAGAIN */
    PDK_TEST_FAULT_JOB = 3,        /* a job does not work, its done hears this: -ECANCELED */
    PDK_TEST_FAULT_SPAWN = 4,      /* process->spawn: -EAGAIN, -EINVAL */
    PDK_TEST_FAULT_CHILD = 5,      /* spawn says 0 and failed is called in the next turn: -ENOENT, -EACCES ... */
    PDK_TEST_FAULT_IO = 6,         /* loop->io: -EMFILE ... */
    PDK_TEST_FAULT_TIMER = 7,      /* loop->timer: -ENOMEM */
    PDK_TEST_FAULT_OUTPUT = 8,     /* host->output takes it and says PDK_PAUSE */
    PDK_TEST_FAULT_SUBMIT = 9,     /* source->submit: -EAGAIN, -EINVAL, -ESHUTDOWN */
    PDK_TEST_FAULT_PREPARE = 10,   /* source->prepare: -EINVAL */
    PDK_TEST_FAULT_SERIES = 11     /* metrics->series: NULL, as without a backend */
};

/* From now on `after` calls go well, then `times` (UINT32_MAX: all) end in answer, then it is well again. answer 0: the
 * one named first above. times 0: no fault. One rule per kind of fault, the newest counts; not in real time but for
 * ALLOCATION, OUTPUT, SUBMIT, PREPARE, SERIES. -ENOTSUP: the plugin's allocations cannot be reached.
 * t may be NULL for ALLOCATION, which is one for the process: so that create fails in the next pdk_test_load. */
PDK_API int32_t pdk_test_fault(pdk_test *t, int32_t fault, int32_t answer, uint32_t after, uint32_t times);
/* How often it has struck since it was set. */
PDK_API uint32_t pdk_test_struck(const pdk_test *t, int32_t fault);

/* ---- runners ---- */

typedef struct pdk_test_task {
    uint32_t struct_size, reserved;
    pdk_test *test;
    void *task;    /* the plugin's */
    pdk_spec spec; /* the last member for ever: pdk_spec can grow */
} pdk_test_task;

/* One start of a task, and what was heard of it. */
typedef struct pdk_test_attempt {
    uint32_t struct_size;
    uint32_t number; /* 1 for the first of its task */
    pdk_attempt attempt;
    pdk_test_task *task;

    uint32_t done;  /* how often; more than once is also a broken rule, and the first result stands */
    int32_t status; /* -1 before done, then as in pdk_result; so are the next */
    int32_t category, exit_code, signal;
    uint32_t has_usage;
    uint64_t retry_after_ns;
    const char *code, *message;    /* "" when there is none */
    const pdk_value *output_value; /* what it produced, NULL: nothing */
    pdk_usage usage;

    const char *output[3]; /* [PDK_STDOUT], [PDK_STDERR]: what it wrote, ends in NUL, "" at first; until it writes on */
    size_t output_size[3]; /* bytes */
    uint32_t ready, reports; /* how often ready and progress were said */
    double fraction;         /* of the last progress; -2 before */
    const char *text;        /* of the last progress; "" */
} pdk_test_attempt;

/* Does it support this? 1, 0, or negative; err says why not. Does what a host does before: kind and schema. */
PDK_API int32_t pdk_test_supports(pdk_test *t, const char *kind, const char *with, pdk_error *err);

/* Make a task of that kind with these parameters (JSON; NULL: {}), which are checked and completed by the schema.
 * NULL when the schema or the plugin refuses them; err->at points at the value, pdk_test_text shows it. */
PDK_API pdk_test_task *pdk_test_build(pdk_test *t, const char *kind, const char *with, pdk_error *err);
/* Parameters as that kind would be given them: checked and completed. NULL when the schema refuses them. */
PDK_API const pdk_value *pdk_test_with(pdk_test *t, const char *kind, const char *with, pdk_error *err);
/* The same with all of a spec: `with` as it is, made by pdk_test_with or by the test. Members that are NULL get something
 * sensible. The values live until the task is destroyed. */
PDK_API pdk_test_task *pdk_test_build_spec(pdk_test *t, const pdk_spec *spec, pdk_error *err);
/* The task is IDLE. Attempts stay. */
PDK_API void pdk_test_destroy(pdk_test_task *task);

/* Begin an attempt. NULL when start refuses; err->code is what it returned. */
PDK_API pdk_test_attempt *pdk_test_start(pdk_test_task *task, pdk_error *err);
/* The same; from how are taken run_id, deadline_ns, trace and trace_state. */
PDK_API pdk_test_attempt *pdk_test_start_as(pdk_test_task *task, const pdk_start *how, pdk_error *err);

/* As the host does: not when it has ended, and at most once per attempt. */
PDK_API void pdk_test_cancel(pdk_test_attempt *attempt, int32_t reason);
/* A cancel that crosses done: it is called although done has been heard. Not once the task is started again. */
PDK_API void pdk_test_cancel_late(pdk_test_attempt *attempt, int32_t reason);
/* Cancel, if that has not been, then kill. */
PDK_API void pdk_test_kill(pdk_test_attempt *attempt);
PDK_API void pdk_test_resume(pdk_test_attempt *attempt);
PDK_API int32_t pdk_test_reload(pdk_test_attempt *attempt); /* -ENOTSUP when it has none */

/* As pdk_test_until: go on until the attempt is done. */
PDK_API int32_t pdk_test_wait(pdk_test_attempt *attempt);
/* Until it is done or its stdout holds this text. */
PDK_API int32_t pdk_test_wait_output(pdk_test_attempt *attempt, const char *text);

/* ---- children that are simulated ---- */

/* What was asked for, and what the plugin did with it since. */
typedef struct pdk_test_child {
    uint32_t struct_size;
    uint32_t signal_count;
    pdk_child child;
    pdk_attempt attempt;
    const pdk_child_ops *ops; /* with arg: to call what has no function here */
    void *arg;
    uint32_t started, over;                /* 1: it is */
    uint32_t killed, resumed;              /* how often */
    int32_t signals[16], leader_alone[16]; /* the first 16 */
    const char *input;                     /* what input_fd held, NULL: there was none */
    const char *const *passed;             /* what each of pass_fds held */
    pdk_command
        command; /* with copies of its texts and lists, but seccomp; fds are those of then. The last member for ever */
} pdk_test_child;

PDK_API pdk_test_child *pdk_test_child_at(pdk_test *t, uint32_t i); /* in order of spawn; NULL past the last */
PDK_API pdk_test_child *pdk_test_last_child(pdk_test *t);           /* NULL, and a line, when there is none */
PDK_API const char *pdk_test_child_env(const pdk_test_child *child, const char *name); /* NULL: not set */

/* What becomes of it. ended is preceded by started when that was not. */
PDK_API void pdk_test_child_started(pdk_test_child *child, int32_t pid);
PDK_API void pdk_test_child_failed(pdk_test_child *child, int32_t code, const char *message);
/* Answers what the plugin's output answered; goes to the attempt when it has none. */
PDK_API int32_t pdk_test_child_writes(pdk_test_child *child, int32_t stream, const char *text);
PDK_API void pdk_test_child_ended(pdk_test_child *child, int32_t exit_code, int32_t signal);

/* ---- the instance as a whole: plugins with start and stop ---- */

/* Start it, 0 without a start in its table. What start returned. */
PDK_API int32_t pdk_test_open(pdk_test *t, pdk_error *err);
/* Go on, as pdk_test_until, until its health is this. */
PDK_API int32_t pdk_test_wait_health(pdk_test *t, int32_t state);
/* Drain (a source), then, when all deliveries are settled (those that are not: as canceled by a shutdown), stop, and go
 * on until it has said stopped. pdk_test_end does it when the test has not. */
PDK_API int32_t pdk_test_close(pdk_test *t);

/* ---- sources ---- */

/* Something that the plugin submitted and the host took. */
typedef struct pdk_test_delivery {
    uint32_t struct_size;
    uint32_t settled, canceled; /* how often */
    uint32_t reserved;
    pdk_test *test;
    pdk_delivery delivery;
    pdk_run run;
    const pdk_value *spec;           /* of the template when it was submitted with one */
    const pdk_value *with;           /* in place of the template's; NULL: as there */
    const char *name, *slot, *trace; /* "" when not said */
    uint64_t deadline_ns;
    const char *trace_state; /* "" when not said */
} pdk_test_delivery;

/* How many were taken, and each, in order; NULL past the last. */
PDK_API uint32_t pdk_test_deliveries(const pdk_test *t);
PDK_API pdk_test_delivery *pdk_test_delivery_at(pdk_test *t, uint32_t i);
/* Go on, as pdk_test_until, until so many were taken. Answers the last of them, or NULL. */
PDK_API pdk_test_delivery *pdk_test_wait_delivery(pdk_test *t, uint32_t count);

/* What source->room answers from now on, counting down with each submit, which says -EAGAIN at 0. At first UINT32_MAX:
 * no end. Going up from 0 calls resume if the plugin was told of it. */
PDK_API void pdk_test_room(pdk_test *t, uint32_t room);
/* Its run goes on: PDK_PHASE_... */
PDK_API void pdk_test_report(pdk_test_delivery *delivery, int32_t phase, double fraction, const char *text);
/* It has ended: PDK_END_..., once; result NULL: a result that suits the end. flush follows. */
PDK_API void pdk_test_settle(pdk_test_delivery *delivery, int32_t end, const pdk_result *result);
/* The same with all of an outcome. */
PDK_API void pdk_test_settle_as(pdk_test_delivery *delivery, const pdk_outcome *outcome);
/* Take nothing new in; submit says -ESHUTDOWN from now on. */
PDK_API void pdk_test_drain(pdk_test *t);

/* ---- metrics backends ---- */

/* [any] values: one per label of the metric, NULL-ended; NULL: no labels. NULL: it does not record. */
PDK_API pdk_series *pdk_test_series(pdk_test *t, const pdk_metric *metric, const char *const *values);
/* [any] By the type of the metric that the series was made with: add, set, observe. */
PDK_API void pdk_test_add(pdk_test *t, pdk_series *series, double n);
PDK_API void pdk_test_set(pdk_test *t, pdk_series *series, double n);
PDK_API void pdk_test_observe(pdk_test *t, pdk_series *series, double n);
/* All it prints; NULL when it has no print, or print failed. Until the next call of this. */
PDK_API const char *pdk_test_page(pdk_test *t);

PDK_END
#endif
