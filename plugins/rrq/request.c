/* SPDX-License-Identifier: Apache-2.0 */
/* What an orchestrator sends, and what it reads of an outcome. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "drive.h"
#include "frame.h"
#include "timestamp.h"

/* ---- frames ---- */

struct sink {
    struct pdk_rrq_buffer *to;
    size_t from; /* where the frame begins */
    int32_t error;
};

static void put(void *arg, const char *data, size_t size) {
    struct sink *sink = arg;
    if (sink->error) return;
    if (sink->to->size - sink->from + size > PDK_RRQ_HEAD + (size_t)PDK_RRQ_FRAME_MAX)
        sink->error = -E2BIG;
    else
        sink->error = pdk_rrq_buffer_add(sink->to, data, size);
}

static int32_t put_frame(const pdk_host *host, const pdk_value *value, struct pdk_rrq_buffer *to) {
    struct sink sink = {to, to->size, 0};
    char head[PDK_RRQ_HEAD] = {0};
    int32_t rc;
    put(&sink, head, sizeof head);
    rc = host->values->print(host->values, value, PDK_JSON_PLAIN, put, &sink);
    if (sink.error) rc = sink.error;
    if (rc) {
        to->size = sink.from;
        return rc;
    }
    pdk_rrq_frame_head(head, to->size - sink.from - PDK_RRQ_HEAD);
    memcpy(to->data + to->start + sink.from, head, sizeof head);
    return 0;
}

/* ---- small parts ---- */

void pdk_rrq_uuid(char ret[PDK_RRQ_ID]) {
    unsigned char b[16];
    char *to = ret;
    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b) memset(b, 0, sizeof b); /* cannot be, once the system is up */
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
        *to++ = "0123456789abcdef"[b[i] >> 4];
        *to++ = "0123456789abcdef"[b[i] & 15];
    }
    *to = '\0';
}

uint64_t pdk_rrq_random(void) {
    uint64_t n = 0;
    if (getrandom(&n, sizeof n, GRND_NONBLOCK) != (ssize_t)sizeof n) n = 0;
    return n;
}

static void put_text(const pdk_values *v, pdk_writer *w, const char *key, const char *text) {
    v->key(w, key);
    v->put_string(w, text, strlen(text));
}

static void put_map(const pdk_values *v, pdk_writer *w, const char *key, const pdk_value *map) {
    v->key(w, key);
    if (map) {
        v->put_value(w, map);
        return;
    }
    v->put_map(w);
    v->end(w);
}

static pdk_writer *begin(const pdk_values *v, const char *type, uint32_t protocol) {
    pdk_writer *w = v->open(v);
    v->put_map(w);
    put_text(v, w, "type", type);
    v->key(w, "payload");
    v->put_map(w);
    put_text(v, w, "protocol_version", protocol == 1 ? "1" : "2");
    return w;
}

static int32_t finish(const pdk_host *host, pdk_writer *w, struct pdk_rrq_buffer *to, pdk_error *err) {
    const pdk_value *value = NULL;
    int32_t rc;
    host->values->end(w);
    host->values->end(w);
    rc = host->values->close(w, &value, err);
    if (rc) return rc;
    rc = put_frame(host, value, to);
    host->values->drop(value);
    return rc;
}

/* ---- the request ---- */

static const char *job_id(const struct pdk_rrq_job *job) {
    return job->job_id ? job->job_id : job->run_id;
}

static void put_arguments(const pdk_values *v, pdk_writer *w, const struct pdk_rrq_job *job) {
    if (job->pool->drive.protocol == 2) {
        put_map(v, w, "params", job->params);
        return;
    }
    v->key(w, "args");
    if (job->args) {
        v->put_value(w, job->args);
    } else {
        v->put_list(w);
        v->end(w);
    }
    put_map(v, w, "kwargs", job->kwargs ? job->kwargs : job->params);
}

static void put_time(const pdk_values *v, pdk_writer *w, const char *key, uint64_t unix_ns) {
    char text[48];
    pdk_rrq_time_print(unix_ns, text, sizeof text);
    put_text(v, w, key, text);
}

