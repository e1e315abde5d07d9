/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of candidates by label: see index.h. */
#include "index.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/value/value.h"

/* Writes the table's key of a label into text; 0: it is too long. */
static size_t label_text(char text[static PDK_INDEX_TEXT], const char *key, const char *value) {
    size_t key_size = strlen(key), value_size = value ? strlen(value) + 1 : 0;

    if (key_size >= PDK_INDEX_TEXT || value_size > PDK_INDEX_TEXT - key_size) return 0;
    memcpy(text, key, key_size);
    if (value) {
        text[key_size] = '\0';
        memcpy(text + key_size + 1, value, value_size - 1);
    }
    return key_size + value_size;
}

static struct pdk_index_set *set_create(struct pdk_index *index, const char *text, size_t size) {
    struct pdk_index_set *set = calloc(1, sizeof *set + size + 1);

    if (!set) return NULL;
    memcpy(set->text, text, size);
    if (pdk_table_put(&index->table, set->text, size, set) < 0) {
        free(set);
        return NULL;
    }
    set->next = index->sets;
    index->sets = set;
    return set;
}

/* Room for the window to end at this word. */
static int32_t set_reserve(struct pdk_index_set *set, uint32_t word) {
    uint32_t wanted = set->words ? word - set->first + 1 : 1;
    uint32_t capacity = set->capacity ? set->capacity : 1;
    uint64_t *bits;

    if (wanted <= set->capacity) return 0;
    while (capacity < wanted) capacity *= 2;
    bits = reallocarray(set->bits, capacity, sizeof *bits);
    if (!bits) return -ENOMEM;
    memset(bits + set->capacity, 0, (capacity - set->capacity) * sizeof *bits);
    set->bits = bits;
    set->capacity = capacity;
    return 0;
}

static void set_add(struct pdk_index_set *set, uint32_t candidate) {
    uint32_t word = candidate / 64;

    if (set->words == 0) set->first = word;
    set->words = word - set->first + 1;
    set->bits[word - set->first] |= UINT64_C(1) << (candidate % 64);
}

static struct pdk_index_set *find(const struct pdk_index *index, const char *key, const char *value) {
    char text[PDK_INDEX_TEXT];
    size_t size = label_text(text, key, value);

    return size ? pdk_table_get(&index->table, text, size) : NULL;
}

static int32_t label_reserve(struct pdk_index *index, const char *key, const char *value) {
    char text[PDK_INDEX_TEXT];
    size_t size = label_text(text, key, value);
    struct pdk_index_set *set;

    if (size == 0) return -E2BIG;
    set = pdk_table_get(&index->table, text, size);
    if (!set) set = set_create(index, text, size);
    return set ? set_reserve(set, index->count / 64) : -ENOMEM;
}

/* The i-th label, false past the end. */
static bool label_at(const pdk_value *labels, size_t i, const char **ret_key, const char **ret_value) {
    const pdk_values *values = pdk_values_get();
    const char *text;

    if (!labels || i >= values->count(labels)) return false;
    text = pdk_value_text(values->at(labels, i));
    *ret_key = values->key_at(labels, i);
    *ret_value = text ? text : "";
    return true;
}

struct pdk_index *pdk_index_create(const char *kind) {
    size_t size = strlen(kind) + 1;
    struct pdk_index *index = calloc(1, sizeof *index + size);

    if (index) memcpy(index->kind, kind, size);
    return index;
}

void pdk_index_free(struct pdk_index *index) {
    struct pdk_index_set *set;

    if (!index) return;
    while ((set = index->sets)) {
        index->sets = set->next;
        free(set->bits);
        free(set);
    }
    pdk_table_free(&index->table);
    free(index->candidates);
    free(index);
}

int32_t pdk_index_reserve(struct pdk_index *index, const pdk_value *labels) {
    const char *key, *value;

    if (index->count == index->capacity) {
        uint32_t capacity = index->capacity ? index->capacity * 2 : 8;
        uint32_t *candidates = reallocarray(index->candidates, capacity, sizeof *candidates);
        if (!candidates) return -ENOMEM;
        index->candidates = candidates;
        index->capacity = capacity;
    }
    for (size_t i = 0; label_at(labels, i, &key, &value); i++) {
        int32_t rc = label_reserve(index, key, NULL);
        if (rc == 0) rc = label_reserve(index, key, value);
        if (rc < 0) return rc;
    }
    return 0;
}

void pdk_index_commit(struct pdk_index *index, uint32_t runner, const pdk_value *labels) {
    const char *key, *value;

    for (size_t i = 0; label_at(labels, i, &key, &value); i++) {
        set_add(find(index, key, NULL), index->count);
        set_add(find(index, key, value), index->count);
    }
    index->candidates[index->count++] = runner;
}

const struct pdk_index_set *pdk_index_find(const struct pdk_index *index, const char *key, const char *value) {
    return find(index, key, value);
}
