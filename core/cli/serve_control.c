/* SPDX-License-Identifier: Apache-2.0 */
/* What a console asks of the program: its tasks, itself, and to do something. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/cli/serve.h"
#include "paddock/helpers.h"

static void put_text(pdk_writer *w, const char *key, const char *text) {
    const pdk_values *v = pdk_values_get();
    v->key(w, key);
    v->put_string(w, text, strlen(text));
}

static void put_int(pdk_writer *w, const char *key, uint64_t number) {
    const pdk_values *v = pdk_values_get();
    v->key(w, key);
    v->put_int(w, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

static void put_time(pdk_writer *w, const char *key, uint64_t unix_ns) {
    char text[64];
    if (unix_ns) put_text(w, key, pdk_time_text(unix_ns, text, sizeof text));
}

/* ---- inspect */

static void put_task(pdk_writer *w, const struct pdk_task *task) {
    const pdk_values *v = pdk_values_get();
    struct pdk_place place = pdk_value_place(task->source);
    char text[512];
    v->put_map(w);
    put_text(w, "task", task->plugin.name);
    put_text(w, "kind", task->plugin.kind);
    put_text(w, "description", task->description);
    v->key(w, "manual");
    v->put_bool(w, task->manual);
    (void)snprintf(text, sizeof text, "%.400s:%u", place.file ? place.file : "", place.line);
    put_text(w, "place", text);
    put_int(w, "replicas", task->replicas);
    v->key(w, "labels");
    v->put_value(w, task->plugin.labels);
    v->end(w);
}

static int32_t inspect_tasks(struct pdk_serve *serve, pdk_writer *w) {
    const struct pdk_config *config = serve->setup->config;
    pdk_values_get()->put_list(w);
    for (uint32_t i = 0; i < config->task_count; i++) put_task(w, config->tasks[i]);
    pdk_values_get()->end(w);
    return 0;
}

static void put_sockets(pdk_writer *w, const struct pdk_serve *serve) {
    const pdk_values *v = pdk_values_get();
    v->key(w, "sockets");
    v->put_list(w);
    for (size_t i = 0; i < serve->socket_count; i++) {
        v->put_map(w);
        put_text(w, "name", serve->sockets[i].name);
        put_int(w, "fd", (uint64_t)serve->sockets[i].fd);
        v->end(w);
    }
    v->end(w);
}

static void put_files(pdk_writer *w, const struct pdk_config *config) {
    const pdk_values *v = pdk_values_get();
    v->key(w, "files");
    v->put_list(w);
    for (uint32_t i = 0; i < config->opened_count; i++)
        v->put_string(w, config->files[i].name, strlen(config->files[i].name));
    v->end(w);
}

static int32_t inspect_server(struct pdk_serve *serve, pdk_writer *w) {
    const struct pdk_server *server = &serve->session->setup.config->server;
    char mode[16];
    pdk_values_get()->put_map(w);
    put_time(w, "started_at", serve->started_at);
    put_int(w, "pid", (uint64_t)getpid());
    put_text(w, "version", pdk_version());
    put_files(w, serve->setup->config);
    if (serve->state) put_text(w, "state", serve->state);
    if (serve->socket) put_text(w, "socket", serve->socket);
    (void)snprintf(mode, sizeof mode, "%04o", server->mode);
    put_text(w, "mode", mode);
    if (server->group) put_text(w, "group", server->group);
    put_sockets(w, serve);
    put_int(w, "reloads", serve->reloads);
    put_time(w, "reloaded_at", serve->reloaded_at);
    pdk_values_get()->end(w);
    return 0;
}

static int32_t inspect(void *arg, const char *subject, const pdk_value *given, pdk_writer *w, pdk_error *err) {
    (void)given, (void)err;
    if (strcmp(subject, "tasks") == 0) return inspect_tasks(arg, w);
    return strcmp(subject, "server") == 0 ? inspect_server(arg, w) : -ENOENT;
}

/* ---- command */

static void answer_nothing(pdk_writer *w) {
    pdk_values_get()->put_map(w);
    pdk_values_get()->end(w);
}

static int32_t reload(struct pdk_serve *serve, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    (void)params;
    return pdk_serve_reload(serve, w, err);
}

static int32_t shut_down(struct pdk_serve *serve, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    const pdk_control *control = pdk_supervisor_control(serve->session->supervisor);
    const pdk_value *status = NULL;
    (void)params;
    int32_t rc = control->inspect(control, "status", 0, NULL, &status, err);
    if (rc < 0) return rc;
    pdk_values_get()->put_map(w);
    pdk_values_get()->key(w, "waiting");
    pdk_values_get()->put_value(w, pdk_values_get()->get(status, "accepted"));
    pdk_values_get()->end(w);
    pdk_values_get()->drop(status);
    serve->session->ask_end(serve->session, 0);
    return 0;
}

/* The declared one that params names; NULL after a fault. */
static struct pdk_task *named(struct pdk_serve *serve, const pdk_value *params, pdk_error *err) {
    const pdk_value *at = params ? pdk_values_get()->get(params, "task") : NULL;
    const char *name = pdk_value_text(at);
    struct pdk_task *task = name ? pdk_config_task(serve->setup->config, name) : NULL;
    if (!name)
        (void)pdk_failf(err, -EINVAL, params, "\"task\" is missing: the name of a declared task");
    else if (!task)
        (void)pdk_failf(err, -ENOENT, at, "there is no task \"%.100s\"", name);
    return task;
}

