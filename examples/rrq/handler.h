/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a function to a runner: include it, write the function, say HANDLER. Copy it and change what you like.
 *
 * The function reads its parameters, writes one value, its result, and returns 0; or a negative errno, with words in err.
 * It runs on the host's main thread: what takes long or blocks belongs into a program, or into a job of the pool.
 */
#ifndef EXAMPLE_HANDLER_H
#define EXAMPLE_HANDLER_H

#include <paddock/helpers.h>
#include <stdlib.h>

typedef int32_t handler_function(const pdk_host *host, const pdk_value *params, pdk_writer *result, pdk_error *err);

static handler_function *const handler_of_this_plugin;

struct handler_task {
    const pdk_host *host;
    const pdk_value *params; /* a part of the spec, which lives as long as the task */
};

static int32_t handler_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct handler_task *task = malloc(sizeof *task);
    (void)err;
    if (!task) return -ENOMEM;
    task->host = self;
    task->params = spec->with;
    *ret = task;
    return 0;
}

static int32_t handler_start(void *arg, const pdk_start *start, pdk_error *err) {
    const struct handler_task *task = arg;
    const pdk_values *values = task->host->values;
    const pdk_value *result = NULL;
    pdk_writer *writer = values->open(values);
    int32_t rc = handler_of_this_plugin(task->host, task->params, writer, err);
    int32_t closed = values->close(writer, rc == 0 ? &result : NULL, rc == 0 ? err : NULL);
    if (rc == 0) rc = closed;
    if (rc == 0) (void)pdk_succeed(task->host, start->attempt, result);
    values->drop(result);
    return rc;
}

static void handler_cancel(void *task, int32_t reason) {
    (void)task, (void)reason; /* it has always ended before anybody can ask */
}

static int32_t handler_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    *ret = (void *)(uintptr_t)host;
    return 0;
}

static void handler_destroy(void *self) {
    (void)self;
}

#define HANDLER(name, doc, params, function)                                                                        \
    static handler_function *const handler_of_this_plugin = (function);                                             \
    static const pdk_schema handler_kind = PDK_SCHEMA(name, doc, params);                                           \
    static const pdk_schema *const handler_kinds[] = {&handler_kind, NULL};                                         \
    static const pdk_task_ops handler_ops = {                                                                       \
        PDK_HEAD(pdk_task_ops), handler_start, handler_cancel, NULL, NULL, free, NULL};                             \
    static const pdk_runner_ops handler_runner = {PDK_HEAD(pdk_runner_ops), handler_kinds, &handler_ops, NULL,      \
                                                  handler_build};                                                   \
    const pdk_plugin pdk_plugin_entry = {                                                                           \
        PDK_PLUGIN_HEAD, name, "1.0", "", doc, NULL, NULL, &handler_runner, NULL, NULL, handler_create, NULL, NULL, \
        handler_destroy, NULL};

#endif
