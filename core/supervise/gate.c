/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source may have run. Its messages come from strangers, so it runs nothing that the operator did not name:
 *
 *     {task: resize, input: ...}        a declared task; nothing but its input is the message's
 *     {input: ...}                      the same, where the source has one task and no kinds
 *     {name: .., kind: http, with: ..}  a kind that the source may name; then all of the task is the message's
 *
 * Nothing is interpolated, and no file or variable of ours can be named: the spec is not trusted.
 */
#include <errno.h>
#include <string.h>

#include "core/spec/fields.h"
#include "core/supervise/internal.h"
#include "paddock/helpers.h"

static const char *const fields[] = {"task", "input", NULL};

static int32_t check_fields(const pdk_value *spec, struct pdk_report *report) {
    const pdk_values *values = pdk_values_get();
    int32_t rc = 0;
    for (size_t i = 0; i < values->count(spec); i++) {
        const char *key = values->key_at(spec, i);
        if (strcmp(key, fields[0]) == 0 || strcmp(key, fields[1]) == 0) continue;
        rc = pdk_value_key_fault(report, -EINVAL, spec, i, "a message gives a task its input, and no more", NULL,
                                 "unknown field \"%.100s\"", key);
    }
    return rc;
}

static struct pdk_task *find_task(const struct pdk_grant *grant, const char *name) {
    for (struct pdk_task *const *at = grant->tasks; *at; at++)
        if (strcmp((*at)->plugin.name, name) == 0) return *at;
    return NULL;
}

static int32_t read_declared(const struct pdk_grant *grant, const pdk_value *spec, struct pdk_report *report,
                             struct pdk_task **ret) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *named = values->get(spec, "task");
    struct pdk_task_change change = {.input = values->get(spec, "input")};
    struct pdk_task *task = grant->tasks[0];
    const char *name = pdk_value_text(named);
    if (named && !name) return pdk_value_fault(report, -EINVAL, named, NULL, NULL, "expected the name of a task");
    if (name) task = find_task(grant, name);
    if (!task)
        return pdk_value_fault(report, -ENOENT, named, "sources: tasks says which", NULL,
                               "\"%.100s\" is no task that this source may run", name);
    int32_t rc = check_fields(spec, report);
    return rc < 0 ? rc : pdk_task_vary(task, &change, ret);
}

static bool may_name(const struct pdk_grant *grant, const char *kind) {
    for (const char *const *at = grant->kinds; *at; at++)
        if (strcmp(*at, kind) == 0) return true;
    return false;
}

static int32_t check_kind(const struct pdk_grant *grant, const struct pdk_task *task, struct pdk_report *report) {
    if (!may_name(grant, task->plugin.kind))
        return pdk_value_fault(report, -ENOENT, task->source, "sources: kinds says which", NULL,
                               "\"%.100s\" is no kind that this source may name", task->plugin.kind);
    if (task->policy.restart != PDK_RESTART_ALWAYS) return 0;
    return pdk_value_fault(report, -EINVAL, task->source, "write restart: never, or on-failure", NULL,
                           "it never ends, so that nobody would be answered");
}

static int32_t read_own(const struct pdk_grant *grant, const pdk_value *spec, struct pdk_report *report,
                        struct pdk_task **ret) {
    struct pdk_task_options options;
    struct pdk_task *task;
    pdk_spec_options(&options);
    if (grant) options.defaults = grant->defaults;
    int32_t rc = pdk_task_read(spec, &options, report, &task);
    if (rc < 0) return rc;
    if (grant) rc = check_kind(grant, task, report);
    if (rc < 0)
        pdk_task_drop(task);
    else
        *ret = task;
    return rc;
}

bool pdk_gate_is_declared(const struct pdk_grant *grant, const pdk_value *spec) {
    const pdk_values *values = pdk_values_get();
    if (!grant || values->type(spec) != PDK_MAP) return false;
    if (values->get(spec, "task")) return true;
    bool one = grant->tasks[0] && !grant->tasks[1] && !grant->kinds[0];
    return one && !values->get(spec, "kind") && !values->get(spec, "command");
}

int32_t pdk_gate_read(const struct pdk_grant *grant, const pdk_value *spec, struct pdk_report *report,
                      struct pdk_task **ret) {
    return pdk_gate_is_declared(grant, spec) ? read_declared(grant, spec, report, ret)
                                             : read_own(grant, spec, report, ret);
}
