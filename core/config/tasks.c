/* SPDX-License-Identifier: Apache-2.0 */
/* What a file says: its tasks with their defaults, and the rest handed to who reads it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config/load.h"
#include "core/spec/merge.h"

static bool map_wanted(struct pdk_loading *loading, const pdk_value *value, const char *hint) {
    struct pdk_reading reading = {.arena = &loading->arena, .report = loading->report, .folder = "/"};
    bool is_map = pdk_read_is_map(&reading, value, hint);
    pdk_loading_error(loading, reading.error);
    return is_map;
}

/* What the top level may not have, or not yet. */
static void check_keys(struct pdk_loading *loading, const pdk_value *file) {
    struct pdk_reading reading = {.arena = &loading->arena, .report = loading->report, .folder = "/"};
    for (uint32_t i = 0; i < file->size; i++) {
        const struct pdk_value_entry *entry = &file->as.map.entries[i];
        const struct pdk_field *row = pdk_field_find(pdk_file_rows, entry->key, entry->key_size);
        if (strncmp(entry->key, "x-", 2) == 0) continue;
        if (!row)
            pdk_field_unknown(&reading, pdk_file_rows, file, i);
        else if (row->since > PDK_SPEC_VERSION)
            pdk_field_later(&reading, row, file, i);
        else if (pdk_value_is_null(entry->value))
            pdk_reading_fault_key(&reading, entry->value, "leave the field out", "%s has no value", row->name);
    }
    pdk_loading_error(loading, reading.error);
}

static struct pdk_named *add_name(struct pdk_loading *loading, const pdk_value *tasks, uint32_t i) {
    const struct pdk_value_entry *entry = &tasks->as.map.entries[i];
    struct pdk_named *named = pdk_table_get(&loading->named, entry->key, entry->key_size);
    if (named) {
        const struct pdk_value_entry *first = NULL;
        const pdk_value *source = pdk_value_written(named->source), *map = source->parent;
        uint32_t at = 0;
        for (; map && at < map->size; at++) {
            first = &map->as.map.entries[at];
            if (first->value == source) break;
        }
        pdk_loading_twice(loading, pdk_value_key_place(tasks, i), "tasks", entry->key,
                          map && at < map->size ? pdk_value_key_place(map, at) : pdk_value_place(named->source));
        return NULL;
    }
    named = pdk_arena_alloc(&loading->arena, sizeof *named);
    if (!named || pdk_table_put(&loading->named, entry->key, entry->key_size, named) < 0 ||
        !pdk_loading_grow(loading, &loading->order, loading->order_count, &loading->order_capacity,
                          sizeof(struct pdk_named *))) {
        pdk_loading_error(loading, -ENOMEM);
        return NULL;
    }
    named->source = entry->value;
    named->index = loading->order_count;
    loading->order[loading->order_count++] = named;
    return named;
}

static bool is_set(const struct pdk_config_set *set, const char *name) {
    if (!set) return false;
    if (!set->names || !set->names[0]) return true;
    for (size_t i = 0; set->names[i]; i++)
        if (strcmp(set->names[i], name) == 0) return true;
    return false;
}

/* What is set of this task, over what it says. Lives as long as the configuration; NULL without memory. */
static const pdk_value *with_set(struct pdk_loading *loading, const pdk_value *value, const char *name) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *map = NULL, *merged = NULL;
    if (!is_set(loading->set, name)) return value;
    int32_t rc = pdk_task_map(value, &map);
    if (rc == 0 && map->type != PDK_MAP) {
        values->drop(map);
        return value; /* which is a fault of its own */
    }
    if (rc == 0) rc = pdk_merge_defaults(map, loading->set->fields, &merged);
    values->drop(map);
    if (rc == 0) rc = pdk_loading_keep(loading, merged);
    if (rc == 0) return merged;
    pdk_loading_error(loading, rc);
    return NULL;
}

static void load_task(struct pdk_loading *loading, const pdk_value *tasks, uint32_t i,
                      const struct pdk_file_source *source) {
    const struct pdk_value_entry *entry = &tasks->as.map.entries[i];
    struct pdk_task_options options = {
        .name = entry->key, .defaults = source->defaults, .folder = source->folder, .trusted = true};
    struct pdk_config *config = loading->config;
    struct pdk_named *named = add_name(loading, tasks, i);
    struct pdk_task *task = NULL;
    const pdk_value *value = named ? with_set(loading, entry->value, entry->key) : NULL;
    if (!value) return;
    pdk_loading_error(loading, pdk_task_read(value, &options, loading->report, &task));
    if (!task) return;
    if (!pdk_loading_grow(loading, &config->tasks, config->task_count, &loading->task_capacity,
                          sizeof(struct pdk_task *))) {
        pdk_task_drop(task);
        return;
    }
    named->task = config->tasks[config->task_count++] = task;
}

/* Those of the file over those of its includer. Owned by the caller; NULL: none that can be used. */
static const pdk_value *load_defaults(struct pdk_loading *loading, const pdk_value *own,
                                      const struct pdk_file_source *source) {
    struct pdk_task_options options = {.folder = source->folder, .trusted = true};
    const pdk_value *ret = NULL;
    int32_t rc = 0;
    if (!pdk_value_is_null(own) && map_wanted(loading, own, "a map"))
        rc = pdk_defaults_check(own, &options, loading->report);
    else
        own = NULL;
    pdk_loading_error(loading, rc);
    if (rc < 0) own = NULL; /* told once; the tasks need not repeat it */
    pdk_loading_error(loading, pdk_merge_defaults(source->defaults, own, &ret));
    return ret;
}

void pdk_load_value(struct pdk_loading *loading, const pdk_value *value, const struct pdk_file_source *source) {
    const pdk_values *values = pdk_values_get();
    struct pdk_file_source inner = *source;
    const pdk_value *tasks, *part;
    if (pdk_value_is_null(value) || !map_wanted(loading, value, "a map with tasks")) return;
    check_keys(loading, value);
    inner.defaults = load_defaults(loading, values->get(value, "defaults"), source);
    tasks = values->get(value, "tasks");
    if (!pdk_value_is_null(tasks) && map_wanted(loading, tasks, "a map of tasks"))
        for (uint32_t i = 0; i < tasks->size && loading->error != -ENOMEM; i++) load_task(loading, tasks, i, &inner);
    if (!pdk_value_is_null(part = values->get(value, "plugins"))) pdk_load_plugins(loading, part, &inner);
    if (!pdk_value_is_null(part = values->get(value, "sources"))) pdk_load_sources(loading, part, &inner);
    if (!pdk_value_is_null(part = values->get(value, "metrics"))) pdk_load_metrics(loading, part, &inner);
    pdk_load_limits(loading, values->get(value, "limits"), values->get(value, "shutdown"));
    pdk_load_server(loading, values->get(value, "server"), inner.folder);
    if (!pdk_value_is_null(part = values->get(value, "include"))) pdk_load_includes(loading, part, &inner);
    values->drop(inner.defaults);
}
