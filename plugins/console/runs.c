/* SPDX-License-Identifier: Apache-2.0 */
/* Runs: listed, shown, submitted and steered. */
#include <stdio.h>

#include "console.h"

#define NUMBER_MAX (INT64_MAX >> 24) /* what fits beside an index into a handle */

enum { PAGE_DEFAULT = 100, PAGE_BYTES = 64 << 20, SCANNED = 5000, REASON_MAX = 1000 };

static const pdk_value *archived(const struct con *con, const pdk_value *run) {
    const pdk_values *v = con->values;
    const pdk_value *marked = NULL;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    for (size_t i = 0; i < v->count(run); i++) con_put_value(con, w, v->key_at(run, i), v->at(run, i));
    v->key(w, "archived");
    v->put_bool(w, 1);
    v->end(w);
    return v->close(w, &marked, NULL) == 0 ? marked : NULL;
}

/* ---- the list ----
 *
 * Runs that the supervisor knows and those that only the archive knows, merged by their number, highest first. A page ends
 * where either of the two has not looked any further.
 */

struct item {
    uint64_t seq;
    size_t place, size; /* in the text */
};

struct page {
    struct con_request *request;
    struct con_text text; /* of the supervisor's runs, one behind the other */
    struct item items[CON_PAGE];
    const char *kind, *runner, *search;
    uint32_t outcomes; /* bits 1 << PDK_END_...; 0: all, and those that have not ended */
    uint64_t limit, count, scanned;
    uint64_t floor; /* nothing below it was looked at; 0: everything was */
    uint64_t last;  /* the last one that was looked at */
};

static const char *const ends[] = {"succeeded", "failed", "fatal", "canceled", "timed_out", "rejected", "lost", NULL};
static const char *const state_words[] = {"queued", "running", "backoff", "stopping", "ended", "stuck", NULL};

static bool is_word(const char *text, size_t size, const char *word) {
    return !strncmp(text, word, size) && !word[size];
}

/* The bits of words in a list with commas. False: it is answered. */
static bool read_words(struct con_request *request, const char *name, const char *const *words, uint32_t *ret) {
    const char *list = con_request_query(request, name), *entry;
    size_t size;
    while (list && (entry = con_uri_entry(&list, &size))) {
        size_t i = 0;
        while (words[i] && !is_word(entry, size, words[i])) i++;
        if (!words[i]) {
            con_answer_faultf(request, CON_INVALID, "query parameter %s: there is no \"%.*s\"", name,
                              (int)(size < 32 ? size : 32), entry);
            return false;
        }
        *ret |= UINT32_C(1) << i;
    }
    return true;
}

static bool has_ended(const pdk_run_info *info) {
    return info->state == PDK_RUN_ENDED || info->state == PDK_RUN_STUCK;
}

/* What the supervisor cannot filter. */
static bool fits(const struct page *page, const pdk_run_info *info) {
    if (page->outcomes && (!has_ended(info) || !(page->outcomes >> info->end & 1))) return false;
    if (page->kind && strcmp(page->kind, info->kind) != 0) return false;
    if (page->runner && strcmp(page->runner, info->runner) != 0) return false;
    return !page->search || strstr(info->run_id, page->search) || strstr(info->name, page->search) ||
           strstr(info->text, page->search);
}

static int32_t put_run(void *arg, const pdk_run_info *info) {
    struct page *page = arg;
    if (page->count == page->limit || page->scanned++ == SCANNED) {
        page->floor = page->last;
        return 1;
    }
    page->last = info->seq;
    if (!fits(page, info)) return 0;
    struct item *item = &page->items[page->count++];
    *item = (struct item){.seq = info->seq, .place = page->text.size};
    if (!con_cache_add(page->request->con, info, &page->text) && !page->text.error) page->text.error = -ENOMEM;
    item->size = page->text.size - item->place;
    return page->text.error;
}

static void put_archived(const struct con *con, struct con_text *text, const pdk_value *run) {
    const pdk_value *marked = archived(con, run);
    (void)con->values->print(con->values, marked, PDK_JSON_PLAIN, con_text_write, text);
    con->values->drop(marked);
}

