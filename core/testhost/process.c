/* SPDX-License-Identifier: Apache-2.0 */
/* process/1 without processes: what was asked for is kept, and the test says what becomes of it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/testhost/internal.h"
#include "core/testhost/slots.h"
#include "paddock/helpers.h"

enum { CONTENT_MAX = 4 << 20, LIST_MAX = 4096 };

/* ---- copies ---- */

static const char *copy_text(pdk_test *t, const char *text) {
    return text ? pdk_arena_text(&t->arena, text, strlen(text)) : NULL;
}

static const void *copy_list(pdk_test *t, const void *from, size_t count, size_t size) {
    void *to = from && count ? pdk_arena_alloc(&t->arena, count * size) : NULL;
    if (to) memcpy(to, from, count * size);
    return to;
}

static const char *const *copy_texts(pdk_test *t, const char *const *from) {
    const char **to;
    size_t n = 0;
    while (from && from[n] && n < LIST_MAX) n++;
    to = pdk_arena_alloc(&t->arena, (n + 1) * sizeof(*to));
    for (size_t i = 0; to && i < n; i++) to[i] = copy_text(t, from[i]);
    return to;
}

/* All that a descriptor holds, from where it stands: of files, for others cannot be looked at without taking. */
static const char *contents(pdk_test *t, int32_t fd) {
    off_t at = lseek(fd, 0, SEEK_CUR);
    char *text = at < 0 ? NULL : calloc(1, CONTENT_MAX);
    ssize_t n = text ? pread(fd, text, CONTENT_MAX - 1, at) : 0;
    const char *kept = pdk_arena_text(&t->arena, text ? text : "", n > 0 ? (size_t)n : 0);
    free(text);
    return kept;
}

static void copy_command(pdk_test *t, pdk_test_child *child, const pdk_command *command) {
    pdk_command *c = &child->command;
    const char **passed;
    memcpy(c, command, command->struct_size < sizeof *c ? command->struct_size : sizeof *c);
    c->argv = copy_texts(t, command->argv);
    c->env = copy_texts(t, command->env);
    c->program = copy_text(t, command->program);
    c->name = copy_text(t, command->name);
    c->pass_fds = copy_list(t, command->pass_fds, command->pass_count, sizeof *command->pass_fds);
    c->groups = copy_list(t, command->groups, command->group_count, sizeof *command->groups);
    c->rlimits = copy_list(t, command->rlimits, command->rlimit_count, sizeof *command->rlimits);
    if (command->input_fd >= 0) child->input = contents(t, command->input_fd);
    passed = pdk_arena_alloc(&t->arena, (command->pass_count + 1) * sizeof(*passed));
    for (uint32_t i = 0; passed && i < command->pass_count; i++) passed[i] = contents(t, command->pass_fds[i]);
    child->passed = passed;
}

/* ---- the service ---- */

static int32_t check_command(pdk_test *t, const pdk_command *command, pdk_error *err) {
    if (command->struct_size < sizeof *command)
        pdk_test_break(t, PDK_TEST_RULE_RESULT, "command.struct_size is %u", command->struct_size);
    if (command->argv && command->argv[0]) return 0;
    return pdk_fail(err, -EINVAL, NULL, "the command is empty", NULL, NULL);
}

static int32_t process_spawn(const pdk_process *process, pdk_attempt attempt, const pdk_command *command,
                             const pdk_child_ops *ops, void *arg, pdk_child *ret, pdk_error *err) {
    pdk_test *t = process->data;
    struct child *child;
    int32_t rc = check_command(t, command, err);
    pdk_test_check_main(t, "process->spawn");
    if (rc) return rc;
    pdk_test_note(t, "process->spawn %s", command->argv[0]);
    if (pdk_test_strikes(t, PDK_TEST_FAULT_SPAWN, &rc))
        return pdk_fail(err, rc, NULL, "the test host spawns nothing", NULL, NULL);
    child = pdk_arena_alloc(&t->arena, sizeof *child);
    if (!child) return -ENOMEM;
    child->test = t;
    child->caller = PDK_CALLER;
    child->public.struct_size = (uint32_t)sizeof child->public;
    child->public.attempt = attempt;
    child->public.ops = ops;
    child->public.arg = arg;
    child->public.child = *ret = t->next_handle++;
    copy_command(t, &child->public, command);
    (void)pdk_test_strikes(t, PDK_TEST_FAULT_CHILD, &child->fails);
    TAILQ_INSERT_TAIL(&t->children, child, link);
    if (child->fails) pdk_test_wake(t);
    return 0;
}

static pdk_test_child *find(const pdk_process *process, pdk_child handle, const char *call) {
    pdk_test *t = process->data;
    struct child *child;
    pdk_test_check_main(t, call);
    pdk_test_note(t, "%s", call);
    TAILQ_FOREACH(child, &t->children, link) {
        if (child->public.child == handle) return child->public.over ? NULL : &child->public;
    }
    pdk_test_break(t, PDK_TEST_RULE_HANDLE, "%s for a child that never was", call);
    return NULL;
}

static int32_t process_signal(const pdk_process *process, pdk_child handle, int32_t number, int32_t leader_alone) {
    pdk_test_child *child = find(process, handle, "process->signal");
    if (!child) return -ESTALE;
    if (child->signal_count < 16) {
        child->signals[child->signal_count] = number;
        child->leader_alone[child->signal_count] = leader_alone != 0;
    }
    child->signal_count++;
    return 0;
}

