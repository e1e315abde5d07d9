/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces: which one a run belongs to, and what its attempts hand on.
 *
 *   what came        a backend takes spans            none does
 *   traceparent      our spans below it               it is handed on as it is
 *   nothing, or bad  a new trace                      nothing
 *
 * Whether a trace is sampled is for the backends to say; one that nobody wants is still a trace, so that those who
 * come after us agree. A run without a trace has no pdk_trace, and costs a branch where one would be looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/supervise/internal.h"
#include "core/supervise/jitter.h"
#include "paddock/helpers.h"

enum { TRACERS_MAX = 32 };

/* Random, or told in advance by a seed. */
void pdk_trace_seed(struct pdk_supervisor *s, uint64_t seed) {
    const size_t count = sizeof s->id_seeds / sizeof *s->id_seeds;
    bool random = !seed && getrandom(s->id_seeds, sizeof s->id_seeds, GRND_NONBLOCK) == (ssize_t)sizeof s->id_seeds;
    if (!seed) seed = pdk_clock_now() ^ pdk_clock_unix(); /* of a kernel that has no randomness yet */
    for (size_t i = 0; !random && i < count; i++) s->id_seeds[i] = seed = pdk_jitter_mix(seed + i);
}

/* The mix is a bijection and each number is used once: no id comes twice. Zero is none. */
static void make_id(struct pdk_supervisor *s, int seed, uint8_t *id) {
    uint64_t made;
    do {
        made = pdk_jitter_mix(s->id_seeds[seed] + s->ids_made++);
    } while (!made);
    memcpy(id, &made, sizeof made);
}

static const pdk_metrics_ops *ops_of(const struct pdk_member *member) {
    return member->instance->plugin->metrics;
}

void pdk_trace_backend(struct pdk_supervisor *s, struct pdk_member *member) {
    if (!PDK_HAS(ops_of(member), span) || s->tracers == TRACERS_MAX) return;
    member->tracer = UINT32_C(1) << s->tracers++;
}

/* Returns 1, 0 or negative, as sample does. */
static int32_t ask(const struct pdk_member *member, const uint8_t *trace_id, int32_t parent) {
    if (PDK_HAS(ops_of(member), sample)) return ops_of(member)->sample(member->instance->self, trace_id, parent);
    return parent != 0;
}

/* Who takes spans at all, and who of them wants these. */
static bool ask_all(const struct pdk_supervisor *s, struct pdk_trace *trace, int32_t parent) {
    const struct pdk_member *member;
    bool any = false;
    TAILQ_FOREACH(member, &s->members, all) {
        int32_t rc = member->tracer ? ask(member, trace->run.trace_id, parent) : -ENOTSUP;
        any |= rc >= 0;
        if (rc > 0) trace->tracers |= member->tracer;
    }
    return any;
}

static struct pdk_trace *make(const char *came, const char *state) {
    size_t size = strlen(came) + 1, state_size = strlen(state) + 1;
    struct pdk_trace *trace = calloc(1, sizeof *trace + size + state_size);
    if (!trace) return NULL;
    memcpy(trace->text, came, size);
    trace->state = memcpy(trace->text + size, state, state_size);
    return trace;
}

/* The run's span, below what came. */
static void enter(struct pdk_supervisor *s, struct pdk_trace *trace, int32_t parent) {
    if (parent >= 0) memcpy(trace->parent, trace->run.span_id, sizeof trace->parent);
    make_id(s, 2, trace->run.span_id);
    trace->run.flags &= PDK_TRACE_RANDOM;
    if (trace->tracers) trace->run.flags |= PDK_TRACE_SAMPLED;
    pdk_hex(trace->run.span_id, sizeof trace->run.span_id, trace->run_hex);
    pdk_traceparent_format(&trace->run, trace->run_header);
}

/* At most so many bytes, and no half of a character. */
static size_t cut(const char *text) {
    size_t size = strnlen(text, PDK_CARRIED_TEXT + 1);
    if (size <= PDK_CARRIED_TEXT) return size;
    for (size = PDK_CARRIED_TEXT; size && ((unsigned char)text[size] & 0xC0) == 0x80;) size--;
    return size;
}

/* The text under a key, or NULL: it is not carried. */
static const char *carried_text(const pdk_value *map, size_t i) {
    const pdk_values *values = pdk_values_get();
    const char *key = values->key_at(map, i), *text = NULL;
    if (values->string(values->at(map, i), &text) != 0 || !*text) return NULL;
    return *key && strnlen(key, PDK_CARRIED_KEY + 1) <= PDK_CARRIED_KEY ? text : NULL;
}

