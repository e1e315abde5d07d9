/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "paddock/archive.h"
#include "paddock/control.h"
#include "paddock/helpers.h"
#include "paddock/loop.h"
#include "paddock/queue.h"

#define FACTS(id)                                                                                                    \
    "{\"job_id\":\"" id "\",\"task\":\"t\",\"kind\":\"echo\",\"topic\":\"mail\",\"state\":\"ready\",\"priority\":0," \
    "\"attempts\":0,\"max_attempts\":3,\"submitted_at\":\"2026-01-02T03:04:05Z\""
#define JOB(id)      FACTS(id) "}"
#define SUBMITTED(d) FACTS("j1") ",\"duplicate\":" d "}"
#define TOPIC        "{\"topic\":\"mail\",\"paused\":false,\"limit\":4,\"delayed\":0,\"ready\":1,\"running\":0,\"dead\":1}"

struct fake {
    const pdk_host *host;
    const pdk_loop *loop;
    pdk_queue queue;
    pdk_archive archive;
    int readings;
};

/* ---- the queue ---- */

struct asked {
    struct fake *self;
    pdk_call call;
    pdk_queue_answer answer;
    void *arg;
    int32_t rc;
    const char *json;
};

/* What each verb answers; where it is for one job, "none" is not there, "busy" is busy, "full" finds no room. */
static const struct {
    const char *verb, *json;
} answers[] = {
    {"submit", SUBMITTED("false")},
    {"list", "{\"jobs\":[" JOB("j1") "," JOB("j2") "],\"next\":\"j2\"}"},
    {"show", JOB("j1")},
    {"cancel", JOB("j1")},
    {"retry", JOB("j3")},
    {"stats", "{\"topics\":[" TOPIC "],\"totals\":{\"delayed\":0,\"ready\":1,\"running\":0,\"dead\":1}}"},
    {"pause", TOPIC},
    {"resume", TOPIC},
    {"limit", TOPIC},
    {"dead", "{\"jobs\":[" JOB("j4") "]}"},
    {"replay", "{\"count\":1,\"more\":false}"},
    {"purge", "{\"count\":1,\"more\":false}"},
};

static void on_call(void *arg) {
    struct asked *asked = arg;
    const pdk_values *values = asked->self->host->values;
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    if (asked->rc == 0)
        (void)values->parse(values, asked->json, strlen(asked->json), "fake", &value, NULL);
    else
        (void)pdk_fail(&err, asked->rc, NULL, "the fake queue says no", NULL, NULL);
    asked->answer(asked->arg, asked->rc, value, asked->rc ? &err : NULL);
    values->drop(value);
    free(asked);
}

static int32_t code_of(const struct fake *self, const char *verb, const pdk_value *params) {
    static const struct {
        const char *word;
        int32_t rc;
    } codes[] = {{"none", -ENOENT}, {"busy", -EBUSY}, {"full", -ENOSPC}, {"wrong", -EINVAL}, {"again", -EEXIST}};
    const char *word = "";
    (void)verb;
    if (self->host->values->string(self->host->values->get(params, "job_id"), &word) < 0)
        (void)self->host->values->string(self->host->values->get(params, "topic"), &word);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (!strcmp(codes[i].word, word)) return codes[i].rc;
    return 0;
}

static int32_t ask(const pdk_queue *queue, const char *verb, const pdk_value *params, pdk_queue_answer answer,
                   void *arg) {
    struct fake *self = queue->data;
    struct asked *asked = calloc(1, sizeof *asked);
    const char *key = "";
    if (!asked) return -ENOMEM;
    (void)self->host->values->string(self->host->values->get(params, "key"), &key);
    *asked = (struct asked){self, {on_call, asked, {0}}, answer, arg, code_of(self, verb, params), NULL};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (!strcmp(answers[i].verb, verb)) asked->json = answers[i].json;
    if (!strcmp(verb, "submit") && !strcmp(key, "seen")) asked->json = SUBMITTED("true");
    self->loop->post(self->loop, &asked->call);
    return 0;
}

/* ---- the archive: run "kept-1" printed 1000 lines, of which it gives one a call, pausing when told ---- */

struct reading {
    struct fake *self;
    pdk_call call;
    int32_t (*piece)(void *arg, const pdk_piece *);
    void (*end)(void *arg, int32_t rc, const pdk_error *);
    void *arg;
    uint64_t line, offset, from;
    int32_t rc;
    bool paused, stopped;
};

static void read_on(void *arg) {
    struct reading *r = arg;
    pdk_error err = PDK_ERROR;
    if (r->stopped) {
        free(r);
        return;
    }
    for (; !r->rc && r->line < 1000 && !r->paused; r->line++) {
        char text[64];
        pdk_piece piece = {.struct_size = sizeof piece,
                           .stream = r->line % 2 ? PDK_STDERR : PDK_STDOUT,
                           .unix_ns = 1767323045 * UINT64_C(1000000000),
                           .offset = r->offset,
                           .data = text};
        piece.size = (size_t)snprintf(text, sizeof text, "line %llu\n", (unsigned long long)r->line);
        r->offset += piece.size;
        if (piece.offset >= r->from) r->paused = r->piece(r->arg, &piece) == 1;
        if (r->stopped) break;
    }
    if (r->paused && !r->stopped) return;
    if (!r->stopped) {
        (void)pdk_fail(&err, r->rc, NULL, "nothing was kept of it", NULL, NULL);
        r->end(r->arg, r->rc, &err);
    }
    free(r);
}

