/* SPDX-License-Identifier: Apache-2.0 */
/* pdk_writer: a builder that copies what it is given, and speaks up only at close. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/value/build.h"
#include "core/value/scalar.h"
#include "core/value/writer.h"

#define STRING_MAX ((size_t)16 << 20)

struct pdk_writer {
    struct pdk_builder build;
    struct pdk_mark mark;           /* of the next one */
    const struct pdk_value *origin; /* what the next one is made from */
    uint8_t flags;
};

/* What open gives when there is no memory. Every call sees the error before it would write. */
static const struct pdk_writer broken = {.build = {.error = -ENOMEM, .why = "no memory"}};

/* What was said about the next one. */
static void forget(pdk_writer *writer) {
    writer->mark = (struct pdk_mark){0};
    writer->origin = NULL;
    writer->flags = 0;
}

/* Takes what was said about this one, and forgets it. */
static void dress(pdk_writer *writer, struct pdk_value *node, uint8_t flags) {
    node->flags = writer->flags | flags;
    if (writer->origin) {
        if (pdk_document_keep(writer->build.document, writer->origin->document))
            pdk_build_fail(&writer->build, -ENOMEM, "no memory");
        node->parent = writer->origin;
        node->flags |= PDK_VALUE_MADE;
    }
    forget(writer);
}

pdk_writer *pdk_writer_open(const pdk_values *values) {
    (void)values;
    struct pdk_writer *writer = malloc(sizeof(*writer));
    if (!writer) return (struct pdk_writer *)(uintptr_t)&broken;
    forget(writer);
    pdk_build_start(&writer->build);
    return writer;
}

static bool has_failed(const pdk_writer *writer) {
    return writer->build.error != 0;
}

static void put_scalar(pdk_writer *writer, int32_t type, const char *text, size_t size, uint8_t flags,
                       const struct pdk_value *content) {
    char *copy = pdk_arena_text(&writer->build.document->arena, text, size);
    if (!copy) {
        pdk_build_fail(&writer->build, -ENOMEM, "no memory");
        return;
    }
    struct pdk_value *node = pdk_build_scalar(&writer->build, type, copy, size, &writer->mark);
    if (!node) return;
    if (type == PDK_NUMBER) {
        node->as.scalar.number = content->as.scalar.number;
    } else if (content) {
        node->as.scalar.integer = content->as.scalar.integer;
    }
    dress(writer, node, flags);
}

void pdk_writer_null(pdk_writer *writer) {
    if (!has_failed(writer)) put_scalar(writer, PDK_NULL, "", 0, 0, NULL);
}

void pdk_writer_bool(pdk_writer *writer, int32_t value) {
    if (has_failed(writer)) return;
    const char *text = value ? "true" : "false";
    struct pdk_value content = {.as.scalar.integer = value != 0};
    put_scalar(writer, PDK_BOOL, text, strlen(text), 0, &content);
}

void pdk_writer_int(pdk_writer *writer, int64_t value) {
    if (has_failed(writer)) return;
    char text[PDK_NUMBER_TEXT];
    size_t size = pdk_integer_format(value, text);
    struct pdk_value content = {.as.scalar.integer = value};
    put_scalar(writer, PDK_INT, text, size, 0, &content);
}

void pdk_writer_number(pdk_writer *writer, double value) {
    if (has_failed(writer)) return;
    if (!isfinite(value)) {
        pdk_build_fail(&writer->build, -EINVAL, "a number that is not finite");
        return;
    }
    char text[PDK_NUMBER_TEXT];
    size_t size = pdk_number_format(value, text);
    struct pdk_value content = {.as.scalar.number = value};
    put_scalar(writer, PDK_NUMBER, text, size, 0, &content);
}

static bool is_good_text(pdk_writer *writer, const char *data, size_t size, const char *what) {
    if (size > STRING_MAX) {
        pdk_build_fail(&writer->build, -E2BIG, "a %s of more than 16 MiB", what);
    } else if (!pdk_utf8_valid(data, size)) {
        pdk_build_fail(&writer->build, -EINVAL, "a %s that is not UTF-8, or has a NUL in it", what);
    }
    return !has_failed(writer);
}

void pdk_writer_string(pdk_writer *writer, const char *data, size_t size) {
    if (has_failed(writer) || !is_good_text(writer, data, size, "string")) return;
    put_scalar(writer, PDK_STRING, data, size, PDK_VALUE_QUOTED, NULL);
}

void pdk_writer_value(pdk_writer *writer, const pdk_value *value) {
    if (!value) {
        pdk_writer_null(writer);
    } else if (!has_failed(writer)) {
        pdk_build_share(&writer->build, value);
        forget(writer);
    }
}

static void open_node(pdk_writer *writer, int32_t type) {
    if (has_failed(writer)) return;
    struct pdk_value *node = pdk_build_open(&writer->build, type, &writer->mark);
    if (node) dress(writer, node, 0);
}

void pdk_writer_list(pdk_writer *writer) {
    open_node(writer, PDK_LIST);
}

void pdk_writer_map(pdk_writer *writer) {
    open_node(writer, PDK_MAP);
}

void pdk_writer_key(pdk_writer *writer, const char *key) {
    if (has_failed(writer)) return;
    if (!key) {
        pdk_build_fail(&writer->build, -EINVAL, "a key that is NULL");
        return;
    }
    size_t size = strlen(key);
    if (!is_good_text(writer, key, size, "key")) return;
    char *copy = pdk_arena_text(&writer->build.document->arena, key, size);
    if (!copy) {
        pdk_build_fail(&writer->build, -ENOMEM, "no memory");
        return;
    }
    pdk_build_key(&writer->build, copy, size, &writer->mark);
    writer->mark = (struct pdk_mark){0};
    writer->origin = NULL;
}

void pdk_writer_end(pdk_writer *writer) {
    if (!has_failed(writer)) pdk_build_end(&writer->build);
}

void pdk_writer_like(pdk_writer *writer, const struct pdk_value *like) {
    if (has_failed(writer) || !like || !like->document) return;
    struct pdk_mark mark = {like->line, like->column, like->span, 0};
    if (pdk_document_file(writer->build.document, &like->document->files[like->file], &mark.file)) {
        pdk_build_fail(&writer->build, -ENOMEM, "no memory");
    }
    writer->mark = mark;
    writer->origin = like;
}

void pdk_writer_key_like(pdk_writer *writer, const struct pdk_value *map, size_t i) {
    const struct pdk_value_entry *entry = &map->as.map.entries[i];
    if (has_failed(writer)) return;
    pdk_writer_like(writer, entry->value);
    writer->mark.line = entry->line;
    writer->mark.column = entry->column;
    writer->mark.span = entry->span;
}

void pdk_writer_flags(pdk_writer *writer, uint8_t flags) {
    if (!has_failed(writer)) writer->flags = flags & (uint8_t) ~(PDK_VALUE_ALIASED | PDK_VALUE_MADE);
}

int32_t pdk_writer_close(pdk_writer *writer, const pdk_value **ret_value, pdk_error *err) {
    const pdk_value *value = NULL;
    int32_t rc = writer->build.error ? writer->build.error : pdk_build_finish(&writer->build, &value);
    if (rc) pdk_error_set(err, rc, NULL, NULL, "%s", writer->build.why);
    if (writer != &broken) {
        pdk_build_discard(&writer->build);
        free(writer);
    }
    if (rc || !ret_value) {
        if (value) pdk_document_drop(value->document);
        return rc;
    }
    *ret_value = value;
    return 0;
}
