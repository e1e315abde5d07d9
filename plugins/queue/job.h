/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job, and how it lives. Nothing here knows of a store, a thread or a clock: life.c is functions of their arguments.
 *
 * Times are milliseconds since 1970; 0 is never.
 */
#ifndef QUEUE_JOB_H
#define QUEUE_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include <paddock/helpers.h>

enum queue_state { QUEUE_DELAYED, QUEUE_READY, QUEUE_RUNNING, QUEUE_ENDED, QUEUE_STATES };

/* What became of one claim. */
enum queue_fate {
    QUEUE_FINISHED,   /* the attempt gave the job its outcome */
    QUEUE_RETRIED,    /* it failed; attempts + 1 */
    QUEUE_SNOOZED,    /* it asked for later; snoozes + 1 */
    QUEUE_RESCUED,    /* its host is gone; rescues + 1 */
    QUEUE_HANDED_BACK /* we were shutting down; counts as nothing */
};

enum queue_unique { QUEUE_KEEP, QUEUE_REPLACE, QUEUE_DEBOUNCE };

enum {
    QUEUE_RESCUES = 3,   /* unless it is said otherwise */
    QUEUE_SUSPICION = 3, /* rescued as often or more often is as suspect as can be */
    QUEUE_MAX_PRIORITY = 100,
    QUEUE_MAX_ATTEMPTS = 1000,
    QUEUE_MAX_FACTOR = 100000,   /* in thousandths */
    QUEUE_MAX_RUNNING = 1000000, /* as a limit of a topic */
    QUEUE_TOPIC_SIZE = 64,
    QUEUE_KEY_SIZE = 256,
    QUEUE_TRACE_SIZE = 56 /* of a traceparent */
};
#define QUEUE_DAY_MS    INT64_C(86400000)
#define QUEUE_MAX_DELAY (365 * QUEUE_DAY_MS)
#define QUEUE_KEY_AGE   QUEUE_DAY_MS /* how long an idempotency key is remembered */

/* Between two attempts: first, then factor times as much, up to max. */
struct queue_backoff {
    int64_t first, max;
    int64_t factor; /* in thousandths */
    int64_t jitter; /* index of queue_jitters */
};
extern const char *const queue_jitters[]; /* none, full, equal, decorrelated; NULL-ended */
extern const struct queue_backoff queue_default_backoff;
extern const char *const queue_states[];   /* by queue_state; NULL-ended */
extern const char *const queue_counted[];  /* by queue_state, where they are counted: of ENDED the dead letters */
extern const char *const queue_outcomes[]; /* by PDK_END_...; NULL-ended */
extern const char *const queue_fates[];    /* by queue_fate */

/* What is submitted. Texts are the caller's. */
struct queue_new {
    const char *topic, *name, *kind;
    const char *spec;  /* JSON, without its input */
    const char *input; /* JSON, or NULL */
    const char *unique, *key;
    const char *trace; /* W3C traceparent, or NULL */
    int64_t priority, delay, max_attempts;
    enum queue_unique mode;
    struct queue_backoff backoff;
};

struct queue_counts {
    int64_t attempts, max_attempts, rescues, snoozes;
};

/* A row, as far as it was asked for. Texts live during the call that brings it; NULL when there is none. */
struct queue_job {
    int64_t id, fence; /* fence: a number of its own for each claim */
    enum queue_state state;
    const char *topic, *name, *kind, *spec, *input;
    int64_t priority, submitted, due, started, ended;
    struct queue_counts counts;
    struct queue_backoff backoff;
    bool cancel; /* somebody asked for its end while it ran */
    bool dead;
    bool unique;     /* it has a unique key, or had when it was claimed */
    int32_t outcome; /* PDK_END_..., when ended */
    int64_t exit_code, signal;
    const char *code, *message, *run_id, *output;
    bool traced;       /* its trace was given */
    const char *trace; /* of claim and show: as it was given, else one of its own, the same whenever it is asked for */
};

/* What follows from the end of a claim. */
struct queue_verdict {
    enum queue_state state; /* RUNNING: nothing is to be recorded */
    enum queue_fate fate;
    int32_t outcome; /* of ENDED */
    bool dead;       /* of ENDED: kept as a dead letter */
    int64_t delay;   /* of DELAYED */
    struct queue_counts counts;
};

/* How a run ended, in the words of paddock/task.h. */
struct queue_end {
    int32_t end, reason, status;
    const char *code;
    uint64_t retry_after_ns;
};

/* random: any number, for the jitter. */
struct queue_verdict queue_life_ended(const struct queue_counts *, const struct queue_backoff *,
                                      const struct queue_end *, uint64_t random);
struct queue_verdict queue_life_rescued(const struct queue_counts *, int64_t max_rescues, bool cancel);

/* The pause before attempt + 1, attempt being the one that failed, from 1. */
int64_t queue_life_backoff(const struct queue_backoff *, int64_t attempt, uint64_t random);

/* trace.c: is it a traceparent of version 00? And that of a job which was given none, from a number of its store's own. */
bool queue_trace_is(const char *text);
void queue_trace_make(char ret[static QUEUE_TRACE_SIZE], uint64_t seed, int64_t id);

/* text.c: copy what fits, never half a character; what is no text becomes "?". */
void queue_cut(char *buf, size_t size, const char *text);
int queue_index(const char *const *words, const char *word); /* -1: it is none of them */
/* As JSON, to be freed. -E2BIG: it has more than max bytes; -ENOMEM. Then *ret is left alone. */
int32_t queue_print(const pdk_values *, const pdk_value *, size_t max, char **ret);

/* Numbers that lie beside each other get far apart, as if by chance (splitmix64). */
static inline uint64_t queue_mix(uint64_t z) {
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

#endif
