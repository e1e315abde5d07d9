/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/supervisor.h - the whole of Paddock in your program. Link with pkg-config paddock.
 *
 *     create -> add, load -> start -> submit, cancel, ... -> shutdown -> stopped -> destroy
 *
 * All calls [main]: the thread that runs the loop. Several supervisors may live in one process. Your children,
 * signals, threads and stdout are left alone; the supervisor waits for children of its own only.
 *
 * Its loop is one of its own (a thread calls pdk_supervisor_run), a libev loop of yours (ev_loop), or any other of which
 * you fill in the table (loop); examples/embed_supervisor has each. Who ignores SIGCHLD, or reaps all children with
 * waitpid(-1), takes the ends of ours away, and their attempts fail. libev's default loop does: with that one in the
 * process, have the supervisor live in it.
 */
#ifndef PADDOCK_SUPERVISOR_H
#define PADDOCK_SUPERVISOR_H

#include "control.h"
#include "library.h"
#include "loop.h"
#include "process.h"
#include "router.h"

PDK_BEGIN

typedef struct pdk_supervisor pdk_supervisor;

/* flags of pdk_supervisor_options: the process is all ours, so its own process service may adopt orphans. */
enum { PDK_SUPERVISOR_OWNS_PROCESS = 1 };

/* Zero means the default that is named; what is beyond the bounds in brackets is brought within. Times in ns. */
typedef struct pdk_supervisor_options {
    uint32_t struct_size;
    uint32_t flags;             /* PDK_SUPERVISOR_... */
    const pdk_loop *loop;       /* yours; NULL: one of its own, run by pdk_supervisor_run */
    const pdk_pool *pool;       /* NULL: one of its own */
    const pdk_process *process; /* NULL: one of its own */
    void (*log)(void *arg, int32_t level, const char *part, const char *run_id,
                const char *text); /* [any]; NULL: silent */
    void (*stopped)(
        void *arg);      /* once, after a shutdown: it may be destroyed now; not from inside. NULL: ask stopped */
    void *arg;           /* of log and stopped */
    uint32_t running;    /* attempts at once; 0: unlimited */
    uint32_t accepted;   /* runs accepted and not ended; beyond: -EAGAIN. 0: 100000 [1, 10 million] */
    uint32_t slot_queue; /* runs that wait for one slot. 0: 100; UINT32_MAX: none may */
    uint32_t history;    /* ended runs remembered. 0: 1000; UINT32_MAX: none [1 million] */
    uint32_t events;     /* per listener. 0: 1024 [2, 1 million] */
    uint32_t line;       /* bytes of a line of output before it is cut. 0: 16384 [256, 1 MiB] */
    uint64_t drain, grace, flush; /* of the shutdown. 0: 0, 30 s, 5 s; UINT64_MAX for grace and flush: none */
    uint64_t seed;                /* of the jitter and of the ids of traces: for tests. 0: random */
    const char *name, *version;   /* of your program, as plugins see it; NULL: "paddock" and its version */
    uint64_t history_age;         /* ended runs older than that are forgotten. 0: 24 h; UINT64_MAX: at no age */
    void *ev_loop; /* a struct ev_loop of yours to live in, which you run; of the libev that we link. Instead of loop */
} pdk_supervisor_options;

/* Told once, when the run has ended or is given up as lost; never from inside submit. The outcome, and all it points
 * to, is yours during the call. arg lives until then. */
typedef void (*pdk_settled)(void *arg, pdk_run run, const pdk_outcome *outcome);

typedef struct pdk_submit_options {
    uint32_t struct_size, reserved;
    pdk_settled settled; /* NULL: nobody is told */
    void *arg;
    const char *trace;       /* W3C traceparent; NULL: none */
    uint64_t deadline_ns;    /* on the loop's clock; 0: none */
    const char *trace_state; /* W3C tracestate, with trace only; NULL: none */
} pdk_submit_options;

