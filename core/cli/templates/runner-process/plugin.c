/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: a runner that drives a program. A task of kind "@NAME@" lets sha256sum read a file, and keeps what it says.
 *
 * The host's process service starts the program, listens to it and ends it, with everything it has started; never fork
 * in a plugin. All functions here run on the host's main thread. <paddock/process.h> has the life of a child,
 * <paddock/runner.h> that of a task.
 */
#include <paddock/helpers.h>
#include <paddock/process.h>
#include <signal.h>
#include <stdlib.h>

/* ---- 1. what a task may say in `with:`. The host checks it before any code here runs */

static const pdk_param params[] = {
    {"file", PDK_STRING, PDK_REQUIRED, NULL, "The file whose digest is wanted", .min = 1, .max = 4095},
    PDK_PARAM_END,
};
static const pdk_schema kind = PDK_SCHEMA("@NAME@", "The SHA-256 of a file", params);
static const pdk_schema *const kinds[] = {&kind, NULL};

/* ---- 2. an instance, of which there may be several: so no globals */

struct instance {
    const pdk_host *host;
    const pdk_process *process; /* NULL in hosts that only check; nothing is started there */
};

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct instance *instance = calloc(1, sizeof *instance);
    (void)config;
    (void)err;
    if (!instance) return -ENOMEM;
    instance->host = host;
    instance->process = host->get_extension(host, PDK_PROCESS_1);
    *ret = instance;
    return 0;
}

/* ---- 3. a task: made once from a spec, and started once per attempt */

enum { DIGEST = 64 }; /* characters */

struct task {
    const struct instance *instance;
    const char *file; /* a part of the spec */
    /* of the attempt that runs */
    pdk_attempt attempt;
    pdk_child child;
    int canceled;
    char said[DIGEST + 1]; /* the beginning of its stdout: what we want of it, and no more */
    size_t size;
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

/* ---- 4. what is heard of the child: output as it comes, then exactly one of failed and ended */

/* Its stdout is ours; its stderr is for people, and becomes output of the attempt. */
static int32_t on_output(void *arg, int32_t stream, const char *data, size_t size) {
    struct task *task = arg;
    const pdk_host *host = task->instance->host;
    if (stream == PDK_STDERR) return host->output(host, task->attempt, stream, data, size);
    if (size > DIGEST - task->size) size = DIGEST - task->size;
    memcpy(task->said + task->size, data, size);
    task->size += size;
    task->said[task->size] = '\0';
    return 0;
}

/* What the attempt produced, for people and for whoever started the task: {"sha256": digest}. */
static void succeed(const struct task *task) {
    const pdk_host *host = task->instance->host;
    const pdk_values *values = host->values;
    const pdk_value *output = NULL;
    pdk_writer *writer = values->open(values);
    values->put_map(writer);
    values->key(writer, "sha256");
    values->put_string(writer, task->said, task->size);
    values->end(writer);
    (void)values->close(writer, &output, NULL); /* without memory for it there is none */
    (void)host->output(host, task->attempt, PDK_STDOUT, task->said, task->size);
    (void)host->output(host, task->attempt, PDK_STDOUT, "\n", 1);
    (void)pdk_succeed(host, task->attempt, output);
    values->drop(output);
}

/* It is over. `done` is last: from then on the task may be started again. */
static void on_ended(void *arg, const pdk_exit *how) {
    const struct task *task = arg;
    const pdk_host *host = task->instance->host;
    pdk_result result = PDK_RESULT(PDK_FAILURE, PDK_CAT_OTHER, "it did not say a digest");
    char text[64];
    result.exit_code = how->exit_code;
    result.signal = how->signal;
    result.usage = &how->usage;
    if (task->canceled) {
        result.status = PDK_CANCELED;
        result.category = PDK_CAT_NONE;
        result.message = "stopped reading";
    } else if (how->signal || how->exit_code) {
        (void)snprintf(text, sizeof text, how->signal ? "signal %d" : "exit code %d",
                       how->signal ? how->signal : how->exit_code);
        result.category = how->signal ? PDK_CAT_SIGNAL : PDK_CAT_EXIT;
        result.message = text;
    } else if (task->size == DIGEST && !how->error) {
        succeed(task);
        return;
    }
    (void)host->done(host, task->attempt, &result);
}

/* It could not be started. */
static void on_failed(void *arg, const pdk_error *err) {
    const struct task *task = arg;
    const pdk_host *host = task->instance->host;
    int32_t status = task->canceled ? PDK_CANCELED : PDK_FATAL;
    (void)pdk_end(host, task->attempt, status, err->code == -ENOENT ? PDK_CAT_MISSING : PDK_CAT_OTHER, NULL,
                  err->message);
}

static const pdk_child_ops child_ops = {PDK_HEAD(pdk_child_ops), .failed = on_failed, .output = on_output,
                                        .ended = on_ended};

/* ---- 5. an attempt */

/* 0 means that exactly one `done` follows; else there must be none. */
static int32_t start(void *arg, const pdk_start *how, pdk_error *err) {
    static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL}; /* all of it */
    struct task *task = arg;
    const pdk_process *process = task->instance->process;
    const char *const argv[] = {"sha256sum", "--zero", "--", task->file, NULL};
    const pdk_command command = {
        .struct_size = (uint32_t)sizeof command,
        .flags = PDK_COMMAND_BLOCK, /* it waits for us, so nothing that it says is lost */
        .argv = argv,
        .env = env,
        .name = how->run_id,
        .cwd_fd = -1,   /* as ours */
        .input_fd = -1, /* nothing */
        .stdout_to = PDK_STREAM_CAPTURE,
        .stderr_to = PDK_STREAM_CAPTURE,
        .umask = -1,
        .nice = PDK_UNCHANGED,
        .oom_score = PDK_UNCHANGED,
    };
    task->attempt = how->attempt;
    task->canceled = 0;
    task->size = 0;
    return process->spawn(process, how->attempt, &command, &child_ops, task, &task->child, err);
}

/* Ask, and insist. Neither ends the attempt: on_ended or on_failed does, and may have done it already. */
static void cancel(void *arg, int32_t reason) {
    struct task *task = arg;
    (void)reason;
    task->canceled = 1;
    (void)task->instance->process->signal(task->instance->process, task->child, SIGTERM, 0);
}

static void insist(void *arg) {
    const struct task *task = arg;
    (void)task->instance->process->kill(task->instance->process, task->child);
}

/* Readers of its stderr have caught up, after output said PDK_PAUSE. */
static void resume(void *arg) {
    const struct task *task = arg;
    (void)task->instance->process->resume(task->instance->process, task->child);
}

/* ---- 6. the tables, and the one symbol that is exported */

static const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), .start = start,   .cancel = cancel,
                                      .kill = insist,         .resume = resume, .destroy = free};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), .kinds = kinds, .task = &task_ops,
                                      .build_task = build_task};
static const char *const needs[] = {PDK_PROCESS_1, NULL}; /* without it nothing is started here */

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    .name = "@NAME@",
    .version = "0.1.0",
    .author = "",
    .description = "The SHA-256 of a file, by sha256sum",
    .needs = needs,
    .runner = &runner,
    .create = create,
    .destroy = free,
};
