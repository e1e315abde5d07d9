/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the source role is counted. How long requests take is what paddock_run_duration_seconds says: a request is a
 * run. Series by status and type are asked for when the first answer of that sort is given, and kept.
 */
#include "rrq.h"

#define ROW(type, name, unit, help, labels) \
    { sizeof(pdk_metric), type, name, unit, help, labels, NULL, 0, 0 }

static const char *const by_source[] = {"source", NULL}, *const by_reason[] = {"source", "reason", NULL},
                         *const by_type[] = {"source", "status", "type", NULL};

static const pdk_metric by_itself[] = {
    [PDK_RRQ_METER_CONNECTIONS] = ROW(PDK_GAUGE, "rrq_connections", "", "Connections of orchestrators.", by_source),
    [PDK_RRQ_METER_TURNED_AWAY] =
        ROW(PDK_COUNTER, "rrq_connections_refused", "", "Connections closed because there were too many.", by_source),
    [PDK_RRQ_METER_REQUESTS] = ROW(PDK_COUNTER, "rrq_requests", "", "Requests that came.", by_source),
    [PDK_RRQ_METER_IN_FLIGHT] =
        ROW(PDK_GAUGE, "rrq_requests_in_flight", "", "Requests taken and not answered.", by_source),
    [PDK_RRQ_METER_CANCELS] = ROW(PDK_COUNTER, "rrq_cancels", "", "Cancels that came.", by_source),
    [PDK_RRQ_METER_RECEIVED] = ROW(PDK_COUNTER, "rrq_received", "bytes", "Bytes that came.", by_source),
    [PDK_RRQ_METER_SENT] = ROW(PDK_COUNTER, "rrq_sent", "bytes", "Bytes that were sent.", by_source),
};
static const pdk_metric refused =
    ROW(PDK_COUNTER, "rrq_requests_refused", "", "Requests answered without a run.", by_reason);
static const pdk_metric responses = ROW(PDK_COUNTER, "rrq_responses", "", "Answers by what they say.", by_type);

static const char *const reasons[] = {
    [PDK_RRQ_REFUSED_BUSY] = "busy",         [PDK_RRQ_REFUSED_DUPLICATE] = "duplicate",
    [PDK_RRQ_REFUSED_DEADLINE] = "deadline", [PDK_RRQ_REFUSED_INVALID] = "invalid",
    [PDK_RRQ_REFUSED_VERSION] = "version",   [PDK_RRQ_REFUSED_NO_HANDLER] = "no_handler",
    [PDK_RRQ_REFUSED_PARAMS] = "params",     [PDK_RRQ_REFUSED_SHUTTING_DOWN] = "shutting_down",
    [PDK_RRQ_REFUSED_MEMORY] = "memory",     [PDK_RRQ_REFUSED_CANCELLED] = "cancelled",
};

void pdk_rrq_source_meters_make(struct pdk_rrq *self) {
    struct pdk_rrq_source_meters *m = &self->meters;
    const char *values[] = {self->host->instance, NULL, NULL};
    m->metrics = self->host->get_extension(self->host, PDK_METRICS_1);
    if (!m->metrics) return;
    for (size_t i = 0; i < PDK_RRQ_METERS; i++) m->own[i] = m->metrics->series(m->metrics, &by_itself[i], values);
    for (size_t i = 0; i < PDK_RRQ_REASONS; i++) {
        values[1] = reasons[i];
        m->refused[i] = m->metrics->series(m->metrics, &refused, values);
    }
}

void pdk_rrq_meter_count(const struct pdk_rrq *self, enum pdk_rrq_meter meter, double n) {
    pdk_count(self->meters.metrics, self->meters.own[meter], n);
}

void pdk_rrq_meter_refused(const struct pdk_rrq *self, enum pdk_rrq_refused reason) {
    pdk_count(self->meters.metrics, self->meters.refused[reason], 1);
}

void pdk_rrq_meters_now(const struct pdk_rrq *self) {
    const struct pdk_rrq_source_meters *m = &self->meters;
    pdk_gauge(m->metrics, m->own[PDK_RRQ_METER_CONNECTIONS], self->connections);
    pdk_gauge(m->metrics, m->own[PDK_RRQ_METER_IN_FLIGHT], self->in_flight);
}

/* ---- answers ---- */

/* What is no word of these is the last. */
static const char *const statuses[PDK_RRQ_STATUSES] = {"success", "error", "retry", "timeout"};
static const char *const types[PDK_RRQ_TYPES] = {
    "",       "handler_not_found", "cancelled", "timeout", "shutting_down", "invalid_request", "invalid_message",
    "exit",   "duplicate_request", "signal",    "memory",  "lost",          "rejected",        "input",
    "denied", "network",           "peer",      "busy",    "missing",       "internal",        "other"};

static size_t index_of(const char *const *words, size_t count, const char *word) {
    size_t i = 0;
    while (i + 1 < count && strcmp(words[i], word) != 0) i++;
    return i;
}

void pdk_rrq_meter_answer(struct pdk_rrq *self, const char *status, const char *type) {
    struct pdk_rrq_source_meters *m = &self->meters;
    if (!m->own[PDK_RRQ_METER_REQUESTS]) return; /* nobody listens */
    size_t i = index_of(statuses, PDK_RRQ_STATUSES, status), k = index_of(types, PDK_RRQ_TYPES, type ? type : "");
    const char *values[] = {self->host->instance, statuses[i], types[k], NULL};
    if (!m->answers[i][k]) m->answers[i][k] = m->metrics->series(m->metrics, &responses, values);
    pdk_count(m->metrics, m->answers[i][k], 1);
}
