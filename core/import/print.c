/* SPDX-License-Identifier: Apache-2.0 */
/* The tasks as a person would write them: short ones on one line, comments above what they are about. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/import/internal.h"

#define FLOW_WIDTH 100 /* of a map on one line, or a list, in bytes with what is before it */
#define SHORT_TASK 3   /* fields that a task on one line may have */

/* In the order of the manual. */
static const char *const order[] = {"description", "command",   "manual",  "env",     "env_file", "cwd",
                                    "user",        "resources", "labels",  "needs",   "after",    "replicas",
                                    "restart",     "every",     "retries", "backoff", "timeout",  "ready",
                                    "stop",        "reload",    "exit",    "log",     "with",     NULL};

/* ---- shorthand */

/* A map of this key alone is written as the value: stop: QUIT. */
static const struct { const char *field, *key; } alone[] = {{"stop", "signal"}, {"log", "file"}};

static const struct pdk_import_node notify = {.type = PDK_IMPORT_TEXT, .text = "notify", .plain = true};

/* What is written in the place of the node. */
static const struct pdk_import_node *shorthand(const struct pdk_import_node *node) {
    const struct pdk_import_node *only = node->first && !node->first->next ? node->first : NULL;
    if (!only || only->notes.first || !node->key) return node;
    if (node->type == PDK_IMPORT_LIST)
        return strcmp(node->key, "command") == 0 || strcmp(node->key, "reload") == 0 ||
                       strcmp(node->key, "capabilities") == 0
                   ? node
                   : only;
    if (strcmp(node->key, "ready") == 0 && strcmp(only->key, "notify") == 0) return &notify;
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
        if (strcmp(node->key, alone[i].field) == 0 && strcmp(only->key, alone[i].key) == 0) return only;
    return node;
}

static bool has_notes(const struct pdk_import_node *node) {
    for (const struct pdk_import_node *child = node->first; child; child = child->next)
        if (child->notes.first || has_notes(child)) return true;
    return false;
}

/* A text of several lines in it reads best as one. */
static bool has_lines(const struct pdk_import_node *node) {
    if (node->type == PDK_IMPORT_TEXT && pdk_import_is_literal(node->text)) return true;
    for (const struct pdk_import_node *child = node->first; child; child = child->next)
        if (has_lines(child)) return true;
    return false;
}

/* ---- on one line */

static void put_key(struct pdk_buffer *to, const char *key) {
    pdk_import_scalar(to, key, PDK_IMPORT_FLOW, true);
    pdk_buffer_text(to, ": ");
}

static void put_text(struct pdk_buffer *to, const struct pdk_import_node *node, enum pdk_import_where where) {
    if (node->type == PDK_IMPORT_NULL)
        pdk_buffer_text(to, "null");
    else if (node->plain)
        pdk_buffer_text(to, node->text);
    else
        pdk_import_scalar(to, node->text, where, node->shell);
}

static void put_flow(struct pdk_buffer *to, const struct pdk_import_node *node, enum pdk_import_where where) {
    node = shorthand(node);
    if (node->type != PDK_IMPORT_LIST && node->type != PDK_IMPORT_MAP) {
        put_text(to, node, where);
        return;
    }
    bool list = node->type == PDK_IMPORT_LIST;
    pdk_buffer_text(to, list ? "[" : "{");
    for (const struct pdk_import_node *child = node->first; child; child = child->next) {
        if (!list) put_key(to, child->key);
        put_flow(to, child, list ? PDK_IMPORT_WORD : PDK_IMPORT_FLOW);
        if (child->next) pdk_buffer_text(to, ", ");
    }
    pdk_buffer_text(to, list ? "]" : "}");
}

/* ---- on many */

static void indent(struct pdk_buffer *to, size_t by) {
    for (; by; by--) pdk_buffer_text(to, " ");
}

/* The name of a file, and of a drop-in with its folder: redis.service.d/limits.conf. */
static const char *short_name(const char *file) {
    const char *base = strrchr(file, '/'), *start = base;
    if (!base) return file;
    if (base - file < 3 || memcmp(base - 2, ".d", 2) != 0) return base + 1;
    while (start > file && start[-1] != '/') start--;
    return start;
}

static void put_notes(struct pdk_buffer *to, const struct pdk_import_notes *notes, size_t by) {
    for (const struct pdk_import_note *note = notes->first; note; note = note->next) {
        struct pdk_buffer text = PDK_BUFFER(1024);
        if (note->at.source) pdk_buffer_format(&text, "%.200s:", short_name(note->at.source->file));
        if (note->at.line) pdk_buffer_format(&text, "%u:", note->at.line);
        if (note->at.source) pdk_buffer_text(&text, " ");
        pdk_buffer_format(&text, "%.600s", note->text);
        indent(to, by);
        pdk_import_comment(to, pdk_buffer_string(&text));
        if (text.error == -ENOMEM) to->error = text.error;
        pdk_buffer_free(&text);
    }
}

