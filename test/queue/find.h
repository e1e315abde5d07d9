/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of a supervisor, as a console finds it. */
#ifndef TEST_QUEUE_FIND_H
#define TEST_QUEUE_FIND_H

#include <paddock/queue.h>

#include "core/plugin/instance.h"
#include "core/supervise/supervisor.h"

static inline const pdk_queue *find_queue(pdk_supervisor *supervisor) {
    const struct pdk_instance *instance;
    for (size_t i = 0; (instance = pdk_router_instance(pdk_supervisor_router(supervisor), i)); i++) {
        const pdk_plugin *plugin = instance->plugin;
        const void *found = plugin->get_extension ? plugin->get_extension(instance->self, PDK_QUEUE_1) : NULL;
        if (found) return found;
    }
    return NULL;
}

#endif
