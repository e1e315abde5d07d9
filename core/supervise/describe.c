/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs and events as maps. These are the words that programs rely on (core/spec/README.md, section 5): of `run --json`,
 * of the console and of the archive alike. Members are only ever added; one that is unknown is left out.
 */
#include <errno.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/text.h"
#include "core/supervise/internal.h"

struct map {
    const pdk_values *values;
    pdk_writer *writer;
};

static struct map open_map(void) {
    struct map map = {.values = pdk_values_get()};
    map.writer = map.values->open(map.values);
    map.values->put_map(map.writer);
    return map;
}

static int32_t close_map(const struct map *map, const pdk_value **ret) {
    map->values->end(map->writer);
    return map->values->close(map->writer, ret, NULL);
}

/* NULL and "" are unknown. What is no text, which a plugin may have said, is left out too. */
static void put_text(const struct map *map, const char *key, const char *text) {
    if (!text || !*text || !pdk_utf8_valid(text, strlen(text))) return;
    map->values->key(map->writer, key);
    map->values->put_string(map->writer, text, strlen(text));
}

static void put_int(const struct map *map, const char *key, uint64_t number) {
    map->values->key(map->writer, key);
    map->values->put_int(map->writer, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

static void put_bool(const struct map *map, const char *key, bool value) {
    map->values->key(map->writer, key);
    map->values->put_bool(map->writer, value);
}

static void put_number(const struct map *map, const char *key, double number) {
    map->values->key(map->writer, key);
    map->values->put_number(map->writer, number);
}

static void put_seconds(const struct map *map, const char *key, uint64_t ns) {
    put_number(map, key, (double)ns / (double)PDK_SECOND);
}

static void put_time(const struct map *map, const char *key, uint64_t unix_ns) {
    char text[64];
    if (unix_ns) put_text(map, key, pdk_time_text(unix_ns, text, sizeof text));
}

/* Bytes are text where they can be. */
static void put_bytes(const struct map *map, const char *data, size_t size) {
    if (pdk_utf8_valid(data, size)) {
        map->values->key(map->writer, "text");
        map->values->put_string(map->writer, data, size);
        return;
    }
    struct pdk_buffer coded = PDK_BUFFER(size / 3 * 4 + 8);
    pdk_base64_add(&coded, data, size);
    put_text(map, "base64", pdk_buffer_string(&coded));
    pdk_buffer_free(&coded);
}

/* How a process ended: an exit code means something where there was one. */
static void put_process(const struct map *map, int32_t category, bool succeeded, int32_t exit_code, int32_t signal) {
    if (category == PDK_CAT_EXIT || succeeded) put_int(map, "exit_code", (uint64_t)(uint32_t)exit_code);
    if (signal) put_int(map, "signal", (uint64_t)(uint32_t)signal);
}

/* ---- runs ---- */

const char *pdk_public_word(int32_t state) {
    static const char *const words[] = {"queued", "running", "backoff", "stopping", "ended", "stuck"};
    return state >= PDK_RUN_QUEUED && state <= PDK_RUN_STUCK ? words[state] : "unknown";
}

static void put_run_times(const struct map *map, const pdk_run_info *info) {
    put_time(map, "submitted_at", info->submitted_ns);
    put_time(map, "started_at", info->started_ns);
    put_time(map, "attempt_started_at", info->attempt_ns);
    put_time(map, "next_attempt_at", info->next_ns);
    put_time(map, "ended_at", info->ended_ns);
}

int32_t pdk_describe_run(const pdk_control *control, const pdk_run_info *info, const pdk_value **ret) {
    bool over = info->state == PDK_RUN_ENDED || info->state == PDK_RUN_STUCK;
    struct map map = open_map();
    (void)control;
    put_text(&map, "run_id", info->run_id);
    put_text(&map, "task", info->name);
    put_text(&map, "kind", info->kind);
    put_text(&map, "slot", info->slot);
    put_text(&map, "runner", info->runner);
    put_text(&map, "state", pdk_public_word(info->state));
    if (over) put_text(&map, "outcome", pdk_end_word(info->end));
    put_bool(&map, "ready", info->ready);
    put_bool(&map, "paused", info->paused);
    put_int(&map, "attempts", info->attempts);
    put_int(&map, "retries", info->retries);
    put_text(&map, "reason", info->code);
    put_text(&map, "category", pdk_category_word(info->category));
    put_process(&map, info->category, over && info->end == PDK_END_SUCCEEDED, info->exit_code, info->signal);
    put_text(&map, "message", info->text);
    if (info->fraction >= 0 && !over) put_number(&map, "ratio", info->fraction);
    put_run_times(&map, info);
    return close_map(&map, ret);
}

/* ---- events ---- */

static void put_rejected(const struct map *map, const pdk_event *event) {
    put_text(map, "reason", event->code);
    put_text(map, "message", event->text);
}

static void put_message(const struct map *map, const pdk_event *event) {
    put_text(map, "message", event->text);
}

static void put_progress(const struct map *map, const pdk_event *event) {
    if (event->fraction >= 0) put_number(map, "ratio", event->fraction);
    put_text(map, "text", event->text);
}

static void put_output(const struct map *map, const pdk_event *event) {
    if (!event->data) {
        put_message(map, event); /* some of it is lost */
        return;
    }
    put_text(map, "stream", event->stream == PDK_STDERR ? "stderr" : "stdout");
    put_bytes(map, event->data, event->size);
    if (event->truncated) put_bool(map, "truncated", true);
}

static void put_usage(const struct map *map, const pdk_usage *usage) {
    if (!usage) return;
    map->values->key(map->writer, "usage");
    map->values->put_map(map->writer);
    put_seconds(map, "user_seconds", usage->user_ns);
    put_seconds(map, "system_seconds", usage->system_ns);
    if (usage->max_rss) put_int(map, "max_rss_bytes", usage->max_rss);
    if (usage->read_bytes) put_int(map, "read_bytes", usage->read_bytes);
    if (usage->written_bytes) put_int(map, "written_bytes", usage->written_bytes);
    map->values->end(map->writer);
}

static void put_ended(const struct map *map, const pdk_event *event) {
    put_text(map, "result", pdk_result_word(event->status, event->timed_out));
    put_text(map, "category", pdk_category_word(event->category));
    put_text(map, "code", event->code);
    put_process(map, event->category, event->status == PDK_SUCCESS, event->exit_code, event->signal);
    put_text(map, "message", event->text);
    put_seconds(map, "duration_seconds", event->duration_ns);
    put_usage(map, event->usage);
}

static void put_outcome(const struct map *map, const pdk_event *event) {
    put_text(map, "outcome", pdk_end_word(event->status));
    put_int(map, "attempts", event->attempt);
    put_text(map, "reason", event->code);
    put_process(map, event->category, event->status == PDK_END_SUCCEEDED, event->exit_code, event->signal);
    put_text(map, "message", event->text);
    put_seconds(map, "duration_seconds", event->duration_ns);
}

static void put_backoff(const struct map *map, const pdk_event *event) {
    put_seconds(map, "delay_seconds", event->delay_ns);
    put_text(map, "message", event->text);
}

static void put_health(const struct map *map, const pdk_event *event) {
    static const char *const words[] = {"up", "degraded", "down"};
    put_text(map, "plugin", event->run_id);
    if (event->status >= PDK_UP && event->status <= PDK_DOWN) put_text(map, "state", words[event->status]);
    put_text(map, "message", event->text);
}

static void put_lost(const struct map *map, const pdk_event *event) {
    put_int(map, "count", event->number);
}

static void put_paused(const struct map *map, const pdk_event *event) {
    put_bool(map, "paused", event->status);
    put_text(map, "message", event->text);
}

static const struct {
    const char *name;
    void (*put)(const struct map *, const pdk_event *);
} kinds[] = {
    [PDK_EVENT_ACCEPTED] = {"run.accepted", put_message},
    [PDK_EVENT_REJECTED] = {"run.rejected", put_rejected},
    [PDK_EVENT_STARTED] = {"attempt.started", NULL},
    [PDK_EVENT_STOPPING] = {"attempt.stopping", put_message},
    [PDK_EVENT_ENDED] = {"attempt.ended", put_ended},
    [PDK_EVENT_WAITING] = {"attempt.backoff", put_backoff},
    [PDK_EVENT_PROGRESS] = {"attempt.progress", put_progress},
    [PDK_EVENT_OUTPUT] = {"attempt.output", put_output},
    [PDK_EVENT_OUTCOME] = {"run.ended", put_outcome},
    [PDK_EVENT_HEALTH] = {"plugin.health", put_health},
    [PDK_EVENT_LOST] = {"events.lost", put_lost},
    [PDK_EVENT_STUCK] = {"run.stuck", put_message},
    [PDK_EVENT_FREED] = {"slot.freed", put_message},
    [PDK_EVENT_PAUSED] = {"run.paused", put_paused},
    [PDK_EVENT_READY] = {"attempt.ready", put_message},
    [PDK_EVENT_SHUTDOWN] = {"server.draining", put_message},
    [PDK_EVENT_UP] = {"server.started", put_message},
    [PDK_EVENT_RELOADED] = {"server.reloaded", put_message},
};

static void put_whose(const struct map *map, const pdk_event *event) {
    put_text(map, "run_id", event->run_id);
    put_text(map, "task", event->name);
    put_text(map, "slot", event->slot);
    put_text(map, "runner", event->runner);
    if (event->attempt) put_int(map, "attempt", event->attempt);
    put_text(map, "trace_id", event->trace_id);
    put_text(map, "span_id", event->span_id);
}

int32_t pdk_describe_event(const pdk_control *control, const pdk_event *event, const pdk_value **ret) {
    (void)control;
    if (event->kind < 0 || (size_t)event->kind >= sizeof kinds / sizeof *kinds) return -EINVAL;
    struct map map = open_map();
    if (event->kind != PDK_EVENT_LOST) put_int(&map, "seq", event->number);
    put_time(&map, "time", event->unix_ns);
    put_text(&map, "event", kinds[event->kind].name);
    if (event->kind != PDK_EVENT_HEALTH) put_whose(&map, event);
    if (kinds[event->kind].put) kinds[event->kind].put(&map, event);
    return close_map(&map, ret);
}