/* A copy: what the submission brought may be large, and goes when it has been answered. */
static int32_t carry(struct pdk_trace *trace, const pdk_value *map) {
    const pdk_values *values = pdk_values_get();
    size_t count = values->count(map), kept[PDK_CARRIED], n = 0, size = 0;
    for (size_t i = 0; i < count && n < PDK_CARRIED; i++) {
        const char *text = carried_text(map, i);
        if (!text) continue;
        size += strlen(values->key_at(map, i)) + cut(text) + 2;
        kept[n++] = i;
    }
    if (!n) return 0;
    trace->carried = calloc(1, n * sizeof *trace->carried + size);
    if (!trace->carried) return -ENOMEM;
    char *to = (char *)(trace->carried + n);
    for (size_t i = 0; i < n; i++) {
        const char *key = values->key_at(map, kept[i]), *text = carried_text(map, kept[i]);
        size_t key_size = strlen(key) + 1, text_size = cut(text);
        trace->carried[i] = (pdk_attribute){.type = PDK_STRING, .key = memcpy(to, key, key_size)};
        trace->carried[i].string = memcpy(to + key_size, text, text_size);
        to += key_size + text_size + 1;
    }
    trace->carried_count = (uint32_t)n;
    return 0;
}

int32_t pdk_trace_begin(struct pdk_supervisor *s, struct pdk_record *run, const struct pdk_intake *intake) {
    struct pdk_traceparent came;
    bool good = intake->trace && pdk_traceparent_parse(intake->trace, &came) == 0;
    if (intake->trace && *intake->trace && !good)
        pdk_log_line(&s->log, PDK_LOG_DEBUG, "supervisor", run->run_id,
                     "it came with a traceparent that is none, which is ignored");
    if (!good && !s->tracers) return 0;
    bool has_state = good && intake->trace_state && pdk_tracestate_valid(intake->trace_state);
    struct pdk_trace *trace = make(good ? intake->trace : "", has_state ? intake->trace_state : "");
    if (!trace) return -ENOMEM;
    int32_t parent = good ? came.flags & PDK_TRACE_SAMPLED : -1;
    if (good) trace->run = came;
    for (int half = 0; !good && half < 2; half++) make_id(s, half, trace->run.trace_id + (size_t)half * 8);
    trace->own = ask_all(s, trace, parent);
    if (!trace->own && !good) {
        free(trace);
        return 0;
    }
    if (trace->own) enter(s, trace, parent);
    if (trace->tracers && intake->attributes && carry(trace, intake->attributes) < 0) {
        pdk_trace_free(trace);
        return -ENOMEM;
    }
    pdk_hex(trace->run.trace_id, sizeof trace->run.trace_id, trace->trace_hex);
    run->trace = trace;
    return 0;
}

/* An attempt begins: its span, and what it hands on. */
void pdk_trace_attempt(struct pdk_supervisor *s, struct pdk_trace *trace) {
    if (!trace->own) return;
    struct pdk_traceparent context = trace->run;
    make_id(s, 2, context.span_id);
    memcpy(trace->attempt, context.span_id, sizeof trace->attempt);
    pdk_hex(context.span_id, sizeof context.span_id, trace->attempt_hex);
    pdk_traceparent_format(&context, trace->header);
    trace->open = true;
    trace->pid = 0;
}

/* Events of an attempt, by kind; all others are of its run. */
static const uint32_t of_attempts = 1u << PDK_EVENT_STARTED | 1u << PDK_EVENT_STOPPING | 1u << PDK_EVENT_ENDED |
                                    1u << PDK_EVENT_PROGRESS | 1u << PDK_EVENT_OUTPUT | 1u << PDK_EVENT_READY;

void pdk_trace_ids(const struct pdk_trace *trace, int32_t kind, pdk_event *event) {
    event->trace_id = trace->trace_hex;
    event->span_id = of_attempts >> kind & 1 ? trace->attempt_hex : trace->run_hex;
}

/* The first process of an attempt is its own; those that stop or reload it come later. */
void pdk_trace_process(struct pdk_supervisor *s, pdk_attempt attempt, int32_t pid) {
    const struct pdk_cell *cell = pdk_cell_lookup(s, attempt);
    struct pdk_trace *trace = cell && cell->run && pdk_cell_handle(cell) == attempt ? cell->run->trace : NULL;
    if (trace && !trace->pid) trace->pid = pid;
}

void pdk_trace_free(struct pdk_trace *trace) {
    free(trace->moments);
    free(trace->carried);
    free(trace);
}
