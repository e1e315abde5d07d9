/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host for testing one plugin: time stands still until it is moved, jobs and children wait until the test says
 * what becomes of them, and everything the plugin does is kept. Every rule of the ABI that can be watched is
 * watched; mock_free fails the test when one was broken or something was left behind.
 *
 *     struct mock *m = mock_load("sleep", NULL, NULL);
 *     struct mock_task *task = mock_build(m, "sleep", "{'for': '2s'}");    ' stands for " in JSON
 *     struct mock_attempt *attempt = mock_start(task);
 *     mock_advance(m, SECONDS(2));
 *     assert_int_equal(attempt->status, PDK_SUCCESS);
 *     mock_free(m);
 */
#ifndef TEST_PLUGIN_MOCK_HOST_H
#define TEST_PLUGIN_MOCK_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <cmocka.h>

#include <paddock/helpers.h>
#include <paddock/loop.h>
#include <paddock/process.h>

#define SECONDS(n) ((uint64_t)(n)*1000000000U)

struct mock;

/* One start of a task, and what was heard of it. */
struct mock_attempt {
    TAILQ_ENTRY(mock_attempt) link;
    struct mock_task *task;
    pdk_attempt handle;
    uint32_t number;
    int done; /* how often */
    int32_t status, category, exit_code, signal;
    uint64_t retry_after_ns;
    char message[512], code[64];
    const pdk_value *output_value; /* held */
    bool has_usage;
    pdk_usage usage;
    char *output[3]; /* by stream, ending in NUL */
    size_t output_size[3];
    int ready, reports;
    double fraction;
    char text[256]; /* of progress */
};

struct mock_task {
    TAILQ_ENTRY(mock_task) link;
    struct mock *mock;
    void *task;
    pdk_spec spec;
    struct mock_attempt *running; /* started and not done */
    uint32_t attempts;
    bool asked;
};

/* A child that nobody ran: what was asked for, and what the plugin did with it since. */
struct mock_child {
    TAILQ_ENTRY(mock_child) link;
    struct mock *mock;
    pdk_child handle;
    pdk_attempt attempt;
    pdk_command command; /* argv, env, rlimits, groups and pass_fds are copies; fds are those of then */
    char **argv, **env;
    int32_t pass_fds[64];
    uint32_t groups[64];
    char *input, *script; /* what input_fd and the last of pass_fds held; NULL: none */
    const pdk_child_ops *ops;
    void *arg;
    bool started, over, killed;
    int32_t signals[16];
    bool leader_alone[16];
    uint32_t signal_count;
    int resumed;
};

TAILQ_HEAD(mock_attempts, mock_attempt);
TAILQ_HEAD(mock_tasks, mock_task);
TAILQ_HEAD(mock_children, mock_child);

/* What may be wished of a host that is not in good shape. */
struct mock_options {
    bool no_services;   /* as the router alone */
    bool pool_is_full;  /* submit says -EAGAIN */
    int32_t spawn_rc;   /* of the next spawns */
    bool real;          /* the loop, the pool and the processes of the core instead */
    bool unchecked;     /* parameters are given as they are, not by the schema */
    const char *folder; /* where the plugin is; NULL: MOCK_PLUGINS */
};

struct mock {
    struct mock_options options;
    struct mock_attempts attempts;
    struct mock_tasks tasks;
    struct mock_children children;
    pdk_host host;
    const pdk_plugin *plugin;
    void *self;
    char *log;      /* all lines */
    int32_t health; /* the last */
    uint64_t now;
    struct mock_services *services;
    struct mock_private *private;
};

/* The plugin is opened from MOCK_PLUGINS; config as JSON, NULL: {}. Fails the test when that fails. */
struct mock *mock_load(const char *name, const char *config, const struct mock_options *options);
/* create's answer, for tests that want it to fail; *ret is NULL then. */
int32_t mock_try_load(const char *name, const char *config, const struct mock_options *options, struct mock **ret,
                      pdk_error *err);
void mock_free(struct mock *m);

/* Something else that the plugin's file has. */
void *mock_symbol(struct mock *m, const char *name);

const pdk_value *mock_json(struct mock *m, const char *text); /* lives as long as the mock */
char *mock_print(struct mock *m, const pdk_value *value);     /* the same */

struct mock_task *mock_build(struct mock *m, const char *kind, const char *with);
int32_t mock_try_build(struct mock *m, const char *kind, const char *with, const char *input, struct mock_task **ret,
                       pdk_error *err);
/* The message of building what cannot be built; and the JSON of what it points at, in *at unless that is NULL. */
const char *mock_refused(struct mock *m, const char *kind, const char *with, const char **at);
/* From a spec that somebody else completed; it lives as long as the mock. */
struct mock_task *mock_build_spec(struct mock *m, const pdk_spec *spec);
void mock_destroy(struct mock_task *task);

struct mock_attempt *mock_start(struct mock_task *task); /* start must return 0 */
int32_t mock_try_start(struct mock_task *task, const pdk_start *how, struct mock_attempt **ret, pdk_error *err);
void mock_cancel(struct mock_task *task);
void mock_kill(struct mock_task *task);
void mock_resume(struct mock_task *task);
int32_t mock_reload(struct mock_task *task);

/* Time passes: timers fire in order. Posts run, descriptors are looked at. */
void mock_advance(struct mock *m, uint64_t ns);
void mock_turn(struct mock *m);
uint32_t mock_timers(const struct mock *m);

/* Jobs that wait run, on another thread; their done runs here. How many there were. */
uint32_t mock_run_jobs(struct mock *m);
uint32_t mock_jobs(const struct mock *m);

struct mock_child *mock_last_child(struct mock *m);
void mock_child_started(struct mock_child *child, int32_t pid);
void mock_child_failed(struct mock_child *child, int32_t code, const char *message);
void mock_child_ended(struct mock_child *child, int32_t exit_code, int32_t signal);
/* The value of a variable, or NULL. */
const char *mock_env(const struct mock_child *child, const char *name);

/* With options.real: run the loop until the attempt is done, or until it has said this. */
void mock_wait(struct mock_attempt *attempt);
void mock_wait_output(struct mock_attempt *attempt, const char *text);

/* ---- between mock_host.c and mock_services.c ---- */
void mock_broken(struct mock *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mock_check_main(struct mock *m, const char *call);
int32_t mock_services_make(struct mock *m);
void mock_services_free(struct mock *m); /* says what was left behind */
const void *mock_service(struct mock *m, const char *id);
void mock_services_wake(struct mock *m); /* something was heard: mock_wait looks again */
int32_t mock_take_output(struct mock *m, pdk_attempt attempt, int32_t stream, const char *data, size_t size);

#endif
