/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: numbered in the order of steps, copied into a bounded ring for each who listens, told outside of steps.
 * They are for people. Nothing of the supervisor depends on one, and none is made because one was lost.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

enum { LISTENERS_MAX = 1024, TOLD_PER_TURN = 1024 };

struct entry {
    pdk_event event;
    pdk_usage usage;
    char text[];
};

struct pdk_listener {
    TAILQ_ENTRY(pdk_listener) all;
    pdk_watch watch;
    const struct pdk_member *owner; /* NULL: the program */
    uint32_t events;
    pdk_run run;
    char *name, *slot;
    void (*event)(void *arg, const pdk_event *);
    void *arg;
    uint32_t capacity, first, count;
    uint64_t lost; /* behind the last one in the ring */
    bool gone;     /* unsubscribed while we were telling */
    struct entry *ring[];
};

struct pdk_tap {
    TAILQ_ENTRY(pdk_tap) all;
    pdk_watch watch;
    const struct pdk_member *owner;
    void (*output)(void *arg, const pdk_event *);
    void *arg;
};

static void drop_listener(struct pdk_supervisor *s, struct pdk_listener *listener) {
    TAILQ_REMOVE(&s->listeners, listener, all);
    for (uint32_t i = 0; i < listener->count; i++) free(listener->ring[(listener->first + i) % listener->capacity]);
    free(listener->name);
    free(listener->slot);
    free(listener);
}

static void count_wanted(struct pdk_supervisor *s) {
    struct pdk_listener *listener;
    s->wanted = 0;
    TAILQ_FOREACH(listener, &s->listeners, all) s->wanted |= listener->gone ? 0 : listener->events;
}

static bool matches(const struct pdk_listener *listener, const struct pdk_record *run, int32_t kind) {
    if (listener->gone || !(listener->events >> kind & 1)) return false;
    if (!run) return !listener->run && !listener->name && !listener->slot;
    if (listener->run && listener->run != run->handle) return false;
    if (listener->name && strcmp(listener->name, run->name) != 0) return false;
    return !listener->slot || strcmp(listener->slot, run->slot_name) == 0;
}

static const char *keep(char **at, const char *text) {
    size_t size = strlen(text) + 1;
    char *start = memcpy(*at, text, size);
    *at += size;
    return start;
}

static size_t length(const char *text) {
    return strlen(text) + 1;
}

/* One block with everything the event points to, since its run may be forgotten before it is told. */
static struct entry *copy(const pdk_event *event) {
    size_t size = length(event->run_id) + length(event->text) + length(event->name) + length(event->runner) +
                  length(event->code) + length(event->trace_id) + length(event->span_id) + length(event->slot) +
                  event->size;
    struct entry *entry = malloc(sizeof *entry + size);
    if (!entry) return NULL;
    char *at = entry->text;
    entry->event = *event;
    entry->event.run_id = keep(&at, event->run_id);
    entry->event.text = keep(&at, event->text);
    entry->event.name = keep(&at, event->name);
    entry->event.runner = keep(&at, event->runner);
    entry->event.code = keep(&at, event->code);
    entry->event.trace_id = keep(&at, event->trace_id);
    entry->event.span_id = keep(&at, event->span_id);
    entry->event.slot = keep(&at, event->slot);
    if (event->data) entry->event.data = memcpy(at, event->data, event->size);
    if (event->usage) {
        entry->usage = *event->usage;
        entry->event.usage = &entry->usage;
    }
    return entry;
}

static bool push(struct pdk_listener *listener, const pdk_event *event) {
    struct entry *entry = copy(event);
    if (!entry) return false;
    listener->ring[(listener->first + listener->count++) % listener->capacity] = entry;
    return true;
}

static void blank(pdk_event *event, int32_t kind) {
    *event = (pdk_event){.struct_size = (uint32_t)sizeof *event, .kind = kind};
    event->run_id = event->text = event->name = event->runner = event->code = event->trace_id = event->span_id =
        event->slot = "";
}

/* A gap is told where it is: before the next event that had room. */
static void offer(struct pdk_supervisor *s, struct pdk_listener *listener, const pdk_event *event) {
    uint32_t needed = listener->lost ? 2 : 1;
    if (listener->count + needed <= listener->capacity) {
        pdk_event gap;
        blank(&gap, PDK_EVENT_LOST);
        gap.number = listener->lost;
        gap.unix_ns = event->unix_ns;
        if (listener->lost && push(listener, &gap)) listener->lost = 0;
        if (!listener->lost && push(listener, event)) return;
    }
    listener->lost++;
    pdk_meter_add(listener->owner ? listener->owner->meter.events_dropped : s->meters.events_dropped, 1);
}

