/* SPDX-License-Identifier: Apache-2.0 */
/* paddock events: what happens at a server, as it happens. */
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/remote.h"

#define RECONNECT (60 * PDK_SECOND)

struct events {
    struct pdk_remote *remote;
    int64_t count;
};

/* Members that a line says by itself, or that say nothing to people. */
static bool is_said(const char *key) {
    static const char *const said[] = {"seq",  "time",     "event",   "run_id", "task", "runner",
                                       "slot", "trace_id", "span_id", "kind",   NULL};
    for (size_t i = 0; said[i]; i++)
        if (strcmp(said[i], key) == 0) return true;
    return false;
}

static void add_member(struct pdk_buffer *line, struct pdk_arena *arena, const char *key, const pdk_value *value) {
    const pdk_values *v = pdk_values_get();
    struct pdk_buffer text = PDK_BUFFER(1u << 20);
    const char *word = "";
    if (v->string(value, &word) == 0)
        pdk_buffer_text(&text, word);
    else
        (void)v->print(v, value, PDK_JSON_PLAIN, pdk_buffer_write, &text);
    pdk_buffer_format(line, "  %s=%s", key, pdk_cell(arena, pdk_buffer_string(&text)));
    pdk_buffer_free(&text);
}

/* 14:03:12.123  run.ended  subprocess-web-1  outcome=failed  exit_code=3 */
static void print_line(const struct events *events, const pdk_value *event) {
    const pdk_values *v = pdk_values_get();
    const struct pdk_console *out = &events->remote->out;
    struct pdk_buffer line = PDK_BUFFER(1u << 22), cut = PDK_BUFFER(1u << 22);
    struct pdk_arena arena = {0};
    const char *time = pdk_get_text(event, "time"), *outcome = pdk_get_text(event, "outcome");
    enum pdk_tone tone = pdk_tone_of(*outcome ? outcome : pdk_get_text(event, "result"));
    if (strlen(time) > 23) time += 11;
    pdk_buffer_format(&line, "%s%.12s%s  %s%-18s%s  %s", pdk_tone_begin(out, PDK_TONE_DIM), pdk_cell(&arena, time),
                      pdk_tone_end(out, PDK_TONE_DIM), pdk_tone_begin(out, tone), pdk_cell_of(&arena, event, "event"),
                      pdk_tone_end(out, tone), pdk_cell_of(&arena, event, "run_id"));
    for (size_t i = 0; i < v->count(event); i++)
        if (!is_said(v->key_at(event, i))) add_member(&line, &arena, v->key_at(event, i), v->at(event, i));
    pdk_text_fit(&cut, pdk_buffer_string(&line), out->tty ? out->columns : SIZE_MAX, false);
    (void)printf("%s\n", pdk_buffer_string(&cut));
    pdk_buffer_free(&line);
    pdk_buffer_free(&cut);
    pdk_arena_free(&arena);
}

static int32_t on_event(void *arg, const pdk_client_event *event) {
    struct events *events = arg;
    struct pdk_remote *remote = events->remote;
    const pdk_values *v = pdk_values_get();
    const pdk_value *value = NULL;
    if (!*event->type && !remote->arguments->quiet) pdk_say("%s; trying to go on", event->data);
    if (!*event->type || v->parse(v, event->data, event->size, "an event", &value, NULL) < 0) return 0;
    if (remote->resized) pdk_console_measure(&remote->out, 1);
    remote->resized = false;
    if (remote->arguments->json)
        pdk_print_json(value);
    else
        print_line(events, value);
    v->drop(value);
    return !pdk_remote_flush(remote) || ++events->count == remote->arguments->remote.limit;
}

int pdk_verb_events(struct pdk_arguments *a) {
    struct pdk_remote remote;
    struct events events = {.remote = &remote};
    PDK_PATH(path);
    if (a->remote.follow && a->remote.no_follow)
        return pdk_say_usage(a->verb, "", "either --follow or --no-follow, not both");
    int code = pdk_remote_open(&remote, a, true, RECONNECT);
    pdk_buffer_text(&path, "/v1/events");
    pdk_url_query(&path, "run", a->names.items[0]);
    pdk_url_query(&path, "type", a->remote.type);
    pdk_url_query(&path, "follow", a->remote.no_follow ? "false" : NULL);
    if (code == 0)
        code = pdk_remote_follow(&remote, &path, a->remote.since, on_event, &events);
    else
        pdk_buffer_free(&path);
    return pdk_remote_close(&remote, code);
}
