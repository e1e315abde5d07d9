/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks for runs: one, or a page of those that have ended. Files are read by a job of the host's pool. */
#include <errno.h>
#include <stdio.h>

#include "instance.h"

enum { PAGE_DEFAULT = 100, PAGE_MAX = 1000, BATCH = 256, SCANNED = 5000, OUTCOMES = 16 };

struct arc_asking {
    TAILQ_ENTRY(arc_asking) all;
    struct archive *archive;
    pdk_job job;
    pdk_call call;
    void (*answer)(void *arg, int32_t rc, const pdk_value *, const pdk_error *);
    void *arg;
    char *run_id;            /* NULL: a page */
    const pdk_value *filter; /* held */
    bool on, answered;
    int32_t rc;
    const pdk_value *value;
    pdk_error err;
};

/* ---- one run ---- */

static bool is_text(const pdk_values *v, const pdk_value *map, const char *key, const char *wanted) {
    const char *text = NULL;
    return v->string(v->get(map, key), &text) == 0 && strcmp(text, wanted) == 0;
}

static int32_t read_entry(struct arc_asking *asking, const struct arc_entry *entry) {
    struct arc_text cache = {0};
    uint32_t cached = 0;
    const pdk_value *run = NULL;
    int32_t rc = arc_history_read(asking->archive, entry, &cache, &cached, &run, &asking->err);
    if (rc == 0) rc = arc_expand(asking->archive, run, &asking->value);
    asking->archive->values->drop(run);
    arc_text_free(&cache);
    return rc;
}

/* By its id, else the newest of a task of this name. */
static int32_t find_run(struct arc_asking *asking) {
    struct archive *archive = asking->archive;
    struct arc_entry entry;
    const char *name = asking->run_id;
    if (arc_history_find(archive, arc_seq(name), &entry)) {
        int32_t rc = read_entry(asking, &entry);
        if (rc < 0 || is_text(archive->values, asking->value, "run_id", name)) return rc;
        archive->values->drop(asking->value);
        asking->value = NULL;
    }
    if (!arc_history_select(archive, 0, arc_hash(name, strlen(name)), NULL, 0, &entry, 1)) return -ENOENT;
    return read_entry(asking, &entry);
}

/* ---- a page ---- */

struct page {
    struct arc_asking *asking;
    uint64_t before, task;
    uint32_t outcomes[OUTCOMES];
    size_t outcome_count;
    int64_t limit, count, scanned;
    uint64_t last; /* the number of the last that was looked at */
    bool more;
    struct arc_text cache;
    uint32_t cached;
    pdk_writer *w;
};

static const char *text_of(const struct page *page, const pdk_value *map, const char *key) {
    const char *text = NULL;
    (void)page->asking->archive->values->string(page->asking->archive->values->get(map, key), &text);
    return text;
}

static bool contains(const struct page *page, const pdk_value *run, const char *part) {
    static const char *const searched[] = {"run_id", "task", "message"};
    for (size_t i = 0; i < sizeof searched / sizeof *searched; i++) {
        const char *text = text_of(page, run, searched[i]);
        if (text && strstr(text, part)) return true;
    }
    return false;
}

/* What the index does not know. */
static bool fits(const struct page *page, const pdk_value *run) {
    static const char *const exact[] = {"task", "slot", "kind", "runner"};
    const pdk_value *filter = page->asking->filter;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        const char *wanted = text_of(page, filter, exact[i]), *text = text_of(page, run, exact[i]);
        if (wanted && (!text || strcmp(text, wanted) != 0)) return false;
    }
    const char *search = text_of(page, filter, "search");
    return !search || contains(page, run, search);
}

/* Without what only its details have. */
static void put_run(const struct page *page, const pdk_value *run) {
    static const char *const details[] = {"history", "history_omitted", "events", "events_omitted"};
    const pdk_values *v = page->asking->archive->values;
    v->put_map(page->w);
    for (size_t i = 0; i < v->count(run); i++) {
        size_t k = 0;
        while (k < sizeof details / sizeof *details && strcmp(details[k], v->key_at(run, i)) != 0) k++;
        if (k < sizeof details / sizeof *details) continue;
        v->key(page->w, v->key_at(run, i));
        v->put_value(page->w, v->at(run, i));
    }
    v->end(page->w);
}

