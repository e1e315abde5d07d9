/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this layer share while a configuration is being loaded. */
#ifndef CORE_CONFIG_LOAD_H
#define CORE_CONFIG_LOAD_H

#include <sys/types.h>

#include "core/config/config.h"
#include "core/spec/fields.h"

#define PDK_INCLUDE_DEPTH 8
#define PDK_FILES_LIMIT   1000
#define PDK_FILE_BYTES    (4u << 20)
#define PDK_ALL_BYTES     (16u << 20)

/* A name of a task that stands in some file, also when what it names is faulty. */
struct pdk_named {
    const pdk_value *source;
    struct pdk_task *task; /* NULL: faulty */
    uint32_t index;        /* in the order of coming */
    uint32_t next_edge;    /* while looking for circles */
    bool open, closed;
};

/* A file that was opened, to notice it when it comes again. */
struct pdk_opened {
    dev_t device;
    ino_t inode;
    const char *name; /* lives as long as the configuration */
    uint32_t owner, mode;
    bool open; /* its includes are being read */
};

struct pdk_loading {
    struct pdk_config *config;
    struct pdk_report *report;
    struct pdk_arena arena;
    struct pdk_table named;   /* struct pdk_named by name */
    struct pdk_named **order; /* in the order of coming */
    uint32_t order_count, order_capacity;
    struct pdk_table plugin_names,
        metrics_names;                  /* entries (pdk_value) by the name of the instance; plugins: sources too */
    const pdk_value *limits, *shutdown; /* where they were given */
    struct pdk_opened *opened;
    uint32_t opened_count;
    uint32_t document_capacity, task_capacity, plugin_capacity, source_capacity, metrics_capacity;
    size_t bytes;
    const struct pdk_config_set *set; /* NULL: nothing */
    int32_t error;
};

/* One file or value: where it comes from, and what its includer gave it. */
struct pdk_file_source {
    const char *name;          /* for messages, and where includes start from */
    const char *folder;        /* absolute */
    const pdk_value *defaults; /* of the includer; NULL: none */
    uint32_t depth;
};

void pdk_loading_error(struct pdk_loading *loading, int32_t rc);

/* Make room for one more in an array; false without memory. */
bool pdk_loading_grow(struct pdk_loading *loading, void *array, uint32_t count, uint32_t *capacity, size_t size);

/* Keep a tree as long as the configuration. */
int32_t pdk_loading_keep(struct pdk_loading *loading, const pdk_value *value);

/* A fault at value: `"NAME" is here twice`, with a note at the first. */
void pdk_loading_twice(struct pdk_loading *loading, struct pdk_place place, const char *path, const char *name,
                       struct pdk_place first);

/* Open, read, parse and take in a file. at: the include that names it; NULL: the command line. */
void pdk_load_file(struct pdk_loading *loading, const char *name, const struct pdk_file_source *includer,
                   const pdk_value *at);

/* Take in what a file says. */
void pdk_load_value(struct pdk_loading *loading, const pdk_value *value, const struct pdk_file_source *source);

void pdk_load_includes(struct pdk_loading *loading, const pdk_value *value, const struct pdk_file_source *source);
void pdk_load_plugins(struct pdk_loading *loading, const pdk_value *list, const struct pdk_file_source *source);
void pdk_load_sources(struct pdk_loading *loading, const pdk_value *list, const struct pdk_file_source *source);
void pdk_load_metrics(struct pdk_loading *loading, const pdk_value *value, const struct pdk_file_source *source);
void pdk_load_server(struct pdk_loading *loading, const pdk_value *value, const char *folder);
void pdk_load_limits(struct pdk_loading *loading, const pdk_value *limits, const pdk_value *shutdown);

/* The name among all tasks that is nearest to one that is not there, or NULL. */
const char *pdk_load_nearest_task(struct pdk_loading *loading, const char *name);

/* needs, after, circles, slots, tasks of sources: between all tasks. */
void pdk_load_graph(struct pdk_loading *loading);
void pdk_load_slots(struct pdk_loading *loading);
void pdk_load_source_tasks(struct pdk_loading *loading);

#endif
