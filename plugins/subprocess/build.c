/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spec becomes a task. Every fault that needs no look at the machine is found here, so that `paddock check` finds
 * it; nothing is opened. Strings are borrowed from the spec, which lives as long as the task.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "subprocess.h"

/* What is being read, so that the readers below have one shape. */
struct reading {
    const pdk_host *host;
    const pdk_value *with;
    struct pdk_sub_task *task;
    pdk_error *err;
};

static const pdk_value *given(const struct reading *r, const pdk_value *map, const char *key) {
    const pdk_value *v = r->host->values->get(map, key);
    return r->host->values->type(v) == PDK_NULL ? NULL : v;
}

static int32_t refuse(const struct reading *r, const pdk_value *at, const char *text) {
    return pdk_fail(r->err, -EINVAL, at, text, NULL, NULL);
}

static int32_t read_program(struct reading *r) {
    struct pdk_sub_task *task = r->task;
    const pdk_value *command = given(r, r->with, "command"), *script = given(r, r->with, "script");
    int32_t rc;
    if (command && script) return refuse(r, script, "command and script exclude each other");
    if (!command && !script) return refuse(r, r->with, "a command is wanted, or with.script");
    if (script)
        return pdk_sub_script_read(r->host, script, task->options.pass_count, &task->script, &task->argv, r->err);
    rc = pdk_sub_strings(r->host, command, "a command", &task->argv, r->err);
    if (!rc && (!task->argv[0] || !task->argv[0][0])) return refuse(r, command, "the command is empty");
    return rc;
}

/* {file: P}, {env: N} or {credential: N} */
static int32_t check_secret(struct reading *r, const pdk_value *map) {
    static const char *const keys[] = {"file", "env", "credential"};
    const pdk_values *values = r->host->values;
    const char *key = values->key_at(map, 0), *text = NULL;
    size_t which = 0;
    while (which < 3 && (!key || strcmp(key, keys[which]) != 0)) which++;
    if (values->count(map) != 1 || which == 3)
        return refuse(r, map, "one of {file: PATH}, {env: NAME} and {credential: NAME} is wanted");
    if (pdk_text(r->host, values->at(map, 0), &text) || !*text)
        return refuse(r, values->at(map, 0), "a plain string is wanted");
    if (which == 2 && (strchr(text, '/') || !strcmp(text, ".") || !strcmp(text, "..")))
        return refuse(r, values->at(map, 0), "a credential is named without folders");
    if (which == 1 && strchr(text, '=')) return refuse(r, values->at(map, 0), "a variable's name has no =");
    if (which != 1) r->task->secret_files = true;
    return 0;
}

static int32_t read_env(struct reading *r) {
    const pdk_values *values = r->host->values;
    const pdk_value *env = r->task->env = given(r, r->with, "env");
    for (size_t i = 0; i < values->count(env); i++) {
        const pdk_value *v = values->at(env, i);
        const char *name = values->key_at(env, i), *text;
        int32_t type = values->type(v), rc = 0;
        if (!pdk_sub_is_name(name, strlen(name)))
            return pdk_failf(r->err, -EINVAL, v,
                             "the variable \"%.40s\": a name is letters, digits and _, and does not begin with a digit",
                             name);
        if (type == PDK_MAP)
            rc = check_secret(r, v);
        else if (type != PDK_NULL && pdk_text(r->host, v, &text))
            rc = pdk_failf(r->err, -EINVAL, v, "the variable %.80s wants text without NUL bytes", name);
        else if (values->count(v) > PDK_SUB_SECRET_MAX)
            rc = pdk_failf(r->err, -EINVAL, v, "the variable %.80s is longer than the 128 KiB that Linux takes", name);
        if (rc) return rc;
    }
    return 0;
}

static int32_t read_env_files(struct reading *r) {
    const pdk_values *values = r->host->values;
    const pdk_value *list = given(r, r->with, "env_file");
    for (size_t i = 0; i < values->count(list); i++) {
        const char *path = "";
        int32_t optional = 0, rc = pdk_need_string(r->host, values->at(list, i), "path", &path, r->err);
        if (!rc) rc = pdk_take_boolean(r->host, values->at(list, i), "optional", &optional, r->err);
        if (rc) return rc;
        if (!*path) return refuse(r, values->at(list, i), "the path is empty");
    }
    r->task->env_files = values->count(list) ? list : NULL;
    return 0;
}

static int32_t read_stdin(struct reading *r) {
    const pdk_values *values = r->host->values;
    const pdk_value *v = given(r, r->with, "stdin");
    struct pdk_sub_task *task = r->task;
    int32_t rc;
    task->input = given(r, r->with, "input");
    if (!task->input && values->type(task->spec->input) != PDK_NULL) task->input = task->spec->input;
    if (!v) return 0;
    if (task->input) return refuse(r, v, "stdin and input exclude each other");
    if (values->type(v) == PDK_STRING) {
        task->stdin_size = values->count(v);
        return values->string(v, &task->stdin_text);
    }
    if (values->type(v) != PDK_MAP || values->count(v) != 1)
        return refuse(r, v, "text is wanted, quoted where YAML would take it for something else, or {file: PATH}");
    rc = pdk_need_string(r->host, v, "file", &task->stdin_file, r->err);
    return rc || *task->stdin_file ? rc : refuse(r, v, "the path is empty");
}

static int32_t read_ask(struct reading *r, const char *key, struct pdk_sub_ask *ask) {
    const pdk_value *map = given(r, r->with, key), *command = given(r, map, "command");
    const char *name = NULL;
    int32_t rc = pdk_take_string(r->host, map, "signal", &name, r->err);
    if (!rc && name) {
        ask->signal = pdk_sub_signal_number(name);
        if (!ask->signal)
            return pdk_failf(r->err, -EINVAL, given(r, map, "signal"),
                             "there is no signal \"%.40s\"; TERM, INT, QUIT, HUP and USR1 are some", name);
    }
    if (!rc && command) rc = pdk_sub_strings(r->host, command, "a command", &ask->argv, r->err);
    if (!rc && command && (!ask->argv[0] || !ask->argv[0][0])) return refuse(r, command, "the command is empty");
    return rc;
}

