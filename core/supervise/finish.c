/* SPDX-License-Identifier: Apache-2.0 */
/* An attempt ends, and with it the run, or not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/supervise/internal.h"

bool pdk_take_up(struct pdk_supervisor *s, struct pdk_record *run) {
    struct pdk_cell *cell = run->cell;
    bool said = pdk_cell_close(s, cell);
    if (said) pdk_said_move(&run->last, &cell->posted);
    pdk_news_of(s, cell, true);
    run->cell = NULL;
    pdk_cell_release(s, cell);
    return said;
}

/* What the attempt counts as. Who ran out of time did, whatever was said after. */
static int32_t status_of(const struct pdk_record *run) {
    return run->timed_out ? PDK_FAILURE : run->last.result.status;
}

static void count_usage(const struct pdk_record *run) {
    const struct pdk_meter *meter = &run->member->meter;
    const pdk_usage *usage = run->last.result.usage;
    if (!usage) return;
    pdk_meter_add(meter->cpu[0], (double)usage->user_ns / 1e9);
    pdk_meter_add(meter->cpu[1], (double)usage->system_ns / 1e9);
}

static void count_ended(const struct pdk_record *run, uint64_t lived) {
    const struct pdk_meter *meter = &run->member->meter;
    int32_t which = run->timed_out ? PDK_RESULTS : status_of(run);
    pdk_meter_add(meter->attempts[which], 1);
    pdk_meter_observe(meter->attempt_seconds[which], (double)lived / 1e9);
    pdk_meter_add(meter->errors[run->last.result.category], 1); /* of NONE there is no series */
    count_usage(run);
}

PDK_APART static void ended_event(struct pdk_supervisor *s, struct pdk_record *run) {
    struct pdk_event_args args = {.kind = PDK_EVENT_ENDED,
                                  .status = status_of(run),
                                  .duration = s->now - run->began,
                                  .code = run->last.result.code,
                                  .usage = run->last.result.usage};
    char text[512];
    pdk_emit(s, run, &args, "%s", pdk_say_result(&run->last, run->timed_out, run->view->timeout_ns, text, sizeof text));
}

/* The words for an end: why there is no retry. */
PDK_APART static void note_end(struct pdk_record *run, const struct pdk_next *next) {
    char text[512];
    const char *said = pdk_say_result(&run->last, run->timed_out, run->view->timeout_ns, text, sizeof text);
    const struct pdk_policy *policy = &run->spec->policy;
    int n = 0;
    if (next->exhausted) {
        n = asprintf(&run->note, "gave up after %u of %u retries: %s", policy->retries, policy->retries, said);
    } else if (next->code && !strcmp(next->code, "start_limit")) {
        n = asprintf(&run->note, "started %u times within its limit", policy->start_burst);
    } else if (next->code) {
        n = asprintf(&run->note, "its deadline leaves no time for another attempt: %s", said);
    }
    if (n < 0) run->note = NULL;
}

PDK_APART static void wait_event(struct pdk_supervisor *s, struct pdk_record *run, const struct pdk_next *next) {
    struct pdk_event_args args = {.kind = PDK_EVENT_WAITING, .delay = next->delay};
    char text[512], delay[32], limit[24] = "";
    pdk_duration_about(next->delay, delay, sizeof delay);
    if (next->kind == PDK_NEXT_AGAIN) {
        pdk_emit(s, run, &args, next->held_back ? "again in %s: it started too often" : "again in %s", delay);
        return;
    }
    uint32_t retries = run->spec->policy.retries;
    if (retries != PDK_RETRIES_UNLIMITED) (void)snprintf(limit, sizeof limit, " of %u", retries);
    pdk_emit(s, run, &args, "retry %u%s in %s: %s", next->retries, limit, delay,
             pdk_say_result(&run->last, run->timed_out, run->view->timeout_ns, text, sizeof text));
}

