/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task as declared: every field read, checked and completed through one table (fields.c).
 * Immutable once made; counted, on the main thread only.
 */
#ifndef CORE_SPEC_SPEC_H
#define CORE_SPEC_SPEC_H

#include "core/spec/selector.h"
#include "core/value/value.h"
#include "paddock/task.h"

enum pdk_restart { PDK_RESTART_NEVER, PDK_RESTART_ON_FAILURE, PDK_RESTART_ALWAYS };
enum pdk_jitter { PDK_JITTER_NONE, PDK_JITTER_FULL, PDK_JITTER_EQUAL, PDK_JITTER_DECORRELATED };
enum pdk_when_busy { PDK_BUSY_DROP, PDK_BUSY_QUEUE, PDK_BUSY_REPLACE };
enum pdk_check_kind {
    PDK_CHECK_NONE,
    PDK_CHECK_NOTIFY,
    PDK_CHECK_AFTER,
    PDK_CHECK_COMMAND,
    PDK_CHECK_TCP,
    PDK_CHECK_LINE
};

#define PDK_RETRIES_UNLIMITED UINT32_MAX

/* What follows the end of an attempt (core/supervise/README.md, section 7). Times in ns, 0: none. */
struct pdk_policy {
    enum pdk_restart restart;
    enum pdk_jitter jitter;
    uint64_t every;
    uint32_t retries;        /* or PDK_RETRIES_UNLIMITED */
    uint32_t start_burst;    /* of the start limit; 0: none */
    uint64_t retries_within; /* retries count only failures in this time; 0: one streak */
    uint64_t backoff_first, backoff_max, backoff_reset;
    uint64_t backoff_factor; /* round(factor * 2^20) */
    uint64_t start_within;
    int32_t start_fail; /* the limit ends the run instead of holding it back */
};

/* When an attempt counts as up. */
struct pdk_check {
    enum pdk_check_kind kind;
    uint64_t after;                  /* AFTER: it survived so long */
    uint64_t every, timeout, within; /* of the others */
    const char *const *command;      /* COMMAND: argv */
    const char *host, *port, *line;  /* TCP; LINE: an extended regular expression */
};

/* Where the output goes beside Paddock's own. */
struct pdk_output_files {
    const char *file, *stderr_file; /* absolute; NULL: none, and together with file */
    uint64_t max_size;
    uint32_t keep;
};

struct pdk_task {
    pdk_spec plugin; /* what runners see; plugin.with is completed once a runner is chosen */
    uint32_t references;
    struct pdk_selector selector;
    struct pdk_policy policy;
    enum pdk_when_busy when_busy;
    uint64_t deadline, kill_wait; /* ns */
    const char *description;
    const char *file; /* where it was declared, NULL: from a source */
    bool manual;
    uint32_t replicas, replica;              /* replica: 1.. in a copy made for one of them, else 0 */
    const char *const *after, *const *needs; /* NULL-ended, never NULL */
    struct pdk_check ready;
    struct pdk_output_files log;
    const pdk_value *source; /* the map it was read from, held; for faults found later */
    struct pdk_arena arena;
};

struct pdk_task_options {
    const char *name;          /* the key in tasks; NULL: the field `name` of the spec itself */
    const pdk_value *defaults; /* a task to complete it from; NULL: none */
    const char *folder;        /* absolute; relative paths of the spec start here; NULL: "/" */
    bool interpolate;          /* ${NAME} in values; files only */
    bool trusted;              /* may use file and env secrets, and paths; files only */
};

/* Read one task from a value: a map, or the shorthands text and list. Faults go to the report. 0, -EINVAL, -ENOMEM. *ret has
 * one reference. [main] */
int32_t pdk_task_read(const pdk_value *value, const struct pdk_task_options *options, struct pdk_report *report,
                      struct pdk_task **ret);

/* Complete plugin.with by the schema of the kind that the chosen runner serves. What programs need is handed on inside it,
 * where the schema has a row of that name, always in this form, whatever way it was written:
 *     command   list of strings; text became [/bin/sh, -c, TEXT]
 *     env       map NAME -> string, null, {file: absolute path}, {env: NAME} or {credential: NAME}
 *     env_file  list of {path: absolute path, optional: bool}
 *     cwd       absolute path, always there
 *     user      string, name or name:group
 *     resources {cpu: number, memory: int of bytes, pids: int}, those that were given
 *     exit      {success, retry, fatal: lists of "n" or "n-m"}, always there
 *     stop      {signal: name without SIG, to: group or leader, command: as above, if given}, always there
 *     input     as written
 *     reload    {signal: name} or {command: as above}
 *     notify    true, for ready: notify
 * A field that the task wrote and the schema lacks is a fault ("kind "http" runs no program"); input is not, since
 * plugin.input has it anyway, nor is what comes from defaults. Gives a new task (with one reference) that shares
 * everything else. blank: of pdk_task_blank for this schema, parts of which are shared, or NULL. */
int32_t pdk_task_complete(struct pdk_task *task, const pdk_schema *schema, const pdk_value *blank, const char *plugin,
                          struct pdk_report *report, struct pdk_task **ret);

/* What a task that says nothing is completed to, for pdk_task_complete to share: its fallbacks, and how it stops and ends
 * by default. *ret is held once; NULL when the kind cannot do without something. 0 or -ENOMEM. */
int32_t pdk_task_blank(const pdk_schema *schema, const pdk_value **ret);

/* A copy that differs in what is not NULL or 0. */
struct pdk_task_change {
    const char *name, *slot;
    uint32_t replica;              /* it is this one */
    const pdk_value *with, *input; /* of a message; held */
};
int32_t pdk_task_vary(struct pdk_task *task, const struct pdk_task_change *change, struct pdk_task **ret);

/* Do two tasks of one name say the same, whatever way they wrote it? Not their descriptions. 1, 0, -ENOMEM. */
int32_t pdk_task_same(struct pdk_task *a, struct pdk_task *b);

/* A declared task with what is to differ: fields as a task's, over what it says; maps are merged key by key. Nothing in them
 * is expanded. 0, -EINVAL, -ENOMEM. */
int32_t pdk_task_differ(struct pdk_task *task, const pdk_value *fields, struct pdk_report *report,
                        struct pdk_task **ret);

/* What a task says, with the defaults that it was read with, as a map that can be submitted elsewhere. Its name is not in it.
 * *ret is owned by the caller. 0 or -ENOMEM. */
int32_t pdk_task_whole(struct pdk_task *task, const pdk_value **ret);

struct pdk_task *pdk_task_hold(struct pdk_task *task);
void pdk_task_drop(struct pdk_task *task); /* NULL is fine */

/* The field table, for `schema --fields`, the manual and completion: name, type, default, range, doc. */
struct pdk_field_doc {
    const char *name, *type, *fallback, *doc;
};
const struct pdk_field_doc *pdk_task_field(size_t i); /* NULL at the end */
/* Those of an entry of plugins, with what is in its maps: "isolation.resources.memory". name lives during the call. */
void pdk_plugin_fields(void (*each)(void *arg, const char *name, const struct pdk_field_doc *field), void *arg);
void pdk_server_fields(void (*each)(void *arg, const char *name, const struct pdk_field_doc *field), void *arg);

/* The JSON Schema of a whole file; kinds: NULL-ended schemas of the kinds that are there. Owned by the caller. */
int32_t pdk_config_schema(const pdk_schema *const *kinds, const pdk_value **ret);

#endif
