/* SPDX-License-Identifier: Apache-2.0 */
/* From a configuration to the items of a plan: who was named, what they need, one item per replica. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/plan/internal.h"
#include "paddock/helpers.h"

/* Which tasks of the configuration are in; one bit of work per task. */
struct choice {
    const struct pdk_config *config;
    bool *in;
    uint32_t *stack; /* of those whose needs are still to be looked at */
    uint32_t depth;
};

static void choose(struct choice *choice, uint32_t i) {
    if (choice->in[i]) return;
    choice->in[i] = true;
    choice->stack[choice->depth++] = i;
}

static int32_t task_index(const struct pdk_config *config, const char *name) {
    const struct pdk_task *task = pdk_config_task(config, name);
    if (!task) return -ENOENT;
    for (uint32_t i = 0; i < config->task_count; i++)
        if (config->tasks[i] == task) return (int32_t)i;
    return -ENOENT;
}

static int32_t no_such_task(const struct pdk_config *config, const char *name, pdk_error *err) {
    const char **names = calloc(config->task_count + 1u, sizeof *names);
    if (!names) return -ENOMEM;
    for (uint32_t i = 0; i < config->task_count; i++) names[i] = config->tasks[i]->plugin.name;
    const char *near = pdk_nearest(name, names);
    pdk_failf(err, -ENOENT, NULL, "there is no task \"%s\"", name);
    if (err && near) (void)snprintf(err->hint, sizeof err->hint, "did you mean \"%s\"?", near);
    free(names);
    return -ENOENT;
}

static int32_t choose_named(struct choice *choice, const char *const *names, pdk_error *err) {
    for (size_t i = 0; names && names[i]; i++) {
        int32_t found = task_index(choice->config, names[i]);
        if (found < 0) return no_such_task(choice->config, names[i], err);
        choose(choice, (uint32_t)found);
    }
    return 0;
}

static int32_t choose_labelled(struct choice *choice, const struct pdk_selector *selector, pdk_error *err) {
    const struct pdk_requirement *failed;
    for (uint32_t i = 0; i < choice->config->task_count; i++)
        if (pdk_selector_matches(selector, choice->config->tasks[i]->plugin.labels, &failed)) choose(choice, i);
    return choice->depth ? 0 : pdk_failf(err, -ENOENT, NULL, "no task has these labels");
}

static void choose_automatic(struct choice *choice) {
    for (uint32_t i = 0; i < choice->config->task_count; i++)
        if (!choice->config->tasks[i]->manual) choose(choice, i);
}

static void choose_also(struct choice *choice, const char *const *names) {
    for (size_t i = 0; names && names[i]; i++) {
        int32_t found = task_index(choice->config, names[i]);
        if (found >= 0) choose(choice, (uint32_t)found);
    }
}

/* What those chosen wait for has to run too. */
static void choose_needed(struct choice *choice) {
    while (choice->depth) {
        const struct pdk_task *task = choice->config->tasks[choice->stack[--choice->depth]];
        const char *const *const lists[] = {task->needs, task->after};
        for (size_t list = 0; list < 2; list++)
            for (size_t i = 0; lists[list][i]; i++) {
                int32_t found = task_index(choice->config, lists[list][i]);
                if (found >= 0) choose(choice, (uint32_t)found);
            }
    }
}

static int32_t choose_all(struct choice *choice, const struct pdk_selection *selection, pdk_error *err) {
    bool named = selection->names && selection->names[0];
    int32_t rc = choose_named(choice, selection->names, err);
    if (rc == 0 && selection->selector) rc = choose_labelled(choice, selection->selector, err);
    if (rc < 0) return rc;
    if (!named && !selection->selector) choose_automatic(choice);
    choose_also(choice, selection->also);
    if (!selection->only) choose_needed(choice);
    return 0;
}

