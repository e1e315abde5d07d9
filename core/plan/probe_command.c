/* SPDX-License-Identifier: Apache-2.0 */
/* Does a command succeed? It is run by the process service, with the task's folder and plain variables. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/plan/probe.h"
#include "paddock/helpers.h"

extern char **environ;

/* Our environment, with the task's variables behind it in their place. */
struct environment {
    char **entries; /* NULL-ended; those from `own` on are ours to free */
    size_t count, own;
};

static bool overridden(const pdk_value *env, const char *entry) {
    char name[256];
    size_t length = strcspn(entry, "=");
    if (length >= sizeof name) return false;
    memcpy(name, entry, length);
    name[length] = '\0';
    return pdk_values_get()->get(env, name) != NULL;
}

static int32_t add_pair(struct environment *to, const char *name, const char *text) {
    if (asprintf(&to->entries[to->count], "%s=%s", name, text) < 0) return -ENOMEM;
    to->count++;
    return 0;
}

static int32_t make_environment(const pdk_value *env, struct environment *ret) {
    const pdk_values *v = pdk_values_get();
    size_t inherited = 0, own = v->type(env) == PDK_MAP ? v->count(env) : 0;
    while (environ[inherited]) inherited++;
    *ret = (struct environment){calloc(inherited + own + 1, sizeof *ret->entries), 0, 0};
    if (!ret->entries) return -ENOMEM;
    for (size_t i = 0; i < inherited; i++)
        if (!own || !overridden(env, environ[i])) ret->entries[ret->count++] = environ[i];
    ret->own = ret->count;
    for (size_t i = 0; i < own; i++) {
        const char *text = pdk_value_text(v->at(env, i)); /* secrets and unset ones have none */
        if (text && add_pair(ret, v->key_at(env, i), text) < 0) return -ENOMEM;
    }
    return 0;
}

static void free_environment(struct environment *environment) {
    for (size_t i = environment->own; i < environment->count; i++) free(environment->entries[i]);
    free(environment->entries);
}

static void on_failed(void *arg, const pdk_error *err) {
    struct pdk_probe *probe = arg;
    probe->running = false;
    probe->child = 0;
    if (!probe->attempt) pdk_plan_poke(probe->item->plan);
    pdk_probe_not_yet(probe, err->message);
}

static int32_t on_output(void *arg, int32_t stream, const char *data, size_t size) {
    (void)arg, (void)stream, (void)data, (void)size; /* what a check prints is nobody's */
    return 0;
}

static void on_ended(void *arg, const pdk_exit *how) {
    struct pdk_probe *probe = arg;
    const pdk_loop *loop = probe->item->plan->loop;
    char why[64];
    probe->running = false;
    probe->child = 0;
    loop->stop(loop, probe->timeout);
    probe->timeout = 0;
    if (!probe->attempt) pdk_plan_poke(probe->item->plan); /* it may have been the last that was on the way */
    if (!probe->attempt || probe->attempt != probe->asked_by) return;
    if (how->exit_code == 0 && how->signal == 0 && how->error == 0) {
        pdk_probe_passed(probe);
        return;
    }
    (void)snprintf(why, sizeof why, how->signal ? "the check was ended by signal %d" : "the check said exit %d",
                   how->signal ? how->signal : how->exit_code);
    pdk_probe_not_yet(probe, why);
}

static void on_started(void *arg, int32_t pid) {
    (void)arg, (void)pid;
}

static void on_timeout(void *arg) {
    struct pdk_probe *probe = arg;
    const pdk_process *process = pdk_supervisor_process(probe->item->plan->options.supervisor);
    probe->timeout = 0;
    (void)process->kill(process, probe->child);
}

static int32_t spawn(struct pdk_probe *probe, const struct environment *environment, int folder, pdk_error *err) {
    static const pdk_child_ops ops = {
        .struct_size = sizeof ops, .started = on_started, .failed = on_failed, .output = on_output, .ended = on_ended};
    const pdk_process *process = pdk_supervisor_process(probe->item->plan->options.supervisor);
    const pdk_command command = {.struct_size = sizeof command,
                                 .argv = probe->check->command,
                                 .env = (const char *const *)environment->entries,
                                 .name = probe->item->name,
                                 .cwd_fd = folder,
                                 .input_fd = -1,
                                 .stdout_to = PDK_STREAM_NULL,
                                 .stderr_to = PDK_STREAM_NULL,
                                 .stdout_fd = -1,
                                 .stderr_fd = -1,
                                 .umask = -1,
                                 .nice = PDK_UNCHANGED,
                                 .oom_score = PDK_UNCHANGED};
    return process->spawn(process, 0, &command, &ops, probe, &probe->child, err);
}

/* The folder of the task, as its runner has it; -1: ours. */
static int open_folder(const struct pdk_task *task) {
    const char *path = pdk_value_text(pdk_values_get()->get(task->plugin.with, "cwd"));
    return path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
}

void pdk_probe_command(struct pdk_probe *probe) {
    const pdk_loop *loop = probe->item->plan->loop;
    const struct pdk_task *task = probe->item->task;
    struct environment environment;
    pdk_error err = PDK_ERROR;
    if (probe->running) { /* that of an attempt before is being killed: soon again */
        pdk_probe_not_yet(probe, "");
        return;
    }
    int folder = open_folder(task);
    int32_t rc = make_environment(pdk_values_get()->get(task->plugin.with, "env"), &environment);
    if (rc == 0) rc = spawn(probe, &environment, folder, &err);
    free_environment(&environment);
    if (folder >= 0) (void)close(folder);
    if (rc < 0) {
        pdk_probe_not_yet(probe, err.message[0] ? err.message : strerror(-rc));
        return;
    }
    probe->running = true;
    probe->asked_by = probe->attempt;
    (void)loop->timer(loop, probe->check->timeout, 0, on_timeout, probe, &probe->timeout);
}

void pdk_probe_command_end(struct pdk_probe *probe) {
    const pdk_process *process = pdk_supervisor_process(probe->item->plan->options.supervisor);
    if (probe->running) (void)process->kill(process, probe->child);
}
