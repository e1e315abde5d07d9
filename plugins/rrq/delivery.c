/* SPDX-License-Identifier: Apache-2.0 */
/* A request from the moment it was read: refused on the spot, or given to the host, and answered once. */
#include <search.h>
#include <stdlib.h>

#include "rrq.h"

/* ---- the table of all that are in flight, whatever connection they came by: cancels come by another one */

static int compare(const void *a, const void *b) {
    const struct pdk_rrq_delivery *one = a, *other = b;
    return strcmp(one->request.request_id, other->request.request_id);
}

static struct pdk_rrq_delivery *find(const struct pdk_rrq *self, const char *request_id) {
    const struct pdk_rrq_delivery key = {.request.request_id = request_id};
    struct pdk_rrq_delivery *const *found = tfind(&key, &self->by_id, compare);
    return found ? *found : NULL;
}

static void forget(struct pdk_rrq *self, struct pdk_rrq_delivery *delivery) {
    self->memory -= delivery->size;
    self->host->values->drop(delivery->request.payload);
    free(delivery);
}

/* It belongs to its connection no more. */
static void detach(struct pdk_rrq_delivery *delivery) {
    struct pdk_rrq_connection *connection = delivery->connection;
    if (!connection) return;
    (void)tdelete(delivery, &connection->self->by_id, compare);
    TAILQ_REMOVE(&connection->deliveries, delivery, link);
    connection->in_flight--;
    connection->self->in_flight--;
    if (connection->waiting == delivery) connection->waiting = NULL;
    delivery->connection = NULL;
}

static struct pdk_rrq_delivery *attach(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                                       size_t size) {
    struct pdk_rrq *self = connection->self;
    struct pdk_rrq_delivery *delivery = malloc(sizeof *delivery);
    if (!delivery) return NULL;
    *delivery = (struct pdk_rrq_delivery){.connection = connection, .request = *request, .size = size};
    if (!tsearch(delivery, &self->by_id, compare)) {
        free(delivery);
        return NULL;
    }
    (void)self->host->values->hold(request->payload);
    TAILQ_INSERT_TAIL(&connection->deliveries, delivery, link);
    connection->in_flight++;
    self->in_flight++;
    self->memory += size;
    return delivery;
}

/* ---- to the host */

static int32_t make_submission(struct pdk_rrq *self, const struct pdk_rrq_delivery *delivery,
                               pdk_submission *submission, const pdk_value **ret_params, pdk_error *err) {
    const struct pdk_rrq_request *request = &delivery->request;
    const struct pdk_rrq_function *function = NULL;
    int32_t rc = pdk_rrq_functions_find(self, request->function, &function, err);
    if (rc < 0) return rc;
    if (function->with || function->input == PDK_RRQ_INPUT_PARAMS)
        rc = pdk_rrq_request_params(self->host, request, ret_params, err);
    if (rc < 0) return rc;
    submission->base = function->base;
    if (function->with) submission->with = *ret_params;
    if (function->input == PDK_RRQ_INPUT_PARAMS) submission->input = *ret_params;
    if (function->input == PDK_RRQ_INPUT_REQUEST) submission->input = request->payload;
    submission->trace = request->traceparent;
    submission->trace_state = request->tracestate;
    submission->attributes = request->correlation;
    submission->deadline_ns = delivery->deadline_ns;
    return 0;
}

static int32_t submit(struct pdk_rrq *self, struct pdk_rrq_delivery *delivery, pdk_error *err) {
    pdk_submission submission = {.struct_size = sizeof submission, .delivery = (uintptr_t)delivery};
    const pdk_value *params = NULL;
    int32_t rc = make_submission(self, delivery, &submission, &params, err);
    if (rc == 0) rc = self->source->submit(self->source, &submission, &delivery->run, err);
    self->host->values->drop(params);
    delivery->submitted = rc == 0;
    return rc;
}

