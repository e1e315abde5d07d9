/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/value/build.h"
#include "core/value/path.h"
#include "core/value/read.h"

#define INDEX_FROM     17 /* entries of a map; fewer are found faster by looking at each */
#define PATH_MAX_BYTES 512

int32_t pdk_build_start(struct pdk_builder *builder) {
    /* Not the arrays: they are large, and what count and depth do not reach is never read. */
    memset(builder, 0, offsetof(struct pdk_builder, few_entries));
    builder->entries = builder->few_entries;
    builder->capacity = sizeof(builder->few_entries) / sizeof(builder->few_entries[0]);
    builder->frames = builder->few_frames;
    builder->document = pdk_document_new();
    return builder->document ? 0 : pdk_build_fail(builder, -ENOMEM, "no memory");
}

void pdk_build_discard(struct pdk_builder *builder) {
    if (builder->entries != builder->few_entries) free(builder->entries);
    if (builder->frames != builder->few_frames) free(builder->frames);
    if (builder->document) pdk_document_drop(builder->document);
    builder->document = NULL;
    builder->entries = builder->few_entries;
    builder->frames = builder->few_frames;
}

int32_t pdk_build_fail(struct pdk_builder *builder, int32_t error, const char *format, ...) {
    if (builder->error) return builder->error;
    va_list args;
    va_start(args, format);
    vsnprintf(builder->why, sizeof(builder->why), format, args);
    va_end(args);
    return builder->error = error;
}

static int32_t no_memory(struct pdk_builder *builder) {
    return pdk_build_fail(builder, -ENOMEM, "no memory");
}

int32_t pdk_build_count(struct pdk_builder *builder, uint32_t nodes) {
    if (nodes > PDK_VALUE_NODES_MAX - builder->nodes) {
        return pdk_build_fail(builder, -E2BIG, "more than %d values", PDK_VALUE_NODES_MAX);
    }
    builder->nodes += nodes;
    return 0;
}

static struct pdk_value_entry *new_entry(struct pdk_builder *builder) {
    if (builder->count == builder->capacity) {
        bool few = builder->entries == builder->few_entries;
        uint32_t capacity = builder->capacity * 2; /* the limit of nodes bounds it */
        struct pdk_value_entry *entries =
            reallocarray(few ? NULL : builder->entries, capacity, sizeof(*builder->entries));
        if (!entries) {
            no_memory(builder);
            return NULL;
        }
        if (few) memcpy(entries, builder->few_entries, sizeof(builder->few_entries));
        builder->entries = entries;
        builder->capacity = capacity;
    }
    struct pdk_value_entry *entry = &builder->entries[builder->count++];
    memset(entry, 0, sizeof(*entry));
    return entry;
}

int32_t pdk_build_key(struct pdk_builder *builder, const char *key, size_t size, const struct pdk_mark *mark) {
    const struct pdk_build_frame *top = pdk_build_top(builder);
    if (builder->error) return builder->error;
    if (!top || top->node->type != PDK_MAP) return pdk_build_fail(builder, -EINVAL, "key \"%s\" outside a map", key);
    if (pdk_build_has_key(builder)) {
        return pdk_build_fail(builder, -EINVAL, "key \"%s\" without a value", builder->entries[builder->count - 1].key);
    }
    struct pdk_value_entry *entry = new_entry(builder);
    if (!entry) return builder->error;
    *entry = (struct pdk_value_entry){key, (uint32_t)size, mark->line, mark->column, mark->span, NULL};
    return 0;
}

int32_t pdk_build_attach(struct pdk_builder *builder, const struct pdk_value *value) {
    if (builder->error) return builder->error;
    const struct pdk_build_frame *top = pdk_build_top(builder);
    if (!top) {
        if (builder->root) return pdk_build_fail(builder, -EINVAL, "a second value");
        builder->root = value;
    } else if (top->node->type == PDK_MAP) {
        if (!pdk_build_has_key(builder)) return pdk_build_fail(builder, -EINVAL, "a value without a key in a map");
        builder->entries[builder->count - 1].value = value;
    } else {
        struct pdk_value_entry *entry = new_entry(builder);
        if (entry) entry->value = value;
    }
    return builder->error;
}

