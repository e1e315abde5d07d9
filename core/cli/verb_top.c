/* SPDX-License-Identifier: Apache-2.0 */
/* paddock top: a server at a glance, again and again. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/cli/frame.h"
#include "core/cli/run_sort.h"

#define INTERVAL     (2 * PDK_SECOND)
#define WINDOW       (10 * PDK_SECOND) /* that rates are of */
#define SAMPLES      128u
#define ROWS_PLAIN   100u /* of runs, where there is no height */
#define PAGE         1000u
#define AT_WORK      "running,backoff,stopping,stuck"
#define ROWS_FOR_ALL 20u
#define ROWS_PART    5u /* of topics and of slots */

/* How many had ended by then. */
struct sample {
    uint64_t at;
    int64_t ended, failed;
};

struct top {
    struct pdk_remote *remote;
    struct sample samples[SAMPLES];
    size_t sampled;
    bool drawn; /* once at least */

    /* of one picture */
    struct pdk_arena arena;
    uint64_t now;
    FILE *to;
    uint32_t lines;
    struct pdk_buffer line;
};

/* ---- lines */

static void end_line(struct top *top) {
    const struct pdk_console *out = &top->remote->out;
    struct pdk_buffer cut = PDK_BUFFER(1u << 16);
    pdk_text_fit(&cut, pdk_buffer_string(&top->line), out->tty ? out->columns : SIZE_MAX, false);
    (void)fprintf(top->to, "%s%s\n", pdk_buffer_string(&cut), out->color ? "\x1b[0m" : "");
    pdk_buffer_cut(&top->line, top->line.size);
    pdk_buffer_free(&cut);
    top->lines++;
}

static void begin_line(struct top *top, const char *name) {
    const struct pdk_console *out = &top->remote->out;
    pdk_buffer_format(&top->line, "%s%-8s%s", pdk_tone_begin(out, PDK_TONE_DIM), name, pdk_tone_end(out, PDK_TONE_DIM));
}

static void add(struct top *top, enum pdk_tone tone, const char *text) {
    const struct pdk_console *out = &top->remote->out;
    pdk_buffer_format(&top->line, "  %s%s%s", pdk_tone_begin(out, tone), text, pdk_tone_end(out, tone));
}

static void add_count(struct top *top, int64_t count, const char *word, enum pdk_tone tone) {
    char text[80];
    (void)snprintf(text, sizeof text, "%lld %s", (long long)count, word);
    for (char *c = text; *c; c++)
        if (*c == '_') *c = ' ';
    add(top, count ? tone : PDK_TONE_DIM, text);
}

/* ---- rates */

static int64_t total(const pdk_value *outcomes, bool good_too) {
    const pdk_values *v = pdk_values_get();
    int64_t sum = 0;
    for (size_t i = 0; i < v->count(outcomes); i++) {
        const char *word = v->key_at(outcomes, i);
        if (good_too || pdk_tone_of(word) == PDK_TONE_RED) sum += pdk_get_integer(outcomes, word);
    }
    return sum;
}

/* A server that was started anew counts anew. */
static void take_sample(struct top *top, const pdk_value *status) {
    const pdk_value *outcomes = pdk_values_get()->get(status, "outcomes");
    struct sample sample = {pdk_clock_now(), total(outcomes, true), total(outcomes, false)};
    if (top->sampled && top->samples[(top->sampled - 1) % SAMPLES].ended > sample.ended) top->sampled = 0;
    top->samples[top->sampled++ % SAMPLES] = sample;
}

/* Of the window, or of as much as was seen. */
static void draw_rates(struct top *top) {
    const struct sample *last = &top->samples[(top->sampled - 1) % SAMPLES], *first = last;
    char text[64];
    for (size_t back = 1; back < SAMPLES && back < top->sampled && last->at - first->at < WINDOW; back++)
        first = &top->samples[(top->sampled - 1 - back) % SAMPLES];
    double seconds = (double)(last->at - first->at) / (double)PDK_SECOND;
    if (seconds <= 0) return;
    (void)snprintf(text, sizeof text, "%.1f/s ended", (double)(last->ended - first->ended) / seconds);
    add(top, last->ended > first->ended ? PDK_TONE_PLAIN : PDK_TONE_DIM, text);
    (void)snprintf(text, sizeof text, "%.1f/s failed", (double)(last->failed - first->failed) / seconds);
    add(top, last->failed > first->failed ? PDK_TONE_RED : PDK_TONE_DIM, text);
}

