/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on. Output is tapped and events are heard; both are copied and handed to the writer, and nobody waits for a disk:
 * what has no room in the buffer is lost, and counted. Everything here is the main thread's.
 */
#include <errno.h>
#include <stdio.h>

#include "instance.h"

#define YOUNG (SECOND / 10)

enum { RUNS_WAITING = 10000, ENDS_MAX = 20000, SCAN = 20000 };

/* ---- copies ---- */

static const char *keep(char **at, const char *text) {
    size_t size = strlen(text) + 1;
    char *start = memcpy(*at, text, size);
    *at += size;
    return start;
}

struct arc_event *arc_event_copy(const pdk_event *event) {
    const char *texts[] = {event->run_id, event->text, event->code,     event->name,
                           event->runner, event->slot, event->trace_id, event->span_id};
    size_t size = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) size += strlen(texts[i]) + 1;
    struct arc_event *copy = malloc(sizeof *copy + size);
    if (!copy) return NULL;
    char *at = copy->data;
    copy->of = NULL;
    copy->event = *event;
    copy->event.data = NULL;
    copy->event.size = 0;
    copy->event.run_id = keep(&at, event->run_id);
    copy->event.text = keep(&at, event->text);
    copy->event.code = keep(&at, event->code);
    copy->event.name = keep(&at, event->name);
    copy->event.runner = keep(&at, event->runner);
    copy->event.slot = keep(&at, event->slot);
    copy->event.trace_id = keep(&at, event->trace_id);
    copy->event.span_id = keep(&at, event->span_id);
    if (event->usage) {
        copy->usage = *event->usage;
        copy->event.usage = &copy->usage;
    }
    return copy;
}

struct arc_info *arc_info_copy(const pdk_run_info *info) {
    const char *texts[] = {info->run_id, info->name, info->kind, info->slot, info->runner, info->text, info->code};
    size_t size = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) size += strlen(texts[i]) + 1;
    struct arc_info *copy = malloc(sizeof *copy + size);
    if (!copy) return NULL;
    char *at = copy->data;
    copy->info = *info;
    copy->info.run_id = keep(&at, info->run_id);
    copy->info.name = keep(&at, info->name);
    copy->info.kind = keep(&at, info->kind);
    copy->info.slot = keep(&at, info->slot);
    copy->info.runner = keep(&at, info->runner);
    copy->info.text = keep(&at, info->text);
    copy->info.code = keep(&at, info->code);
    return copy;
}

/* ---- the table ---- */

static struct arc_run **bucket_of(struct archive *archive, uint64_t seq) {
    return &archive->buckets[seq % ARC_BUCKETS];
}

static struct arc_run *find(const struct archive *archive, const char *run_id) {
    struct arc_run *run = archive->buckets[arc_seq(run_id) % ARC_BUCKETS];
    while (run && strcmp(run->run_id, run_id) != 0) run = run->next;
    return run;
}

struct arc_run *arc_live_find(const struct archive *archive, const char *run_id) {
    struct arc_run *run = find(archive, run_id);
    return run && !run->written ? run : NULL;
}

struct arc_attempt *arc_live_attempt(const struct arc_run *run, uint32_t number) {
    struct arc_attempt *a;
    if (!number) return TAILQ_LAST(&run->attempts, arc_attempts);
    TAILQ_FOREACH(a, &run->attempts, all) {
        if (a->number == number) break;
    }
    return a;
}

static struct arc_run *create(struct archive *archive, pdk_run handle, const char *run_id, const char *task) {
    size_t id_size = strlen(run_id) + 1, task_size = strlen(task) + 1;
    struct arc_run *run = calloc(1, sizeof *run + id_size + task_size);
    if (!run) return NULL;
    run->run_id = memcpy(run + 1, run_id, id_size);
    run->task = memcpy(run->run_id + id_size, task, task_size);
    run->seq = arc_seq(run_id);
    run->handle = handle;
    run->op.kind = ARC_END;
    TAILQ_INIT(&run->events);
    TAILQ_INIT(&run->tries);
    TAILQ_INIT(&run->attempts);
    struct arc_run **bucket = bucket_of(archive, run->seq);
    run->next = *bucket;
    *bucket = run;
    archive->run_count++;
    return run;
}

static void drop_event(struct arc_run *run) {
    struct arc_event *oldest = TAILQ_FIRST(&run->events);
    TAILQ_REMOVE(&run->events, oldest, all);
    run->event_count--;
    if (oldest->of)
        oldest->of = NULL; /* its attempt keeps it */
    else
        free(oldest);
}

static void free_try(struct arc_try *try) {
    if (try->ended && try->ended->of)
        try->ended->of = NULL; /* it is an event of the run as any other now */
    else
        free(try->ended);
    free(try);
}

