/* SPDX-License-Identifier: Apache-2.0 */
/* An extension of a plugin in a supervisor, as another plugin finds it. */
#ifndef TEST_SUPPORT_EXTENSION_H
#define TEST_SUPPORT_EXTENSION_H

#include "core/plugin/instance.h"
#include "core/supervise/supervisor.h"

/* Of the first that has it; NULL: none does. */
static inline const void *find_extension(pdk_supervisor *supervisor, const char *id) {
    const struct pdk_instance *instance;
    for (size_t i = 0; (instance = pdk_router_instance(pdk_supervisor_router(supervisor), i)); i++) {
        const pdk_plugin *plugin = instance->plugin;
        const void *found = plugin->get_extension ? plugin->get_extension(instance->self, id) : NULL;
        if (found) return found;
    }
    return NULL;
}

#endif
