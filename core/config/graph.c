/* SPDX-License-Identifier: Apache-2.0 */
/* Between tasks: who waits for whom. Walked without recursion, since a chain may be as long as a file is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/text.h"
#include "core/config/load.h"
#include "core/spec/scalar.h"

static const char *const lists[] = {"needs", "after"};

/* The i-th name that a task waits for, needs first; NULL at the end. */
static const char *waited_for(const struct pdk_task *task, uint32_t i, const char **ret_list) {
    const char *const *names = task->needs;
    uint32_t k = 0;
    *ret_list = lists[0];
    for (; names[k]; k++)
        if (k == i) return names[k];
    *ret_list = lists[1];
    for (names = task->after; *names; names++, k++)
        if (k == i) return *names;
    return NULL;
}

/* The list as it was written that has this name. */
static const pdk_value *list_of(const struct pdk_task *task, const char *name) {
    for (const char *const *needs = task->needs; *needs; needs++)
        if (!strcmp(*needs, name)) return pdk_values_get()->get(task->source, "needs");
    return pdk_values_get()->get(task->source, "after");
}

/* In a list as it was written the item of this name (the list itself, if it is one name alone). */
static const pdk_value *written_item(const pdk_value *list, const char *name) {
    for (uint32_t i = 0; list && list->type == PDK_LIST && i < list->size; i++) {
        const char *text = pdk_value_text(list->as.items[i]);
        if (text && !strcmp(text, name)) return list->as.items[i];
    }
    return list;
}

const char *pdk_load_nearest_task(struct pdk_loading *loading, const char *name) {
    const char **words = calloc(loading->order_count + 1, sizeof *words), *nearest;
    uint32_t count = 0;
    if (!words) {
        pdk_loading_error(loading, -ENOMEM);
        return NULL;
    }
    for (uint32_t i = 0; i < loading->order_count; i++)
        if (loading->order[i]->task) words[count++] = loading->order[i]->task->plugin.name;
    nearest = pdk_nearest(name, words);
    free(words);
    return nearest;
}

static void check_known(struct pdk_loading *loading, const struct pdk_task *task) {
    const char *list, *name;
    for (uint32_t i = 0; (name = waited_for(task, i, &list)); i++) {
        char path[512], message[160];
        const pdk_value *written;
        struct pdk_fault fault = {.code = -EINVAL, .message = message, .path = path};
        if (pdk_table_get(&loading->named, name, strlen(name))) continue;
        written = pdk_values_get()->get(task->source, list);
        (void)pdk_scalar_path(written, path, sizeof path);
        (void)snprintf(message, sizeof message, "there is no task \"%.100s\"", name);
        fault.place = pdk_value_place(written_item(written, name));
        fault.suggestion = pdk_load_nearest_task(loading, name);
        pdk_loading_error(loading, pdk_report_add(loading->report, &fault));
    }
}

static const char *name_of(const struct pdk_named *named) {
    return named->task->plugin.name;
}

/* Tasks on the way being followed, each waiting for the next one. */
struct way {
    struct pdk_named **steps;
    uint32_t count;
};

/* The step after this one, around the circle that begins at first. */
static uint32_t around(const struct way *way, uint32_t first, uint32_t at) {
    return at + 1 == way->count ? first : at + 1;
}

/* Told at the one that comes first in the files: "a waits for itself: a -> b -> c -> a". */
static void fault_circle(struct pdk_loading *loading, const struct way *way, uint32_t first) {
    struct pdk_buffer text = PDK_BUFFER(280);
    struct pdk_fault fault = {.code = -ELOOP, .expected = "break the circle"};
    uint32_t start = first, at;
    const pdk_value *list;
    char path[512];
    for (uint32_t i = first; i < way->count; i++)
        if (way->steps[i]->index < way->steps[start]->index) start = i;
    pdk_buffer_format(&text, "%s waits for itself: %s", name_of(way->steps[start]), name_of(way->steps[start]));
    at = start;
    do {
        at = around(way, first, at);
        pdk_buffer_format(&text, " -> %s", name_of(way->steps[at]));
    } while (at != start);
    list = list_of(way->steps[start]->task, name_of(way->steps[around(way, first, start)]));
    fault.message = pdk_buffer_string(&text);
    fault.place = pdk_value_place(list);
    fault.path = pdk_scalar_path(list, path, sizeof path);
    pdk_loading_error(loading, pdk_report_add(loading->report, &fault));
    pdk_buffer_free(&text);
}

/* The next one that the last step waits for; NULL: no more. */
static struct pdk_named *next_step(struct pdk_loading *loading, struct pdk_named *from) {
    const char *name, *list;
    while ((name = waited_for(from->task, from->next_edge, &list))) {
        struct pdk_named *to = pdk_table_get(&loading->named, name, strlen(name));
        from->next_edge++;
        if (to && to->task) return to;
    }
    return NULL;
}

static void step_to(struct way *way, struct pdk_named *next) {
    next->open = true;
    way->steps[way->count++] = next;
}

static void step_back(struct way *way) {
    struct pdk_named *done = way->steps[--way->count];
    done->open = false;
    done->closed = true;
}

static void follow(struct pdk_loading *loading, struct way *way, struct pdk_named *root) {
    step_to(way, root);
    while (way->count > 0) {
        struct pdk_named *next = next_step(loading, way->steps[way->count - 1]);
        if (!next) {
            step_back(way);
        } else if (next->open) {
            uint32_t first = 0;
            while (first + 1 < way->count && way->steps[first] != next) first++;
            fault_circle(loading, way, first);
        } else if (!next->closed) {
            step_to(way, next);
        }
    }
}

void pdk_load_graph(struct pdk_loading *loading) {
    struct way way = {calloc(loading->order_count + 1, sizeof(struct pdk_named *)), 0};
    if (!way.steps) {
        pdk_loading_error(loading, -ENOMEM);
        return;
    }
    for (uint32_t i = 0; i < loading->order_count; i++) {
        struct pdk_named *named = loading->order[i];
        if (!named->task) continue;
        check_known(loading, named->task);
        if (!named->closed) follow(loading, &way, named);
    }
    free(way.steps);
}