static void drop_try(struct arc_run *run, struct arc_try *oldest) {
    TAILQ_REMOVE(&run->tries, oldest, all);
    run->try_count--;
    free_try(oldest);
}

static void free_run(struct arc_run *run) {
    struct arc_attempt *a, *next_attempt;
    struct arc_event *event, *next_event;
    struct arc_try *try, *next_try;
    for (a = TAILQ_FIRST(&run->attempts); a; a = next_attempt) {
        next_attempt = TAILQ_NEXT(a, all);
        free(a);
    }
    for (try = TAILQ_FIRST(&run->tries); try; try = next_try) {
        next_try = TAILQ_NEXT(try, all);
        free_try(try);
    }
    for (event = TAILQ_FIRST(&run->events); event; event = next_event) {
        next_event = TAILQ_NEXT(event, all);
        free(event);
    }
    free(run->info);
    free(run);
}

static void remove_run(struct archive *archive, struct arc_run *run) {
    struct arc_run **at = bucket_of(archive, run->seq);
    while (*at != run) at = &(*at)->next;
    *at = run->next;
    archive->run_count--;
    free_run(run);
}

static struct arc_run *find_or_create(struct archive *archive, const pdk_event *event) {
    struct arc_run *run = find(archive, event->run_id);
    return run ? run : create(archive, event->run, event->run_id, event->name);
}

/* ---- attempts ---- */

static void omit_tries(struct arc_run *run) {
    struct arc_try *oldest = TAILQ_FIRST(&run->tries);
    if (run->try_count <= ARC_TRIES || oldest->attempt) return;
    run->tries_omitted++;
    drop_try(run, oldest);
}

/* NULL: no memory. */
static struct arc_try *try_of(struct arc_run *run, uint32_t number) {
    omit_tries(run);
    struct arc_try *try = TAILQ_LAST(&run->tries, arc_tries);
    while (try && try->number > number) try = TAILQ_PREV(try, arc_tries, all);
    if (try && try->number == number) return try;
    struct arc_try *fresh = calloc(1, sizeof *fresh);
    if (!fresh) return NULL;
    fresh->number = number;
    if (try)
        TAILQ_INSERT_AFTER(&run->tries, try, fresh, all);
    else
        TAILQ_INSERT_HEAD(&run->tries, fresh, all);
    run->try_count++;
    return fresh;
}

static struct arc_attempt *attempt_of(struct arc_run *run, uint32_t number) {
    struct arc_attempt *a = arc_live_attempt(run, number);
    char task[ARC_NAME_MAX], name[ARC_NAME_MAX];
    struct arc_try *of;
    if (a) return a->closing ? NULL : a;
    if (!(of = try_of(run, number)) || of->ended || !(a = calloc(1, sizeof *a))) return NULL;
    a->close.kind = ARC_CLOSE;
    a->run = run;
    a->of = of;
    a->number = number;
    a->fd = -1;
    arc_name(task, run->task);
    arc_name(name, run->run_id);
    (void)snprintf(a->folder, sizeof a->folder, "%s/%s", task, name);
    TAILQ_INSERT_TAIL(&run->attempts, a, all);
    of->attempt = a;
    return a;
}

static void close_attempt(struct archive *archive, struct arc_attempt *a) {
    if (a->closing) return;
    a->closing = true; /* and what is unsaid is the writer's to tell */
    arc_writer_add(archive, &a->close);
}

void arc_live_closed(struct archive *archive, struct arc_attempt *a) {
    struct arc_run *run = a->run;
    TAILQ_REMOVE(&run->attempts, a, all);
    a->of->attempt = NULL;
    if (!run->ended) omit_tries(run); /* else the writer may be reading them */
    free(a);
    if (run->unkept && TAILQ_EMPTY(&run->attempts)) remove_run(archive, run);
}

void arc_live_written(struct archive *archive, struct arc_run *run) {
    atomic_fetch_sub(&archive->writer.ends, 1);
    run->written = true;
    if (!run->stuck) remove_run(archive, run);
}

/* Nothing of it can come any more; of one that is abandoned it can, for ever. */
static void on_freed(struct archive *archive, struct arc_run *run) {
    run->stuck = false;
    if (run->written) remove_run(archive, run);
}

/* ---- output ---- */