/* ---- the head */

static void draw_title(struct top *top, const pdk_value *status) {
    const char *state = pdk_cell_of(&top->arena, status, "state");
    bool paused = pdk_get_flag(status, "paused"), up = strcmp(state, "up") == 0;
    char text[300], span[40], clock[16] = "";
    time_t seconds = (time_t)(top->now / PDK_SECOND);
    struct tm tm;
    begin_line(top, "paddock");
    add(top, !up || paused ? PDK_TONE_YELLOW : PDK_TONE_GREEN, paused && up ? "paused" : state);
    (void)snprintf(text, sizeof text, "for %s",
                   pdk_time_span(pdk_get_text(status, "started_at"), "", top->now, span, sizeof span));
    add(top, PDK_TONE_PLAIN, text);
    (void)snprintf(text, sizeof text, "process %lld at %.200s", (long long)pdk_get_integer(status, "pid"),
                   top->remote->place);
    add(top, PDK_TONE_DIM, text);
    if (localtime_r(&seconds, &tm) && strftime(clock, sizeof clock, "%H:%M:%S", &tm)) add(top, PDK_TONE_DIM, clock);
    end_line(top);
}

static void draw_runs_line(struct top *top, const pdk_value *status) {
    static const char *const states[] = {"running", "queued", "backoff", "stopping", "stuck"};
    const pdk_value *counts = pdk_values_get()->get(status, "states");
    int64_t limit = pdk_get_integer(status, "limit");
    char text[64];
    begin_line(top, "runs");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (i < 2 || pdk_get_integer(counts, states[i]))
            add_count(top, pdk_get_integer(counts, states[i]), states[i], i ? pdk_tone_of(states[i]) : PDK_TONE_PLAIN);
    (void)snprintf(text, sizeof text, "%lld at once", (long long)limit);
    if (limit) add(top, PDK_TONE_DIM, text);
    draw_rates(top);
    end_line(top);
}

static void draw_ended(struct top *top, const pdk_value *status) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *outcomes = v->get(status, "outcomes");
    begin_line(top, "ended");
    for (size_t i = 0; i < v->count(outcomes); i++) {
        const char *word = v->key_at(outcomes, i);
        int64_t count = pdk_get_integer(outcomes, word);
        if (count || i == 0) add_count(top, count, pdk_cell(&top->arena, word), pdk_tone_of(word));
    }
    end_line(top);
}

static void draw_queue(struct top *top, const pdk_value *queue) {
    double oldest = pdk_get_number(queue, "oldest_age_seconds");
    char text[80], span[40];
    if (pdk_value_is_null(queue)) return;
    begin_line(top, "queue");
    add_count(top, pdk_get_integer(queue, "ready"), "ready", PDK_TONE_PLAIN);
    add_count(top, pdk_get_integer(queue, "running"), "running", PDK_TONE_PLAIN);
    add_count(top, pdk_get_integer(queue, "delayed"), "delayed", PDK_TONE_PLAIN);
    add_count(top, pdk_get_integer(queue, "dead"), "dead", PDK_TONE_RED);
    if (oldest > 0) {
        (void)snprintf(text, sizeof text, "oldest due %s ago",
                       pdk_duration_about((uint64_t)(oldest * 1e9), span, sizeof span));
        add(top, PDK_TONE_PLAIN, text);
    }
    end_line(top);
}

static void draw_plugins(struct top *top, const pdk_value *plugins) {
    const pdk_values *v = pdk_values_get();
    int64_t up = 0;
    begin_line(top, "plugins");
    for (size_t i = 0; i < v->count(plugins); i++) up += strcmp(pdk_get_text(v->at(plugins, i), "health"), "up") == 0;
    add_count(top, up, "up", PDK_TONE_PLAIN);
    for (size_t i = 0; i < v->count(plugins); i++) {
        const pdk_value *plugin = v->at(plugins, i);
        const char *health = pdk_get_text(plugin, "health"), *why = pdk_cell_of(&top->arena, plugin, "text");
        char text[300];
        if (strcmp(health, "up") == 0) continue;
        (void)snprintf(text, sizeof text, "%.63s %s%s%.150s", pdk_cell_of(&top->arena, plugin, "name"),
                       pdk_cell(&top->arena, health), *why ? ": " : "", why);
        add(top, pdk_tone_of(health), text);
    }
    end_line(top);
}

