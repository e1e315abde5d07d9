/* SPDX-License-Identifier: Apache-2.0 */
/* A whole paddock.yaml with what it includes. Reads files; the only layer that does. */
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include "core/base/table.h"
#include "core/spec/file.h"
#include "core/spec/spec.h"

struct pdk_config_file {
    const char *name;
    uint32_t owner, mode; /* of the file, as stat says */
};

struct pdk_config {
    struct pdk_task **tasks; /* in the order of the files; replicas not yet expanded */
    uint32_t task_count;
    struct pdk_plugin_entry_config *plugins, *sources, *metrics;
    uint32_t plugin_count, source_count, metrics_count;
    struct pdk_limits limits;
    bool has_drain; /* shutdown.drain was written */
    struct pdk_server server;
    uint32_t file_count;
    struct pdk_config_file *files; /* those on the disk that were read, in the order of reading */
    uint32_t opened_count;
    struct pdk_arena arena;
    uint32_t document_count;
    const pdk_value **documents; /* of the files, and made of them; keep the texts that reports quote */
    struct pdk_table names;      /* of the tasks */
};

/* Read the files (a path, or "-" for standard input) and their includes, and check all that needs no plugin:
 * names, types, ranges, needs and after, cycles, slots. All faults go to the report, sorted by the caller.
 * *ret is set in every case but -ENOMEM, since the report quotes its texts; free it after printing.
 * 0, -EINVAL; -ENOENT, -EACCES ... when a file named here cannot be read (in the report too). [main] */
int32_t pdk_config_load(const char *const *files, struct pdk_report *report, struct pdk_config **ret);

/* What the command line says of tasks, over what their files say. */
struct pdk_config_set {
    const pdk_value *fields;  /* a map, as a task's; maps are merged key by key */
    const char *const *names; /* of the tasks it is said of, NULL-ended; NULL or empty: all */
};
int32_t pdk_config_load_set(const char *const *files, const struct pdk_config_set *set, struct pdk_report *report,
                            struct pdk_config **ret);

/* The same from values already read (JSON, tests, an embedder). */
int32_t pdk_config_read(const pdk_value *value, const char *folder, struct pdk_report *report, struct pdk_config **ret);

/* Why a task cannot be one that a source runs; NULL: it can. */
const char *pdk_config_unfit(const struct pdk_task *task);

/* NULL if there is none of that name. */
struct pdk_task *pdk_config_task(const struct pdk_config *config, const char *name);

void pdk_limits_default(struct pdk_limits *limits);
/* Plugins that serve loads by themselves; NULL-ended. */
extern const char *const pdk_own_plugins[];

void pdk_server_default(struct pdk_server *server);
void pdk_config_free(struct pdk_config *config);

#endif
