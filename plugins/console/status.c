/* SPDX-License-Identifier: Apache-2.0 */
/* How all of it is: health, readiness, metrics, plugins, tasks, what waits for a person; and the server's own actions. */
#include <stdio.h>
#include <unistd.h>

#include "console.h"

static bool inspect(struct con_request *request, const char *subject, const pdk_value **ret) {
    const struct con *con = request->con;
    pdk_error err = PDK_ERROR;
    int32_t rc = con->control->inspect(con->control, subject, 0, NULL, ret, &err);
    if (rc < 0) con_answer_error(request, rc, &err);
    return rc == 0;
}

/* NULL: the program around the supervisor does not say. */
static const pdk_value *ask_program(const struct con *con, const char *subject) {
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    if (con->control->inspect(con->control, subject, 0, NULL, &value, &err) < 0) return NULL;
    return value;
}

static void put_all(const struct con *con, pdk_writer *w, const pdk_value *map) {
    for (size_t i = 0; i < con->values->count(map); i++)
        con_put_value(con, w, con->values->key_at(map, i), con->values->at(map, i));
}

/* An answer of one list under a name. */
static void answer_list(struct con_request *request, const char *name, const pdk_value *list) {
    const struct con *con = request->con;
    pdk_writer *w = con->values->open(con->values);
    con->values->put_map(w);
    if (list) {
        con_put_value(con, w, name, list);
    } else {
        con->values->key(w, name);
        con->values->put_list(w);
        con->values->end(w);
    }
    con->values->end(w);
    con->values->drop(list);
    con_answer_close(request, 200, w);
}

/* ---- health and readiness ---- */

struct healths {
    uint32_t plugins, not_up, runners, runners_down;
};

static void count_health(const struct con *con, const pdk_value *plugin, struct healths *counts) {
    const char *health = con_get_text(con, plugin, "health");
    bool runner = con->values->count(con->values->get(plugin, "kinds")) > 0;
    counts->plugins++;
    counts->not_up += strcmp(health, "up") != 0;
    counts->runners += runner;
    counts->runners_down += runner && !strcmp(health, "down");
}

/* Down is when nothing at all can run; who restarts us for one plugin would only make it worse. */
void con_health(struct con_request *request) {
    const struct con *con = request->con;
    const pdk_values *v = con->values;
    struct healths counts = {0};
    const pdk_value *plugins = NULL;
    if (!inspect(request, "plugins", &plugins)) return;
    for (size_t i = 0; i < v->count(plugins); i++) count_health(con, v->at(plugins, i), &counts);
    bool down = counts.runners && counts.runners == counts.runners_down;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    con_put_text(con, w, "status", down ? "down" : counts.not_up ? "degraded" : "up");
    v->key(w, "plugins");
    v->put_list(w);
    for (size_t i = 0; i < v->count(plugins); i++) {
        const pdk_value *plugin = v->at(plugins, i);
        v->put_map(w);
        con_put_text(con, w, "name", con_get_text(con, plugin, "name"));
        con_put_text(con, w, "health", con_get_text(con, plugin, "health"));
        con_put_text(con, w, "text", con_get_text(con, plugin, "text"));
        v->end(w);
    }
    v->end(w);
    v->end(w);
    v->drop(plugins);
    con_answer_close(request, down ? 503 : 200, w);
}

void con_ready(struct con_request *request) {
    const struct con *con = request->con;
    const pdk_value *status = NULL;
    const char *reason = "";
    int32_t paused = 0;
    if (!inspect(request, "status", &status)) return;
    const char *state = con_get_text(con, status, "state");
    (void)con->values->boolean(con->values->get(status, "paused"), &paused);
    if (strcmp(state, "up") != 0)
        reason = state;
    else if (paused)
        reason = "paused";
    else if (con_get_int(con, status, "room") == 0)
        reason = "full";
    pdk_writer *w = con->values->open(con->values);
    con->values->put_map(w);
    con->values->key(w, "ready");
    con->values->put_bool(w, !*reason);
    if (*reason) con_put_text(con, w, "reason", reason);
    con->values->end(w);
    unsigned code = *reason ? 503 : 200;
    con->values->drop(status);
    con_answer_close(request, code, w);
}

/* ---- the whole at a glance ---- */

static void put_times(const struct con *con, pdk_writer *w) {
    const pdk_value *server = ask_program(con, "server");
    const char *started = con_get_text(con, server, "started_at");
    char time[64];
    con_put_text(con, w, "started_at", *started ? started : con_time(con->started_unix, time, sizeof time));
    con_put_int(con, w, "pid", (uint64_t)getpid());
    con->values->drop(server);
}

/* Since the start of this plugin: what was lost is not counted. */
static void put_outcomes(const struct con *con, pdk_writer *w) {
    con->values->key(w, "outcomes");
    con->values->put_map(w);
    for (size_t i = 0; con_outcomes[i]; i++) con_put_int(con, w, con_outcomes[i], con->events.outcomes[i]);
    con->values->end(w);
}

