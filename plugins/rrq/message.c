/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <inttypes.h>

#include "frame.h"
#include "timestamp.h"

#define SECOND UINT64_C(1000000000)

/* ---- reading */

enum want { OPTIONAL, REQUIRED };

/* Null is as good as absent. */
static const pdk_value *member(const pdk_host *host, const pdk_value *map, const char *key) {
    const pdk_value *value = host->values->get(map, key);
    return host->values->type(value) == PDK_NULL ? NULL : value;
}

static int32_t read_text(const pdk_host *host, const pdk_value *map, const char *key, enum want want, const char **ret,
                         pdk_error *err) {
    const pdk_value *value = member(host, map, key);
    if (!value && want == OPTIONAL) return 0;
    if (!value) return pdk_failf(err, -EINVAL, map, "\"%s\" is missing", key);
    if (host->values->string(value, ret) == 0) return 0;
    return pdk_failf(err, -EINVAL, value, "\"%s\" is no string", key);
}

static int32_t read_typed(const pdk_host *host, const pdk_value *map, const char *key, int32_t type,
                          const pdk_value **ret, pdk_error *err) {
    const pdk_value *value = host->values->get(map, key);
    *ret = value;
    if (!value || host->values->type(value) == type) return 0;
    return pdk_failf(err, -EINVAL, value, "\"%s\" wants %s, not %s", key, pdk_type_name(type),
                     pdk_type_name(host->values->type(value)));
}

static int32_t read_time(const pdk_host *host, const pdk_value *map, const char *key, enum want want, uint64_t *ret,
                         pdk_error *err) {
    const char *text = NULL;
    int32_t rc = read_text(host, map, key, want, &text, err);
    if (rc < 0 || !text) return rc;
    return pdk_rrq_time_parse(text, ret) == 0 ? 0 : pdk_failf(err, -EINVAL, map, "Invalid %s timestamp", key);
}

int32_t pdk_rrq_envelope_read(const pdk_host *host, const pdk_value *value, struct pdk_rrq_envelope *ret,
                              pdk_error *err) {
    static const char *const types[] = {"request", "response", "cancel"};
    const char *type = NULL;
    if (host->values->type(value) != PDK_MAP) return pdk_fail(err, -EINVAL, value, "no message", NULL, NULL);
    ret->payload = host->values->get(value, "payload");
    int32_t rc = read_text(host, value, "type", REQUIRED, &type, err);
    if (rc < 0 || !type) return rc;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i]) != 0) continue;
        ret->type = (enum pdk_rrq_type)i;
        if (host->values->type(ret->payload) == PDK_MAP) return 0;
        return pdk_fail(err, -EINVAL, value, "\"payload\" wants a map", NULL, NULL);
    }
    return pdk_failf(err, -EINVAL, value, "unexpected message of type \"%.40s\"", type);
}

static int32_t read_attempt(const pdk_host *host, const pdk_value *context, pdk_error *err) {
    const pdk_value *value = host->values->get(context, "attempt");
    int64_t attempt;
    if (host->values->type(value) == PDK_INT && host->values->integer(value, &attempt) == 0 && attempt >= 0 &&
        attempt <= UINT32_MAX)
        return 0;
    return pdk_fail(err, -EINVAL, context, "\"attempt\" wants a number from 0 to 4294967295", NULL, NULL);
}

/* A map of strings, of which we want two. */
static int32_t read_trace(const pdk_host *host, const pdk_value *context, struct pdk_rrq_request *ret, pdk_error *err) {
    const pdk_value *trace = member(host, context, "trace_context");
    if (!trace) return 0;
    if (host->values->type(trace) != PDK_MAP)
        return pdk_fail(err, -EINVAL, trace, "\"trace_context\" wants a map", NULL, NULL);
    int32_t rc = read_text(host, trace, "traceparent", OPTIONAL, &ret->traceparent, err);
    return rc == 0 ? read_text(host, trace, "tracestate", OPTIONAL, &ret->tracestate, err) : rc;
}

