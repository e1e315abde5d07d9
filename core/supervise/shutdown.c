/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the supervisor. All times are fixed when it begins; asking again goes to the next stage at once.
 *
 *   UP --> DRAIN ----- t1 ----> STOP ----- t2 ----> KILL ----- t3 ----> FLUSH ----- t4 ----> DOWN
 *      what waits is     everything     everything is    what is left      sources and
 *      given back        is cancelled   killed           is given up       runners stop
 *
 * When nothing runs any more the stages between are left out. Everybody who asked shares the one result.
 */
#include <stdio.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

enum { KILL_LEAD_SECONDS = 5 };

/* For all that have not ended, as one step. */
static void to_all(struct pdk_supervisor *s, enum pdk_input input, int32_t cause) {
    struct pdk_record *run, *next;
    pdk_step_begin(s);
    for (run = TAILQ_FIRST(&s->all); run; run = next) {
        next = TAILQ_NEXT(run, all);
        if (run->state != PDK_STATE_ENDED) pdk_apply(s, run, input, cause, NULL);
    }
    pdk_step_end(s, pdk_input_name(input));
}

__attribute__((format(printf, 2, 3))) static void announce(struct pdk_supervisor *s, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pdk_emit(s, NULL, &(struct pdk_event_args){.kind = PDK_EVENT_SHUTDOWN, .status = (int32_t)s->life}, "%s", text);
    pdk_log_line(&s->log, PDK_LOG_INFO, "supervisor", "", "%s", text);
}

static void name_run(char *list, size_t size, const struct pdk_record *run) {
    if (*list) pdk_append(list, size, ", ");
    pdk_append(list, size, pdk_record_short(run));
}

static uint32_t name_runs(const struct pdk_supervisor *s, char *list, size_t size) {
    const struct pdk_record *run;
    uint32_t count = 0;
    *list = '\0';
    TAILQ_FOREACH(run, &s->all, all) {
        if (run->state == PDK_STATE_ENDED) continue;
        if (++count <= 8) name_run(list, size, run);
        if (count == 9) pdk_append(list, size, ", ...");
    }
    return count;
}

static void next_at(struct pdk_supervisor *s, uint64_t due) {
    s->life_timer.kind = PDK_TIMER_LIFE;
    pdk_timer_start(&s->timers, &s->life_timer, due, UINT64_MAX);
}

static void give_up(struct pdk_supervisor *s) {
    char names[512];
    to_all(s, PDK_INPUT_GIVEUP, 0);
    uint32_t count = name_runs(s, names, sizeof names);
    if (count) announce(s, "%u did not stop: %s", count, names);
    s->stuck_at_end = count;
    s->life = PDK_LIFE_FLUSH;
    next_at(s, s->t4);
}

static void kill_all(struct pdk_supervisor *s) {
    char names[512];
    s->life = PDK_LIFE_KILL;
    uint32_t count = name_runs(s, names, sizeof names);
    if (count) announce(s, "%u still running, killed now: %s", count, names);
    to_all(s, PDK_INPUT_FORCE, PDK_CANCEL_SHUTDOWN);
    s->hosted_timer.kind = PDK_TIMER_HOSTED;
    pdk_timer_start(&s->timers, &s->hosted_timer, s->t3 > PDK_SECOND ? s->t3 - PDK_SECOND : 0, UINT64_MAX);
    next_at(s, s->t3);
    if (s->t3 <= s->now) give_up(s);
}

static void stop_all(struct pdk_supervisor *s) {
    char names[512];
    s->life = PDK_LIFE_STOP;
    to_all(s, PDK_INPUT_CANCEL, PDK_CANCEL_SHUTDOWN);
    uint32_t count = name_runs(s, names, sizeof names);
    uint64_t seconds = s->t2 > s->now ? (s->t2 - s->now) / PDK_SECOND : 0;
    if (count) announce(s, "%u still running, killed in %us: %s", count, (unsigned)seconds, names);
    next_at(s, s->t2);
    if (s->t2 <= s->now) kill_all(s);
}

static void drain_sources(struct pdk_supervisor *s) {
    struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        if (!pdk_member_is_source(member) || member->draining) continue;
        member->draining = true;
        member->busy = member->starved = member->resume_due = false;
        if (member->instance->life == PDK_INSTANCE_STARTED && !member->gone)
            member->instance->plugin->source->drain(member->instance->self);
    }
}

static void begin(struct pdk_supervisor *s) {
    s->closing = true;
    s->life = PDK_LIFE_DRAIN;
    s->t1 = pdk_time_add(s->now, s->options.drain);
    s->t3 = pdk_time_add(s->t1, s->options.grace);
    uint64_t lead = KILL_LEAD_SECONDS * PDK_SECOND;
    s->t2 = s->t3 > lead && s->t3 - lead > s->t1 ? s->t3 - lead : s->t1;
    s->t4 = pdk_time_add(s->t3, s->options.flush);
    uint32_t waiting = s->in_state[PDK_STATE_QUEUED] + s->in_state[PDK_STATE_READY] + s->in_state[PDK_STATE_HELD];
    announce(s, "stopping: %u running, %u queued given back", s->running, waiting);
    drain_sources(s);
    to_all(s, PDK_INPUT_DRAIN, PDK_CANCEL_SHUTDOWN);
    next_at(s, s->t1);
    if (s->t1 <= s->now) stop_all(s);
}

