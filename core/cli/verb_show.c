/* SPDX-License-Identifier: Apache-2.0 */
/* paddock show: all about a run or a job. */
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/remote.h"

#define EVENTS 20u /* the last of them */

struct showing {
    struct pdk_remote *remote;
    struct pdk_arena arena;
    uint64_t now;
};

/* ---- lines of names and what they are */

static void put(struct showing *s, const char *name, const char *text) {
    if (*text)
        (void)printf("%s%-11s%s %s\n", pdk_tone_begin(&s->remote->out, PDK_TONE_DIM), name,
                     pdk_tone_end(&s->remote->out, PDK_TONE_DIM), text);
}

static void put_member(struct showing *s, const pdk_value *map, const char *name, const char *key) {
    put(s, name, pdk_cell_of(&s->arena, map, key));
}

/* "2026-01-02 03:04:05.123 UTC, 3m ago" */
static void put_time(struct showing *s, const pdk_value *map, const char *name, const char *key) {
    const char *time = pdk_get_text(map, key);
    char ago[64], text[120];
    uint64_t unix_ns;
    if (pdk_time_read(time, &unix_ns) < 0) return;
    (void)snprintf(text, sizeof text, "%.10s %.8s UTC, %s", time, time + 11,
                   pdk_time_relative(time, s->now, ago, sizeof ago));
    put(s, name, text);
}

static void put_number(struct showing *s, const pdk_value *map, const char *name, const char *key) {
    const pdk_values *v = pdk_values_get();
    int64_t number;
    char text[32];
    if (v->integer(v->get(map, key), &number) < 0) return;
    (void)snprintf(text, sizeof text, "%lld", (long long)number);
    put(s, name, text);
}

/* What is a map, a list or a long text, as JSON below its name. */
static void put_block(struct showing *s, const pdk_value *value, const char *name) {
    const pdk_values *v = pdk_values_get();
    struct pdk_buffer text = PDK_BUFFER(1u << 22);
    if (pdk_value_is_null(value)) return;
    (void)v->print(v, value, PDK_JSON_INDENT, pdk_buffer_write, &text);
    (void)printf("\n%s%s%s\n", pdk_tone_begin(&s->remote->out, PDK_TONE_BOLD), name,
                 pdk_tone_end(&s->remote->out, PDK_TONE_BOLD));
    for (const char *line = pdk_buffer_string(&text); *line;) { /* JSON escapes what steers terminals, but for C1 */
        size_t size = strcspn(line, "\n");
        const char *copy = pdk_arena_text(&s->arena, line, size);
        (void)printf("  %s\n", copy ? pdk_cell(&s->arena, copy) : "");
        line += size + (line[size] == '\n');
    }
    pdk_buffer_free(&text);
}

/* "failed, exit code 3" with its colour */
static void put_state(struct showing *s, const pdk_value *map) {
    const struct pdk_console *out = &s->remote->out;
    const char *state = pdk_state_of(map), *why = pdk_why_of(&s->arena, map, s->now);
    struct pdk_buffer text = PDK_BUFFER(1u << 16);
    pdk_buffer_format(&text, "%s%s%s", pdk_tone_begin(out, pdk_tone_of(state)), pdk_cell(&s->arena, state),
                      pdk_tone_end(out, pdk_tone_of(state)));
    if (*why) pdk_buffer_format(&text, ": %s", why);
    put(s, "state", pdk_buffer_string(&text));
    pdk_buffer_free(&text);
}

/* ---- tables */

static void begin_table(struct showing *s, struct pdk_grid *grid, const char *name, const char *const *titles) {
    size_t columns = 0;
    while (titles[columns]) columns++;
    (void)printf("\n%s%s%s\n", pdk_tone_begin(&s->remote->out, PDK_TONE_BOLD), name,
                 pdk_tone_end(&s->remote->out, PDK_TONE_BOLD));
    pdk_grid_begin(grid, columns);
    for (; *titles; titles++) pdk_grid_tone(grid, &s->remote->out, PDK_TONE_DIM, *titles);
}