static void fill(const struct pdk_supervisor *s, const struct pdk_record *run, const struct pdk_event_args *args,
                 pdk_event *event) {
    blank(event, args->kind);
    event->number = s->events;
    event->unix_ns = pdk_unix_of(s, s->now);
    event->status = args->status;
    event->delay_ns = args->delay;
    event->fraction = args->fraction;
    event->data = args->data;
    event->size = args->size;
    event->stream = args->stream;
    event->truncated = args->cut;
    event->usage = args->usage;
    event->duration_ns = args->duration;
    if (args->code) event->code = args->code;
    if (args->subject) event->run_id = event->runner = args->subject;
    if (!run) return;
    event->run = run->handle;
    event->run_id = run->run_id;
    event->attempt = run->past.attempts;
    event->name = run->name;
    event->runner = run->member->instance->name;
    event->reason = run->cause;
    if (run->trace) pdk_trace_ids(run->trace, args->kind, event);
    event->slot = run->slot_name;
    if (args->kind != PDK_EVENT_ENDED && args->kind != PDK_EVENT_OUTCOME) return;
    event->timed_out = args->kind == PDK_EVENT_ENDED && run->timed_out;
    event->category = run->last.result.category;
    event->exit_code = run->last.result.exit_code;
    event->signal = run->last.result.signal;
}

void pdk_emit(struct pdk_supervisor *s, const struct pdk_record *run, const struct pdk_event_args *args,
              const char *format, ...) {
    struct pdk_listener *listener;
    char text[1024];
    pdk_event event;
    s->events++;
    if (!pdk_event_wanted(s, args->kind)) return;
    text[0] = '\0';
    if (format) {
        va_list list;
        va_start(list, format);
        (void)vsnprintf(text, sizeof text, format, list);
        va_end(list);
    }
    fill(s, run, args, &event);
    event.text = text;
    TAILQ_FOREACH(listener, &s->listeners, all) {
        if (matches(listener, run, args->kind)) offer(s, listener, &event);
    }
}

static void tell(struct pdk_listener *listener) {
    for (uint32_t i = 0; i < TOLD_PER_TURN && listener->count && !listener->gone; i++) {
        struct entry *entry = listener->ring[listener->first];
        listener->first = (listener->first + 1) % listener->capacity;
        listener->count--;
        listener->event(listener->arg, &entry->event);
        free(entry);
    }
    if (listener->gone || listener->count || !listener->lost) return;
    pdk_event gap;
    blank(&gap, PDK_EVENT_LOST);
    gap.number = listener->lost;
    listener->lost = 0;
    listener->event(listener->arg, &gap);
}

bool pdk_events_deliver(struct pdk_supervisor *s) {
    struct pdk_listener *listener, *next;
    bool more = false;
    s->delivering = true;
    TAILQ_FOREACH(listener, &s->listeners, all) {
        if (listener->count || listener->lost) tell(listener);
    }
    s->delivering = false;
    for (listener = TAILQ_FIRST(&s->listeners); listener; listener = next) {
        next = TAILQ_NEXT(listener, all);
        /* one that listens may have made something happen, which those before it have not heard */
        more |= !listener->gone && (listener->count || listener->lost);
        if (listener->gone) drop_listener(s, listener);
    }
    return more;
}

uint32_t pdk_events_room(const struct pdk_supervisor *s) {
    const struct pdk_listener *listener;
    uint32_t room = UINT32_MAX;
    TAILQ_FOREACH(listener, &s->listeners, all) {
        uint32_t half = listener->capacity / 2; /* the other half is for what cannot wait */
        if (listener->gone || !(listener->events >> PDK_EVENT_OUTPUT & 1)) continue;
        uint32_t own = listener->count < half ? half - listener->count : 0;
        if (own < room) room = own;
    }
    return room;
}

static int32_t copy_filter(struct pdk_listener *listener, const pdk_filter *filter) {
    const uint32_t all = (UINT32_C(1) << (PDK_EVENT_RELOADED + 1)) - 1;
    listener->events = all & ~(UINT32_C(1) << PDK_EVENT_OUTPUT);
    if (!filter) return 0;
    if (PDK_HAS(filter, events)) listener->events = filter->events;
    if (PDK_HAS(filter, run)) listener->run = filter->run;
    if (PDK_HAS(filter, name) && !(listener->name = strdup(filter->name))) return -ENOMEM;
    if (PDK_HAS(filter, slot) && !(listener->slot = strdup(filter->slot))) return -ENOMEM;
    return 0;
}

