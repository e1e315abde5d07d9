/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attempt needs before its process can start. pdk_sub_environment is the quick part, on the main thread;
 * pdk_sub_prepare is the part that may block, in a job of the pool. A plain command needs no job.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "subprocess.h"

extern char **environ;

/* Ours alone: what somebody told us must not look as if it was told to our children. */
static const char *const not_inherited[] = {
    "NOTIFY_SOCKET",  "LISTEN_PID",      "LISTEN_FDS",     "LISTEN_FDNAMES",   "WATCHDOG_PID", "WATCHDOG_USEC",
    "TRACEPARENT",    "TRACESTATE",      "PADDOCK_RUN_ID", "PADDOCK_TASK",     "PADDOCK_SLOT", "PADDOCK_ATTEMPT",
    "PADDOCK_RUNNER", "PADDOCK_REPLICA", "PADDOCK_OUTPUT", "PADDOCK_DEADLINE", "PADDOCK_PID",
};

static bool allows(const struct pdk_sub *self, const struct pdk_sub_inherit *inherit, const char *name) {
    const pdk_values *values = self->host->values;
    if (!inherit->names) return inherit->all;
    for (size_t i = 0; i < values->count(inherit->names); i++) {
        const char *allowed = "";
        values->string(values->at(inherit->names, i), &allowed);
        if (!strcmp(allowed, name)) return true;
    }
    return false;
}

static void inherit_listed(struct pdk_sub_attempt *attempt, const pdk_value *names,
                           const struct pdk_sub_inherit *most) {
    const struct pdk_sub *self = attempt->task->self;
    for (size_t i = 0; i < self->host->values->count(names); i++) {
        const char *name = "", *value;
        self->host->values->string(self->host->values->at(names, i), &name);
        value = allows(self, most, name) ? getenv(name) : NULL;
        if (value) pdk_sub_env_set(&attempt->env, PDK_SUB_INHERITED, name, value);
    }
}

static void inherit_all(struct pdk_sub_env *env) {
    for (char **entry = environ; entry && *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        if (!equals || equals == *entry) continue;
        pdk_sub_env_add(env, PDK_SUB_INHERITED, *entry, (size_t)(equals - *entry), equals + 1, strlen(equals + 1));
    }
}

static void inherit(struct pdk_sub_attempt *attempt) {
    const struct pdk_sub_inherit *wanted = &attempt->task->inherit, *most = &attempt->task->self->inherit;
    if (wanted->names)
        inherit_listed(attempt, wanted->names, most);
    else if (wanted->all && most->names)
        inherit_listed(attempt, most->names, wanted);
    else if (wanted->all && most->all)
        inherit_all(&attempt->env);
    for (size_t i = 0; i < sizeof not_inherited / sizeof *not_inherited; i++)
        pdk_sub_env_set(&attempt->env, PDK_SUB_INHERITED, not_inherited[i], NULL);
}

/* {env: NAME}: under its new name alone, unless the task says otherwise. */
static void add_from_ours(struct pdk_sub_attempt *attempt, const char *name, const char *ours) {
    const char *value = getenv(ours);
    pdk_sub_env_set(&attempt->env, PDK_SUB_INHERITED, ours, NULL);
    if (value)
        pdk_sub_env_set(&attempt->env, PDK_SUB_TASK, name, value);
    else
        pdk_sub_say(&attempt->problem, PDK_FATAL, PDK_CAT_MISSING, "env %s: the variable %s is not set", name, ours);
}

static void add_plain(struct pdk_sub_attempt *attempt) {
    const pdk_values *values = attempt->task->self->host->values;
    const pdk_value *env = attempt->task->env;
    for (size_t i = 0; i < values->count(env); i++) {
        const pdk_value *v = values->at(env, i);
        const char *name = values->key_at(env, i), *text = NULL;
        if (values->type(v) == PDK_MAP) {
            if (!values->string(values->get(v, "env"), &text)) add_from_ours(attempt, name, text);
        } else {
            (void)values->string(v, &text);
            pdk_sub_env_set(&attempt->env, PDK_SUB_TASK, name, text);
        }
    }
}

static void add_ours(struct pdk_sub_attempt *attempt, const char *name, const char *value) {
    if (value && *value) pdk_sub_env_set(&attempt->env, PDK_SUB_OURS, name, value);
}

static void add_number(struct pdk_sub_attempt *attempt, const char *name, uint64_t number) {
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    add_ours(attempt, name, text);
}

void pdk_sub_environment(struct pdk_sub_attempt *attempt, const pdk_start *start) {
    const struct pdk_sub_task *task = attempt->task;
    const pdk_host *host = task->self->host;
    const char *replica = NULL;
    pdk_sub_env_set(&attempt->env, PDK_SUB_FALLBACK, "PATH", "/usr/local/bin:/usr/bin:/bin");
    inherit(attempt);
    add_plain(attempt);
    add_ours(attempt, "PADDOCK_RUN_ID", start->run_id);
    add_ours(attempt, "PADDOCK_TASK", task->spec->name);
    add_ours(attempt, "PADDOCK_SLOT", task->spec->slot);
    add_ours(attempt, "PADDOCK_RUNNER", host->instance);
    add_number(attempt, "PADDOCK_ATTEMPT", start->number);
    (void)pdk_text(host, host->values->get(task->spec->labels, "paddock/replica"), &replica);
    add_ours(attempt, "PADDOCK_REPLICA", replica);
    add_ours(attempt, "PADDOCK_OUTPUT", attempt->results);
    add_ours(attempt, "TRACEPARENT", start->trace);
    if (PDK_HAS(start, trace_state)) add_ours(attempt, "TRACESTATE", start->trace_state);
    if (start->deadline_ns) {
        uint64_t now = host->now_ns(host), left = start->deadline_ns > now ? start->deadline_ns - now : 0;
        add_number(attempt, "PADDOCK_DEADLINE", (host->unix_ns(host) + left) / 1000000000U);
    }
}

