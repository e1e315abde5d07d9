/* SPDX-License-Identifier: Apache-2.0 */
/* A schema with a type that does not exist. */
#include "zoo.h"

static const pdk_param params[] = {PDK_PARAM("size", 99, 0, NULL, ""), PDK_PARAM_END};
static const pdk_schema kind = PDK_SCHEMA("zoo", "", params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &zoo_task, NULL, zoo_build};
ENTRY(PDK_PLUGIN_HEAD, "zoo", &runner, zoo_create);
