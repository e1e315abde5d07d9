/* SPDX-License-Identifier: Apache-2.0 */
/* What protoc-c makes of proto/, under shorter names. */
#ifndef OTLP_PROTO_H
#define OTLP_PROTO_H

#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h>

#include "otlp.h"

typedef Opentelemetry__Proto__Common__V1__KeyValue otlp_pair;
typedef Opentelemetry__Proto__Common__V1__AnyValue otlp_value;
typedef Opentelemetry__Proto__Common__V1__InstrumentationScope otlp_scope;
typedef Opentelemetry__Proto__Resource__V1__Resource otlp_resource;
typedef Opentelemetry__Proto__Trace__V1__ResourceSpans otlp_resource_spans;
typedef Opentelemetry__Proto__Trace__V1__ScopeSpans otlp_scope_spans;
typedef Opentelemetry__Proto__Trace__V1__Span otlp_span;
typedef Opentelemetry__Proto__Trace__V1__Span__Event otlp_event;
typedef Opentelemetry__Proto__Trace__V1__Status otlp_status;
typedef Opentelemetry__Proto__Metrics__V1__ResourceMetrics otlp_resource_metrics;
typedef Opentelemetry__Proto__Metrics__V1__ScopeMetrics otlp_scope_metrics;
typedef Opentelemetry__Proto__Metrics__V1__Metric otlp_metric;
typedef Opentelemetry__Proto__Metrics__V1__Gauge otlp_gauge;
typedef Opentelemetry__Proto__Metrics__V1__Sum otlp_sum;
typedef Opentelemetry__Proto__Metrics__V1__Histogram otlp_histogram;
typedef Opentelemetry__Proto__Metrics__V1__NumberDataPoint otlp_number;
typedef Opentelemetry__Proto__Metrics__V1__HistogramDataPoint otlp_buckets;
typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest otlp_traces;
typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceResponse otlp_traces_answer;
typedef Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest otlp_metrics;
typedef Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceResponse otlp_metrics_answer;

/* encode.c. protobuf-c wants a list of pointers for each list of messages, and text that it could write to: it does
 * not. All of these give NULL when there is no memory. */
char *pdk_otlp_loose(const char *text);
void **pdk_otlp_make(struct pdk_otlp_arena *arena, size_t count, size_t size); /* pointers to zeroed ones */
otlp_pair **pdk_otlp_attributes(struct pdk_otlp_arena *arena, const pdk_attribute *list, uint32_t count);
otlp_resource *pdk_otlp_resource_of(const struct pdk_otlp *self, struct pdk_otlp_arena *arena);
otlp_scope *pdk_otlp_scope_of(const struct pdk_otlp *self, struct pdk_otlp_arena *arena);
struct pdk_otlp_bytes pdk_otlp_pack(const ProtobufCMessage *message, struct pdk_otlp_arena *arena);

#endif
