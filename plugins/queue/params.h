/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb of paddock.queue/1 is given. */
#ifndef QUEUE_PARAMS_H
#define QUEUE_PARAMS_H

#include "job.h"

/* Which parameters a verb takes: bits 1 << QUEUE_P_... */
enum {
    QUEUE_P_SPEC,
    QUEUE_P_TOPIC,
    QUEUE_P_PRIORITY,
    QUEUE_P_DELAY,
    QUEUE_P_UNIQUE,
    QUEUE_P_KEY,
    QUEUE_P_MAX_ATTEMPTS,
    QUEUE_P_JOB,
    QUEUE_P_STATE,
    QUEUE_P_OUTCOME,
    QUEUE_P_TASK,
    QUEUE_P_AFTER,
    QUEUE_P_LIMIT,
    QUEUE_P_REASON,
    QUEUE_P_RUNNING,
    QUEUE_P_BEFORE,
    QUEUE_P_TRACE
};

/* Texts are the params'. */
struct queue_params {
    uint32_t given; /* bits 1 << QUEUE_P_... */
    const pdk_value *spec;
    const char *topic, *unique, *key, *task, *reason, *trace;
    int64_t priority, delay, max_attempts, job_id, after, limit, running, before;
    uint32_t states, outcomes; /* bits 1 << queue_state, 1 << PDK_END_...; 0: any */
    int32_t mode;
};

/* Unknown keys, wrong types and ranges: -EINVAL, with the place. */
int32_t queue_params_read(const pdk_host *, const char *verb, uint32_t takes, uint32_t needs, const pdk_value *params,
                          struct queue_params *ret, pdk_error *);

/* A name that may be a topic's. */
bool queue_topic_is_name(const char *text);

/* The retries and back-off that a spec asks for. max_attempts is left alone when it does not say. */
int32_t queue_policy_read(const pdk_host *, const pdk_value *spec, int64_t *max_attempts, struct queue_backoff *,
                          pdk_error *);
/* A spec without what the queue keeps apart: its input, and what queue_policy_read took. Owned; NULL: it has none of
 * it, so that it can be used as it is. */
int32_t queue_policy_strip(const pdk_host *, const pdk_value *spec, const pdk_value **ret, pdk_error *);

#endif
