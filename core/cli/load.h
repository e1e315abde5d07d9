/* SPDX-License-Identifier: Apache-2.0 */
/* From arguments to a configuration and its plugins, with all faults gathered. */
#ifndef CORE_CLI_LOAD_H
#define CORE_CLI_LOAD_H

#include "core/cli/cli.h"
#include "core/config/config.h"
#include "core/plugin/router.h"
#include "core/supervise/supervisor.h"

/* A plugin that was named, or found on the path. */
struct pdk_listed {
    const struct pdk_plugin_entry_config *entry; /* NULL: by --plugin, or found on the path alone */
    const char *name, *file;                     /* file NULL: not found */
    struct pdk_library library;                  /* plugin NULL: refused, or closed */
    bool found;                                  /* on the path alone */
    bool closed;                                 /* and not opened, for it plays nothing that is of use here */
    bool own;                                    /* one that serve loads by itself; it has an entry */
    uint32_t role;                               /* PDK_ROLE_..., that its entry stands for; 0: any but a source's */
    pdk_error error;                             /* of a refused one */
};

/* The plugin that only the verbs load which ask a server. No supervisor has use for it, and its libraries take their time. */
#define PDK_CLIENT_PLUGIN "client"

struct pdk_setup {
    struct pdk_arguments *arguments;
    bool shows;         /* list every plugin on the path, also the client */
    bool all;           /* open whatever is on the path, of use or not */
    bool serves;        /* load queue, console and archive by themselves, where they are on the path */
    bool owners_matter; /* load plugins only of root, of who we run as, and of trusted (-1: nobody else) */
    int64_t trusted;
    const char *sources; /* list and enter those of this plugin, too; "": all; NULL: none */
    struct pdk_report report;
    struct pdk_config *config; /* NULL: none was read */
    struct pdk_listed *plugins;
    size_t plugin_count, plugin_capacity;
    char *path; /* of plugins, dir:dir */
    uint32_t plugin_faults, route_faults;
    struct pdk_arena arena;
};

/* Read --env-file and the files, ./paddock.yaml when none was named. must: it has to be there. 0 or an exit code; faults
 * of content are in the report. */
int pdk_setup_read(struct pdk_setup *setup, struct pdk_arguments *arguments, bool must);

/* Make a configuration of one task from the command behind "--" and what --set says. */
int pdk_setup_command(struct pdk_setup *setup, struct pdk_arguments *arguments);

/* Make setup->path. 0 or -ENOMEM. */
int32_t pdk_setup_path(struct pdk_setup *setup);

/* Find and check the plugins: --plugin, the configured ones, those on the path. 0 or -ENOMEM; calls none of them. Sources
 * are left out unless setup->sources says else. */
int32_t pdk_setup_list(struct pdk_setup *setup);

/* Enter them, into the supervisor's router or into one of our own. Faults go to the report. */
int32_t pdk_setup_enter(struct pdk_setup *setup, pdk_router *router, pdk_supervisor *supervisor);

/* load_isolate.c: enter one whose entry wants it in a process of its own. As pdk_supervisor_load. */
int32_t pdk_setup_isolate(const struct pdk_listed *listed, const pdk_router_entry *entry, pdk_router *router,
                          pdk_supervisor *supervisor, pdk_error *err);

/* Enter the backend of this name from the path, for --metrics-file. */
int32_t pdk_setup_enter_metrics(struct pdk_setup *setup, pdk_supervisor *supervisor, const char *name);

/* Is it one of those that setup->sources says? */
bool pdk_setup_wants_source(const struct pdk_setup *setup, const struct pdk_plugin_entry_config *entry);

/* load_sources.c: let the supervisor know what a source may have run. 0 or -ENOMEM. */
int32_t pdk_setup_grant(struct pdk_setup *setup, const struct pdk_plugin_entry_config *entry,
                        pdk_supervisor *supervisor);

/* The same for one that is no source: may it control? */
int32_t pdk_setup_allow(const struct pdk_plugin_entry_config *entry, pdk_supervisor *supervisor);

/* What the sources that `first` has entered may have run by the configuration of this setup. make: -ENOMEM; one for each of
 * first->plugins, in our arena. apply: cannot fail. */
int32_t pdk_setup_grants_make(struct pdk_setup *setup, const struct pdk_setup *first, struct pdk_instance_limits **ret);
void pdk_setup_grants_apply(const struct pdk_setup *first, const struct pdk_instance_limits *limits,
                            pdk_supervisor *supervisor);

/* load_own.c: make entries for those that come by themselves, once the plugins are listed. -ENOMEM. */
int32_t pdk_setup_own(struct pdk_setup *setup);
/* Is it one of those, and did no file say without? */
bool pdk_setup_is_own(const struct pdk_setup *setup, const char *name);
/* Such a source may run every task that a source can, and these kinds. */
int32_t pdk_setup_own_source(struct pdk_setup *setup, const char *const *kinds, struct pdk_plugin_entry_config *ret);

/* Faults of sources that only the plugins tell: kinds that nobody serves. */
void pdk_setup_try_sources(struct pdk_setup *setup, const pdk_router *router);

/* Route and build one task, and throw it away: faults go to the report. */
void pdk_setup_try(struct pdk_setup *setup, pdk_router *router, struct pdk_task *task);

/* Print the report to stderr. 0: no errors; else the exit code that fits them. */
int pdk_setup_faults(struct pdk_setup *setup);

/* A router of our own with all plugins in it, for check and route. NULL after an error was told. */
pdk_router *pdk_setup_router(struct pdk_setup *setup);

void pdk_setup_free(struct pdk_setup *setup);

/* load_set.c: what --set says, as a map that the caller owns; NULL: nothing. 0 or an exit code after it was told. */
int pdk_set_read(struct pdk_setup *setup, const pdk_value **ret);

/* env_file.c: put NAME=value lines into our environment, unless the name is set. 0 or an exit code. */
int pdk_env_file_read(const char *path);

#endif
