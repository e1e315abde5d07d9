/* SPDX-License-Identifier: Apache-2.0 */
/* otlp: sends metrics and spans to an OpenTelemetry collector. The ABI tables; README.md has keys and variables. */
#include <stdlib.h>
#include <sys/random.h>

#include "otlp.h"

static void free_all(struct pdk_otlp *self) {
    pdk_otlp_worker_free(self);
    pdk_otlp_entries_free(&self->queue.entries);
    pdk_otlp_store_free(&self->store);
    pdk_otlp_arena_free(&self->arena);
    (void)pthread_mutex_destroy(&self->queue.lock);
    (void)pthread_mutex_destroy(&self->store.lock);
    free(self);
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct pdk_otlp *self = calloc(1, sizeof *self);
    if (!self) return -ENOMEM;
    self->host = host;
    self->loop = host->get_extension(host, PDK_LOOP_1);
    STAILQ_INIT(&self->queue.entries);
    (void)pthread_mutex_init(&self->queue.lock, NULL);
    (void)pthread_mutex_init(&self->store.lock, NULL);
    if (getrandom(&self->store.seed, sizeof self->store.seed, GRND_NONBLOCK) < 0) self->store.seed = 0;
    int32_t rc = pdk_otlp_settings(self, config, err);
    if (rc) {
        free_all(self);
        return rc;
    }
    *ret = self;
    return 0;
}

static pdk_series *series_of(struct pdk_otlp *self, const pdk_metric *metric, const char *first, const char *second) {
    const char *values[] = {first, second, NULL};
    return self->service ? self->service->series(self->service, metric, values) : NULL;
}

/* What is said of ourselves, to every backend there is. */
static void make_series(struct pdk_otlp *self) {
    static const char *const by_reason[] = {"reason", NULL}, *const by_result[] = {"signal", "result", NULL};
    static const pdk_metric lost = {
        sizeof lost, PDK_COUNTER, "otlp_spans_lost", "", "Spans that were not sent.", by_reason, NULL, 0, 0};
    static const pdk_metric exports = {
        sizeof exports, PDK_COUNTER, "otlp_exports", "", "Batches, by what came of them.", by_result, NULL, 0, 0};
    self->service = self->host->get_extension(self->host, PDK_METRICS_1);
    self->spans_lost[0] = series_of(self, &lost, "queue_full", NULL);
    self->spans_lost[1] = series_of(self, &lost, "not_sent", NULL);
    for (int i = 0; i < PDK_OTLP_SIGNALS; i++) {
        if (!self->signals[i].on) continue;
        self->signals[i].sent = series_of(self, &exports, self->signals[i].word, "sent");
        self->signals[i].failed = series_of(self, &exports, self->signals[i].word, "failed");
    }
}

static int32_t start(void *data, pdk_error *err) {
    struct pdk_otlp *self = data;
    bool idle = self->disabled || (!self->signals[PDK_OTLP_TRACES].on && !self->signals[PDK_OTLP_METRICS].on);
    self->host->health(self->host, PDK_UP, idle ? "switched off" : ""); /* the worker may know worse in a moment */
    if (idle) return 0;
    make_series(self);
    return pdk_otlp_worker_start(self, err);
}

static void stop(void *data) {
    struct pdk_otlp *self = data;
    pdk_otlp_worker_stop(self, self->flush);
}

/* One whose last call still waits in the loop cannot go: it did not stop, and the host has said so. */
static void destroy(void *data) {
    struct pdk_otlp *self = data;
    bool waits = atomic_load(&self->stop_by) != 0 && !self->ended;
    if (waits)
        pdk_logf(self->host, PDK_LOG_WARN, 0, "it was taken away before it had stopped");
    else
        free_all(self);
}

static const char *const compressions[] = {"none", "gzip", NULL};
static const char *const samplers[] = {"always_on",
                                       "always_off",
                                       "traceidratio",
                                       "parentbased_always_on",
                                       "parentbased_always_off",
                                       "parentbased_traceidratio",
                                       NULL};

#define NUMBER(name, most, doc) \
    { (name), PDK_INT, 0, NULL, (doc), NULL, 1.0, (most), NULL }
#define TIME(name, doc) \
    { (name), PDK_DURATION, 0, NULL, (doc), NULL, 0.001, 86400.0, NULL }

static const pdk_param params[] = {
    PDK_PARAM("endpoint", PDK_STRING, 0, NULL, "Where the collector is: http://localhost:4318"),
    PDK_PARAM("traces_endpoint", PDK_STRING, 0, NULL, "The whole URL for spans, if it is not below endpoint"),
    PDK_PARAM("metrics_endpoint", PDK_STRING, 0, NULL, "The whole URL for metrics, if it is not below endpoint"),
    PDK_PARAM("headers", PDK_STRING_MAP, PDK_SECRET, NULL, "Headers of every request, such as authorization"),
    TIME("timeout", "How long a request may take: 10s"),
    {"compression", PDK_STRING, 0, NULL, "Of requests: none", compressions, 0.0, 0.0, NULL},
    PDK_PARAM("certificate", PDK_STRING, 0, NULL, "A file of certificates that the collector's must come from"),
    PDK_PARAM("client_certificate", PDK_STRING, 0, NULL, "A file with our own certificate"),
    PDK_PARAM("client_key", PDK_STRING, 0, NULL, "A file with the key of that"),
    PDK_PARAM("service_name", PDK_STRING, 0, NULL, "What we are called: paddock"),
    PDK_PARAM("resource", PDK_STRING_MAP, 0, NULL, "Attributes of everything that is sent"),
    PDK_PARAM("traces", PDK_BOOL, 0, NULL, "Send spans: true"),
    PDK_PARAM("metrics", PDK_BOOL, 0, NULL, "Send metrics: true"),
    {"sampler", PDK_STRING, 0, NULL, "Which traces are sent: parentbased_always_on", samplers, 0.0, 0.0, NULL},
    {"sampler_ratio", PDK_NUMBER, 0, NULL, "How many of them, for the samplers with a ratio: 1", NULL, 0.0, 1.0, NULL},
    NUMBER("queue", 1000000.0, "Spans that may wait to be sent; those beyond are lost, and counted: 2048"),
    NUMBER("batch", 1000000.0, "Spans in one request: 512"),
    TIME("delay", "How long a span waits for others: 5s"),
    TIME("interval", "How often metrics are sent: 1m"),
    TIME("export_timeout", "How long one batch is tried again: 30s"),
    {"flush", PDK_DURATION, 0, "3s", "How long a shutdown may take for what is left", NULL, 0.0, 3600.0, NULL},
    {"max_series", PDK_INT, 0, "10000", "How many series a metric may have", NULL, 1.0, 10000000.0, NULL},
    PDK_PARAM_END,
};

static const char *const needs[] = {PDK_LOOP_1, NULL};
static const pdk_schema config = PDK_SCHEMA("", "Metrics and spans for OpenTelemetry", params);
static const pdk_metrics_ops metrics = {PDK_HEAD(pdk_metrics_ops),
                                        pdk_otlp_series_get,
                                        pdk_otlp_add,
                                        pdk_otlp_set,
                                        pdk_otlp_observe,
                                        NULL,
                                        pdk_otlp_span,
                                        pdk_otlp_sample};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD, "otlp",  "0.1.0", "",      "Sends metrics and spans to an OpenTelemetry collector",
    needs,           &config, NULL,    NULL,    &metrics,
    create,          start,   stop,    destroy, NULL,
};
