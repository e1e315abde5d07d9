/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: looks up what an input means in a state, and does it. Here are the actions without an attempt. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"

void pdk_step(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause, const char *why) {
    pdk_step_begin(s);
    pdk_apply(s, run, input, cause, why);
    pdk_step_end(s, s->on_step ? pdk_input_name(input) : "");
}

/* Told once for each cell, and nothing is changed: a wrong guess would be worse than none. */
void pdk_bug(struct pdk_supervisor *s, enum pdk_state state, enum pdk_input input) {
    s->bugs++;
    if (s->on_bug) {
        s->on_bug(s->on_arg, state, input);
        return;
    }
    if (!s->bug_told[input][state])
        pdk_log_line(&s->log, PDK_LOG_BUG, "supervisor", "", "a run that is %s cannot have %s: ignored",
                     pdk_state_name(state), pdk_input_name(input));
    s->bug_told[input][state] = 1;
    assert(!"cannot happen in this state");
}

/* The first cause counts. */
void pdk_note_cause(struct pdk_supervisor *s, struct pdk_record *run, int32_t cause, const char *why) {
    (void)s;
    if (run->cause) return;
    run->cause = (uint8_t)cause;
    if (why && *why) run->why = strdup(why); /* without memory it goes unsaid */
}

void pdk_leave_line(struct pdk_supervisor *s, struct pdk_record *run) {
    if (run->state == PDK_STATE_QUEUED) {
        pdk_slot_leave(run->slot, run);
        run->slot = NULL;
    } else if (run->state == PDK_STATE_READY) {
        pdk_ready_remove(s, run);
    }
}

/* The slot goes to the next in the same step, so that a free slot with a waiter is never seen. */
void pdk_free_slot(struct pdk_supervisor *s, struct pdk_record *run) {
    struct pdk_slot *slot = run->slot;
    run->slot = NULL;
    if (!slot) return;
    struct pdk_record *next = pdk_slot_pass(&s->slots, slot);
    if (next) {
        pdk_apply(s, next, PDK_INPUT_SLOT, 0, NULL);
    } else {
        pdk_meter_add(s->meters.busy_slots, -1);
    }
}

PDK_APART static void outcome_event(struct pdk_supervisor *s, struct pdk_record *run, int32_t kind) {
    struct pdk_event_args args = {.kind = kind, .status = run->end, .duration = run->ended - run->accepted};
    pdk_outcome outcome;
    pdk_result last;
    char text[512];
    pdk_outcome_make(run, &outcome, &last);
    args.code = last.code;
    const char *say = run->note ? run->note : "";
    if (!*say && run->past.attempts && run->end != PDK_END_SUCCEEDED && run->end != PDK_END_CANCELED)
        say = pdk_say_result(&run->last, run->timed_out, run->view->timeout_ns, text, sizeof text);
    pdk_emit(s, run, &args, "%s%s%s", say, *say && run->why ? ": " : "", run->why ? run->why : "");
}

void pdk_record_outcome(struct pdk_supervisor *s, struct pdk_record *run, int32_t end, const char *code) {
    run->end = (int8_t)end;
    run->code = code;
    run->recorded = true;
    run->ended = s->now;
    run->ended_unix = pdk_unix_of(s, s->now);
    s->live--;
    STAILQ_INSERT_TAIL(&s->outbox, run, out);
    int32_t kind = end == PDK_END_REJECTED ? PDK_EVENT_REJECTED : PDK_EVENT_OUTCOME;
    if (pdk_event_needed(s, kind)) outcome_event(s, run, kind);
    if (s->backends) pdk_meter_ended(s, run);
    if (run->trace) pdk_span_run(s, run);
}

/* In this order: timers off, task destroyed, outcome recorded and numbered, the slot to the next. */
void pdk_end_run(struct pdk_supervisor *s, struct pdk_record *run, int32_t end, const char *code) {
    pdk_timer_stop(&s->timers, &run->phase);
    pdk_timer_stop(&s->timers, &run->total);
    if (run->built) run->ops->destroy(run->task);
    run->built = false;
    pdk_record_state(s, run, PDK_STATE_ENDED);
    pdk_record_outcome(s, run, end, code);
    pdk_free_slot(s, run);
}

PDK_APART static void act_ready(struct pdk_supervisor *s, struct pdk_record *run) {
    bool admitted = run->state == PDK_STATE_NEW;
    if (admitted) {
        run->slot = pdk_slot_take(&s->slots, run->slot_hash, run);
        pdk_meter_add(s->meters.busy_slots, 1);
        if (run->deadline) pdk_timer_start(&s->timers, &run->total, run->deadline, run->seq * 2 + 1);
    }
    run->replacing = false;
    pdk_record_state(s, run, run->paused ? PDK_STATE_HELD : PDK_STATE_READY);
    if (!run->paused) pdk_ready_push(s, run);
    if (admitted && pdk_event_needed(s, PDK_EVENT_ACCEPTED))
        pdk_emit(s, run, &(struct pdk_event_args){.kind = PDK_EVENT_ACCEPTED}, NULL);
    pdk_tell_source(s, run);
}

