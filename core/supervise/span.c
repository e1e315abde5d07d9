/* SPDX-License-Identifier: Apache-2.0 */
/* Spans, told to the backends that want them when they are over: paddock.attempt, and paddock.run above it. */
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

enum { ATTRIBUTES_MAX = 16 + PDK_CARRIED };

struct attributes {
    pdk_attribute list[ATTRIBUTES_MAX];
    uint32_t count;
};

static void add_text(struct attributes *to, const char *key, const char *text) {
    if (text && *text) to->list[to->count++] = (pdk_attribute){.key = key, .type = PDK_STRING, .string = text};
}

static void add_integer(struct attributes *to, const char *key, int64_t n) {
    to->list[to->count++] = (pdk_attribute){.key = key, .type = PDK_INT, .integer = n};
}

static void add_number(struct attributes *to, const char *key, double n) {
    to->list[to->count++] = (pdk_attribute){.key = key, .type = PDK_NUMBER, .number = n};
}

static bool has(const struct attributes *list, const char *key) {
    uint32_t i = 0;
    while (i < list->count && strcmp(list->list[i].key, key) != 0) i++;
    return i < list->count;
}

/* What it came with, last: each name once, and ours are ours. */
static void add_carried(struct attributes *to, const struct pdk_trace *trace) {
    for (uint32_t i = 0; i < trace->carried_count; i++)
        if (!has(to, trace->carried[i].key)) to->list[to->count++] = trace->carried[i];
}

static void tell(const struct pdk_supervisor *s, const struct pdk_trace *trace, const pdk_span *span) {
    const struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        const struct pdk_instance *instance = member->instance;
        if (member->tracer & trace->tracers && instance->life == PDK_INSTANCE_STARTED)
            instance->plugin->metrics->span(instance->self, span);
    }
}

static void add_run(struct attributes *to, const struct pdk_record *run) {
    add_text(to, "paddock.run_id", run->run_id);
    add_text(to, "paddock.task", run->name);
    add_text(to, "paddock.kind", run->view->kind);
    add_text(to, "paddock.slot", run->slot_name);
    add_text(to, "paddock.runner", run->member->instance->name);
}

static void fill(const struct pdk_trace *trace, const char *name, const uint8_t *id, const uint8_t *parent,
                 pdk_span *span) {
    *span = (pdk_span){.struct_size = (uint32_t)sizeof *span,
                       .kind = PDK_SPAN_INTERNAL,
                       .name = name,
                       .flags = trace->run.flags,
                       .trace_state = trace->state,
                       .message = ""};
    memcpy(span->trace_id, trace->run.trace_id, sizeof span->trace_id);
    memcpy(span->span_id, id, sizeof span->span_id);
    memcpy(span->parent_id, parent, sizeof span->parent_id);
}

/* It lasted as long as our own clock says, even if that of the wall was set meanwhile. */
static void times(const struct pdk_supervisor *s, uint64_t began, pdk_span *span) {
    span->end_ns = pdk_unix_of(s, s->now);
    span->start_ns = span->end_ns - (s->now - began);
}

/* What went wrong, in one word of a few; NULL: nothing did. */
static const char *error_type(const struct pdk_record *run) {
    const pdk_result *last = &run->last.result;
    if (run->timed_out) return "timed_out";
    return last->category ? pdk_category_word(last->category) : *last->code ? last->code : "other";
}

static bool is_error(const struct pdk_record *run) {
    return run->timed_out || (run->last.result.status != PDK_SUCCESS && run->last.result.status != PDK_CANCELED);
}

/* How it ended, or that it does not. */
static void add_end(struct attributes *to, const struct pdk_record *run, bool lost, pdk_span *span, char *text,
                    size_t size) {
    const pdk_result *last = &run->last.result;
    if (lost) {
        span->message = run->note ? run->note : "";
        add_text(to, "error.type", "lost");
    } else if (is_error(run)) {
        span->message = pdk_say_result(&run->last, run->timed_out, run->view->timeout_ns, text, size);
        add_text(to, "error.type", error_type(run));
    }
    if (lost || is_error(run)) span->status = PDK_SPAN_ERROR;
    bool exited = last->category == PDK_CAT_EXIT || (run->trace->pid && !last->signal);
    if (!lost && exited) add_integer(to, "process.exit.code", last->exit_code);
}

