/* SPDX-License-Identifier: Apache-2.0 */
/* Anchors and aliases: every use is a copy that stands where it is used, so that paths and places are right; the
 * copies are counted like everything else, so that a few lines cannot become a forest. */
#include <errno.h>
#include <string.h>

#include "core/value/alias.h"
#include "core/yaml/reader.h"

#define ALIASES_MAX 1000

int32_t pdk_yaml_anchor(struct pdk_yaml_reader *reader, const yaml_char_t *name, struct pdk_value *node) {
    if (!name) return 0;
    size_t size = strlen((const char *)name);
    char *copy = pdk_arena_text(&reader->build.document->arena, (const char *)name, size);
    return copy ? pdk_table_put(&reader->anchors, copy, size, node) : -ENOMEM;
}

/* One copy being made: all its nodes stand at the alias. */
struct copying {
    struct pdk_builder *build;
    struct pdk_mark mark;
};

static struct pdk_value *copy_tree(const struct copying *copying, const struct pdk_value *source,
                                   struct pdk_value *parent, uint32_t level);

static int32_t copy_items(const struct copying *copying, const struct pdk_value *source, struct pdk_value *node,
                          uint32_t level) {
    const struct pdk_value **items =
        pdk_arena_alloc(&copying->build->document->arena, source->size * sizeof(struct pdk_value *));
    if (!items) return -ENOMEM;
    for (uint32_t i = 0; i < source->size; i++) {
        items[i] = copy_tree(copying, source->as.items[i], node, level);
        if (!items[i]) return -ENOMEM;
    }
    node->as.items = items;
    return 0;
}

static int32_t copy_entries(const struct copying *copying, const struct pdk_value *source, struct pdk_value *node,
                            uint32_t level) {
    struct pdk_document *document = copying->build->document;
    struct pdk_value_entry *entries = pdk_arena_alloc(&document->arena, source->size * sizeof(*entries));
    struct pdk_table *index = source->as.map.index ? pdk_document_index(document) : NULL;
    if (!entries || (source->as.map.index && !index)) return -ENOMEM;
    for (uint32_t i = 0; i < source->size; i++) {
        struct pdk_value_entry *entry = &entries[i];
        *entry = source->as.map.entries[i];
        entry->line = copying->mark.line;
        entry->column = copying->mark.column;
        entry->span = copying->mark.span;
        entry->value = copy_tree(copying, entry->value, node, level);
        if (!entry->value) return -ENOMEM;
        if (index && pdk_table_put(index, entry->key, entry->key_size, entry)) return -ENOMEM;
    }
    node->as.map.entries = entries;
    node->as.map.index = index;
    return 0;
}

/* level: how many are open around the copy. NULL: the builder has the error, or there is no memory. */
static struct pdk_value *copy_tree(const struct copying *copying, const struct pdk_value *source,
                                   struct pdk_value *parent, uint32_t level) {
    struct pdk_builder *build = copying->build;
    if (source->type >= PDK_LIST) level++;
    if (pdk_build_count(build, 1) || pdk_build_height(build, level)) return NULL;
    struct pdk_value_alias *alias = pdk_arena_alloc(&build->document->arena, sizeof(*alias));
    if (!alias) return NULL;
    const struct pdk_value *origin = pdk_value_origin(source);
    struct pdk_value *node = &alias->value;
    *node = *source;
    node->parent = parent;
    node->flags |= PDK_VALUE_ALIASED;
    node->line = copying->mark.line;
    node->column = copying->mark.column;
    node->span = copying->mark.span;
    alias->origin = origin ? origin : source;
    int32_t rc = 0;
    if (source->type == PDK_LIST) rc = copy_items(copying, source, node, level);
    if (source->type == PDK_MAP) rc = copy_entries(copying, source, node, level);
    return rc ? NULL : node;
}

/* Why a copy could not be made, as a fault. */
static int32_t explain_copy(struct pdk_yaml_reader *reader, const struct pdk_mark *mark) {
    if (!reader->build.error || reader->build.error == -ENOMEM) return -ENOMEM;
    return pdk_yaml_fault(reader, mark, "use fewer aliases", NULL, NULL, "with its aliases the file has %s",
                          reader->build.why);
}