static void put_literal(struct pdk_buffer *to, const struct pdk_import_node *node, size_t by) {
    struct pdk_buffer text = PDK_BUFFER(1u << 20);
    pdk_import_variables(&text, node->text, node->shell);
    pdk_buffer_text(to, "|-\n");
    for (const char *line = pdk_buffer_string(&text); *line;) {
        size_t size = strcspn(line, "\n");
        if (size) indent(to, by);
        pdk_buffer_add(to, line, size);
        pdk_buffer_text(to, "\n");
        line += size + (line[size] == '\n');
    }
    if (text.error && !to->error) to->error = text.error;
    pdk_buffer_free(&text);
}

static void put_block(struct pdk_buffer *to, const struct pdk_import_node *node, size_t by);

/* Behind "key:" or "-", up to the end of the line and further. */
static void put_value(struct pdk_buffer *to, const struct pdk_import_node *node, size_t by) {
    struct pdk_buffer flow = PDK_BUFFER(4u << 20);
    const struct pdk_import_node *written = shorthand(node);
    put_flow(&flow, node, PDK_IMPORT_BLOCK);
    if (written->type == PDK_IMPORT_TEXT && pdk_import_is_literal(written->text)) {
        pdk_buffer_text(to, " ");
        put_literal(to, written, by);
    } else if ((written->type == PDK_IMPORT_MAP || written->type == PDK_IMPORT_LIST) && written->first &&
               (has_notes(written) || has_lines(written) || flow.size + by > FLOW_WIDTH)) {
        pdk_buffer_text(to, "\n");
        put_block(to, written, by);
    } else {
        pdk_buffer_text(to, " ");
        pdk_buffer_add(to, pdk_buffer_string(&flow), flow.size);
        pdk_buffer_text(to, "\n");
    }
    if (flow.error && !to->error) to->error = flow.error;
    pdk_buffer_free(&flow);
}

static void put_entry(struct pdk_buffer *to, const struct pdk_import_node *node, size_t by) {
    put_notes(to, &node->notes, by);
    indent(to, by);
    if (node->key) {
        pdk_import_scalar(to, node->key, PDK_IMPORT_FLOW, true);
        pdk_buffer_text(to, ":");
    } else {
        pdk_buffer_text(to, "-");
    }
    put_value(to, node, by + 2);
}

static void put_block(struct pdk_buffer *to, const struct pdk_import_node *node, size_t by) {
    for (const struct pdk_import_node *child = node->first; child; child = child->next) put_entry(to, child, by);
}

/* ---- tasks */

/* The whole task on one line, or nothing. */
static bool put_short(struct pdk_buffer *to, const struct pdk_import_task *task) {
    struct pdk_buffer line = PDK_BUFFER(4u << 20);
    if (has_lines(&task->fields) || task->fields.count > SHORT_TASK) return false;
    pdk_buffer_text(&line, "{");
    for (size_t i = 0; order[i]; i++) {
        const struct pdk_import_node *node = pdk_import_child(&task->fields, order[i]);
        if (!node) continue;
        if (line.size > 1) pdk_buffer_text(&line, ", ");
        put_key(&line, node->key);
        put_flow(&line, node, PDK_IMPORT_FLOW);
    }
    pdk_buffer_text(&line, "}");
    bool fits = line.size + 6 <= FLOW_WIDTH;
    if (fits) pdk_buffer_format(to, " %s\n", pdk_buffer_string(&line));
    if (line.error && !to->error) to->error = line.error;
    pdk_buffer_free(&line);
    return fits;
}

static void put_task(struct pdk_buffer *to, const struct pdk_import_task *task) {
    const struct pdk_import_node *node;
    indent(to, 2);
    pdk_import_scalar(to, task->name, PDK_IMPORT_FLOW, true);
    pdk_buffer_text(to, ":");
    if (!task->notes.first && !has_notes(&task->fields)) {
        if (task->fields.count == 1 && (node = pdk_import_child(&task->fields, "command"))) {
            put_value(to, node, 4);
            return;
        }
        if (put_short(to, task)) return;
    }
    pdk_buffer_text(to, "\n");
    put_notes(to, &task->notes, 4);
    for (size_t i = 0; order[i]; i++)
        if ((node = pdk_import_child(&task->fields, order[i]))) put_entry(to, node, 4);
}

static void put_header(struct pdk_buffer *to, const struct pdk_import *import) {
    struct pdk_buffer text = PDK_BUFFER(4096);
    pdk_buffer_text(&text, "Made by paddock import from ");
    for (uint32_t i = 0; i < import->source_count && i < 8; i++)
        pdk_buffer_format(&text, "%s%.200s", i ? ", " : "", import->sources[i]->file);
    if (import->source_count > 8) pdk_buffer_text(&text, " and others");
    pdk_import_comment(to, pdk_buffer_string(&text));
    if (text.error == -ENOMEM) to->error = text.error;
    pdk_buffer_free(&text);
}

void pdk_import_print(const struct pdk_import *import, struct pdk_buffer *to) {
    bool any = false;
    put_header(to, import);
    put_notes(to, &import->notes, 0);
    if (import->defaults.first) {
        pdk_buffer_text(to, "defaults:");
        put_value(to, &import->defaults, 2);
    }
    for (const struct pdk_import_task *task = import->tasks; task; task = task->next) {
        if (task->dropped) continue;
        if (!any) pdk_buffer_text(to, "tasks:\n");
        put_task(to, task);
        any = true;
    }
    if (!any) pdk_buffer_text(to, "tasks: {}\n");
}
