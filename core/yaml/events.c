/* SPDX-License-Identifier: Apache-2.0 */
/* What each event of libyaml does to the tree. */
#include <errno.h>
#include <string.h>

#include "core/value/scalar.h"
#include "core/yaml/reader.h"

#define KEY_MAX    253
#define SCALAR_MAX ((size_t)1 << 20)

enum { GO_ON = 0, AT_END = 1 };

static struct pdk_mark mark_of(const struct pdk_yaml_reader *reader, const yaml_event_t *event) {
    return pdk_yaml_mark(reader, &event->start_mark, &event->end_mark);
}

/* The limits that the builder keeps become faults here. */
static int32_t check_build(struct pdk_yaml_reader *reader, const struct pdk_mark *mark) {
    int32_t error = reader->build.error;
    if (!error || error == -ENOMEM) return error;
    return pdk_yaml_fault(reader, mark, NULL, NULL, NULL, "%s", reader->build.why);
}

/* Goes on after it: there are more where one is. */
static void refuse_tag(struct pdk_yaml_reader *reader, const struct pdk_mark *mark, const yaml_char_t *tag) {
    if (!tag) return;
    pdk_yaml_fault(reader, mark, "leave it out; the field decides the type", NULL, NULL, "tags are not supported");
}

static int32_t refuse_merge(struct pdk_yaml_reader *reader, const struct pdk_mark *mark) {
    reader->merging = PDK_YAML_NO_MERGE;
    return pdk_yaml_fault(reader, mark, "write <<: *name or <<: [*a, *b]", NULL, NULL,
                          "\"<<\" merges anchored maps only");
}

static bool is_key_next(struct pdk_yaml_reader *reader) {
    const struct pdk_build_frame *top = pdk_build_top(&reader->build);
    return top && top->node->type == PDK_MAP && reader->merging == PDK_YAML_NO_MERGE &&
           !pdk_build_has_key(&reader->build);
}

/* Where a mark is in the text. Marks only ever go forward, and so does the cursor. */
static const char *find_text(struct pdk_yaml_reader *reader, const struct pdk_mark *mark) {
    for (; reader->line < mark->line; reader->line++) {
        const char *end = strchr(reader->cursor, '\n');
        if (!end) break;
        reader->cursor = end + 1;
        reader->column = 1;
    }
    for (; reader->column < mark->column && *reader->cursor; reader->column++) {
        do reader->cursor++;
        while (((unsigned char)*reader->cursor & 0xC0) == 0x80);
    }
    return reader->cursor;
}

/* libyaml gives the same events for `? key` and `key`, so look at what stands before it. */
static bool has_question_mark(struct pdk_yaml_reader *reader, const struct pdk_mark *mark) {
    if (!reader->has_question) return false;
    const char *text = find_text(reader, mark);
    while (text > reader->text && (text[-1] == ' ' || text[-1] == '\t')) text--;
    return text > reader->text && text[-1] == '?';
}

static int32_t check_key(struct pdk_yaml_reader *reader, const yaml_event_t *event, const struct pdk_mark *mark) {
    size_t size = event->data.scalar.length;
    if (event->data.scalar.anchor) {
        return pdk_yaml_fault(reader, mark, "put it before the value", NULL, NULL, "an anchor cannot stand at a key");
    }
    if (has_question_mark(reader, mark)) {
        return pdk_yaml_fault(reader, mark, "write NAME: VALUE", NULL, NULL, "keys with \"? \" are not supported");
    }
    if (size > KEY_MAX) {
        return pdk_yaml_fault(reader, mark, "at most 253 bytes", NULL, NULL, "a key of %zu bytes", size);
    }
    if (memchr(event->data.scalar.value, '\0', size)) {
        return pdk_yaml_fault(reader, mark, NULL, NULL, NULL, "a NUL in a key");
    }
    return GO_ON;
}

static int32_t read_key(struct pdk_yaml_reader *reader, const yaml_event_t *event, const struct pdk_mark *mark) {
    const char *key = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    int32_t rc = check_key(reader, event, mark);
    if (rc) return rc;
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(key, "<<") == 0) {
        bool *merged = &reader->merged[reader->build.depth];
        if (*merged) {
            return pdk_yaml_fault(reader, mark, "write <<: [*a, *b]", NULL, NULL, "\"<<\" is here twice");
        }
        *merged = true;
        reader->merging = PDK_YAML_MERGE_VALUE;
        return GO_ON;
    }
    char *copy = pdk_arena_text(&reader->build.document->arena, key, size);
    return copy ? pdk_build_key(&reader->build, copy, size, mark) : -ENOMEM;
}

