/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task, and its attempts.
 *
 *     IDLE -- start --> WAITING -- a process has room --> SENT -- outcome, or its process is gone --> IDLE
 *                          '------------ cancel ------------------------------------------------------^
 *
 * cancel of what was sent asks the runner; the attempt ends with the runner's reply. kill ends the process.
 */
#include <stdlib.h>
#include <string.h>

#include "drive.h"

static const pdk_param params[] = {
    PDK_PARAM("function", PDK_STRING, PDK_REQUIRED, NULL, "The handler to call, by the name it is registered under"),
    PDK_PARAM("params", PDK_MAP, 0, NULL, "What it is called with; default: the input, if that is a map"),
    PDK_PARAM("args", PDK_LIST, 0, NULL, "Arguments by position, with protocol 1"),
    PDK_PARAM("kwargs", PDK_MAP, 0, NULL, "Arguments by name, with protocol 1"),
    PDK_PARAM("queue_name", PDK_STRING, 0, "rrq:queue:default", "What the handler is told to come from"),
    PDK_PARAM("job_id", PDK_STRING, 0, NULL, "The job's id; default: the run's"),
    PDK_PARAM("correlation", PDK_STRING_MAP, 0, NULL, "Passed on as correlation_context"),
    PDK_PARAM("input", PDK_ANY, 0, NULL, "The task's input, handed on by Paddock"),
    PDK_PARAM_END,
};

const pdk_schema pdk_rrq_kind = PDK_SCHEMA("rrq", "Calls a handler of an RRQ runner", params);

/* ---- building ---- */

static const pdk_value *given(const struct pdk_rrq_job *job, const char *key) {
    const pdk_values *values = job->pool->host->values;
    const pdk_value *v = values->get(job->spec->with, key);
    return values->type(v) == PDK_NULL ? NULL : v;
}

/* params, or args and kwargs, or the input in their place. */
static int32_t read_arguments(struct pdk_rrq_job *job, pdk_error *err) {
    const pdk_values *values = job->pool->host->values;
    const pdk_value *input = given(job, "input");
    if (!input && values->type(job->spec->input) != PDK_NULL) input = job->spec->input;
    job->params = given(job, "params");
    job->args = given(job, "args");
    job->kwargs = given(job, "kwargs");
    if (job->pool->drive.protocol == 2 && (job->args || job->kwargs))
        return pdk_fail(err, -EINVAL, job->args ? job->args : job->kwargs,
                        "args and kwargs are of protocol 1, and this runner speaks 2: write params", NULL, NULL);
    if (job->params && job->kwargs)
        return pdk_fail(err, -EINVAL, job->kwargs, "params and kwargs exclude each other", NULL, NULL);
    if (!input) return 0;
    if (job->params || job->args || job->kwargs)
        return pdk_fail(err, -EINVAL, input, "the arguments are given twice: in `with` and as input", NULL, NULL);
    if (values->type(input) != PDK_MAP)
        return pdk_fail(err, -EINVAL, input, "the input of a handler is a map, not ",
                        pdk_type_name(values->type(input)), NULL);
    job->params = input;
    return 0;
}

static int32_t read_task(struct pdk_rrq_job *job, pdk_error *err) {
    const pdk_host *host = job->pool->host;
    const pdk_value *with = job->spec->with;
    int32_t rc = pdk_need_string(host, with, "function", &job->function, err);
    if (!rc) rc = pdk_take_string(host, with, "queue_name", &job->queue_name, err);
    if (!rc) rc = pdk_take_string(host, with, "job_id", &job->job_id, err);
    if (rc) return rc;
    if (!*job->function)
        return pdk_fail(err, -EINVAL, given(job, "function"), "the function's name is empty", NULL, NULL);
    if (job->job_id && !*job->job_id)
        return pdk_fail(err, -EINVAL, given(job, "job_id"), "the id is empty", NULL, NULL);
    job->correlation = given(job, "correlation");
    return read_arguments(job, err);
}

int32_t pdk_rrq_build(struct pdk_rrq_pool *pool, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct pdk_rrq_job *job = calloc(1, sizeof *job);
    int32_t rc;
    if (!job) return -ENOMEM;
    job->pool = pool;
    job->spec = spec;
    job->function = "";
    job->queue_name = "rrq:queue:default";
    rc = read_task(job, err);
    if (rc) {
        free(job);
        return rc;
    }
    *ret = job;
    return 0;
}

/* ---- how it ends ---- */

void pdk_rrq_job_end(struct pdk_rrq_job *job, const pdk_result *result) {
    const pdk_host *host = job->pool->host;
    job->state = PDK_RRQ_JOB_IDLE;
    free(job->run_id);
    job->run_id = NULL;
    (void)host->done(host, job->attempt, result);
}

void pdk_rrq_job_fail(struct pdk_rrq_job *job, int32_t status, int32_t category, const char *code, const char *why) {
    pdk_result result = PDK_RESULT(status, category, why);
    result.code = code;
    if (job->asked) {
        result.status = PDK_CANCELED;
        result.category = PDK_CAT_NONE;
    }
    pdk_rrq_job_end(job, &result);
}