static void answer_status(struct con_request *request, const pdk_value *queue) {
    const struct con *con = request->con;
    const pdk_value *status = NULL;
    if (!inspect(request, "status", &status)) return;
    pdk_writer *w = con->values->open(con->values);
    con->values->put_map(w);
    put_all(con, w, status);
    put_outcomes(con, w);
    con_put_value(con, w, "queue", queue);
    put_times(con, w);
    con->values->end(w);
    con->values->drop(status);
    con_answer_close(request, 200, w);
}

static void status_of_queue(struct con_request *request, int32_t rc, const pdk_value *value, const pdk_error *err) {
    (void)err;
    answer_status(request, rc < 0 ? NULL : request->con->values->get(value, "totals"));
}

void con_status(struct con_request *request) {
    if (con_queue(request->con))
        con_ask(request, "stats", NULL, status_of_queue);
    else
        answer_status(request, NULL);
}

void con_version(struct con_request *request) {
    const struct con *con = request->con;
    char abi[24];
    pdk_writer *w = con->values->open(con->values);
    (void)snprintf(abi, sizeof abi, "%u.%u", con->host->abi_version >> 16, con->host->abi_version & 0xFFFF);
    con->values->put_map(w);
    con_put_text(con, w, "name", con->host->name);
    con_put_text(con, w, "version", con->host->version);
    con_put_text(con, w, "api", CON_API);
    con_put_text(con, w, "abi", abi);
    con->values->end(w);
    con_answer_close(request, 200, w);
}

void con_metrics(struct con_request *request) {
    struct con_text text = {.limit = SIZE_MAX};
    const pdk_value *page = NULL;
    const char *data = "";
    if (!inspect(request, "metrics", &page)) return;
    (void)request->con->values->string(page, &data);
    con_text_add(&text, data, request->con->values->count(page));
    request->con->values->drop(page);
    con_answer_data(request, 200, CON_METRICS, &text);
}

void con_plugins(struct con_request *request) {
    const pdk_value *plugins = NULL;
    if (inspect(request, "plugins", &plugins)) answer_list(request, "plugins", plugins);
}

void con_tasks(struct con_request *request) {
    answer_list(request, "tasks", ask_program(request->con, "tasks"));
}

/* ---- what waits for a person ---- */

struct entry {
    const char *kind, *title, *text, *run_id, *job_id, *since;
    const char *const *actions;
};

static void put_entry(const struct con *con, pdk_writer *w, const struct entry *entry) {
    const struct {
        const char *key, *text;
    } rows[] = {{"text", entry->text}, {"run_id", entry->run_id}, {"job_id", entry->job_id}, {"since", entry->since}};
    con->values->put_map(w);
    con_put_text(con, w, "kind", entry->kind);
    con_put_text(con, w, "title", entry->title);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].text && *rows[i].text) con_put_text(con, w, rows[i].key, rows[i].text);
    con->values->key(w, "actions");
    con->values->put_list(w);
    for (const char *const *action = entry->actions; action && *action; action++)
        con->values->put_string(w, *action, strlen(*action));
    con->values->end(w);
    con->values->end(w);
}

struct writing {
    const struct con *con;
    pdk_writer *writer;
};

static int32_t put_stuck(void *arg, const pdk_run_info *info) {
    static const char *const actions[] = {"kill", "abandon", NULL};
    const struct writing *writing = arg;
    char title[320];
    (void)snprintf(title, sizeof title, "%s does not stop", info->run_id);
    put_entry(writing->con, writing->writer,
              &(struct entry){"stuck", title, info->text, info->run_id, NULL, NULL, actions});
    return 0;
}

static void put_down(const struct con *con, pdk_writer *w) {
    const pdk_value *plugins = ask_program(con, "plugins");
    for (size_t i = 0; i < con->values->count(plugins); i++) {
        const pdk_value *plugin = con->values->at(plugins, i);
        char title[128];
        if (strcmp(con_get_text(con, plugin, "health"), "down") != 0) continue;
        (void)snprintf(title, sizeof title, "plugin %s is down", con_get_text(con, plugin, "name"));
        put_entry(con, w, &(struct entry){"down", title, con_get_text(con, plugin, "text"), NULL, NULL, NULL, NULL});
    }
    con->values->drop(plugins);
}

