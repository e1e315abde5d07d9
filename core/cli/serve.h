/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock serve: verb_serve.c leads it; each serve_*.c has one subject: what it tells the service manager, the sockets that
 * it was started with, its state, reading its files again, what a console asks it.
 */
#ifndef CORE_CLI_SERVE_H
#define CORE_CLI_SERVE_H

#include "core/cli/run.h"

struct pdk_notify;

/* A socket that whoever started us has opened. */
struct pdk_given_socket {
    int fd; /* closed on exec */
    char name[256];
};

struct pdk_serve {
    struct pdk_session *session;
    struct pdk_setup *setup; /* in force: the session's, or that of the last reload */
    struct pdk_notify *notify;
    struct pdk_given_socket *sockets;
    size_t socket_count;
    const char *state;          /* the folder; NULL: there is none */
    const char *socket;         /* where a console listens, unless it was given one; NULL: nowhere */
    int state_lock;             /* -1: none */
    int numbers;                /* the file that says which number the next run gets; -1: none */
    pdk_watch reaper, patience; /* patience: the time that plugins have to say how they are */
    bool pid_written, ready;
    uint64_t started_at, reloaded_at; /* Unix time; reloaded_at 0: not yet */
    uint32_t reloads;
    char **asked; /* names of tasks that somebody started and has not stopped; NULL-ended, or NULL */
    size_t asked_count;
    struct pdk_arena arena;
};

/* ---- serve_notify.c: sd_notify, and the watchdog. All do nothing where nobody listens. */
int32_t pdk_notify_create(struct pdk_session *session, struct pdk_notify **ret); /* takes the variables away, too */
void pdk_notify_say(struct pdk_notify *notify, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pdk_notify_reloading(struct pdk_notify *notify);
void pdk_notify_stopping(struct pdk_notify *notify, uint64_t within); /* it takes at most that long, ns */
void pdk_notify_free(struct pdk_notify *notify);                      /* NULL is fine */

/* ---- serve_sockets.c: LISTEN_FDS. 0 or an exit code after the error was told. */
int pdk_serve_take_sockets(struct pdk_serve *serve);
void pdk_serve_close_sockets(struct pdk_serve *serve);

/* ---- serve_state.c. Those that give an int: 0, or an exit code after the error was told. */
int pdk_serve_open_state(struct pdk_serve *serve); /* the folder, ours alone; $STATE_DIRECTORY names it from then on */
int pdk_serve_choose_socket(struct pdk_serve *serve);
int pdk_serve_write_pid(struct pdk_serve *serve);   /* --pid-file */
int pdk_serve_check_ready(struct pdk_serve *serve); /* --ready-fd: can it be written? */
void pdk_serve_tell_ready(struct pdk_serve *serve);
void pdk_serve_close_state(struct pdk_serve *serve);

/* ---- serve_trust.c: files that others could have written are faults of the report. -ENOMEM. */
int32_t pdk_serve_check_trust(struct pdk_setup *setup);

/* ---- serve_reload.c. w: where what has changed is written as a map; NULL: only said. -EINVAL: nothing has changed, err is
 * the first fault; all are said. */
int32_t pdk_serve_reload(struct pdk_serve *serve, pdk_writer *w, pdk_error *err);
/* The same files with the same tasks, but one that begins anew (restart), or a manual one that was not wanted (start). */
int32_t pdk_serve_begin_anew(struct pdk_serve *serve, const char *task, pdk_error *err);
int32_t pdk_serve_select(struct pdk_serve *serve, struct pdk_setup *setup, struct pdk_plan **ret, pdk_error *err);

/* ---- serve_control.c */
void pdk_serve_forget_asked(struct pdk_serve *serve);
extern const struct pdk_program_ops pdk_serve_ops; /* arg: the struct pdk_serve */
void pdk_serve_shutdown(struct pdk_serve *serve, int signal);

#endif
