/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/control.h - what a console may ask of the supervisor it lives in.
 *
 * Given only to instances the operator trusts with it (`allow: [control]`); NULL to all others. All [main].
 */
#ifndef PADDOCK_CONTROL_H
#define PADDOCK_CONTROL_H

#include "host.h"

PDK_BEGIN

/* state of a run */
enum {
    PDK_RUN_QUEUED = 0, /* for its slot, a permit, or the end of a pause */
    PDK_RUN_RUNNING = 1,
    PDK_RUN_WAITING = 2, /* for the next attempt */
    PDK_RUN_STOPPING = 3,
    PDK_RUN_ENDED = 4,
    PDK_RUN_STUCK = 5 /* its outcome is out, but it does not stop */
};

typedef struct pdk_run_info {
    uint32_t struct_size;
    int32_t state;
    pdk_run run;
    const char *run_id, *name, *kind, *slot, *runner;
    uint32_t attempts;
    int32_t end;                                 /* PDK_END_..., when ended */
    uint64_t submitted_ns, started_ns, ended_ns; /* Unix time; 0: not yet */
    double fraction;                             /* of progress, negative: unknown */
    const char *text;                            /* of progress, or of the outcome, or what it waits for */
    uint64_t seq;                                /* the number in run_id; rises with each submission */
    pdk_attempt attempt;                         /* the one that is on; 0: none is */
    uint64_t attempt_ns;                         /* when it was started, Unix time; 0: none is on */
    uint64_t next_ns;                            /* WAITING: when the next one starts, Unix time */
    uint32_t retries;                            /* of this streak of failures */
    int32_t ready;                               /* 1: the attempt that is on said so */
    int32_t paused;                              /* 1: no new attempt starts */
    int32_t reason;                              /* PDK_CANCEL_... when somebody asked for its end */
    int32_t status, category, exit_code, signal; /* of the last attempt that ended */
    const char *code;                            /* of the outcome, or of that attempt; "" if none */
} pdk_run_info;

/* Which runs. NULL members match all. */
typedef struct pdk_filter {
    uint32_t struct_size;
    uint32_t states; /* bits 1 << PDK_RUN_...; 0: all */
    pdk_run run;     /* this one alone; 0: all */
    pdk_run after;   /* list: those behind it, oldest first; 0: from the first */
    const char *name, *slot;
    uint32_t limit;     /* list: at most; 0: the host's limit */
    uint32_t events;    /* subscribe: bits 1 << PDK_EVENT_...; 0: all but output */
    const char *run_id; /* list */
    uint32_t newest;    /* list: 1: newest first, so that `after` goes on with older ones */
    uint32_t reserved;  /* 0 */
    uint64_t below;     /* list, newest first and instead of after: those whose seq is lower; 0: from the newest */
} pdk_filter;

/* kind of event */
enum {
    PDK_EVENT_ACCEPTED = 0,
    PDK_EVENT_REJECTED = 1,
    PDK_EVENT_STARTED = 2,  /* an attempt */
    PDK_EVENT_STOPPING = 3, /* cancel was called */
    PDK_EVENT_ENDED = 4,    /* an attempt */
    PDK_EVENT_WAITING = 5,  /* for the next attempt */
    PDK_EVENT_PROGRESS = 6,
    PDK_EVENT_OUTPUT = 7,
    PDK_EVENT_OUTCOME = 8,
    PDK_EVENT_HEALTH = 9,    /* of a plugin */
    PDK_EVENT_LOST = 10,     /* you were slow: `number` events are missing here */
    PDK_EVENT_STUCK = 11,    /* a run does not stop even when killed; its slot stays taken */
    PDK_EVENT_FREED = 12,    /* it has stopped after all; status 1: it was abandoned, and may still print */
    PDK_EVENT_PAUSED = 13,   /* status 1: no new attempt starts; 0: they may again */
    PDK_EVENT_READY = 14,    /* an attempt is up */
    PDK_EVENT_SHUTDOWN = 15, /* of the supervisor; text says how far it is */
    PDK_EVENT_UP = 16,       /* the program has begun its work; text says with what */
    PDK_EVENT_RELOADED = 17  /* the program has read its files again; text says what has changed */
};

