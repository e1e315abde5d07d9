/* SPDX-License-Identifier: Apache-2.0 */
/* An attempt is to end before it does so by itself: ask, insist, give up; and what comes after that. */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/supervise/internal.h"
#include "paddock/helpers.h"

static void stopping_event(struct pdk_supervisor *s, struct pdk_record *run, int32_t reason, uint64_t grace) {
    struct pdk_event_args args = {.kind = PDK_EVENT_STOPPING, .status = reason, .delay = grace};
    char about[32], timeout[32];
    if (!pdk_event_needed(s, args.kind)) return;
    pdk_duration_about(grace, about, sizeof about);
    if (reason == PDK_CANCEL_TIMEOUT && run->unfit) {
        pdk_emit(s, run, &args, "%s; killed in %s", run->unfit + strlen(run->unfit) + 1, about);
    } else if (reason == PDK_CANCEL_TIMEOUT) {
        pdk_emit(s, run, &args, "timed out after %s; killed in %s",
                 pdk_duration_about(run->view->timeout_ns, timeout, sizeof timeout), about);
    } else {
        pdk_emit(s, run, &args, "%s; killed in %s", run->why ? run->why : pdk_cause_word(reason), about);
    }
}

static void kill_now(struct pdk_supervisor *s, struct pdk_record *run, const char *grace) {
    if (pdk_cell_posted(run->cell)) return; /* its done is on the way */
    pdk_record_state(s, run, PDK_STATE_KILLING);
    run->phase.kind = PDK_INPUT_T_KILL;
    pdk_timer_start(&s->timers, &run->phase, pdk_time_add(s->now, run->spec->kill_wait), run->seq * 2);
    if (PDK_HAS(run->ops, kill)) run->ops->kill(run->task);
    pdk_meter_add(run->member->meter.kills[run->cause ? run->cause : PDK_CANCEL_TIMEOUT], 1);
    struct pdk_event_args args = {.kind = PDK_EVENT_STOPPING};
    if (*grace) {
        pdk_emit(s, run, &args, "killed; grace of %s is over", grace);
    } else {
        pdk_emit(s, run, &args, "killed");
    }
}

static void cancel_now(struct pdk_supervisor *s, struct pdk_record *run, int32_t reason, uint64_t grace) {
    pdk_record_state(s, run, PDK_STATE_STOPPING);
    run->phase.kind = PDK_INPUT_T_GRACE;
    if (run->cause) pdk_timer_stop(&s->timers, &run->total);
    pdk_timer_start(&s->timers, &run->phase, pdk_time_add(s->now, grace), run->seq * 2);
    stopping_event(s, run, reason, grace);
    run->ops->cancel(run->task, reason);
}

/* Who is about to ask looks at the done first: one that was posted counts as it is. */
void pdk_act_ask(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause,
                 const char *why) {
    bool late = input == PDK_INPUT_T_ATTEMPT || input == PDK_INPUT_T_TOTAL;
    if (input == PDK_INPUT_T_TOTAL) cause = PDK_CANCEL_DEADLINE;
    if (input != PDK_INPUT_T_ATTEMPT) pdk_note_cause(s, run, cause, why);
    if (pdk_cell_posted(run->cell)) return;
    if (late) {
        run->timed_out = !run->unfit;
    } else {
        run->asked = true;
    }
    int32_t reason = input == PDK_INPUT_T_ATTEMPT ? PDK_CANCEL_TIMEOUT : late ? PDK_CANCEL_DEADLINE : run->cause;
    uint64_t grace = input == PDK_INPUT_FORCE ? 0 : run->view->grace_ns;
    if (run->state == PDK_STATE_RUNNING) cancel_now(s, run, reason, grace);
    if (run->cause) pdk_timer_stop(&s->timers, &run->total);
    if (!grace) kill_now(s, run, "");
}

/* It is stopping already: only whose wish it was, and whether its end is ours. */
void pdk_act_cause(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause,
                   const char *why) {
    if (input == PDK_INPUT_T_TOTAL) cause = PDK_CANCEL_DEADLINE;
    if (input == PDK_INPUT_DRAIN) cause = PDK_CANCEL_SHUTDOWN;
    pdk_note_cause(s, run, cause, why);
    if (run->state != PDK_STATE_RUNNING) pdk_timer_stop(&s->timers, &run->total);
    if ((input == PDK_INPUT_CANCEL || input == PDK_INPUT_FORCE) && !pdk_cell_posted(run->cell)) run->asked = true;
}

