/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: a runner that blocks. A task of kind "@NAME@" counts the lines of a file, in a thread of the host's pool.
 *
 * The main thread starts, cancels and ends; `work` alone runs in the other thread. What both use is atomic, or used by
 * one of them at a time. <paddock/loop.h> has the pool, <paddock/runner.h> the life of a task.
 */
#include <fcntl.h>
#include <paddock/helpers.h>
#include <paddock/loop.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- 1. what a task may say in `with:`. The host checks it before any code here runs */

static const pdk_param params[] = {
    {"file", PDK_STRING, PDK_REQUIRED, NULL, "The file whose lines are counted", .min = 1, .max = 4095},
    PDK_PARAM_END,
};
static const pdk_schema kind = PDK_SCHEMA("@NAME@", "Count the lines of a file", params);
static const pdk_schema *const kinds[] = {&kind, NULL};

/* ---- 2. an instance, of which there may be several: so no globals */

struct instance {
    const pdk_host *host;
    const pdk_pool *pool; /* NULL in hosts that only check; nothing is started there */
};

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct instance *instance = calloc(1, sizeof *instance);
    (void)config;
    (void)err;
    if (!instance) return -ENOMEM;
    instance->host = host;
    instance->pool = host->get_extension(host, PDK_POOL_1);
    *ret = instance;
    return 0;
}

/* ---- 3. a task: made once from a spec, and started once per attempt */

struct task {
    const struct instance *instance;
    const char *file; /* a part of the spec */
    /* of the attempt that runs */
    pdk_attempt attempt;
    pdk_job job; /* the host's from submit until it calls `finished` */
    atomic_int stop;
    int64_t lines; /* the worker's, then the main thread's */
    int error;     /* errno; likewise */
};

static int32_t build_task(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct task *task = calloc(1, sizeof *task);
    int32_t rc;
    if (!task) return -ENOMEM;
    task->instance = self;
    rc = pdk_need_string(task->instance->host, spec->with, "file", &task->file, err);
    if (rc < 0) {
        free(task);
        return rc;
    }
    *ret = task;
    return 0;
}

/* [worker] May block; looks now and then whether it is still wanted. It does not call `done`: `finished` does. */
static void work(void *arg) {
    struct task *task = arg;
    char block[16384];
    ssize_t size = 0;
    int fd = open(task->file, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && !atomic_load(&task->stop) && (size = read(fd, block, sizeof block)) > 0)
        for (ssize_t i = 0; i < size; i++) task->lines += block[i] == '\n';
    if (fd < 0 || size < 0) task->error = errno;
    if (fd >= 0) (void)close(fd);
}

static void end(const struct task *task, int32_t status, int32_t category, const char *message) {
    const pdk_host *host = task->instance->host;
    (void)pdk_end(host, task->attempt, status, category, NULL, message);
}

/* [main] Always called, once: after work, or in place of it. `done` is last: then the task may be started again. */
static void finished(void *arg, int32_t status) {
    const struct task *task = arg;
    const pdk_host *host = task->instance->host;
    char line[64];
    int size = snprintf(line, sizeof line, "%lld lines\n", (long long)task->lines);
    if (status < 0 || atomic_load(&task->stop)) {
        end(task, PDK_CANCELED, PDK_CAT_NONE, "stopped counting");
    } else if (task->error) {
        end(task, PDK_FAILURE, task->error == ENOENT ? PDK_CAT_MISSING : PDK_CAT_OTHER, strerror(task->error));
    } else {
        (void)host->output(host, task->attempt, PDK_STDOUT, line, (size_t)size);
        end(task, PDK_SUCCESS, PDK_CAT_NONE, NULL);
    }
}

/* [main] 0 means that exactly one `done` follows; else there must be none. */
static int32_t start(void *arg, const pdk_start *how, pdk_error *err) {
    struct task *task = arg;
    const pdk_pool *pool = task->instance->pool;
    int32_t rc;
    task->attempt = how->attempt;
    task->lines = 0;
    task->error = 0;
    atomic_store(&task->stop, 0);
    task->job = (pdk_job){(uint32_t)sizeof(pdk_job), .work = work, .done = finished, .arg = task};
    rc = pool->submit(pool, &task->job);
    return rc < 0 ? pdk_fail(err, rc, NULL, "too many jobs are waiting", NULL, NULL) : 0;
}

/* [main] A job that waits is taken back, one that works is asked to stop. Both end in `finished`. */
static void cancel(void *arg, int32_t reason) {
    struct task *task = arg;
    (void)reason;
    atomic_store(&task->stop, 1);
    (void)task->instance->pool->cancel(task->instance->pool, &task->job);
}

/* ---- 4. the tables, and the one symbol that is exported */

static const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), .start = start, .cancel = cancel, .destroy = free};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), .kinds = kinds, .task = &task_ops,
                                      .build_task = build_task};
static const char *const needs[] = {PDK_POOL_1, NULL}; /* without it nothing is started here */

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    .name = "@NAME@",
    .version = "0.1.0",
    .author = "",
    .description = "Counts the lines of a file",
    .needs = needs,
    .runner = &runner,
    .create = create,
    .destroy = free,
};
