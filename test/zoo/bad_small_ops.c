/* SPDX-License-Identifier: Apache-2.0 */
/* Its table of operations is shorter than any that there ever was. */
#include "zoo.h"

static const pdk_runner_ops runner = {8U, 0, zoo_kinds, &zoo_task, NULL, zoo_build};
ENTRY(PDK_PLUGIN_HEAD, "zoo", &runner, zoo_create);
