/* SPDX-License-Identifier: Apache-2.0 */
/* A kind that nobody could write. */
#include "zoo.h"

static const pdk_schema kind = PDK_SCHEMA("two words", "", NULL);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &zoo_task, NULL, zoo_build};
ENTRY(PDK_PLUGIN_HEAD, "zoo", &runner, zoo_create);
