/* SPDX-License-Identifier: Apache-2.0 */
/* All metrics as an ExportMetricsServiceRequest: what counts up is cumulative, since its series was made. */
#include "proto.h"

#define CUMULATIVE OPENTELEMETRY__PROTO__METRICS__V1__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_CUMULATIVE

static double load(_Atomic uint64_t *bits) {
    uint64_t raw = atomic_load_explicit(bits, memory_order_relaxed);
    double value;
    memcpy(&value, &raw, sizeof value);
    return value;
}

static otlp_pair **labels_of(const struct pdk_otlp_series *series, struct pdk_otlp_arena *arena) {
    const struct pdk_otlp_family *family = series->family;
    pdk_attribute list[PDK_OTLP_LABELS_MAX];
    for (uint32_t i = 0; i < family->label_count; i++)
        list[i] = (pdk_attribute){.key = family->labels[i], .type = PDK_STRING, .string = series->shown[i]};
    return pdk_otlp_attributes(arena, list, family->label_count);
}

static void set_number(otlp_number *point, struct pdk_otlp_series *series, uint64_t now, struct pdk_otlp_arena *arena) {
    *point = (otlp_number)OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__INIT;
    if (series->family->type == PDK_COUNTER) point->start_time_unix_nano = series->since;
    point->time_unix_nano = now;
    point->value_case = OPENTELEMETRY__PROTO__METRICS__V1__NUMBER_DATA_POINT__VALUE_AS_DOUBLE;
    point->as_double = load(&series->value);
    point->n_attributes = series->family->label_count;
    point->attributes = labels_of(series, arena);
}

static void set_buckets(otlp_buckets *point, struct pdk_otlp_series *series, uint64_t now,
                        struct pdk_otlp_arena *arena) {
    const struct pdk_otlp_family *family = series->family;
    uint64_t *counts = pdk_otlp_take(arena, (size_t)family->bucket_count + 1, sizeof *counts);
    union {
        const double *given;
        double *loose;
    } bounds = {family->buckets};
    *point = (otlp_buckets)OPENTELEMETRY__PROTO__METRICS__V1__HISTOGRAM_DATA_POINT__INIT;
    point->start_time_unix_nano = series->since;
    point->time_unix_nano = now;
    for (uint32_t i = 0; counts && i <= family->bucket_count; i++)
        point->count += counts[i] = atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
    point->optional_sum_case = OPENTELEMETRY__PROTO__METRICS__V1__HISTOGRAM_DATA_POINT__OPTIONAL_SUM_SUM;
    point->sum = load(&series->value);
    point->n_bucket_counts = (size_t)family->bucket_count + 1;
    point->bucket_counts = counts;
    point->n_explicit_bounds = family->bucket_count;
    point->explicit_bounds = bounds.loose;
    point->n_attributes = family->label_count;
    point->attributes = labels_of(series, arena);
}

static struct pdk_otlp_series *first_of(const struct pdk_otlp_family *family) {
    return atomic_load_explicit(&family->first, memory_order_acquire);
}

static struct pdk_otlp_series *after(const struct pdk_otlp_series *series) {
    return atomic_load_explicit(&series->next, memory_order_acquire);
}

/* As many as were there when they were counted: more may come meanwhile, none ever goes. */
static otlp_number **numbers_of(const struct pdk_otlp_family *family, uint32_t count, uint64_t now,
                                struct pdk_otlp_arena *arena) {
    otlp_number **points = (otlp_number **)(void *)pdk_otlp_make(arena, count, sizeof **points);
    struct pdk_otlp_series *series = first_of(family);
    for (uint32_t i = 0; points && i < count; i++, series = after(series)) set_number(points[i], series, now, arena);
    return points;
}

static void set_gauge(otlp_metric *metric, const struct pdk_otlp_family *family, uint32_t count, uint64_t now,
                      struct pdk_otlp_arena *arena) {
    otlp_gauge *gauge = pdk_otlp_take(arena, 1, sizeof *gauge);
    if (!gauge) return;
    *gauge = (otlp_gauge)OPENTELEMETRY__PROTO__METRICS__V1__GAUGE__INIT;
    gauge->n_data_points = count;
    gauge->data_points = numbers_of(family, count, now, arena);
    metric->data_case = OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_GAUGE;
    metric->gauge = gauge;
}