PDK_API int32_t pdk_supervisor_create(const pdk_supervisor_options *options, pdk_supervisor **ret, pdk_error *err);

/* As of the router: order counts. Before start, or later. Metrics backends first: who asks for a series before
 * there is a backend records nothing. */
PDK_API int32_t pdk_supervisor_add(pdk_supervisor *supervisor, const pdk_plugin *plugin, const pdk_router_entry *entry,
                                   pdk_error *err);
PDK_API int32_t pdk_supervisor_load(pdk_supervisor *supervisor, const char *path, const pdk_router_entry *entry,
                                    pdk_error *err);

/* flags of pdk_isolated_options: as long as nothing is started, have a process of the plugin say whether its config and
 * each spec are good, and whether the limits can be had; the calls wait for it. Else its log and health say so later. */
enum { PDK_ISOLATED_ASK = 1 };

typedef struct pdk_isolated_options {
    uint32_t struct_size;
    uint32_t flags;             /* PDK_ISOLATED_... */
    const char *program;        /* paddock-host, a path; NULL: where it was to be installed with this library */
    const pdk_value *isolation; /* as `isolation` of an entry in YAML, "process" or a map: resources, rlimits, user,
                                   seccomp, ping; "none" loads it into this process. NULL: a process without limits.
                                   Yours, during the call */
} pdk_isolated_options;

/* As load, into a process of its own: a crash, a hang or a limit there costs the attempts it had, which fail with the code
 * plugin_gone, and it comes back. That process is a child of the supervisor's process service, ends with this one, and is
 * the only thing that runs code of the plugin but for its constructors. Runners alone: -ENOTSUP for a source, a metrics
 * backend or who needs control/1. -ENOENT, -EACCES: no such program. options may be NULL. May block: user names are
 * looked up. */
PDK_API int32_t pdk_supervisor_load_isolated(pdk_supervisor *supervisor, const char *path,
                                             const pdk_router_entry *entry, const pdk_isolated_options *options,
                                             pdk_error *err);

/* Starts the instances. Those that fail are reported by log and health; their runs wait. */
PDK_API int32_t pdk_supervisor_start(pdk_supervisor *supervisor, pdk_error *err);

/* A spec as in YAML, with `name`. 0: accepted, one outcome will come. -EAGAIN: too many; -EINVAL, -ENOENT: err
 * says what and where; -ESHUTDOWN. options may be NULL. */
PDK_API int32_t pdk_supervisor_submit(pdk_supervisor *supervisor, const pdk_value *spec,
                                      const pdk_submit_options *options, pdk_run *ret, pdk_error *err);

/* cancel, force, pause, resume, abandon, list, subscribe, inspect: as plugins have them. Lives as long as the supervisor. */
PDK_API const pdk_control *pdk_supervisor_control(pdk_supervisor *supervisor);

/* Begin to stop: nothing new starts, what waits is handed back, what runs may finish for as long as `drain` says and
 * is then asked to end, within `grace`. Again: harder, up to killing at once. */
PDK_API int32_t pdk_supervisor_shutdown(pdk_supervisor *supervisor);

/* 1: stopped; 0: not yet. *ret_stuck, if not NULL: how many runs and sources did not stop. */
PDK_API int32_t pdk_supervisor_stopped(const pdk_supervisor *supervisor, uint32_t *ret_stuck);

/* Its own loop: run until stopped. -ENOTSUP with a loop of yours. */
PDK_API int32_t pdk_supervisor_run(pdk_supervisor *supervisor);

/* After stopped, or before start; else it kills what is left, without outcomes, and leaves to leak what runs in this
 * very process. Not from inside of a callback. A last call of ours may still be waiting in a loop of yours: let it run,
 * it only frees itself. NULL is fine. */
PDK_API void pdk_supervisor_destroy(pdk_supervisor *supervisor);

PDK_END
#endif
