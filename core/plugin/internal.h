/* SPDX-License-Identifier: Apache-2.0 */
/* What router.c, verdict.c and facade.c share. */
#ifndef CORE_PLUGIN_INTERNAL_H
#define CORE_PLUGIN_INTERNAL_H

#include "core/base/table.h"
#include "core/plugin/router.h"

struct pdk_router {
    pdk_host host; /* given to every instance that the router makes */
    struct pdk_routes *routes;
    struct pdk_table names;          /* name -> instance */
    struct pdk_instance **instances; /* in routing order; owned */
    struct pdk_library *libraries;   /* of those that were loaded by pdk_router_load */
    size_t count, capacity, library_count;
};

/* Asks the runner itself; a pdk_accept whose arg is the struct pdk_task. */
bool pdk_router_accepts(void *task, void *instance);

/* Say why no runner took the task. Returns -ENOENT. */
int32_t pdk_router_no_runner(pdk_router *router, struct pdk_task *task, struct pdk_report *report);

#endif