/* It will not be run; whoever asked hears why. */
static void refuse(struct pdk_rrq_delivery *delivery, int32_t rc, const pdk_error *err) {
    struct pdk_rrq_connection *connection = delivery->connection;
    enum pdk_rrq_refused why = PDK_RRQ_REFUSED_PARAMS;
    char text[400];
    switch (rc) {
    case -ENOENT:
        why = PDK_RRQ_REFUSED_NO_HANDLER;
        (void)snprintf(text, sizeof text, "No handler registered for function '%.200s'", delivery->request.function);
        pdk_rrq_answer_hopeless(connection, &delivery->request, NULL, text);
        break;
    case -ESHUTDOWN:
        why = PDK_RRQ_REFUSED_SHUTTING_DOWN;
        pdk_rrq_answer_later(connection, &delivery->request, "shutting_down", "shutting down");
        break;
    case -ENOMEM:
        why = PDK_RRQ_REFUSED_MEMORY;
        pdk_rrq_answer_error(connection, &delivery->request, "memory", "out of memory");
        break;
    default: pdk_rrq_answer_hopeless(connection, &delivery->request, "invalid_params", err->message); break;
    }
    pdk_rrq_meter_refused(connection->self, why);
    detach(delivery);
    forget(connection->self, delivery);
}

/* false: there is no room. */
static bool offer(struct pdk_rrq_delivery *delivery) {
    struct pdk_rrq_connection *connection = delivery->connection;
    pdk_error err = PDK_ERROR;
    int32_t rc = submit(connection->self, delivery, &err);
    if (rc == -EAGAIN) {
        connection->waiting = delivery;
        return false;
    }
    connection->waiting = NULL;
    if (rc < 0) refuse(delivery, rc, &err);
    return true;
}

/* ---- from the connection */

/* On our clock, which nobody sets; 0: none. false: it is over. */
static bool read_deadline(const struct pdk_rrq *self, uint64_t unix_ns, uint64_t *ret) {
    uint64_t now = unix_ns ? self->host->unix_ns(self->host) : 0;
    *ret = 0;
    if (!unix_ns) return true;
    if (unix_ns <= now) return false;
    *ret = self->host->now_ns(self->host) + (unix_ns - now);
    return true;
}

/* Whatever cannot be taken is answered here. */
static bool is_taken(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                     uint64_t *ret_deadline) {
    struct pdk_rrq *self = connection->self;
    enum pdk_rrq_refused why;
    if (self->draining) {
        why = PDK_RRQ_REFUSED_SHUTTING_DOWN;
        pdk_rrq_answer_later(connection, request, "shutting_down", "shutting down");
    } else if (find(self, request->request_id)) {
        why = PDK_RRQ_REFUSED_DUPLICATE;
        pdk_rrq_answer_error(connection, request, "duplicate_request", "a request of this id is in flight");
    } else if (connection->in_flight >= PDK_RRQ_IN_FLIGHT) {
        why = PDK_RRQ_REFUSED_BUSY;
        pdk_rrq_answer_error(connection, request, NULL, "Runner busy: too many in-flight requests");
    } else if (!read_deadline(self, request->deadline_unix, ret_deadline)) {
        why = PDK_RRQ_REFUSED_DEADLINE;
        pdk_rrq_answer_timeout(connection, request, "Job deadline exceeded");
    } else {
        return true;
    }
    pdk_rrq_meter_refused(self, why);
    return false;
}

static void answer_invalid(struct pdk_rrq_connection *connection, struct pdk_rrq_request *request, int32_t rc,
                           const char *message) {
    if (!request->request_id) request->request_id = "unknown";
    if (!request->job_id) request->job_id = "unknown";
    pdk_rrq_answer_error(connection, request, rc == -EPROTO ? NULL : "invalid_request", message);
    pdk_rrq_meter_refused(connection->self, rc == -EPROTO ? PDK_RRQ_REFUSED_VERSION : PDK_RRQ_REFUSED_INVALID);
}

