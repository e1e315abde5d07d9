/* SPDX-License-Identifier: Apache-2.0 */
/* The durable queue, wherever one is: what comes by HTTP becomes a question of paddock.queue/1, and its answer is passed on. */
#include <stdio.h>

#include "console.h"

const pdk_queue *con_queue(const struct con *con) {
    return con->control->find(con->control, PDK_QUEUE_1);
}

/* ---- asking ---- */

static void on_answer(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    struct con_request *request = arg;
    if (!request->gone) {
        request->answer(request, rc, value, err);
        con_request_wake(request);
    }
    con_request_release(request);
}

/* NULL as params asks without any. */
void con_ask(struct con_request *request, const char *verb, const pdk_value *params, con_answer_of_queue answer) {
    const struct con *con = request->con;
    const pdk_queue *queue = con_queue(con);
    const pdk_value *none = NULL;
    int32_t rc = 0;
    if (!queue) {
        con_answer_fault(request, CON_NOT_SUPPORTED, "there is no durable queue", "load a plugin that is one");
        return;
    }
    if (!params) {
        pdk_writer *w = con->values->open(con->values);
        con->values->put_map(w);
        con->values->end(w);
        rc = con->values->close(w, &none, NULL);
        params = none;
    }
    request->answer = answer;
    con_request_hold(request);
    if (rc == 0) rc = queue->ask(queue, verb, params, on_answer, request);
    con->values->drop(none);
    if (rc == 0) return;
    con_answer_error(request, rc, NULL);
    con_request_release(request);
}

static void pass_on(struct con_request *request, int32_t rc, const pdk_value *value, const pdk_error *err) {
    if (rc < 0)
        con_answer_error(request, rc, err);
    else
        con_answer_value(request, 200, request->con->values->hold(value));
}

/* ---- what is asked ---- */

enum { TEXT, WORDS, NUMBER };

/* A query parameter that becomes a member of the question. */
struct member {
    const char *name;
    int type;
    uint64_t least, most;
};

static pdk_writer *open_map(const struct con *con) {
    pdk_writer *w = con->values->open(con->values);
    con->values->put_map(w);
    return w;
}

static void close_and_ask(struct con_request *request, const char *verb, pdk_writer *w, con_answer_of_queue answer) {
    const struct con *con = request->con;
    const pdk_value *params = NULL;
    con->values->end(w);
    int32_t rc = con->values->close(w, &params, NULL);
    if (rc < 0)
        con_answer_error(request, rc, NULL);
    else
        con_ask(request, verb, params, answer);
    con->values->drop(params);
}

/* Those between the commas, as a list; one by itself as it is. */
static void put_words(const struct con *con, pdk_writer *w, const char *name, const char *text) {
    const char *entry;
    size_t size;
    if (!strchr(text, ',')) {
        con_put_text(con, w, name, text);
        return;
    }
    con->values->key(w, name);
    con->values->put_list(w);
    while ((entry = con_uri_entry(&text, &size))) con->values->put_string(w, entry, size);
    con->values->end(w);
}

static void ask_list(struct con_request *request, const char *verb, const struct member *members, size_t count) {
    const struct con *con = request->con;
    pdk_writer *w = open_map(con);
    for (size_t i = 0; i < count; i++) {
        const char *text = con_request_query(request, members[i].name);
        uint64_t number = 0;
        if (!text) continue;
        if (members[i].type == TEXT) {
            con_put_text(con, w, members[i].name, text);
        } else if (members[i].type == WORDS) {
            put_words(con, w, members[i].name, text);
        } else if (con_request_number(request, members[i].name, members[i].least, members[i].most, &number)) {
            con_put_int(con, w, members[i].name, number);
        } else {
            (void)con->values->close(w, NULL, NULL);
            return;
        }
    }
    close_and_ask(request, verb, w, pass_on);
}

