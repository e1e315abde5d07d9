/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table from text to pointer. Keys are not copied: they live as long as their entry. */
#ifndef CORE_BASE_TABLE_H
#define CORE_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/hash.h"

struct pdk_table_entry;
struct pdk_table {
    struct pdk_table_entry *entries;
    size_t count, used, capacity;
    struct pdk_hash_key hash_key; /* asked for once: a hash of a short key takes less time than the asking */
};

/* A zeroed struct pdk_table is an empty table. */

/* Put value (not NULL) under key, in the place of what was there. 0 or -ENOMEM. */
int32_t pdk_table_put(struct pdk_table *table, const char *key, size_t key_size, void *value);

/* The same, but what was there stays, and is given in *ret_there; else *ret_there is NULL. 0 or -ENOMEM. */
int32_t pdk_table_add(struct pdk_table *table, const char *key, size_t key_size, void *value, void **ret_there);

/* NULL when there is none. */
void *pdk_table_get(const struct pdk_table *table, const char *key, size_t key_size);

/* Returns what was there, or NULL. */
void *pdk_table_remove(struct pdk_table *table, const char *key, size_t key_size);

/* Walk: start with *position 0; NULL at the end. No change but a remove of the last one returned. */
void *pdk_table_next(const struct pdk_table *table, size_t *position);

void pdk_table_free(struct pdk_table *table);

#endif