static int32_t make_replica(struct pdk_plan *plan, struct pdk_group *group, uint32_t n) {
    struct pdk_item *item = &group->items[n];
    const pdk_spec *spec = &group->task->plugin;
    char name[80], slot[80];
    item->plan = plan;
    item->group = group;
    item->index = plan->item_count;
    plan->items[plan->item_count++] = item;
    item->fraction = -1;
    if (group->task->replicas <= 1) {
        item->task = pdk_task_hold(group->task);
        item->name = spec->name;
        return 0;
    }
    (void)snprintf(name, sizeof name, "%s.%u", spec->name, n + 1);
    (void)snprintf(slot, sizeof slot, "%s.%u", spec->slot, n + 1);
    int32_t rc = pdk_task_vary(group->task, &(struct pdk_task_change){.name = name, .slot = slot, .replica = n + 1},
                               &item->task);
    if (rc == 0) item->name = item->task->plugin.name;
    return rc;
}

static uint32_t replicas(const struct pdk_task *task) {
    return task->replicas > 1 ? task->replicas : 1;
}

void pdk_group_free(struct pdk_group *group) {
    if (!group) return;
    for (uint32_t i = 0; i < group->count; i++) {
        struct pdk_item *item = &group->items[i];
        pdk_probe_free(item->probe);
        for (size_t stream = 0; stream < 2; stream++) pdk_log_file_drop(item->log[stream]);
        pdk_follow_free(item);
        pdk_task_drop(item->task);
    }
    pdk_task_drop(group->task);
    free(group);
}

static int32_t make_group(struct pdk_plan *plan, struct pdk_task *task) {
    uint32_t count = replicas(task);
    struct pdk_group *group = calloc(1, sizeof *group + count * sizeof *group->items);
    if (!group) return -ENOMEM;
    plan->groups[plan->group_count++] = group;
    group->task = pdk_task_hold(task);
    group->count = group->open = group->unready = group->unsucceeded = count;
    for (uint32_t n = 0; n < count; n++) pdk_follow_begin(&group->items[n]);
    for (uint32_t n = 0; n < count; n++) {
        int32_t rc = make_replica(plan, group, n);
        if (rc < 0) return rc;
    }
    return 0;
}

static int32_t make_items(struct pdk_plan *plan, const struct choice *choice) {
    if (!plan->groups || !plan->items) return -ENOMEM;
    for (uint32_t i = 0; i < choice->config->task_count; i++) {
        int32_t rc = choice->in[i] ? make_group(plan, choice->config->tasks[i]) : 0;
        if (rc < 0) return rc;
    }
    return pdk_graph_link(plan);
}

static int32_t make_room(struct pdk_plan *plan, const struct choice *choice, pdk_error *err) {
    uint64_t total = 0, groups = 0;
    for (uint32_t i = 0; i < choice->config->task_count; i++) {
        if (!choice->in[i]) continue;
        groups++;
        total += replicas(choice->config->tasks[i]);
    }
    if (total > PDK_PLAN_LIMIT)
        return pdk_failf(err, -E2BIG, NULL, "%llu tasks and replicas, at most %u can be run at once",
                         (unsigned long long)total, PDK_PLAN_LIMIT);
    plan->open = (uint32_t)total;
    plan->groups = calloc(groups + 1, sizeof(struct pdk_group *));
    plan->items = calloc(total + 1, sizeof(struct pdk_item *));
    return 0;
}

static int32_t build(struct pdk_plan *plan, struct choice *choice, const struct pdk_selection *selection,
                     pdk_error *err) {
    int32_t rc = choose_all(choice, selection, err);
    if (rc == 0) rc = make_room(plan, choice, err);
    return rc < 0 ? rc : make_items(plan, choice);
}

int32_t pdk_plan_select(const struct pdk_config *config, const struct pdk_selection *selection, struct pdk_plan **ret,
                        pdk_error *err) {
    size_t count = config->task_count + 1u;
    struct choice choice = {.config = config, .in = calloc(count, sizeof *choice.in)};
    choice.stack = calloc(count, sizeof *choice.stack);
    struct pdk_plan *plan = calloc(1, sizeof *plan);
    int32_t rc = -ENOMEM;
    if (plan && choice.in && choice.stack) {
        plan->queue_tail = &plan->queue;
        rc = build(plan, &choice, selection, err);
    }
    free(choice.in);
    free(choice.stack);
    if (rc < 0) {
        pdk_plan_free(plan);
        return rc;
    }
    *ret = plan;
    return 0;
}

struct pdk_item *pdk_plan_item(const struct pdk_plan *plan, size_t i) {
    return i < plan->item_count ? plan->items[i] : NULL;
}