static int32_t read_correlation(const pdk_host *host, const pdk_value *context, struct pdk_rrq_request *ret,
                                pdk_error *err) {
    ret->correlation = member(host, context, "correlation_context");
    if (!ret->correlation || host->values->type(ret->correlation) == PDK_MAP) return 0;
    return pdk_fail(err, -EINVAL, ret->correlation, "\"correlation_context\" wants a map", NULL, NULL);
}

static int32_t read_context(const pdk_host *host, struct pdk_rrq_request *ret, pdk_error *err) {
    const pdk_value *context = NULL;
    const char *text;
    uint64_t time;
    int32_t rc = read_typed(host, ret->payload, "context", PDK_MAP, &context, err);
    if (rc == 0 && !context) rc = pdk_fail(err, -EINVAL, ret->payload, "\"context\" is missing", NULL, NULL);
    if (rc == 0) rc = read_text(host, context, "job_id", REQUIRED, &text, err);
    if (rc == 0) rc = read_attempt(host, context, err);
    if (rc == 0) rc = read_time(host, context, "enqueue_time", REQUIRED, &time, err);
    if (rc == 0) rc = read_text(host, context, "queue_name", REQUIRED, &text, err);
    if (rc == 0) rc = read_time(host, context, "deadline", OPTIONAL, &ret->deadline_unix, err);
    if (rc == 0) rc = read_text(host, context, "worker_id", OPTIONAL, &ret->worker, err);
    if (rc == 0) rc = read_correlation(host, context, ret, err);
    return rc == 0 ? read_trace(host, context, ret, err) : rc;
}

/* Before anything that another version may say otherwise. */
static int32_t read_version(const pdk_host *host, const pdk_value *payload, const char **ret, pdk_error *err) {
    int32_t rc = read_text(host, payload, "protocol_version", OPTIONAL, ret, err);
    if (rc < 0 || strcmp(*ret, "2") == 0 || strcmp(*ret, "1") == 0) return rc;
    return pdk_fail(err, -EPROTO, payload, "Unsupported protocol version", NULL, NULL);
}

int32_t pdk_rrq_request_read(const pdk_host *host, const pdk_value *payload, struct pdk_rrq_request *ret,
                             pdk_error *err) {
    pdk_error other = PDK_ERROR; /* ids first, whatever else is wrong */
    *ret = (struct pdk_rrq_request){.payload = payload, .version = "2"};
    int32_t rc = read_text(host, payload, "request_id", REQUIRED, &ret->request_id, err);
    int32_t job = read_text(host, payload, "job_id", REQUIRED, &ret->job_id, rc < 0 ? &other : err);
    if (rc == 0) rc = job;
    if (rc == 0) rc = read_version(host, payload, &ret->version, err);
    if (rc == 0) rc = read_text(host, payload, "function_name", REQUIRED, &ret->function, err);
    if (rc < 0) return rc;
    if (strcmp(ret->version, "1") == 0) {
        rc = read_typed(host, payload, "kwargs", PDK_MAP, &ret->params, err);
        if (rc == 0) rc = read_typed(host, payload, "args", PDK_LIST, &ret->args, err);
    } else {
        rc = read_typed(host, payload, "params", PDK_MAP, &ret->params, err);
    }
    return rc == 0 ? read_context(host, ret, err) : rc;
}

int32_t pdk_rrq_cancel_read(const pdk_host *host, const pdk_value *payload, struct pdk_rrq_cancel *ret,
                            pdk_error *err) {
    const char *version = "2";
    *ret = (struct pdk_rrq_cancel){NULL, NULL};
    int32_t rc = read_version(host, payload, &version, err);
    if (rc == 0) rc = read_text(host, payload, "job_id", REQUIRED, &ret->job_id, err);
    return rc == 0 ? read_text(host, payload, "request_id", OPTIONAL, &ret->request_id, err) : rc;
}

static int32_t join_args(const pdk_host *host, const struct pdk_rrq_request *request, const pdk_value **ret,
                         pdk_error *err) {
    const pdk_values *v = host->values;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    for (size_t i = 0; i < v->count(request->params); i++) {
        v->key(w, v->key_at(request->params, i));
        v->put_value(w, v->at(request->params, i));
    }
    if (v->count(request->args)) {
        v->key(w, "args");
        v->put_value(w, request->args);
    }
    v->end(w);
    return v->close(w, ret, err);
}

