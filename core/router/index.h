/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The candidates of one kind, and for every label among them the set of those that carry it. A set is a window of
 * bits, from the word of its first member to that of its last: a label that one runner alone has (paddock/name)
 * costs one word however many runners there are.
 */
#ifndef CORE_ROUTER_INDEX_H
#define CORE_ROUTER_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/table.h"
#include "paddock/value.h"

/* A label as a key of the table: "zone" NUL "gpu"; or "zone" alone, for every runner that has it at all. */
#define PDK_INDEX_TEXT 512

struct pdk_index_set {
    struct pdk_index_set *next;
    uint64_t *bits;
    uint32_t first, words, capacity; /* the window begins at word `first` and is `words` long */
    char text[];
};

struct pdk_index {
    struct pdk_table table; /* text -> set */
    struct pdk_index_set *sets;
    uint32_t *candidates; /* numbers of runners, rising; their places here are the bits */
    uint32_t count, capacity;
    char kind[];
};

/* NULL when there is no memory. */
struct pdk_index *pdk_index_create(const char *kind);
void pdk_index_free(struct pdk_index *index); /* NULL is fine */

/* Make room for one more candidate with these labels (a map, or NULL): 0, -ENOMEM, or -E2BIG when a label is too
 * long to be one. Nothing that can be seen changes. */
int32_t pdk_index_reserve(struct pdk_index *index, const pdk_value *labels);

/* Then enter it. Cannot fail. */
void pdk_index_commit(struct pdk_index *index, uint32_t runner, const pdk_value *labels);

/* Those with this label, or with any value of it when value is NULL; NULL: none. */
const struct pdk_index_set *pdk_index_find(const struct pdk_index *index, const char *key, const char *value);

static inline uint64_t pdk_index_word(const struct pdk_index_set *set, uint32_t word) {
    uint32_t i = word - set->first; /* before the window it wraps around, and is beyond it too */
    return i < set->words ? set->bits[i] : 0;
}

#endif
