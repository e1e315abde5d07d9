/* SPDX-License-Identifier: Apache-2.0 */
/* What the layers above may use of the supervisor beside paddock/supervisor.h. */
#ifndef CORE_SUPERVISE_SUPERVISOR_H
#define CORE_SUPERVISE_SUPERVISOR_H

#include "core/plugin/router.h"
#include "paddock/supervisor.h"

/* As pdk_supervisor_submit, for a task that was read already; takes a reference of its own. Faults go to the
 * report (may be NULL). */
int32_t pdk_supervisor_submit_task(pdk_supervisor *supervisor, struct pdk_task *task, const pdk_submit_options *options,
                                   struct pdk_report *report, pdk_run *ret);

pdk_router *pdk_supervisor_router(pdk_supervisor *supervisor);
const pdk_loop *pdk_supervisor_loop(pdk_supervisor *supervisor);
const pdk_pool *pdk_supervisor_pool(pdk_supervisor *supervisor);
const pdk_process *pdk_supervisor_process(pdk_supervisor *supervisor);

/* The program around the supervisor, as consoles ask it: control->inspect of a subject that is not ours, and
 * control->command. Each writes its answer, one value, and gives 0; or -ENOENT and -ENOTSUP for what it does not know, or
 * another negative errno with err set. Never called from inside a turn of its own making. [main] */
struct pdk_program_ops {
    int32_t (*inspect)(void *arg, const char *subject, const pdk_value *given, pdk_writer *w, pdk_error *err);
    int32_t (*command)(void *arg, const char *verb, const pdk_value *params, pdk_writer *w, pdk_error *err);
};

/* One, for as long as the supervisor lives; ops and arg live that long. */
void pdk_supervisor_program(pdk_supervisor *supervisor, const struct pdk_program_ops *ops, void *arg);

/* Number runs from first on, where others had lower numbers before us. When one gets a number that was not foreseen, number
 * says up to which it shall not be asked again; it must not call back. Before the first run. [main] */
void pdk_supervisor_number(pdk_supervisor *supervisor, uint64_t first, uint64_t (*number)(void *arg, uint64_t seq),
                           void *arg);
uint64_t pdk_supervisor_next_number(const pdk_supervisor *supervisor);

/* An event of the program itself: PDK_EVENT_UP or _RELOADED, with text. [main] */
void pdk_supervisor_announce(pdk_supervisor *supervisor, int32_t kind, const char *text);

/* A plugin that was started and has not said yet how it is, or a source that is to be started; NULL: all have. [main] */
const char *pdk_supervisor_awaited(const pdk_supervisor *supervisor);

/* Reap children that nobody waits for and that are none of ours, as far as PDK_SUPERVISOR_OWNS_PROCESS made us adopt them.
 * One that somebody in this process may wait for has a second for it. [main] */
void pdk_supervisor_reap(pdk_supervisor *supervisor);

/* Runs and sources that keep a shutdown waiting, or did not stop: "web-12 (runner subprocess, attempt 3)". */
void pdk_supervisor_pending(pdk_supervisor *supervisor, void (*each)(void *arg, const char *text), void *arg);

/* The attempt that is on has failed by our own judgement: it is cancelled like one that ran out of time, and counts as
 * failed with this code, whatever it says. -ESTALE: no attempt is on. [main] */
int32_t pdk_supervisor_fail_attempt(pdk_supervisor *supervisor, pdk_run run, const char *code, const char *text);

/* What a source may have run: nothing else. Lives, with all it points to, as long as the supervisor. */
struct pdk_grant {
    struct pdk_task *const *tasks; /* declared ones, NULL-ended; never NULL */
    const char *const *kinds;      /* that a spec may name itself, NULL-ended; never NULL */
    const pdk_value *defaults;     /* of such specs; NULL: none */
};

/* What the operator allows an instance, and how much of it. Before the instance is entered, or later. */
struct pdk_instance_limits {
    uint32_t running;              /* attempts of this runner at once; 0: no limit of its own */
    uint32_t pending;              /* deliveries of this source accepted and not settled; 0: 1000 */
    bool control;                  /* it may have PDK_CONTROL_1 */
    const struct pdk_grant *grant; /* of this source; NULL: whatever it likes, for embedders who check it themselves */
};
int32_t pdk_supervisor_limit(pdk_supervisor *supervisor, const char *instance,
                             const struct pdk_instance_limits *limits);

/* A plugin whose code is in another process. kill ends that process, and pdk_supervisor_instance_gone follows.
 * forgotten: that was carried out, and the tasks that are left are nobody's any more: destroy is not called for them, so
 * free what you have of them here. NULL is fine. Both are called from within a turn. */
struct pdk_hosted_ops {
    void (*kill)(void *arg);
    void (*forgotten)(void *arg);
};
void pdk_supervisor_instance_hosted(pdk_supervisor *supervisor, struct pdk_instance *instance,
                                    const struct pdk_hosted_ops *ops, void *arg);

/* The process of an instance has died and is reaped: all its attempts are over, its tasks are gone and will be built
 * again, its deliveries have no one to be told. why: a line for people, copied; NULL: none. A runner's instance goes on: it
 * says PDK_UP when it has a process again. [main] */
void pdk_supervisor_instance_gone(pdk_supervisor *supervisor, struct pdk_instance *instance, const char *why);

/* What a report says as one error: its first fault in order of place. Frees it, and returns code. err may be NULL. */
int32_t pdk_report_error(struct pdk_report *report, int32_t code, pdk_error *err);

#endif
