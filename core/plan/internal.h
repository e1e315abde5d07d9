/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this layer share. */
#ifndef CORE_PLAN_INTERNAL_H
#define CORE_PLAN_INTERNAL_H

#include "core/base/table.h"
#include "core/plan/plan.h"

/* `to` waits for `from`. Counted per task, so replicas do not multiply it. */
struct pdk_edge {
    struct pdk_group *from, *to;
    struct pdk_edge *next_out, *next_in;
    bool need; /* else after */
    bool met;  /* then nobody looks at `from` any more: it may be gone */
};

enum pdk_group_fate { PDK_FATE_OPEN, PDK_FATE_GO, PDK_FATE_NEVER, PDK_FATE_DONE };

/* A task of the file with all its replicas: what others name. */
struct pdk_group {
    struct pdk_task *task;
    uint32_t count, open;          /* open: items without an end */
    uint32_t unready, unsucceeded; /* items that have not been up, have not succeeded */
    uint32_t blockers;             /* incoming edges not met */
    enum pdk_group_fate fate;
    bool leaving;                   /* no longer wanted: when its items have ended, it is no more */
    struct pdk_group *next;         /* in the queue of those whose fate is known */
    const struct pdk_item *because; /* of NEVER */
    struct pdk_edge *in, *out;
    struct pdk_group *kept; /* of one that is wanted: the one that is at work already and stays; NULL: it is new */
    bool doomed, anew;      /* of one at work, while a change is made: it will leave; for another of its name */
    struct pdk_item items[];
};

struct pdk_plan {
    struct pdk_plan_options options;
    struct pdk_arena arena;    /* of the edges */
    struct pdk_group **groups; /* those selected, in the order of the file; behind them those that leave */
    struct pdk_item **items;
    uint32_t group_count, item_count, open; /* open: items without an end */
    uint32_t leaving;                       /* groups that do */
    struct pdk_table runs;                  /* by the bytes of pdk_run */
    struct pdk_table traced;                /* those that belong to a trace, by run_id */
    struct pdk_group *queue, **queue_tail;
    pdk_call pump;
    pdk_watch events;
    bool stopping, finished;
    struct pdk_log_file *logs; /* a list */
    const pdk_loop *loop;
};

/* graph.c: who may go. Pure. */
int32_t pdk_graph_link(struct pdk_plan *plan);
void pdk_graph_queue(struct pdk_plan *plan, struct pdk_group *group, enum pdk_group_fate fate);
void pdk_graph_begin(struct pdk_plan *plan);
void pdk_graph_ready(struct pdk_plan *plan, struct pdk_item *item);
void pdk_graph_ended(struct pdk_plan *plan, struct pdk_item *item);
void pdk_graph_adopt(struct pdk_plan *plan, struct pdk_plan *wanted);
void pdk_graph_unqueue(struct pdk_plan *plan, struct pdk_group *group);

/* The next group whose fate is known, taken out of the queue; NULL: none. */
struct pdk_group *pdk_graph_take(struct pdk_plan *plan);

/* select.c */
void pdk_group_free(struct pdk_group *group); /* NULL is fine */

/* change.c: let go of groups that left, as far as nothing of theirs is on the way. */
void pdk_change_sweep(struct pdk_plan *plan);

/* follow.c: from events to items. */
void pdk_follow_begin(struct pdk_item *item); /* with all its texts empty */
void pdk_follow_free(struct pdk_item *item);
int32_t pdk_follow_start(struct pdk_plan *plan, pdk_error *err);
void pdk_follow_settled(void *arg, pdk_run run, const pdk_outcome *outcome);
void pdk_follow_ready(struct pdk_item *item);
void pdk_follow_reject(struct pdk_item *item, const char *reason, const char *message);
void pdk_follow_withdraw(struct pdk_item *item, const char *message); /* it was never submitted, and need not be */
void pdk_follow_plan_event(const struct pdk_item *item, int32_t kind, const char *text);

/* plan.c */
void pdk_plan_check_end(struct pdk_plan *plan);
void pdk_plan_item_ended(struct pdk_item *item);
void pdk_plan_tell_waiting(const struct pdk_item *item); /* if it does */
void pdk_plan_poke(struct pdk_plan *plan);               /* there may be work */
int32_t pdk_item_prepare(struct pdk_item *item, struct pdk_plan *plan, pdk_error *err);
void pdk_plan_warn(struct pdk_plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* probe.c: is it up? */
int32_t pdk_probe_create(struct pdk_item *item, pdk_error *err);
void pdk_probe_begin(struct pdk_item *item);
void pdk_probe_end(struct pdk_item *item);
void pdk_probe_line(struct pdk_item *item, const char *data, size_t size);
bool pdk_probe_idle(const struct pdk_probe *probe); /* nothing of it is on the way; NULL is */
void pdk_probe_free(struct pdk_probe *probe);

/* logfile.c: bytes to a file, by the pool. */
int32_t pdk_log_file_get(struct pdk_plan *plan, const char *path, uint64_t max_size, uint32_t keep,
                         struct pdk_log_file **ret);
void pdk_log_file_add(struct pdk_log_file *log, const char *data, size_t size, bool newline);
void pdk_log_file_drop(struct pdk_log_file *log); /* one that got it needs it no more; NULL is fine */
void pdk_log_files_reopen(struct pdk_plan *plan); /* each before the next that is written to it */
bool pdk_log_files_idle(const struct pdk_plan *plan);
void pdk_log_files_free(struct pdk_plan *plan);

#endif
