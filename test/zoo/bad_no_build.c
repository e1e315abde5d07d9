/* SPDX-License-Identifier: Apache-2.0 */
/* A runner that cannot build. */
#include "zoo.h"

static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), zoo_kinds, &zoo_task, NULL, NULL};
ENTRY(PDK_PLUGIN_HEAD, "zoo", &runner, zoo_create);