void pdk_taps_tell(struct pdk_supervisor *s, const struct pdk_record *run, int32_t stream, const char *data,
                   size_t size) {
    const struct pdk_event_args args = {.kind = PDK_EVENT_OUTPUT, .stream = stream, .data = data, .size = size};
    struct pdk_tap *tap;
    pdk_event event;
    if (TAILQ_EMPTY(&s->taps) || !size) return;
    fill(s, run, &args, &event);
    event.number = 0;
    TAILQ_FOREACH(tap, &s->taps, all) tap->output(tap->arg, &event);
}

/* An instance has a table of its own. */
static const struct pdk_member *owner_of(const struct pdk_supervisor *s, const pdk_control *control) {
    const struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        if (&member->control == control) break;
    }
    return member;
}

int32_t pdk_subscribe(const pdk_control *control, const pdk_filter *filter, void (*event)(void *, const pdk_event *),
                      void *arg, pdk_watch *ret) {
    struct pdk_supervisor *s = control->data;
    struct pdk_listener *listener;
    uint32_t count = 0;
    TAILQ_FOREACH(listener, &s->listeners, all) count++;
    if (count >= LISTENERS_MAX) return -EAGAIN;
    listener = calloc(1, sizeof *listener + s->options.events * sizeof(*listener->ring));
    if (!listener) return -ENOMEM;
    listener->capacity = s->options.events;
    listener->event = event;
    listener->arg = arg;
    listener->watch = ++s->next_watch;
    listener->owner = owner_of(s, control);
    TAILQ_INSERT_TAIL(&s->listeners, listener, all);
    if (copy_filter(listener, filter) < 0) {
        drop_listener(s, listener);
        return -ENOMEM;
    }
    count_wanted(s);
    *ret = listener->watch;
    return 0;
}

int32_t pdk_tap(const pdk_control *control, void (*output)(void *, const pdk_event *), void *arg, pdk_watch *ret) {
    struct pdk_supervisor *s = control->data;
    struct pdk_tap *tap = calloc(1, sizeof *tap);
    if (!tap) return -ENOMEM;
    *tap = (struct pdk_tap){.watch = ++s->next_watch, .owner = owner_of(s, control), .output = output, .arg = arg};
    TAILQ_INSERT_TAIL(&s->taps, tap, all);
    *ret = tap->watch;
    return 0;
}

static void drop_tap(struct pdk_supervisor *s, struct pdk_tap *tap) {
    TAILQ_REMOVE(&s->taps, tap, all);
    free(tap);
}

static bool untap(struct pdk_supervisor *s, pdk_watch watch) {
    struct pdk_tap *tap;
    TAILQ_FOREACH(tap, &s->taps, all) {
        if (tap->watch == watch) break;
    }
    bool found = tap != NULL;
    if (found) drop_tap(s, tap);
    return found;
}

void pdk_unsubscribe(const pdk_control *control, pdk_watch watch) {
    struct pdk_supervisor *s = control->data;
    if (untap(s, watch)) return;
    struct pdk_listener *listener;
    TAILQ_FOREACH(listener, &s->listeners, all) {
        if (listener->watch == watch) break;
    }
    if (!listener) return;
    listener->gone = true;
    if (!s->delivering) drop_listener(s, listener);
    count_wanted(s);
}

void pdk_events_forget(struct pdk_supervisor *s, const struct pdk_member *member) {
    struct pdk_listener *listener, *next;
    for (listener = TAILQ_FIRST(&s->listeners); listener; listener = next) {
        next = TAILQ_NEXT(listener, all);
        if (listener->owner != member) continue;
        listener->owner = NULL;
        listener->gone = true;
        if (!s->delivering) drop_listener(s, listener);
    }
    count_wanted(s);
    for (struct pdk_tap *tap = TAILQ_FIRST(&s->taps), *after; tap; tap = after) {
        after = TAILQ_NEXT(tap, all);
        if (tap->owner == member) drop_tap(s, tap);
    }
}

void pdk_events_free(struct pdk_supervisor *s) {
    struct pdk_listener *listener, *next;
    for (struct pdk_tap *tap = TAILQ_FIRST(&s->taps), *after; tap; tap = after) {
        after = TAILQ_NEXT(tap, all);
        free(tap);
    }
    TAILQ_INIT(&s->taps);
    for (listener = TAILQ_FIRST(&s->listeners); listener; listener = next) {
        next = TAILQ_NEXT(listener, all);
        drop_listener(s, listener);
    }
}
