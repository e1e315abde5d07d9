/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of paddock.queue/1 give, as values. [any] */
#ifndef QUEUE_ANSWER_H
#define QUEUE_ANSWER_H

#include "store.h"

struct queue_answer {
    const pdk_values *values;
    pdk_writer *writer;
    int64_t now;
    int64_t totals[QUEUE_STATES];
    int64_t oldest;
};

void queue_answer_open(struct queue_answer *, const pdk_host *);
int32_t queue_answer_close(struct queue_answer *, const pdk_value **ret, pdk_error *);
void queue_answer_key(struct queue_answer *, const char *key);
void queue_answer_int(struct queue_answer *, const char *key, int64_t number);
void queue_answer_bool(struct queue_answer *, const char *key, bool);
void queue_answer_id(struct queue_answer *, const char *key, int64_t id); /* as text */

/* The members of a job, into the map that is open; spec, input and output where it has them. */
void queue_answer_job(struct queue_answer *, const struct queue_job *);
void queue_answer_attempt(struct queue_answer *, const struct queue_attempt *);
/* The members of a topic, and its counts are added to the totals. */
void queue_answer_topic(struct queue_answer *, const struct queue_topic *);
void queue_answer_totals(struct queue_answer *);

#endif
