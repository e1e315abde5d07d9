/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest runner worth having: a task of kind `greet` says hello. Alone it builds with
 *     cc -shared -fPIC -I include -o greet.so examples/runner_minimal/plugin.c */
#include <paddock/helpers.h>
#include <stdlib.h>

/* 1. What a task of this kind takes in `with:`. The host checks it, and fills in what is absent. */
static const pdk_param params[] = {PDK_PARAM("name", PDK_STRING, 0, "world", "Whom to greet"), PDK_PARAM_END};
static const pdk_schema greet = PDK_SCHEMA("greet", "Says hello", params);
static const pdk_schema *const kinds[] = {&greet, NULL};

struct task {
    const pdk_host *host;
    const char *name; /* a part of the spec, which lives as long as the task */
};

/* 2. The life of a task: built once, started once per attempt. A start that returns 0 is followed by exactly one
 *    `done`, from any thread, now or later; pdk_succeed calls it. */
static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct task *task = calloc(1, sizeof *task);
    if (!task) return -ENOMEM;
    task->host = self;
    if (pdk_need_string(task->host, spec->with, "name", &task->name, err) < 0) {
        free(task);
        return -EINVAL;
    }
    *ret = task;
    return 0;
}

static int32_t start(void *arg, const pdk_start *start, pdk_error *err) {
    struct task *task = arg;
    char text[256];
    int n = snprintf(text, sizeof text, "hello, %.200s\n", task->name);
    (void)err;
    task->host->output(task->host, start->attempt, PDK_STDOUT, text, (size_t)n);
    return pdk_succeed(task->host, start->attempt, NULL);
}

static void cancel(void *task, int32_t reason) {
    (void)task, (void)reason; /* it has always ended before anybody can ask */
}

/* 3. The life of an instance, of which there may be several: no globals. This one needs nothing but its host. */
static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    *ret = (void *)(uintptr_t)host;
    return 0;
}
static void destroy(void *self) {
    (void)self;
}

/* 4. The tables, and the one symbol that is exported. */
static const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, NULL, NULL, free, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &task_ops, NULL, build};
const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD, "greet", "1.0", "",      "Says hello", NULL, NULL, &runner, NULL, NULL,
    create,          NULL,    NULL,  destroy, NULL};