PDK_APART static void act_queue(struct pdk_supervisor *s, struct pdk_record *run) {
    uint64_t hash;
    struct pdk_slot *slot = pdk_slot_find(&s->slots, run->slot_name, run->slot_size, &hash);
    struct pdk_event_args args = {.kind = PDK_EVENT_ACCEPTED};
    char place[16];
    run->slot = slot;
    pdk_slot_wait(slot, run);
    if (run->deadline) pdk_timer_start(&s->timers, &run->total, run->deadline, run->seq * 2 + 1);
    pdk_record_state(s, run, PDK_STATE_QUEUED);
    if (run->trace) pdk_span_moment(s, run, "queued", 0);
    if (run->replacing) {
        pdk_emit(s, run, &args, "replaces %s", pdk_record_short(slot->owner));
    } else {
        pdk_emit(s, run, &args, "waits for slot %s behind %s (%s)", run->slot_name, pdk_record_short(slot->owner),
                 pdk_event_wanted(s, args.kind) ? pdk_ordinal(slot->waiting, place, sizeof place) : "");
    }
    pdk_tell_source(s, run);
}

/* What a run that never started is told, by cause. */
static const char *const rejections[] = {
    [PDK_CANCEL_USER] = "canceled",
    [PDK_CANCEL_SHUTDOWN] = "shutting_down",
    [PDK_CANCEL_REPLACED] = "replaced",
    [PDK_CANCEL_DEADLINE] = "deadline",
};

/* Rejected if and only if nothing was ever started. */
PDK_APART static void act_leave(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause,
                                const char *why) {
    pdk_leave_line(s, run);
    if (input == PDK_INPUT_T_TOTAL) cause = PDK_CANCEL_DEADLINE;
    if (input == PDK_INPUT_DRAIN) cause = PDK_CANCEL_SHUTDOWN;
    if (cause) pdk_note_cause(s, run, cause, why);
    const char *code = cause ? rejections[cause] : run->code;
    if (!run->past.attempts) {
        pdk_end_run(s, run, PDK_END_REJECTED, code);
    } else if (cause == PDK_CANCEL_DEADLINE) {
        pdk_end_run(s, run, PDK_END_TIMED_OUT, code);
    } else {
        pdk_end_run(s, run, PDK_END_CANCELED, NULL);
    }
}

static void reject(struct pdk_supervisor *s, struct pdk_record *run, const struct pdk_slot *slot, const char *code) {
    run->code = code;
    if (slot && asprintf(&run->note, slot->owner->state == PDK_STATE_STUCK ? "%s does not stop" : "%s has the slot",
                         pdk_record_short(slot->owner)) < 0)
        run->note = NULL;
    pdk_apply(s, run, PDK_INPUT_ADMIT_NO, 0, NULL);
}

/* The newest wins: it stands before the queue, who stood there is displaced, the owner is asked to go, once. */
static void replace(struct pdk_supervisor *s, struct pdk_record *run, struct pdk_slot *slot) {
    char why[192];
    (void)snprintf(why, sizeof why, "replaced by %s", pdk_record_short(run));
    if (slot->head) pdk_apply(s, slot->head, PDK_INPUT_CANCEL, PDK_CANCEL_REPLACED, why);
    run->replacing = true;
    pdk_apply(s, run, PDK_INPUT_ADMIT_QUEUE, 0, NULL);
    struct pdk_record *owner = slot->owner;
    if (!owner->cause && owner->state != PDK_STATE_STUCK)
        pdk_apply(s, owner, PDK_INPUT_CANCEL, PDK_CANCEL_REPLACED, why);
}

void pdk_admit(struct pdk_supervisor *s, struct pdk_record *run) {
    struct pdk_slot *slot = pdk_slot_find(&s->slots, run->slot_name, run->slot_size, &run->slot_hash);
    pdk_step_begin(s);
    if (s->life != PDK_LIFE_UP) {
        reject(s, run, NULL, "shutting_down");
    } else if (!slot) {
        pdk_apply(s, run, PDK_INPUT_ADMIT_OWN, 0, NULL);
    } else if (run->spec->when_busy == PDK_BUSY_REPLACE) {
        replace(s, run, slot);
    } else if (run->spec->when_busy == PDK_BUSY_DROP) {
        reject(s, run, slot, "slot_busy");
    } else if (slot->waiting < s->options.slot_queue) {
        pdk_apply(s, run, PDK_INPUT_ADMIT_QUEUE, 0, NULL);
    } else {
        reject(s, run, slot, "queue_full");
    }
    pdk_step_end(s, "admit");
}

void pdk_apply(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause, const char *why) {
    switch (pdk_state_action(run->state, input)) {
    case PDK_ACTION_STALE: pdk_member_misbehaves(run->member, "done twice for %s", pdk_record_short(run)); break;
    case PDK_ACTION_OUT:
    case PDK_ACTION_OVER:
    case PDK_ACTION_NOT_STUCK: break;
    case PDK_ACTION_R: act_ready(s, run); break;
    case PDK_ACTION_Q: act_queue(s, run); break;
    case PDK_ACTION_X: act_leave(s, run, input, cause, why); break;
    case PDK_ACTION_S: pdk_act_start(s, run); break;
    case PDK_ACTION_O: pdk_act_on(s, run); break;
    case PDK_ACTION_E: pdk_act_finish(s, run, input); break;
    case PDK_ACTION_A: pdk_act_ask(s, run, input, cause, why); break;
    case PDK_ACTION_C: pdk_act_cause(s, run, input, cause, why); break;
    case PDK_ACTION_K: pdk_act_kill(s, run); break;
    case PDK_ACTION_L: pdk_act_lose(s, run, input); break;
    case PDK_ACTION_F: pdk_act_free(s, run, input); break;
    case PDK_ACTION_D: pdk_act_late(s, run, input); break;
    case PDK_ACTION_U: pdk_act_unbuild(run); break;
    case PDK_ACTION_P: pdk_act_pause(s, run, input == PDK_INPUT_PAUSE); break;
    case PDK_ACTION_BUG:
    case PDK_ACTIONS:
    default: pdk_bug(s, run->state, input);
    }
}
