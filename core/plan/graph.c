/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may go, and who never can. Each task counts what it still waits for; what comes true takes one off, so the
 * cost is that of the edges, each looked at once. Nothing here recurses: a fate that becomes known is queued.
 */
#include <errno.h>
#include <string.h>

#include "core/plan/internal.h"

static struct pdk_group *find_group(const struct pdk_table *names, const char *name) {
    return pdk_table_get(names, name, strlen(name));
}

static int32_t link_list(struct pdk_plan *plan, const struct pdk_table *names, struct pdk_group *to,
                         const char *const *list, bool need) {
    for (size_t i = 0; list[i]; i++) {
        struct pdk_group *from = find_group(names, list[i]);
        if (!from) continue; /* not selected: it counts as there */
        struct pdk_edge *edge = pdk_arena_alloc(&plan->arena, sizeof *edge);
        if (!edge) return -ENOMEM;
        *edge = (struct pdk_edge){.from = from, .to = to, .next_out = from->out, .next_in = to->in, .need = need};
        from->out = to->in = edge;
        to->blockers++;
    }
    return 0;
}

static int32_t link_groups(struct pdk_plan *plan, struct pdk_table *names) {
    int32_t rc = 0;
    for (uint32_t i = 0; i < plan->group_count && rc == 0; i++) {
        const char *name = plan->groups[i]->task->plugin.name;
        rc = pdk_table_put(names, name, strlen(name), plan->groups[i]);
    }
    for (uint32_t i = 0; i < plan->group_count && rc == 0; i++) {
        struct pdk_group *group = plan->groups[i];
        rc = link_list(plan, names, group, group->task->needs, true);
        if (rc == 0) rc = link_list(plan, names, group, group->task->after, false);
    }
    return rc;
}

/* Make the edges of the groups that are there. */
int32_t pdk_graph_link(struct pdk_plan *plan) {
    struct pdk_table names = {0};
    int32_t rc = link_groups(plan, &names);
    pdk_table_free(&names);
    return rc;
}

/* The fate of a group is known: put it in the queue, once. */
void pdk_graph_queue(struct pdk_plan *plan, struct pdk_group *group, enum pdk_group_fate fate) {
    if (group->fate != PDK_FATE_OPEN) return;
    group->fate = fate;
    group->next = NULL;
    *plan->queue_tail = group;
    plan->queue_tail = &group->next;
}

struct pdk_group *pdk_graph_take(struct pdk_plan *plan) {
    struct pdk_group *group = plan->queue;
    if (!group) return NULL;
    plan->queue = group->next;
    if (!plan->queue) plan->queue_tail = &plan->queue;
    return group;
}

/* Queue those that wait for nothing. */
void pdk_graph_begin(struct pdk_plan *plan) {
    for (uint32_t i = 0; i < plan->group_count; i++)
        if (plan->groups[i]->blockers == 0) pdk_graph_queue(plan, plan->groups[i], PDK_FATE_GO);
}

static void meet(struct pdk_plan *plan, struct pdk_edge *edge) {
    if (edge->met) return;
    edge->met = true;
    if (--edge->to->blockers == 0) pdk_graph_queue(plan, edge->to, PDK_FATE_GO);
}

static void meet_all(struct pdk_plan *plan, struct pdk_group *from, bool needs_too) {
    for (struct pdk_edge *edge = from->out; edge; edge = edge->next_out)
        if (needs_too || !edge->need) meet(plan, edge);
}

static void first_time_up(struct pdk_plan *plan, struct pdk_item *item) {
    if (item->was_ready) return;
    item->was_ready = true;
    if (--item->group->unready == 0) meet_all(plan, item->group, false);
}

/* An attempt of this item is up. */
void pdk_graph_ready(struct pdk_plan *plan, struct pdk_item *item) {
    first_time_up(plan, item);
}

/* Does what has become of this item mean that the edge will never be met? */
static bool hopeless(const struct pdk_edge *edge, const struct pdk_item *item) {
    if (edge->met || edge->to->fate != PDK_FATE_OPEN) return false;
    return edge->need || !item->was_ready;
}

static void give_up(struct pdk_plan *plan, struct pdk_edge *edge, const struct pdk_item *item) {
    edge->to->because = item;
    pdk_graph_queue(plan, edge->to, PDK_FATE_NEVER);
}

