/* SPDX-License-Identifier: Apache-2.0 */
/* A batch of spans as an ExportTraceServiceRequest. */
#include "proto.h"

enum { PARENT_IS_KNOWN = 0x100, PARENT_IS_REMOTE = 0x200 };

static ProtobufCBinaryData id(const uint8_t *bytes, size_t size) {
    union {
        const uint8_t *given;
        uint8_t *loose; /* it is not written to */
    } both = {bytes};
    for (size_t i = 0; i < size; i++)
        if (bytes[i]) return (ProtobufCBinaryData){size, both.loose};
    return (ProtobufCBinaryData){0, NULL};
}

static bool set_events(otlp_span *span, const pdk_span *from, struct pdk_otlp_arena *arena) {
    otlp_event **events = (otlp_event **)(void *)pdk_otlp_make(arena, from->moment_count, sizeof **events);
    for (uint32_t i = 0; events && i < from->moment_count; i++) {
        const pdk_moment *moment = &from->moments[i];
        *events[i] = (otlp_event)OPENTELEMETRY__PROTO__TRACE__V1__SPAN__EVENT__INIT;
        events[i]->time_unix_nano = moment->unix_ns;
        events[i]->name = pdk_otlp_loose(moment->name);
        events[i]->n_attributes = moment->attribute_count;
        events[i]->attributes = pdk_otlp_attributes(arena, moment->attributes, moment->attribute_count);
    }
    span->events = events;
    span->n_events = from->moment_count;
    span->dropped_events_count = from->moments_lost > UINT32_MAX ? UINT32_MAX : (uint32_t)from->moments_lost;
    return events != NULL;
}

/* Without an error the status is left out: it reads as unset. */
static bool set_status(otlp_span *span, const pdk_span *from, struct pdk_otlp_arena *arena) {
    if (from->status == PDK_SPAN_UNSET) return true;
    span->status = pdk_otlp_take(arena, 1, sizeof *span->status);
    if (!span->status) return false;
    *span->status = (otlp_status)OPENTELEMETRY__PROTO__TRACE__V1__STATUS__INIT;
    span->status->code = (Opentelemetry__Proto__Trace__V1__Status__StatusCode)from->status;
    span->status->message = pdk_otlp_loose(from->message);
    return true;
}

static bool set_span(otlp_span *span, const pdk_span *from, struct pdk_otlp_arena *arena) {
    *span = (otlp_span)OPENTELEMETRY__PROTO__TRACE__V1__SPAN__INIT;
    span->trace_id = id(from->trace_id, sizeof from->trace_id);
    span->span_id = id(from->span_id, sizeof from->span_id);
    span->parent_span_id = id(from->parent_id, sizeof from->parent_id);
    span->trace_state = pdk_otlp_loose(from->trace_state);
    span->name = pdk_otlp_loose(from->name);
    span->kind = (Opentelemetry__Proto__Trace__V1__Span__SpanKind)from->kind;
    span->start_time_unix_nano = from->start_ns;
    span->end_time_unix_nano = from->end_ns;
    span->flags = from->flags | PARENT_IS_KNOWN;
    if (span->parent_span_id.len && !from->parent_is_ours) span->flags |= PARENT_IS_REMOTE;
    span->n_attributes = from->attribute_count;
    span->attributes = pdk_otlp_attributes(arena, from->attributes, from->attribute_count);
    return set_events(span, from, arena) && set_status(span, from, arena) && span->attributes;
}

/* Of one resource and one scope there is one list of spans. */
static struct pdk_otlp_bytes pack(const struct pdk_otlp *self, otlp_span **spans, uint32_t count,
                                  struct pdk_otlp_arena *arena) {
    otlp_traces traces = OPENTELEMETRY__PROTO__COLLECTOR__TRACE__V1__EXPORT_TRACE_SERVICE_REQUEST__INIT;
    otlp_resource_spans of_resource = OPENTELEMETRY__PROTO__TRACE__V1__RESOURCE_SPANS__INIT;
    otlp_scope_spans of_scope = OPENTELEMETRY__PROTO__TRACE__V1__SCOPE_SPANS__INIT;
    otlp_resource_spans *resources[] = {&of_resource};
    otlp_scope_spans *scopes[] = {&of_scope};
    of_resource.resource = pdk_otlp_resource_of(self, arena);
    of_scope.scope = pdk_otlp_scope_of(self, arena);
    of_scope.n_spans = count;
    of_scope.spans = spans;
    of_resource.n_scope_spans = 1;
    of_resource.scope_spans = scopes;
    traces.n_resource_spans = 1;
    traces.resource_spans = resources;
    if (arena->failed) return (struct pdk_otlp_bytes){NULL, 0};
    return pdk_otlp_pack(&traces.base, arena);
}

struct pdk_otlp_bytes pdk_otlp_encode_spans(const struct pdk_otlp *self, const struct pdk_otlp_entries *entries,
                                            uint32_t count, struct pdk_otlp_arena *arena) {
    const struct pdk_otlp_entry *entry;
    otlp_span **spans = (otlp_span **)(void *)pdk_otlp_make(arena, count, sizeof **spans);
    bool good = spans != NULL;
    uint32_t i = 0;
    STAILQ_FOREACH(entry, entries, next) good = good && i < count && set_span(spans[i++], &entry->span, arena);
    return good ? pack(self, spans, count, arena) : (struct pdk_otlp_bytes){NULL, 0};
}
