/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of plugins, sources and metrics. */
#include <errno.h>
#include <string.h>

#include "core/base/text.h"
#include "core/config/load.h"
#include "core/spec/merge.h"
#include "core/spec/scalar.h"

/* Where entries of one sort go. */
struct entries {
    const struct pdk_field *rows;
    struct pdk_plugin_entry_config **array;
    uint32_t *count, *capacity;
    struct pdk_table *names;
};

/* "subprocess", or "wasm" of ./plugins/wasm.so */
static const char *base_name(struct pdk_reading *reading, const char *use) {
    const char *slash = strrchr(use, '/'), *base = slash ? slash + 1 : use;
    size_t size = strlen(base);
    if (slash && size > 3 && !strcmp(base + size - 3, ".so")) size -= 3;
    return pdk_reading_text(reading, base, size);
}

static void check_name(struct pdk_reading *reading, const pdk_value *value,
                       const struct pdk_plugin_entry_config *entry) {
    const pdk_value *at = value->type == PDK_MAP ? pdk_values_get()->get(value, "name") : value;
    const char *why = "";
    if (entry->name && pdk_slot_name_check(entry->name, &why) < 0)
        pdk_reading_fault(reading, at ? at : value, why, NULL, "\"%.80s\" cannot be the name of a plugin", entry->name);
}

static void check_allow(struct pdk_reading *reading, const pdk_value *value,
                        const struct pdk_plugin_entry_config *entry) {
    for (size_t i = 0; entry->allow && entry->allow[i]; i++)
        if (strcmp(entry->allow[i], "control") != 0)
            pdk_reading_fault(reading, pdk_values_get()->get(value, "allow"), "expected control",
                              pdk_nearest(entry->allow[i], (const char *const[]){"control", NULL}),
                              "\"%.80s\" is nothing that can be allowed", entry->allow[i]);
}

static void read_entry(struct pdk_reading *reading, const pdk_value *value, const struct pdk_field *rows,
                       struct pdk_plugin_entry_config *ret) {
    const pdk_value *use = value;
    ret->at = value;
    if (value->type == PDK_MAP) {
        pdk_fields_read(reading, rows, value, ret);
        use = pdk_values_get()->get(value, "use");
    } else {
        ret->use = pdk_read_text(reading, value, "a plugin: its name, or {use: NAME}");
    }
    if (!ret->use || reading->error < 0) return;
    if (strchr(ret->use, '/')) ret->use = pdk_read_path(reading, use);
    if (!ret->name && ret->use) ret->name = base_name(reading, ret->use);
    check_name(reading, value, ret);
    check_allow(reading, value, ret);
    if (ret->labels) pdk_reading_error(reading, pdk_labels_check(ret->labels, reading->report));
    if (ret->config) (void)pdk_read_is_map(reading, ret->config, "a map");
}

static const char *const no_names[] = {NULL};

/* What a source may have run is checked as what comes from it will be. */
static void read_source(struct pdk_reading *reading, struct pdk_plugin_entry_config *entry) {
    const struct pdk_task_options options = {.folder = reading->folder};
    if (!entry->tasks) entry->tasks = no_names;
    if (!entry->kinds) entry->kinds = no_names;
    if (!entry->pending) entry->pending = 1000;
    if (!entry->defaults || !pdk_read_is_map(reading, entry->defaults, "a map")) return;
    pdk_reading_error(reading, pdk_defaults_check(entry->defaults, &options, reading->report));
}

static void add_entry(struct pdk_loading *loading, const struct entries *entries, const pdk_value *value,
                      const struct pdk_file_source *source) {
    struct pdk_reading reading = {
        .arena = &loading->config->arena, .report = loading->report, .folder = source->folder, .trusted = true};
    struct pdk_plugin_entry_config entry = {0};
    const pdk_value *first;
    char path[256];
    read_entry(&reading, value, entries->rows, &entry);
    if (entries->rows == pdk_source_rows) read_source(&reading, &entry);
    pdk_loading_error(loading, reading.error);
    if (reading.error < 0 || !entry.name) return;
    first = pdk_table_get(entries->names, entry.name, strlen(entry.name));
    if (first) {
        pdk_loading_twice(loading, pdk_value_place(value), pdk_scalar_path(value, path, sizeof path), entry.name,
                          pdk_value_place(first));
        return;
    }
    pdk_loading_error(loading, pdk_table_put(entries->names, entry.name, strlen(entry.name), (void *)(uintptr_t)value));
    if (pdk_loading_grow(loading, entries->array, *entries->count, entries->capacity, sizeof entry))
        (*entries->array)[(*entries->count)++] = entry;
}

static void load_list(struct pdk_loading *loading, const struct entries *entries, const pdk_value *list,
                      const struct pdk_file_source *source, const char *what) {
    if (list->type != PDK_LIST) {
        pdk_loading_error(loading, pdk_value_fault(loading->report, -EINVAL, list, "write [NAME, ...]", NULL,
                                                   "expected a list of %s", what));
        return;
    }
    for (uint32_t i = 0; i < list->size && loading->error != -ENOMEM; i++)
        add_entry(loading, entries, list->as.items[i], source);
}

void pdk_load_plugins(struct pdk_loading *loading, const pdk_value *list, const struct pdk_file_source *source) {
    const struct entries entries = {pdk_plugin_rows, &loading->config->plugins, &loading->config->plugin_count,
                                    &loading->plugin_capacity, &loading->plugin_names};
    load_list(loading, &entries, list, source, "plugins");
}

void pdk_load_sources(struct pdk_loading *loading, const pdk_value *list, const struct pdk_file_source *source) {
    const struct entries entries = {pdk_source_rows, &loading->config->sources, &loading->config->source_count,
                                    &loading->source_capacity, &loading->plugin_names};
    load_list(loading, &entries, list, source, "sources");
}

void pdk_load_metrics(struct pdk_loading *loading, const pdk_value *value, const struct pdk_file_source *source) {
    const struct entries entries = {pdk_metrics_rows, &loading->config->metrics, &loading->config->metrics_count,
                                    &loading->metrics_capacity, &loading->metrics_names};
    if (value->type != PDK_LIST)
        add_entry(loading, &entries, value, source);
    else
        load_list(loading, &entries, value, source, "backends");
}
