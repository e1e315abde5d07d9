/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing. An entry that was removed keeps its slot as a tombstone (key set, value
 * NULL) until the next rehash, so that a walk may remove as it goes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/table.h"

#define CAPACITY_FIRST 16

struct pdk_table_entry {
    const char *key; /* NULL: never used */
    size_t key_size;
    uint64_t hash;
    void *value; /* NULL under a key: removed */
};

static const char tombstone[1];

/* The entry of this key, or the first free one where it may go; the table has a free one. */
static struct pdk_table_entry *probe(const struct pdk_table *table, const char *key, size_t key_size, uint64_t hash) {
    struct pdk_table_entry *grave = NULL;
    for (size_t i = (size_t)hash;; i++) {
        struct pdk_table_entry *entry = &table->entries[i & (table->capacity - 1)];
        if (!entry->key) return grave ? grave : entry;
        if (!entry->value) {
            if (!grave) grave = entry;
        } else if (entry->hash == hash && entry->key_size == key_size && memcmp(entry->key, key, key_size) == 0) {
            return entry;
        }
    }
}

/* Make room, and bury the tombstones, so that at most three quarters are in use. */
static int32_t rehash(struct pdk_table *table) {
    size_t capacity = CAPACITY_FIRST;
    while (capacity * 3 < (table->count + 1) * 5) {
        if (capacity > SIZE_MAX / 4) return -ENOMEM;
        capacity *= 2;
    }
    struct pdk_table grown = {calloc(capacity, sizeof(*grown.entries)), table->count, table->count, capacity,
                              table->capacity ? table->hash_key : pdk_hash_key()};
    if (!grown.entries) return -ENOMEM;
    for (size_t i = 0; i < table->capacity; i++) {
        const struct pdk_table_entry *entry = &table->entries[i];
        if (entry->value) *probe(&grown, entry->key, entry->key_size, entry->hash) = *entry;
    }
    free(table->entries);
    *table = grown;
    return 0;
}

static int32_t make_room(struct pdk_table *table) {
    return (table->used + 1) * 4 > table->capacity * 3 ? rehash(table) : 0;
}

/* Into an entry that probe gave. */
static void fill(struct pdk_table *table, struct pdk_table_entry *entry, const struct pdk_table_entry *content) {
    if (!entry->key) table->used++;
    if (!entry->value) table->count++;
    *entry = *content;
}

int32_t pdk_table_put(struct pdk_table *table, const char *key, size_t key_size, void *value) {
    int32_t rc = make_room(table);
    if (rc) return rc;
    struct pdk_table_entry content = {key, key_size, pdk_hash(&table->hash_key, key, key_size), value};
    fill(table, probe(table, key, key_size, content.hash), &content);
    return 0;
}

int32_t pdk_table_add(struct pdk_table *table, const char *key, size_t key_size, void *value, void **ret_there) {
    int32_t rc = make_room(table);
    if (rc) return rc;
    struct pdk_table_entry content = {key, key_size, pdk_hash(&table->hash_key, key, key_size), value};
    struct pdk_table_entry *entry = probe(table, key, key_size, content.hash);
    *ret_there = entry->value;
    if (!entry->value) fill(table, entry, &content);
    return 0;
}

static struct pdk_table_entry *find(const struct pdk_table *table, const char *key, size_t key_size) {
    if (!table->count) return NULL;
    struct pdk_table_entry *entry = probe(table, key, key_size, pdk_hash(&table->hash_key, key, key_size));
    return entry->value ? entry : NULL;
}

void *pdk_table_get(const struct pdk_table *table, const char *key, size_t key_size) {
    const struct pdk_table_entry *entry = find(table, key, key_size);
    return entry ? entry->value : NULL;
}

void *pdk_table_remove(struct pdk_table *table, const char *key, size_t key_size) {
    struct pdk_table_entry *entry = find(table, key, key_size);
    if (!entry) return NULL;
    void *value = entry->value;
    *entry = (struct pdk_table_entry){.key = tombstone}; /* the caller's key may go now */
    table->count--;
    return value;
}

void *pdk_table_next(const struct pdk_table *table, size_t *position) {
    while (*position < table->capacity) {
        void *value = table->entries[(*position)++].value;
        if (value) return value;
    }
    return NULL;
}

void pdk_table_free(struct pdk_table *table) {
    free(table->entries);
    *table = (struct pdk_table){0};
}
