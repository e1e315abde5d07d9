/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who reads output. A part is read by a job of the host's pool, then told on the main thread piece by piece; whoever follows
 * waits until the writer has written more.
 */
#include <errno.h>
#include <stdio.h>

#include "find.h"
#include "instance.h"
#include "stretch.h"

#define AGAIN (SECOND / 20) /* the pool is full */

struct arc_reading {
    TAILQ_ENTRY(arc_reading) all;
    struct archive *archive;
    pdk_reading_id id;
    pdk_job job;
    pdk_call call;
    pdk_watch timer;
    pdk_read_options options;
    int32_t (*piece)(void *arg, const pdk_piece *);
    void (*end)(void *arg, int32_t rc, const pdk_error *);
    void *arg;
    char *run_id;
    bool on, posted; /* the job; the call */
    bool stopped, paused, waiting, telling, told, answered;
    bool live, run_live; /* the attempt, the run, when the job began */
    uint64_t seen;       /* of what was stored of the run, then */
    size_t next;         /* bit to be told */
    uint32_t attempt;    /* 0: not known */

    /* the job's */
    bool move_on; /* to the next attempt, if this one has no more */
    char folder[ARC_PATH];
    struct arc_stretch stretch;
    int32_t rc;
};

static void go_on(struct arc_reading *r);

/* ---- the job ---- */

static int32_t begin(struct arc_reading *r) {
    struct arc_stretch *s = &r->stretch;
    char output[ARC_PATH];
    arc_path(output, sizeof output, "%s/output", r->archive->options.root);
    if (!arc_find_run(output, r->run_id, r->folder, sizeof r->folder)) return -ENOENT;
    r->attempt = r->options.attempt ? r->options.attempt : arc_find_attempt(r->folder, 0);
    if (!r->attempt) return -ENOENT;
    s->folder = r->folder;
    s->attempt = r->attempt;
    s->stream = r->options.stream;
    s->tail = r->options.tail;
    s->from = s->tail ? 0 : r->options.from;
    s->to = r->options.to;
    return 0;
}

static bool next_attempt(struct arc_reading *r) {
    struct arc_stretch *s = &r->stretch;
    uint32_t next = r->move_on ? arc_find_attempt(r->folder, r->attempt) : 0;
    if (!next) return false;
    arc_stretch_close(s);
    r->attempt = s->attempt = next;
    s->from = s->tail = s->to = s->position = s->lost = s->skip = 0;
    s->begun = false;
    return true;
}

static void work(void *arg) {
    struct arc_reading *r = arg;
    if (!r->stretch.folder && (r->rc = begin(r)) < 0) {
        if (r->options.tail == UINT64_MAX) r->options.tail = r->options.from = 0; /* all of it is to come */
        return;
    }
    r->rc = arc_stretch_read(&r->stretch);
    if (r->rc == 0 && !r->stretch.count && next_attempt(r)) r->rc = arc_stretch_read(&r->stretch);
    if (r->rc == -EIO) arc_complain(r->archive, r->stretch.fault);
}

/* ---- life ---- */

static void release(struct arc_reading *r) {
    struct archive *archive = r->archive;
    if (r->on || r->posted || r->telling) return;
    if (r->timer) archive->loop->stop(archive->loop, r->timer);
    TAILQ_REMOVE(&archive->readings, r, all);
    arc_stretch_close(&r->stretch);
    free(r->run_id);
    free(r);
}

static void finish(struct arc_reading *r, int32_t rc, const char *text) {
    pdk_error err = PDK_ERROR;
    r->stopped = true;
    r->telling = true;
    if (rc < 0) (void)pdk_fail(&err, rc, NULL, text, NULL, NULL);
    r->end(r->arg, rc, rc < 0 ? &err : NULL);
    r->telling = false;
    release(r);
}

static void on_timer(void *arg) {
    struct arc_reading *r = arg;
    r->timer = 0;
    go_on(r);
}

/* What is on is looked at first: what is written until the job begins it reads in any case. */
static void look(struct arc_reading *r) {
    const struct arc_run *run = arc_live_find(r->archive, r->run_id);
    const struct arc_attempt *attempt =
        run ? arc_live_attempt(run, r->attempt ? r->attempt : r->options.attempt) : NULL;
    r->run_live = run != NULL;
    r->live = attempt != NULL;
    r->seen = run ? atomic_load(&run->stored) : 0;
    r->move_on = r->attempt && r->options.follow && !r->options.attempt && !r->live;
}

static void go_on(struct arc_reading *r) {
    struct archive *archive = r->archive;
    r->waiting = false;
    r->next = 0;
    look(r);
    int32_t rc = archive->pool->submit(archive->pool, &r->job);
    if (rc == 0) {
        r->on = true;
        archive->calls++;
        return;
    }
    if (rc == -EAGAIN) rc = archive->loop->timer(archive->loop, AGAIN, 0, on_timer, r, &r->timer);
    if (rc < 0) finish(r, rc, "there is no thread to read it");
}

/* True: something has changed since the job looked. */
static bool is_stirred(const struct arc_reading *r) {
    const struct arc_run *run = arc_live_find(r->archive, r->run_id);
    const struct arc_attempt *attempt = run ? arc_live_attempt(run, r->attempt) : NULL;
    if (r->run_live && !run) return true;
    return (run && atomic_load(&run->stored) != r->seen) || (r->live && !attempt);
}

