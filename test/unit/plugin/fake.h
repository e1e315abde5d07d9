/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin in memory that remembers what was done to it. Its config says how it behaves. */
#ifndef TEST_UNIT_PLUGIN_FAKE_H
#define TEST_UNIT_PLUGIN_FAKE_H

#include "support/unit.h"

#include "core/value/value.h"
#include "paddock/helpers.h"

struct fake { /* an instance */
    const pdk_host *host;
    int64_t supports; /* what supports answers */
    int built, destroyed;
};

static int fake_alive; /* instances and tasks that are not destroyed */

static inline int32_t fake_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct fake *fake = calloc(1, sizeof *fake);

    if (!fake) return -ENOMEM;
    fake->host = host;
    if (pdk_take_integer(host, config, "supports", &fake->supports, err) < 0) {
        free(fake);
        return -EINVAL;
    }
    fake_alive++;
    *ret = fake;
    return 0;
}

static inline void fake_destroy(void *self) {
    fake_alive--;
    free(self);
}

static inline int32_t fake_supports(void *self, const pdk_spec *spec, pdk_error *why) {
    struct fake *fake = self;

    (void)spec;
    if (fake->supports <= 0) pdk_fail(why, 0, NULL, "not today", NULL, NULL);
    return (int32_t)fake->supports;
}

static inline int32_t fake_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct fake **task = calloc(1, sizeof *task);
    int64_t fails = 0;

    if (!task) return -ENOMEM;
    *task = self;
    if (pdk_take_integer((*task)->host, spec->with, "fails", &fails, err) < 0 || fails) {
        if (fails) pdk_fail(err, -EINVAL, (*task)->host->values->get(spec->with, "fails"), "as you wish", NULL, NULL);
        free(task);
        return -EINVAL;
    }
    fake_alive++;
    (*task)->built++;
    *ret = task;
    return 0;
}

static inline int32_t fake_start(void *task, const pdk_start *start, pdk_error *err) {
    (void)err;
    return pdk_succeed((*(struct fake **)task)->host, start->attempt, NULL);
}

static inline void fake_cancel(void *task, int32_t reason) {
    (void)task, (void)reason;
}

static inline void fake_end(void *task) {
    (*(struct fake **)task)->destroyed++;
    fake_alive--;
    free(task);
}

static const pdk_param fake_params[] = {PDK_PARAM("fails", PDK_INT, 0, "0", ""),
                                        PDK_PARAM("size", PDK_SIZE, 0, "1KiB", ""), PDK_PARAM_END};
static const pdk_param fake_config[] = {PDK_PARAM("supports", PDK_INT, 0, "1", ""), PDK_PARAM_END};
static const pdk_schema fake_kind = PDK_SCHEMA("fake", "", fake_params), other_kind = PDK_SCHEMA("other", "", NULL);
static const pdk_schema fake_config_schema = PDK_SCHEMA("", "", fake_config);
static const pdk_schema *const fake_kinds[] = {&fake_kind, &other_kind, NULL};
static const pdk_task_ops fake_task = {PDK_HEAD(pdk_task_ops), fake_start, fake_cancel, NULL, NULL, fake_end, NULL};
static const pdk_runner_ops fake_runner = {PDK_HEAD(pdk_runner_ops), fake_kinds, &fake_task, fake_supports, fake_build};
static const pdk_plugin fake_plugin = {
    PDK_PLUGIN_HEAD, "fake", "1",  "",           "",  NULL, &fake_config_schema, &fake_runner, NULL, NULL,
    fake_create,     NULL,   NULL, fake_destroy, NULL};

/* Owned by the caller. */
static inline const pdk_value *fake_json(const char *text) {
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;

    if (pdk_values_get()->parse(pdk_values_get(), text, strlen(text), "test", &value, &err))
        fail_msg("%s", err.message);
    return value;
}

#endif
