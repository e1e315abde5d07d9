/* SPDX-License-Identifier: Apache-2.0 */
/* Plays no role, and needs what lets it ask. */
#include "zoo.h"

#include <paddock/control.h>

static const char *const needs[] = {PDK_CONTROL_1, NULL};

const pdk_plugin pdk_plugin_entry = {PDK_PLUGIN_HEAD, "zoo", "1",  "",          "",  needs, NULL, NULL, NULL, NULL,
                                     zoo_create,      NULL,  NULL, zoo_destroy, NULL};