void pdk_span_attempt(struct pdk_supervisor *s, struct pdk_record *run, bool lost) {
    struct pdk_trace *trace = run->trace;
    struct attributes attributes = {.count = 0};
    char text[512];
    pdk_span span;
    if (!trace->open) return;
    trace->open = false;
    if (!trace->tracers) return;
    fill(trace, "paddock.attempt", trace->attempt, trace->run.span_id, &span);
    span.parent_is_ours = 1;
    times(s, run->began, &span);
    add_run(&attributes, run);
    add_integer(&attributes, "paddock.attempt", run->past.attempts);
    if (trace->pid) add_integer(&attributes, "process.pid", trace->pid);
    add_end(&attributes, run, lost, &span, text, sizeof text);
    add_carried(&attributes, trace);
    span.attributes = attributes.list;
    span.attribute_count = attributes.count;
    tell(s, trace, &span);
}

/* Its few attributes lie beside each other, in the same order as the moments. */
static uint32_t make_moments(const struct pdk_supervisor *s, const struct pdk_trace *trace, pdk_moment *moments,
                             struct attributes *attributes) {
    for (uint32_t i = 0; i < trace->moment_count; i++) {
        const struct pdk_moment_of_run *from = &trace->moments[i];
        struct attributes *own = &attributes[i];
        own->count = 0;
        if (from->attempt) add_integer(own, "paddock.attempt", from->attempt);
        if (from->delay) add_number(own, "paddock.delay_seconds", (double)from->delay / 1e9);
        moments[i] = (pdk_moment){.unix_ns = pdk_unix_of(s, from->at),
                                  .name = from->name,
                                  .attributes = own->list,
                                  .attribute_count = own->count};
    }
    return trace->moment_count;
}

static void add_outcome(struct attributes *to, const struct pdk_record *run, const pdk_outcome *outcome,
                        pdk_span *span) {
    static const uint32_t errors = 1u << PDK_END_FAILED | 1u << PDK_END_FATAL | 1u << PDK_END_TIMED_OUT |
                                   1u << PDK_END_REJECTED | 1u << PDK_END_LOST;
    add_text(to, "paddock.outcome", pdk_end_word(run->end));
    add_integer(to, "paddock.attempts", run->past.attempts);
    if (run->source) add_text(to, "paddock.source", run->source->instance->name);
    if (!(errors >> run->end & 1)) return;
    span->status = PDK_SPAN_ERROR;
    if (run->end == PDK_END_LOST || run->end == PDK_END_TIMED_OUT)
        add_text(to, "error.type", pdk_end_word(run->end));
    else
        add_text(to, "error.type", run->code ? run->code : error_type(run));
    span->message = run->note ? run->note : *outcome->last->message ? outcome->last->message : outcome->last->code;
}

static void tell_run(struct pdk_supervisor *s, struct pdk_record *run) {
    const struct pdk_trace *trace = run->trace;
    struct attributes attributes = {.count = 0}, of_moments[PDK_MOMENTS];
    pdk_moment moments[PDK_MOMENTS];
    pdk_outcome outcome;
    pdk_result last;
    pdk_span span;
    pdk_outcome_make(run, &outcome, &last);
    fill(trace, "paddock.run", trace->run.span_id, trace->parent, &span);
    if (run->source) span.kind = PDK_SPAN_CONSUMER;
    times(s, run->accepted, &span);
    add_run(&attributes, run);
    add_outcome(&attributes, run, &outcome, &span);
    add_carried(&attributes, trace);
    span.attributes = attributes.list;
    span.attribute_count = attributes.count;
    span.moments = moments;
    span.moment_count = make_moments(s, trace, moments, of_moments);
    span.moments_lost = trace->moments_lost;
    tell(s, trace, &span);
}

void pdk_span_run(struct pdk_supervisor *s, struct pdk_record *run) {
    if (run->trace->tracers) tell_run(s, run);
}

/* The first ones are kept: a run that goes on for ever would hold more and more. */
void pdk_span_moment(struct pdk_supervisor *s, struct pdk_record *run, const char *name, uint64_t delay) {
    struct pdk_trace *trace = run->trace;
    if (!trace->tracers) return;
    if (!trace->moments) trace->moments = calloc(PDK_MOMENTS, sizeof *trace->moments);
    if (!trace->moments || trace->moment_count == PDK_MOMENTS) {
        trace->moments_lost++;
        return;
    }
    trace->moments[trace->moment_count++] =
        (struct pdk_moment_of_run){.at = s->now, .name = name, .delay = delay, .attempt = run->past.attempts};
}