/* ---- tables */

static void print_grid(struct top *top, struct pdk_grid *grid) {
    (void)fputc('\n', top->to);
    pdk_grid_print(grid, &top->remote->out, "", top->to);
    top->lines += 1 + (uint32_t)(grid->count / grid->columns);
    pdk_grid_free(grid);
}

static void draw_topics(struct top *top, const pdk_value *topics) {
    const pdk_values *v = pdk_values_get();
    struct pdk_grid grid;
    if (!v->count(topics)) return;
    pdk_topic_titles(top->remote, &grid);
    for (size_t i = 0; i < v->count(topics) && i < ROWS_PART; i++)
        pdk_topic_row(&top->remote->out, &grid, &top->arena, v->at(topics, i));
    print_grid(top, &grid);
}

/* Those that somebody waits for, or that are held. */
static void draw_slots(struct top *top, const pdk_value *slots) {
    const pdk_values *v = pdk_values_get();
    struct pdk_grid grid;
    size_t rows = 0;
    pdk_slot_titles(top->remote, &grid);
    for (size_t i = 0; i < v->count(slots) && rows < ROWS_PART; i++) {
        const pdk_value *slot = v->at(slots, i);
        if (!pdk_get_integer(slot, "waiting") && !pdk_get_flag(slot, "paused")) continue;
        pdk_slot_row(&top->remote->out, &grid, &top->arena, slot);
        rows++;
    }
    if (rows)
        print_grid(top, &grid);
    else
        pdk_grid_free(&grid);
}

struct rows {
    struct top *top;
    struct pdk_grid grid;
    uint32_t left;
};

static int add_run(void *arg, const pdk_value *run) {
    struct rows *rows = arg;
    pdk_run_row(&rows->top->remote->out, &rows->grid, &rows->top->arena, run, rows->top->now);
    return --rows->left == 0;
}

static int get_runs(struct top *top, const char *states, uint32_t limit, int (*each)(void *arg, const pdk_value *run),
                    void *arg) {
    PDK_PATH(path);
    pdk_buffer_text(&path, "/v1/runs");
    pdk_url_query(&path, "state", states);
    pdk_url_number(&path, "limit", limit);
    return pdk_remote_pages(top->remote, &path, "runs", each, arg);
}

/* What is at work first, then what waits, as far as there is room. */
static int add_runs(struct top *top, struct rows *rows) {
    int code = get_runs(top, AT_WORK, rows->left, add_run, rows);
    return code || !rows->left ? code : get_runs(top, "queued", rows->left, add_run, rows);
}

/* All have to be asked for, however few there is room for. */
static int add_sorted(struct top *top, struct rows *rows) {
    struct pdk_run_sort sort = {.column = (enum pdk_run_column)(top->remote->arguments->remote.sort - 1)};
    int code = get_runs(top, AT_WORK ",queued", PAGE, pdk_run_sort_add, &sort);
    if (code == 0 && sort.no_memory) code = pdk_say_memory();
    pdk_run_sort_end(&sort, add_run, rows);
    return code;
}

static int draw_runs(struct top *top) {
    const struct pdk_console *out = &top->remote->out;
    struct rows rows = {.top = top, .left = out->tty ? 0 : ROWS_PLAIN};
    int code = 0;
    if (out->tty && out->rows > top->lines + 2) rows.left = out->rows - top->lines - 2;
    pdk_run_titles(top->remote, &rows.grid);
    if (rows.left) code = top->remote->arguments->remote.sort ? add_sorted(top, &rows) : add_runs(top, &rows);
    print_grid(top, &rows.grid);
    return code;
}

/* ---- a picture */

