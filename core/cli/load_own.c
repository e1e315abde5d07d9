/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins that a server has by itself, where they are on the plugin path and no file says anything of them. */
#include <errno.h>
#include <string.h>

#include "core/cli/load.h"

static const char *const nothing[] = {NULL};

static bool is_refused(const struct pdk_setup *setup, const char *name) {
    const char *const *without = setup->config ? setup->config->server.without : NULL;
    for (size_t i = 0; without && without[i]; i++)
        if (strcmp(without[i], name) == 0) return true;
    return false;
}

bool pdk_setup_is_own(const struct pdk_setup *setup, const char *name) {
    size_t k = 0;
    while (pdk_own_plugins[k] && strcmp(pdk_own_plugins[k], name) != 0) k++;
    return pdk_own_plugins[k] && !is_refused(setup, name);
}

/* Is there an entry for it, under whatever name? */
static bool is_configured(const struct pdk_setup *setup, const struct pdk_listed *found) {
    for (size_t i = 0; i < setup->plugin_count; i++) {
        const struct pdk_listed *listed = &setup->plugins[i];
        if (listed != found && listed->entry && listed->file && strcmp(listed->file, found->file) == 0) return true;
    }
    return false;
}

/* The kinds of all runners that are there. NULL without memory. */
static const char *const *all_kinds(struct pdk_setup *setup) {
    size_t count = 0;
    const char **kinds = NULL;
    for (int writing = 0; writing < 2; writing++) {
        if (writing && !(kinds = pdk_arena_alloc(&setup->arena, (count + 1) * sizeof *kinds))) return NULL;
        count = 0;
        for (size_t i = 0; i < setup->plugin_count; i++) {
            const pdk_plugin *plugin = setup->plugins[i].library.plugin;
            for (size_t k = 0; plugin && plugin->runner && plugin->runner->kinds[k]; k++, count++)
                if (writing) kinds[count] = plugin->runner->kinds[k]->name;
        }
    }
    kinds[count] = NULL;
    return kinds;
}

int32_t pdk_setup_own_source(struct pdk_setup *setup, const char *const *kinds, struct pdk_plugin_entry_config *ret) {
    const struct pdk_config *config = setup->config;
    const char **tasks = pdk_arena_alloc(&setup->arena, ((config ? config->task_count : 0) + 1u) * sizeof *tasks);
    size_t count = 0;
    if (!tasks || !kinds) return -ENOMEM;
    for (uint32_t i = 0; config && i < config->task_count; i++)
        if (!pdk_config_unfit(config->tasks[i])) tasks[count++] = config->tasks[i]->plugin.name;
    tasks[count] = NULL;
    ret->tasks = tasks;
    ret->kinds = kinds;
    return 0;
}

static int32_t add_entry(struct pdk_setup *setup, struct pdk_listed *listed) {
    struct pdk_plugin_entry_config *entry = pdk_arena_alloc(&setup->arena, sizeof *entry);
    bool source = listed->library.plugin->source && !listed->library.plugin->runner;
    if (!entry) return -ENOMEM;
    *entry = (struct pdk_plugin_entry_config){.use = listed->name,
                                              .name = listed->name,
                                              .optional = true,
                                              .at = &pdk_value_empty_map,
                                              .tasks = nothing,
                                              .kinds = nothing,
                                              .pending = 1000};
    if (source && pdk_setup_own_source(setup, all_kinds(setup), entry) < 0) return -ENOMEM;
    listed->entry = entry;
    listed->role = source ? PDK_ROLE_SOURCE : 0;
    listed->own = true;
    listed->found = false;
    return 0;
}

int32_t pdk_setup_own(struct pdk_setup *setup) {
    for (size_t i = 0; i < setup->plugin_count; i++) {
        struct pdk_listed *listed = &setup->plugins[i];
        if (!pdk_setup_is_own(setup, listed->name) || !listed->found || !listed->library.plugin) continue;
        if (is_configured(setup, listed)) continue;
        int32_t rc = add_entry(setup, listed);
        if (rc < 0) return rc;
    }
    return 0;
}