static void cancel_one(struct pdk_rrq *self, struct pdk_rrq_delivery *delivery) {
    struct pdk_rrq_connection *connection = delivery->connection;
    if (delivery->submitted) {
        (void)self->source->cancel(self->source, delivery->run);
        return;
    }
    pdk_rrq_meter_refused(self, PDK_RRQ_REFUSED_CANCELLED);
    pdk_rrq_answer_error(connection, &delivery->request, "cancelled", "Job cancelled");
    detach(delivery);
    forget(self, delivery);
}

bool pdk_rrq_delivery_begin(struct pdk_rrq_connection *connection, const pdk_value *payload, size_t size) {
    struct pdk_rrq_request request;
    uint64_t deadline;
    pdk_error err = PDK_ERROR;
    pdk_rrq_meter_count(connection->self, PDK_RRQ_METER_REQUESTS, 1);
    int32_t rc = pdk_rrq_request_read(connection->self->host, payload, &request, &err);
    if (rc < 0) {
        answer_invalid(connection, &request, rc, err.message);
        return true;
    }
    pdk_rrq_connection_belongs(connection, request.worker);
    if (!is_taken(connection, &request, &deadline)) return true;
    struct pdk_rrq_delivery *delivery = attach(connection, &request, size);
    if (!delivery) {
        pdk_rrq_meter_refused(connection->self, PDK_RRQ_REFUSED_MEMORY);
        pdk_rrq_answer_error(connection, &request, "memory", "out of memory");
        return true;
    }
    delivery->deadline_ns = deadline;
    if (!pdk_rrq_early_take(connection->self, request.request_id)) return offer(delivery);
    cancel_one(connection->self, delivery);
    return true;
}

bool pdk_rrq_delivery_retry(struct pdk_rrq_connection *connection) {
    return !connection->waiting || offer(connection->waiting);
}

/* ---- the end */

/* A job can have come several times, e.g. when an orchestrator was taken for dead. */
static void cancel_job(struct pdk_rrq *self, const char *job_id) {
    struct pdk_rrq_connection *connection;
    TAILQ_FOREACH(connection, &self->all, all) {
        struct pdk_rrq_delivery *delivery = TAILQ_FIRST(&connection->deliveries), *next;
        for (; delivery; delivery = next) {
            next = TAILQ_NEXT(delivery, link);
            if (strcmp(delivery->request.job_id, job_id) == 0) cancel_one(self, delivery);
        }
    }
}

void pdk_rrq_delivery_cancel(struct pdk_rrq *self, const struct pdk_rrq_cancel *cancel) {
    struct pdk_rrq_delivery *delivery = cancel->request_id ? find(self, cancel->request_id) : NULL;
    if (!cancel->request_id)
        cancel_job(self, cancel->job_id);
    else if (delivery)
        cancel_one(self, delivery);
    else
        pdk_rrq_early_add(self, cancel->request_id);
}

void pdk_rrq_delivery_settled(void *data, pdk_delivery handle, const pdk_outcome *outcome) {
    struct pdk_rrq *self = data;
    struct pdk_rrq_delivery *delivery = (struct pdk_rrq_delivery *)(uintptr_t)handle;
    if (delivery->connection) pdk_rrq_answer_outcome(delivery->connection, &delivery->request, outcome);
    detach(delivery);
    forget(self, delivery);
}

void pdk_rrq_deliveries_leave(struct pdk_rrq_connection *connection) {
    struct pdk_rrq *self = connection->self;
    struct pdk_rrq_delivery *delivery = TAILQ_FIRST(&connection->deliveries), *next;
    for (; delivery; delivery = next) {
        next = TAILQ_NEXT(delivery, link);
        detach(delivery);
        if (delivery->submitted)
            (void)self->source->cancel(self->source, delivery->run); /* settled will come, and find nobody */
        else
            forget(self, delivery);
    }
}

void pdk_rrq_deliveries_drain(struct pdk_rrq_connection *connection) {
    struct pdk_rrq_delivery *delivery = connection->waiting;
    if (!delivery) return;
    refuse(delivery, -ESHUTDOWN, NULL);
}
