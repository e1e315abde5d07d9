/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/yaml/reader.h"
#include "core/yaml/yaml.h"

#define FILE_MAX     ((size_t)4 << 20)
#define PATH_TEXT    512
#define MESSAGE_TEXT 512

struct pdk_mark pdk_yaml_mark(const struct pdk_yaml_reader *reader, const yaml_mark_t *start, const yaml_mark_t *end) {
    uint32_t span = start->line == end->line ? (uint32_t)(end->column - start->column) : UINT32_MAX;
    return (struct pdk_mark){(uint32_t)start->line + 1, (uint32_t)start->column + 1, span, reader->file};
}

static struct pdk_place place_of(const struct pdk_yaml_reader *reader, const struct pdk_mark *mark) {
    return (struct pdk_place){reader->name, reader->text, mark->line, mark->column, mark->span};
}

int32_t pdk_yaml_fault(struct pdk_yaml_reader *reader, const struct pdk_mark *mark, const char *expected,
                       const struct pdk_mark *note, const char *note_text, const char *format, ...) {
    char path[PATH_TEXT], message[MESSAGE_TEXT];
    struct pdk_fault fault = {.code = -EINVAL, .message = message, .expected = expected, .note_text = note_text};
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    fault.place = place_of(reader, mark);
    if (note) fault.note = place_of(reader, note);
    fault.path = pdk_build_path(&reader->build, path, sizeof(path));
    return pdk_report_add(reader->report, &fault);
}

/* Copy name and text to where the report may quote them, without the byte order mark. */
static int32_t take_text(struct pdk_yaml_reader *reader, const char *name, const char *data, size_t size) {
    struct pdk_document *document = reader->build.document;
    struct pdk_document_file file = {.owner = document};
    if (size >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0) {
        data += 3;
        size -= 3;
    }
    bool quotable = size <= FILE_MAX;
    file.name = pdk_arena_text(&document->arena, name, strlen(name));
    file.text = quotable ? pdk_arena_text(&document->arena, data, size) : NULL;
    reader->nothing = pdk_arena_alloc(&document->arena, sizeof(*reader->nothing));
    if (!file.name || (quotable && !file.text) || !reader->nothing) return -ENOMEM;
    reader->name = file.name;
    reader->text = file.text;
    reader->size = size;
    return pdk_document_file(document, &file, &reader->file);
}

static void prepare_nothing(struct pdk_yaml_reader *reader) {
    struct pdk_value *nothing = reader->nothing;
    nothing->document = reader->build.document;
    nothing->file = reader->file;
    nothing->line = nothing->column = 1;
    nothing->as.scalar.text = "";
}

static int32_t parse_events(struct pdk_yaml_reader *reader) {
    int32_t rc = 0;
    yaml_event_t event;
    reader->cursor = reader->text;
    reader->line = reader->column = 1;
    reader->has_question = memchr(reader->text, '?', reader->size) != NULL;
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)reader->text, reader->size);
    while (rc == 0) {
        if (!yaml_parser_parse(&reader->parser, &event)) return pdk_yaml_explain(reader);
        rc = pdk_yaml_event(reader, &event);
        yaml_event_delete(&event);
    }
    return rc < 0 ? rc : 0;
}

static int32_t read_text(struct pdk_yaml_reader *reader) {
    static const struct pdk_mark whole_file = {0};
    if (!reader->text) {
        return pdk_yaml_fault(reader, &whole_file, NULL, NULL, NULL, "the file is larger than 4 MiB");
    }
    int32_t rc = pdk_yaml_check_bytes(reader);
    if (rc) return rc;
    if (!yaml_parser_initialize(&reader->parser)) return -ENOMEM;
    rc = parse_events(reader);
    yaml_parser_delete(&reader->parser);
    return rc;
}

/* After a fault, or for an empty file: null alone, in the same document because it has the text. */
static void keep_nothing(struct pdk_yaml_reader *reader) {
    reader->build.depth = 0;
    reader->build.error = 0;
    reader->build.nodes = 1;
    reader->build.height = 0;
    reader->build.root = reader->nothing;
}

static int32_t read_into(struct pdk_yaml_reader *reader, const pdk_value **ret) {
    uint32_t errors = reader->report->errors;
    int32_t rc = read_text(reader);
    pdk_table_free(&reader->anchors);
    if (rc == 0 && reader->report->errors != errors) rc = -EINVAL;
    if (rc || !reader->build.root) keep_nothing(reader);
    int32_t finished = pdk_build_finish(&reader->build, ret);
    return rc ? rc : finished;
}

int32_t pdk_yaml_parse(const char *name, const char *data, size_t size, struct pdk_report *report,
                       const pdk_value **ret) {
    struct pdk_report unseen = {0};
    struct pdk_yaml_reader *reader = malloc(sizeof(*reader));
    *ret = NULL;
    if (!reader) return -ENOMEM;
    memset((char *)reader + sizeof(reader->build), 0, sizeof(*reader) - sizeof(reader->build));
    reader->report = report ? report : &unseen;
    int32_t rc = pdk_build_start(&reader->build);
    reader->build.report = reader->report;
    if (!rc) rc = take_text(reader, name, data, size);
    if (!rc) {
        prepare_nothing(reader);
        rc = read_into(reader, ret);
    }
    pdk_build_discard(&reader->build);
    pdk_report_free(&unseen);
    free(reader);
    return rc;
}