bool pdk_sub_needs_job(const struct pdk_sub_task *task) {
    return task->user || task->groups || task->env_files || task->secret_files || task->script.text ||
           task->stdin_text || task->stdin_file || task->input;
}

static int32_t read_env_files(struct pdk_sub_attempt *attempt) {
    const struct pdk_sub_task *task = attempt->task;
    const pdk_host *host = task->self->host;
    int32_t rc = 0;
    for (size_t i = 0; i < host->values->count(task->env_files) && !rc; i++) {
        const pdk_value *entry = host->values->at(task->env_files, i);
        const char *path = "";
        int32_t optional = 0;
        (void)host->values->string(host->values->get(entry, "path"), &path);
        (void)host->values->boolean(host->values->get(entry, "optional"), &optional);
        rc = pdk_sub_env_file(&attempt->env, task->cwd_fd, path, optional != 0, &attempt->problem);
    }
    return rc;
}

static int32_t read_credential(struct pdk_sub_attempt *attempt, const char *name, const char *credential) {
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char path[4096];
    if (!folder || (size_t)snprintf(path, sizeof path, "%s/%s", folder, credential) >= sizeof path) {
        pdk_sub_say(&attempt->problem, PDK_FATAL, PDK_CAT_MISSING,
                    "env %s: the credential %s is wanted, and CREDENTIALS_DIRECTORY is %s", name, credential,
                    folder ? "too long" : "not set");
        return -ENOENT;
    }
    return pdk_sub_secret(&attempt->env, attempt->task->cwd_fd, name, path, &attempt->problem);
}

static int32_t read_secrets(struct pdk_sub_attempt *attempt) {
    const struct pdk_sub_task *task = attempt->task;
    const pdk_values *values = task->self->host->values;
    int32_t rc = 0;
    for (size_t i = 0; i < values->count(task->env) && !rc; i++) {
        const pdk_value *v = values->at(task->env, i);
        const char *name = values->key_at(task->env, i), *text;
        if (values->type(v) != PDK_MAP) continue;
        if (!values->string(values->get(v, "file"), &text))
            rc = pdk_sub_secret(&attempt->env, task->cwd_fd, name, text, &attempt->problem);
        else if (!values->string(values->get(v, "credential"), &text))
            rc = read_credential(attempt, name, text);
    }
    return rc;
}

/* Without waiting for the writer of a FIFO; the child then reads it as usual. */
static int32_t open_stdin(int32_t dir, const char *path) {
    int fd = openat(dir < 0 ? AT_FDCWD : dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
    if (fd < 0) return -errno;
    if (flags >= 0 && !fcntl(fd, F_SETFL, flags & ~O_NONBLOCK)) return fd;
    flags = -errno;
    close(fd);
    return flags;
}

static int32_t make_input(struct pdk_sub_attempt *attempt) {
    const struct pdk_sub_task *task = attempt->task;
    int32_t fd = -1;
    if (task->stdin_file)
        fd = open_stdin(task->cwd_fd, task->stdin_file);
    else if (task->stdin_text)
        fd = pdk_sub_sealed("paddock-stdin", task->stdin_text, task->stdin_size);
    else if (task->input)
        fd = pdk_sub_json(task->self->host, task->input);
    else
        return 0;
    if (fd >= 0) {
        attempt->input_fd = fd;
        return 0;
    }
    if (task->stdin_file)
        pdk_sub_say_errno(&attempt->problem, fd, "stdin file %s", task->stdin_file);
    else
        pdk_sub_say_errno(&attempt->problem, fd, "stdin");
    return fd;
}

static int32_t make_script(struct pdk_sub_attempt *attempt) {
    const struct pdk_sub_script *script = &attempt->task->script;
    int32_t fd = script->text ? pdk_sub_sealed("paddock-script", script->text, script->size) : -1;
    if (script->text && fd < 0) {
        pdk_sub_say_errno(&attempt->problem, fd, "the script's file in memory");
        return fd;
    }
    attempt->script_fd = fd;
    return 0;
}

void pdk_sub_prepare(struct pdk_sub_attempt *attempt) {
    const struct pdk_sub_task *task = attempt->task;
    int32_t rc = 0;
    if (task->user || task->groups) rc = pdk_sub_identify(task, &attempt->identity, &attempt->env, &attempt->problem);
    if (!rc) rc = read_env_files(attempt);
    if (!rc) rc = read_secrets(attempt);
    if (!rc) rc = make_script(attempt);
    if (!rc) rc = make_input(attempt);
    if (rc || !attempt->results_folder) return;
    rc = pdk_sub_results_folder(attempt);
    if (rc == -EPERM) /* giving it away is the first thing that takes the right to be somebody else */
        pdk_sub_say_errno(&attempt->problem, rc, "becoming the user %.255s", task->user);
    else if (rc)
        pdk_sub_say_errno(&attempt->problem, rc, "the folder for results");
}