/* Each time it is asked for, it gets harder. */
void pdk_shutdown_ask(struct pdk_supervisor *s) {
    switch (s->life) {
    case PDK_LIFE_UP: begin(s); break;
    case PDK_LIFE_DRAIN: stop_all(s); break;
    case PDK_LIFE_STOP: kill_all(s); break;
    case PDK_LIFE_KILL:
    case PDK_LIFE_FLUSH:
    case PDK_LIFE_DOWN:
    default: break;
    }
}

static bool stops(const struct pdk_member *member) {
    return !member->gone && !member->stuck && member->instance->life == PDK_INSTANCE_STARTED;
}

static bool stop_members(struct pdk_supervisor *s, bool sources) {
    struct pdk_member *member;
    bool all = true;
    TAILQ_FOREACH(member, &s->members, all) {
        if (pdk_member_is_source(member) != sources) continue;
        if (stops(member) && !member->stop_called) {
            member->stop_called = true;
            pdk_instance_stop(member->instance);
        }
        if (member->stop_called && !atomic_load(&member->stopped)) all = false;
    }
    return all;
}

static void down(struct pdk_supervisor *s) {
    s->life = PDK_LIFE_DOWN;
    pdk_timer_stop(&s->timers, &s->life_timer);
    pdk_timer_stop(&s->timers, &s->hosted_timer);
    pdk_timer_stop(&s->timers, &s->tell_timer);
    pdk_timer_stop(&s->timers, &s->starved_timer);
    announce(s, s->stuck_at_end ? "stopped, but not all of it" : "stopped");
}

static void not_stopped(struct pdk_supervisor *s) {
    struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        if (!member->stop_called || atomic_load(&member->stopped)) continue;
        s->stuck_at_end++;
        announce(s, "plugin %s did not stop", member->instance->name);
    }
}

void pdk_shutdown_timer(struct pdk_supervisor *s) {
    switch (s->life) {
    case PDK_LIFE_DRAIN: stop_all(s); break;
    case PDK_LIFE_STOP: kill_all(s); break;
    case PDK_LIFE_KILL: give_up(s); break;
    case PDK_LIFE_FLUSH:
        not_stopped(s);
        down(s);
        break;
    case PDK_LIFE_UP:
    case PDK_LIFE_DOWN:
    default: break;
    }
}

/* The processes of plugins whose attempts did not end: a second before everything is given up. */
void pdk_shutdown_hosted(struct pdk_supervisor *s) {
    struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        if (member->hosted && member->running) member->hosted->kill(member->hosted_arg);
    }
}

void pdk_shutdown_look(struct pdk_supervisor *s) {
    bool stopping = s->life >= PDK_LIFE_DRAIN && s->life <= PDK_LIFE_KILL;
    if (stopping && s->live == 0) {
        s->stuck_at_end = s->in_state[PDK_STATE_STUCK];
        s->life = PDK_LIFE_FLUSH;
        next_at(s, s->t4);
    }
    if (s->life != PDK_LIFE_FLUSH || !STAILQ_EMPTY(&s->outbox)) return;
    if (stop_members(s, true) && stop_members(s, false)) {
        s->stuck_at_end = s->in_state[PDK_STATE_STUCK];
        down(s);
    }
}

/* Told once, as the last thing of a turn. */
bool pdk_shutdown_over(const struct pdk_supervisor *s) {
    return s->life == PDK_LIFE_DOWN;
}

int32_t pdk_supervisor_shutdown(pdk_supervisor *supervisor) {
    supervisor->closing = true;
    if (!supervisor->shutdowns++) {
        supervisor->shutdown_order.kind = PDK_ORDER_SHUTDOWN;
        STAILQ_INSERT_TAIL(&supervisor->orders, &supervisor->shutdown_order, next);
    }
    pdk_wake(supervisor);
    return 0;
}

int32_t pdk_supervisor_stopped(const pdk_supervisor *supervisor, uint32_t *ret_stuck) {
    if (ret_stuck) *ret_stuck = supervisor->stuck_at_end;
    return supervisor->life == PDK_LIFE_DOWN;
}

void pdk_supervisor_pending(pdk_supervisor *supervisor, void (*each)(void *arg, const char *text), void *arg) {
    const struct pdk_record *run;
    struct pdk_member *member;
    char text[512];
    TAILQ_FOREACH(run, &supervisor->all, all) {
        if (run->state == PDK_STATE_ENDED) continue;
        (void)snprintf(text, sizeof text, "%s (runner %s, attempt %u)", pdk_record_short(run),
                       run->member->instance->name, run->past.attempts);
        each(arg, text);
    }
    TAILQ_FOREACH(member, &supervisor->members, all) {
        if (!member->stop_called || atomic_load(&member->stopped)) continue;
        (void)snprintf(text, sizeof text, "plugin %s", member->instance->name);
        each(arg, text);
    }
}
