/* SPDX-License-Identifier: Apache-2.0 */
/* run --json: every event as one line, in the words of control->describe_event. */
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/run.h"

/* What is known of the item, but not of an event that never reached the supervisor. */
static pdk_event complete(const struct pdk_item *item, const pdk_event *event) {
    pdk_event whole = *event;
    if (!whole.unix_ns) whole.unix_ns = pdk_clock_unix();
    if (!item) return whole;
    whole.name = item->name;
    whole.slot = item->task->plugin.slot;
    if (item->run_id[0]) whole.run_id = item->run_id;
    if (item->runner[0]) whole.runner = item->runner;
    if (whole.kind == PDK_EVENT_OUTCOME) whole.attempt = item->attempts;
    return whole;
}

static void put_text(const pdk_values *values, pdk_writer *writer, const char *key, const char *text) {
    values->key(writer, key);
    values->put_string(writer, text, strlen(text));
}

/* Tasks wait for each other before they are runs, so only the plan knows of it. */
static int32_t describe_waiting(const pdk_event *event, const pdk_value **ret) {
    const pdk_values *values = pdk_values_get();
    pdk_writer *writer = values->open(values);
    char time[64];
    values->put_map(writer);
    put_text(values, writer, "time", pdk_time_text(event->unix_ns, time, sizeof time));
    put_text(values, writer, "event", "run.waiting");
    put_text(values, writer, "task", event->name);
    put_text(values, writer, "slot", event->slot);
    put_text(values, writer, "for", event->text);
    values->end(writer);
    return values->close(writer, ret, NULL);
}

static int32_t describe(const struct pdk_session *session, const pdk_event *event, const pdk_value **ret) {
    const pdk_control *control = pdk_supervisor_control(session->supervisor);
    return event->kind == PDK_PLAN_WAITS ? describe_waiting(event, ret) : control->describe_event(control, event, ret);
}

/* The numbers of the lines have no gaps; those of the supervisor's events that nobody is shown would leave some. */
static int32_t number(const pdk_value *described, uint64_t seq, const pdk_value **ret) {
    const pdk_values *values = pdk_values_get();
    pdk_writer *writer = values->open(values);
    values->put_map(writer);
    values->key(writer, "seq");
    values->put_int(writer, (int64_t)seq);
    for (size_t i = 0; i < values->count(described); i++) {
        const char *key = values->key_at(described, i);
        if (strcmp(key, "seq") == 0) continue;
        values->key(writer, key);
        values->put_value(writer, values->at(described, i));
    }
    values->end(writer);
    return values->close(writer, ret, NULL);
}

void pdk_run_json(struct pdk_session *session, const struct pdk_item *item, const pdk_event *event) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *described = NULL, *numbered = NULL;
    struct pdk_buffer line = PDK_BUFFER(8u << 20);
    pdk_event whole = complete(item, event);
    if (describe(session, &whole, &described) == 0 && number(described, session->seq + 1, &numbered) == 0) {
        session->seq++;
        values->print(values, numbered, 0, pdk_buffer_write, &line);
        pdk_buffer_text(&line, "\n");
        if (!line.error) pdk_screen_output(&session->screen, 1, line.data, line.size);
    }
    values->drop(described);
    values->drop(numbered);
    pdk_buffer_free(&line);
}
