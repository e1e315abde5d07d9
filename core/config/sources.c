/* SPDX-License-Identifier: Apache-2.0 */
/* Between sources and tasks: each task that a source names is there, and a message can become a run of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/config/load.h"
#include "core/spec/scalar.h"

/* In a list as it was written the name at i, or the list itself, if it is one name alone. */
static const pdk_value *written(const struct pdk_plugin_entry_config *entry, size_t i) {
    const pdk_value *list = pdk_values_get()->get(entry->at, "tasks");
    return list->type == PDK_LIST ? list->as.items[i] : list;
}

/* What the plan sees to, and what never ends. */
const char *pdk_config_unfit(const struct pdk_task *task) {
    if (task->policy.restart == PDK_RESTART_ALWAYS) return "it never ends, so that no message would be answered";
    if (*task->needs || *task->after) return "it waits for others, and a message does not";
    if (task->log.file) return "it has a log of its own, which runs at the same time would share";
    if (task->replicas > 1) return "it has replicas, and a message is one run";
    return NULL;
}

static void check_task(struct pdk_loading *loading, const struct pdk_plugin_entry_config *entry, size_t i) {
    const char *name = entry->tasks[i], *why, *near = NULL;
    const struct pdk_named *named = pdk_table_get(&loading->named, name, strlen(name));
    if (named && !named->task) return; /* its faults were told */
    if (!named) near = pdk_load_nearest_task(loading, name);
    if (!named)
        pdk_loading_error(loading, pdk_value_fault(loading->report, -EINVAL, written(entry, i), NULL, near,
                                                   "there is no task \"%.100s\"", name));
    else if ((why = pdk_config_unfit(named->task)))
        pdk_loading_error(loading, pdk_value_fault(loading->report, -EINVAL, written(entry, i), why, NULL,
                                                   "task \"%.100s\" cannot be a source's", name));
}

/* A source that names nothing could do nothing: most likely something was forgotten. */
static void check_empty(struct pdk_loading *loading, const struct pdk_plugin_entry_config *entry) {
    struct pdk_fault fault = {.severity = PDK_SEVERITY_WARNING,
                              .code = -EINVAL,
                              .place = pdk_value_place(entry->at),
                              .expected = "name tasks, or kinds"};
    char message[160], path[256];
    if (*entry->tasks || *entry->kinds || (entry->allow && entry->allow[0])) return;
    (void)snprintf(message, sizeof message, "source \"%.100s\" may run nothing", entry->name);
    fault.message = message;
    fault.path = pdk_scalar_path(entry->at, path, sizeof path);
    pdk_loading_error(loading, pdk_report_add(loading->report, &fault) == -ENOMEM ? -ENOMEM : 0);
}

void pdk_load_source_tasks(struct pdk_loading *loading) {
    const struct pdk_config *config = loading->config;
    for (uint32_t i = 0; i < config->source_count && loading->error != -ENOMEM; i++) {
        for (size_t k = 0; config->sources[i].tasks[k]; k++) check_task(loading, &config->sources[i], k);
        check_empty(loading, &config->sources[i]);
    }
}
