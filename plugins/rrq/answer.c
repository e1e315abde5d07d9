/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an outcome to the words of RRQ. An orchestrator knows four things: success, retry (after a time), timeout (never
 * again), and error, which is tried again after its own back-off unless its type is handler_not_found. That type is the
 * only way to say that trying again is in vain, so it is what a fatal outcome gets; what it really was is the code.
 */
#include "rrq.h"

static void write_outcome(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                          struct pdk_rrq_outcome *outcome) {
    const pdk_host *host = connection->self->host;
    const struct pdk_rrq_outcome too_large = {.job_id = request->job_id,
                                              .request_id = request->request_id,
                                              .status = "error",
                                              .message = "the result is larger than 16 MiB",
                                              .type = "handler_not_found",
                                              .code = "result_too_large"},
                                 *said = outcome;
    outcome->job_id = request->job_id;
    outcome->request_id = request->request_id;
    int32_t rc = pdk_rrq_outcome_write(host, said, &connection->out);
    if (rc == -E2BIG) {
        said = &too_large;
        rc = pdk_rrq_outcome_write(host, said, &connection->out);
    }
    if (rc == 0) pdk_rrq_meter_answer(connection->self, said->status, said->type);
    if (rc < 0) connection->broken = true; /* the request must not wait for an answer that will not come */
    pdk_rrq_output_dirty(connection);
}

void pdk_rrq_answer_error(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                          const char *type, const char *message) {
    struct pdk_rrq_outcome outcome = {.status = "error", .message = message, .type = type};
    write_outcome(connection, request, &outcome);
}

void pdk_rrq_answer_hopeless(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                             const char *code, const char *message) {
    struct pdk_rrq_outcome outcome = {.status = "error", .message = message, .type = "handler_not_found", .code = code};
    write_outcome(connection, request, &outcome);
}

void pdk_rrq_answer_timeout(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                            const char *message) {
    struct pdk_rrq_outcome outcome = {.status = "timeout", .message = message, .type = "timeout"};
    write_outcome(connection, request, &outcome);
}

void pdk_rrq_answer_later(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                          const char *type, const char *message) {
    struct pdk_rrq_outcome outcome = {.status = "retry", .message = message, .type = type, .retries = true};
    write_outcome(connection, request, &outcome);
}

static const char *category_name(int32_t category) {
    static const char *const names[] = {NULL,   "other", "input",  "missing", "denied",  "busy",    "network",
                                        "peer", "exit",  "signal", "memory",  "timeout", "internal"};
    return category > 0 && category < (int32_t)(sizeof names / sizeof *names) ? names[category] : "other";
}

static void put_text(const pdk_values *v, pdk_writer *w, const char *key, const char *text) {
    if (!*text) return;
    v->key(w, key);
    v->put_string(w, text, strlen(text));
}

static void put_number(const pdk_values *v, pdk_writer *w, const char *key, int64_t number) {
    if (!number) return;
    v->key(w, key);
    v->put_int(w, number);
}

/* For people who look into it; NULL when it cannot be had. */
static const pdk_value *details_of(const pdk_values *v, const pdk_outcome *outcome) {
    const pdk_result *last = outcome->last;
    const pdk_value *value = NULL;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    put_text(v, w, "run_id", outcome->run_id);
    put_text(v, w, "runner", outcome->runner);
    put_number(v, w, "attempts", outcome->attempts);
    if (last->category) put_text(v, w, "category", category_name(last->category));
    put_number(v, w, "exit_code", last->exit_code);
    put_number(v, w, "signal", last->signal);
    v->end(w);
    return v->close(w, &value, NULL) == 0 ? value : NULL;
}

static bool is_late(const pdk_outcome *outcome) {
    return outcome->end == PDK_END_TIMED_OUT || outcome->reason == PDK_CANCEL_DEADLINE ||
           (outcome->end == PDK_END_REJECTED && strcmp(outcome->last->code, "deadline") == 0);
}

/* Ended because we do, and so somebody else may run it. */
static bool is_given_back(const pdk_outcome *outcome) {
    return outcome->reason == PDK_CANCEL_SHUTDOWN || strcmp(outcome->last->code, "shutting_down") == 0;
}

static void fill_failure(const pdk_outcome *outcome, struct pdk_rrq_outcome *ret) {
    const pdk_result *last = outcome->last;
    const char *code = *last->code ? last->code : NULL;
    ret->status = "error";
    ret->type = category_name(last->category);
    ret->code = code;
    switch (outcome->end) {
    case PDK_END_CANCELED: ret->type = "cancelled"; break;
    case PDK_END_LOST: ret->type = "lost"; break;
    case PDK_END_REJECTED: ret->type = code ? code : "rejected"; break;
    case PDK_END_FATAL:
        ret->code = code ? code : ret->type;
        ret->type = "handler_not_found";
        break;
    default:
        if (last->status != PDK_RETRY) break;
        ret->status = "retry";
        ret->retries = true;
        ret->retry_after_ns = last->retry_after_ns;
        break;
    }
}

static void fill(const pdk_outcome *outcome, struct pdk_rrq_outcome *ret) {
    const char *said = outcome->last->message;
    bool canceled =
        outcome->reason == PDK_CANCEL_USER && (outcome->end == PDK_END_CANCELED || outcome->end == PDK_END_REJECTED);
    if (is_given_back(outcome)) {
        *ret = (struct pdk_rrq_outcome){
            .status = "retry", .message = "shutting down", .type = "shutting_down", .retries = true};
    } else if (is_late(outcome)) {
        *ret = (struct pdk_rrq_outcome){.status = "timeout", .message = "Job execution timed out", .type = "timeout"};
    } else if (canceled) {
        *ret = (struct pdk_rrq_outcome){.status = "error", .message = "Job cancelled", .type = "cancelled"};
    } else {
        fill_failure(outcome, ret);
        ret->message = *said ? said : "the job failed";
    }
}

void pdk_rrq_answer_outcome(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                            const pdk_outcome *outcome) {
    const pdk_values *v = connection->self->host->values;
    struct pdk_rrq_outcome answer = {.status = "success", .result = outcome->last->output};
    if (outcome->end != PDK_END_SUCCEEDED) {
        fill(outcome, &answer);
        answer.details = details_of(v, outcome);
    }
    write_outcome(connection, request, &answer);
    v->drop(answer.details);
}