static uint64_t seq_of(const struct con *con, const pdk_value *run) {
    const char *run_id = con_get_text(con, run, "run_id"), *end = run_id + strlen(run_id);
    uint64_t seq = 0;
    while (end > run_id && end[-1] >= '0' && end[-1] <= '9') end--;
    return con_uri_number(end, 1, INT64_MAX, &seq) ? seq : 0;
}

/* kept: {runs, next}, or NULL. */
static void answer_page(struct page *page, const pdk_value *kept) {
    const struct con *con = page->request->con;
    const pdk_values *v = con->values;
    const pdk_value *runs = v->get(kept, "runs");
    struct con_text text = {.limit = PAGE_BYTES};
    uint64_t floor = (uint64_t)con_get_int(con, kept, "next"), count = 0, last = 0;
    size_t own = 0, theirs = 0, size = v->count(runs);
    if (floor < page->floor) floor = page->floor;
    con_text_expect(&text, page->text.size + 256);
    con_text_put(&text, "{\"runs\":[");
    for (; count < page->limit && (own < page->count || theirs < size); count++) {
        const struct item *item = &page->items[own];
        uint64_t a = own < page->count ? item->seq : 0, b = theirs < size ? seq_of(con, v->at(runs, theirs)) : 0;
        if ((a > b ? a : b) < floor) break;
        if (count) con_text_put(&text, ",");
        if (a >= b)
            con_text_add(&text, page->text.data + item->place, item->size);
        else
            put_archived(con, &text, v->at(runs, theirs));
        last = a > b ? a : b;
        own += a >= b;
        theirs += b >= a;
    }
    if (count == page->limit && (own < page->count || theirs < size)) floor = last;
    con_text_put(&text, "]");
    if (floor) con_text_format(&text, ",\"next\":\"%llu\"", (unsigned long long)floor);
    con_text_put(&text, "}\n");
    text.error = page->text.error ? page->text.error : text.error;
    page->request->con->page_size = page->text.size;
    con_answer_data(page->request, 200, CON_JSON, &text);
}

static void free_page(struct page *page) {
    con_text_free(&page->text);
    free(page);
}

static void on_kept(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    struct page *page = arg;
    struct con_request *request = page->request;
    if (!request->gone) {
        if (rc < 0)
            con_answer_error(request, rc, err);
        else
            answer_page(page, value);
        con_request_wake(request);
    }
    con_request_release(request);
    free_page(page);
}

static const pdk_value *kept_filter(const struct page *page, const pdk_filter *filter) {
    const struct con *con = page->request->con;
    const pdk_values *v = con->values;
    const pdk_value *value = NULL;
    const struct {
        const char *key, *text;
    } texts[] = {{"task", filter->name},
                 {"slot", filter->slot},
                 {"kind", page->kind},
                 {"runner", page->runner},
                 {"search", page->search}};
    pdk_writer *w = v->open(v);
    v->put_map(w);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].text) con_put_text(con, w, texts[i].key, texts[i].text);
    if (filter->below) con_put_int(con, w, "before", filter->below);
    con_put_int(con, w, "limit", page->limit);
    v->key(w, "outcomes");
    v->put_list(w);
    for (size_t i = 0; ends[i]; i++)
        if (page->outcomes >> i & 1) v->put_string(w, ends[i], strlen(ends[i]));
    v->end(w);
    v->end(w);
    return v->close(w, &value, NULL) == 0 ? value : NULL;
}

/* False: nobody keeps any; then the page is as it is. */
static bool ask_archive(struct page *page, const pdk_filter *filter) {
    struct con_request *request = page->request;
    const struct con *con = request->con;
    const pdk_archive *archive = con->control->find(con->control, PDK_ARCHIVE_1);
    if (!archive || (filter->states && !(filter->states >> PDK_RUN_ENDED & 1))) return false;
    const pdk_value *value = kept_filter(page, filter);
    con_request_hold(request);
    int32_t rc = value ? archive->show(archive, NULL, value, on_kept, page) : -ENOMEM;
    con->values->drop(value);
    if (rc == 0) return true;
    con_request_release(request);
    return false;
}