static bool is_open(const struct pdk_yaml_reader *reader, const struct pdk_value *node) {
    for (uint32_t i = 0; i < reader->build.depth; i++) {
        if (reader->build.frames[i].node == node) return true;
    }
    return false;
}

/* The anchored node, or NULL with a fault given. */
static const struct pdk_value *find_anchor(struct pdk_yaml_reader *reader, const char *name,
                                           const struct pdk_mark *mark) {
    if (++reader->aliases > ALIASES_MAX) {
        pdk_yaml_fault(reader, mark, NULL, NULL, NULL, "more than %d aliases", ALIASES_MAX);
        return NULL;
    }
    const struct pdk_value *node = pdk_table_get(&reader->anchors, name, strlen(name));
    if (!node) {
        pdk_yaml_fault(reader, mark, "define it above, or put the text in quotes", NULL, NULL,
                       "there is no anchor \"&%s\" before this", name);
    } else if (is_open(reader, node)) {
        struct pdk_mark note = {node->line, node->column, 1, reader->file};
        pdk_yaml_fault(reader, mark, "break the circle", &note, "the anchor is here",
                       "the alias \"*%s\" is inside its own anchor", name);
        node = NULL;
    }
    return node;
}

static int32_t put_copy(struct pdk_yaml_reader *reader, const struct pdk_value *source, const struct pdk_mark *mark) {
    const struct copying copying = {&reader->build, *mark};
    const struct pdk_build_frame *top = pdk_build_top(&reader->build);
    struct pdk_value *node = copy_tree(&copying, source, top ? top->node : NULL, reader->build.depth);
    if (!node) return explain_copy(reader, mark);
    return pdk_build_attach(&reader->build, node);
}

static int32_t note_merge(struct pdk_yaml_reader *reader, const struct pdk_value *source, const struct pdk_mark *mark) {
    if (source->type != PDK_MAP) {
        struct pdk_mark note = {source->line, source->column, source->span, reader->file};
        return pdk_yaml_fault(reader, mark, "a map", &note, "this is what it names",
                              "\"<<\" merges anchored maps only");
    }
    struct pdk_yaml_merge *merge = pdk_arena_alloc(&reader->build.document->arena, sizeof(*merge));
    if (!merge) return -ENOMEM;
    *merge = (struct pdk_yaml_merge){source, *mark, NULL};
    struct pdk_yaml_merge **last = &reader->merges[reader->build.depth];
    while (*last) last = &(*last)->next;
    *last = merge;
    if (reader->merging == PDK_YAML_MERGE_VALUE) reader->merging = PDK_YAML_NO_MERGE;
    return 0;
}

int32_t pdk_yaml_alias(struct pdk_yaml_reader *reader, const yaml_event_t *event) {
    struct pdk_mark mark = pdk_yaml_mark(reader, &event->start_mark, &event->end_mark);
    const struct pdk_build_frame *top = pdk_build_top(&reader->build);
    const struct pdk_value *source = find_anchor(reader, (const char *)event->data.alias.anchor, &mark);
    if (!source) return -EINVAL;
    if (reader->merging) return note_merge(reader, source, &mark);
    if (top && top->node->type == PDK_MAP && !pdk_build_has_key(&reader->build)) {
        return pdk_yaml_fault(reader, &mark, "write NAME: VALUE", NULL, NULL, "an alias cannot be a key");
    }
    return put_copy(reader, source, &mark);
}

/* Behind the map's own keys, in order: the builder drops those that are there already. */
int32_t pdk_yaml_apply_merges(struct pdk_yaml_reader *reader) {
    struct pdk_builder *build = &reader->build;
    struct pdk_yaml_merge *merge = reader->merges[build->depth];
    struct pdk_build_frame *top = pdk_build_top(build);
    if (merge) top->own = build->count - top->first;
    for (; merge; merge = merge->next) {
        for (uint32_t i = 0; i < merge->source->size; i++) {
            const struct pdk_value_entry *entry = &merge->source->as.map.entries[i];
            int32_t rc = pdk_build_key(build, entry->key, entry->key_size, &merge->mark);
            if (!rc) rc = put_copy(reader, entry->value, &merge->mark);
            if (rc) return rc;
        }
    }
    return 0;
}
