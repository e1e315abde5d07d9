/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/router.h - runners in order, and which of them takes a task. Link with pkg-config paddock-router.
 *
 * It has no loop, threads, signals or globals, and starts nothing: you start the tasks that it builds, and
 * their `done` comes to the host you gave. All calls [main]: one thread at a time per router.
 *
 *     create -> add, load -> route, explain, build -> pdk_router_task_free for each -> destroy
 */
#ifndef PADDOCK_ROUTER_H
#define PADDOCK_ROUTER_H

#include "library.h"

PDK_BEGIN

typedef struct pdk_router pdk_router;

typedef struct pdk_router_options {
    uint32_t struct_size, reserved;
    /* Copied for every instance, which gets its own `instance` and `roles`; functions that are NULL get
     * harmless ones: log drops, done answers -ENOTSUP, get_extension NULL. NULL: all of them. */
    const pdk_host *host;
} pdk_router_options;

/* How a plugin is entered. Members that are NULL: the plugin's name, no labels, an empty config. */
typedef struct pdk_router_entry {
    uint32_t struct_size, reserved;
    const char *name;
    const pdk_value *labels; /* a map of strings; held */
    const pdk_value *config; /* a map; held */
    uint32_t roles;          /* PDK_ROLE_... that it is to play; 0: all it can */
    uint32_t reserved_2;
} pdk_router_entry;

/* A task that was routed and built. */
typedef struct pdk_router_task {
    uint32_t struct_size, reserved;
    const pdk_task_ops *ops;
    void *task;           /* the first argument of ops */
    const pdk_spec *spec; /* completed; lives until pdk_router_task_free */
    const char *runner;   /* the instance's name */
    void *data;           /* the router's */
} pdk_router_task;

PDK_API int32_t pdk_router_create(const pdk_router_options *options, pdk_router **ret, pdk_error *err);

/* Enter a plugin from memory, last in order. It must live as long as the router. */
PDK_API int32_t pdk_router_add(pdk_router *router, const pdk_plugin *plugin, const pdk_router_entry *entry,
                               pdk_error *err);

/* Enter a plugin from a file. -EACCES: not to be trusted; -EINVAL: not a plugin, or its config is wrong. */
PDK_API int32_t pdk_router_load(pdk_router *router, const char *path, const pdk_router_entry *entry, pdk_error *err);

/* The name of the runner that takes a spec (a map as in YAML, with name and kind); lives as long as the router.
 * -ENOENT: none, and err says why; -EINVAL: the spec is wrong, and err says where. */
PDK_API int32_t pdk_router_route(pdk_router *router, const pdk_value *spec, const char **ret_runner, pdk_error *err);

/* What it says of each runner, in order: "taken", "shadowed", "kind", "label" or "refused", and a line for people. */
typedef void (*pdk_router_verdict)(void *arg, const char *runner, const char *verdict, const char *text);
PDK_API int32_t pdk_router_explain(pdk_router *router, const pdk_value *spec, pdk_router_verdict each, void *arg,
                                   pdk_error *err);

/* Route, check and build. Set ret->struct_size before. Nothing is started. */
PDK_API int32_t pdk_router_build(pdk_router *router, const pdk_value *spec, pdk_router_task *ret, pdk_error *err);

/* Destroy a task that is not running. */
PDK_API void pdk_router_task_free(pdk_router_task *task);

/* All its tasks are freed. NULL is fine. */
PDK_API void pdk_router_destroy(pdk_router *router);

PDK_END
#endif
