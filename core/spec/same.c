/* SPDX-License-Identifier: Apache-2.0 */
/* Would a task, read anew, be another one? */
#include <errno.h>
#include <string.h>

#include "core/spec/body.h"
#include "core/spec/merge.h"

/* What a row was given, by the task or by its defaults; made: the reference that is ours to drop, or NULL. */
struct given {
    const pdk_value *value, *made;
};

static const pdk_value *in_map(const pdk_value *map, const struct pdk_field *row) {
    return map && map->type == PDK_MAP ? pdk_values_get()->get(map, row->name) : NULL;
}

/* `web: ./server` is its command. */
static const pdk_value *written(const pdk_value *source, const struct pdk_field *row) {
    if (source->type == PDK_MAP) return in_map(source, row);
    return row->mark == PDK_MARK_COMMAND ? source : NULL;
}

static int32_t given_of(struct pdk_task *task, const struct pdk_field *row, struct given *ret) {
    const struct pdk_task_body *body = pdk_task_body(task);
    const pdk_value *below = in_map(body->held_count > 1 ? body->held[1] : NULL, row);
    *ret = (struct given){written(task->source, row), NULL};
    if (!ret->value) ret->value = below;
    if (!below || ret->value == below || !(row->flags & PDK_FIELD_MERGE)) return 0;
    if (pdk_value_is_null(ret->value) || pdk_value_is_null(below)) return 0;
    int32_t rc = pdk_merge_field(row, below, ret->value, &ret->made);
    if (rc == 0) ret->value = ret->made;
    return rc;
}

static bool same_value(const pdk_value *a, const pdk_value *b);

static bool same_maps(const pdk_value *a, const pdk_value *b) {
    for (uint32_t i = 0; i < a->size; i++) {
        const struct pdk_value_entry *entry = &a->as.map.entries[i];
        const pdk_value *other = pdk_values_get()->get(b, entry->key);
        if (!other || !same_value(entry->value, other)) return false;
    }
    return true;
}

static bool same_lists(const pdk_value *a, const pdk_value *b) {
    for (uint32_t i = 0; i < a->size; i++)
        if (!same_value(a->as.items[i], b->as.items[i])) return false;
    return true;
}

/* As written: to a field that takes text, 1.10 is not 1.1. */
static bool same_value(const pdk_value *a, const pdk_value *b) {
    if (!a || !b) return a == b;
    if (a->type != b->type) return false;
    if (a->type == PDK_MAP) return a->size == b->size && same_maps(a, b);
    if (a->type == PDK_LIST) return a->size == b->size && same_lists(a, b);
    const char *left = pdk_value_text(a), *right = pdk_value_text(b);
    if (left && right) return strcmp(left, right) == 0;
    return pdk_value_equal(a, b);
}

static int32_t same_row(struct pdk_task *a, struct pdk_task *b, const struct pdk_field *row) {
    struct given left = {NULL, NULL}, right = {NULL, NULL};
    int32_t rc = given_of(a, row, &left);
    if (rc == 0) rc = given_of(b, row, &right);
    if (rc == 0) rc = same_value(left.value, right.value);
    pdk_values_get()->drop(left.made);
    pdk_values_get()->drop(right.made);
    return rc;
}

int32_t pdk_task_same(struct pdk_task *a, struct pdk_task *b) {
    int32_t same = strcmp(pdk_task_body(a)->program.folder, pdk_task_body(b)->program.folder) == 0;
    for (const struct pdk_field *row = pdk_task_rows; same == 1 && row->name; row++)
        if (strcmp(row->name, "description") != 0) same = same_row(a, b, row);
    return same;
}
