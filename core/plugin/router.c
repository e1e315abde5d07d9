/* SPDX-License-Identifier: Apache-2.0 */
/* Instances in order and what becomes of a task: route, complete, build. */
#include <stdlib.h>

#include "core/spec/schema.h"
#include "internal.h"
#include "paddock/helpers.h"

enum { INSTANCES_MAX = 1 << 20 };

int32_t pdk_router_create(const pdk_router_options *options, pdk_router **ret, pdk_error *err) {
    pdk_router *router = calloc(1, sizeof *router);
    const pdk_host *host = options && PDK_HAS(options, host) ? options->host : NULL;
    int32_t rc = router ? pdk_routes_create(&router->routes) : -ENOMEM;

    if (rc < 0) {
        free(router);
        return pdk_fail(err, rc, NULL, "out of memory", NULL, NULL);
    }
    if (host) memcpy(&router->host, host, host->struct_size < sizeof *host ? host->struct_size : sizeof *host);
    router->host.struct_size = (uint32_t)sizeof router->host;
    *ret = router;
    return 0;
}

void pdk_router_destroy(pdk_router *router) {
    if (!router) return;
    pdk_routes_free(router->routes); /* before the instances: it looks at their labels */
    for (size_t i = router->count; i > 0; i--) pdk_instance_free(router->instances[i - 1]);
    for (size_t i = 0; i < router->library_count; i++) pdk_library_free(&router->libraries[i]);
    pdk_table_free(&router->names);
    free(router->instances);
    free(router->libraries);
    free(router);
}

static int32_t instances_reserve(pdk_router *router) {
    size_t capacity = router->capacity ? router->capacity * 2 : 8;
    struct pdk_instance **instances;

    if (router->count < router->capacity) return 0;
    if (router->count >= INSTANCES_MAX) return -E2BIG;
    instances = reallocarray(router->instances, capacity, sizeof(*instances));
    if (!instances) return -ENOMEM;
    router->instances = instances;
    router->capacity = capacity;
    return 0;
}

static int32_t routes_enter(pdk_router *router, struct pdk_instance *instance) {
    const pdk_schema *const *schemas;
    const char **kinds;
    size_t count = 0;
    int32_t rc;

    if (!(instance->host.roles & PDK_ROLE_RUNNER)) return 0;
    schemas = instance->plugin->runner->kinds;
    while (schemas[count]) count++;
    kinds = calloc(count + 1, sizeof *kinds);
    if (!kinds) return -ENOMEM;
    for (size_t i = 0; i < count; i++) kinds[i] = schemas[i]->name;
    rc = pdk_routes_add(router->routes, instance, kinds, instance->labels);
    free(kinds);
    return rc;
}

int32_t pdk_router_take(pdk_router *router, struct pdk_instance *instance, pdk_error *err) {
    size_t size = strlen(instance->name);
    int32_t rc = instances_reserve(router);

    if (rc == 0 && pdk_table_get(&router->names, instance->name, size)) {
        if (err) strlcpy(err->hint, "give it a name of its own", sizeof err->hint);
        return pdk_fail(err, -EEXIST, instance->at, "there is already a plugin named \"", instance->name, "\"");
    }
    if (rc == 0) rc = pdk_table_put(&router->names, instance->name, size, instance);
    if (rc < 0) return pdk_fail(err, rc, NULL, "cannot enter a plugin: ", strerror(-rc), NULL);
    rc = routes_enter(router, instance);
    if (rc < 0) {
        pdk_table_remove(&router->names, instance->name, size);
        return pdk_fail(err, rc, NULL, "cannot enter a plugin: ", strerror(-rc), NULL);
    }
    router->instances[router->count++] = instance;
    return 0;
}

bool pdk_router_accepts(void *arg, void *runner) {
    const struct pdk_task *task = arg;
    const struct pdk_instance *instance = runner;
    const pdk_runner_ops *ops = instance->plugin->runner;

    return !PDK_HAS(ops, supports) || ops->supports(instance->self, &task->plugin, NULL) > 0;
}

struct pdk_instance *pdk_router_pick(pdk_router *router, struct pdk_task *task, struct pdk_report *report) {
    struct pdk_instance *instance =
        pdk_routes_pick(router->routes, task->plugin.kind, &task->selector, pdk_router_accepts, task);

    if (!instance) pdk_router_no_runner(router, task, report);
    return instance;
}

/* What a plugin stored through ret_task when it failed is not looked at. */
static int32_t build(struct pdk_built *built, struct pdk_report *report) {
    const pdk_plugin *plugin = built->instance->plugin;
    const struct pdk_task *task = built->task;
    pdk_error err = PDK_ERROR;
    void *self = NULL;
    int32_t rc = plugin->runner->build_task(built->instance->self, &task->plugin, &self, &err);

    if (rc == 0) {
        built->self = self;
        return 0;
    }
    if (rc == -ENOMEM) return rc;
    err.message[sizeof err.message - 1] = err.hint[sizeof err.hint - 1] = '\0';
    if (rc > 0)
        pdk_failf(&err, -EIO, NULL, "build_task returned %d, which is neither 0 nor a negative errno", rc);
    else if (!err.message[0])
        pdk_failf(&err, rc, err.at, "build_task failed: %s", strerror(-rc));
    pdk_value_fault_error(report, task->source, plugin->name, &err);
    return -EINVAL;
}

int32_t pdk_router_build_task(pdk_router *router, struct pdk_task *task, struct pdk_report *report,
                              struct pdk_built *ret) {
    struct pdk_built built = {.instance = pdk_router_pick(router, task, report)};
    const pdk_plugin *plugin;
    int32_t rc;

    if (!built.instance) return -ENOENT;
    plugin = built.instance->plugin;
    built.ops = plugin->runner->task;
    rc = pdk_instance_complete(built.instance, task, report, &built.task);
    if (rc < 0) return rc;
    rc = build(&built, report);
    if (rc < 0) {
        pdk_task_drop(built.task);
        return rc;
    }
    *ret = built;
    return 0;
}

struct pdk_instance *pdk_router_instance(const pdk_router *router, size_t i) {
    return i < router->count ? router->instances[i] : NULL;
}

const struct pdk_routes *pdk_router_routes(const pdk_router *router) {
    return router->routes;
}
