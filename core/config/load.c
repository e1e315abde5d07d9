/* SPDX-License-Identifier: Apache-2.0 */
/* From files or a value to a configuration. */
#include "core/config/load.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_FILE "./paddock.yaml"

void pdk_loading_error(struct pdk_loading *loading, int32_t rc) {
    if (rc < 0 && (loading->error == 0 || rc == -ENOMEM)) loading->error = rc;
}

bool pdk_loading_grow(struct pdk_loading *loading, void *array, uint32_t count, uint32_t *capacity, size_t size) {
    uint32_t larger = *capacity ? *capacity * 2 : 16;
    void *old, *memory;
    if (count < *capacity) return true;
    memcpy(&old, array, sizeof old);
    memory = reallocarray(old, larger, size);
    if (!memory) {
        pdk_loading_error(loading, -ENOMEM);
        return false;
    }
    memcpy(array, &memory, sizeof memory);
    *capacity = larger;
    return true;
}

int32_t pdk_loading_keep(struct pdk_loading *loading, const pdk_value *value) {
    struct pdk_config *config = loading->config;
    if (!pdk_loading_grow(loading, &config->documents, config->document_count, &loading->document_capacity,
                          sizeof(const pdk_value *))) {
        pdk_values_get()->drop(value);
        return -ENOMEM;
    }
    config->documents[config->document_count++] = value;
    return 0;
}

void pdk_loading_twice(struct pdk_loading *loading, struct pdk_place place, const char *path, const char *name,
                       struct pdk_place first) {
    char message[160];
    struct pdk_fault fault = {.code = -EINVAL,
                              .place = place,
                              .path = path,
                              .message = message,
                              .expected = "every name once",
                              .note = first,
                              .note_text = "the first is here"};
    (void)snprintf(message, sizeof message, "\"%.100s\" is here twice", name);
    pdk_loading_error(loading, pdk_report_add(loading->report, &fault));
}

void pdk_config_free(struct pdk_config *config) {
    const pdk_values *values = pdk_values_get();
    if (!config) return;
    for (uint32_t i = 0; i < config->task_count; i++) pdk_task_drop(config->tasks[i]);
    for (uint32_t i = 0; i < config->document_count; i++) values->drop(config->documents[i]);
    pdk_table_free(&config->names);
    pdk_arena_free(&config->arena);
    free(config->tasks);
    free(config->plugins);
    free(config->sources);
    free(config->metrics);
    free(config->documents);
    free(config);
}

struct pdk_task *pdk_config_task(const struct pdk_config *config, const char *name) {
    return pdk_table_get(&config->names, name, strlen(name));
}

/* All that can only be checked when every file was read. */
static void finish(struct pdk_loading *loading) {
    struct pdk_config *config = loading->config;
    for (uint32_t i = 0; i < config->task_count; i++) {
        const char *name = config->tasks[i]->plugin.name;
        pdk_loading_error(loading, pdk_table_put(&config->names, name, strlen(name), config->tasks[i]));
    }
    if (loading->error == -ENOMEM) return;
    pdk_load_graph(loading);
    pdk_load_slots(loading);
    pdk_load_source_tasks(loading);
}

static int32_t start(struct pdk_loading *loading, struct pdk_report *report) {
    *loading = (struct pdk_loading){.report = report, .config = calloc(1, sizeof *loading->config)};
    if (!loading->config) return -ENOMEM;
    pdk_limits_default(&loading->config->limits);
    pdk_server_default(&loading->config->server);
    loading->opened = calloc(PDK_FILES_LIMIT, sizeof *loading->opened);
    if (!loading->opened) loading->error = -ENOMEM;
    return 0;
}

static void keep_files(struct pdk_loading *loading) {
    struct pdk_config *config = loading->config;
    config->files = pdk_arena_alloc(&config->arena, (loading->opened_count + 1u) * sizeof *config->files);
    if (!config->files) {
        pdk_loading_error(loading, -ENOMEM);
        return;
    }
    for (uint32_t i = 0; i < loading->opened_count; i++) {
        const struct pdk_opened *opened = &loading->opened[i];
        config->files[config->opened_count++] = (struct pdk_config_file){opened->name, opened->owner, opened->mode};
    }
}

static int32_t end(struct pdk_loading *loading, struct pdk_config **ret) {
    keep_files(loading);
    pdk_arena_free(&loading->arena);
    pdk_table_free(&loading->named);
    pdk_table_free(&loading->plugin_names);
    pdk_table_free(&loading->metrics_names);
    free(loading->order);
    free(loading->opened);
    if (loading->error == -ENOMEM) {
        pdk_config_free(loading->config);
        return -ENOMEM;
    }
    *ret = loading->config;
    return loading->error;
}

int32_t pdk_config_load(const char *const *files, struct pdk_report *report, struct pdk_config **ret) {
    return pdk_config_load_set(files, NULL, report, ret);
}

int32_t pdk_config_load_set(const char *const *files, const struct pdk_config_set *set, struct pdk_report *report,
                            struct pdk_config **ret) {
    static const char *const usual[] = {DEFAULT_FILE, NULL};
    struct pdk_loading loading;
    int32_t rc = start(&loading, report);
    if (rc < 0) return rc;
    loading.set = set;
    if (!files || !files[0]) files = usual;
    for (; *files && loading.error != -ENOMEM; files++) pdk_load_file(&loading, *files, NULL, NULL);
    if (loading.error != -ENOMEM) finish(&loading);
    return end(&loading, ret);
}

int32_t pdk_config_read(const pdk_value *value, const char *folder, struct pdk_report *report,
                        struct pdk_config **ret) {
    struct pdk_file_source source = {.name = pdk_value_place(value).file, .folder = folder ? folder : "/"};
    struct pdk_loading loading;
    int32_t rc = start(&loading, report);
    if (rc < 0) return rc;
    if (loading.error == 0 && pdk_loading_keep(&loading, pdk_values_get()->hold(value)) == 0) {
        loading.config->file_count = 1;
        pdk_load_value(&loading, value, &source);
        if (loading.error != -ENOMEM) finish(&loading);
    }
    return end(&loading, ret);
}
