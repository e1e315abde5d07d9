/* SPDX-License-Identifier: Apache-2.0 */
/* Units of systemd on their way to tasks. */
#ifndef CORE_IMPORT_SYSTEMD_H
#define CORE_IMPORT_SYSTEMD_H

#include "core/import/ini.h"

/* One ExecStart= and the like. */
struct pdk_exec {
    struct pdk_exec *next;
    const char **words; /* with specifiers put in */
    size_t count;
    struct pdk_import_at at;
    bool ignore;     /* "-": a failure is none */
    bool own_name;   /* "@": the second word is argv[0] */
    bool no_env;     /* ":": no variables */
    bool privileged; /* "+", "!": not as User= */
    bool has_pid;    /* $MAINPID is our $PADDOCK_PID */
};

struct pdk_unit {
    struct pdk_unit *next;
    const char *name;     /* foo@bar.service */
    const char *stem;     /* foo@bar */
    const char *prefix;   /* foo */
    const char *instance; /* bar; NULL: none; "" of a template */
    const char *suffix;   /* .service */
    struct pdk_ini_line *lines, **last_line;
    struct pdk_import_at at;
    struct pdk_import_task *task, *pre, *post; /* of a service, and beside it; NULL: none */
    bool oneshot;
};

struct pdk_systemd {
    struct pdk_unit *units, **last;
};

/* The unit of that name among those given; NULL: none. */
struct pdk_unit *pdk_unit_find(const struct pdk_import *import, const char *name);

/* "KEY=VALUE: why", in the task of the unit if it has one. */
void pdk_unit_note(struct pdk_import *import, const struct pdk_unit *unit, const struct pdk_ini_line *line,
                   const char *why);

/* ---- systemd_text.c */

/* %i, %n and the like put in; *why is set when one is not known, which then stays as it is. */
const char *pdk_unit_expand(struct pdk_import *import, const struct pdk_unit *unit, const char *text, const char **why);

/* Words as systemd splits them: quotes, escapes of C. *ret is NULL-ended. -EINVAL: a quote is not closed, or too many. */
int32_t pdk_unit_split(struct pdk_import *import, const char *text, const char ***ret, size_t *ret_count);

/* "5min 20s" in ns; UINT64_MAX for infinity; a bare number has this unit. */
bool pdk_unit_span(const char *text, uint64_t unit, uint64_t *ret);

/* "512M" in bytes. */
bool pdk_unit_size(const char *text, uint64_t *ret);

/* ---- systemd_exec.c */

/* The commands of one line, put to the end of the list; "" empties it. has_pid: they are told the process to end. */
void pdk_exec_read(struct pdk_import *import, const struct pdk_unit *unit, const struct pdk_ini_line *line,
                   bool has_pid, struct pdk_exec **list);

/* Does it take a shell: for variables, several commands, or a failure that is none? */
bool pdk_exec_is_shell(const struct pdk_exec *list);

/* As a text for the shell: one by one, up to the first failure. lead: before the only one, "exec " or "". */
const char *pdk_exec_text(struct pdk_import *import, const struct pdk_exec *list, const char *lead);

/* The field becomes the command: a list where that is enough. list_only: a text is wrapped in [/bin/sh, -c, ..]. */
void pdk_exec_put(struct pdk_import *import, struct pdk_import_task *task, const char *path,
                  const struct pdk_exec *list, bool list_only);

/* kill -HUP $MAINPID, and nothing else: the name of the signal; NULL: it is something else. */
const char *pdk_exec_signal(const struct pdk_exec *list);

/* ---- systemd_service.c, systemd_timer.c */
void pdk_service_translate(struct pdk_import *import, struct pdk_unit *unit);
void pdk_timer_translate(struct pdk_import *import, struct pdk_unit *timer);

#endif