static void put_paused(const struct con *con, pdk_writer *w) {
    static const char *const actions[] = {"resume", NULL};
    const pdk_value *slots = ask_program(con, "slots"), *status = ask_program(con, "status");
    int32_t paused = 0;
    (void)con->values->boolean(con->values->get(status, "paused"), &paused);
    if (paused) put_entry(con, w, &(struct entry){"paused", "all runs are paused", NULL, NULL, NULL, NULL, actions});
    for (size_t i = 0; i < con->values->count(slots); i++) {
        const pdk_value *slot = con->values->at(slots, i);
        char title[160];
        paused = 0;
        (void)con->values->boolean(con->values->get(slot, "paused"), &paused);
        if (!paused) continue;
        (void)snprintf(title, sizeof title, "slot %s is paused", con_get_text(con, slot, "slot"));
        put_entry(con, w, &(struct entry){"paused", title, NULL, NULL, NULL, NULL, actions});
    }
    con->values->drop(slots);
    con->values->drop(status);
}

static void put_dead(const struct con *con, pdk_writer *w, const pdk_value *jobs) {
    static const char *const actions[] = {"replay", "purge", NULL};
    for (size_t i = 0; i < con->values->count(jobs); i++) {
        const pdk_value *job = con->values->at(jobs, i);
        char title[320];
        (void)snprintf(title, sizeof title, "job %s of %s failed for good", con_get_text(con, job, "job_id"),
                       con_get_text(con, job, "topic"));
        put_entry(con, w,
                  &(struct entry){"dead", title, con_get_text(con, job, "message"), NULL,
                                  con_get_text(con, job, "job_id"), con_get_text(con, job, "ended_at"), actions});
    }
}

static void answer_inbox(struct con_request *request, const pdk_value *dead) {
    const struct con *con = request->con;
    const pdk_filter stuck = {.struct_size = (uint32_t)sizeof stuck, .states = 1u << PDK_RUN_STUCK, .newest = 1};
    pdk_writer *w = con->values->open(con->values);
    struct writing writing = {con, w};
    con->values->put_map(w);
    con->values->key(w, "entries");
    con->values->put_list(w);
    (void)con->control->list(con->control, &stuck, put_stuck, &writing);
    put_down(con, w);
    put_paused(con, w);
    put_dead(con, w, dead);
    con->values->end(w);
    con->values->end(w);
    con_answer_close(request, 200, w);
}

static void inbox_of_queue(struct con_request *request, int32_t rc, const pdk_value *value, const pdk_error *err) {
    (void)err;
    answer_inbox(request, rc < 0 ? NULL : request->con->values->get(value, "jobs"));
}

void con_inbox(struct con_request *request) {
    if (con_queue(request->con))
        con_ask(request, "dead", NULL, inbox_of_queue);
    else
        answer_inbox(request, NULL);
}

/* ---- the server and its tasks ---- */

static void command(struct con_request *request, const char *verb, const pdk_value *params) {
    const struct con *con = request->con;
    const pdk_value *answer = NULL;
    pdk_error err = PDK_ERROR;
    int32_t rc = -ENOTSUP;
    if (PDK_HAS(con->control, command)) rc = con->control->command(con->control, verb, params, &answer, &err);
    if (rc < 0) {
        con_answer_error(request, rc, &err);
        return;
    }
    if (answer) {
        con_answer_value(request, 200, answer);
        return;
    }
    pdk_writer *w = con->values->open(con->values);
    con->values->put_map(w);
    con->values->end(w);
    con_answer_close(request, 200, w);
}

static void pause_all(struct con_request *request, bool stop) {
    const struct con *con = request->con;
    int32_t rc = stop ? con->control->pause(con->control, 0) : con->control->resume(con->control, 0);
    if (rc < 0) {
        con_answer_error(request, rc, NULL);
        return;
    }
    pdk_writer *w = con->values->open(con->values);
    con->values->put_map(w);
    con->values->key(w, "paused");
    con->values->put_bool(w, stop);
    con->values->end(w);
    con_answer_close(request, 200, w);
}

void con_server_act(struct con_request *request) {
    const char *word = con_request_part(request, "action");
    if (!strcmp(word, "reload") || !strcmp(word, "shutdown"))
        command(request, word, request->json);
    else if (!strcmp(word, "pause") || !strcmp(word, "resume"))
        pause_all(request, !strcmp(word, "pause"));
    else
        con_answer_faultf(request, CON_NOT_FOUND, "the server has no action \"%.32s\"", word);
}

void con_task_act(struct con_request *request) {
    static const char *const words[] = {"start", "stop", "restart"};
    const char *word = con_request_part(request, "action");
    const struct con *con = request->con;
    const pdk_value *params = NULL;
    size_t i = 0;
    while (i < 3 && strcmp(word, words[i]) != 0) i++;
    if (i == 3) {
        con_answer_faultf(request, CON_NOT_FOUND, "a task has no action \"%.32s\"", word);
        return;
    }
    pdk_writer *w = con->values->open(con->values);
    con->values->put_map(w);
    con_put_text(con, w, "task", con_request_part(request, "task"));
    con->values->end(w);
    int32_t rc = con->values->close(w, &params, NULL);
    if (rc < 0)
        con_answer_error(request, rc, NULL);
    else
        command(request, word, params);
    con->values->drop(params);
}