static struct pdk_value *new_node(struct pdk_builder *builder, int32_t type, const struct pdk_mark *mark) {
    if (builder->error || pdk_build_count(builder, 1)) return NULL;
    struct pdk_value *node = pdk_arena_alloc(&builder->document->arena, sizeof(*node));
    if (!node) {
        no_memory(builder);
        return NULL;
    }
    node->document = builder->document;
    node->parent = builder->depth ? builder->frames[builder->depth - 1].node : NULL;
    node->type = (uint8_t)type;
    node->file = mark->file;
    node->line = mark->line;
    node->column = mark->column;
    node->span = mark->span;
    return pdk_build_attach(builder, node) ? NULL : node;
}

struct pdk_value *pdk_build_scalar(struct pdk_builder *builder, int32_t type, const char *text, size_t size,
                                   const struct pdk_mark *mark) {
    struct pdk_value *node = new_node(builder, type, mark);
    if (!node) return NULL;
    node->as.scalar.text = text;
    node->size = (uint32_t)size;
    return node;
}

int32_t pdk_build_height(struct pdk_builder *builder, uint32_t height) {
    if (height > PDK_VALUE_DEPTH_MAX) {
        return pdk_build_fail(builder, -E2BIG, "nested more than %d deep", PDK_VALUE_DEPTH_MAX);
    }
    if (height > builder->height) builder->height = height;
    return 0;
}

/* Room for what is opened next. Few are as deep as to need more than there is. */
static int32_t reserve_frame(struct pdk_builder *builder) {
    size_t few = sizeof(builder->few_frames) / sizeof(builder->few_frames[0]);
    if (builder->depth < few || builder->frames != builder->few_frames) return 0;
    struct pdk_build_frame *frames = reallocarray(NULL, PDK_VALUE_DEPTH_MAX, sizeof(*frames));
    if (!frames) return no_memory(builder);
    memcpy(frames, builder->few_frames, sizeof(builder->few_frames));
    builder->frames = frames;
    return 0;
}

struct pdk_value *pdk_build_open(struct pdk_builder *builder, int32_t type, const struct pdk_mark *mark) {
    if (builder->error || pdk_build_height(builder, builder->depth + 1) || reserve_frame(builder)) return NULL;
    struct pdk_value *node = new_node(builder, type, mark);
    if (!node) return NULL;
    builder->frames[builder->depth++] = (struct pdk_build_frame){node, builder->count, PDK_BUILD_ALL_OWN};
    return node;
}

static int32_t end_list(struct pdk_builder *builder, const struct pdk_build_frame *frame) {
    uint32_t count = builder->count - frame->first;
    const struct pdk_value **items = pdk_arena_alloc(&builder->document->arena, count * sizeof(struct pdk_value *));
    if (!items) return no_memory(builder);
    for (uint32_t i = 0; i < count; i++) items[i] = builder->entries[frame->first + i].value;
    frame->node->as.items = items;
    frame->node->size = count;
    return 0;
}

/* The entries that a map keeps, and their index if they are many. */
struct kept {
    struct pdk_value_entry *entries;
    struct pdk_table *index;
    uint32_t count;
};

/* Keep one more; *ret_first is the one of this key that is there already, or NULL. 0 or -ENOMEM. */
static int32_t keep(struct kept *kept, const struct pdk_value_entry *more, const struct pdk_value_entry **ret_first) {
    struct pdk_value_entry *place = &kept->entries[kept->count];
    void *first = NULL;
    *place = *more;
    if (kept->index) {
        int32_t rc = pdk_table_add(kept->index, place->key, place->key_size, place, &first);
        if (rc) return rc;
    }
    for (uint32_t i = 0; !kept->index && !first && i < kept->count; i++) {
        struct pdk_value_entry *entry = &kept->entries[i];
        if (entry->key_size == place->key_size && memcmp(entry->key, place->key, place->key_size) == 0) first = entry;
    }
    if (!first) kept->count++;
    *ret_first = first;
    return 0;
}

static int32_t refuse_double(struct pdk_builder *builder, const struct pdk_value *map,
                             const struct pdk_value_entry *first, const struct pdk_value_entry *second) {
    if (!builder->report) return pdk_build_fail(builder, -EINVAL, "the key \"%s\" is here twice", second->key);
    char path[PATH_MAX_BYTES], message[PATH_MAX_BYTES];
    const struct pdk_document_file *file = &map->document->files[map->file];
    struct pdk_fault fault = {.code = -EINVAL, .expected = "every name once", .note_text = "the first is here"};
    fault.place = (struct pdk_place){file->name, file->text, second->line, second->column, second->span};
    fault.note = (struct pdk_place){file->name, file->text, first->line, first->column, first->span};
    fault.path = pdk_build_path(builder, path, sizeof(path));
    snprintf(message, sizeof(message), "\"%s\" is here twice", second->key);
    fault.message = message;
    pdk_report_add(builder->report, &fault);
    return 0;
}

