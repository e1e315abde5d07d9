/* SPDX-License-Identifier: Apache-2.0 */
/* Its tasks cannot be asked to end. */
#include "zoo.h"

static const pdk_task_ops task = {PDK_HEAD(pdk_task_ops), zoo_start, NULL, NULL, NULL, zoo_destroy, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), zoo_kinds, &task, NULL, zoo_build};
ENTRY(PDK_PLUGIN_HEAD, "zoo", &runner, zoo_create);