static int32_t take_entry(struct page *page, const struct arc_entry *entry) {
    struct arc_asking *asking = page->asking;
    const pdk_value *run = NULL;
    int32_t rc = arc_history_read(asking->archive, entry, &page->cache, &page->cached, &run, &asking->err);
    if (rc == -EIO) arc_complain(asking->archive, asking->err.message); /* the page goes on without it */
    if (rc == -ENOENT || rc == -EIO) return 0;                          /* -ENOENT: too old meanwhile */
    if (rc < 0) return rc;
    if (fits(page, run)) {
        put_run(page, run);
        page->count++;
    }
    asking->archive->values->drop(run);
    return 0;
}

/* A batch of the index. False: that was the last. */
static bool take_batch(struct page *page, int32_t *rc) {
    struct arc_entry entries[BATCH];
    uint64_t before = page->last ? page->last : page->before;
    size_t count = arc_history_select(page->asking->archive, before, page->task, page->outcomes, page->outcome_count,
                                      entries, BATCH);
    for (size_t i = 0; i < count && *rc == 0; i++) {
        if (page->count == page->limit || page->scanned++ == SCANNED) {
            page->more = true;
            return false;
        }
        page->last = entries[i].seq;
        *rc = take_entry(page, &entries[i]);
    }
    return *rc == 0 && count == BATCH && page->last > 1;
}

static int32_t read_page(struct page *page) {
    const pdk_values *v = page->asking->archive->values;
    int32_t rc = 0;
    page->w = v->open(v);
    v->put_map(page->w);
    v->key(page->w, "runs");
    v->put_list(page->w);
    while (take_batch(page, &rc)) {}
    v->end(page->w);
    if (page->more) {
        v->key(page->w, "next");
        v->put_int(page->w, (int64_t)page->last);
    }
    v->end(page->w);
    int32_t closed = v->close(page->w, rc == 0 ? &page->asking->value : NULL, NULL);
    page->asking->err = (pdk_error)PDK_ERROR;
    arc_text_free(&page->cache);
    return rc < 0 ? rc : closed;
}

static int32_t find_page(struct arc_asking *asking) {
    const pdk_values *v = asking->archive->values;
    const pdk_value *filter = asking->filter, *outcomes = v->get(filter, "outcomes");
    struct page page = {.asking = asking, .limit = PAGE_DEFAULT};
    const char *task = text_of(&page, filter, "task"), *word = NULL;
    int64_t before = 0;
    (void)v->integer(v->get(filter, "before"), &before);
    (void)v->integer(v->get(filter, "limit"), &page.limit);
    page.before = before > 0 ? (uint64_t)before : 0;
    if (page.limit < 1 || page.limit > PAGE_MAX) page.limit = PAGE_MAX;
    if (task) page.task = arc_hash(task, strlen(task));
    for (size_t i = 0; i < v->count(outcomes) && i < OUTCOMES; i++)
        if (v->string(v->at(outcomes, i), &word) == 0) page.outcomes[page.outcome_count++] = arc_outcome_hash(word);
    return read_page(&page);
}

/* ---- life ---- */

static void work(void *arg) {
    struct arc_asking *asking = arg;
    asking->rc = asking->run_id ? find_run(asking) : find_page(asking);
    if (asking->rc == -EIO) arc_complain(asking->archive, asking->err.message);
}

static void answer(struct arc_asking *asking, int32_t rc) {
    if (asking->answered) return;
    asking->answered = true;
    if (rc < 0 && !asking->err.message[0])
        (void)pdk_fail(&asking->err, rc, NULL, rc == -ENOENT ? "nothing was kept of it" : strerror(-rc), NULL, NULL);
    asking->answer(asking->arg, rc, rc < 0 ? NULL : asking->value, rc < 0 ? &asking->err : NULL);
}

static void release(struct arc_asking *asking) {
    struct archive *archive = asking->archive;
    TAILQ_REMOVE(&archive->askings, asking, all);
    archive->values->drop(asking->value);
    archive->values->drop(asking->filter);
    free(asking->run_id);
    free(asking);
}