/* This item has ended, as item->end says: what waits for it may go, or never can. */
void pdk_graph_ended(struct pdk_plan *plan, struct pdk_item *item) {
    struct pdk_group *group = item->group;
    if (item->end == PDK_END_SUCCEEDED) {
        first_time_up(plan, item); /* what has done its work need not be up any more */
        if (--group->unsucceeded == 0) meet_all(plan, group, true);
        return;
    }
    for (struct pdk_edge *edge = group->out; edge; edge = edge->next_out)
        if (hopeless(edge, item)) give_up(plan, edge, item);
}

/* Take a group that is not wanted any more out of the queue. */
void pdk_graph_unqueue(struct pdk_plan *plan, struct pdk_group *group) {
    struct pdk_group **at = &plan->queue;
    while (*at && *at != group) at = &(*at)->next;
    if (!*at) return;
    *at = group->next;
    if (!*at) plan->queue_tail = at;
}

static struct pdk_group *real(struct pdk_group *wanted) {
    return wanted->kept ? wanted->kept : wanted;
}

/* Is it so already, for one that is at work? */
static bool is_met(const struct pdk_edge *edge) {
    return edge->need ? edge->from->unsucceeded == 0 : edge->from->unready == 0;
}

static void adopt_edge(struct pdk_edge *edge, struct pdk_group *from, struct pdk_group *to) {
    if (to->fate != PDK_FATE_OPEN) return; /* it has gone, or never will */
    *edge = (struct pdk_edge){.from = from, .to = to, .next_out = from->out, .next_in = to->in, .need = edge->need};
    edge->met = is_met(edge);
    to->blockers += !edge->met;
    from->out = to->in = edge;
}

/* What became known while nothing waited for it. */
static void look_again(struct pdk_plan *plan, struct pdk_group *group) {
    if (group->blockers == 0) pdk_graph_queue(plan, group, PDK_FATE_GO);
    for (struct pdk_edge *edge = group->in; edge; edge = edge->next_in)
        for (uint32_t i = 0; i < edge->from->count; i++) {
            const struct pdk_item *item = &edge->from->items[i];
            if (item->state == PDK_ITEM_ENDED && item->end != PDK_END_SUCCEEDED && hopeless(edge, item))
                give_up(plan, edge, item);
        }
}

/* The edges of what is wanted become those of the plan, between those of its groups that stay and those that are new. */
void pdk_graph_adopt(struct pdk_plan *plan, struct pdk_plan *wanted) {
    struct pdk_arena old = plan->arena;
    for (uint32_t i = 0; i < plan->group_count; i++) {
        plan->groups[i]->in = plan->groups[i]->out = NULL;
        plan->groups[i]->blockers = 0;
    }
    for (uint32_t i = 0; i < wanted->group_count; i++) {
        wanted->groups[i]->out = NULL;
        wanted->groups[i]->blockers = 0;
    }
    for (uint32_t i = 0; i < wanted->group_count; i++) {
        struct pdk_group *to = wanted->groups[i];
        struct pdk_edge *edge = to->in, *next;
        to->in = NULL;
        for (; edge; edge = next) {
            next = edge->next_in;
            adopt_edge(edge, real(edge->from), real(to));
        }
    }
    plan->arena = wanted->arena;
    wanted->arena = old;
    for (uint32_t i = 0; i < wanted->group_count; i++) look_again(plan, real(wanted->groups[i]));
}

static size_t add(char *buf, size_t size, size_t used, const char *text) {
    if (used < size) used += strlcpy(buf + used, text, size - used);
    return used;
}

static size_t add_unmet(const struct pdk_group *group, bool need, char *buf, size_t size, size_t used) {
    const char *before = need ? "needs " : used ? "; after " : "after ";
    for (const struct pdk_edge *edge = group->in; edge; edge = edge->next_in) {
        if (edge->met || edge->need != need) continue;
        used = add(buf, size, used, before);
        used = add(buf, size, used, edge->from->task->plugin.name);
        before = ", ";
    }
    return used;
}

const char *pdk_item_waits_for(const struct pdk_item *item, char *buf, size_t size) {
    if (size) buf[0] = '\0';
    size_t used = add_unmet(item->group, true, buf, size, 0);
    (void)add_unmet(item->group, false, buf, size, used);
    return buf;
}