static void on_output(void *arg, const pdk_event *event) {
    struct archive *archive = arg;
    struct arc_run *run = find_or_create(archive, event);
    struct arc_attempt *a = run && !run->ended ? attempt_of(run, event->attempt) : NULL;
    struct arc_chunk *chunk = NULL;
    if (!a) return;
    a->of->bytes += event->size;
    if (event->data && atomic_load(&archive->writer.waiting) + event->size <= archive->options.buffer)
        chunk = malloc(sizeof *chunk + event->size);
    if (!chunk) {
        a->of->lost += event->size;
        a->unsaid += event->size;
        return;
    }
    *chunk = (struct arc_chunk){.op = {.kind = ARC_CHUNK},
                                .attempt = a,
                                .unix_ns = event->unix_ns,
                                .lost = a->unsaid,
                                .stream = event->stream,
                                .size = event->size};
    memcpy(chunk->data, event->data, event->size);
    a->unsaid = 0;
    atomic_fetch_add(&archive->writer.waiting, event->size);
    arc_writer_add(archive, &chunk->op);
}

/* ---- events ---- */

struct look {
    struct arc_info *info;
};

static int32_t on_info(void *arg, const pdk_run_info *info) {
    struct look *look = arg;
    look->info = arc_info_copy(info);
    return 1;
}

/* NULL: it has been forgotten. */
static struct arc_info *info_of(const struct archive *archive, pdk_run run) {
    struct look look = {NULL};
    const pdk_filter filter = {.struct_size = (uint32_t)sizeof filter, .run = run, .limit = 1};
    (void)archive->control->list(archive->control, &filter, on_info, &look);
    return look.info;
}

/* What the event of its end says, where nobody remembers more. */
static struct arc_info *info_from(const pdk_event *event) {
    const pdk_run_info info = {.struct_size = (uint32_t)sizeof info,
                               .state = PDK_RUN_ENDED,
                               .run = event->run,
                               .run_id = event->run_id,
                               .name = event->name,
                               .kind = "",
                               .slot = event->slot,
                               .runner = event->runner,
                               .attempts = event->attempt,
                               .end = event->status,
                               .ended_ns = event->unix_ns,
                               .submitted_ns = event->unix_ns - event->duration_ns,
                               .fraction = -1,
                               .text = event->text,
                               .category = event->category,
                               .exit_code = event->exit_code,
                               .signal = event->signal,
                               .code = event->code};
    return arc_info_copy(&info);
}

static void unkept(struct archive *archive, struct arc_run *run) {
    if (!archive->unkept++)
        pdk_logf(archive->host, PDK_LOG_ERROR, 0, "the disk is too slow for the history: %s and others are not kept",
                 run->run_id);
}

/* ---- runs that may be over before it is worth a line of the journal ---- */

static void grow_up(struct archive *archive, struct arc_run *run) {
    if (!run->young_ns) return;
    TAILQ_REMOVE(&archive->young, run, young_link);
    run->young_ns = 0;
}

static void begin_run(struct archive *archive, struct arc_run *run);
static void watch_young(struct archive *archive);

static void on_aging(void *arg) {
    struct archive *archive = arg;
    uint64_t now = archive->host->now_ns(archive->host);
    struct arc_run *run;
    archive->aging = 0;
    while ((run = TAILQ_FIRST(&archive->young)) && now - run->young_ns >= YOUNG) {
        grow_up(archive, run);
        begin_run(archive, run);
    }
    watch_young(archive);
}

static void watch_young(struct archive *archive) {
    if (archive->aging || TAILQ_EMPTY(&archive->young)) return;
    if (archive->loop->timer(archive->loop, YOUNG, 0, on_aging, archive, &archive->aging) < 0) archive->aging = 0;
}

static void be_young(struct archive *archive, struct arc_run *run) {
    if (run->begun || run->young_ns) return;
    run->young_ns = archive->host->now_ns(archive->host);
    TAILQ_INSERT_TAIL(&archive->young, run, young_link);
    watch_young(archive);
}

/* info becomes its own. */
static void end_run(struct archive *archive, struct arc_run *run, struct arc_info *info) {
    struct arc_attempt *a;
    grow_up(archive, run);
    run->ended = true;
    run->info = info;
    run->stuck = info && info->info.state == PDK_RUN_STUCK;
    TAILQ_FOREACH(a, &run->attempts, all) close_attempt(archive, a);
    if (!info || atomic_load(&archive->writer.ends) >= ENDS_MAX) {
        unkept(archive, run);
        run->unkept = true;
        if (TAILQ_EMPTY(&run->attempts)) remove_run(archive, run);
        return;
    }
    atomic_fetch_add(&archive->writer.ends, 1);
    arc_writer_add(archive, &run->op);
}

static void begin_run(struct archive *archive, struct arc_run *run) {
    struct arc_begin *begin = run->begun ? NULL : calloc(1, sizeof *begin);
    if (!begin) return;
    begin->op.kind = ARC_BEGIN;
    begin->info = info_of(archive, run->handle);
    if (!begin->info) {
        free(begin);
        return;
    }
    run->begun = true;
    arc_writer_add(archive, &begin->op);
}