static bool may_come(const struct arc_reading *r) {
    return r->options.follow && (r->live || (r->run_live && (!r->options.attempt || !r->attempt)));
}

/* There is nothing yet: so much is said, that whoever waits knows. */
static void answer_once(struct arc_reading *r) {
    const pdk_piece piece = {.struct_size = (uint32_t)sizeof piece, .stream = PDK_STDOUT, .data = ""};
    if (r->answered) return;
    r->answered = r->telling = true;
    (void)r->piece(r->arg, &piece);
    r->telling = false;
}

static void at_end(struct arc_reading *r) {
    if (!may_come(r)) {
        finish(r, r->rc, "nothing was kept of it");
        return;
    }
    answer_once(r);
    if (r->stopped)
        release(r);
    else if (is_stirred(r))
        go_on(r);
    else
        r->waiting = true;
}

/* ---- telling ---- */

static void tell_bits(struct arc_reading *r) {
    const struct arc_stretch *s = &r->stretch;
    r->telling = true;
    while (r->next < s->count && !r->stopped && !r->paused) {
        const struct arc_bit *bit = &s->bits[r->next++];
        const pdk_piece piece = {.struct_size = (uint32_t)sizeof piece,
                                 .stream = bit->stream,
                                 .unix_ns = bit->unix_ns,
                                 .offset = bit->offset,
                                 .data = bit->size ? s->text.data + bit->place : "",
                                 .size = bit->size,
                                 .lost = bit->lost,
                                 .attempt = r->attempt};
        r->answered = true;
        r->paused = r->piece(r->arg, &piece) == 1;
    }
    r->telling = false;
}

static void tell(struct arc_reading *r) {
    if (r->rc < 0 && r->rc != -ENOENT) {
        finish(r, r->rc, r->rc == -EIO ? r->stretch.fault : strerror(-r->rc));
        return;
    }
    if (r->rc >= 0) tell_bits(r);
    if (r->stopped)
        release(r);
    else if (r->paused)
        return;
    else if (r->rc == 1 || (r->rc == 0 && r->stretch.count && may_come(r)))
        go_on(r);
    else
        at_end(r);
}

static void done(void *arg, int32_t status) {
    struct arc_reading *r = arg;
    struct archive *archive = r->archive;
    r->on = false;
    if (r->stopped)
        release(r);
    else if (status < 0)
        finish(r, status, "it was not read");
    else
        tell(r);
    arc_release(archive);
}

static void on_call(void *arg) {
    struct arc_reading *r = arg;
    struct archive *archive = r->archive;
    r->posted = false;
    if (r->stopped)
        release(r);
    else if (!r->paused && !r->on)
        tell(r);
    arc_release(archive);
}

void arc_readings_stir(struct archive *archive) {
    struct arc_reading *r, *next;
    for (r = TAILQ_FIRST(&archive->readings); r; r = next) {
        next = TAILQ_NEXT(r, all);
        if (r->waiting && is_stirred(r)) go_on(r);
    }
}

/* ---- the service ---- */

int32_t arc_read(const pdk_archive *service, const char *run_id, const pdk_read_options *options,
                 int32_t (*piece)(void *arg, const pdk_piece *), void (*end)(void *arg, int32_t rc, const pdk_error *),
                 void *arg, pdk_reading_id *ret) {
    struct archive *archive = service->data;
    struct arc_reading *r = archive->stopping ? NULL : calloc(1, sizeof *r);
    if (!r) return archive->stopping ? -ESHUTDOWN : -ENOMEM;
    size_t size = options->struct_size < sizeof r->options ? options->struct_size : sizeof r->options;
    memcpy(&r->options, options, size);
    r->archive = archive;
    r->job = (pdk_job){.struct_size = (uint32_t)sizeof r->job, .work = work, .done = done, .arg = r};
    r->call = (pdk_call){on_call, r, {NULL, NULL}};
    r->piece = piece;
    r->end = end;
    r->arg = arg;
    r->run_id = strdup(run_id);
    if (r->run_id) look(r);
    int32_t rc = r->run_id ? archive->pool->submit(archive->pool, &r->job) : -ENOMEM;
    if (rc < 0) {
        free(r->run_id);
        free(r);
        return rc;
    }
    r->on = true;
    archive->calls++;
    r->id = ++archive->next_reading;
    TAILQ_INSERT_TAIL(&archive->readings, r, all);
    *ret = r->id;
    return 0;
}

static struct arc_reading *reading_of(const struct archive *archive, pdk_reading_id id) {
    struct arc_reading *r;
    TAILQ_FOREACH(r, &archive->readings, all) {
        if (r->id == id) break;
    }
    return r;
}

void arc_resume(const pdk_archive *service, pdk_reading_id id) {
    struct archive *archive = service->data;
    struct arc_reading *r = reading_of(archive, id);
    if (!r || !r->paused) return;
    r->paused = false;
    if (r->posted) return;
    r->posted = true;
    archive->calls++;
    archive->loop->post(archive->loop, &r->call);
}

void arc_stop(const pdk_archive *service, pdk_reading_id id) {
    struct arc_reading *r = reading_of(service->data, id);
    if (!r) return;
    r->stopped = true;
    release(r);
}

void arc_readings_end(struct archive *archive) {
    struct arc_reading *r, *next;
    for (r = TAILQ_FIRST(&archive->readings); r; r = next) {
        next = TAILQ_NEXT(r, all);
        if (!r->stopped) finish(r, -ESHUTDOWN, "the archive stops");
    }
}
