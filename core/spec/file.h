/* SPDX-License-Identifier: Apache-2.0 */
/* What a file says beside its tasks: entries of plugins, sources and metrics, limits. core/config reads files; the structs and
 * their rows are here, so that one table makes the JSON Schema of a whole file. */
#ifndef CORE_SPEC_FILE_H
#define CORE_SPEC_FILE_H

#include <stdbool.h>

#include "core/value/value.h"

/* Hard limits; 0: none. */
struct pdk_resources {
    double cpu;
    uint64_t memory;
    uint32_t pids;
};

/* Where a plugin runs. */
enum pdk_isolation_mode { PDK_ISOLATION_NONE, PDK_ISOLATION_PROCESS };

/* What the process of its own may do; 0 and NULL: as we. */
struct pdk_isolation {
    enum pdk_isolation_mode mode;
    struct pdk_resources resources;
    uint32_t nofile;
    uint64_t fsize, memlock, stack;
    const char *user;           /* name, or name:group */
    const char *const *seccomp; /* system calls that are refused; "default": those that control the machine */
    uint64_t ping_every, ping_timeout;
    const pdk_value *at;
};

/* A process without limits. */
#define PDK_ISOLATION_USUAL \
    { .mode = PDK_ISOLATION_PROCESS, .ping_every = 2 * PDK_SECOND, .ping_timeout = 10 * PDK_SECOND }

/* From what an entry says, a word or a map; texts live as long as the value and the arena. -EINVAL, with faults. */
int32_t pdk_isolation_read(const pdk_value *value, struct pdk_arena *arena, struct pdk_report *report,
                           struct pdk_isolation *ret);

/* An entry of plugins, sources or metrics. */
struct pdk_plugin_entry_config {
    const char *use;                  /* a name, or an absolute path */
    const char *name;                 /* of the instance */
    const pdk_value *labels, *config; /* maps or NULL, held by the configuration */
    bool optional, task_label;
    const char *const *allow; /* "control"; NULL-ended, or NULL */
    struct pdk_isolation isolation;
    const pdk_value *at;
    /* of a source: all that it may have run */
    const char *const *tasks, *const *kinds; /* NULL-ended, never NULL */
    const pdk_value *defaults;               /* of specs that name a kind; a map or NULL */
    uint32_t pending;
};

struct pdk_limits {
    uint32_t running; /* 0: unlimited */
    uint32_t queued, slot_queue, history, events;
    uint64_t history_age, line;
    uint64_t drain, grace, flush; /* of the shutdown, ns */
};

/* How much is said, in the order of the words. */
enum pdk_server_log {
    PDK_SERVER_LOG_ERROR,
    PDK_SERVER_LOG_WARN,
    PDK_SERVER_LOG_INFO,
    PDK_SERVER_LOG_DEBUG,
    PDK_SERVER_LOG_TRACE
};
enum pdk_server_format { PDK_SERVER_FORMAT_AUTO, PDK_SERVER_FORMAT_TEXT, PDK_SERVER_FORMAT_JSON };

/* Of `serve`. Texts NULL: the default, which depends on who runs it. */
struct pdk_server {
    const char *socket, *group, *state, *trusted_user; /* socket, state: absolute */
    uint32_t mode;                                     /* of the socket */
    const char *const *without;                        /* NULL-ended, or NULL */
    enum pdk_server_log log;
    enum pdk_server_format log_format;
    const pdk_value *at; /* NULL: it was not given */
};

#endif
