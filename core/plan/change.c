/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan at work becomes another one. What can fail comes first and changes nothing: who stays, the checks and log files
 * of who is new, room. Then the groups that go are asked to stop, the new ones take their places, and the graph is made
 * anew. A group that left is let go when its items have ended and nothing of theirs is on the way any more.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/internal.h"
#include "paddock/helpers.h"

static struct pdk_group *find_group(const struct pdk_plan *plan, const char *name) {
    for (uint32_t i = 0; i < plan->group_count; i++) {
        struct pdk_group *group = plan->groups[i];
        if (!group->leaving && strcmp(group->task->plugin.name, name) == 0) return group;
    }
    return NULL;
}

static int32_t name_groups(const struct pdk_plan *plan, struct pdk_table *names) {
    int32_t rc = 0;
    for (uint32_t i = 0; i < plan->group_count && rc == 0; i++) {
        struct pdk_group *group = plan->groups[i];
        const char *name = group->task->plugin.name;
        group->doomed = true; /* unless it turns out to be wanted as it is */
        group->anew = false;
        if (!group->leaving) rc = pdk_table_put(names, name, strlen(name), group);
    }
    return rc;
}

static int32_t match(struct pdk_plan *wanted, const struct pdk_table *names, const char *again) {
    for (uint32_t i = 0; i < wanted->group_count; i++) {
        struct pdk_group *group = wanted->groups[i];
        const char *name = group->task->plugin.name;
        struct pdk_group *there = pdk_table_get(names, name, strlen(name));
        if (!there) continue;
        int32_t same = again && strcmp(again, name) == 0 ? 0 : pdk_task_same(there->task, group->task);
        if (same < 0) return same;
        there->anew = same == 0;
        if (same == 0) continue;
        group->kept = there;
        there->doomed = false;
    }
    return 0;
}

/* It does not run, for want of a task that is to go or to begin anew. */
static bool was_let_down(const struct pdk_group *group) {
    return group->because && group->because->group->doomed;
}

static void wake_let_down(const struct pdk_plan *wanted) {
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < wanted->group_count; i++) {
            struct pdk_group *group = wanted->groups[i];
            if (!group->kept || !was_let_down(group->kept)) continue;
            group->kept->doomed = group->kept->anew = more = true;
            group->kept = NULL;
        }
    }
}

/* While one that leaves may still hold the slot, a new one waits for it, whatever it does when others hold it. */
static int32_t make_patient(struct pdk_item *item) {
    struct pdk_task *patient = NULL;
    if (item->task->when_busy != PDK_BUSY_DROP) return 0;
    const struct pdk_task_change nothing = {.replica = item->task->replica};
    int32_t rc = pdk_task_vary(item->task, &nothing, &patient);
    if (rc < 0) return rc;
    patient->when_busy = PDK_BUSY_QUEUE;
    item->name = patient->plugin.name;
    pdk_task_drop(item->task);
    item->task = patient;
    return 0;
}

static int32_t prepare_new(struct pdk_plan *plan, struct pdk_group *group, bool patient, pdk_error *err) {
    for (uint32_t i = 0; i < group->count; i++) {
        int32_t rc = patient ? make_patient(&group->items[i]) : 0;
        if (rc == 0) rc = pdk_item_prepare(&group->items[i], plan, err);
        if (rc < 0) return rc;
    }
    return 0;
}

static bool any_doomed(const struct pdk_plan *plan) {
    for (uint32_t i = 0; i < plan->group_count; i++)
        if (plan->groups[i]->doomed) return true;
    return false;
}

/* The arrays of the plan as it will be: what is wanted, then what leaves. */
struct layout {
    struct pdk_group **groups;
    struct pdk_item **items;
    uint32_t group_count, item_count;
};

static void place(struct layout *layout, struct pdk_group *group) {
    layout->groups[layout->group_count++] = group;
    for (uint32_t i = 0; i < group->count; i++) {
        group->items[i].index = layout->item_count;
        layout->items[layout->item_count++] = &group->items[i];
    }
}

static int32_t make_layout(const struct pdk_plan *plan, const struct pdk_plan *wanted, struct layout *ret) {
    size_t groups = (size_t)plan->group_count + wanted->group_count + 1;
    size_t items = (size_t)plan->item_count + wanted->item_count + 1;
    *ret = (struct layout){.groups = calloc(groups, sizeof *ret->groups), .items = calloc(items, sizeof *ret->items)};
    if (ret->groups && ret->items) return 0;
    free(ret->groups);
    free(ret->items);
    return -ENOMEM;
}

static int32_t prepare(struct pdk_plan *plan, struct pdk_plan *wanted, const char *again, struct layout *layout,
                       pdk_error *err) {
    struct pdk_table names = {0};
    int32_t rc = name_groups(plan, &names);
    if (rc == 0) rc = match(wanted, &names, again);
    pdk_table_free(&names);
    if (rc < 0) return rc;
    wake_let_down(wanted);
    bool patient = any_doomed(plan);
    for (uint32_t i = 0; i < wanted->group_count && rc == 0; i++)
        if (!wanted->groups[i]->kept) rc = prepare_new(plan, wanted->groups[i], patient, err);
    return rc < 0 ? rc : make_layout(plan, wanted, layout);
}

