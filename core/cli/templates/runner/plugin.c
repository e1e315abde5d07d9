/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: a runner. A task of kind "@NAME@" greets somebody, some times.
 *
 * It works while `start` runs, so that must be quick: for what takes time see `paddock new runner --async`, --thread
 * and --process. From top to bottom: what a task may say, what is made of it, what happens, and the tables by which
 * the host finds all that. The headers say more: <paddock/runner.h> has the life of a task.
 */
#include <paddock/helpers.h>
#include <stdlib.h>

/* ---- 1. what a task may say in `with:`. The host checks it before any code here runs, and fills in what is absent */

static const pdk_param params[] = {
    {"name", PDK_STRING, PDK_REQUIRED, NULL, "Whom to greet", .min = 1, .max = 100},
    {"times", PDK_INT, 0, "1", "How often", .min = 1, .max = 10},
    PDK_PARAM_END,
};
static const pdk_schema kind = PDK_SCHEMA("@NAME@", "Greet somebody", params);
static const pdk_schema *const kinds[] = {&kind, NULL};

/* ---- 2. a task: made once from a spec, which lives as long as the task, and started once per attempt */

struct task {
    const pdk_host *host;
    const char *name; /* a part of the spec */
    int64_t times;
};

/* What a table cannot say is checked here, so that `paddock check` finds it, and shows the line. Nothing is started. */
static int32_t build_task(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    const pdk_host *host = self;
    struct task *task = calloc(1, sizeof *task);
    int32_t rc;
    if (!task) return -ENOMEM;
    task->host = host;
    task->name = "";
    task->times = 1;
    rc = pdk_need_string(host, spec->with, "name", &task->name, err);
    if (rc == 0) rc = pdk_take_integer(host, spec->with, "times", &task->times, err);
    if (rc == 0 && strchr(task->name, '\n'))
        rc = pdk_failf(err, -EINVAL, host->values->get(spec->with, "name"), "a name is one line");
    if (rc < 0) {
        free(task);
        return rc;
    }
    *ret = task;
    return 0;
}

/* What the attempt produced, for whoever started the task: {"greeted": name}. */
static const pdk_value *make_output(const struct task *task) {
    const pdk_values *values = task->host->values;
    const pdk_value *output = NULL;
    pdk_writer *writer = values->open(values);
    values->put_map(writer);
    values->key(writer, "greeted");
    values->put_string(writer, task->name, strlen(task->name));
    values->end(writer);
    (void)values->close(writer, &output, NULL); /* without memory for it there is none */
    return output;
}

/* 0 means that exactly one `done` follows, from any thread, now or later: pdk_succeed and pdk_end call it. */
static int32_t start(void *arg, const pdk_start *how, pdk_error *err) {
    const struct task *task = arg;
    const pdk_host *host = task->host;
    const pdk_value *output = make_output(task);
    char line[512];
    int size = snprintf(line, sizeof line, "hello, %s\n", task->name);
    (void)err;
    for (int64_t i = 0; i < task->times; i++) (void)host->output(host, how->attempt, PDK_STDOUT, line, (size_t)size);
    (void)pdk_succeed(host, how->attempt, output);
    host->values->drop(output);
    return 0;
}

/* It has always ended before anybody can ask. */
static void cancel(void *task, int32_t reason) {
    (void)task;
    (void)reason;
}

/* ---- 3. an instance, of which there may be several: so no globals. This one needs nothing but its host */

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config;
    (void)err;
    *ret = (void *)(uintptr_t)host;
    return 0;
}

static void destroy(void *self) {
    (void)self;
}

/* ---- 4. the tables, and the one symbol that is exported */

static const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), .start = start, .cancel = cancel, .destroy = free};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), .kinds = kinds, .task = &task_ops,
                                      .build_task = build_task};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,   .name = "@NAME@", .version = "0.1.0", .author = "", .description = "Greets somebody",
    .runner = &runner, .create = create, .destroy = destroy,
};
