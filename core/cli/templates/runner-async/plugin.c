/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: a runner that waits. A task of kind "@NAME@" ticks as often as it is told, on a timer of the host's loop:
 * no thread, and nothing blocks. Sockets go the same way: loop->io in place of loop->timer.
 *
 * All functions here run on the host's main thread, one at a time. <paddock/loop.h> has the loop, <paddock/runner.h>
 * the life of a task.
 */
#include <paddock/helpers.h>
#include <paddock/loop.h>
#include <stdlib.h>

/* ---- 1. what a task may say in `with:`. The host checks it before any code here runs, and fills in what is absent */

static const pdk_param params[] = {
    {"ticks", PDK_INT, 0, "3", "How often to tick", .min = 1, .max = 1e6},
    {"every", PDK_DURATION, 0, "100ms", "Time before each tick", .min = 0.001, .max = 86400},
    PDK_PARAM_END,
};
static const pdk_schema kind = PDK_SCHEMA("@NAME@", "Tick", params);
static const pdk_schema *const kinds[] = {&kind, NULL};

/* ---- 2. an instance, of which there may be several: so no globals */

struct instance {
    const pdk_host *host;
    const pdk_loop *loop; /* NULL in hosts that only check; nothing is started there */
};

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct instance *instance = calloc(1, sizeof *instance);
    (void)config;
    (void)err;
    if (!instance) return -ENOMEM;
    instance->host = host;
    instance->loop = host->get_extension(host, PDK_LOOP_1);
    *ret = instance;
    return 0;
}

/* ---- 3. a task: made once from a spec, and started once per attempt */

struct task {
    const struct instance *instance;
    int64_t ticks;
    uint64_t every_ns;
    /* of the attempt that runs */
    pdk_attempt attempt; /* 0: none */
    pdk_watch timer;
    int64_t ticked;
};

static int32_t build_task(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    const struct instance *instance = self;
    struct task *task = calloc(1, sizeof *task);
    int32_t rc;
    if (!task) return -ENOMEM;
    task->instance = instance;
    rc = pdk_need_integer(instance->host, spec->with, "ticks", &task->ticks, err);
    if (rc == 0) rc = pdk_need_duration(instance->host, spec->with, "every", &task->every_ns, err);
    if (rc < 0) {
        free(task);
        return rc;
    }
    *ret = task;
    return 0;
}

/* Every end of an attempt comes through here. `done` is last: from then on the task may be started again. */
static void end(struct task *task, int32_t status, const char *message) {
    const struct instance *instance = task->instance;
    pdk_attempt attempt = task->attempt;
    pdk_result result = PDK_RESULT(status, PDK_CAT_NONE, message);
    instance->loop->stop(instance->loop, task->timer);
    task->attempt = 0;
    (void)instance->host->done(instance->host, attempt, &result);
}

static void tick(void *arg) {
    struct task *task = arg;
    const pdk_host *host = task->instance->host;
    char line[64];
    int size = snprintf(line, sizeof line, "tick %lld\n", (long long)++task->ticked);
    (void)host->output(host, task->attempt, PDK_STDOUT, line, (size_t)size);
    (void)host->progress(host, task->attempt, (double)task->ticked / (double)task->ticks, NULL);
    if (task->ticked == task->ticks) end(task, PDK_SUCCESS, NULL);
}

/* Begins, and returns at once. 0 means that exactly one `done` follows; else there must be none. */
static int32_t start(void *arg, const pdk_start *how, pdk_error *err) {
    struct task *task = arg;
    const pdk_loop *loop = task->instance->loop;
    int32_t rc = loop->timer(loop, task->every_ns, task->every_ns, tick, task, &task->timer);
    if (rc < 0) return pdk_fail(err, rc, NULL, "no timer can be had", NULL, NULL);
    task->attempt = how->attempt;
    task->ticked = 0;
    return 0;
}

/* Somebody wants it to end: a person, a timeout, a shutdown. It may come when the attempt has just ended. */
static void cancel(void *arg, int32_t reason) {
    struct task *task = arg;
    (void)reason;
    if (task->attempt) end(task, PDK_CANCELED, "stopped ticking");
}

/* ---- 4. the tables, and the one symbol that is exported */

static const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), .start = start, .cancel = cancel, .destroy = free};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), .kinds = kinds, .task = &task_ops,
                                      .build_task = build_task};
static const char *const needs[] = {PDK_LOOP_1, NULL}; /* without it nothing is started here */

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD, .name = "@NAME@",  .version = "0.1.0", .author = "",    .description = "Ticks on a timer",
    .needs = needs,  .runner = &runner, .create = create,   .destroy = free,
};
