/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two sides of RRQ say to each other: envelopes, requests, cancels and outcomes, from values and to bytes.
 * Knows no connection. All strings are borrowed from the value they were read from.
 */
#ifndef RRQ_MESSAGE_H
#define RRQ_MESSAGE_H

#include <stdbool.h>

#include <paddock/helpers.h>

#include "buffer.h"

enum pdk_rrq_type { PDK_RRQ_REQUEST, PDK_RRQ_RESPONSE, PDK_RRQ_CANCEL };

struct pdk_rrq_envelope {
    enum pdk_rrq_type type;
    const pdk_value *payload; /* a map */
};

struct pdk_rrq_request {
    const pdk_value *payload;
    const char *request_id, *job_id, *function; /* NULL only after a failure */
    const char *version;
    const pdk_value *params, *args;                /* of version "1": kwargs and args; NULL: none */
    const char *worker, *traceparent, *tracestate; /* NULL: none */
    const pdk_value *correlation;                  /* a map of what the job belongs to; NULL: none */
    uint64_t deadline_unix;                        /* ns since 1970; 0: none */
};

struct pdk_rrq_cancel {
    const char *job_id, *request_id; /* request_id NULL: all of that job */
};

/* An outcome to be sent. Strings may be NULL, but message goes with each status other than success. */
struct pdk_rrq_outcome {
    const char *job_id, *request_id;
    const char *status;      /* success, retry, timeout or error: whoever reads any other breaks the connection off */
    const pdk_value *result; /* with success; NULL: null */
    const char *message, *type, *code;
    const pdk_value *details; /* NULL: none */
    bool retries;             /* retry_after_ns is meant; else the orchestrator has a back-off of its own */
    uint64_t retry_after_ns;
};

/* 0, or -EINVAL with words: no envelope, of no known type, or without a payload. */
int32_t pdk_rrq_envelope_read(const pdk_host *host, const pdk_value *value, struct pdk_rrq_envelope *ret,
                              pdk_error *err);

/* 0, -EINVAL, or -EPROTO: of a version that we do not speak. ids that could be read are there in every case. */
int32_t pdk_rrq_request_read(const pdk_host *host, const pdk_value *payload, struct pdk_rrq_request *ret,
                             pdk_error *err);
int32_t pdk_rrq_cancel_read(const pdk_host *host, const pdk_value *payload, struct pdk_rrq_cancel *ret, pdk_error *err);

/* The parameters as one map, owned by the caller: positional ones of version "1" become the key args. 0, -EINVAL: args
 * is there already; -ENOMEM. */
int32_t pdk_rrq_request_params(const pdk_host *host, const struct pdk_rrq_request *request, const pdk_value **ret,
                               pdk_error *err);

/* Add a whole frame. 0; -E2BIG: longer than a frame may be; -ENOMEM. On failure nothing was added. */
int32_t pdk_rrq_outcome_write(const pdk_host *host, const struct pdk_rrq_outcome *outcome, struct pdk_rrq_buffer *to);

#endif
