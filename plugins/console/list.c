/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of runs: those that the supervisor knows and those that only the archive knows, merged by their number, highest
 * first. A page ends where either of the two has not looked any further.
 */
#include <stdio.h>

#include "console.h"

#define NUMBER_MAX (INT64_MAX >> 24) /* what fits beside an index into a handle */
#define PAGE_BEGIN "{\"runs\":["

enum { PAGE_DEFAULT = 100, TAIL = 64, SCANNED = 5000 };

struct item {
    uint64_t seq;
    size_t place, size; /* in the text */
};

struct page {
    struct con_request *request;
    struct con_text text; /* the answer, up to the last of the supervisor's runs */
    const char *kind, *runner, *search;
    const pdk_value *selector; /* {selector: text}; NULL: all */
    uint32_t outcomes;         /* bits 1 << PDK_END_...; 0: all, and those that have not ended */
    uint64_t limit, count, scanned;
    uint64_t floor; /* nothing below it was looked at; 0: everything was */
    uint64_t last;  /* the last one that was looked at */
    struct item items[];
};

const char *const con_outcomes[] = {"succeeded", "failed", "fatal", "canceled", "timed_out", "rejected", "lost", NULL};
_Static_assert(sizeof con_outcomes / sizeof *con_outcomes == PDK_END_LOST + 2, "a word for each");
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

/* What cannot be found out is an error of the page. */
static bool is_selected(struct page *page, const pdk_run_info *info) {
    const struct con *con = page->request->con;
    const pdk_value *answer = NULL;
    int32_t selected = 0;
    int32_t rc = con->control->inspect(con->control, "selected", info->run, page->selector, &answer, NULL);
    if (rc == 0) rc = con->values->boolean(answer, &selected);
    if (rc < 0 && !page->text.error) page->text.error = rc;
    con->values->drop(answer);
    return selected;
}

/* What the supervisor cannot filter. */
static bool fits(struct page *page, const pdk_run_info *info) {
    if (page->outcomes && (!has_ended(info) || !(page->outcomes >> info->end & 1))) return false;
    if (page->kind && strcmp(page->kind, info->kind) != 0) return false;
    if (page->runner && strcmp(page->runner, info->runner) != 0) return false;
    if (page->search && !strstr(info->run_id, page->search) && !strstr(info->name, page->search) &&
        !strstr(info->text, page->search))
        return false;
    return !page->selector || is_selected(page, info);
}

static int32_t put_run(void *arg, const pdk_run_info *info) {
    struct page *page = arg;
    if (page->count == page->limit || page->scanned++ == SCANNED) {
        page->floor = page->last;
        return 1;
    }
    page->last = info->seq;
    if (!fits(page, info)) return page->text.error;
    if (page->count) con_text_put(&page->text, ",");
    struct item *item = &page->items[page->count++];
    *item = (struct item){.seq = info->seq, .place = page->text.size};
    if (!con_cache_add(page->request->con, info, &page->text) && !page->text.error) page->text.error = -ENOMEM;
    item->size = page->text.size - item->place;
    return page->text.error;
}

static void put_archived(const struct con *con, struct con_text *text, const pdk_value *run) {
    const pdk_value *marked = con_archived(con, run);
    if (!marked && !text->error) text->error = -ENOMEM;
    (void)con->values->print(con->values, marked, PDK_JSON_PLAIN, con_text_write, text);
    con->values->drop(marked);
}

static uint64_t seq_of(const struct con *con, const pdk_value *run) {
    const char *run_id = con_get_text(con, run, "run_id"), *end = run_id + strlen(run_id);
    uint64_t seq = 0;
    while (end > run_id && end[-1] >= '0' && end[-1] <= '9') end--;
    return con_uri_number(end, 1, INT64_MAX, &seq) ? seq : 0;
}

/* floor: where the next page begins; 0: there is none. */
static void finish_page(struct page *page, struct con_text *text, uint64_t floor) {
    con_text_put(text, "]");
    if (floor) con_text_format(text, ",\"next\":\"%llu\"", (unsigned long long)floor);
    con_text_put(text, "}\n");
    if (page->text.error) text->error = page->text.error;
    page->request->con->page_size = text->size;
    con_answer_data(page->request, 200, CON_JSON, text);
}

static void merge_page(struct page *page, const pdk_value *runs, uint64_t floor) {
    const struct con *con = page->request->con;
    const pdk_values *v = con->values;
    struct con_text text = {.limit = CON_ANSWER_MAX};
    uint64_t count = 0, last = 0;
    size_t own = 0, theirs = 0, size = v->count(runs);
    con_text_expect(&text, page->text.size + TAIL);
    con_text_put(&text, PAGE_BEGIN);
    for (; count < page->limit && (own < page->count || theirs < size); count++) {
        const struct item *item = &page->items[own];
        uint64_t a = own < page->count ? item->seq : 0, b = theirs < size ? seq_of(con, v->at(runs, theirs)) : 0;
        bool ours = own < page->count && a >= b;
        if ((a > b ? a : b) < floor) break;
        if (count) con_text_put(&text, ",");
        if (ours)
            con_text_add(&text, page->text.data + item->place, item->size);
        else
            put_archived(con, &text, v->at(runs, theirs));
        last = a > b ? a : b;
        own += ours;
        theirs += !ours || a == b;
    }
    if (count == page->limit && (own < page->count || theirs < size)) floor = last;
    finish_page(page, &text, floor);
}