static void put_context(const pdk_values *v, pdk_writer *w, const struct pdk_rrq_job *job) {
    v->key(w, "context");
    v->put_map(w);
    put_text(v, w, "job_id", job_id(job));
    v->key(w, "attempt");
    v->put_int(w, job->number);
    put_time(v, w, "enqueue_time", job->enqueued);
    put_text(v, w, "queue_name", job->queue_name);
    if (job->deadline) put_time(v, w, "deadline", job->deadline);
    if (job->trace[0]) {
        v->key(w, "trace_context");
        v->put_map(w);
        put_text(v, w, "traceparent", job->trace);
        v->end(w);
    }
    if (job->correlation) {
        v->key(w, "correlation_context");
        v->put_value(w, job->correlation);
    }
    put_text(v, w, "worker_id", job->pool->worker_id);
    v->end(w);
}

int32_t pdk_rrq_request_write(const struct pdk_rrq_job *job, struct pdk_rrq_buffer *to, pdk_error *err) {
    const pdk_host *host = job->pool->host;
    const pdk_values *v = host->values;
    pdk_writer *w = begin(v, "request", job->pool->drive.protocol);
    put_text(v, w, "request_id", job->id);
    put_text(v, w, "job_id", job_id(job));
    put_text(v, w, "function_name", job->function);
    put_arguments(v, w, job);
    put_context(v, w, job);
    return finish(host, w, to, err);
}

int32_t pdk_rrq_cancel_write(const struct pdk_rrq_job *job, struct pdk_rrq_buffer *to) {
    const pdk_host *host = job->pool->host;
    const pdk_values *v = host->values;
    pdk_error err = PDK_ERROR;
    pdk_writer *w = begin(v, "cancel", job->pool->drive.protocol);
    put_text(v, w, "job_id", job_id(job));
    put_text(v, w, "request_id", job->id);
    v->key(w, "hard_kill");
    v->put_bool(w, 0);
    return finish(host, w, to, &err);
}

/* A function that nobody has: who answers handler_not_found speaks our version and has its handlers. */
int32_t pdk_rrq_probe_write(struct pdk_rrq_pool *pool, const char *id, struct pdk_rrq_buffer *to) {
    struct pdk_rrq_job probe = {
        .pool = pool, .function = "__paddock_probe__", .queue_name = "paddock:probe", .job_id = id, .number = 1};
    pdk_error err = PDK_ERROR;
    probe.enqueued = pool->host->unix_ns(pool->host);
    (void)memcpy(probe.id, id, PDK_RRQ_ID);
    return pdk_rrq_request_write(&probe, to, &err);
}

/* ---- the outcome ---- */

static const char *text_of(const pdk_host *host, const pdk_value *map, const char *key) {
    const char *text = NULL;
    (void)pdk_text(host, host->values->get(map, key), &text);
    return text;
}

static const char *known_status(const char *status) {
    static const char *const known[] = {"success", "retry", "timeout", "error"};
    for (size_t i = 0; status && i < sizeof known / sizeof *known; i++)
        if (!strcmp(status, known[i])) return known[i];
    return NULL;
}

static void read_retry_after(const pdk_host *host, const pdk_value *payload, struct pdk_rrq_reply *ret) {
    const pdk_value *v = host->values->get(payload, "retry_after_seconds");
    double seconds = 0;
    if (host->values->type(v) == PDK_NULL) return;
    if (host->values->number(v, &seconds) || isnan(seconds)) {
        ret->wrong = "its retry_after_seconds is no number";
        return;
    }
    ret->has_retry_after = true;
    if (seconds > 0) ret->retry_after = seconds < 1e9 ? (uint64_t)(seconds * 1e9) : UINT64_C(1000000000000000000);
}

void pdk_rrq_reply_read(const pdk_host *host, const pdk_value *payload, struct pdk_rrq_reply *ret) {
    const pdk_values *values = host->values;
    const pdk_value *error = values->get(payload, "error");
    *ret = (struct pdk_rrq_reply){.payload = payload,
                                  .request_id = text_of(host, payload, "request_id"),
                                  .job_id = text_of(host, payload, "job_id"),
                                  .status = known_status(text_of(host, payload, "status")),
                                  .result = values->get(payload, "result"),
                                  .details = values->get(error, "details"),
                                  .type = text_of(host, error, "type"),
                                  .code = text_of(host, error, "code"),
                                  .message = text_of(host, error, "message")};
    read_retry_after(host, payload, ret);
    if (!ret->status) ret->wrong = "its status is none of success, retry, timeout and error";
    if (values->type(error) != PDK_NULL && !ret->message) ret->wrong = "its error has no message";
}
