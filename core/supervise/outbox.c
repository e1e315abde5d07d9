/* SPDX-License-Identifier: Apache-2.0 */
/* Outcomes are told, once each, in the turn they were recorded in and outside of every step. Then there is room. */
#include "core/supervise/internal.h"
#include "paddock/helpers.h"

enum { STARVED_MS = 100 }; /* a source that found no memory is asked again so much later */

static int32_t reason_of(const struct pdk_record *run) {
    return run->cause;
}

void pdk_outcome_make(const struct pdk_record *run, pdk_outcome *ret, pdk_result *ret_last) {
    static const pdk_result nothing = {(uint32_t)sizeof nothing, PDK_SUCCESS, 0, 0, 0, 0, 0, "", "", NULL, NULL};
    *ret_last = run->last.result.struct_size ? run->last.result : nothing;
    if (run->code) ret_last->code = run->code;
    if (run->end == PDK_END_REJECTED) {
        ret_last->status = PDK_CANCELED;
        ret_last->message = run->note ? run->note : run->why ? run->why : "";
    } else if (run->note && !ret_last->message[0]) {
        ret_last->message = run->note;
    }
    *ret = (pdk_outcome){.struct_size = (uint32_t)sizeof *ret,
                         .end = run->end,
                         .attempts = run->past.attempts,
                         .reason = reason_of(run),
                         .run = run->handle,
                         .run_id = run->run_id,
                         .runner = run->member->instance->name,
                         .submitted_ns = run->accepted_unix,
                         .started_ns = run->started_unix,
                         .ended_ns = run->ended_unix,
                         .last = ret_last,
                         .trace = run->trace ? pdk_trace_of_run(run->trace) : ""};
}

static void tell(struct pdk_record *run) {
    const struct pdk_instance *source = run->source && !run->source->gone ? run->source->instance : NULL;
    pdk_settled settled = run->settled;
    if (!settled && !source) return;
    pdk_outcome outcome;
    pdk_result last;
    pdk_outcome_make(run, &outcome, &last);
    if (settled)
        settled(run->arg, run->handle, &outcome);
    else
        source->plugin->source->settled(source->self, run->delivery, &outcome);
}

static void forget_oldest(struct pdk_supervisor *s) {
    struct pdk_record *oldest = TAILQ_FIRST(&s->history);
    TAILQ_REMOVE(&s->history, oldest, line);
    s->remembered--;
    pdk_record_free(s, oldest);
}

/* The timer may be that of a run which made room long ago: then it is only moved on. */
void pdk_history_age(struct pdk_supervisor *s) {
    for (struct pdk_record *run = TAILQ_FIRST(&s->history); run; run = TAILQ_FIRST(&s->history)) {
        uint64_t due = pdk_time_add(run->ended, s->options.history_age);
        if (due == UINT64_MAX) return;
        if (due > s->now) {
            s->history_timer.kind = PDK_TIMER_HISTORY;
            pdk_timer_start(&s->timers, &s->history_timer, due, 0);
            return;
        }
        forget_oldest(s);
    }
}

/* Remember it a while, if it is all over. What keeps it is a stuck or leaked task. */
void pdk_retire(struct pdk_supervisor *s, struct pdk_record *run) {
    if (run->state != PDK_STATE_ENDED || run->leaked) return;
    if (!s->history_limit) {
        pdk_record_free(s, run);
        return;
    }
    TAILQ_INSERT_TAIL(&s->history, run, line);
    s->remembered++;
    if (s->remembered > s->history_limit) forget_oldest(s);
    if (!pdk_timer_runs(&s->history_timer)) pdk_history_age(s);
}

uint32_t pdk_room(const struct pdk_supervisor *s, const struct pdk_member *source) {
    if (s->closing || (source && (source->draining || source->gone))) return 0;
    uint32_t all = s->accepted < s->options.accepted ? s->options.accepted - s->accepted : 0;
    if (!source) return all;
    uint32_t own = source->pending < source->limits.pending ? source->limits.pending - source->pending : 0;
    return own < all ? own : all;
}

static void made_room(struct pdk_supervisor *s) {
    struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        if (!member->busy || !pdk_room(s, member)) continue;
        member->busy = false;
        member->resume_due = true;
    }
}

void pdk_source_starves(struct pdk_member *source) {
    struct pdk_supervisor *s = source->supervisor;
    source->starved = true;
    if (pdk_timer_runs(&s->starved_timer)) return;
    pdk_clock(s);
    s->starved_timer.kind = PDK_TIMER_STARVED;
    pdk_timer_start(&s->timers, &s->starved_timer, s->now + STARVED_MS * PDK_MILLISECOND, 0);
    pdk_wake(s);
}

void pdk_sources_starved(struct pdk_supervisor *s) {
    struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        member->busy |= member->starved;
        member->starved = false;
    }
    made_room(s);
}

static void settle(struct pdk_supervisor *s, struct pdk_record *run) {
    struct pdk_member *source = run->source;
    pdk_step_begin(s);
    run->told = true;
    s->accepted--;
    if (source) {
        source->pending--;
        source->settled_now++;
        pdk_meter_add(source->meter.settled[run->end], 1);
        pdk_meter_add(source->meter.pending, -1);
    }
    tell(run);
    pdk_retire(s, run);
    made_room(s);
    pdk_step_end(s, "settle");
}

/* Those that end meanwhile are told in the next turn. */
void pdk_outbox_settle(struct pdk_supervisor *s) {
    struct pdk_outbox outbox = STAILQ_HEAD_INITIALIZER(outbox);
    STAILQ_CONCAT(&outbox, &s->outbox);
    for (struct pdk_record *run = STAILQ_FIRST(&outbox); run; run = STAILQ_FIRST(&outbox)) {
        STAILQ_REMOVE_HEAD(&outbox, out);
        settle(s, run);
    }
}

void pdk_sources_resume(struct pdk_supervisor *s) {
    struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        if (!member->resume_due) continue;
        member->resume_due = false;
        if (!member->gone && !member->draining) member->instance->plugin->source->resume(member->instance->self);
    }
}

void pdk_sources_flush(struct pdk_supervisor *s) {
    struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        if (!member->settled_now) continue;
        member->settled_now = 0;
        const pdk_source_ops *ops = member->instance->plugin->source;
        if (!member->gone && PDK_HAS(ops, flush)) ops->flush(member->instance->self);
    }
}
