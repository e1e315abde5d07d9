/* SPDX-License-Identifier: Apache-2.0 */
/* The owner of a tree: its memory, the files it was read from, and the documents it shares parts of. */
#ifndef CORE_VALUE_DOCUMENT_H
#define CORE_VALUE_DOCUMENT_H

#include <stdatomic.h>

#include "core/base/arena.h"
#include "core/base/table.h"
#include "core/value/value.h"

struct pdk_document_file {
    const char *name, *text;    /* text NULL: nothing to quote */
    const char *folder;         /* where its relative paths start; NULL: unknown */
    struct pdk_document *owner; /* in whose arena both lie */
};

struct pdk_document_index {
    struct pdk_table table;
    struct pdk_document_index *next;
};

struct pdk_document {
    atomic_size_t references;
    struct pdk_arena arena; /* this struct lies in it, too */
    const struct pdk_value *root;
    struct pdk_document_file *files; /* [0]: unknown */
    struct pdk_document **holds;
    uint32_t file_count, file_capacity, hold_count, hold_capacity;
    uint32_t nodes, height; /* of the root, shared parts included */
    struct pdk_document_index *indexes;
    struct pdk_document *next; /* while being dropped */
    struct pdk_document_file first_files[2];
};

/* With one reference, or NULL. */
struct pdk_document *pdk_document_new(void);
/* Both take NULL: that of a constant value. */
void pdk_document_hold(struct pdk_document *document);
void pdk_document_drop(struct pdk_document *document);

/* Keep other alive as long as document lives. 0 or -ENOMEM. */
int32_t pdk_document_keep(struct pdk_document *document, struct pdk_document *other);

/* The number of a file, added if it is new; its owner is kept. 0 or -ENOMEM. */
int32_t pdk_document_file(struct pdk_document *document, const struct pdk_document_file *file, uint16_t *ret);

/* A table that dies with the document, or NULL. */
struct pdk_table *pdk_document_index(struct pdk_document *document);

#endif
