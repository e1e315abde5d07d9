/* SPDX-License-Identifier: Apache-2.0 */
/* sleep: waits, then ends as told. The ABI tables; README.md has the keys. */
#include <stdlib.h>

#include "sleep.h"

static const pdk_schema *const kinds[] = {&pdk_sleep_kind, NULL};
static const char *const needs[] = {PDK_LOOP_1, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &pdk_sleep_task_ops, NULL, pdk_sleep_build};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    "sleep",
    "0.1.0",
    "",
    "Waits, then succeeds or fails as told",
    needs,
    NULL,
    &runner,
    NULL,
    NULL,
    pdk_sleep_create,
    NULL,
    NULL,
    free,
    NULL,
};