static int32_t read_value(struct pdk_yaml_reader *reader, const yaml_event_t *event, const struct pdk_mark *mark) {
    const char *value = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    if (size > SCALAR_MAX) {
        return pdk_yaml_fault(reader, mark, "put it in a file", NULL, NULL, "a text of more than 1 MiB");
    }
    if (memchr(value, '\0', size)) {
        return pdk_yaml_fault(reader, mark, "no program could be given it", NULL, NULL, "a NUL in a text");
    }
    char *copy = pdk_arena_text(&reader->build.document->arena, value, size);
    if (!copy) return -ENOMEM;
    struct pdk_value *node = pdk_build_scalar(&reader->build, PDK_STRING, copy, size, mark);
    if (!node) return check_build(reader, mark);
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        pdk_scalar_resolve(node);
    } else {
        node->flags = PDK_VALUE_QUOTED;
    }
    return pdk_yaml_anchor(reader, event->data.scalar.anchor, node);
}

static int32_t on_scalar(struct pdk_yaml_reader *reader, const yaml_event_t *event) {
    struct pdk_mark mark = mark_of(reader, event);
    refuse_tag(reader, &mark, event->data.scalar.tag);
    if (reader->merging) return refuse_merge(reader, &mark);
    return is_key_next(reader) ? read_key(reader, event, &mark) : read_value(reader, event, &mark);
}

static int32_t open_node(struct pdk_yaml_reader *reader, const yaml_event_t *event, int32_t type,
                         const yaml_char_t *anchor, const yaml_char_t *tag) {
    struct pdk_mark mark = mark_of(reader, event);
    refuse_tag(reader, &mark, tag);
    if (is_key_next(reader)) {
        return pdk_yaml_fault(reader, &mark, "write NAME: VALUE", NULL, NULL, "a %s cannot be a key",
                              type == PDK_MAP ? "map" : "list");
    }
    if (reader->merging == PDK_YAML_MERGE_VALUE && type == PDK_LIST) {
        reader->merging = PDK_YAML_MERGE_LIST;
        return GO_ON;
    }
    if (reader->merging) return refuse_merge(reader, &mark);
    mark.span = UINT32_MAX; /* until its end is known */
    struct pdk_value *node = pdk_build_open(&reader->build, type, &mark);
    if (!node) return check_build(reader, &mark);
    reader->merges[reader->build.depth] = NULL;
    reader->merged[reader->build.depth] = false;
    return pdk_yaml_anchor(reader, anchor, node);
}

static int32_t on_list(struct pdk_yaml_reader *reader, const yaml_event_t *event) {
    return open_node(reader, event, PDK_LIST, event->data.sequence_start.anchor, event->data.sequence_start.tag);
}

static int32_t on_map(struct pdk_yaml_reader *reader, const yaml_event_t *event) {
    return open_node(reader, event, PDK_MAP, event->data.mapping_start.anchor, event->data.mapping_start.tag);
}

static int32_t on_end(struct pdk_yaml_reader *reader, const yaml_event_t *event) {
    if (reader->merging == PDK_YAML_MERGE_LIST) {
        reader->merging = PDK_YAML_NO_MERGE;
        return GO_ON;
    }
    struct pdk_value *node = pdk_build_top(&reader->build)->node;
    struct pdk_mark end = mark_of(reader, event);
    bool one_line = end.line == node->line && event->end_mark.line == event->start_mark.line;
    if (one_line) node->span = (uint32_t)event->end_mark.column + 1 - node->column;
    int32_t rc = pdk_yaml_apply_merges(reader);
    if (!rc) pdk_build_end(&reader->build);
    return rc ? rc : check_build(reader, &end);
}

static int32_t on_document(struct pdk_yaml_reader *reader, const yaml_event_t *event) {
    struct pdk_mark mark = mark_of(reader, event);
    if (reader->documents++) {
        return pdk_yaml_fault(reader, &mark, "one document per file; use include", NULL, NULL,
                              "a second document begins here");
    }
    if (event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end) {
        return pdk_yaml_fault(reader, &mark, "leave it out", NULL, NULL, "%%TAG is not supported");
    }
    return GO_ON;
}

int32_t pdk_yaml_event(struct pdk_yaml_reader *reader, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: return on_document(reader, event);
    case YAML_SCALAR_EVENT: return on_scalar(reader, event);
    case YAML_ALIAS_EVENT: return pdk_yaml_alias(reader, event);
    case YAML_SEQUENCE_START_EVENT: return on_list(reader, event);
    case YAML_MAPPING_START_EVENT: return on_map(reader, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return on_end(reader, event);
    case YAML_STREAM_END_EVENT: return AT_END;
    default: return GO_ON;
    }
}
