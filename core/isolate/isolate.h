/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runner's plugin in a process of its own: README.md. To the supervisor it is an instance like any other, whose plugin
 * is a table made here of what the real one exports.
 */
#ifndef CORE_ISOLATE_ISOLATE_H
#define CORE_ISOLATE_ISOLATE_H

#include "core/spec/file.h"
#include "core/supervise/supervisor.h"

struct pdk_isolate_options {
    const char *program;                   /* paddock-host, a path; copied */
    const struct pdk_isolation *isolation; /* its texts are copied, its values must live as long as the call */
    bool probe; /* start a host for as long as nothing has been started, so that config and tasks are checked by the
                   plugin itself; waits for it. With a router it has none of the limits, which need rights */
};

/* Enter a plugin from a file as the last: into the supervisor, or, when that is NULL, into a router, where it is only
 * checked and routed to. As pdk_router_load, and: -ENOTSUP: it is no runner alone, or needs what is not there. [main] */
int32_t pdk_isolate_load(pdk_supervisor *supervisor, pdk_router *router, const char *file,
                         const pdk_router_entry *entry, const struct pdk_isolate_options *options, pdk_error *err);

/* The plugin's process now, for tests; 0: there is none, or it is not told yet that it has started, which it may have shown
 * before; or the instance has no process of its own. */
int32_t pdk_isolate_pid(const struct pdk_instance *instance);

/* Is it an instance that pdk_isolate_load made? */
bool pdk_isolate_is(const struct pdk_instance *instance);

#endif
