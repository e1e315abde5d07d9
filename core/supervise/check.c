/* SPDX-License-Identifier: Apache-2.0 */
/* The invariants, as far as they can be seen from inside. What plugins really do, only a test can know. */
#include <stdio.h>

#include "core/supervise/internal.h"

struct tally {
    uint32_t states[PDK_STATES], live, accepted, permits, slots;
    char *buf;
    size_t size;
};

static const char *say(struct tally *t, const char *rule, const struct pdk_record *run) {
    (void)snprintf(t->buf, t->size, "%s: %s is %s", rule, run ? run->run_id : "the supervisor",
                   run ? pdk_state_name(run->state) : "inconsistent");
    return t->buf;
}

static bool in(const struct pdk_record *run, uint32_t states) {
    return states >> run->state & 1;
}

#define BIT(state) (1u << PDK_STATE_##state)
static const uint32_t owning =
    BIT(READY) | BIT(HELD) | BIT(STARTING) | BIT(RUNNING) | BIT(STOPPING) | BIT(KILLING) | BIT(STUCK) | BIT(WAITING);
static const uint32_t permitted = BIT(STARTING) | BIT(RUNNING) | BIT(STOPPING) | BIT(KILLING) | BIT(STUCK);
static const uint32_t idle = BIT(QUEUED) | BIT(READY) | BIT(HELD) | BIT(WAITING);

static bool in_line(const struct pdk_records *line, const struct pdk_record *run) {
    const struct pdk_record *at;
    uint32_t count = 0;
    TAILQ_FOREACH(at, line, line) count += at == run;
    return count == 1;
}

static const char *check_slot(struct tally *t, const struct pdk_record *run) {
    const struct pdk_slot *slot = run->slot;
    if (in(run, owning) && (!slot || slot->owner != run)) return say(t, "I2 owns its slot", run);
    if (run->state != PDK_STATE_QUEUED) return NULL;
    if (!slot || slot->owner == run || !slot->owner) return say(t, "I5 waits for an owned slot", run);
    if (slot->head == run) return run->replacing ? NULL : say(t, "I6 head replaces", run);
    const struct pdk_record *before = TAILQ_PREV(run, pdk_records, line);
    if (before && before->seq >= run->seq) return say(t, "I6 queue in order", run);
    return in_line(&slot->queue, run) ? NULL : say(t, "I6 in the queue once", run);
}

static const char *check_timers(struct tally *t, const struct pdk_record *run) {
    bool phase = pdk_timer_runs(&run->phase), total = pdk_timer_runs(&run->total);
    if (phase && !in(run, BIT(RUNNING) | BIT(STOPPING) | BIT(KILLING) | BIT(WAITING))) return say(t, "timers", run);
    if (total && in(run, BIT(NEW) | BIT(STUCK) | BIT(ENDED))) return say(t, "total timer", run);
    if (run->state == PDK_STATE_WAITING && !phase) return say(t, "I14 waiting without a timer", run);
    return NULL;
}

static const char *check_run(const struct pdk_supervisor *s, struct tally *t, const struct pdk_record *run) {
    if (run->recorded != in(run, BIT(STUCK) | BIT(ENDED))) return say(t, "I1 outcome", run);
    if (run->told && !run->recorded) return say(t, "I1 told before recorded", run);
    if (!!run->cell != (in(run, permitted) || run->leaked)) return say(t, "I3 attempt", run);
    if (run->recorded && (run->end == PDK_END_REJECTED) != (run->past.attempts == 0)) return say(t, "I9 rejected", run);
    const struct pdk_policy *policy = &run->spec->policy;
    if (policy->retries != PDK_RETRIES_UNLIMITED && !policy->retries_within && run->past.retries > policy->retries)
        return say(t, "I10 retries", run);
    if (run->cause && in(run, idle)) return say(t, "I11 cause", run);
    if (s->life != PDK_LIFE_UP && in(run, idle)) return say(t, "I11 shutdown", run);
    if (run->state == PDK_STATE_ENDED && run->built && !run->leaked) return say(t, "I7 destroyed", run);
    if (run->state == PDK_STATE_READY && !in_line(&run->member->ready, run)) return say(t, "I8 in the FIFO", run);
    if (s->life == PDK_LIFE_DOWN && (!run->told || !in(run, BIT(STUCK) | BIT(ENDED)))) return say(t, "I13 down", run);
    const char *bad = check_slot(t, run);
    return bad ? bad : check_timers(t, run);
}

static const char *check_member(const struct pdk_supervisor *s, struct tally *t, const struct pdk_member *member) {
    const struct pdk_record *run;
    uint32_t permits = 0, ready = 0;
    TAILQ_FOREACH(run, &s->all, all) {
        if (run->member != member) continue;
        permits += in(run, permitted);
        ready += run->state == PDK_STATE_READY;
    }
    if (permits != member->running) return say(t, "I4 permits of a runner", NULL);
    uint32_t queued = 0;
    TAILQ_FOREACH(run, &member->ready, line) queued++;
    if (ready != queued || (queued > 0) != member->is_active) return say(t, "I8 FIFO", NULL);
    if (member->busy && pdk_room(s, member)) return say(t, "I12 busy with room", NULL);
    return NULL;
}

static const char *check_sums(const struct pdk_supervisor *s, struct tally *t) {
    for (int i = 0; i < PDK_STATES; i++) {
        if (t->states[i] != s->in_state[i]) return say(t, "states counted", NULL);
    }
    if (t->live != s->live) return say(t, "live counted", NULL);
    if (t->accepted != s->accepted) return say(t, "accepted counted", NULL);
    if (t->permits != s->running) return say(t, "I4 permits", NULL);
    if (t->slots != s->slots.count) return say(t, "I5 slots", NULL);
    return NULL;
}

const char *pdk_supervisor_check(const struct pdk_supervisor *s, char *buf, size_t size) {
    struct tally t = {.buf = buf, .size = size};
    const struct pdk_record *run;
    const struct pdk_member *member;
    TAILQ_FOREACH(run, &s->all, all) {
        t.states[run->state]++;
        if (!run->handle || run->state == PDK_STATE_NEW) {
            t.live += run->member != NULL;
            t.accepted += run->member != NULL;
            continue;
        }
        t.live += !run->recorded;
        t.accepted += !run->told;
        t.permits += in(run, permitted);
        t.slots += run->slot && run->slot->owner == run;
        const char *bad = check_run(s, &t, run);
        if (bad) return bad;
    }
    TAILQ_FOREACH(member, &s->members, all) {
        const char *bad = check_member(s, &t, member);
        if (bad) return bad;
    }
    return check_sums(s, &t);
}