/* Lives during the callback. Members that do not belong to the kind are 0, "" or NULL. */
typedef struct pdk_event {
    uint32_t struct_size;
    int32_t kind;
    uint64_t number; /* counts all events of this supervisor, without gaps; of LOST: how many */
    uint64_t unix_ns;
    pdk_run run;
    const char *run_id; /* or the instance, with HEALTH */
    uint32_t attempt;
    int32_t status;    /* PDK_SUCCESS... of an attempt, PDK_END_... of an outcome, PDK_UP... of health */
    uint64_t delay_ns; /* WAITING */
    double fraction;   /* PROGRESS */
    const char *text;
    const char *data; /* OUTPUT; may hold any bytes */
    size_t size;
    int32_t stream; /* OUTPUT: PDK_STDOUT, PDK_STDERR */
    uint32_t reserved;
    int32_t category; /* ENDED and OUTCOME: of the attempt's result, PDK_CAT_... */
    int32_t exit_code, signal;
    int32_t truncated;              /* OUTPUT: 1: no newline came here: it was cut, or the attempt ended */
    const char *code;               /* ENDED and OUTCOME: of the result, "" if none; REJECTED: why */
    const char *name, *runner;      /* of the task and of the instance */
    uint64_t duration_ns;           /* ENDED: of the attempt; OUTCOME: of the run; FREED: how late */
    int32_t reason;                 /* PDK_CANCEL_... when somebody asked for its end; 0: nobody */
    int32_t timed_out;              /* ENDED: 1: its time was up, whatever it said then */
    const char *trace_id, *span_id; /* in hex, of the attempt or the run; "" where none is known */
    const char *slot;
    const pdk_usage *usage; /* ENDED: what the attempt used; NULL: unknown */
} pdk_event;

#define PDK_CONTROL_1 "paddock.control/1"

typedef struct pdk_control pdk_control;
struct pdk_control {
    uint32_t struct_size, reserved;
    void *data; /* the host's */

    /* As a source would, but nobody is told the outcome: subscribe, or list. */
    int32_t (*submit)(const pdk_control *, const pdk_value *spec, pdk_run *ret, pdk_error *);

    /* Ask a run to end. why is kept with it. -ESTALE: it has ended. */
    int32_t (*cancel)(const pdk_control *, pdk_run, const char *why);
    int32_t (*force)(const pdk_control *, pdk_run, const char *why); /* as cancel, without grace */

    /* No new attempt starts until resume; a running one goes on, deadlines too. run 0: all runs. */
    int32_t (*pause)(const pdk_control *, pdk_run);
    int32_t (*resume)(const pdk_control *, pdk_run);

    /* Give the slot of a stuck run to the next; two may then run at once. -EBUSY: it is not stuck. */
    int32_t (*abandon)(const pdk_control *, pdk_run);

    /* Read its configuration again. -ENOTSUP: its runner cannot. */
    int32_t (*reload)(const pdk_control *, pdk_run);

    /* Call each for every run that matches, before this returns; stop early when it returns non-zero.
     * The filter's `after` continues where the last page ended. Returns how many, or negative. */
    int32_t (*list)(const pdk_control *, const pdk_filter *, int32_t (*each)(void *arg, const pdk_run_info *),
                    void *arg);

    /* Events from now on, each in its own call, never inside this one. A subscriber has a bounded queue
     * and hears of gaps by PDK_EVENT_LOST. unsubscribe: nothing more after it returns. */
    int32_t (*subscribe)(const pdk_control *, const pdk_filter *, void (*event)(void *arg, const pdk_event *),
                         void *arg, pdk_watch *ret);
    void (*unsubscribe)(const pdk_control *, pdk_watch);