static int32_t archive_read(const pdk_archive *archive, const char *run_id, const pdk_read_options *options,
                            int32_t (*piece)(void *, const pdk_piece *),
                            void (*end)(void *, int32_t, const pdk_error *), void *arg, pdk_reading_id *ret) {
    struct fake *self = archive->data;
    struct reading *r = calloc(1, sizeof *r);
    if (!r) return -ENOMEM;
    *r = (struct reading){.self = self,
                          .call = {read_on, r, {0}},
                          .piece = piece,
                          .end = end,
                          .arg = arg,
                          .from =
                              options->tail == UINT64_MAX ? UINT64_MAX : options->from, /* what is to come: nothing */
                          .rc = strcmp(run_id, "kept-1") ? -ENOENT : 0};
    *ret = (pdk_reading_id)(uintptr_t)r;
    self->loop->post(self->loop, &r->call);
    return 0;
}

static struct reading *reading_of(pdk_reading_id id) {
    return (struct reading *)(uintptr_t)id;
}

static void archive_resume(const pdk_archive *archive, pdk_reading_id id) {
    struct fake *self = archive->data;
    reading_of(id)->paused = false;
    self->loop->post(self->loop, &reading_of(id)->call);
}

static void archive_stop(const pdk_archive *archive, pdk_reading_id id) {
    struct fake *self = archive->data;
    reading_of(id)->stopped = true;
    self->loop->post(self->loop, &reading_of(id)->call);
}

struct shown {
    struct fake *self;
    pdk_call call;
    void (*answer)(void *arg, int32_t rc, const pdk_value *, const pdk_error *);
    void *arg;
    int32_t rc;
    const char *json;
};

#define KEPT                                                                                                      \
    "{\"run_id\":\"kept-1\",\"task\":\"kept\",\"kind\":\"echo\",\"slot\":\"kept\",\"runner\":\"echo\",\"state\":" \
    "\"ended\","                                                                                                  \
    "\"outcome\":\"succeeded\",\"attempts\":1,\"history\":[{\"attempt\":1,\"result\":\"succeeded\"}],\"events\":[]}"

static void on_show(void *arg) {
    struct shown *shown = arg;
    const pdk_values *values = shown->self->host->values;
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    if (shown->rc == 0)
        (void)values->parse(values, shown->json, strlen(shown->json), "fake", &value, NULL);
    else
        (void)pdk_fail(&err, shown->rc, NULL, "there is no such run", NULL, NULL);
    shown->answer(shown->arg, shown->rc, value, &err);
    values->drop(value);
    free(shown);
}

/* A page: its number is 1, and so it is on the page that goes on below any higher one. */
static const char *page_of(const struct fake *self, const pdk_value *filter) {
    int64_t before = INT64_MAX;
    (void)self->host->values->integer(self->host->values->get(filter, "before"), &before);
    return before > 1 ? "{\"runs\":[" KEPT "]}" : "{\"runs\":[]}";
}

static int32_t archive_show(const pdk_archive *archive, const char *run_id, const pdk_value *filter,
                            void (*answer)(void *, int32_t, const pdk_value *, const pdk_error *), void *arg) {
    struct fake *self = archive->data;
    struct shown *shown = calloc(1, sizeof *shown);
    if (!shown) return -ENOMEM;
    *shown = (struct shown){.self = self, .call = {on_show, shown, {0}}, .answer = answer, .arg = arg, .json = KEPT};
    if (!run_id)
        shown->json = page_of(self, filter);
    else if (strcmp(run_id, "kept-1") != 0)
        shown->rc = -ENOENT;
    self->loop->post(self->loop, &shown->call);
    return 0;
}

/* ---- the plugin ---- */

static void *create_self(const pdk_host *host) {
    struct fake *self = calloc(1, sizeof *self);
    if (!self) return NULL;
    self->host = host;
    self->loop = host->get_extension(host, PDK_LOOP_1);
    self->queue = (pdk_queue){PDK_HEAD(pdk_queue), self, ask};
    self->archive =
        (pdk_archive){PDK_HEAD(pdk_archive), self, archive_read, archive_resume, archive_stop, archive_show};
    return self;
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    *ret = create_self(host);
    return *ret ? 0 : -ENOMEM;
}

static const void *get_extension(void *data, const char *id) {
    struct fake *self = data;
    if (!strcmp(id, PDK_QUEUE_1)) return &self->queue;
    return strcmp(id, PDK_ARCHIVE_1) ? NULL : &self->archive;
}

static const char *const needs[] = {PDK_CONTROL_1, NULL};

const pdk_plugin fake_plugin = {PDK_PLUGIN_HEAD, "fake", "1",  "",   "A queue and an archive that keep nothing",
                                needs,           NULL,   NULL, NULL, NULL,
                                create,          NULL,   NULL, free, get_extension};