static void end_table(struct showing *s, struct pdk_grid *grid) {
    pdk_grid_print(grid, &s->remote->out, "  ", stdout);
    pdk_grid_free(grid);
}

/* Of an attempt of a run, or a claim of a job. */
static void add_attempt(struct showing *s, struct pdk_grid *grid, const pdk_value *attempt, const char *number,
                        const char *result) {
    char text[64];
    const char *word = pdk_get_text(attempt, result), *began = pdk_get_text(attempt, "started_at");
    pdk_grid_cell(grid, "%lld", (long long)pdk_get_integer(attempt, number));
    pdk_grid_tone(grid, &s->remote->out, pdk_tone_of(word), *word ? pdk_cell(&s->arena, word) : "running");
    pdk_grid_cell(grid, "%s", pdk_time_relative(began, s->now, text, sizeof text));
    pdk_grid_cell(grid, "%s", pdk_time_span(began, pdk_get_text(attempt, "ended_at"), s->now, text, sizeof text));
    pdk_grid_cell(grid, "%s", pdk_cell_of(&s->arena, attempt, "message"));
}

static void put_attempts(struct showing *s, const pdk_value *list, const char *name, const char *number,
                         const char *result) {
    const char *const titles[] = {"#", "RESULT", "STARTED", "TOOK", "MESSAGE", NULL};
    const pdk_values *v = pdk_values_get();
    struct pdk_grid grid;
    if (!v->count(list)) return;
    begin_table(s, &grid, name, titles);
    for (size_t i = 0; i < v->count(list); i++) add_attempt(s, &grid, v->at(list, i), number, result);
    end_table(s, &grid);
}

/* What an event says beside its name: one member of these. */
static const char *words_of(const pdk_value *event) {
    static const char *const keys[] = {"message", "text", "outcome", "result", "reason", NULL};
    for (size_t i = 0; keys[i]; i++)
        if (*pdk_get_text(event, keys[i])) return pdk_get_text(event, keys[i]);
    return "";
}

static void put_events(struct showing *s, const pdk_value *list) {
    static const char *const titles[] = {"WHEN", "EVENT", "ATTEMPT", "WORDS", NULL};
    const pdk_values *v = pdk_values_get();
    struct pdk_grid grid;
    size_t count = 0, first = 0, seen = 0;
    for (size_t i = 0; i < v->count(list); i++)
        count += strcmp(pdk_get_text(v->at(list, i), "event"), "attempt.output") != 0;
    if (!count) return;
    if (count > EVENTS) first = count - EVENTS;
    begin_table(s, &grid, first ? "last events" : "events", titles);
    for (size_t i = 0; i < v->count(list); i++) {
        const pdk_value *event = v->at(list, i);
        int64_t attempt = pdk_get_integer(event, "attempt");
        char text[64];
        if (strcmp(pdk_get_text(event, "event"), "attempt.output") == 0 || seen++ < first) continue;
        pdk_grid_cell(&grid, "%s", pdk_time_relative(pdk_get_text(event, "time"), s->now, text, sizeof text));
        pdk_grid_cell(&grid, "%s", pdk_cell_of(&s->arena, event, "event"));
        (void)snprintf(text, sizeof text, "%lld", (long long)attempt);
        pdk_grid_cell(&grid, "%s", attempt ? text : "-");
        pdk_grid_cell(&grid, "%s", pdk_cell(&s->arena, words_of(event)));
    }
    end_table(s, &grid);
}

/* ---- the two of them */

static int show_spec(struct showing *s, const char *id) {
    PDK_PATH(path);
    pdk_buffer_text(&path, "/v1/runs/");
    pdk_url_add(&path, id);
    pdk_buffer_text(&path, "/spec");
    int code = pdk_remote_ask(s->remote, "GET", &path, NULL);
    if (code == 0 && s->remote->status == 200) put_block(s, s->remote->value, "spec"); /* of old ones it is forgotten */
    return code;
}

