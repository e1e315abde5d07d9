/* SPDX-License-Identifier: Apache-2.0 */
/* queue: a durable source, in a file. The ABI tables; README.md has the keys and the verbs. */
#include "instance.h"

static const char *const needs[] = {PDK_LOOP_1, PDK_SOURCE_1, NULL};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    "queue",
    "0.1.0",
    "",
    "Keeps jobs in a file until they have ended",
    needs,
    &queue_config,
    NULL,
    &queue_source,
    NULL,
    queue_create,
    queue_start,
    queue_stop,
    queue_destroy,
    queue_extension,
};
