/* SPDX-License-Identifier: Apache-2.0 */
/* What a server says, as people read it: times by how long ago, words in colour, nothing that steers a terminal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/cli/options.h"
#include "core/cli/remote.h"

/* ---- addresses */

void pdk_url_add(struct pdk_buffer *to, const char *text) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text; text++) {
        if (strchr(plain, *text))
            pdk_buffer_add(to, text, 1);
        else
            pdk_buffer_format(to, "%%%02X", (unsigned char)*text);
    }
}

void pdk_url_query(struct pdk_buffer *to, const char *name, const char *value) {
    if (!value) return;
    pdk_buffer_format(to, "%s%s=", strchr(pdk_buffer_string(to), '?') ? "&" : "?", name);
    pdk_url_add(to, value);
}

void pdk_url_words(struct pdk_buffer *to, const char *name, int option, uint32_t bits) {
    const char *const *words = pdk_option_words(option);
    char text[200] = "";
    for (size_t i = 0; words[i]; i++) {
        if (!(bits >> i & 1)) continue;
        if (*text) (void)strlcat(text, ",", sizeof text);
        (void)strlcat(text, words[i], sizeof text);
    }
    pdk_url_query(to, name, bits ? text : NULL);
}

void pdk_url_number(struct pdk_buffer *to, const char *name, int64_t value) {
    char text[32];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    if (value) pdk_url_query(to, name, text);
}

/* ---- members */

const char *pdk_get_text(const pdk_value *map, const char *key) {
    const char *text = "";
    const pdk_values *v = pdk_values_get();
    return v->string(v->get(map, key), &text) < 0 ? "" : text;
}

int64_t pdk_get_integer(const pdk_value *map, const char *key) {
    int64_t number = 0;
    const pdk_values *v = pdk_values_get();
    return v->integer(v->get(map, key), &number) < 0 ? 0 : number;
}

double pdk_get_number(const pdk_value *map, const char *key) {
    double number = -1;
    const pdk_values *v = pdk_values_get();
    return v->number(v->get(map, key), &number) < 0 ? -1 : number;
}

bool pdk_get_flag(const pdk_value *map, const char *key) {
    int32_t flag = 0;
    const pdk_values *v = pdk_values_get();
    return v->boolean(v->get(map, key), &flag) == 0 && flag;
}

/* ---- texts of others */

const char *pdk_cell(struct pdk_arena *arena, const char *text) {
    struct pdk_buffer to = PDK_BUFFER(1u << 20);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\n' || c == '\t' || c == '\r') {
            pdk_buffer_add(&to, " ", 1);
        } else if (c < 0x20 || c == 0x7f) {
            pdk_buffer_format(&to, "^%c", c ^ 0x40);
        } else if (c == 0xc2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0) { /* C1, in UTF-8 */
            pdk_buffer_format(&to, "\\x%02x", (unsigned char)*++text);
        } else {
            pdk_buffer_add(&to, text, 1);
        }
    }
    const char *cell = pdk_arena_text(arena, pdk_buffer_string(&to), to.size);
    pdk_buffer_free(&to);
    return cell ? cell : "";
}

const char *pdk_cell_of(struct pdk_arena *arena, const pdk_value *map, const char *key) {
    return pdk_cell(arena, pdk_get_text(map, key));
}

void pdk_print_json(const pdk_value *value) {
    const pdk_values *v = pdk_values_get();
    (void)v->print(v, value, PDK_JSON_PLAIN, pdk_write_file, stdout);
    (void)fputc('\n', stdout);
}

/* ---- times */

/* The digits behind a point, as ns. */
static uint64_t fraction(const char **text) {
    uint64_t ns = 0, unit = PDK_SECOND / 10;
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, unit /= 10) ns += unit * (uint64_t)(**text - '0');
    return ns;
}

int32_t pdk_time_read(const char *text, uint64_t *ret) {
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    uint64_t ns = 0;
    if (!rest) return -EINVAL;
    if (*rest == '.') ns = fraction(&rest);
    time_t seconds = timegm(&tm);
    if (strcmp(rest, "Z") != 0 || seconds < 0) return -EINVAL;
    *ret = (uint64_t)seconds * PDK_SECOND + ns;
    return 0;
}

/* A second is exact enough where days are told. */
static const char *about(uint64_t ns, char *buf, size_t size) {
    return pdk_duration_about(ns >= 10 * PDK_SECOND ? ns / PDK_SECOND * PDK_SECOND : ns, buf, size);
}

