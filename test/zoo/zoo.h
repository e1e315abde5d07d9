/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runner without fault, of which each plugin of the zoo has one thing wrong. An entry is written as
 *     ENTRY(HEAD, "name", &zoo_runner, create)
 */
#ifndef TEST_ZOO_H
#define TEST_ZOO_H

#include <paddock/helpers.h>

static inline int32_t zoo_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    *ret = (void *)(uintptr_t)host;
    return 0;
}

static inline int32_t zoo_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    (void)spec, (void)err;
    *ret = self;
    return 0;
}

static inline int32_t zoo_start(void *task, const pdk_start *start, pdk_error *err) {
    (void)err;
    return pdk_succeed(task, start->attempt, NULL);
}

static inline void zoo_cancel(void *task, int32_t reason) {
    (void)task, (void)reason;
}

static inline void zoo_destroy(void *any) {
    (void)any;
}

static const pdk_schema zoo_kind = PDK_SCHEMA("zoo", "", NULL);
static const pdk_schema *const zoo_kinds[] = {&zoo_kind, NULL};
static const pdk_task_ops zoo_task = {PDK_HEAD(pdk_task_ops), zoo_start, zoo_cancel, NULL, NULL, zoo_destroy, NULL};
static const pdk_runner_ops zoo_runner = {PDK_HEAD(pdk_runner_ops), zoo_kinds, &zoo_task, NULL, zoo_build};

#define ENTRY(head, name, runner, create)                                                                 \
    const pdk_plugin pdk_plugin_entry = {head, (name), "1",      "",   "",   NULL,        NULL, (runner), \
                                         NULL, NULL,   (create), NULL, NULL, zoo_destroy, NULL}

#endif