/* What errors mean whose type, or whose fixed message, the protocol gives. */
static const struct known_error {
    const char *type, *message;
    int32_t status, category;
    const char *code;
    uint64_t retry_after;
} known_errors[] = {
    {"handler_not_found", NULL, PDK_FATAL, PDK_CAT_MISSING, "handler_not_found", 0},
    {"timeout", NULL, PDK_FAILURE, PDK_CAT_TIMEOUT, "timeout", 0},
    {NULL, "Unsupported protocol version", PDK_FATAL, PDK_CAT_PEER, "protocol_version", 0},
    /* it was not begun, so another attempt costs nothing but the pause */
    {NULL, "Runner busy: too many in-flight requests", PDK_RETRY, PDK_CAT_BUSY, "busy", 1000000000},
};

static bool same(const char *a, const char *b) {
    return a && b && !strcmp(a, b);
}

static void judge_error(const struct pdk_rrq_reply *outcome, pdk_result *result) {
    result->status = PDK_FAILURE;
    result->category = PDK_CAT_PEER;
    result->code = outcome->type ? outcome->type : outcome->code;
    for (size_t i = 0; i < sizeof known_errors / sizeof *known_errors; i++) {
        const struct known_error *known = &known_errors[i];
        if (!same(known->type, outcome->type) && (outcome->type || !same(known->message, outcome->message))) continue;
        result->status = known->status;
        result->category = known->category;
        result->code = known->code;
        result->retry_after_ns = known->retry_after;
    }
}

static void judge(const struct pdk_rrq_reply *outcome, pdk_result *result) {
    *result = (pdk_result)PDK_RESULT(PDK_SUCCESS, PDK_CAT_NONE, outcome->message);
    result->output = outcome->result;
    if (!strcmp(outcome->status, "success")) return;
    result->output = outcome->details;
    if (!strcmp(outcome->status, "error")) {
        judge_error(outcome, result);
    } else if (!strcmp(outcome->status, "timeout")) {
        result->status = PDK_FAILURE;
        result->category = PDK_CAT_TIMEOUT;
        result->code = "timeout";
    } else { /* retry: without a time of its own the spec's back-off is to hold, and that is what a failure gets */
        result->status = outcome->has_retry_after ? PDK_RETRY : PDK_FAILURE;
        result->category = PDK_CAT_PEER;
        result->code = outcome->type ? outcome->type : "retry";
        result->retry_after_ns = outcome->retry_after;
    }
    if (!result->message) result->message = result->code ? result->code : "the runner gave no reason";
}

void pdk_rrq_job_answer(struct pdk_rrq_job *job, const struct pdk_rrq_reply *outcome) {
    pdk_result result;
    char text[PDK_RRQ_WHY];
    if (outcome->wrong) {
        text[0] = '\0';
        pdk_append(text, sizeof text, "the outcome cannot be used: ");
        pdk_append(text, sizeof text, outcome->wrong);
        pdk_rrq_job_fail(job, PDK_FAILURE, PDK_CAT_PEER, "bad_outcome", text);
        return;
    }
    judge(outcome, &result);
    if (job->asked && result.status != PDK_SUCCESS) {
        result.status = PDK_CANCELED;
        result.category = PDK_CAT_NONE;
    }
    pdk_rrq_job_end(job, &result);
}

/* ---- the host's calls ---- */

/* On the wall's clock, for the runner has no other. */
static uint64_t unix_deadline(const pdk_host *host, uint64_t deadline) {
    uint64_t now = host->now_ns(host), unix_now = host->unix_ns(host);
    if (!deadline) return 0;
    return deadline > now ? unix_now + (deadline - now) : unix_now;
}

static int32_t start(void *task, const pdk_start *how, pdk_error *err) {
    struct pdk_rrq_job *job = task;
    const pdk_host *host = job->pool->host;
    job->run_id = strdup(how->run_id);
    if (!job->run_id) return -ENOMEM;
    job->attempt = how->attempt;
    job->number = how->number;
    job->deadline = unix_deadline(host, how->deadline_ns);
    if (how->number == 1 || !job->enqueued) job->enqueued = host->unix_ns(host);
    job->trace[0] = '\0';
    pdk_append(job->trace, sizeof job->trace, how->trace);
    job->asked = job->killed = job->announced = false;
    pdk_rrq_uuid(job->id);
    return pdk_rrq_pool_take(job->pool, job, err);
}

static void cancel(void *task, int32_t reason) {
    struct pdk_rrq_job *job = task;
    (void)reason;
    if (job->state == PDK_RRQ_JOB_IDLE) return;
    if (job->state == PDK_RRQ_JOB_WAITING) {
        job->asked = true;
        pdk_rrq_pool_leave(job->pool, job);
        pdk_rrq_job_fail(job, PDK_CANCELED, PDK_CAT_NONE, NULL, "canceled while it waited for a runner");
        return;
    }
    pdk_rrq_worker_cancel(job->worker, job);
}

static void kill_job(void *task) {
    struct pdk_rrq_job *job = task;
    if (job->state != PDK_RRQ_JOB_SENT) return;
    job->killed = true;
    pdk_rrq_worker_kill(job->worker, job);
}

static void destroy(void *task) {
    struct pdk_rrq_job *job = task;
    free(job->run_id);
    free(job);
}

const pdk_task_ops pdk_rrq_task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, kill_job, NULL, destroy, NULL};
