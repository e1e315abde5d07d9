/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with a loop and a child of its own, and Paddock inside of it: a runner from memory, two runs, their
 * outcomes, a clean end. Paddock waits for children of its own only, so ours is still there for us to reap.
 *     embed_supervisor [poll | ev | uv]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <paddock/helpers.h>
#include <paddock/supervisor.h>

#include "loops.h"

/* ---- a runner: waits a while, then says so */
struct greeter {
    const pdk_host *host;
    const pdk_loop *loop;
};

struct greeting {
    struct greeter *greeter;
    uint64_t wait_ns;
    pdk_attempt attempt;
    pdk_watch timer;
    char text[64];
};

static void greet(void *arg) {
    struct greeting *greeting = arg;
    const pdk_host *host = greeting->greeter->host;
    greeting->timer = 0;
    host->output(host, greeting->attempt, PDK_STDOUT, greeting->text, strlen(greeting->text));
    pdk_succeed(host, greeting->attempt, NULL);
}

static int32_t start(void *task, const pdk_start *info, pdk_error *err) {
    struct greeting *greeting = task;
    const pdk_loop *loop = greeting->greeter->loop;
    (void)err;
    greeting->attempt = info->attempt;
    return loop->timer(loop, greeting->wait_ns, 0, greet, greeting, &greeting->timer);
}

static void cancel(void *task, int32_t reason) {
    struct greeting *greeting = task;
    const pdk_host *host = greeting->greeter->host;
    (void)reason;
    greeting->greeter->loop->stop(greeting->greeter->loop, greeting->timer);
    pdk_end(host, greeting->attempt, PDK_CANCELED, PDK_CAT_NONE, NULL, NULL);
}

static void destroy_task(void *task) {
    free(task);
}

static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct greeter *greeter = self;
    struct greeting *greeting = calloc(1, sizeof *greeting);
    const char *whom = "";
    if (!greeting) return -ENOMEM;
    greeting->greeter = greeter;
    int32_t rc = pdk_need_string(greeter->host, spec->with, "whom", &whom, err);
    if (rc == 0) rc = pdk_take_duration(greeter->host, spec->with, "wait", &greeting->wait_ns, err);
    if (rc < 0) {
        free(greeting);
        return rc;
    }
    snprintf(greeting->text, sizeof greeting->text, "Hello, %s!\n", whom);
    *ret = greeting;
    return 0;
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct greeter *greeter = calloc(1, sizeof *greeter);
    (void)config, (void)err;
    if (!greeter) return -ENOMEM;
    greeter->host = host;
    greeter->loop = host->get_extension(host, PDK_LOOP_1);
    *ret = greeter;
    return 0;
}

static const char *const needs[] = {PDK_LOOP_1, NULL};
static const pdk_param params[] = {PDK_PARAM("whom", PDK_STRING, PDK_REQUIRED, NULL, "Whom to greet"),
                                   PDK_PARAM("wait", PDK_DURATION, 0, "10ms", "How long to think before"),
                                   PDK_PARAM_END};
static const pdk_schema greet_kind = PDK_SCHEMA("greet", "Greets somebody", params);
static const pdk_schema *const kinds[] = {&greet_kind, NULL};
static const pdk_task_ops task_ops = {sizeof task_ops, 0, start, cancel, NULL, NULL, destroy_task, NULL};
static const pdk_runner_ops runner = {sizeof runner, 0, kinds, &task_ops, NULL, build};
static const pdk_plugin greeter = {PDK_PLUGIN_HEAD, "greeter", "1.0", "",   "Greets", needs, NULL, &runner, NULL, NULL,
                                   create,          NULL,      NULL,  free, NULL};

/* ---- the program */
static int waiting, down;

static void settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    (void)arg, (void)run;
    printf("%s: %s after %u attempt(s)\n", outcome->run_id,
           outcome->end == PDK_END_SUCCEEDED ? "succeeded" : "canceled", outcome->attempts);
    waiting--;
}

static void event(void *arg, const pdk_event *e) {
    (void)arg;
    if (e->kind == PDK_EVENT_OUTPUT) printf("%s says: %.*s\n", e->run_id, (int)e->size, e->data);
}

static void stopped(void *arg) {
    (void)arg;
    down = 1;
}

static void die(const char *what, const pdk_error *err) {
    fprintf(stderr, "%s: %s\n", what, err->message);
    exit(1);
}

static pdk_run submit(pdk_supervisor *supervisor, const char *json) {
    const pdk_values *v = pdk_values_get();
    pdk_submit_options options = {.struct_size = (uint32_t)sizeof options, .settled = settled};
    pdk_error err = PDK_ERROR;
    const pdk_value *spec;
    pdk_run run;
    if (v->parse(v, json, strlen(json), "example", &spec, &err) < 0) die("spec", &err);
    if (pdk_supervisor_submit(supervisor, spec, &options, &run, &err) < 0) die("submit", &err);
    v->drop(spec);
    waiting++;
    return run;
}

/* One run that succeeds, and one that we have no time for. */
static void work(pdk_supervisor *supervisor, const struct loop_kind *kind, void *loop) {
    const pdk_control *control = pdk_supervisor_control(supervisor);
    pdk_filter filter = {.struct_size = sizeof filter, .events = 1u << PDK_EVENT_OUTPUT};
    pdk_watch watch;
    if (control->subscribe(control, &filter, event, NULL, &watch) < 0) exit(1);

    submit(supervisor, "{\"name\": \"world\", \"kind\": \"greet\", \"with\": {\"whom\": \"world\"}}");
    pdk_run slow = submit(
        supervisor, "{\"name\": \"slow\", \"kind\": \"greet\", \"with\": {\"whom\": \"nobody\", \"wait\": \"1h\"}}");
    while (waiting > 1) kind->turn(loop);
    control->cancel(control, slow, "we have no hour");
    while (waiting > 0) kind->turn(loop);
}

static void supervise(const struct loop_kind *kind) {
    pdk_supervisor_options options = {.struct_size = sizeof options, .stopped = stopped};
    void *loop = kind->create(&options);
    pdk_supervisor *supervisor;
    pdk_error err = PDK_ERROR;
    if (!loop) exit(1);
    if (pdk_supervisor_create(&options, &supervisor, &err) < 0) die("create", &err);
    if (pdk_supervisor_add(supervisor, &greeter, NULL, &err) < 0) die("add", &err);
    if (pdk_supervisor_start(supervisor, &err) < 0) die("start", &err);
    work(supervisor, kind, loop);
    pdk_supervisor_shutdown(supervisor);
    while (!down) kind->turn(loop);
    pdk_supervisor_destroy(supervisor);
    kind->destroy(loop);
}

int main(int argc, char **argv) {
    const struct loop_kind *kind = loop_named(argc > 1 ? argv[1] : "poll");
    if (!kind) {
        fprintf(stderr, "usage: embed_supervisor [poll | ev | uv], as far as they were built in\n");
        return 2;
    }
    pid_t mine = fork();
    if (mine == 0) _exit(7);
    supervise(kind);

    int status = 0;
    if (waitpid(mine, &status, 0) != mine || WEXITSTATUS(status) != 7) return 1;
    printf("our own child was left to us\n");
    return 0;
}
