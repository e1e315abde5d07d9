/* SPDX-License-Identifier: Apache-2.0 */
/* Spans, copied in one block each. When there is no room the newest is lost, and counted. */
#include <stdlib.h>

#include "otlp.h"

/* What a span points to, laid down behind it. The first time only its size is counted. */
struct put {
    char *at; /* NULL: count */
    size_t used;
};

static void *put(struct put *to, const void *data, size_t size) {
    size_t place = to->used;
    to->used += (size + 7) / 8 * 8;
    return to->at && size ? memcpy(to->at + place, data, size) : NULL;
}

static const char *put_text(struct put *to, const char *text) {
    size_t size = text ? strnlen(text, PDK_OTLP_VALUE_MAX) : 0;
    char *copy = put(to, text ? text : "", size + 1);
    if (copy) copy[size] = '\0';
    if (copy) pdk_otlp_mend(copy);
    return copy;
}

static const pdk_attribute *put_attributes(struct put *to, const pdk_attribute *list, uint32_t count) {
    pdk_attribute *copy = put(to, list, count * sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        const char *key = put_text(to, list[i].key);
        const char *string = list[i].type == PDK_STRING ? put_text(to, list[i].string) : NULL;
        if (!copy) continue;
        copy[i].key = key;
        copy[i].string = string;
    }
    return copy;
}

static const pdk_moment *put_moments(struct put *to, const pdk_moment *list, uint32_t count) {
    pdk_moment *copy = put(to, list, count * sizeof *list);
    for (uint32_t i = 0; i < count; i++) {
        const char *name = put_text(to, list[i].name);
        const pdk_attribute *attributes = put_attributes(to, list[i].attributes, list[i].attribute_count);
        if (!copy) continue;
        copy[i].name = name;
        copy[i].attributes = attributes;
    }
    return copy;
}

static void put_span(struct put *to, const pdk_span *span, pdk_span *copy) {
    copy->name = put_text(to, span->name);
    copy->trace_state = put_text(to, span->trace_state);
    copy->message = put_text(to, span->message);
    copy->attributes = put_attributes(to, span->attributes, span->attribute_count);
    copy->moments = put_moments(to, span->moments, span->moment_count);
}

static struct pdk_otlp_entry *copy_of(const pdk_span *span) {
    struct put to = {0};
    pdk_span counted;
    put_span(&to, span, &counted);
    struct pdk_otlp_entry *entry = malloc(sizeof *entry + to.used);
    if (!entry) return NULL;
    entry->span = *span;
    to = (struct put){(char *)(entry + 1), 0};
    put_span(&to, span, &entry->span);
    return entry;
}

/* Takes the entry if there is room. *ret_wake: somebody should look now. */
static bool add(struct pdk_otlp_queue *queue, struct pdk_otlp_entry *entry, bool *ret_wake) {
    (void)pthread_mutex_lock(&queue->lock);
    bool room = entry && queue->count < queue->limit;
    if (room) {
        if (queue->count++ == 0) queue->first_at = pdk_otlp_now();
        STAILQ_INSERT_TAIL(&queue->entries, entry, next);
        *ret_wake = queue->count == 1 || queue->count == queue->batch;
    } else {
        queue->lost++;
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return room;
}

/* One that is longer than we know is read as far as we know; a shorter one has not been made yet. */
void pdk_otlp_span(void *data, const pdk_span *span) {
    struct pdk_otlp *self = data;
    bool wake = false;
    if (self->disabled || !self->signals[PDK_OTLP_TRACES].on || span->struct_size < sizeof *span) return;
    struct pdk_otlp_entry *entry = copy_of(span);
    if (!add(&self->queue, entry, &wake)) {
        free(entry);
        if (self->service) pdk_count(self->service, self->spans_lost[0], 1);
    }
    if (wake) pdk_otlp_worker_wake(self);
}

uint32_t pdk_otlp_queue_take(struct pdk_otlp_queue *queue, struct pdk_otlp_entries *ret) {
    uint32_t count = 0;
    STAILQ_INIT(ret);
    (void)pthread_mutex_lock(&queue->lock);
    while (count < queue->batch && !STAILQ_EMPTY(&queue->entries)) {
        struct pdk_otlp_entry *entry = STAILQ_FIRST(&queue->entries);
        STAILQ_REMOVE_HEAD(&queue->entries, next);
        STAILQ_INSERT_TAIL(ret, entry, next);
        count++;
    }
    queue->count -= count;
    queue->first_at = pdk_otlp_now();
    (void)pthread_mutex_unlock(&queue->lock);
    return count;
}

void pdk_otlp_entries_free(struct pdk_otlp_entries *entries) {
    while (!STAILQ_EMPTY(entries)) {
        struct pdk_otlp_entry *entry = STAILQ_FIRST(entries);
        STAILQ_REMOVE_HEAD(entries, next);
        free(entry);
    }
}