static int32_t read_asks(struct reading *r) {
    struct pdk_sub_task *task = r->task;
    const char *to = "group";
    int32_t rc;
    task->stop.signal = SIGTERM;
    task->reload.leader = true;
    rc = read_ask(r, "stop", &task->stop);
    if (!rc) rc = pdk_take_string(r->host, given(r, r->with, "stop"), "to", &to, r->err);
    if (!rc) rc = read_ask(r, "reload", &task->reload);
    if (rc) return rc;
    if (strcmp(to, "group") != 0 && strcmp(to, "leader") != 0)
        return refuse(r, given(r, given(r, r->with, "stop"), "to"), "group or leader is wanted");
    task->stop.leader = to[0] == 'l';
    if (task->reload.signal && task->reload.argv)
        return refuse(r, given(r, r->with, "reload"), "signal and command exclude each other");
    return 0;
}

/* Does the operator let tasks run as this user? name is not ended by NUL. */
static bool is_permitted(const struct reading *r, const char *name, size_t size) {
    const pdk_values *values = r->host->values;
    const pdk_value *users = r->task->self->users;
    if (values->type(users) == PDK_NULL) return true;
    for (size_t i = 0; i < values->count(users); i++) {
        const char *user = "";
        values->string(values->at(users, i), &user);
        if (strlen(user) == size && !memcmp(user, name, size)) return true;
    }
    return false;
}

static int32_t read_user(struct reading *r) {
    const char *user = NULL, *colon;
    const pdk_value *v = given(r, r->with, "user");
    size_t size;
    int32_t rc = pdk_take_string(r->host, r->with, "user", &user, r->err);
    if (rc || !user) return rc;
    colon = strchr(user, ':');
    size = colon ? (size_t)(colon - user) : strlen(user);
    if (size == 0 || size > 255 || (colon && (!colon[1] || strchr(colon + 1, ':') || strlen(colon) > 255)))
        return pdk_failf(r->err, -EINVAL, v, "name or name:group is wanted, not \"%.80s\"", user);
    if (!is_permitted(r, user, size))
        return pdk_failf(r->err, -EINVAL, v, "tasks may not run as \"%.*s\": it is not in `users` of this runner",
                         (int)(size > 80 ? 80 : size), user);
    r->task->user = user;
    return 0;
}

static int32_t read_groups(struct reading *r) {
    const pdk_value *list = given(r, r->with, "groups");
    const char **names = NULL;
    int32_t rc = pdk_sub_strings(r->host, list, "groups", &names, r->err);
    if (!rc && r->host->values->count(list) > 1024) rc = refuse(r, list, "at most 1024 groups are taken");
    for (size_t i = 0; !rc && names[i]; i++)
        if (!names[i][0]) rc = refuse(r, r->host->values->at(list, i), "the name of a group is empty");
    free(names);
    r->task->groups = list;
    return rc;
}

static int32_t read_rest(struct reading *r) {
    struct pdk_sub_task *task = r->task;
    int32_t notify = 0;
    int32_t rc = pdk_take_string(r->host, r->with, "cwd", &task->cwd, r->err);
    if (!rc && task->cwd && task->cwd[0] != '/')
        return refuse(r, given(r, r->with, "cwd"), "an absolute path is wanted");
    if (!rc) rc = pdk_take_boolean(r->host, r->with, "notify", &notify, r->err);
    if (!rc) rc = pdk_sub_exits_read(r->host, given(r, r->with, "exit"), task, r->err);
    if (!rc) rc = pdk_sub_inherit_read(r->host, given(r, r->with, "inherit"), &task->inherit, r->err);
    task->seccomp = given(r, r->with, "seccomp");
    if (!rc && task->seccomp) rc = pdk_sub_filter_check(r->host, task->seccomp, r->err);
    /* Without it only a privileged child could be given a filter, and a set-uid program would keep it. */
    if (task->seccomp) task->options.flags |= PDK_COMMAND_NO_NEW_PRIVILEGES;
    task->notify = notify != 0;
    return rc;
}

static int32_t read_options(struct reading *r) {
    return pdk_sub_options_read(r->host, r->with, &r->task->options, r->err);
}

int32_t pdk_sub_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    /* options first: where the script's descriptor comes depends on how many are passed */
    static int32_t (*const readers[])(struct reading *) = {
        read_options, read_program, read_env, read_env_files, read_stdin, read_asks, read_user, read_groups, read_rest,
    };
    struct pdk_sub_task *task = calloc(1, sizeof *task);
    struct reading r = {((struct pdk_sub *)self)->host, spec->with, task, err};
    int32_t rc = 0;
    if (!task) return -ENOMEM;
    task->self = self;
    task->spec = spec;
    task->cwd_fd = -1;
    for (size_t i = 0; i < sizeof readers / sizeof *readers && !rc; i++) rc = readers[i](&r);
    if (rc) {
        pdk_sub_task_free(task);
        return rc;
    }
    *ret = task;
    return 0;
}

void pdk_sub_task_free(struct pdk_sub_task *task) {
    if (task->cwd_fd >= 0) close(task->cwd_fd);
    pdk_sub_filter_drop(task->filter);
    free(task->script.decoded);
    free(task->options.pass_fds);
    free(task->options.rlimits);
    free(task->stop.argv);
    free(task->reload.argv);
    free(task->argv);
    free(task);
}