static void set_sum(otlp_metric *metric, const struct pdk_otlp_family *family, uint32_t count, uint64_t now,
                    struct pdk_otlp_arena *arena) {
    otlp_sum *sum = pdk_otlp_take(arena, 1, sizeof *sum);
    if (!sum) return;
    *sum = (otlp_sum)OPENTELEMETRY__PROTO__METRICS__V1__SUM__INIT;
    sum->aggregation_temporality = CUMULATIVE;
    sum->is_monotonic = 1;
    sum->n_data_points = count;
    sum->data_points = numbers_of(family, count, now, arena);
    metric->data_case = OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_SUM;
    metric->sum = sum;
}

static void set_histogram(otlp_metric *metric, const struct pdk_otlp_family *family, uint32_t count, uint64_t now,
                          struct pdk_otlp_arena *arena) {
    otlp_histogram *histogram = pdk_otlp_take(arena, 1, sizeof *histogram);
    otlp_buckets **points = (otlp_buckets **)(void *)pdk_otlp_make(arena, count, sizeof **points);
    struct pdk_otlp_series *series = first_of(family);
    if (!histogram || !points) return;
    for (uint32_t i = 0; i < count; i++, series = after(series)) set_buckets(points[i], series, now, arena);
    *histogram = (otlp_histogram)OPENTELEMETRY__PROTO__METRICS__V1__HISTOGRAM__INIT;
    histogram->aggregation_temporality = CUMULATIVE;
    histogram->n_data_points = count;
    histogram->data_points = points;
    metric->data_case = OPENTELEMETRY__PROTO__METRICS__V1__METRIC__DATA_HISTOGRAM;
    metric->histogram = histogram;
}

static void set_metric(otlp_metric *metric, const struct pdk_otlp_family *family, uint64_t now,
                       struct pdk_otlp_arena *arena) {
    uint32_t count = atomic_load_explicit(&family->count, memory_order_acquire);
    *metric = (otlp_metric)OPENTELEMETRY__PROTO__METRICS__V1__METRIC__INIT;
    metric->name = pdk_otlp_loose(family->name);
    metric->description = pdk_otlp_loose(family->help);
    metric->unit = pdk_otlp_loose(family->unit);
    if (family->type == PDK_COUNTER)
        set_sum(metric, family, count, now, arena);
    else if (family->type == PDK_GAUGE)
        set_gauge(metric, family, count, now, arena);
    else
        set_histogram(metric, family, count, now, arena);
}

static struct pdk_otlp_bytes pack(const struct pdk_otlp *self, otlp_metric **list, uint32_t count,
                                  struct pdk_otlp_arena *arena) {
    otlp_metrics metrics = OPENTELEMETRY__PROTO__COLLECTOR__METRICS__V1__EXPORT_METRICS_SERVICE_REQUEST__INIT;
    otlp_resource_metrics of_resource = OPENTELEMETRY__PROTO__METRICS__V1__RESOURCE_METRICS__INIT;
    otlp_scope_metrics of_scope = OPENTELEMETRY__PROTO__METRICS__V1__SCOPE_METRICS__INIT;
    otlp_resource_metrics *resources[] = {&of_resource};
    otlp_scope_metrics *scopes[] = {&of_scope};
    of_resource.resource = pdk_otlp_resource_of(self, arena);
    of_scope.scope = pdk_otlp_scope_of(self, arena);
    of_scope.n_metrics = count;
    of_scope.metrics = list;
    of_resource.n_scope_metrics = 1;
    of_resource.scope_metrics = scopes;
    metrics.n_resource_metrics = 1;
    metrics.resource_metrics = resources;
    if (arena->failed) return (struct pdk_otlp_bytes){NULL, 0};
    return pdk_otlp_pack(&metrics.base, arena);
}

struct pdk_otlp_bytes pdk_otlp_encode_metrics(struct pdk_otlp *self, struct pdk_otlp_arena *arena) {
    struct pdk_otlp_family *first = atomic_load_explicit(&self->store.first, memory_order_acquire), *family;
    uint64_t now = self->host->unix_ns(self->host);
    uint32_t count = 0, filled = 0;
    for (family = first; family; family = atomic_load_explicit(&family->next, memory_order_acquire)) count++;
    otlp_metric **list = (otlp_metric **)(void *)pdk_otlp_make(arena, count, sizeof **list);
    if (!count || !list) return (struct pdk_otlp_bytes){NULL, 0};
    family = first;
    for (uint32_t i = 0; i < count; i++, family = atomic_load_explicit(&family->next, memory_order_acquire))
        if (atomic_load_explicit(&family->count, memory_order_acquire)) set_metric(list[filled++], family, now, arena);
    return filled ? pack(self, list, filled, arena) : (struct pdk_otlp_bytes){NULL, 0};
}