void con_jobs_list(struct con_request *request) {
    static const struct member members[] = {{"state", WORDS, 0, 0}, {"topic", TEXT, 0, 0},
                                            {"task", TEXT, 0, 0},   {"outcome", WORDS, 0, 0},
                                            {"after", TEXT, 0, 0},  {"limit", NUMBER, 1, CON_PAGE}};
    ask_list(request, "list", members, sizeof members / sizeof *members);
}

void con_dead(struct con_request *request) {
    static const struct member members[] = {
        {"topic", TEXT, 0, 0}, {"after", TEXT, 0, 0}, {"limit", NUMBER, 1, CON_PAGE}};
    ask_list(request, "dead", members, sizeof members / sizeof *members);
}

/* ---- jobs ---- */

static void answer_job(struct con_request *request, int32_t rc, const pdk_value *job, const pdk_error *err) {
    const struct con *con = request->con;
    int32_t duplicate = 0;
    char place[320];
    if (rc < 0) {
        con_answer_error(request, rc, err);
        if (rc == -EAGAIN) con_answer_header(request, MHD_HTTP_HEADER_RETRY_AFTER, "1");
        return;
    }
    (void)con->values->boolean(con->values->get(job, "duplicate"), &duplicate);
    con_answer_value(request, duplicate ? 200 : 201, con->values->hold(job));
    (void)snprintf(place, sizeof place, "/v1/jobs/%s", con_get_text(con, job, "job_id"));
    con_answer_header(request, MHD_HTTP_HEADER_LOCATION, place);
}

/* What is no traceparent is ignored, as W3C asks; and what the body says goes before it. */
static const char *trace_of(struct con_request *request) {
    static const char pattern[] = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
    const char *text = con_request_header(request, "traceparent");
    if (!text || *con_get_text(request->con, request->json, "traceparent")) return NULL;
    for (size_t i = 0; i < sizeof pattern; i++) {
        bool fits = pattern[i] == 'x' ? text[i] && strchr("0123456789abcdef", text[i]) : text[i] == pattern[i];
        if (!fits) return NULL;
    }
    bool zero = strspn(text + 3, "0") >= 32 || strspn(text + 36, "0") >= 16;
    return zero || strncmp(text, "00", 2) != 0 ? NULL : text;
}

/* The header is the same as `key`, in which programs that retry by themselves put it. */
void con_job_submit(struct con_request *request) {
    const struct con *con = request->con;
    const char *header = con_request_header(request, "Idempotency-Key"), *trace = trace_of(request);
    const char *key = con_get_text(con, request->json, "key");
    if (con->values->type(con->values->get(request->json, "spec")) != PDK_MAP) {
        con_answer_fault(request, CON_UNPROCESSABLE, "\"spec\" is missing, or no object", "{\"spec\": {...}}");
        return;
    }
    if (header && !strcmp(header, key)) header = NULL;
    if (header && (*key || strlen(header) > 255)) {
        con_answer_fault(request, CON_INVALID, "Idempotency-Key is longer than 255 bytes, or not the `key` in the body",
                         NULL);
        return;
    }
    if (!header && !trace) {
        con_ask(request, "submit", request->json, answer_job);
        return;
    }
    pdk_writer *w = open_map(con);
    for (size_t i = 0; i < con->values->count(request->json); i++)
        con_put_value(con, w, con->values->key_at(request->json, i), con->values->at(request->json, i));
    if (header) con_put_text(con, w, "key", header);
    if (trace) con_put_text(con, w, "traceparent", trace);
    close_and_ask(request, "submit", w, answer_job);
}

static void ask_one(struct con_request *request, const char *verb, const char *name, const char *const *members) {
    const struct con *con = request->con;
    pdk_writer *w = open_map(con);
    con_put_text(con, w, name, con_request_part(request, strcmp(name, "job_id") ? name : "job"));
    for (; *members; members++) con_put_value(con, w, *members, con->values->get(request->json, *members));
    close_and_ask(request, verb, w, pass_on);
}