/* An archive has its attempts as a list. */
static void put_count(struct showing *s, const pdk_value *run) {
    const pdk_values *v = pdk_values_get();
    if (v->type(v->get(run, "attempts")) != PDK_LIST) put_number(s, run, "attempts", "attempts");
}

static int show_run(struct showing *s, const pdk_value *run) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *history = v->get(run, "history"), *attempts = v->get(run, "attempts");
    const char *id = pdk_cell_of(&s->arena, run, "run_id");
    put(s, "run", id);
    put_member(s, run, "task", "task");
    put_state(s, run);
    put_member(s, run, "kind", "kind");
    put_member(s, run, "runner", "runner");
    put_member(s, run, "slot", "slot");
    put_member(s, run, "job", "job_id");
    put_count(s, run);
    put_number(s, run, "exit code", "exit_code");
    put_number(s, run, "signal", "signal");
    put_member(s, run, "category", "category");
    put_time(s, run, "submitted", "submitted_at");
    put_time(s, run, "started", "started_at");
    put_time(s, run, "next", "next_attempt_at");
    put_time(s, run, "ended", "ended_at");
    put_attempts(s, v->type(attempts) == PDK_LIST ? attempts : history, "attempts", "attempt", "result");
    put_events(s, v->get(run, "events"));
    return show_spec(s, id);
}

static int show_job(struct showing *s, const pdk_value *job) {
    static const struct {
        const char *name, *key;
    } times[] = {{"submitted", "submitted_at"}, {"due", "due_at"}, {"started", "started_at"}, {"ended", "ended_at"}},
      numbers[] = {{"priority", "priority"}, {"attempts", "attempts"}, {"of at most", "max_attempts"},
                   {"rescues", "rescues"},   {"snoozes", "snoozes"},   {"exit code", "exit_code"},
                   {"signal", "signal"}};
    const pdk_values *v = pdk_values_get();
    put_member(s, job, "job", "job_id");
    put_member(s, job, "task", "task");
    put_state(s, job);
    put_member(s, job, "kind", "kind");
    put_member(s, job, "topic", "topic");
    put_member(s, job, "run", "run_id");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) put_number(s, job, numbers[i].name, numbers[i].key);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) put_time(s, job, times[i].name, times[i].key);
    put_attempts(s, v->get(job, "claims"), "claims", "claim", "fate");
    put_block(s, v->get(job, "spec"), "spec");
    put_block(s, v->get(job, "input"), "input");
    put_block(s, v->get(job, "output"), "output");
    return 0;
}

int pdk_show_one(struct pdk_remote *remote, const char *name, bool job) {
    struct showing s = {.remote = remote, .now = pdk_clock_unix()};
    const pdk_value *answer = NULL;
    PDK_PATH(path);
    pdk_buffer_text(&path, job ? "/v1/jobs/" : "/v1/runs/");
    pdk_url_add(&path, name);
    int code = pdk_remote_get(remote, &path, &answer);
    if (code) return code;
    answer = pdk_values_get()->hold(answer);
    if (remote->arguments->json)
        pdk_print_json(answer);
    else
        code = job ? show_job(&s, answer) : show_run(&s, answer);
    pdk_values_get()->drop(answer);
    pdk_arena_free(&s.arena);
    return code;
}

int pdk_verb_show(struct pdk_arguments *a) {
    struct pdk_remote remote;
    if (!a->names.count) return pdk_say_usage(a->verb, "paddock ps lists them", "which run?");
    int code = pdk_remote_open(&remote, a, false, 0);
    for (size_t i = 0; code == 0 && i < a->names.count; i++) {
        if (i && !a->json) (void)fputc('\n', stdout);
        code = pdk_show_one(&remote, a->names.items[i], pdk_is_job(a->names.items[i]));
    }
    return pdk_remote_close(&remote, code);
}
