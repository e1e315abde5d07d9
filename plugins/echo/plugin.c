/* SPDX-License-Identifier: Apache-2.0 */
/* echo: gives back what it was given. The ABI tables; README.md has the keys. */
#include "echo.h"

/* An instance has nothing but its host. */
static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config;
    (void)err;
    *ret = (void *)(uintptr_t)host;
    return 0;
}

static void destroy(void *self) {
    (void)self;
}

static const pdk_schema *const kinds[] = {&pdk_echo_kind, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &pdk_echo_task_ops, NULL, pdk_echo_build};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    "echo",
    "0.1.0",
    "",
    "Gives back what it was given",
    NULL,
    NULL,
    &runner,
    NULL,
    NULL,
    create,
    NULL,
    NULL,
    destroy,
    NULL,
};