/* ---- what cannot fail */

static void stop_item(struct pdk_plan *plan, struct pdk_item *item, const char *why) {
    const pdk_control *control = pdk_supervisor_control(plan->options.supervisor);
    if (item->state == PDK_ITEM_ENDED) return;
    if (!item->run)
        pdk_follow_withdraw(item, why);
    else if (control->cancel(control, item->run, why) != -ENOMEM) /* -ESTALE: it has ended just now */
        item->asked = true;
}

static void stop_group(struct pdk_plan *plan, struct pdk_group *group, const char *why) {
    pdk_graph_unqueue(plan, group);
    group->fate = PDK_FATE_DONE;
    for (uint32_t i = 0; i < group->count; i++) stop_item(plan, &group->items[i], why);
}

static void begin_to_leave(struct pdk_plan *plan) {
    for (uint32_t i = 0; i < plan->group_count; i++) {
        struct pdk_group *group = plan->groups[i];
        if (!group->doomed || group->leaving) continue;
        group->leaving = true;
        plan->leaving++;
        stop_group(plan, group, group->anew ? "its task begins anew" : "its task was taken out");
    }
}

static void take_places(struct pdk_plan *plan, struct pdk_plan *wanted, struct layout *layout) {
    for (uint32_t i = 0; i < wanted->group_count; i++) {
        struct pdk_group *group = wanted->groups[i];
        place(layout, group->kept ? group->kept : group);
        if (group->kept) continue;
        plan->open += group->count;
        for (uint32_t n = 0; n < group->count; n++) pdk_plan_tell_waiting(&group->items[n]);
        wanted->groups[i] = NULL;
    }
    for (uint32_t i = 0; i < plan->group_count; i++)
        if (plan->groups[i]->leaving) place(layout, plan->groups[i]);
    free(plan->groups);
    free(plan->items);
    plan->groups = layout->groups;
    plan->items = layout->items;
    plan->group_count = layout->group_count;
    plan->item_count = layout->item_count;
}

int32_t pdk_plan_change(struct pdk_plan *plan, struct pdk_plan *wanted, const char *again, pdk_error *err) {
    struct layout layout;
    int32_t rc = plan->stopping ? -ESHUTDOWN : prepare(plan, wanted, again, &layout, err);
    if (rc == 0) {
        begin_to_leave(plan);
        pdk_graph_adopt(plan, wanted);
        take_places(plan, wanted, &layout);
        pdk_plan_poke(plan);
    }
    pdk_plan_free(wanted);
    return rc < 0 && err && !err->message[0] ? pdk_failf(err, rc, NULL, "%s", strerror(-rc)) : rc;
}

int32_t pdk_plan_stop_task(struct pdk_plan *plan, const char *name) {
    struct pdk_group *group = find_group(plan, name);
    if (!group) return -ENOENT;
    if (!group->open) return -EALREADY;
    stop_group(plan, group, "somebody asked for it");
    return 0;
}

int32_t pdk_plan_task_open(const struct pdk_plan *plan, const char *name) {
    const struct pdk_group *group = find_group(plan, name);
    return group ? (int32_t)group->open : -1;
}

void pdk_plan_reopen_logs(struct pdk_plan *plan) {
    pdk_log_files_reopen(plan);
}

bool pdk_item_leaves(const struct pdk_item *item) {
    return item->group->leaving;
}

/* ---- afterwards */

/* What could not even be asked, for want of memory. */
static void ask_again(struct pdk_plan *plan, struct pdk_group *group) {
    for (uint32_t i = 0; i < group->count && group->open; i++) {
        if (group->items[i].asked || group->items[i].state == PDK_ITEM_ENDED) continue;
        stop_item(plan, &group->items[i], "its task was taken out");
        pdk_plan_poke(plan);
    }
}

static bool has_left(const struct pdk_group *group) {
    if (!group->leaving || group->open) return false;
    for (uint32_t i = 0; i < group->count; i++)
        if (!pdk_probe_idle(group->items[i].probe)) return false;
    return true;
}

static void let_go(struct pdk_plan *plan, struct pdk_group *group) {
    for (uint32_t i = 0; i < group->count; i++) {
        const struct pdk_item *item = &group->items[i];
        if (item->run) (void)pdk_table_remove(&plan->runs, (const char *)&item->run, sizeof item->run);
        if (item->run_id[0]) (void)pdk_table_remove(&plan->traced, item->run_id, strlen(item->run_id));
    }
    pdk_group_free(group);
    plan->leaving--;
}

void pdk_change_sweep(struct pdk_plan *plan) {
    struct layout layout = {.groups = plan->groups, .items = plan->items};
    uint32_t count = plan->group_count;
    for (uint32_t i = 0; i < count; i++) {
        if (plan->groups[i]->leaving) ask_again(plan, plan->groups[i]);
        if (has_left(plan->groups[i]))
            let_go(plan, plan->groups[i]);
        else
            place(&layout, plan->groups[i]);
    }
    plan->group_count = layout.group_count;
    plan->item_count = layout.item_count;
}
