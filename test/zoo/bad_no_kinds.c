/* SPDX-License-Identifier: Apache-2.0 */
/* A runner that names no kinds. */
#include "zoo.h"

static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), NULL, &zoo_task, NULL, zoo_build};
ENTRY(PDK_PLUGIN_HEAD, "zoo", &runner, zoo_create);
