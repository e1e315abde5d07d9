/* SPDX-License-Identifier: Apache-2.0 */
/* Behind paddock/router.h: instances in order, the routes over them, and what becomes of a task. */
#ifndef CORE_PLUGIN_ROUTER_H
#define CORE_PLUGIN_ROUTER_H

#include "core/plugin/instance.h"
#include "core/router/routes.h"
#include "core/spec/spec.h"
#include "paddock/router.h"

/* Add an instance made elsewhere; the router owns it from now on. Names must be unique: -EEXIST. */
int32_t pdk_router_take(pdk_router *router, struct pdk_instance *instance, pdk_error *err);

/* The runner that takes a task, or NULL with faults in the report (which may be NULL). */
struct pdk_instance *pdk_router_pick(pdk_router *router, struct pdk_task *task, struct pdk_report *report);

struct pdk_built {
    struct pdk_task *task; /* completed; one reference */
    struct pdk_instance *instance;
    const pdk_task_ops *ops;
    void *self; /* what build_task stored */
};

/* Pick, complete by the schema, build. -ENOENT: no runner; -EINVAL: invalid; -ENOMEM. [main] */
int32_t pdk_router_build_task(pdk_router *router, struct pdk_task *task, struct pdk_report *report,
                              struct pdk_built *ret);

/* Why each runner takes the task or not, in order: the text is for people ("zone=sandbox, wanted zone=gpu"), and
 * lives during the call. A plugin that plays no runner is not asked about. */
typedef void (*pdk_router_reason)(void *arg, struct pdk_instance *instance, enum pdk_verdict verdict, const char *text);
void pdk_router_explain_task(pdk_router *router, struct pdk_task *task, pdk_router_reason each, void *arg);

/* "taken", "shadowed", "kind", "label" or "refused". */
const char *pdk_verdict_word(enum pdk_verdict verdict);

/* Instances in order, runners or not; NULL past the end. */
struct pdk_instance *pdk_router_instance(const pdk_router *router, size_t i);
const struct pdk_routes *pdk_router_routes(const pdk_router *router);

#endif