void pdk_act_kill(struct pdk_supervisor *s, struct pdk_record *run) {
    char grace[32];
    kill_now(s, run, pdk_duration_about(run->view->grace_ns, grace, sizeof grace));
}

static void stuck(struct pdk_supervisor *s, struct pdk_record *run) {
    pdk_timer_stop(&s->timers, &run->phase);
    pdk_timer_stop(&s->timers, &run->total);
    pdk_record_state(s, run, PDK_STATE_STUCK);
    run->since = s->now;
    run->member->stuck++;
    run->note = strdup("it does not stop, even when killed"); /* without memory it goes unsaid */
    if (run->trace) pdk_span_attempt(s, run, true);
    pdk_record_outcome(s, run, PDK_END_LOST, NULL);
    pdk_emit(s, run, &(struct pdk_event_args){.kind = PDK_EVENT_STUCK}, "%s does not stop: its slot stays taken",
             pdk_record_short(run));
    pdk_log_line(&s->log, PDK_LOG_ERROR, "supervisor", run->run_id,
                 "%s does not stop even when killed: its slot stays taken", pdk_record_short(run));
}

void pdk_act_lose(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input) {
    if (pdk_cell_posted(run->cell)) {
        pdk_act_finish(s, run, input);
    } else if (run->member->hosted && input == PDK_INPUT_T_KILL) {
        run->member->hosted->kill(run->member->hosted_arg);
    } else {
        stuck(s, run);
    }
}

static void freed_event(struct pdk_supervisor *s, struct pdk_record *run, bool abandoned) {
    struct pdk_event_args args = {.kind = PDK_EVENT_FREED, .status = abandoned, .duration = s->now - run->since};
    char late[32];
    if (abandoned) {
        pdk_emit(s, run, &args, "%s is abandoned: it may still be running", pdk_record_short(run));
    } else {
        pdk_emit(s, run, &args, "%s has stopped after all, %s late", pdk_record_short(run),
                 pdk_duration_about(args.duration, late, sizeof late));
    }
}

/* The plugin has let go of it, or we have. Its outcome was told long ago. */
static void let_go(struct pdk_supervisor *s, struct pdk_record *run, bool gone) {
    struct pdk_cell *cell = run->cell;
    if (pdk_cell_close(s, cell)) pdk_said_free(&cell->posted);
    pdk_news_of(s, cell, true);
    run->cell = NULL;
    pdk_cell_release(s, cell);
    if (run->built && !gone) run->ops->destroy(run->task);
    run->built = false;
    run->member->stuck--;
}

void pdk_act_free(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input) {
    bool abandoned = input == PDK_INPUT_ABANDON;
    if (abandoned) {
        run->leaked = true;
    } else {
        let_go(s, run, input == PDK_INPUT_GONE);
    }
    pdk_permit_give(s, run);
    pdk_emit(s, run,
             &(struct pdk_event_args){.kind = PDK_EVENT_ENDED, .status = PDK_CANCELED, .duration = s->now - run->began},
             "%s", abandoned ? "abandoned" : "late");
    pdk_record_state(s, run, PDK_STATE_ENDED);
    freed_event(s, run, abandoned);
    pdk_free_slot(s, run);
    if (run->told) pdk_retire(s, run);
}

void pdk_act_late(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input) {
    if (!run->leaked) return;
    let_go(s, run, input == PDK_INPUT_GONE);
    run->leaked = false;
    if (run->told) pdk_retire(s, run);
}

void pdk_act_unbuild(struct pdk_record *run) {
    run->built = false;
}

void pdk_act_pause(struct pdk_supervisor *s, struct pdk_record *run, bool pause) {
    if (run->paused == pause) return;
    run->paused = pause;
    if (pause && run->state == PDK_STATE_READY) {
        pdk_ready_remove(s, run);
        pdk_record_state(s, run, PDK_STATE_HELD);
    } else if (!pause && run->state == PDK_STATE_HELD) {
        pdk_record_state(s, run, PDK_STATE_READY);
        pdk_ready_push(s, run);
    }
    pdk_emit(s, run, &(struct pdk_event_args){.kind = PDK_EVENT_PAUSED, .status = pause}, "%s",
             pause ? "no new attempt starts" : "attempts start again");
}
