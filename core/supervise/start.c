/* SPDX-License-Identifier: Apache-2.0 */
/* An attempt begins. */
#include <errno.h>
#include <stdio.h>

#include "core/supervise/internal.h"

/* Built again, because the process it was in has died. */
static int32_t rebuild(struct pdk_record *run, pdk_error *err) {
    struct pdk_instance *instance = run->member->instance;
    void *task = NULL;
    int32_t rc = instance->plugin->runner->build_task(instance->self, run->view, &task, err);
    if (rc == 0) {
        run->task = task;
        run->built = true;
        return 0;
    }
    return rc == -ENOMEM ? rc : -EINVAL; /* what cannot be built any more never can */
}

static uint64_t attempt_deadline(const struct pdk_record *run) {
    uint64_t limit = run->view->timeout_ns ? pdk_time_add(run->began, run->view->timeout_ns) : 0;
    if (!limit || (run->deadline && run->deadline < limit)) return run->deadline;
    return limit;
}

static int32_t call_start(struct pdk_record *run, pdk_error *err) {
    int32_t rc = run->built ? 0 : rebuild(run, err);
    if (rc < 0) return rc;
    pdk_start start = {(uint32_t)sizeof start,
                       run->past.attempts,
                       pdk_cell_handle(run->cell),
                       run->run_id,
                       attempt_deadline(run),
                       "",
                       ""};
    if (run->trace) {
        start.trace = pdk_trace_of_attempt(run->trace);
        start.trace_state = run->trace->state;
    }
    rc = run->ops->start(run->task, &start, err);
    if (rc <= 0) return rc;
    pdk_member_misbehaves(run->member, "start of %s/%u gave %d, neither 0 nor a negative errno", pdk_record_short(run),
                          run->past.attempts, rc);
    return -EIO;
}

/* Nothing was begun, so a done that was made on the way is stale. */
static void start_failed(struct pdk_supervisor *s, struct pdk_record *run, int32_t error, pdk_error *err) {
    struct pdk_cell *cell = run->cell;
    if (cell && pdk_cell_close(s, cell)) {
        pdk_said_free(&cell->posted);
        pdk_member_misbehaves(run->member, "done for %s/%u, whose start failed", pdk_record_short(run),
                              run->past.attempts);
    }
    if (cell) {
        pdk_news_of(s, cell, true);
        run->cell = NULL;
        pdk_cell_release(s, cell);
    }
    err->message[sizeof err->message - 1] = '\0';
    pdk_said_error(&run->last, error, err);
    pdk_apply(s, run, PDK_INPUT_START_ERR, 0, NULL);
}

void pdk_act_start(struct pdk_supervisor *s, struct pdk_record *run) {
    pdk_error err;
    pdk_error_clear(&err);
    pdk_ready_remove(s, run);
    pdk_permit_take(s, run);
    pdk_record_state(s, run, PDK_STATE_STARTING);
    run->past.attempts++;
    run->timed_out = run->ready = false;
    run->began = s->now;
    if (!run->started) {
        run->started = s->now;
        run->started_unix = pdk_unix_of(s, s->now);
    }
    pdk_ring_push(&run->past.starts, s->now);
    pdk_meter_add(run->member->meter.started, 1);
    if (run->trace) pdk_trace_attempt(s, run->trace);
    run->cell = pdk_cell_open(s, run);
    int32_t rc = run->cell ? call_start(run, &err) : -ENOMEM;
    if (rc < 0) {
        start_failed(s, run, rc, &err);
    } else {
        pdk_apply(s, run, PDK_INPUT_START_OK, 0, NULL);
    }
}

void pdk_act_on(struct pdk_supervisor *s, struct pdk_record *run) {
    uint64_t timeout = run->view->timeout_ns;
    pdk_record_state(s, run, PDK_STATE_RUNNING);
    run->phase.kind = PDK_INPUT_T_ATTEMPT;
    if (timeout) pdk_timer_start(&s->timers, &run->phase, pdk_time_add(run->began, timeout), run->seq * 2);
    if (pdk_event_needed(s, PDK_EVENT_STARTED))
        pdk_emit(s, run, &(struct pdk_event_args){.kind = PDK_EVENT_STARTED}, "attempt %u", run->past.attempts);
    pdk_tell_source(s, run);
}
