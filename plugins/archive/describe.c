/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run as history tells it. What is written down says nothing twice: an event has no members that its run has, and an
 * attempt none that the event of its end has. Who reads it fills them in again.
 */
#include <errno.h>

#include "instance.h"

void arc_put_members(const pdk_values *v, pdk_writer *w, const pdk_value *map) {
    for (size_t i = 0; i < v->count(map); i++) {
        v->key(w, v->key_at(map, i));
        v->put_value(w, v->at(map, i));
    }
}

/* ---- writing it down ---- */

static void add_int(struct arc_text *text, const char *key, uint64_t number) {
    arc_text_put(text, key);
    arc_text_number(text, number);
}

static void add_event(const struct archive *archive, struct arc_text *text, const struct arc_event *event,
                      const pdk_run_info *info) {
    pdk_event copy = event->event;
    copy.run_id = copy.name = copy.slot = "";
    if (strcmp(copy.runner, info->runner) == 0) copy.runner = "";
    if (archive->control->print_event(archive->control, &copy, arc_text_write, text) < 0) arc_text_put(text, "{}");
}

static void add_try(const struct archive *archive, struct arc_text *text, struct arc_try *try,
                    const pdk_run_info *info) {
    uint64_t lost = try->lost + atomic_load(&try->dropped);
    add_int(text, "{\"attempt\":", try->number);
    if (try->started_ns) {
        arc_text_put(text, ",\"started_at\":\"");
        arc_text_time(text, try->started_ns);
        arc_text_put(text, "\"");
    }
    if (try->ended && !try->ended->of) {
        arc_text_put(text, ",\"end\":");
        add_event(archive, text, try->ended, info);
    }
    add_int(text, ",\"output_bytes\":", try->bytes);
    if (lost) add_int(text, ",\"output_lost_bytes\":", lost);
    arc_text_put(text, "}");
}

void arc_print(const struct archive *archive, const struct arc_run *run, const pdk_run_info *info,
               struct arc_text *text) {
    const char *separator = "";
    struct arc_event *event;
    struct arc_try *try;
    if (archive->control->print_run(archive->control, info, arc_text_write, text) < 0) text->failed = true;
    if (text->failed) return;
    text->size--; /* its brace: there is more */
    arc_text_put(text, ",\"history\":[");
    TAILQ_FOREACH(try, &run->tries, all) {
        arc_text_put(text, separator);
        add_try(archive, text, try, info);
        separator = ",";
    }
    arc_text_put(text, "]");
    if (run->tries_omitted) add_int(text, ",\"history_omitted\":", run->tries_omitted);
    arc_text_put(text, ",\"events\":[");
    separator = "";
    TAILQ_FOREACH(event, &run->events, all) {
        arc_text_put(text, separator);
        add_event(archive, text, event, info);
        separator = ",";
    }
    arc_text_put(text, "]");
    if (run->events_omitted) add_int(text, ",\"events_omitted\":", run->events_omitted);
    arc_text_put(text, "}");
}

/* ---- reading it ---- */

static bool is_word(const pdk_values *v, const pdk_value *map, const char *key, const char *word) {
    const char *text = NULL;
    return v->string(v->get(map, key), &text) == 0 && strcmp(text, word) == 0;
}

static void put_missing(const pdk_values *v, pdk_writer *w, const pdk_value *map, const pdk_value *from,
                        const char *key) {
    const pdk_value *member = v->get(from, key);
    if (v->type(v->get(map, key)) != PDK_NULL || v->type(member) == PDK_NULL) return;
    v->key(w, key);
    v->put_value(w, member);
}

static void put_event(const pdk_values *v, pdk_writer *w, const pdk_value *event, const pdk_value *run) {
    static const char *const shared[] = {"run_id", "task", "slot", "runner"};
    v->put_map(w);
    for (size_t i = 0; i < v->count(event); i++) {
        v->key(w, v->key_at(event, i));
        v->put_value(w, v->at(event, i));
        if (strcmp(v->key_at(event, i), "event") != 0) continue;
        for (size_t k = 0; k < sizeof shared / sizeof *shared; k++) put_missing(v, w, event, run, shared[k]);
    }
    v->end(w);
}

/* The event of its end; NULL: it has not ended, or says all of it itself. */
static const pdk_value *end_of(const pdk_values *v, const pdk_value *try, const pdk_value *events) {
    const pdk_value *end = v->get(try, "end");
    int64_t number = 0, other = 0;
    if (v->type(end) == PDK_MAP || v->type(v->get(try, "ended_at")) != PDK_NULL) return end;
    if (v->integer(v->get(try, "attempt"), &number) < 0) return NULL;
    for (size_t i = 0; i < v->count(events); i++) {
        const pdk_value *event = v->at(events, i);
        if (is_word(v, event, "event", "attempt.ended") && v->integer(v->get(event, "attempt"), &other) == 0 &&
            other == number)
            return event;
    }
    return NULL;
}

static void put_end(const pdk_values *v, pdk_writer *w, const pdk_value *end) {
    static const char *const kept[] = {"result",  "category",         "code",  "exit_code", "signal",
                                       "message", "duration_seconds", "usage", "time"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const pdk_value *member = v->get(end, kept[i]);
        if (v->type(member) == PDK_NULL) continue;
        v->key(w, strcmp(kept[i], "time") != 0 ? kept[i] : "ended_at");
        v->put_value(w, member);
    }
}

static void put_try(const pdk_values *v, pdk_writer *w, const pdk_value *try, const pdk_value *events) {
    v->put_map(w);
    for (size_t i = 0; i < v->count(try); i++) {
        const char *key = v->key_at(try, i);
        if (strcmp(key, "output_bytes") == 0) put_end(v, w, end_of(v, try, events));
        if (strcmp(key, "end") == 0) continue;
        v->key(w, key);
        v->put_value(w, v->at(try, i));
    }
    v->end(w);
}

static void put_list(const pdk_values *v, pdk_writer *w, const pdk_value *list, const pdk_value *run) {
    bool tries = list == v->get(run, "history");
    v->put_list(w);
    for (size_t i = 0; i < v->count(list); i++) {
        if (tries)
            put_try(v, w, v->at(list, i), v->get(run, "events"));
        else
            put_event(v, w, v->at(list, i), run);
    }
    v->end(w);
}

int32_t arc_expand(const struct archive *archive, const pdk_value *run, const pdk_value **ret) {
    const pdk_values *v = archive->values;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    for (size_t i = 0; i < v->count(run); i++) {
        const char *key = v->key_at(run, i);
        v->key(w, key);
        if (strcmp(key, "history") == 0 || strcmp(key, "events") == 0)
            put_list(v, w, v->at(run, i), run);
        else
            v->put_value(w, v->at(run, i));
    }
    v->end(w);
    return v->close(w, ret, NULL);
}