/* False: it is answered. */
static bool read_page(struct con_request *request, struct page *page, pdk_filter *filter) {
    const char *after = con_request_query(request, "after");
    page->request = request;
    page->kind = con_request_query(request, "kind");
    page->runner = con_request_query(request, "runner");
    page->search = con_request_query(request, "search");
    page->text.limit = PAGE_BYTES;
    con_text_expect(&page->text, request->con->page_size);
    page->limit = PAGE_DEFAULT;
    *filter = (pdk_filter){.struct_size = (uint32_t)sizeof *filter,
                           .name = con_request_query(request, "task"),
                           .slot = con_request_query(request, "slot"),
                           .limit = SCANNED + 1,
                           .newest = 1};
    if (!con_request_number(request, "limit", 1, CON_PAGE, &page->limit)) return false;
    if (!read_words(request, "state", state_words, &filter->states)) return false;
    if (!read_words(request, "outcome", ends, &page->outcomes)) return false;
    if (!after || con_uri_number(after, 1, NUMBER_MAX, &filter->below)) return true;
    con_answer_fault(request, CON_INVALID, "query parameter after: that is no `next` of a page", NULL);
    return false;
}

void con_runs_list(struct con_request *request) {
    const pdk_control *control = request->con->control;
    struct page *page = calloc(1, sizeof *page);
    pdk_filter filter;
    if (!page) {
        con_answer_error(request, -ENOMEM, NULL);
        return;
    }
    if (read_page(request, page, &filter)) {
        (void)control->list(control, &filter, put_run, page);
        if (ask_archive(page, &filter)) return;
        answer_page(page, NULL);
    }
    free_page(page);
}

/* ---- one run ---- */

struct look {
    struct con *con;
    struct con_run *run;
    struct con_text *text;  /* NULL, or where it is appended as JSON */
    const pdk_value *value; /* its description, when wanted */
    bool wanted;
};

static int32_t look_at(void *arg, const pdk_run_info *info) {
    struct look *look = arg;
    if (look->run) {
        look->run->run = info->run;
        look->run->state = info->state;
        (void)snprintf(look->run->run_id, sizeof look->run->run_id, "%s", info->run_id);
    }
    if (look->text) (void)con_cache_add(look->con, info, look->text);
    if (look->wanted) (void)look->con->control->describe_run(look->con->control, info, &look->value);
    return 1;
}

static bool find(struct look *look, const char *run_id, const char *task, pdk_run run) {
    const pdk_control *control = look->con->control;
    const pdk_filter filter = {
        .struct_size = (uint32_t)sizeof filter, .run = run, .run_id = run_id, .name = task, .limit = 1, .newest = 1};
    return control->list(control, &filter, look_at, look) > 0;
}

bool con_run_find(struct con_request *request, const char *name, struct con_run *ret) {
    struct look look = {.con = request->con, .run = ret};
    return find(&look, name, NULL, 0) || find(&look, NULL, name, 0);
}

/* False: it is answered. */
static bool need_run(struct con_request *request, struct con_run *ret) {
    const char *name = con_request_part(request, "run");
    if (con_run_find(request, name, ret)) return true;
    con_answer_faultf(request, CON_NOT_FOUND, "there is no run and no task \"%.200s\"", name);
    return false;
}

/* found: what else is wanted of it; may be NULL. */
static void answer_run(struct con_request *request, unsigned status, pdk_run run, struct con_run *found) {
    struct con_text text = {.limit = PAGE_BYTES};
    struct look look = {.con = request->con, .run = found, .text = &text};
    if (find(&look, NULL, NULL, run)) {
        con_text_put(&text, "\n");
        con_answer_data(request, status, CON_JSON, &text);
    } else {
        con_answer_fault(request, CON_NOT_FOUND, "it has been forgotten", NULL);
    }
}

/* ---- its details ---- */

