/* SPDX-License-Identifier: Apache-2.0 */
/* A runner whose tasks hold nothing: kind `noop`, all of it but what happens at the start of an attempt. */
#ifndef TEST_SUPPORT_RUNNER_H
#define TEST_SUPPORT_RUNNER_H

#include "paddock/helpers.h"

static const pdk_host *runner_host;

/* Of who includes this. It ends the attempt before it returns. */
static int32_t start(void *task, const pdk_start *info, pdk_error *err);

static void cancel(void *task, int32_t reason) {
    (void)task, (void)reason;
}

static void nothing(void *self) {
    (void)self;
}

static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    (void)spec, (void)err;
    *ret = self;
    return 0;
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    runner_host = host;
    *ret = &runner_host;
    return 0;
}

static const pdk_param params[] = {PDK_PARAM_END};
static const pdk_schema kind = PDK_SCHEMA("noop", "Nothing", params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_task_ops task_ops = {sizeof task_ops, 0, start, cancel, NULL, NULL, nothing, NULL};
static const pdk_runner_ops runner = {sizeof runner, 0, kinds, &task_ops, NULL, build};
static const pdk_plugin noop = {PDK_PLUGIN_HEAD, "noop", "1",  "",      "",  NULL, NULL, &runner, NULL, NULL,
                                create,          NULL,   NULL, nothing, NULL};

#endif