static void done(void *arg, int32_t status) {
    struct arc_asking *asking = arg;
    struct archive *archive = asking->archive;
    answer(asking, status < 0 ? status : asking->rc);
    release(asking);
    arc_release(archive);
}

static void on_call(void *arg) {
    done(arg, 0);
}

struct look {
    const struct archive *archive;
    const struct arc_run *run;
    struct arc_text text;
};

static int32_t on_info(void *arg, const pdk_run_info *info) {
    struct look *look = arg;
    arc_print(look->archive, look->run, info, &look->text);
    return 1;
}

/* One that is on is described on the spot, by what would be written of it now. */
static int32_t describe_live(struct archive *archive, const struct arc_run *run, const pdk_value **ret) {
    const pdk_values *v = archive->values;
    const pdk_filter filter = {.struct_size = (uint32_t)sizeof filter, .run = run->handle, .limit = 1};
    struct look look = {archive, run, {0}};
    const pdk_value *written = NULL;
    if (run->info)
        (void)on_info(&look, &run->info->info);
    else
        (void)archive->control->list(archive->control, &filter, on_info, &look);
    int32_t rc = look.text.failed ? -ENOMEM : look.text.size ? 0 : -ENOENT;
    if (rc == 0) rc = v->parse(v, look.text.data, look.text.size, run->run_id, &written, NULL);
    if (rc == 0) rc = arc_expand(archive, written, ret);
    v->drop(written);
    arc_text_free(&look.text);
    return rc;
}

static int32_t begin(struct arc_asking *asking) {
    struct archive *archive = asking->archive;
    const struct arc_run *run = asking->run_id ? arc_live_find(archive, asking->run_id) : NULL;
    int32_t rc = 0;
    if (run) {
        asking->rc = describe_live(archive, run, &asking->value);
        archive->loop->post(archive->loop, &asking->call);
    } else {
        rc = archive->pool->submit(archive->pool, &asking->job);
    }
    asking->on = rc == 0;
    if (rc == 0) archive->calls++;
    return rc;
}

void arc_askings_begin(struct archive *archive) {
    struct arc_asking *asking, *next;
    archive->loaded = true;
    for (asking = TAILQ_FIRST(&archive->askings); asking; asking = next) {
        next = TAILQ_NEXT(asking, all);
        int32_t rc = asking->on ? 0 : begin(asking);
        if (rc == 0) continue;
        answer(asking, rc);
        release(asking);
    }
}

int32_t arc_show(const pdk_archive *service, const char *run_id, const pdk_value *filter,
                 void (*reply)(void *arg, int32_t rc, const pdk_value *, const pdk_error *), void *arg) {
    struct archive *archive = service->data;
    struct arc_asking *asking = archive->stopping ? NULL : calloc(1, sizeof *asking);
    if (!asking) return archive->stopping ? -ESHUTDOWN : -ENOMEM;
    asking->archive = archive;
    asking->job = (pdk_job){.struct_size = (uint32_t)sizeof asking->job, .work = work, .done = done, .arg = asking};
    asking->call = (pdk_call){on_call, asking, {NULL, NULL}};
    asking->answer = reply;
    asking->arg = arg;
    asking->err = (pdk_error)PDK_ERROR;
    asking->filter = archive->values->hold(filter);
    asking->run_id = run_id ? strdup(run_id) : NULL;
    TAILQ_INSERT_TAIL(&archive->askings, asking, all);
    int32_t rc = run_id && !asking->run_id ? -ENOMEM : 0;
    if (rc == 0 && archive->loaded) rc = begin(asking);
    if (rc < 0) release(asking);
    return rc;
}

void arc_askings_end(struct archive *archive) {
    struct arc_asking *asking, *next;
    for (asking = TAILQ_FIRST(&archive->askings); asking; asking = next) {
        next = TAILQ_NEXT(asking, all);
        if (asking->on) continue; /* its job has it, and is waited for */
        (void)pdk_fail(&asking->err, -ESHUTDOWN, NULL, "the archive stops", NULL, NULL);
        answer(asking, -ESHUTDOWN);
        release(asking);
    }
}