static int32_t end_map(struct pdk_builder *builder, const struct pdk_build_frame *frame) {
    uint32_t count = builder->count - frame->first;
    struct pdk_document *document = builder->document;
    struct kept kept = {pdk_arena_alloc(&document->arena, count * sizeof(*kept.entries)), NULL, 0};
    if (count >= INDEX_FROM) kept.index = pdk_document_index(document);
    if (!kept.entries || (count >= INDEX_FROM && !kept.index)) return no_memory(builder);
    for (uint32_t i = 0; i < count; i++) {
        const struct pdk_value_entry *entry = &builder->entries[frame->first + i], *first;
        if (keep(&kept, entry, &first)) return no_memory(builder);
        if (first && i < frame->own && refuse_double(builder, frame->node, first, entry)) return builder->error;
    }
    frame->node->as.map.entries = kept.entries;
    frame->node->as.map.index = kept.index;
    frame->node->size = kept.count;
    return 0;
}

int32_t pdk_build_end(struct pdk_builder *builder) {
    if (builder->error) return builder->error;
    const struct pdk_build_frame *top = pdk_build_top(builder);
    if (!top) return pdk_build_fail(builder, -EINVAL, "an end without a beginning");
    if (pdk_build_has_key(builder)) {
        return pdk_build_fail(builder, -EINVAL, "key \"%s\" without a value", builder->entries[builder->count - 1].key);
    }
    int32_t rc = top->node->type == PDK_MAP ? end_map(builder, top) : end_list(builder, top);
    builder->count = top->first;
    builder->depth--;
    return rc;
}

/* Nodes and height of a part, its shared parts included. Bounded: every tree keeps the limits. */
static void measure(const struct pdk_value *value, uint32_t *nodes, uint32_t *height) {
    uint32_t highest = 0;
    *nodes = 1;
    for (size_t i = 0; value->type >= PDK_LIST && i < value->size; i++) {
        uint32_t part_nodes, part_height;
        measure(pdk_value_at(value, i), &part_nodes, &part_height);
        *nodes += part_nodes;
        if (part_height > highest) highest = part_height;
    }
    *height = value->type >= PDK_LIST ? highest + 1 : 0;
}

int32_t pdk_build_share(struct pdk_builder *builder, const struct pdk_value *value) {
    if (builder->error) return builder->error;
    const struct pdk_document *document = value->document;
    uint32_t nodes, height;
    if (document && value == document->root) {
        nodes = document->nodes;
        height = document->height;
    } else {
        measure(value, &nodes, &height);
    }
    if (pdk_build_count(builder, nodes) || pdk_build_height(builder, builder->depth + height)) return builder->error;
    if (document && pdk_document_keep(builder->document, value->document)) return no_memory(builder);
    return pdk_build_attach(builder, value);
}

int32_t pdk_build_finish(struct pdk_builder *builder, const struct pdk_value **ret) {
    if (builder->error) return builder->error;
    if (builder->depth) {
        bool map = pdk_build_top(builder)->node->type == PDK_MAP;
        return pdk_build_fail(builder, -EINVAL, "a %s was not ended", map ? "map" : "list");
    }
    if (!builder->root) return pdk_build_fail(builder, -EINVAL, "nothing was written");
    if (builder->root->document == builder->document) {
        builder->document->root = builder->root;
        builder->document->nodes = builder->nodes;
        builder->document->height = builder->height;
    }
    pdk_document_hold(builder->root->document);
    *ret = builder->root;
    return 0;
}

const char *pdk_build_path(const struct pdk_builder *builder, char *buf, size_t size) {
    struct pdk_path path = pdk_path_start(buf, size);
    for (uint32_t i = 0; i < builder->depth; i++) {
        const struct pdk_build_frame *frame = &builder->frames[i];
        uint32_t beyond = i + 1 < builder->depth ? builder->frames[i + 1].first : builder->count;
        bool waiting = i + 1 < builder->depth || pdk_build_has_key(builder);
        if (frame->node->type == PDK_LIST) {
            pdk_path_index(&path, beyond - frame->first - (i + 1 < builder->depth));
        } else if (waiting) {
            pdk_path_key(&path, builder->entries[beyond - 1].key);
        }
    }
    return buf;
}
