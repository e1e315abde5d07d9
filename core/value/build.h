/* SPDX-License-Identifier: Apache-2.0 */
/* How every tree is made, whoever makes it: nodes in an arena, what is open on a stack. Keeps the limits and refuses
 * double keys. The first error sticks. */
#ifndef CORE_VALUE_BUILD_H
#define CORE_VALUE_BUILD_H

#include "core/value/document.h"

/* Where something was written; all 0: unknown. */
struct pdk_mark {
    uint32_t line, column, span;
    uint16_t file;
};

struct pdk_build_frame {
    struct pdk_value *node;
    uint32_t first; /* its entries among those gathered */
    uint32_t own;   /* how many of them it has by itself, the others by merging: they give way */
};

struct pdk_builder {
    struct pdk_document *document;
    struct pdk_report *report; /* if set, a double key is a fault there and the building goes on */
    const struct pdk_value *root;
    uint32_t nodes, height;
    int32_t error;
    char why[192];
    uint32_t depth, count, capacity;
    struct pdk_value_entry *entries; /* of all that is open; a list's have no key */
    struct pdk_build_frame *frames;  /* what is open */
    /* Enough for most, without malloc, and few enough that a writer is as small as malloc gives again at once. */
    struct pdk_value_entry few_entries[20];
    struct pdk_build_frame few_frames[6];
};

#define PDK_BUILD_ALL_OWN UINT32_MAX

/* 0 or -ENOMEM. discard must follow in every case. */
int32_t pdk_build_start(struct pdk_builder *builder);
void pdk_build_discard(struct pdk_builder *builder);

/* The tree, held once by the caller. */
int32_t pdk_build_finish(struct pdk_builder *builder, const struct pdk_value **ret);

/* A new scalar, whose text is in the document's arena; NULL: error is set. */
struct pdk_value *pdk_build_scalar(struct pdk_builder *builder, int32_t type, const char *text, size_t size,
                                   const struct pdk_mark *mark);
/* Opens a PDK_LIST or PDK_MAP. */
struct pdk_value *pdk_build_open(struct pdk_builder *builder, int32_t type, const struct pdk_mark *mark);

/* key: in the document's arena, as long as the tree. */
int32_t pdk_build_key(struct pdk_builder *builder, const char *key, size_t size, const struct pdk_mark *mark);
int32_t pdk_build_end(struct pdk_builder *builder);

/* A part of another document, shared; or a node that was made in this document, whose nodes are counted already. */
int32_t pdk_build_share(struct pdk_builder *builder, const struct pdk_value *value);
int32_t pdk_build_attach(struct pdk_builder *builder, const struct pdk_value *value);

/* Count so many more nodes, or note how deep the tree is, and refuse too much. */
int32_t pdk_build_count(struct pdk_builder *builder, uint32_t nodes);
int32_t pdk_build_height(struct pdk_builder *builder, uint32_t height);

int32_t pdk_build_fail(struct pdk_builder *builder, int32_t error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What is open, and the one whose child comes next (NULL: none). */
static inline struct pdk_build_frame *pdk_build_top(struct pdk_builder *builder) {
    return builder->depth ? &builder->frames[builder->depth - 1] : NULL;
}

/* Does a map wait for the value of a key? */
static inline bool pdk_build_has_key(const struct pdk_builder *builder) {
    if (!builder->depth) return false;
    const struct pdk_build_frame *top = &builder->frames[builder->depth - 1];
    return top->node->type == PDK_MAP && builder->count > top->first && !builder->entries[builder->count - 1].value;
}

/* The path of what is open, with the key that waits for its value. Returns buf. */
const char *pdk_build_path(const struct pdk_builder *builder, char *buf, size_t size);

#endif
