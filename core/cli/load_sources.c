/* SPDX-License-Identifier: Apache-2.0 */
/* What sources may have run, from their entries to the supervisor. */
#include <errno.h>
#include <string.h>

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

/* The console is there to control, and the archive to listen; others are when their entry says so. */
static bool may_control(const struct pdk_plugin_entry_config *entry) {
    static const char *const trusted[] = {"console", "console.so", "archive", "archive.so"};
    const char *slash = strrchr(entry->use, '/'), *base = slash ? slash + 1 : entry->use;
    for (size_t i = 0; i < sizeof trusted / sizeof *trusted; i++)
        if (strcmp(base, trusted[i]) == 0) return true;
    for (size_t i = 0; entry->allow && entry->allow[i]; i++)
        if (strcmp(entry->allow[i], "control") == 0) return true;
    return false;
}

int32_t pdk_setup_allow(const struct pdk_plugin_entry_config *entry, pdk_supervisor *supervisor) {
    const struct pdk_instance_limits limits = {.control = true};
    return may_control(entry) ? pdk_supervisor_limit(supervisor, entry->name, &limits) : 0;
}

static int32_t make_limits(struct pdk_setup *setup, const struct pdk_plugin_entry_config *entry,
                           struct pdk_instance_limits *ret) {
    struct pdk_grant *grant = pdk_arena_alloc(&setup->arena, sizeof *grant);
    struct pdk_task **tasks = find_tasks(setup, entry->tasks);
    if (!grant || !tasks) return -ENOMEM;
    *grant = (struct pdk_grant){tasks, entry->kinds, entry->defaults};
    *ret = (struct pdk_instance_limits){.pending = entry->pending, .control = may_control(entry), .grant = grant};
    return 0;
}

int32_t pdk_setup_grant(struct pdk_setup *setup, const struct pdk_plugin_entry_config *entry,
                        pdk_supervisor *supervisor) {
    struct pdk_instance_limits limits;
    int32_t rc = make_limits(setup, entry, &limits);
    return rc < 0 ? rc : pdk_supervisor_limit(supervisor, entry->name, &limits);
}

static const char *const nothing[] = {NULL};

/* What a source that is at work may have run by another configuration; nothing, when it is not in there any more. */
static int32_t entry_of(struct pdk_setup *setup, const struct pdk_listed *listed, struct pdk_plugin_entry_config *ret) {
    const struct pdk_config *config = setup->config;
    for (uint32_t i = 0; i < config->source_count; i++) {
        if (strcmp(config->sources[i].name, listed->name) != 0) continue;
        *ret = config->sources[i];
        return 0;
    }
    *ret = *listed->entry;
    ret->tasks = ret->kinds = nothing;
    ret->defaults = NULL;
    return listed->own ? pdk_setup_own_source(setup, listed->entry->kinds, ret) : 0;
}

int32_t pdk_setup_grants_make(struct pdk_setup *setup, const struct pdk_setup *first,
                              struct pdk_instance_limits **ret) {
    struct pdk_instance_limits *limits = pdk_arena_alloc(&setup->arena, (first->plugin_count + 1) * sizeof *limits);
    int32_t rc = limits ? 0 : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < first->plugin_count; i++) {
        struct pdk_plugin_entry_config entry;
        if (first->plugins[i].role != PDK_ROLE_SOURCE) continue;
        rc = entry_of(setup, &first->plugins[i], &entry);
        if (rc == 0) rc = make_limits(setup, &entry, &limits[i]);
    }
    *ret = limits;
    return rc;
}

void pdk_setup_grants_apply(const struct pdk_setup *first, const struct pdk_instance_limits *limits,
                            pdk_supervisor *supervisor) {
    for (size_t i = 0; i < first->plugin_count; i++)
        if (first->plugins[i].role == PDK_ROLE_SOURCE)
            (void)pdk_supervisor_limit(supervisor, first->plugins[i].name,
                                       &limits[i]); /* it has some: it needs no memory */
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
