/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of a server in the order of one of their columns. */
#include <stdlib.h>
#include <string.h>

#include "core/cli/run_sort.h"

/* The higher number first; where they are the same, by the text, and then as the server has them, which is the newest first: of
 * one age, too, the oldest comes first. */
struct pdk_sorted_run {
    const pdk_value *run;
    uint64_t number;
    const char *text;
    size_t at;
};

static uint64_t age_of(const pdk_value *run) {
    uint64_t submitted = 0;
    return pdk_time_read(pdk_get_text(run, "submitted_at"), &submitted) < 0 ? 0 : UINT64_MAX - submitted;
}

static struct pdk_sorted_run key_of(const pdk_value *run, enum pdk_run_column column) {
    struct pdk_sorted_run key = {.run = run, .text = ""};
    switch (column) {
    case PDK_RUN_BY_RUN: key.text = pdk_get_text(run, "run_id"); break;
    case PDK_RUN_BY_TASK: key.text = pdk_get_text(run, "task"); break;
    case PDK_RUN_BY_STATE: key.text = pdk_state_of(run); break;
    case PDK_RUN_BY_ATTEMPTS: key.number = (uint64_t)pdk_get_integer(run, "attempts"); break;
    case PDK_RUN_BY_AGE: key.number = age_of(run); break;
    }
    return key;
}

int pdk_run_sort_add(void *arg, const pdk_value *run) {
    struct pdk_run_sort *sort = arg;
    struct pdk_sorted_run *items = sort->items;
    if (sort->count == sort->room) {
        sort->room = sort->room ? sort->room * 2 : 256;
        items = reallocarray(sort->items, sort->room, sizeof *items);
        sort->no_memory = !items;
        if (!items) return 1;
        sort->items = items;
    }
    items[sort->count] = key_of(pdk_values_get()->hold(run), sort->column);
    items[sort->count].at = sort->column == PDK_RUN_BY_AGE ? PDK_RUN_SORT_MOST - sort->count : sort->count;
    return ++sort->count == PDK_RUN_SORT_MOST;
}

static int compare(const void *a, const void *b) {
    const struct pdk_sorted_run *one = a, *other = b;
    if (one->number != other->number) return one->number > other->number ? -1 : 1;
    int order = strverscmp(one->text, other->text); /* web-9 comes before web-10 */
    return order ? order : one->at < other->at ? -1 : 1;
}

void pdk_run_sort_end(struct pdk_run_sort *sort, int (*each)(void *arg, const pdk_value *run), void *arg) {
    bool enough = sort->no_memory;
    if (sort->count) qsort(sort->items, sort->count, sizeof *sort->items, compare);
    for (size_t i = 0; i < sort->count; i++) {
        if (!enough) enough = each(arg, sort->items[i].run) != 0;
        pdk_values_get()->drop(sort->items[i].run);
    }
    free(sort->items);
    sort->items = NULL;
    sort->count = sort->room = 0;
}
