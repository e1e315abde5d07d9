/* SPDX-License-Identifier: Apache-2.0 */
/* The pdk_host of an instance: what its owner gave, and something harmless where it gave nothing. */
#ifndef CORE_PLUGIN_HOST_H
#define CORE_PLUGIN_HOST_H

#include "core/plugin/instance.h"

/* given may be older than we are, or NULL. instance->name and the roles are set by the caller. */
void pdk_host_fill(struct pdk_instance *instance, const pdk_host *given);

#endif