static int32_t process_kill(const pdk_process *process, pdk_child handle) {
    pdk_test_child *child = find(process, handle, "process->kill");
    if (child) child->killed++;
    return child ? 0 : -ESTALE;
}

static int32_t process_resume(const pdk_process *process, pdk_child handle) {
    pdk_test_child *child = find(process, handle, "process->resume");
    if (child) child->resumed++;
    return child ? 0 : -ESTALE;
}

void pdk_test_fill_process(pdk_test *t) {
    t->process = (pdk_process){PDK_HEAD(pdk_process), t, process_spawn, process_signal, process_kill, process_resume};
}

/* ---- for the test ---- */

pdk_test_child *pdk_test_child_at(pdk_test *t, uint32_t i) {
    struct child *child = t ? TAILQ_FIRST(&t->children) : NULL;
    while (child && i--) child = TAILQ_NEXT(child, link);
    return child ? &child->public : NULL;
}

pdk_test_child *pdk_test_last_child(pdk_test *t) {
    struct child *child = t ? TAILQ_LAST(&t->children, children) : NULL;
    if (t && !child) pdk_test_break(t, PDK_TEST_RULE_EXPECTED, "no child was started");
    return child ? &child->public : NULL;
}

const char *pdk_test_child_env(const pdk_test_child *child, const char *name) {
    size_t size = strlen(name);
    for (const char *const *entry = child ? child->command.env : NULL; entry && *entry; entry++)
        if (!strncmp(*entry, name, size) && (*entry)[size] == '=') return *entry + size + 1;
    return NULL;
}

static pdk_test *test_of(const pdk_test_child *child) {
    return ((const struct child *)child)->test;
}

/* May this become of it? The test is told when not. */
static bool may(const pdk_test_child *child, bool begins, const char *what) {
    if (!child) return false;
    if (!child->over && !(begins && child->started)) return true;
    pdk_test_break(test_of(child), PDK_TEST_RULE_EXPECTED, "a child that is %s cannot %s",
                   child->over ? "over" : "started", what);
    return false;
}

void pdk_test_child_started(pdk_test_child *child, int32_t pid) {
    if (!may(child, true, "start")) return;
    child->started = 1;
    pdk_test_note(test_of(child), "a child has started");
    pdk_test_enter(test_of(child), "started of a child");
    if (child->ops->started) child->ops->started(child->arg, pid);
    pdk_test_leave(test_of(child));
}

void pdk_test_child_failed(pdk_test_child *child, int32_t code, const char *message) {
    pdk_error err = PDK_ERROR;
    if (!may(child, true, "fail to start")) return;
    child->over = 1;
    (void)pdk_fail(&err, code, NULL, message, NULL, NULL);
    pdk_test_note(test_of(child), "a child has failed: %s", message);
    pdk_test_enter(test_of(child), "failed of a child");
    child->ops->failed(child->arg, &err);
    pdk_test_leave(test_of(child));
}

int32_t pdk_test_child_writes(pdk_test_child *child, int32_t stream, const char *text) {
    int32_t rc;
    if (!may(child, false, "write")) return -ESTALE;
    if (!child->ops->output)
        return child->attempt ? pdk_test_take_output(test_of(child), child->attempt, stream, text, strlen(text)) : 0;
    pdk_test_enter(test_of(child), "output of a child");
    rc = child->ops->output(child->arg, stream, text, strlen(text));
    pdk_test_leave(test_of(child));
    return rc;
}

void pdk_test_child_ended(pdk_test_child *child, int32_t exit_code, int32_t signal) {
    pdk_exit how = {.struct_size = (uint32_t)sizeof how, .exit_code = exit_code, .signal = signal};
    if (!may(child, false, "end")) return;
    if (!child->started) pdk_test_child_started(child, 1000);
    child->over = 1;
    how.usage = (pdk_usage){.struct_size = (uint32_t)sizeof how.usage, .user_ns = 5, .max_rss = 4096};
    pdk_test_note(test_of(child), "a child has ended: %d, signal %d", exit_code, signal);
    pdk_test_enter(test_of(child), "ended of a child");
    child->ops->ended(child->arg, &how);
    pdk_test_leave(test_of(child));
}

bool pdk_test_fail_children(pdk_test *t) {
    struct child *child;
    bool any = false;
    TAILQ_FOREACH(child, &t->children, link) {
        int32_t code = child->fails;
        child->fails = 0;
        if (!code || child->public.over) continue;
        any = true;
        pdk_test_child_failed(&child->public, code, "exec: the test host says that it fails");
    }
    return any;
}

/* It lies in the arena. */
void pdk_test_free_process(pdk_test *t) {
    char place[PDK_PLACE_MAX];
    struct child *child;
    TAILQ_FOREACH(child, &t->children, link) {
        const char *const *argv = child->public.command.argv;
        if (!child->public.over)
            pdk_test_break(t, PDK_TEST_RULE_LEFT, "a child was left running: %s; it was started at %s",
                           argv && argv[0] ? argv[0] : "?", pdk_place(child->caller, place, sizeof place));
    }
}