int32_t pdk_rrq_request_params(const pdk_host *host, const struct pdk_rrq_request *request, const pdk_value **ret,
                               pdk_error *err) {
    const pdk_values *v = host->values;
    if (request->params && !v->count(request->args)) {
        *ret = v->hold(request->params);
        return 0;
    }
    return join_args(host, request, ret, err);
}

/* ---- writing */

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

static void put_raw(struct sink *sink, const char *text) {
    put(sink, text, strlen(text));
}

static void put_value(const pdk_host *host, struct sink *sink, const pdk_value *value) {
    int32_t rc = value ? host->values->print(host->values, value, PDK_JSON_PLAIN, put, sink) : 0;
    if (!value) put_raw(sink, "null");
    if (rc < 0 && !sink->error) sink->error = rc;
}

/* Is all of it made of characters that stand for themselves in JSON? Most ids and words are. */
static bool is_plain(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e || *text == '"' || *text == '\\') return false;
    return true;
}

/* What is not valid UTF-8, from a program's output perhaps, must not break the connection: such bytes become '?'. */
static void put_odd(const pdk_host *host, struct sink *sink, const char *text) {
    const pdk_values *v = host->values;
    const pdk_value *value = NULL;
    size_t size = strlen(text);
    pdk_writer *w = v->open(v);
    v->put_string(w, text, size);
    int32_t rc = v->close(w, &value, NULL);
    if (rc == -ENOMEM) sink->error = rc;
    if (rc == 0) put_value(host, sink, value);
    v->drop(value);
    if (rc == 0 || sink->error) return;
    put_raw(sink, "\"");
    for (size_t i = 0; i < size; i++) {
        char c[2] = {text[i], '\0'};
        put(sink, is_plain(c) ? c : "?", 1);
    }
    put_raw(sink, "\"");
}

/* ,"key":"text" */
static void put_text(const pdk_host *host, struct sink *sink, const char *key, const char *text) {
    if (!text) return;
    put_raw(sink, key);
    if (!is_plain(text)) {
        put_odd(host, sink, text);
        return;
    }
    put_raw(sink, "\"");
    put_raw(sink, text);
    put_raw(sink, "\"");
}

static void put_error(const pdk_host *host, struct sink *sink, const struct pdk_rrq_outcome *outcome) {
    put_text(host, sink, ",\"error\":{\"message\":", outcome->message);
    put_text(host, sink, ",\"type\":", outcome->type);
    put_text(host, sink, ",\"code\":", outcome->code);
    if (outcome->details) {
        put_raw(sink, ",\"details\":");
        put_value(host, sink, outcome->details);
    }
    put_raw(sink, "}");
}

static void put_outcome(const pdk_host *host, struct sink *sink, const struct pdk_rrq_outcome *outcome) {
    char number[64];
    put_raw(sink, "{\"type\":\"response\",\"payload\":{\"job_id\":");
    put_text(host, sink, "", outcome->job_id);
    put_text(host, sink, ",\"request_id\":", outcome->request_id);
    put_text(host, sink, ",\"status\":", outcome->status);
    if (outcome->message) {
        put_error(host, sink, outcome);
    } else {
        put_raw(sink, ",\"result\":");
        put_value(host, sink, outcome->result);
    }
    if (outcome->retries) {
        (void)snprintf(number, sizeof number, ",\"retry_after_seconds\":%" PRIu64 ".%09" PRIu64,
                       outcome->retry_after_ns / SECOND, outcome->retry_after_ns % SECOND);
        put_raw(sink, number);
    }
    put_raw(sink, "}}");
}

int32_t pdk_rrq_outcome_write(const pdk_host *host, const struct pdk_rrq_outcome *outcome, struct pdk_rrq_buffer *to) {
    struct sink sink = {.to = to, .from = to->size};
    char head[PDK_RRQ_HEAD] = {0};
    put(&sink, head, sizeof head);
    put_outcome(host, &sink, outcome);
    if (sink.error) {
        to->size = sink.from;
        return sink.error;
    }
    pdk_rrq_frame_head(head, to->size - sink.from - PDK_RRQ_HEAD);
    memcpy(to->data + to->start + sink.from, head, sizeof head);
    return 0;
}