/* Without a pause it is ready again in this step: no timer, and nothing to tell. */
static void wait_for_next(struct pdk_supervisor *s, struct pdk_record *run, const struct pdk_next *next) {
    run->past.retries = next->retries;
    run->past.base = next->base;
    if (next->kind == PDK_NEXT_RETRY) {
        pdk_ring_push(&run->past.failures, s->now);
        pdk_meter_add(run->member->meter.backoffs, 1);
    }
    pdk_record_state(s, run, PDK_STATE_WAITING);
    if (!next->delay) {
        pdk_apply(s, run, PDK_INPUT_T_WAIT, 0, NULL);
        return;
    }
    run->phase.kind = PDK_INPUT_T_WAIT;
    pdk_timer_start(&s->timers, &run->phase, pdk_time_add(s->now, next->delay), run->seq * 2);
    if (run->trace) pdk_span_moment(s, run, "backoff", next->delay);
    if (pdk_event_needed(s, PDK_EVENT_WAITING)) wait_event(s, run, next);
    pdk_tell_source(s, run);
}

/* The host's judgement of an attempt replaces what it said for itself. */
static void judge(struct pdk_record *run) {
    if (!run->unfit) return;
    pdk_said_host(&run->last, PDK_FAILURE, PDK_CAT_OTHER, run->unfit, run->unfit + strlen(run->unfit) + 1);
    free(run->unfit);
    run->unfit = NULL;
}

static void ask_policy(struct pdk_supervisor *s, const struct pdk_record *run, struct pdk_next *next) {
    struct pdk_ending ending = {.status = status_of(run),
                                .timed_out = run->timed_out,
                                .retry_after = run->last.result.retry_after_ns,
                                .lived = s->now - run->began,
                                .now = s->now,
                                .deadline = run->deadline,
                                .seed = s->options.seed,
                                .seq = run->seq};
    pdk_policy_next(&run->spec->policy, &run->past, &ending, next);
}

/* The first that holds: we asked for its end; it ended itself; it can never work; the policy. */
static void decide(struct pdk_supervisor *s, struct pdk_record *run) {
    int32_t status = status_of(run);
    if (run->asked || status == PDK_CANCELED) {
        pdk_end_run(s, run, PDK_END_CANCELED, NULL);
        return;
    }
    if (status == PDK_FATAL) {
        pdk_end_run(s, run, PDK_END_FATAL, NULL);
        return;
    }
    struct pdk_next next;
    ask_policy(s, run, &next);
    const char *late = run->cause == PDK_CANCEL_DEADLINE ? "deadline" : NULL;
    if (next.kind == PDK_NEXT_END) {
        if (next.exhausted || next.code) note_end(run, &next);
        pdk_end_run(s, run, next.end, next.code ? next.code : next.end == PDK_END_TIMED_OUT ? late : NULL);
    } else if (run->cause) {
        pdk_end_run(s, run, late ? next.end : PDK_END_CANCELED, late);
    } else {
        wait_for_next(s, run, &next);
    }
}

void pdk_act_finish(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input) {
    if (input == PDK_INPUT_GIVEUP && !pdk_cell_posted(run->cell)) {
        pdk_bug(s, run->state, input); /* it was asked to end long ago, or has said so by now */
        return;
    }
    bool said = input == PDK_INPUT_START_ERR || pdk_take_up(s, run);
    if (!said) pdk_said_host(&run->last, PDK_FAILURE, PDK_CAT_INTERNAL, "plugin_gone", run->member->gone_why);
    if (input == PDK_INPUT_GONE) run->built = false;
    pdk_timer_stop(&s->timers, &run->phase);
    pdk_permit_give(s, run);
    judge(run);
    if (s->backends) count_ended(run, s->now - run->began);
    if (run->trace) pdk_span_attempt(s, run, false);
    if (pdk_event_needed(s, PDK_EVENT_ENDED)) ended_event(s, run);
    decide(s, run);
}