/* kept: {runs, next}, or NULL. Where it has none to put between ours, the text of ours is the answer. */
static void answer_page(struct page *page, const pdk_value *kept) {
    const struct con *con = page->request->con;
    const pdk_value *runs = con->values->get(kept, "runs");
    uint64_t floor = (uint64_t)con_get_int(con, kept, "next");
    if (floor < page->floor) floor = page->floor;
    if (con->values->count(runs) || (page->count && page->items[page->count - 1].seq < floor)) {
        merge_page(page, runs, floor);
        return;
    }
    struct con_text text = page->text;
    page->text = (struct con_text){.error = text.error};
    finish_page(page, &text, floor);
}

static void free_page(struct page *page) {
    page->request->con->values->drop(page->selector);
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
    free_page(page);
    con_request_release(request);
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
    for (size_t i = 0; con_outcomes[i]; i++)
        if (page->outcomes >> i & 1) v->put_string(w, con_outcomes[i], strlen(con_outcomes[i]));
    v->end(w);
    v->end(w);
    return v->close(w, &value, NULL) == 0 ? value : NULL;
}

/* False: nobody keeps any, or none with labels; then the page is as it is. */
static bool ask_archive(struct page *page, const pdk_filter *filter) {
    struct con_request *request = page->request;
    const struct con *con = request->con;
    const pdk_archive *archive = con->control->find(con->control, PDK_ARCHIVE_1);
    if (!archive || page->selector || (filter->states && !(filter->states >> PDK_RUN_ENDED & 1))) return false;
    const pdk_value *value = kept_filter(page, filter);
    con_request_hold(request);
    int32_t rc = value ? archive->show(archive, NULL, value, on_kept, page) : -ENOMEM;
    con->values->drop(value);
    if (rc == 0) return true;
    con_request_release(request);
    return false;
}

/* False: it is answered. */
static bool read_selector(struct con_request *request, const pdk_value **ret) {
    const struct con *con = request->con;
    const char *text = con_request_query(request, "selector");
    const pdk_value *answer = NULL;
    pdk_error err = PDK_ERROR;
    if (!text) return true;
    pdk_writer *w = con->values->open(con->values);
    con->values->put_map(w);
    con_put_text(con, w, "selector", text);
    con->values->end(w);
    int32_t rc = con->values->close(w, ret, &err);
    if (rc == 0) rc = con->control->inspect(con->control, "selected", 0, *ret, &answer, &err);
    con->values->drop(answer);
    if (rc == -EINVAL)
        con_answer_faultf(request, CON_INVALID, "query parameter selector: %.200s", err.message);
    else if (rc < 0)
        con_answer_error(request, rc, &err);
    return rc == 0;
}

/* False: it is answered. */
static bool read_page(struct con_request *request, struct page *page, pdk_filter *filter) {
    const char *after = con_request_query(request, "after");
    page->request = request;
    page->kind = con_request_query(request, "kind");
    page->runner = con_request_query(request, "runner");
    page->search = con_request_query(request, "search");
    page->text.limit = CON_ANSWER_MAX;
    con_text_expect(&page->text, request->con->page_size + TAIL);
    con_text_put(&page->text, PAGE_BEGIN);
    page->limit = PAGE_DEFAULT;
    *filter = (pdk_filter){.struct_size = (uint32_t)sizeof *filter,
                           .name = con_request_query(request, "task"),
                           .slot = con_request_query(request, "slot"),
                           .limit = SCANNED + 1,
                           .newest = 1};
    if (!con_request_number(request, "limit", 1, CON_PAGE, &page->limit)) return false;
    if (!read_words(request, "state", state_words, &filter->states)) return false;
    if (!read_words(request, "outcome", con_outcomes, &page->outcomes)) return false;
    if (!read_selector(request, &page->selector)) return false;
    if (!after || con_uri_number(after, 1, NUMBER_MAX, &filter->below)) return true;
    con_answer_fault(request, CON_INVALID, "query parameter after: that is no `next` of a page", NULL);
    return false;
}

void con_runs_list(struct con_request *request) {
    const pdk_control *control = request->con->control;
    struct page *page = malloc(sizeof *page + CON_PAGE * sizeof *page->items);
    pdk_filter filter;
    if (!page) {
        con_answer_error(request, -ENOMEM, NULL);
        return;
    }
    *page = (struct page){0}; /* not the items, which are large: none behind the last is read */
    if (read_page(request, page, &filter)) {
        (void)control->list(control, &filter, put_run, page);
        if (ask_archive(page, &filter)) return;
        answer_page(page, NULL);
    }
    free_page(page);
}