static int32_t note_run(void *arg, const pdk_run_info *info) {
    struct con_run *run = arg;
    (void)snprintf(run->run_id, sizeof run->run_id, "%s", info->run_id);
    return 1;
}

/* The queue knows the run that is on by its number. */
static void answer_shown(struct con_request *request, int32_t rc, const pdk_value *job, const pdk_error *err) {
    const struct con *con = request->con;
    const pdk_values *v = con->values;
    struct con_run found = {0};
    int64_t run = 0;
    if (rc < 0 || v->integer(v->get(job, "run"), &run) < 0) {
        pass_on(request, rc, job, err);
        return;
    }
    const pdk_filter filter = {.struct_size = (uint32_t)sizeof filter, .run = (pdk_run)run, .limit = 1};
    bool is_on = con->control->list(con->control, &filter, note_run, &found) > 0;
    pdk_writer *w = open_map(con);
    for (size_t i = 0; i < v->count(job); i++) {
        const char *key = v->key_at(job, i);
        if (strcmp(key, "run") != 0 && !(is_on && strcmp(key, "run_id") == 0))
            con_put_value(con, w, key, v->at(job, i));
    }
    if (is_on) con_put_text(con, w, "run_id", found.run_id);
    v->end(w);
    con_answer_close(request, 200, w);
}

void con_job_show(struct con_request *request) {
    const struct con *con = request->con;
    pdk_writer *w = open_map(con);
    con_put_text(con, w, "job_id", con_request_part(request, "job"));
    close_and_ask(request, "show", w, answer_shown);
}

/* An action is a verb of the queue by the same name. False: there is none, and it is answered. */
static bool is_action(struct con_request *request, const char *of, const char *const *words, const char **ret) {
    *ret = con_request_part(request, "action");
    for (; *words; words++)
        if (!strcmp(*words, *ret)) return true;
    con_answer_faultf(request, CON_NOT_FOUND, "%s has no action \"%.32s\"", of, *ret);
    return false;
}

void con_job_act(struct con_request *request) {
    static const char *const words[] = {"cancel", "retry", NULL}, *const members[] = {"reason", NULL};
    const char *verb;
    if (is_action(request, "a job", words, &verb)) ask_one(request, verb, "job_id", members);
}

/* ---- topics and dead jobs ---- */

static void answer_topics(struct con_request *request, int32_t rc, const pdk_value *value, const pdk_error *err) {
    const struct con *con = request->con;
    if (rc < 0) {
        con_answer_error(request, rc, err);
        return;
    }
    pdk_writer *w = open_map(con);
    con_put_value(con, w, "topics", con->values->get(value, "topics"));
    con->values->end(w);
    con_answer_close(request, 200, w);
}

void con_topics(struct con_request *request) {
    con_ask(request, "stats", NULL, answer_topics);
}

void con_topic_act(struct con_request *request) {
    static const char *const words[] = {"pause", "resume", "limit", NULL}, *const members[] = {"running", NULL};
    const char *verb;
    if (is_action(request, "a topic", words, &verb)) ask_one(request, verb, "topic", members);
}

/* Without one or the other it would be all of them. */
void con_dead_act(struct con_request *request) {
    static const char *const words[] = {"replay", "purge", NULL}, *const members[] = {"job_id", "topic", "before",
                                                                                      NULL};
    const struct con *con = request->con;
    const char *verb;
    if (!is_action(request, "what is dead", words, &verb)) return;
    if (!*con_get_text(con, request->json, "job_id") && !*con_get_text(con, request->json, "topic")) {
        con_answer_fault(request, CON_UNPROCESSABLE, "one of job_id and topic is wanted", NULL);
        return;
    }
    pdk_writer *w = open_map(con);
    for (const char *const *member = members; *member; member++)
        con_put_value(con, w, *member, con->values->get(request->json, *member));
    close_and_ask(request, verb, w, pass_on);
}