static int32_t code_of(const pdk_error *err) {
    return err && err->code ? err->code : -EINVAL;
}

/* A manual one is wanted from its start on, through reloads, until it is stopped. */
static int32_t remember(struct pdk_serve *serve, const char *name) {
    for (size_t i = 0; i < serve->asked_count; i++)
        if (strcmp(serve->asked[i], name) == 0) return 0;
    char *copy = strdup(name),
         **asked = copy ? reallocarray(serve->asked, serve->asked_count + 2, sizeof *asked) : NULL;
    if (!asked) {
        free(copy);
        return -ENOMEM;
    }
    asked[serve->asked_count++] = copy;
    asked[serve->asked_count] = NULL;
    serve->asked = asked;
    return 0;
}

static void forget(struct pdk_serve *serve, const char *name) {
    size_t i = 0;
    while (i < serve->asked_count && strcmp(serve->asked[i], name) != 0) i++;
    if (i == serve->asked_count) return;
    free(serve->asked[i]);
    serve->asked[i] = serve->asked[--serve->asked_count];
    serve->asked[serve->asked_count] = NULL;
}

void pdk_serve_forget_asked(struct pdk_serve *serve) {
    for (size_t i = 0; i < serve->asked_count; i++) free(serve->asked[i]);
    free(serve->asked);
    serve->asked = NULL;
    serve->asked_count = 0;
}

static int32_t begin(struct pdk_serve *serve, const struct pdk_task *task, pdk_writer *w, pdk_error *err) {
    int32_t rc = remember(serve, task->plugin.name);
    if (rc == 0) rc = pdk_serve_begin_anew(serve, task->plugin.name, err);
    if (rc == 0) answer_nothing(w);
    return rc;
}

static int32_t start(struct pdk_serve *serve, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    const struct pdk_task *task = named(serve, params, err);
    if (!task) return code_of(err);
    if (pdk_plan_task_open(serve->session->plan, task->plugin.name) > 0)
        return pdk_failf(err, -EALREADY, NULL, "%s is on", task->plugin.name);
    return begin(serve, task, w, err);
}

static int32_t restart(struct pdk_serve *serve, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    const struct pdk_task *task = named(serve, params, err);
    return task ? begin(serve, task, w, err) : code_of(err);
}

static int32_t stop(struct pdk_serve *serve, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    const struct pdk_task *task = named(serve, params, err);
    if (!task) return code_of(err);
    forget(serve, task->plugin.name); /* even when it has ended by itself: nobody wants it again */
    int32_t rc = pdk_plan_stop_task(serve->session->plan, task->plugin.name);
    if (rc < 0) return pdk_failf(err, -EALREADY, NULL, "%s is not on", task->plugin.name);
    answer_nothing(w);
    return 0;
}

/* All of params but `task`. Owned by the caller. */
static int32_t differences(const pdk_value *params, const pdk_value **ret) {
    const pdk_values *v = pdk_values_get();
    pdk_writer *w = v->open(v);
    v->put_map(w);
    for (size_t i = 0; i < v->count(params); i++) {
        if (strcmp(v->key_at(params, i), "task") == 0) continue;
        v->key(w, v->key_at(params, i));
        v->put_value(w, v->at(params, i));
    }
    v->end(w);
    return v->close(w, ret, NULL);
}

static int32_t submit_declared(struct pdk_serve *serve, const pdk_value *params, pdk_run *ret, pdk_error *err) {
    struct pdk_task *task = named(serve, params, err), *other = NULL;
    const pdk_value *fields = NULL;
    struct pdk_report report = {0};
    if (!task) return code_of(err);
    int32_t rc = differences(params, &fields);
    if (rc == 0) rc = pdk_task_differ(task, fields, &report, &other);
    pdk_values_get()->drop(fields);
    if (rc == 0) rc = pdk_supervisor_submit_task(serve->session->supervisor, other, NULL, &report, ret);
    pdk_task_drop(other);
    if (rc < 0) {
        const struct pdk_fault *fault = report.count ? &report.faults[0] : NULL;
        (void)pdk_failf(err, rc, NULL, "%s%s%s", fault ? fault->path : "", fault && *fault->path ? ": " : "",
                        fault ? fault->message : strerror(-rc));
        if (err && fault) (void)strlcpy(err->hint, fault->expected, sizeof err->hint);
    }
    pdk_report_free(&report);
    return rc;
}

static int32_t submit(struct pdk_serve *serve, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    pdk_run run = 0;
    if (!params || pdk_values_get()->type(params) != PDK_MAP)
        return pdk_failf(err, -EINVAL, params, "expected a map: a declared task, or a whole spec");
    int32_t rc = pdk_values_get()->get(params, "task")
                     ? submit_declared(serve, params, &run, err)
                     : pdk_supervisor_submit(serve->session->supervisor, params, NULL, &run, err);
    if (rc < 0) return rc;
    pdk_values_get()->put_map(w);
    put_int(w, "run", run);
    pdk_values_get()->end(w);
    return 0;
}

static const struct {
    const char *verb;
    int32_t (*does)(struct pdk_serve *serve, const pdk_value *params, pdk_writer *w, pdk_error *err);
} commands[] = {{"reload", reload}, {"shutdown", shut_down}, {"submit", submit},
                {"start", start},   {"stop", stop},          {"restart", restart}};

static int32_t command(void *arg, const char *verb, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].verb, verb) == 0) return commands[i].does(arg, params, w, err);
    return -ENOTSUP;
}

const struct pdk_program_ops pdk_serve_ops = {inspect, command};
