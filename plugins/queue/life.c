/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a job.
 *
 * A job is DELAYED until it is due, then READY until it is claimed, and RUNNING until its run has ended. What follows
 * depends on how it ended, and on who is to blame:
 *
 *   the work is done, or cannot be    ENDED. What is fatal, or has failed as often as it may, is a dead letter.
 *   it failed and may be tried again  attempts + 1; DELAYED for its back-off.
 *   it asks for later                 snoozes + 1, which never end it; DELAYED for as long as it asked. The same for a
 *                                     slot that was taken: nothing was tried.
 *   we stopped                        READY as if it had not been claimed.
 *   our process died under it         rescues + 1, noticed by the next one; READY. A job that takes its host down again
 *                                     and again is a dead letter after max_rescues.
 *
 * So a deployment or a crash uses up no attempt, and a job that asks for patience none either. A cancel that came while
 * it ran wins over a retry. A run that is lost may still be running: its job stays
 * RUNNING until a new process rescues it.
 */
#include "job.h"

const char *const queue_states[] = {"delayed", "ready", "running", "ended", NULL};
const char *const queue_counted[] = {"delayed", "ready", "running", "dead"};
const char *const queue_outcomes[] = {"succeeded", "failed",   "fatal", "canceled",
                                      "timed_out", "rejected", "lost",  NULL};
const char *const queue_fates[] = {"finished", "retried", "snoozed", "rescued", "handed_back"};
const char *const queue_jitters[] = {"none", "full", "equal", "decorrelated", NULL};
const struct queue_backoff queue_default_backoff = {1000, 3600000, 2000, 1};

enum { SLOT_PAUSE_MS = 1000, MIN_SNOOZE_MS = 1 };

enum move { FINISH, DIE, RETRY, SNOOZE, HAND_BACK, STAY, BY_REASON, BY_CODE };

/* By PDK_END_... */
static const enum move moves[] = {FINISH, RETRY, DIE, BY_REASON, RETRY, BY_CODE, STAY};

/* Of what was rejected, by its code; all others FINISH as canceled. */
static const struct {
    const char *code;
    enum move move;
    int32_t outcome;
} rejections[] = {
    {"shutting_down", HAND_BACK, 0},
    {"slot_busy", SNOOZE, 0},
    {"queue_full", SNOOZE, 0},
    {"deadline", FINISH, PDK_END_TIMED_OUT},
    {"canceled", FINISH, PDK_END_CANCELED},
    {"replaced", FINISH, PDK_END_CANCELED},
};

/* Uniform enough in 0..most. */
static int64_t uniform(uint64_t random, int64_t most) {
    return most > 0 ? (int64_t)(random % ((uint64_t)most + 1)) : 0;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* From the first pause to three times this one. */
static int64_t decorrelated(int64_t first, int64_t pause, int64_t max, uint64_t random) {
    return first + uniform(random, least(pause * 3, max) - first);
}

int64_t queue_life_backoff(const struct queue_backoff *backoff, int64_t attempt, uint64_t random) {
    int64_t max = least(backoff->max, QUEUE_MAX_DELAY), factor = least(backoff->factor, QUEUE_MAX_FACTOR);
    int64_t first = least(backoff->first, max), pause = first;
    for (int64_t i = 1; i < attempt && pause < max && factor > 1000; i++) pause = least(pause * factor / 1000, max);
    switch (backoff->jitter) {
    case 1: return uniform(random, pause);
    case 2: return pause / 2 + uniform(random, pause - pause / 2);
    case 3: return decorrelated(first, pause, max, random);
    default: return pause;
    }
}

static struct queue_verdict later(const struct queue_counts *counts, enum queue_fate fate, int64_t delay) {
    struct queue_verdict verdict = {
        .state = delay > 0 ? QUEUE_DELAYED : QUEUE_READY, .fate = fate, .delay = delay, .counts = *counts};
    return verdict;
}

static struct queue_verdict over(const struct queue_counts *counts, int32_t outcome, bool dead) {
    struct queue_verdict verdict = {
        .state = QUEUE_ENDED, .fate = QUEUE_FINISHED, .outcome = outcome, .dead = dead, .counts = *counts};
    return verdict;
}

static struct queue_verdict stay(const struct queue_counts *counts) {
    struct queue_verdict verdict = {.state = QUEUE_RUNNING, .fate = QUEUE_HANDED_BACK, .counts = *counts};
    return verdict;
}

static struct queue_verdict snooze(struct queue_counts counts, uint64_t ns) {
    int64_t pause = ns / 1000000 > (uint64_t)QUEUE_MAX_DELAY ? QUEUE_MAX_DELAY : (int64_t)(ns / 1000000);
    counts.snoozes++;
    return later(&counts, QUEUE_SNOOZED, pause < MIN_SNOOZE_MS ? MIN_SNOOZE_MS : pause);
}

static struct queue_verdict retry(struct queue_counts counts, const struct queue_backoff *backoff,
                                  const struct queue_end *end, uint64_t random) {
    if (end->status == PDK_RETRY && end->retry_after_ns) return snooze(counts, end->retry_after_ns);
    counts.attempts++;
    if (counts.attempts >= counts.max_attempts) return over(&counts, end->end, true);
    return later(&counts, QUEUE_RETRIED, queue_life_backoff(backoff, counts.attempts, random));
}

static enum move by_code(const char *code, int32_t *outcome) {
    for (size_t i = 0; i < sizeof rejections / sizeof *rejections; i++) {
        if (strcmp(rejections[i].code, code) != 0) continue;
        *outcome = rejections[i].outcome;
        return rejections[i].move;
    }
    return DIE;
}

static enum move by_reason(int32_t reason, int32_t *outcome) {
    if (reason == PDK_CANCEL_SHUTDOWN) return HAND_BACK;
    if (reason == PDK_CANCEL_DEADLINE) *outcome = PDK_END_TIMED_OUT;
    return FINISH;
}

struct queue_verdict queue_life_ended(const struct queue_counts *counts, const struct queue_backoff *backoff,
                                      const struct queue_end *end, uint64_t random) {
    bool known = end->end >= 0 && (size_t)end->end < sizeof moves / sizeof *moves;
    enum move move = known ? moves[end->end] : DIE;
    int32_t outcome = known ? end->end : PDK_END_FATAL;
    struct queue_counts once = *counts;
    if (move == BY_REASON) move = by_reason(end->reason, &outcome);
    if (move == BY_CODE) move = by_code(end->code, &outcome);
    if (move == STAY) return stay(counts);
    if (move == HAND_BACK) return later(counts, QUEUE_HANDED_BACK, 0);
    if (move == SNOOZE) return snooze(*counts, (uint64_t)SLOT_PAUSE_MS * 1000000);
    if (move == RETRY) return retry(*counts, backoff, end, random);
    if (end->end != PDK_END_REJECTED) once.attempts++;
    return over(&once, outcome, move == DIE);
}

struct queue_verdict queue_life_rescued(const struct queue_counts *counts, int64_t max_rescues, bool cancel) {
    struct queue_counts more = *counts;
    struct queue_verdict verdict;
    if (cancel) return over(counts, PDK_END_CANCELED, false);
    more.rescues++;
    verdict = more.rescues > max_rescues ? over(&more, PDK_END_LOST, true) : later(&more, QUEUE_RESCUED, 0);
    verdict.fate = QUEUE_RESCUED;
    return verdict;
}
