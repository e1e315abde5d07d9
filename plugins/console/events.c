/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newest events, kept for all who follow them and for who comes back. One subscription fills a ring; each stream has
 * a place in it, so a slow reader costs no memory: the ring moves on, and the reader is told how much it missed.
 */
#include <stdio.h>

#include "console.h"

enum { BYTES_MAX = 16 << 20, TEXT_MAX = 1 << 20 };

#define GATHER (10 * SECOND / 1000) /* what happens within this time is sent together */

static struct con_event *at(const struct con_events *events, uint64_t index) {
    return events->ring[index % events->capacity];
}

static size_t weight(const struct con_event *entry) {
    return sizeof *entry + entry->size + entry->text_size;
}

static void forget(struct con_events *events) {
    struct con_event *entry = at(events, events->first++);
    events->gone = entry->id;
    events->bytes -= weight(entry);
    free(entry->text);
    free(entry);
}

/* ---- taking them in ---- */

static const char *keep(char **to, const char *text) {
    char *start = *to;
    size_t size = strlen(text) + 1;
    memcpy(start, text, size);
    *to += size;
    return start;
}

/* One block with everything that the event points to. */
static struct con_event *copy(const pdk_event *event) {
    size_t size = strlen(event->run_id) + strlen(event->text) + strlen(event->code) + strlen(event->name) +
                  strlen(event->runner) + strlen(event->slot) + strlen(event->trace_id) + strlen(event->span_id) + 8;
    struct con_event *entry = malloc(sizeof *entry + size);
    if (!entry) return NULL;
    char *to = entry->data;
    *entry = (struct con_event){.event = *event, .size = size};
    entry->event.data = NULL;
    entry->event.size = 0;
    if (event->usage) {
        entry->usage = *event->usage;
        entry->event.usage = &entry->usage;
    }
    entry->event.run_id = keep(&to, event->run_id);
    entry->event.text = keep(&to, event->text);
    entry->event.code = keep(&to, event->code);
    entry->event.name = keep(&to, event->name);
    entry->event.runner = keep(&to, event->runner);
    entry->event.slot = keep(&to, event->slot);
    entry->event.trace_id = keep(&to, event->trace_id);
    entry->event.span_id = keep(&to, event->span_id);
    return entry;
}

static void on_call(void *arg) {
    struct con_events *events = arg;
    events->due = events->posted = false;
    con_streams_wake(events->con);
    con_stop_look(events->con);
}

/* Soon; now: in the next turn, for those that had to wait for others. */
void con_events_call(struct con *con, bool now) {
    struct con_events *events = &con->events;
    if (events->due || !events->stream_count) return;
    events->due = true;
    if (!now && con->loop->timer(con->loop, GATHER, 0, on_call, events, &events->timer) == 0) return;
    events->posted = true;
    con->loop->post(con->loop, &events->call);
}

static void on_event(void *arg, const pdk_event *event) {
    struct con_events *events = arg;
    struct con_event *entry = copy(event);
    if (event->kind == PDK_EVENT_OUTCOME && event->status >= 0 && event->status <= PDK_END_LOST)
        events->outcomes[event->status]++;
    if (!entry) return; /* what is not kept nobody can be told */
    if (event->kind != PDK_EVENT_LOST) events->newest = event->number;
    entry->id = events->newest;
    if (events->next - events->first == events->capacity) forget(events);
    events->ring[events->next++ % events->capacity] = entry;
    events->bytes += weight(entry);
    while (events->bytes > BYTES_MAX && events->first < events->next) forget(events);
    con_events_call(events->con, false);
}

/* ---- giving them out ---- */

static void write_text(const struct con *con, const struct con_event *entry, const pdk_value *value,
                       struct con_text *text) {
    con_text_format(text, "id: %s-%llu\nevent: %s\ndata: ", con->events.life, (unsigned long long)entry->id,
                    entry->name);
    (void)con->values->print(con->values, value, PDK_JSON_PLAIN, con_text_write, text);
    con_text_put(text, "\n\n");
}

const struct con_event *con_event_text(struct con *con, uint64_t index) {
    struct con_event *entry = at(&con->events, index);
    struct con_text text = {.limit = TEXT_MAX};
    const pdk_value *value = NULL;
    if (entry->text) return entry;
    if (con->control->describe_event(con->control, &entry->event, &value) < 0) return NULL;
    (void)snprintf(entry->name, sizeof entry->name, "%s", con_get_text(con, value, "event"));
    write_text(con, entry, value, &text);
    con->values->drop(value);
    if (text.error) {
        con_text_free(&text);
        return NULL;
    }
    entry->text = text.data;
    entry->text_size = text.size;
    con->events.bytes += text.size;
    return entry;
}

/* ---- life ---- */

int32_t con_events_begin(struct con *con, pdk_error *err) {
    struct con_events *events = &con->events;
    events->con = con;
    events->call = (pdk_call){.run = on_call, .arg = events};
    events->capacity = (uint32_t)con->options.events;
    (void)snprintf(events->life, sizeof events->life, "%llx", (unsigned long long)(con->started_unix / 1000000));
    if (!events->ring) events->ring = calloc(events->capacity, sizeof(*events->ring));
    if (!events->ring) return -ENOMEM;
    int32_t rc = con->control->subscribe(con->control, NULL, on_event, events, &events->watch);
    return rc < 0 ? pdk_fail(err, rc, NULL, "the host takes no subscription", NULL, NULL) : 0;
}

void con_events_end(struct con *con) {
    struct con_events *events = &con->events;
    if (events->watch) con->control->unsubscribe(con->control, events->watch);
    events->watch = 0;
    if (con->loop) con->loop->stop(con->loop, events->timer);
    while (events->first < events->next) forget(events);
    free(events->ring);
    events->ring = NULL;
}
