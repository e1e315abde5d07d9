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

/* Runs and sources that keep a shutdown waiting, or did not stop: "web-12 (runner subprocess, attempt 3)". */
void pdk_supervisor_pending(pdk_supervisor *supervisor, void (*each)(void *arg, const char *text), void *arg);

#endif
