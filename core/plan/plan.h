/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in front of the supervisor: the tasks of a file become runs. Selection, replicas, the order that needs
 * and after ask for, readiness, log files, and one outcome for each. All [main].
 *
 *     select -> create -> start -> ... finished -> free
 *
 * Free a plan last: after the supervisor, the process service and the pool are gone. Its checks and its log files
 * may have a child or a job on the way until then.
 */
#ifndef CORE_PLAN_PLAN_H
#define CORE_PLAN_PLAN_H

#include "core/config/config.h"
#include "core/supervise/supervisor.h"

/* Items in one plan; a file of many tasks with many replicas each is refused beyond. */
#define PDK_PLAN_LIMIT 100000u

enum pdk_item_state {
    PDK_ITEM_WAITING,  /* for what it needs */
    PDK_ITEM_QUEUED,   /* for its slot or a permit */
    PDK_ITEM_STARTING, /* between two attempts */
    PDK_ITEM_RUNNING,
    PDK_ITEM_BACKOFF,
    PDK_ITEM_STOPPING,
    PDK_ITEM_ENDED
};

/* "waiting", "queued", ... as spec.md section 5 has them. */
const char *pdk_item_state_name(enum pdk_item_state state);

struct pdk_group;
struct pdk_probe;
struct pdk_log_file;

/* A run to be: a task, or one of its replicas. */
struct pdk_item {
    struct pdk_task *task;
    const char *name; /* NAME, or NAME.n */
    struct pdk_group *group;
    uint32_t index; /* in the order of the plan */

    enum pdk_item_state state;
    bool ready;     /* the attempt that runs is up */
    bool was_ready; /* one of its attempts was */
    uint32_t attempt;
    uint64_t since;      /* when state or attempt changed; on the loop's clock */
    uint64_t again;      /* when back-off ends */
    double fraction;     /* of progress; negative: unknown */
    const char *text;    /* of progress; of all these texts, "": none */
    const char *last;    /* how the last attempt ended, in words */
    int32_t last_status; /* and as PDK_SUCCESS ... */
    bool timed_out;      /* the attempt that runs, or the last one, ran out of time */

    bool asked;                                    /* to end, by a change of the plan */
    bool settled;                                  /* the supervisor has told the outcome */
    bool heard;                                    /* and its events have all been seen */
    pdk_event *kept;                               /* the last of them, if it came before the outcome */
    int32_t end;                                   /* PDK_END_..., when ENDED */
    int32_t category, exit_code, signal, canceled; /* of the last result; canceled: PDK_CANCEL_..., who asked */
    uint32_t attempts;
    uint64_t duration;  /* from the first start to the end, ns */
    const char *reason; /* "slot_busy", "needs_failed", "HTTP_503" */
    const char *message;

    pdk_run run; /* 0: not submitted */
    const char *run_id, *runner;
    const char *trace_id, *span_id; /* of the newest event, in hex */
    struct pdk_probe *probe;        /* NULL: needs none */
    struct pdk_log_file *log[2];    /* of stdout and stderr; NULL: the listener hears it */
    struct pdk_plan *plan;
};

enum { PDK_PLAN_WAITS = 64 }; /* an event of the plan's own: this item waits, and text says for what */

enum pdk_stop_on { PDK_STOP_ON_FAILURE, PDK_STOP_ON_EXIT, PDK_STOP_ON_NEVER };

struct pdk_selection {
    const char *const *names;            /* NULL-ended; NULL or empty: all that are not manual */
    const struct pdk_selector *selector; /* of -l: tasks with these labels, manual ones too; NULL: none */
    bool only;                           /* not what they need: that counts as there */
    const char *const *also;             /* NULL-ended; these too, those that are not there are passed over; or NULL */
};

struct pdk_plan_options {
    pdk_supervisor *supervisor;
    enum pdk_stop_on stop_on;
    const char *exit_with;           /* a task: when it ends, all ends; NULL: none */
    const char *trace, *trace_state; /* all runs belong to it: W3C traceparent and tracestate; NULL: none */
    bool stays;                      /* it goes on when all have ended, until stop: more may come by a change */

    /* Something happened to an item; NULL: to a plugin, to nobody, or to a run that others submitted. The item shows what
     * is so after it. */
    void (*event)(void *arg, const struct pdk_item *item, const pdk_event *event);
    /* What it printed, unless that goes to its log files; item NULL: the run of others. */
    void (*output)(void *arg, const struct pdk_item *item, const pdk_event *event);
    /* A line for the operator. */
    void (*warn)(void *arg, const char *text);
    /* Once: every item has its outcome, and the log files are written. The supervisor may have stopped before, so
     * keep its loop running until both have happened. */
    void (*finished)(void *arg);
    void *arg;
};

struct pdk_plan;

/* Choose from a configuration. -ENOENT: no task of that name, or none matches; err says it. */
int32_t pdk_plan_select(const struct pdk_config *config, const struct pdk_selection *selection, struct pdk_plan **ret,
                        pdk_error *err);

/* The items, in the order of the file; NULL at the end. */
struct pdk_item *pdk_plan_item(const struct pdk_plan *plan, size_t i);

/* The item of a run that belongs to a trace; NULL: there is none. */
const struct pdk_item *pdk_plan_find_traced(const struct pdk_plan *plan, const char *run_id);

/* Begin. The supervisor must have been started. */
int32_t pdk_plan_start(struct pdk_plan *plan, const struct pdk_plan_options *options, pdk_error *err);

/* End all: what has not been submitted is rejected (shutting_down), the supervisor is shut down.
 * Once; who wants more asks the supervisor. */
void pdk_plan_stop(struct pdk_plan *plan);

/*
 * From what is wanted now to a plan at work: pdk_plan_select made it of the new configuration; it is taken over, and
 * freed in every case. Tasks that say the same stay as they are, running or not; but one that was rejected because of a
 * task that goes or begins anew is wanted again. Others are stopped, by their `stop` and within their grace, and in the
 * place of those that are still wanted new ones start when they have stopped. All, or with an error nothing.
 * again: of this name, begin anew though it says the same; NULL: none. `finished` and `stop` count all of them.
 */
int32_t pdk_plan_change(struct pdk_plan *plan, struct pdk_plan *wanted, const char *again, pdk_error *err);

/* Stop a task, all its replicas; it stays in the plan, ended. -ENOENT: there is none of that name, -EALREADY: it has. */
int32_t pdk_plan_stop_task(struct pdk_plan *plan, const char *name);

/* Is there a task of this name at work, whatever has become of it? -1: none; else how many of its replicas have not ended. */
int32_t pdk_plan_task_open(const struct pdk_plan *plan, const char *name);

/* Open the log files of tasks anew, as those who turned them over themselves expect. */
void pdk_plan_reopen_logs(struct pdk_plan *plan);

/* Is it being taken out, or in the place of one that was? */
bool pdk_item_leaves(const struct pdk_item *item);

/* "needs build, test; after db". Returns buf. */
const char *pdk_item_waits_for(const struct pdk_item *item, char *buf, size_t size);

void pdk_plan_free(struct pdk_plan *plan); /* NULL is fine */

#endif
