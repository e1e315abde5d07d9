/* SPDX-License-Identifier: Apache-2.0 */
/* From a file and what its entry says to a plugin's table that stands for it. Nothing of the plugin is called. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/isolate/proxy.h"
#include "paddock/helpers.h"

static const char *const needs[] = {PDK_LOOP_1, PDK_PROCESS_1, NULL};

/* What a process of its own can give. */
static const char *const given[] = {PDK_LOOP_1, PDK_POOL_1, PDK_PROCESS_1, PDK_METRICS_1, NULL};

static bool is_given(const char *service) {
    const char *const *at = given;
    while (*at && strcmp(*at, service) != 0) at++;
    return *at != NULL;
}

static const char instead[] = "leave isolation out of its entry: it runs in Paddock's own process then";

static int32_t fit(const pdk_plugin *plugin, const pdk_value *at, pdk_error *err) {
    const char *role = plugin->runner    ? (plugin->source    ? "a source as well"
                                            : plugin->metrics ? "a metrics backend as well"
                                                              : NULL)
                       : plugin->source  ? "a source"
                       : plugin->metrics ? "a metrics backend"
                                         : "none";
    if (err) (void)strlcpy(err->hint, instead, sizeof err->hint);
    if (role)
        return pdk_failf(err, -ENOTSUP, at, "only a runner can have a process of its own, and plugin \"%s\" is %s",
                         plugin->name, role);
    for (const char *const *need = plugin->needs; need && *need; need++)
        if (!is_given(*need))
            return pdk_failf(err, -ENOTSUP, at, "plugin \"%s\" needs %s, which is not there in a process of its own",
                             plugin->name, *need);
    if (err) err->hint[0] = '\0';
    return 0;
}

static void make_table(struct pdk_isolated *isolated) {
    const pdk_plugin *real = isolated->library.plugin;
    isolated->plugin = (pdk_plugin){PDK_PLUGIN_HEAD,
                                    .name = real->name,
                                    .version = real->version,
                                    .author = real->author,
                                    .description = real->description,
                                    .needs = needs,
                                    .config = real->config,
                                    .runner = &isolated->runner,
                                    .create = pdk_proxy_create,
                                    .start = pdk_proxy_start,
                                    .stop = pdk_proxy_stop,
                                    .destroy = pdk_proxy_destroy};
    isolated->runner = (pdk_runner_ops){PDK_HEAD(pdk_runner_ops), .kinds = real->runner->kinds,
                                        .task = &isolated->tasks, .build_task = pdk_proxy_build};
    isolated->tasks = pdk_proxy_task_ops;
    if (!PDK_HAS(real->runner->task, reload)) isolated->tasks.reload = NULL;
}

static int32_t prepare(struct pdk_isolated *isolated, const char *file, const struct pdk_isolate_options *options,
                       pdk_error *err) {
    const struct pdk_isolation *isolation = options->isolation;
    struct pdk_isolation limits = *isolation;
    if (!isolated->supervisor) limits.user = NULL; /* looked up where it is to run, like that of a task */
    isolated->program = strdup(options->program);
    isolated->ping_every = isolation->ping_every;
    isolated->ping_timeout = isolation->ping_timeout;
    isolated->probe = options->probe;
    if (!isolated->program) return pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    if (access(isolated->program, X_OK) < 0) {
        int32_t rc = -errno;
        return pdk_failf(err, rc, isolation->at, "cannot run %s: %s", isolated->program, strerror(-rc));
    }
    int32_t rc = pdk_library_open(file, &isolated->library, err);
    if (rc == 0) rc = fit(isolated->library.plugin, isolation->at, err);
    if (rc == 0) rc = pdk_jail_make(&limits, &isolated->jail, err);
    if (rc == 0) make_table(isolated);
    return rc;
}

int32_t pdk_isolate_load(pdk_supervisor *supervisor, pdk_router *router, const char *file,
                         const pdk_router_entry *entry, const struct pdk_isolate_options *options, pdk_error *err) {
    struct pdk_isolated *isolated = calloc(1, sizeof *isolated);
    if (!isolated) return pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    isolated->users = 1;
    isolated->supervisor = supervisor;
    int32_t rc = prepare(isolated, file, options, err);
    if (rc == 0)
        rc = supervisor ? pdk_supervisor_add(supervisor, &isolated->plugin, entry, err)
                        : pdk_router_add(router, &isolated->plugin, entry, err);
    pdk_isolated_drop(isolated);
    return rc;
}

bool pdk_isolate_is(const struct pdk_instance *instance) {
    return instance->plugin->create == pdk_proxy_create;
}

int32_t pdk_isolate_pid(const struct pdk_instance *instance) {
    const struct pdk_proxy *proxy = instance->self;
    return pdk_isolate_is(instance) ? pdk_link_pid(proxy->link) : 0;
}
