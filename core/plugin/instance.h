/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins: found, checked, loaded, made into instances. instance.c knows the ABI, library.c alone knows dlopen. */
#ifndef CORE_PLUGIN_INSTANCE_H
#define CORE_PLUGIN_INSTANCE_H

#include "core/base/report.h"
#include "paddock/plugin.h"

struct pdk_task;

/* A plugin's file, or one that came from memory. Never unloaded. */
struct pdk_library {
    const pdk_plugin *plugin;
    char *path; /* NULL: from memory */
};

/* Check what a plugin exports (sizes, versions, what it must have) without calling it. err gets one line, such as
 * "ABI 2.0, this host has 1.x". */
int32_t pdk_plugin_check(const pdk_plugin *plugin, pdk_error *err);

/* Open and check a file: refused when it or its folder is writable by others, or owned by a stranger (neither root
 * nor us), not a regular file, of another machine, truncated, or not a plugin. -EACCES: not to be trusted; -EINVAL;
 * or what opening it said. err gets one line that begins with the path.
 *
 * RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE. Nothing in the plugin is called, but the loader runs its constructors, if
 * it has any in spite of plugin.h, before we see the entry: hence the look at who could have put the file there. */
int32_t pdk_library_open(const char *path, struct pdk_library *ret, pdk_error *err);

/* PDK_ROLE_... that its file says it plays, read without loading it. -ENOTSUP: it is not plain to see; open it. */
int32_t pdk_library_roles(const char *path, uint32_t *ret);

/* Something else that its file exports, or NULL. */
void *pdk_library_symbol(const struct pdk_library *library, const char *name);

/* Frees the path. The plugin stays in memory for ever. */
void pdk_library_free(struct pdk_library *library);

/* Find use (a file NAME.so, or a path with a slash) on a path "dir:dir". ret gets a heap string. -ENOENT, with err naming where
 * it was looked for and the nearest name. */
int32_t pdk_library_find(const char *use, const char *path, char **ret, pdk_error *err);

/* Every *.so on the path, by name, each name once (the first folder wins). Stops when each returns non-zero, and returns that. */
int32_t pdk_library_scan(const char *path, int32_t (*each)(void *arg, const char *name, const char *file), void *arg);

enum { PDK_INSTANCE_MADE, PDK_INSTANCE_STARTED, PDK_INSTANCE_STOPPING, PDK_INSTANCE_STOPPED };

/* One configured instance. Its address is stable: plugins know it by &host. */
struct pdk_instance {
    pdk_host host; /* given to the plugin; host.data is the owner's */
    const pdk_plugin *plugin;
    void *self;
    char *name;
    const char *file;         /* borrowed from the library, NULL: from memory */
    const pdk_value *labels;  /* configured and built-in ones, held; never NULL */
    const pdk_value *config;  /* completed by the schema, held */
    const pdk_value **blanks; /* of each kind it serves, held: see pdk_task_blank */
    const pdk_value *at;      /* where it was configured, held; NULL */
    int32_t life;             /* PDK_INSTANCE_... */
    _Atomic int32_t health;   /* PDK_UP ... */
    void *owner_data;         /* of whoever made it: the supervisor's runner record */
};

struct pdk_instance_options {
    const char *name; /* NULL: the plugin's */
    const char *file;
    const pdk_value *labels, *config, *at;
    const pdk_host *host; /* whose functions, data, name and version are copied; NULL functions get harmless defaults */
    uint32_t roles;       /* PDK_ROLE_...; 0: all it has */
};

/* Check config by the plugin's schema, add the built-in labels (paddock/plugin, paddock/name, paddock/host,
 * paddock/arch), call create. Faults go to the report. Instances with a start op begin DOWN. */
int32_t pdk_instance_create(const pdk_plugin *plugin, const struct pdk_instance_options *options,
                            struct pdk_report *report, struct pdk_instance **ret);
int32_t pdk_instance_start(struct pdk_instance *instance, pdk_error *err); /* 0 also when it has no start op */
void pdk_instance_stop(struct pdk_instance *instance); /* host.stopped follows, or at once when it has no stop op */
void pdk_instance_free(struct pdk_instance *instance); /* calls destroy; NULL is fine */

/* The schema of a kind it serves, or NULL. */
const pdk_schema *pdk_instance_kind(const struct pdk_instance *instance, const char *kind);

/* Complete a task for it: pdk_task_complete with what is its. */
int32_t pdk_instance_complete(const struct pdk_instance *instance, struct pdk_task *task, struct pdk_report *report,
                              struct pdk_task **ret);

#endif
