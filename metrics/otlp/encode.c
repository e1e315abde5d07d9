/* SPDX-License-Identifier: Apache-2.0 */
/* What spans and metrics have in common on the wire, and the answers. */
#include <stdio.h>
#include <unistd.h>

#include "proto.h"

char *pdk_otlp_loose(const char *text) {
    union {
        const char *text;
        char *loose;
    } both = {text ? text : ""};
    return both.loose;
}

void **pdk_otlp_make(struct pdk_otlp_arena *arena, size_t count, size_t size) {
    void **pointers = pdk_otlp_take(arena, count, sizeof *pointers);
    char *all = pdk_otlp_take(arena, count, size);
    if (!pointers || !all) return NULL;
    for (size_t i = 0; i < count; i++) pointers[i] = all + i * size;
    return pointers;
}

static void set_value(otlp_value *value, const pdk_attribute *from) {
    *value = (otlp_value)OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__INIT;
    switch (from->type) {
    case PDK_INT:
        value->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE;
        value->int_value = from->integer;
        break;
    case PDK_BOOL:
        value->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE;
        value->bool_value = from->integer != 0;
        break;
    case PDK_NUMBER:
        value->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE;
        value->double_value = from->number;
        break;
    default:
        value->value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
        value->string_value = pdk_otlp_loose(from->string);
        break;
    }
}

otlp_pair **pdk_otlp_attributes(struct pdk_otlp_arena *arena, const pdk_attribute *list, uint32_t count) {
    otlp_pair **pairs = (otlp_pair **)(void *)pdk_otlp_make(arena, count, sizeof **pairs);
    otlp_value **values = (otlp_value **)(void *)pdk_otlp_make(arena, count, sizeof **values);
    if (!pairs || !values) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        set_value(values[i], &list[i]);
        *pairs[i] = (otlp_pair)OPENTELEMETRY__PROTO__COMMON__V1__KEY_VALUE__INIT;
        pairs[i]->key = pdk_otlp_loose(list[i].key);
        pairs[i]->value = values[i];
    }
    return pairs;
}

otlp_resource *pdk_otlp_resource_of(const struct pdk_otlp *self, struct pdk_otlp_arena *arena) {
    pdk_attribute list[PDK_OTLP_PAIRS_MAX + 1];
    uint32_t count = self->resource.count;
    otlp_resource *resource = pdk_otlp_take(arena, 1, sizeof *resource);
    for (uint32_t i = 0; i < count; i++)
        list[i] = (pdk_attribute){
            .key = self->resource.list[i].key, .type = PDK_STRING, .string = self->resource.list[i].value};
    if (!pdk_otlp_pairs_get(&self->resource, "process.pid"))
        list[count++] = (pdk_attribute){.key = "process.pid", .type = PDK_INT, .integer = getpid()};
    otlp_pair **pairs = pdk_otlp_attributes(arena, list, count);
    if (!resource || !pairs) return NULL;
    *resource = (otlp_resource)OPENTELEMETRY__PROTO__RESOURCE__V1__RESOURCE__INIT;
    resource->n_attributes = count;
    resource->attributes = pairs;
    return resource;
}

otlp_scope *pdk_otlp_scope_of(const struct pdk_otlp *self, struct pdk_otlp_arena *arena) {
    otlp_scope *scope = pdk_otlp_take(arena, 1, sizeof *scope);
    if (!scope) return NULL;
    *scope = (otlp_scope)OPENTELEMETRY__PROTO__COMMON__V1__INSTRUMENTATION_SCOPE__INIT;
    scope->name = pdk_otlp_loose("paddock");
    scope->version = pdk_otlp_loose(self->host->version);
    return scope;
}

struct pdk_otlp_bytes pdk_otlp_pack(const ProtobufCMessage *message, struct pdk_otlp_arena *arena) {
    struct pdk_otlp_bytes bytes = {NULL, protobuf_c_message_get_packed_size(message)};
    bytes.data = pdk_otlp_take(arena, bytes.size, 1);
    if (bytes.data) (void)protobuf_c_message_pack(message, bytes.data);
    return bytes;
}

static int64_t keep(int64_t rejected, const char *said, char *buf, size_t size) {
    (void)snprintf(buf, size, "%s", said);
    pdk_otlp_mend(buf);
    return rejected;
}

static int64_t spans_rejected(const struct pdk_otlp_bytes *answer, char *buf, size_t size) {
    int64_t rejected = 0;
    otlp_traces_answer *read = opentelemetry__proto__collector__trace__v1__export_trace_service_response__unpack(
        NULL, answer->size, answer->data);
    if (read && read->partial_success)
        rejected = keep(read->partial_success->rejected_spans, read->partial_success->error_message, buf, size);
    opentelemetry__proto__collector__trace__v1__export_trace_service_response__free_unpacked(read, NULL);
    return rejected;
}

static int64_t points_rejected(const struct pdk_otlp_bytes *answer, char *buf, size_t size) {
    int64_t rejected = 0;
    otlp_metrics_answer *read = opentelemetry__proto__collector__metrics__v1__export_metrics_service_response__unpack(
        NULL, answer->size, answer->data);
    if (read && read->partial_success)
        rejected = keep(read->partial_success->rejected_data_points, read->partial_success->error_message, buf, size);
    opentelemetry__proto__collector__metrics__v1__export_metrics_service_response__free_unpacked(read, NULL);
    return rejected;
}

/* What is no answer of the protocol says nothing: some peers send a word instead. */
int64_t pdk_otlp_decode_answer(enum pdk_otlp_kind kind, const struct pdk_otlp_bytes *answer, char *buf, size_t size) {
    buf[0] = '\0';
    return kind == PDK_OTLP_TRACES ? spans_rejected(answer, buf, size) : points_rejected(answer, buf, size);
}