/* What is known of attempts from the events that are kept: where one began and how it ended. */
static void put_attempt(const struct con *con, pdk_writer *w, const pdk_value *ended, const char *started_at) {
    static const char *const kept[] = {"attempt", "result",  "category",        "exit_code",
                                       "signal",  "message", "duration_seconds"};
    con->values->put_map(w);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        con_put_value(con, w, kept[i], con->values->get(ended, kept[i]));
    if (*started_at) con_put_text(con, w, "started_at", started_at);
    con_put_value(con, w, "ended_at", con->values->get(ended, "time"));
    con->values->end(w);
}

static void put_history(const struct con *con, pdk_writer *w, const char *run_id) {
    const struct con_events *events = &con->events;
    char started_at[48] = "";
    for (uint64_t i = events->first; i < events->next; i++) {
        const struct con_event *entry = events->ring[i % events->capacity];
        const pdk_value *value = NULL;
        if (strcmp(entry->event.run_id, run_id) != 0) continue;
        if (entry->event.kind == PDK_EVENT_STARTED) (void)con_time(entry->event.unix_ns, started_at, sizeof started_at);
        if (entry->event.kind != PDK_EVENT_ENDED) continue;
        if (con->control->describe_event(con->control, &entry->event, &value) < 0) continue;
        put_attempt(con, w, value, started_at);
        con->values->drop(value);
        started_at[0] = '\0';
    }
}

static void put_events(const struct con *con, pdk_writer *w, const char *run_id) {
    const struct con_events *events = &con->events;
    for (uint64_t i = events->first; i < events->next; i++) {
        const struct con_event *entry = events->ring[i % events->capacity];
        const pdk_value *value = NULL;
        if (strcmp(entry->event.run_id, run_id) != 0) continue;
        if (con->control->describe_event(con->control, &entry->event, &value) < 0) continue;
        con->values->put_value(w, value);
        con->values->drop(value);
    }
}

static void answer_details(struct con_request *request, const struct con_run *run, const pdk_value *described) {
    const struct con *con = request->con;
    const pdk_values *v = con->values;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    for (size_t i = 0; i < v->count(described); i++)
        con_put_value(con, w, v->key_at(described, i), v->at(described, i));
    v->key(w, "history");
    v->put_list(w);
    put_history(con, w, run->run_id);
    v->end(w);
    v->key(w, "events");
    v->put_list(w);
    put_events(con, w, run->run_id);
    v->end(w);
    v->end(w);
    con_answer_close(request, 200, w);
}

static void answer_not_found(struct con_request *request, const char *name) {
    con_answer_faultf(request, CON_NOT_FOUND, "there is no run and no task \"%.200s\"", name);
}

/* From what the supervisor and the newest events say. False: it is not there. */
static bool answer_remembered(struct con_request *request) {
    const char *name = con_request_part(request, "run");
    struct con_run run;
    struct look look = {.con = request->con, .run = &run, .wanted = true};
    if (!find(&look, name, NULL, 0) && !find(&look, NULL, name, 0)) return false;
    answer_details(request, &run, look.value);
    request->con->values->drop(look.value);
    return true;
}

/* The archive has more of a run than we have, but for one that has just begun. */
static void on_archive(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    struct con_request *request = arg;
    struct con_run run;
    if (!request->gone) {
        const char *name = con_request_part(request, "run");
        bool known = con_run_find(request, rc == 0 ? con_get_text(request->con, value, "run_id") : name, &run);
        if (rc == 0)
            con_answer_value(request, 200, known ? request->con->values->hold(value) : archived(request->con, value));
        else if (!answer_remembered(request) && rc == -ENOENT)
            answer_not_found(request, name);
        else if (!known)
            con_answer_error(request, rc, err);
        con_request_wake(request);
    }
    con_request_release(request);
}