/* NULL: no memory. */
static struct arc_event *note(struct arc_run *run, const pdk_event *event) {
    struct arc_event *copy = arc_event_copy(event);
    if (!copy) {
        run->events_omitted++;
        return NULL;
    }
    if (run->event_count == ARC_EVENTS) {
        drop_event(run);
        run->events_omitted++;
    }
    TAILQ_INSERT_TAIL(&run->events, copy, all);
    run->event_count++;
    return copy;
}

static void on_started(struct archive *archive, struct arc_run *run, const pdk_event *event) {
    struct arc_try *try = try_of(run, event->attempt);
    if (try) try->started_ns = event->unix_ns;
    be_young(archive, run);
}

static void on_ended(struct archive *archive, struct arc_run *run, const pdk_event *event, struct arc_event *noted) {
    struct arc_try *try = try_of(run, event->attempt);
    if (!try) return;
    if (!try->ended && noted) {
        try->ended = noted;
        noted->of = try;
    }
    if (try->attempt) close_attempt(archive, try->attempt);
}

/* ---- when events are missing ---- */

static int32_t on_missed(void *arg, const pdk_run_info *info) {
    struct archive *archive = arg;
    struct arc_run *run = find(archive, info->run_id);
    if (!run && arc_history_has(archive, info->seq)) return 0;
    if (!run) run = create(archive, info->run, info->run_id, info->name);
    if (run && !run->ended) end_run(archive, run, arc_info_copy(info));
    return 0;
}

/* Ends that we have not heard of are found among those that the supervisor remembers. */
static void catch_up(struct archive *archive) {
    const pdk_filter filter = {.struct_size = (uint32_t)sizeof filter,
                               .states = 1u << PDK_RUN_ENDED | 1u << PDK_RUN_STUCK,
                               .limit = SCAN,
                               .newest = 1};
    (void)archive->control->list(archive->control, &filter, on_missed, archive);
}

static void on_event(void *arg, const pdk_event *event) {
    struct archive *archive = arg;
    bool many = event->kind == PDK_EVENT_ACCEPTED && archive->run_count >= RUNS_WAITING;
    if (event->kind == PDK_EVENT_LOST) catch_up(archive);
    if (!event->run || event->kind == PDK_EVENT_PROGRESS || many) return;
    struct arc_run *run = find_or_create(archive, event);
    if (run && run->ended && event->kind == PDK_EVENT_FREED && !event->status) {
        on_freed(archive, run);
        return;
    }
    if (!run || run->ended) return; /* that a slot is free again is no part of its history */
    struct arc_event *noted = note(run, event);
    switch (event->kind) {
    case PDK_EVENT_STARTED: on_started(archive, run, event); break;
    case PDK_EVENT_ENDED: on_ended(archive, run, event, noted); break;
    case PDK_EVENT_REJECTED:
    case PDK_EVENT_OUTCOME: {
        struct arc_info *info = info_of(archive, run->handle);
        end_run(archive, run, info ? info : info_from(event));
        break;
    }
    default: break;
    }
}

/* ---- life ---- */

int32_t arc_live_begin(struct archive *archive, pdk_error *err) {
    const pdk_control *control = archive->control;
    int32_t rc = PDK_HAS(control, tap) ? control->tap(control, on_output, archive, &archive->tap) : -ENOTSUP;
    if (rc == 0) rc = control->subscribe(control, NULL, on_event, archive, &archive->events);
    return rc < 0 ? pdk_fail(err, rc, NULL, "the host does not tell it what runs print", NULL, NULL) : 0;
}

void arc_live_end(struct archive *archive) {
    const pdk_control *control = archive->control;
    if (archive->tap) control->unsubscribe(control, archive->tap);
    if (archive->events) control->unsubscribe(control, archive->events);
    archive->tap = archive->events = 0;
    if (!archive->writer.started) return; /* nobody would take it */
    if (archive->aging) archive->loop->stop(archive->loop, archive->aging);
    archive->aging = 0;
    catch_up(archive);
    for (struct arc_run *run = TAILQ_FIRST(&archive->young); run; run = TAILQ_FIRST(&archive->young)) {
        grow_up(archive, run);
        begin_run(archive, run);
    }
    for (size_t i = 0; i < ARC_BUCKETS; i++)
        for (struct arc_run *run = archive->buckets[i]; run; run = run->next) {
            struct arc_attempt *a;
            TAILQ_FOREACH(a, &run->attempts, all) close_attempt(archive, a);
        }
}

void arc_live_free(struct archive *archive) {
    for (size_t i = 0; i < ARC_BUCKETS; i++)
        for (struct arc_run *run = archive->buckets[i], *next; run; run = next) {
            next = run->next;
            free_run(run);
        }
}
