/* SPDX-License-Identifier: Apache-2.0 */
/* What sources may have run, from their entries to the supervisor. */
#include <errno.h>

#include "core/base/text.h"
#include "core/cli/load.h"

/* The declared tasks of these names; all are there, since the configuration was checked. NULL without memory. */
static struct pdk_task **find_tasks(struct pdk_setup *setup, const char *const *names) {
    size_t count = 0;
    while (names[count]) count++;
    struct pdk_task **tasks = pdk_arena_alloc(&setup->arena, (count + 1) * sizeof *tasks);
    for (size_t i = 0; tasks && i < count; i++) tasks[i] = pdk_config_task(setup->config, names[i]);
    if (tasks) tasks[count] = NULL;
    return tasks;
}

int32_t pdk_setup_grant(struct pdk_setup *setup, const struct pdk_plugin_entry_config *entry,
                        pdk_supervisor *supervisor) {
    struct pdk_grant *grant = pdk_arena_alloc(&setup->arena, sizeof *grant);
    struct pdk_task **tasks = find_tasks(setup, entry->tasks);
    if (!grant || !tasks) return -ENOMEM;
    *grant = (struct pdk_grant){tasks, entry->kinds, entry->defaults};
    const struct pdk_instance_limits limits = {.pending = entry->pending, .grant = grant};
    return pdk_supervisor_limit(supervisor, entry->name, &limits);
}

static bool is_served(const pdk_router *router, const char *kind) {
    struct pdk_instance *instance;
    for (size_t i = 0; (instance = pdk_router_instance(router, i)); i++)
        if (pdk_instance_kind(instance, kind)) return true;
    return false;
}

static const char *nearest_kind(struct pdk_setup *setup, const pdk_router *router, const char *kind) {
    struct pdk_words words = {.count = 0};
    struct pdk_instance *instance;
    for (size_t i = 0; (instance = pdk_router_instance(router, i)); i++) {
        if (!(instance->host.roles & PDK_ROLE_RUNNER)) continue;
        for (size_t k = 0; instance->plugin->runner->kinds[k]; k++)
            if (pdk_words_add(&words, &setup->arena, instance->plugin->runner->kinds[k]->name) < 0) return NULL;
    }
    return words.count ? pdk_nearest(kind, words.items) : NULL;
}

void pdk_setup_try_sources(struct pdk_setup *setup, const pdk_router *router) {
    const struct pdk_config *config = setup->config;
    for (uint32_t i = 0; config && i < config->source_count; i++) {
        const struct pdk_plugin_entry_config *entry = &config->sources[i];
        for (size_t k = 0; entry->kinds[k]; k++) {
            if (is_served(router, entry->kinds[k])) continue;
            const pdk_value *list = pdk_values_get()->get(entry->at, "kinds");
            setup->route_faults++;
            (void)pdk_value_fault(&setup->report, -ENOENT, list && list->type == PDK_LIST ? list->as.items[k] : list,
                                  NULL, nearest_kind(setup, router, entry->kinds[k]), "no runner serves \"%.60s\"",
                                  entry->kinds[k]);
        }
    }
}
