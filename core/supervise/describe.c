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
#include "core/value/json.h"
#include "core/value/scalar.h"

/* Where members go: into a value; or, where out is there, straight to text, in the same order and words. */
struct map {
    const pdk_values *values;
    pdk_writer *writer;
    struct pdk_json_out *out;
    bool first;
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

static struct map open_text(struct pdk_json_out *out, pdk_write write, void *arg) {
    out->write = write;
    out->arg = arg;
    out->used = 0;
    pdk_json_add(out, "{", 1);
    return (struct map){.out = out, .first = true};
}

static void close_text(const struct map *map) {
    pdk_json_add(map->out, "}", 1);
    pdk_json_flush(map->out);
}

/* Our keys need no escapes. */
static void put_key(struct map *map, const char *key) {
    if (!map->out) {
        map->values->key(map->writer, key);
        return;
    }
    pdk_json_add(map->out, map->first ? "\"" : ",\"", map->first ? 1 : 2);
    pdk_json_add(map->out, key, strlen(key));
    pdk_json_add(map->out, "\":", 2);
    map->first = false;
}

static void put_string(struct map *map, const char *text, size_t size) {
    if (map->out)
        pdk_json_add_string(map->out, text, size);
    else
        map->values->put_string(map->writer, text, size);
}

/* NULL and "" are unknown. What is no text, which a plugin may have said, is left out too. */
static void put_text(struct map *map, const char *key, const char *text) {
    if (!text || !*text || !pdk_utf8_valid(text, strlen(text))) return;
    put_key(map, key);
    put_string(map, text, strlen(text));
}

static void put_int(struct map *map, const char *key, uint64_t number) {
    int64_t most = number > INT64_MAX ? INT64_MAX : (int64_t)number;
    char text[PDK_NUMBER_TEXT];
    put_key(map, key);
    if (map->out)
        pdk_json_add(map->out, text, pdk_integer_format(most, text));
    else
        map->values->put_int(map->writer, most);
}

static void put_bool(struct map *map, const char *key, bool value) {
    put_key(map, key);
    if (map->out)
        pdk_json_add(map->out, value ? "true" : "false", value ? 4 : 5);
    else
        map->values->put_bool(map->writer, value);
}

static void put_number(struct map *map, const char *key, double number) {
    char text[PDK_NUMBER_TEXT];
    put_key(map, key);
    if (map->out)
        pdk_json_add(map->out, text, pdk_number_format(number, text));
    else
        map->values->put_number(map->writer, number);
}

static void put_digits(char *at, uint64_t number, size_t count) {
    for (; count--; number /= 10) at[count] = (char)('0' + number % 10);
}

/* With nine places, which reads back as the same number up to 15 digits in all; what is longer takes the slow way. */
static void put_seconds(struct map *map, const char *key, uint64_t ns) {
    char text[PDK_NUMBER_TEXT];
    if (!map->out || ns > UINT64_C(999999) * PDK_SECOND) {
        put_number(map, key, (double)ns / (double)PDK_SECOND);
        return;
    }
    size_t size = pdk_integer_format((int64_t)(ns / PDK_SECOND), text);
    text[size] = '.';
    put_digits(text + size + 1, ns % PDK_SECOND, 9);
    for (size += 10; text[size - 1] == '0' && text[size - 2] != '.';) size--;
    put_key(map, key);
    pdk_json_add(map->out, text, size);
}

static void put_time(struct map *map, const char *key, uint64_t unix_ns) {
    char text[64];
    if (unix_ns) put_text(map, key, pdk_time_text(unix_ns, text, sizeof text));
}

/* Bytes are text where they can be. */
static void put_bytes(struct map *map, const char *data, size_t size) {
    if (pdk_utf8_valid(data, size)) {
        put_key(map, "text");
        put_string(map, data, size);
        return;
    }
    struct pdk_buffer coded = PDK_BUFFER(size / 3 * 4 + 8);
    pdk_base64_add(&coded, data, size);
    put_text(map, "base64", pdk_buffer_string(&coded));
    pdk_buffer_free(&coded);
}

/* How a process ended: an exit code means something where there was one. */
static void put_process(struct map *map, int32_t category, bool succeeded, int32_t exit_code, int32_t signal) {
    if (category == PDK_CAT_EXIT || succeeded) put_int(map, "exit_code", (uint64_t)(uint32_t)exit_code);
    if (signal) put_int(map, "signal", (uint64_t)(uint32_t)signal);
}

/* ---- runs ---- */

const char *pdk_public_word(int32_t state) {
    static const char *const words[] = {"queued", "running", "backoff", "stopping", "ended", "stuck"};
    return state >= PDK_RUN_QUEUED && state <= PDK_RUN_STUCK ? words[state] : "unknown";
}

static void put_run_times(struct map *map, const pdk_run_info *info) {
    put_time(map, "submitted_at", info->submitted_ns);
    put_time(map, "started_at", info->started_ns);
    put_time(map, "attempt_started_at", info->attempt_ns);
    put_time(map, "next_attempt_at", info->next_ns);
    put_time(map, "ended_at", info->ended_ns);
}

static void put_run(struct map *map, const pdk_run_info *info) {
    bool over = info->state == PDK_RUN_ENDED || info->state == PDK_RUN_STUCK;
    put_text(map, "run_id", info->run_id);
    put_text(map, "task", info->name);
    put_text(map, "kind", info->kind);
    put_text(map, "slot", info->slot);
    put_text(map, "runner", info->runner);
    put_text(map, "state", pdk_public_word(info->state));
    if (over) put_text(map, "outcome", pdk_end_word(info->end));
    put_bool(map, "ready", info->ready);
    put_bool(map, "paused", info->paused);
    put_int(map, "attempts", info->attempts);
    put_int(map, "retries", info->retries);
    put_text(map, "reason", info->code);
    put_text(map, "category", pdk_category_word(info->category));
    put_process(map, info->category, over && info->end == PDK_END_SUCCEEDED, info->exit_code, info->signal);
    put_text(map, "message", info->text);
    if (info->fraction >= 0 && !over) put_number(map, "ratio", info->fraction);
    put_run_times(map, info);
}

int32_t pdk_describe_run(const pdk_control *control, const pdk_run_info *info, const pdk_value **ret) {
    struct map map = open_map();
    (void)control;
    put_run(&map, info);
    return close_map(&map, ret);
}

int32_t pdk_print_run(const pdk_control *control, const pdk_run_info *info, pdk_write write, void *arg) {
    struct pdk_json_out out;
    struct map map = open_text(&out, write, arg);
    (void)control;
    put_run(&map, info);
    close_text(&map);
    return 0;
}

/* ---- events ---- */

static void put_rejected(struct map *map, const pdk_event *event) {
    put_text(map, "reason", event->code);
    put_text(map, "message", event->text);
}

static void put_message(struct map *map, const pdk_event *event) {
    put_text(map, "message", event->text);
}

static void put_progress(struct map *map, const pdk_event *event) {
    if (event->fraction >= 0) put_number(map, "ratio", event->fraction);
    put_text(map, "text", event->text);
}

static void put_output(struct map *map, const pdk_event *event) {
    if (!event->data) {
        put_message(map, event); /* some of it is lost */
        return;
    }
    put_text(map, "stream", event->stream == PDK_STDERR ? "stderr" : "stdout");
    put_bytes(map, event->data, event->size);
    if (event->truncated) put_bool(map, "truncated", true);
}

static void open_nested(struct map *map) {
    if (map->out)
        pdk_json_add(map->out, "{", 1);
    else
        map->values->put_map(map->writer);
    map->first = true;
}

static void close_nested(struct map *map) {
    if (map->out)
        pdk_json_add(map->out, "}", 1);
    else
        map->values->end(map->writer);
    map->first = false;
}

static void put_usage(struct map *map, const pdk_usage *usage) {
    if (!usage) return;
    put_key(map, "usage");
    open_nested(map);
    put_seconds(map, "user_seconds", usage->user_ns);
    put_seconds(map, "system_seconds", usage->system_ns);
    if (usage->max_rss) put_int(map, "max_rss_bytes", usage->max_rss);
    if (usage->read_bytes) put_int(map, "read_bytes", usage->read_bytes);
    if (usage->written_bytes) put_int(map, "written_bytes", usage->written_bytes);
    close_nested(map);
}

static void put_ended(struct map *map, const pdk_event *event) {
    put_text(map, "result", pdk_result_word(event->status, event->timed_out));
    put_text(map, "category", pdk_category_word(event->category));
    put_text(map, "code", event->code);
    put_process(map, event->category, event->status == PDK_SUCCESS, event->exit_code, event->signal);
    put_text(map, "message", event->text);
    put_seconds(map, "duration_seconds", event->duration_ns);
    put_usage(map, event->usage);
}

static void put_outcome(struct map *map, const pdk_event *event) {
    put_text(map, "outcome", pdk_end_word(event->status));
    put_int(map, "attempts", event->attempt);
    put_text(map, "reason", event->code);
    put_process(map, event->category, event->status == PDK_END_SUCCEEDED, event->exit_code, event->signal);
    put_text(map, "message", event->text);
    put_seconds(map, "duration_seconds", event->duration_ns);
}

static void put_backoff(struct map *map, const pdk_event *event) {
    put_seconds(map, "delay_seconds", event->delay_ns);
    put_text(map, "message", event->text);
}

static void put_health(struct map *map, const pdk_event *event) {
    static const char *const words[] = {"up", "degraded", "down"};
    put_text(map, "plugin", event->run_id);
    if (event->status >= PDK_UP && event->status <= PDK_DOWN) put_text(map, "state", words[event->status]);
    put_text(map, "message", event->text);
}

static void put_lost(struct map *map, const pdk_event *event) {
    put_int(map, "count", event->number);
}

static void put_paused(struct map *map, const pdk_event *event) {
    put_bool(map, "paused", event->status);
    put_text(map, "message", event->text);
}

static const struct {
    const char *name;
    void (*put)(struct map *, const pdk_event *);
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

static void put_whose(struct map *map, const pdk_event *event) {
    put_text(map, "run_id", event->run_id);
    put_text(map, "task", event->name);
    put_text(map, "slot", event->slot);
    put_text(map, "runner", event->runner);
    if (event->attempt) put_int(map, "attempt", event->attempt);
    put_text(map, "trace_id", event->trace_id);
    put_text(map, "span_id", event->span_id);
}

static bool is_known(const pdk_event *event) {
    return event->kind >= 0 && (size_t)event->kind < sizeof kinds / sizeof *kinds;
}

static void put_event(struct map *map, const pdk_event *event) {
    if (event->kind != PDK_EVENT_LOST) put_int(map, "seq", event->number);
    put_time(map, "time", event->unix_ns);
    put_text(map, "event", kinds[event->kind].name);
    if (event->kind != PDK_EVENT_HEALTH) put_whose(map, event);
    if (kinds[event->kind].put) kinds[event->kind].put(map, event);
}

int32_t pdk_describe_event(const pdk_control *control, const pdk_event *event, const pdk_value **ret) {
    (void)control;
    if (!is_known(event)) return -EINVAL;
    struct map map = open_map();
    put_event(&map, event);
    return close_map(&map, ret);
}

int32_t pdk_print_event(const pdk_control *control, const pdk_event *event, pdk_write write, void *arg) {
    struct pdk_json_out out;
    (void)control;
    if (!is_known(event)) return -EINVAL;
    struct map map = open_text(&out, write, arg);
    put_event(&map, event);
    close_text(&map);
    return 0;
}