static int get(struct top *top, const char *where, const pdk_value **ret) {
    PDK_PATH(path);
    pdk_buffer_text(&path, where);
    return pdk_remote_get(top->remote, &path, ret);
}

static int draw_head(struct top *top) {
    const pdk_value *answer = NULL;
    int code = get(top, "/v1/status", &answer);
    if (code) return code;
    take_sample(top, answer);
    draw_title(top, answer);
    draw_runs_line(top, answer);
    draw_ended(top, answer);
    draw_queue(top, pdk_values_get()->get(answer, "queue"));
    code = get(top, "/v1/plugins", &answer);
    if (code == 0) draw_plugins(top, pdk_values_get()->get(answer, "plugins"));
    return code;
}

/* Where there is little height it is for the runs. */
static int draw_tables(struct top *top) {
    const struct pdk_console *out = &top->remote->out;
    const pdk_value *answer = NULL;
    PDK_PATH(topics);
    if (out->tty && out->rows < ROWS_FOR_ALL) return draw_runs(top);
    pdk_buffer_text(&topics, "/v1/topics");
    int code = pdk_remote_ask(top->remote, "GET", &topics, NULL);
    if (code == 0 && top->remote->status == 200)
        draw_topics(top, pdk_values_get()->get(top->remote->value, "topics")); /* else it has no queue */
    if (code == 0) code = get(top, "/v1/slots", &answer);
    if (code == 0) draw_slots(top, pdk_values_get()->get(answer, "slots"));
    return code ? code : draw_runs(top);
}

static void draw_lost(struct top *top) {
    struct pdk_remote *remote = top->remote;
    begin_line(top, "paddock");
    add(top, PDK_TONE_RED, "not there");
    add(top, PDK_TONE_PLAIN, pdk_cell(&top->arena, remote->words));
    end_line(top);
    (void)fputs("\nasking again; q ends\n", top->to);
    remote->words[0] = '\0';
    top->sampled = 0;
}

/* A server that goes away while somebody looks may come back. */
static int draw(void *arg, FILE *to) {
    struct top *top = arg;
    top->to = to;
    top->lines = 0;
    top->now = pdk_clock_unix();
    int code = draw_head(top);
    if (code == 0) code = draw_tables(top);
    if (code && code != PDK_EXIT_BUG && top->drawn && !top->remote->signal) {
        draw_lost(top);
        code = 0;
    }
    top->drawn = true;
    pdk_arena_free(&top->arena);
    top->arena = (struct pdk_arena){0};
    return code;
}

/* The answers as they came, together. */
static int print_all_json(struct pdk_remote *remote) {
    static const char *const parts[] = {"status", "plugins", "slots", "topics", "runs"};
    const pdk_values *v = pdk_values_get();
    const pdk_value *whole = NULL;
    int code = 0;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    for (size_t i = 0; code == 0 && i < sizeof parts / sizeof *parts; i++) {
        PDK_PATH(path);
        pdk_buffer_format(&path, "/v1/%s", parts[i]);
        code = pdk_remote_ask(remote, "GET", &path, NULL);
        if (code || remote->status != 200) continue;
        v->key(w, parts[i]);
        v->put_value(w, i ? v->get(remote->value, parts[i]) : remote->value);
    }
    v->end(w);
    if (v->close(w, &whole, NULL) < 0 && code == 0) code = pdk_say_memory();
    if (code == 0) pdk_print_json(whole);
    v->drop(whole);
    return code;
}

int pdk_verb_top(struct pdk_arguments *a) {
    struct pdk_remote remote;
    if (a->json && a->remote.sort) return pdk_say_usage(a->verb, "jq sorts", "either --json or --sort, not both");
    struct top *top = calloc(1, sizeof *top);
    if (!top) return pdk_say_memory();
    top->remote = &remote;
    top->line = PDK_BUFFER(1u << 16);
    int code = pdk_remote_open(&remote, a, true, 0);
    if (code == 0 && a->json)
        code = print_all_json(&remote);
    else if (code == 0)
        code = pdk_frames(&remote, a->remote.interval_ns ? a->remote.interval_ns : INTERVAL, draw, top);
    pdk_buffer_free(&top->line);
    free(top);
    return pdk_remote_close(&remote, code);
}
