/* SPDX-License-Identifier: Apache-2.0 */
/* archive: keeps what runs print and what becomes of them. The ABI tables; README.md has the keys and the files. */
#include "instance.h"

static const char *const needs[] = {PDK_CONTROL_1, PDK_LOOP_1, PDK_POOL_1, NULL};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD, "archive",   "0.1.0",      "",          "Keeps the output and the history of runs in files",
    needs,           &arc_config, NULL,         NULL,        NULL,
    arc_create,      arc_start,   arc_stop_all, arc_destroy, arc_extension,
};
