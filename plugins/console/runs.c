/* SPDX-License-Identifier: Apache-2.0 */
/* Runs: shown, submitted and steered. */
#include <stdio.h>

#include "console.h"

enum { RUN_EXPECTED = 500, REASON_MAX = 1000 };

const pdk_value *con_archived(const struct con *con, const pdk_value *run) {
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

/* ---- one run ---- */

struct look {
    struct con *con;
    struct con_run *run;
    struct con_text *text;  /* NULL, or where it is appended as JSON, not by way of the cache: it is about to change */
    const pdk_value *value; /* its description, when wanted */
    bool wanted;
};

static int32_t look_at(void *arg, const pdk_run_info *info) {
    struct look *look = arg;
    if (look->run) {
        look->run->run = info->run;
        look->run->state = info->state;
        look->run->attempts = info->attempts;
        (void)snprintf(look->run->run_id, sizeof look->run->run_id, "%s", info->run_id);
    }
    if (look->text && !con_describe(look->con, info, look->text) && !look->text->error) look->text->error = -ENOMEM;
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
    struct con_text text = {.limit = CON_ANSWER_MAX};
    con_text_expect(&text, RUN_EXPECTED);
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
    if (look.value)
        answer_details(request, &run, look.value);
    else
        con_answer_error(request, -ENOMEM, NULL);
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
            con_answer_value(request, 200,
                             known ? request->con->values->hold(value) : con_archived(request->con, value));
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
