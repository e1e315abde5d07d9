/* SPDX-License-Identifier: Apache-2.0 */
/* A run as a map: what describe_run says of it, its attempts, its events. */
#include <stdio.h>

#include "instance.h"

void arc_put_members(const pdk_values *v, pdk_writer *w, const pdk_value *map) {
    for (size_t i = 0; i < v->count(map); i++) {
        v->key(w, v->key_at(map, i));
        v->put_value(w, v->at(map, i));
    }
}

static void put_int(const pdk_values *v, pdk_writer *w, const char *key, uint64_t number) {
    v->key(w, key);
    v->put_int(w, (int64_t)number);
}

/* In the words of an event, for there is where they are made. */
static const pdk_value *describe(const struct archive *archive, const pdk_event *event) {
    const pdk_value *value = NULL;
    return archive->control->describe_event(archive->control, event, &value) == 0 ? value : NULL;
}

static void put_time(const struct archive *archive, pdk_writer *w, const char *key, uint64_t unix_ns) {
    const pdk_event event = {.struct_size = (uint32_t)sizeof event,
                             .kind = PDK_EVENT_STARTED,
                             .unix_ns = unix_ns,
                             .run_id = "",
                             .text = "",
                             .code = "",
                             .name = "",
                             .runner = "",
                             .slot = "",
                             .trace_id = "",
                             .span_id = ""};
    const pdk_values *v = archive->values;
    const pdk_value *value = unix_ns ? describe(archive, &event) : NULL;
    if (!value) return;
    v->key(w, key);
    v->put_value(w, v->get(value, "time"));
    v->drop(value);
}

static void put_end(const struct archive *archive, pdk_writer *w, const struct arc_event *ended) {
    static const char *const kept[] = {"result",  "category",         "code",  "exit_code", "signal",
                                       "message", "duration_seconds", "usage", "time"};
    const pdk_values *v = archive->values;
    const pdk_value *value = describe(archive, &ended->event);
    for (size_t i = 0; value && i < sizeof kept / sizeof *kept; i++) {
        const pdk_value *member = v->get(value, kept[i]);
        if (v->type(member) == PDK_NULL) continue;
        v->key(w, strcmp(kept[i], "time") != 0 ? kept[i] : "ended_at");
        v->put_value(w, member);
    }
    v->drop(value);
}

static void put_try(const struct archive *archive, pdk_writer *w, struct arc_try *try) {
    const pdk_values *v = archive->values;
    uint64_t lost = try->lost + atomic_load(&try->dropped);
    v->put_map(w);
    put_int(v, w, "attempt", try->number);
    put_time(archive, w, "started_at", try->started_ns);
    if (try->ended) put_end(archive, w, try->ended);
    put_int(v, w, "output_bytes", try->bytes);
    if (lost) put_int(v, w, "output_lost_bytes", lost);
    v->end(w);
}

void arc_describe(const struct archive *archive, const struct arc_run *run, const pdk_run_info *info, pdk_writer *w) {
    const pdk_values *v = archive->values;
    const pdk_value *described = NULL;
    struct arc_event *event;
    struct arc_try *try;
    if (archive->control->describe_run(archive->control, info, &described) == 0) arc_put_members(v, w, described);
    v->drop(described);
    v->key(w, "history");
    v->put_list(w);
    TAILQ_FOREACH(try, &run->tries, all) put_try(archive, w, try);
    v->end(w);
    if (run->tries_omitted) put_int(v, w, "history_omitted", run->tries_omitted);
    v->key(w, "events");
    v->put_list(w);
    TAILQ_FOREACH(event, &run->events, all) {
        const pdk_value *value = describe(archive, &event->event);
        if (value) v->put_value(w, value);
        v->drop(value);
    }
    v->end(w);
    if (run->events_omitted) put_int(v, w, "events_omitted", run->events_omitted);
}