void con_run_show(struct con_request *request) {
    const char *name = con_request_part(request, "run");
    struct con *con = request->con;
    struct con_run run;
    const pdk_archive *archive = con->control->find(con->control, PDK_ARCHIVE_1);
    if (!archive) {
        if (!answer_remembered(request)) answer_not_found(request, name);
        return;
    }
    con_request_hold(request);
    int32_t rc =
        archive->show(archive, con_run_find(request, name, &run) ? run.run_id : name, NULL, on_archive, request);
    if (rc == 0) return;
    if (!answer_remembered(request)) con_answer_error(request, rc, NULL);
    con_request_release(request);
}

/* Ask the host about a run or a spec, and give what it says. */
static bool inspect(struct con_request *request, const char *subject, pdk_run run, const pdk_value *spec,
                    const pdk_value **ret) {
    const struct con *con = request->con;
    pdk_error err = PDK_ERROR;
    int32_t rc = con->control->inspect(con->control, subject, run, spec, ret, &err);
    if (rc < 0) con_answer_error(request, rc, &err);
    return rc == 0;
}

void con_run_spec(struct con_request *request) {
    const pdk_value *spec = NULL;
    struct con_run run;
    if (need_run(request, &run) && inspect(request, "spec", run.run, NULL, &spec)) con_answer_value(request, 200, spec);
}

static void answer_route(struct con_request *request, const pdk_value *spec) {
    const struct con *con = request->con;
    const pdk_values *v = con->values;
    const pdk_value *candidates = NULL;
    if (!inspect(request, "route", 0, spec, &candidates)) return;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    for (size_t i = 0; i < v->count(candidates); i++) {
        const pdk_value *candidate = v->at(candidates, i);
        if (!strcmp(con_get_text(con, candidate, "verdict"), "taken"))
            con_put_value(con, w, "runner", v->get(candidate, "runner"));
    }
    con_put_value(con, w, "candidates", candidates);
    v->end(w);
    v->drop(candidates);
    con_answer_close(request, 200, w);
}

void con_run_route(struct con_request *request) {
    const pdk_value *spec = NULL;
    struct con_run run;
    if (!need_run(request, &run) || !inspect(request, "whole_spec", run.run, NULL, &spec)) return;
    answer_route(request, spec);
    request->con->values->drop(spec);
}

void con_route_ask(struct con_request *request) {
    answer_route(request, request->json);
}

void con_check(struct con_request *request) {
    const pdk_value *answer = NULL;
    if (inspect(request, "check", 0, request->json, &answer)) con_answer_value(request, 200, answer);
}

/* ---- what changes something ---- */

static void answer_submitted(struct con_request *request, unsigned status, int32_t rc, pdk_run run,
                             const pdk_error *err) {
    struct con_run found = {0};
    char place[320];
    if (rc == -ENOENT) rc = -EINVAL; /* no runner takes it, or no such task: the path is right, the body is not */
    if (rc < 0) {
        con_answer_error(request, rc, err);
        if (rc == -EAGAIN) con_answer_header(request, MHD_HTTP_HEADER_RETRY_AFTER, "1");
        return;
    }
    answer_run(request, status, run, &found);
    (void)snprintf(place, sizeof place, "/v1/runs/%s", found.run_id);
    if (status == 201 && *found.run_id) con_answer_header(request, MHD_HTTP_HEADER_LOCATION, place);
}

/* Who made the supervisor knows the tasks that are declared; where nobody answers for it, a spec is whole. */
static int32_t submit(const struct con *con, const pdk_value *spec, pdk_run *ret, pdk_error *err) {
    const pdk_control *control = con->control;
    const pdk_value *answer = NULL;
    int32_t rc = -ENOTSUP;
    if (PDK_HAS(control, command)) rc = control->command(control, "submit", spec, &answer, err);
    if (rc == -ENOTSUP) {
        *err = (pdk_error)PDK_ERROR;
        return control->submit(control, spec, ret, err);
    }
    if (rc < 0) return rc;
    *ret = (pdk_run)con_get_int(con, answer, "run");
    con->values->drop(answer);
    return 0;
}

void con_run_submit(struct con_request *request) {
    pdk_error err = PDK_ERROR;
    pdk_run run = 0;
    int32_t rc = submit(request->con, request->json, &run, &err);
    answer_submitted(request, 201, rc, run, &err);
}

