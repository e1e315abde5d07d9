/* SPDX-License-Identifier: Apache-2.0 */
/* run --json: every event as one line, the same members always meaning the same (spec.md section 5). */
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/json.h"
#include "core/cli/run.h"

static const char *name_of(int32_t kind) {
    switch (kind) {
    case PDK_EVENT_ACCEPTED: return "run.accepted";
    case PDK_EVENT_REJECTED: return "run.rejected";
    case PDK_PLAN_WAITS: return "run.waiting";
    case PDK_EVENT_STARTED: return "attempt.started";
    case PDK_EVENT_READY: return "attempt.ready";
    case PDK_EVENT_PROGRESS: return "attempt.progress";
    case PDK_EVENT_OUTPUT: return "attempt.output";
    case PDK_EVENT_STOPPING: return "attempt.stopping";
    case PDK_EVENT_ENDED: return "attempt.ended";
    case PDK_EVENT_WAITING: return "attempt.backoff";
    case PDK_EVENT_OUTCOME: return "run.ended";
    case PDK_EVENT_STUCK: return "run.stuck";
    case PDK_EVENT_FREED: return "slot.freed";
    case PDK_EVENT_HEALTH: return "plugin.health";
    case PDK_EVENT_LOST: return "events.lost";
    case PDK_EVENT_SHUTDOWN: return "server.draining";
    default: return NULL;
    }
}

static const char *category_name(int32_t category) {
    static const char *const names[] = {NULL,   "other", "input",  "missing", "denied",  "busy",    "network",
                                        "peer", "exit",  "signal", "memory",  "timeout", "internal"};
    return category >= 0 && category < 13 ? names[category] : "other";
}

static void add_result(struct pdk_buffer *line, const pdk_event *event) {
    const char *category = category_name(event->category);
    pdk_json_text(line, "category", category);
    if (event->code && *event->code) pdk_json_text(line, "code", event->code);
    if (event->category == PDK_CAT_EXIT || event->status == PDK_SUCCESS)
        pdk_json_integer(line, "exit_code", event->exit_code);
    if (event->signal) pdk_json_integer(line, "signal", event->signal);
}

static void add_outcome(struct pdk_buffer *line, const struct pdk_item *item) {
    pdk_json_text(line, "outcome", pdk_end_name(item->end));
    pdk_json_integer(line, "attempts", item->attempts);
    if (item->reason[0]) pdk_json_text(line, "reason", item->reason);
    if (item->category == PDK_CAT_EXIT || item->end == PDK_END_SUCCEEDED)
        pdk_json_integer(line, "exit_code", item->exit_code);
    if (item->signal) pdk_json_integer(line, "signal", item->signal);
    if (item->message[0]) pdk_json_text(line, "message", item->message);
    pdk_json_seconds(line, "duration_seconds", item->duration);
}

static void add_item(struct pdk_buffer *line, const struct pdk_item *item) {
    if (item->run_id[0]) pdk_json_text(line, "run_id", item->run_id);
    pdk_json_text(line, "task", item->name);
    pdk_json_text(line, "slot", item->task->plugin.slot);
    if (item->runner[0]) pdk_json_text(line, "runner", item->runner);
    if (item->attempt) pdk_json_integer(line, "attempt", item->attempt);
}

/* Where there is no item, the event says whose it is. */
static void add_run(struct pdk_buffer *line, const pdk_event *event) {
    if (!event->run) return;
    if (event->run_id && *event->run_id) pdk_json_text(line, "run_id", event->run_id);
    if (event->name && *event->name) pdk_json_text(line, "task", event->name);
    if (event->runner && *event->runner) pdk_json_text(line, "runner", event->runner);
    if (event->attempt) pdk_json_integer(line, "attempt", event->attempt);
}

static void add_end(struct pdk_buffer *line, const pdk_event *event) {
    pdk_json_text(line, "outcome", pdk_end_name(event->status));
    pdk_json_integer(line, "attempts", event->attempt);
    if (event->code && *event->code) pdk_json_text(line, "reason", event->code);
    if (event->category == PDK_CAT_EXIT || event->status == PDK_END_SUCCEEDED)
        pdk_json_integer(line, "exit_code", event->exit_code);
    if (event->signal) pdk_json_integer(line, "signal", event->signal);
    if (event->text && *event->text) pdk_json_text(line, "message", event->text);
    pdk_json_seconds(line, "duration_seconds", event->duration_ns);
}

static void add_output(struct pdk_buffer *line, const pdk_event *event) {
    pdk_json_text(line, "stream", event->stream == PDK_STDERR ? "stderr" : "stdout");
    pdk_json_bytes(line, "text", "base64", event->data, event->size);
    if (event->truncated) {
        pdk_buffer_text(line, ",\"truncated\":true");
    }
}

static void add_details(struct pdk_buffer *line, const struct pdk_item *item, const pdk_event *event) {
    static const char *const health[] = {"up", "degraded", "down"};
    bool text = event->text && *event->text;
    switch (event->kind) {
    case PDK_EVENT_REJECTED:
        pdk_json_text(line, "reason", item && item->reason[0] ? item->reason : event->code);
        if (text) pdk_json_text(line, "message", event->text);
        return;
    case PDK_PLAN_WAITS: pdk_json_text(line, "for", event->text); return;
    case PDK_EVENT_OUTPUT: add_output(line, event); return;
    case PDK_EVENT_PROGRESS:
        if (event->fraction >= 0) pdk_json_number(line, "ratio", event->fraction);
        if (text) pdk_json_text(line, "text", event->text);
        return;
    case PDK_EVENT_ENDED:
        pdk_json_text(line, "result", item && item->timed_out ? "timed_out" : pdk_result_name(event->status));
        add_result(line, event);
        break;
    case PDK_EVENT_WAITING: pdk_json_seconds(line, "delay_seconds", event->delay_ns); break;
    case PDK_EVENT_STARTED: return;
    case PDK_EVENT_OUTCOME:
        if (item)
            add_outcome(line, item);
        else
            add_end(line, event);
        return;
    case PDK_EVENT_HEALTH:
        pdk_json_text(line, "plugin", event->run_id);
        pdk_json_text(line, "state", event->status >= 0 && event->status < 3 ? health[event->status] : "?");
        break;
    case PDK_EVENT_LOST: pdk_json_integer(line, "count", (int64_t)event->number); return;
    default: break;
    }
    if (text) pdk_json_text(line, "message", event->text);
}

void pdk_run_json(struct pdk_session *session, const struct pdk_item *item, const pdk_event *event) {
    const char *name = name_of(event->kind);
    struct pdk_buffer line = PDK_BUFFER(4u << 20);
    if (!name) return;
    pdk_json_open(&line, NULL, '{');
    pdk_json_integer(&line, "seq", (int64_t)++session->seq);
    pdk_json_time(&line, "time", event->unix_ns ? event->unix_ns : pdk_clock_unix());
    pdk_json_text(&line, "event", name);
    if (item)
        add_item(&line, item);
    else
        add_run(&line, event);
    if (event->trace_id && *event->trace_id) pdk_json_text(&line, "trace_id", event->trace_id);
    if (event->span_id && *event->span_id) pdk_json_text(&line, "span_id", event->span_id);
    add_details(&line, item, event);
    pdk_json_close(&line, '}');
    pdk_buffer_text(&line, "\n");
    if (!line.error) pdk_screen_output(&session->screen, 1, line.data, line.size);
    pdk_buffer_free(&line);
}