const char *pdk_time_relative(const char *text, uint64_t now, char *buf, size_t size) {
    char span[40];
    uint64_t then;
    if (pdk_time_read(text, &then) < 0) return strlcpy(buf, "-", size), buf;
    uint64_t far = then > now ? then - now : now - then;
    if (far < PDK_MILLISECOND)
        (void)strlcpy(buf, "now", size);
    else
        (void)snprintf(buf, size, then > now ? "in %s" : "%s ago", about(far, span, sizeof span));
    return buf;
}

const char *pdk_time_span(const char *from, const char *to, uint64_t now, char *buf, size_t size) {
    uint64_t begin, end = now;
    if (pdk_time_read(from, &begin) < 0) return strlcpy(buf, "-", size), buf;
    if (pdk_time_read(to, &end) < 0) end = now;
    return about(end > begin ? end - begin : 0, buf, size);
}

/* ---- what is said of runs and jobs */

enum pdk_tone pdk_tone_of(const char *word) {
    static const struct {
        const char *word;
        enum pdk_tone tone;
    } tones[] = {{"succeeded", PDK_TONE_GREEN}, {"failed", PDK_TONE_RED},      {"fatal", PDK_TONE_RED},
                 {"timed_out", PDK_TONE_RED},   {"lost", PDK_TONE_RED},        {"rejected", PDK_TONE_RED},
                 {"stuck", PDK_TONE_RED},       {"dead", PDK_TONE_RED},        {"down", PDK_TONE_RED},
                 {"backoff", PDK_TONE_YELLOW},  {"stopping", PDK_TONE_YELLOW}, {"paused", PDK_TONE_YELLOW},
                 {"degraded", PDK_TONE_YELLOW}, {"draining", PDK_TONE_YELLOW}, {"canceled", PDK_TONE_YELLOW},
                 {"queued", PDK_TONE_DIM},      {"delayed", PDK_TONE_DIM}};
    for (size_t i = 0; i < sizeof tones / sizeof *tones; i++)
        if (strcmp(tones[i].word, word) == 0) return tones[i].tone;
    return PDK_TONE_PLAIN;
}

const char *pdk_state_of(const pdk_value *run) {
    const char *outcome = pdk_get_text(run, "outcome");
    if (pdk_get_flag(run, "dead")) return "dead";
    if (*outcome && strcmp(pdk_get_text(run, "state"), "ended") == 0) return outcome;
    return pdk_get_text(run, "state");
}

static void add_part(struct pdk_buffer *to, const char *text) {
    if (*text) pdk_buffer_format(to, "%s%s", to->size ? "; " : "", text);
}

const char *pdk_why_of(struct pdk_arena *arena, const pdk_value *run, uint64_t now) {
    struct pdk_buffer to = PDK_BUFFER(1u << 16);
    const char *next = pdk_get_text(run, "next_attempt_at"), *state = pdk_get_text(run, "state");
    double ratio = pdk_get_number(run, "ratio");
    char text[80];
    if (ratio >= 0) {
        (void)snprintf(text, sizeof text, "%.0f%%", ratio * 100);
        add_part(&to, text);
    }
    if (pdk_get_flag(run, "paused")) add_part(&to, "paused");
    if (pdk_get_flag(run, "ready") && strcmp(state, "running") == 0) add_part(&to, "ready");
    add_part(&to, pdk_get_text(run, "message"));
    if (strcmp(state, "backoff") == 0 && *next) {
        char again[100];
        (void)snprintf(again, sizeof again, "again %s", pdk_time_relative(next, now, text, sizeof text));
        add_part(&to, again);
    }
    if (!to.size) add_part(&to, pdk_get_text(run, "reason"));
    const char *cell = pdk_cell(arena, pdk_buffer_string(&to));
    pdk_buffer_free(&to);
    return cell;
}

/* ---- tables */

void pdk_titles(const struct pdk_remote *remote, struct pdk_grid *grid, const char *const *titles) {
    if (remote->arguments->remote.no_header) return;
    for (; *titles; titles++)
        pdk_grid_cell(grid, "%s%s%s", pdk_tone_begin(&remote->out, PDK_TONE_BOLD), *titles,
                      pdk_tone_end(&remote->out, PDK_TONE_BOLD));
}

void pdk_grid_tone(struct pdk_grid *grid, const struct pdk_console *console, enum pdk_tone tone, const char *text) {
    pdk_grid_cell(grid, "%s%s%s", pdk_tone_begin(console, tone), *text ? text : "-", pdk_tone_end(console, tone));
}

bool pdk_is_job(const char *word) {
    return *word && word[strspn(word, "0123456789")] == '\0';
}