static void retry(struct con_request *request, const struct con_run *run) {
    const struct con *con = request->con;
    const pdk_value *spec = NULL;
    pdk_error err = PDK_ERROR;
    pdk_run again = 0;
    if (run->state != PDK_RUN_ENDED) {
        con_answer_fault(request, CON_CONFLICT, "it has not ended", "cancel it first");
        return;
    }
    if (!inspect(request, "whole_spec", run->run, NULL, &spec)) return;
    int32_t rc = con->control->submit(con->control, spec, &again, &err);
    con->values->drop(spec);
    answer_submitted(request, 200, rc, again, &err);
}

static int32_t cancel(const pdk_control *c, pdk_run run, const char *why) {
    return c->cancel(c, run, why);
}

static int32_t kill_run(const pdk_control *c, pdk_run run, const char *why) {
    return c->force(c, run, why);
}

static int32_t pause_run(const pdk_control *c, pdk_run run, const char *why) {
    (void)why;
    return c->pause(c, run);
}

static int32_t resume(const pdk_control *c, pdk_run run, const char *why) {
    (void)why;
    return c->resume(c, run);
}

static int32_t abandon(const pdk_control *c, pdk_run run, const char *why) {
    (void)why;
    return c->abandon(c, run);
}

static int32_t reload(const pdk_control *c, pdk_run run, const char *why) {
    (void)why;
    return c->reload(c, run);
}

static const struct {
    const char *word;
    int32_t (*act)(const pdk_control *, pdk_run, const char *why);
    const char *busy; /* what -EBUSY means */
} actions[] = {{"cancel", cancel, ""},
               {"kill", kill_run, ""},
               {"pause", pause_run, ""},
               {"resume", resume, ""},
               {"abandon", abandon, "it is not stuck"},
               {"reload", reload, "no attempt is on"}};

/* What was given as a reason, or who asked. False: it is answered. */
static bool read_reason(struct con_request *request, char *buf, size_t size) {
    const struct con *con = request->con;
    const pdk_value *given = con->values->get(request->json, "reason");
    const char *text = NULL;
    char who[64];
    if (con->values->type(given) == PDK_NULL) {
        con_request_who(request, who, sizeof who);
        (void)snprintf(buf, size, "asked by %s", who);
        return true;
    }
    if (pdk_text(con->host, given, &text) == 0 && strlen(text) < size) {
        (void)snprintf(buf, size, "%s", text);
        return true;
    }
    con_answer_faultf(request, CON_INVALID, "reason wants a text of at most %d bytes", REASON_MAX);
    return false;
}

static void answer_act(struct con_request *request, const struct con_run *run, int32_t rc, const char *busy) {
    if (rc == -ESTALE)
        con_answer_fault(request, CON_CONFLICT, "it has ended", NULL);
    else if (rc == -EBUSY && *busy)
        con_answer_fault(request, CON_CONFLICT, busy, NULL);
    else if (rc == -ENOTSUP)
        con_answer_faultf(request, CON_CONFLICT, "the runner of %.200s cannot do that", run->run_id);
    else if (rc < 0)
        con_answer_error(request, rc, NULL);
    else
        answer_run(request, 200, run->run, NULL);
}

void con_run_act(struct con_request *request) {
    const char *word = con_request_part(request, "action");
    const pdk_control *control = request->con->control;
    char why[REASON_MAX + 1];
    struct con_run run;
    size_t i = 0, count = sizeof actions / sizeof *actions;
    while (i < count && strcmp(word, actions[i].word) != 0) i++;
    if (i == count && strcmp(word, "retry") != 0) {
        con_answer_faultf(request, CON_NOT_FOUND, "a run has no action \"%.32s\"", word);
        return;
    }
    if (!need_run(request, &run) || !read_reason(request, why, sizeof why)) return;
    if (i == count)
        retry(request, &run);
    else
        answer_act(request, &run, actions[i].act(control, run.run, why), actions[i].busy);
}
