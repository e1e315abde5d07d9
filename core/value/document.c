/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/value/document.h"

#define HOLDS_COMPARED 16 /* how far back a second hold of the same document is noticed; a miss only costs memory */

struct pdk_document *pdk_document_new(void) {
    struct pdk_arena arena = {0};
    struct pdk_document *document = pdk_arena_alloc(&arena, sizeof(*document));
    if (!document) return NULL;
    document->arena = arena;
    atomic_init(&document->references, 1);
    document->files = document->first_files;
    document->file_count = 1;
    document->file_capacity = sizeof(document->first_files) / sizeof(document->first_files[0]);
    return document;
}

void pdk_document_hold(struct pdk_document *document) {
    if (!document) return;
    atomic_fetch_add_explicit(&document->references, 1, memory_order_relaxed);
}

static bool was_last_reference(struct pdk_document *document) {
    return atomic_fetch_sub_explicit(&document->references, 1, memory_order_acq_rel) == 1;
}

static void free_document(struct pdk_document *document) {
    for (struct pdk_document_index *index = document->indexes; index; index = index->next) {
        pdk_table_free(&index->table);
    }
    struct pdk_arena arena = document->arena;
    pdk_arena_free(&arena);
}

/* Documents hold documents hold documents: a list instead of recursion, so that a long chain needs no stack. */
void pdk_document_drop(struct pdk_document *document) {
    if (!document || !was_last_reference(document)) return;
    document->next = NULL;
    while (document) {
        struct pdk_document *rest = document->next;
        for (uint32_t i = 0; i < document->hold_count; i++) {
            struct pdk_document *held = document->holds[i];
            if (!was_last_reference(held)) continue;
            held->next = rest;
            rest = held;
        }
        free_document(document);
        document = rest;
    }
}

/* An array in the arena, twice as large; NULL without memory. */
static void *grow(struct pdk_document *document, const void *old, uint32_t count, size_t size, uint32_t *capacity) {
    uint32_t larger = *capacity ? *capacity * 2 : 4;
    void *array = pdk_arena_alloc(&document->arena, larger * size);
    if (!array) return NULL;
    if (count) memcpy(array, old, count * size);
    *capacity = larger;
    return array;
}

int32_t pdk_document_keep(struct pdk_document *document, struct pdk_document *other) {
    if (other == document) return 0;
    uint32_t compared = document->hold_count < HOLDS_COMPARED ? document->hold_count : HOLDS_COMPARED;
    for (uint32_t i = 1; i <= compared; i++) {
        if (document->holds[document->hold_count - i] == other) return 0;
    }
    if (document->hold_count == document->hold_capacity) {
        void *holds = grow(document, document->holds, document->hold_count, sizeof(struct pdk_document *),
                           &document->hold_capacity);
        if (!holds) return -ENOMEM;
        document->holds = holds;
    }
    pdk_document_hold(other);
    document->holds[document->hold_count++] = other;
    return 0;
}

int32_t pdk_document_file(struct pdk_document *document, const struct pdk_document_file *file, uint16_t *ret) {
    uint32_t i = document->file_count;
    while (--i > 0) { /* the last one is the likeliest */
        if (document->files[i].name == file->name && document->files[i].text == file->text) break;
    }
    if (i == 0 && file->name && document->file_count <= UINT16_MAX) {
        int32_t rc = pdk_document_keep(document, file->owner);
        if (rc) return rc;
        if (document->file_count == document->file_capacity) {
            void *files =
                grow(document, document->files, document->file_count, sizeof(*file), &document->file_capacity);
            if (!files) return -ENOMEM;
            document->files = files;
        }
        i = document->file_count++;
        document->files[i] = *file;
    }
    *ret = (uint16_t)i;
    return 0;
}

struct pdk_table *pdk_document_index(struct pdk_document *document) {
    struct pdk_document_index *index = pdk_arena_alloc(&document->arena, sizeof(*index));
    if (!index) return NULL;
    index->next = document->indexes;
    document->indexes = index;
    return &index->table;
}
