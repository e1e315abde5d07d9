/* SPDX-License-Identifier: Apache-2.0 */
/* Between tasks: names of copies that are taken, and slots that two want at once. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/config/load.h"
#include "core/spec/scalar.h"

static void fault(struct pdk_loading *loading, enum pdk_severity severity, const pdk_value *at, bool key,
                  const char *expected, const char *message) {
    char path[512];
    struct pdk_fault fault = {.severity = severity, .code = -EINVAL, .message = message, .expected = expected};
    fault.place = key ? pdk_scalar_key_place(at) : pdk_value_place(at);
    fault.path = pdk_scalar_path(at, path, sizeof path);
    if (severity == PDK_SEVERITY_ERROR)
        pdk_loading_error(loading, pdk_report_add(loading->report, &fault));
    else
        (void)pdk_report_add(loading->report, &fault);
}

/* web.1 is both a task and the first copy of web. */
static void check_copies(struct pdk_loading *loading, const struct pdk_task *task) {
    char name[96], message[256];
    for (uint32_t i = 1; i <= task->replicas && task->replicas > 1; i++) {
        const struct pdk_named *taken;
        int size = snprintf(name, sizeof name, "%s.%u", task->plugin.name, i);
        if (size < 0 || (size_t)size >= sizeof name) return;
        taken = pdk_table_get(&loading->named, name, (size_t)size);
        if (!taken) continue;
        (void)snprintf(message, sizeof message, "\"%s\" is also a copy of \"%s\", which has replicas", name,
                       task->plugin.name);
        fault(loading, PDK_SEVERITY_ERROR, taken->source, true, "choose another name", message);
    }
}

static bool same_slot(const struct pdk_task *a, const struct pdk_task *b) {
    return a->replicas == 1 && b->replicas == 1 && !strcmp(a->plugin.slot, b->plugin.slot);
}

/* Who starts when another is ready cannot have that one's slot: it is still taken. */
static void check_after(struct pdk_loading *loading, const struct pdk_task *task) {
    char message[256];
    for (const char *const *name = task->after; *name; name++) {
        const struct pdk_named *other = pdk_table_get(&loading->named, *name, strlen(*name));
        const pdk_value *slot;
        if (!other || !other->task || other->task == task || !same_slot(task, other->task)) continue;
        slot = pdk_values_get()->get(task->source, "slot");
        (void)snprintf(message, sizeof message, "it starts after \"%s\", which has the same slot", *name);
        fault(loading, PDK_SEVERITY_ERROR, slot ? slot : task->source, !slot,
              "use needs instead of after, or another slot", message);
    }
}

static bool starts_at_once(const struct pdk_task *task) {
    return !task->manual && !task->after[0] && !task->needs[0];
}

/* Two that start at once in one slot: the second is dropped before it has done anything. */
static void check_shared(struct pdk_loading *loading, struct pdk_table *slots, struct pdk_task *task) {
    const char *slot = task->plugin.slot;
    const struct pdk_task *first;
    const pdk_value *at;
    void *there = NULL;
    char message[256];
    if (!starts_at_once(task) || task->replicas > 1) return;
    pdk_loading_error(loading, pdk_table_add(slots, slot, strlen(slot), task, &there));
    first = there;
    if (first && task->when_busy == PDK_BUSY_DROP) {
        at = task->source->type == PDK_MAP ? pdk_values_get()->get(task->source, "slot") : NULL;
        (void)snprintf(message, sizeof message, "\"%s\" starts at the same time in this slot, so this one is dropped",
                       first->plugin.name);
        fault(loading, PDK_SEVERITY_WARNING, at ? at : task->source, !at, "write when_busy: queue, or needs", message);
    }
}

void pdk_load_slots(struct pdk_loading *loading) {
    struct pdk_table slots = {0};
    for (uint32_t i = 0; i < loading->order_count; i++) {
        struct pdk_task *task = loading->order[i]->task;
        if (!task) continue;
        check_copies(loading, task);
        check_after(loading, task);
        check_shared(loading, &slots, task);
    }
    pdk_table_free(&slots);
}