    /* Everything else, as a value you own: "status", "plugins", "slots", "metrics" (what the first backend that can
     * prints, as a string), "spec" of a run (without secrets), "whole_spec" of a run (with them, to be submitted again),
     * "output" of a run (the end of it), "route" and "check" of a spec, and "selected" of a run, or of 0 to have it checked,
     * with {selector: "a=b,c!=d,e in (f,g),h,!i"} for spec: whether its labels match.
     * -ENOENT: no such subject, no such run, or no such backend. */
    int32_t (*inspect)(const pdk_control *, const char *subject, pdk_run, const pdk_value *spec, const pdk_value **ret,
                       pdk_error *);

    /* As pause and resume, for all runs of a slot, those that are to come too. */
    int32_t (*pause_slot)(const pdk_control *, const char *slot);
    int32_t (*resume_slot)(const pdk_control *, const char *slot);

    /* A run or an event as a map that you own, in the words of `paddock run --json`, so that whoever shows them says
     * the same. What they are given may be a copy. [any] */
    int32_t (*describe_run)(const pdk_control *, const pdk_run_info *, const pdk_value **ret);
    int32_t (*describe_event)(const pdk_control *, const pdk_event *, const pdk_value **ret);

    /* What another plugin offers by this id (its get_extension), the first in order; NULL: none does. Lives as long as
     * that instance: it outlives yours when it is configured before it. */
    const void *(*find)(const pdk_control *, const char *id);

    /*
     * Ask the program around the supervisor; -ENOTSUP: it has no such verb, or is none that can be asked. Nothing of
     * this waits: what is begun goes on when it returns. ret may be NULL; else a value that you own, NULL without one.
     * `paddock serve` knows:
     *
     *   verb      params                               answer
     *   reload    {}: read the files again, all or     {added, changed, removed, restart: lists of names, unchanged: a
     *             nothing                              number}; restart: what only a restart of the program changes.
     *                                                  -EINVAL: err is the first fault, nothing has changed
     *   shutdown  {}: as on TERM; again: harder        {waiting: how many runs have not ended}
     *   submit    {task, ...}: a declared task, with   {run: the pdk_run, as a number}; as `submit` above
     *             what is to differ; or a whole spec
     *   start     {task}: a declared one, as a reload  {}; -ENOENT: no such task, -EALREADY: it is on
     *   stop      {task}   starts, stops, restarts it  {}; -EALREADY: it is not on
     *   restart   {task}                               {}
     *
     * And inspect answers with it: "tasks", a list of {task, kind, description, manual, place, replicas, labels}, and
     * "server", {started_at, pid, version, files: [...], state: a folder, socket, mode, group: of the control socket that
     * is wanted, sockets: [{name, fd}] that we were started with, reloads, reloaded_at}. The fds are the program's: dup
     * what you keep. [main]
     */
    int32_t (*command)(const pdk_control *, const char *verb, const pdk_value *params, const pdk_value **ret,
                       pdk_error *);

    /* What attempts write, all of it, as it comes: events of PDK_EVENT_OUTPUT with any piece of it as data, newlines and
     * all, and a number of 0. Where some is lost, data is NULL and size says how much. No queue stands between, so nothing
     * is lost here and nobody waits: copy it and return; call nothing but what [any] thread may. What an attempt wrote has
     * come before the event of its end. Until unsubscribe. */
    int32_t (*tap)(const pdk_control *, void (*output)(void *arg, const pdk_event *), void *arg, pdk_watch *ret);

    /* What describe_run and describe_event say, as JSON without blanks, written in pieces before this returns: the same
     * members in the same order, for who writes many of them. -EINVAL: no such kind; nothing was written. [any] */
    int32_t (*print_run)(const pdk_control *, const pdk_run_info *, pdk_write write, void *arg);
    int32_t (*print_event)(const pdk_control *, const pdk_event *, pdk_write write, void *arg);
};

PDK_END
#endif
