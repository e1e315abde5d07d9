/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks, fields and notes. The first error sticks, so that parsers check for it once. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/import/internal.h"

void *pdk_import_alloc(struct pdk_import *import, size_t size) {
    void *memory = import->error ? NULL : pdk_arena_alloc(&import->arena, size);
    if (!memory && !import->error) import->error = -ENOMEM;
    return memory;
}

const char *pdk_import_copy(struct pdk_import *import, const char *text, size_t size) {
    const char *copy = import->error || !text ? NULL : pdk_arena_text(&import->arena, text, size);
    if (!copy && !import->error) import->error = -ENOMEM;
    return copy;
}

void pdk_import_check(struct pdk_import *import, const struct pdk_buffer *buffer) {
    if (!buffer->error || import->error) return;
    if (buffer->error == -E2BIG && import->source_count)
        (void)pdk_import_fault(import, (struct pdk_import_at){.source = import->sources[import->source_count - 1]},
                               NULL, "put it into a script", "a text that is too long");
    else
        import->error = buffer->error;
}

const char *pdk_import_taken(struct pdk_import *import, struct pdk_buffer *buffer) {
    pdk_import_check(import, buffer);
    const char *copy = pdk_import_copy(import, pdk_buffer_string(buffer), buffer->size);
    pdk_buffer_free(buffer);
    return copy;
}

static const char *format_list(struct pdk_import *import, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static const char *format_list(struct pdk_import *import, const char *format, va_list args) {
    struct pdk_buffer text = PDK_BUFFER(1u << 20);
    pdk_buffer_format_list(&text, format, args);
    return pdk_import_taken(import, &text);
}

const char *pdk_import_format(struct pdk_import *import, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = format_list(import, format, args);
    va_end(args);
    return text;
}

/* ---- faults and notes */

/* Where text stands in its line, and how long it is; all of the line if it is not there. */
static void underline(struct pdk_place *place, const char *text) {
    const char *line = place->text;
    for (uint32_t n = 1; line && n < place->line; n++) {
        line = strchr(line, '\n');
        if (line) line++;
    }
    size_t size = line ? strcspn(line, "\r\n") : 0, blank = line ? strspn(line, " \t") : 0;
    const char *found = line && text && *text ? memmem(line, size, text, strlen(text)) : NULL;
    place->column = 1 + (uint32_t)pdk_utf8_count(line, found ? (size_t)(found - line) : blank < size ? blank : 0);
    place->span = (uint32_t)(found ? pdk_utf8_count(text, strlen(text)) : pdk_utf8_count(line, size));
}

int32_t pdk_import_fault(struct pdk_import *import, struct pdk_import_at at, const char *text, const char *expected,
                         const char *format, ...) {
    struct pdk_fault fault = {.code = -EINVAL, .path = "", .expected = expected, .suggestion = "", .plugin = ""};
    va_list args;
    if (import->error) return import->error;
    va_start(args, format);
    fault.message = format_list(import, format, args);
    va_end(args);
    if (import->error) return import->error;
    fault.place = (struct pdk_place){.file = at.source->file, .text = at.source->text, .line = at.line};
    if (at.line) underline(&fault.place, text);
    import->error = pdk_report_add(import->report, &fault);
    return import->error;
}

static void add_note(struct pdk_import *import, struct pdk_import_notes *to, struct pdk_import_at at, bool remark,
                     const char *text) {
    if (import->error || !to || import->note_count > PDK_IMPORT_NOTES) return;
    if (import->note_count++ == PDK_IMPORT_NOTES) text = "what follows is more than can be told";
    struct pdk_import_note *note = pdk_import_alloc(import, sizeof *note);
    if (!note) return;
    *note = (struct pdk_import_note){.at = at, .text = text, .remark = remark};
    if (to->last)
        to->last->next = note;
    else
        to->first = note;
    to->last = note;
}

void pdk_import_note(struct pdk_import *import, struct pdk_import_notes *to, struct pdk_import_at at,
                     const char *format, ...) {
    va_list args;
    va_start(args, format);
    add_note(import, to, at, false, format_list(import, format, args));
    va_end(args);
}

void pdk_import_remark(struct pdk_import *import, struct pdk_import_notes *to, struct pdk_import_at at,
                       const char *format, ...) {
    va_list args;
    va_start(args, format);
    add_note(import, to, at, true, format_list(import, format, args));
    va_end(args);
}

/* ---- tasks */

struct pdk_import_task *pdk_import_task(struct pdk_import *import, const char *name, struct pdk_import_at at) {
    struct pdk_import_task *task;
    if (import->task_count == PDK_IMPORT_TASKS) {
        (void)pdk_import_fault(import, at, NULL, "split it", "more than %d tasks", PDK_IMPORT_TASKS);
        return NULL;
    }
    task = pdk_import_alloc(import, sizeof *task);
    if (!task) return NULL;
    task->name = name;
    task->at = at;
    task->fields.type = PDK_IMPORT_MAP;
    if (import->last_task)
        import->last_task->next = task;
    else
        import->tasks = task;
    import->last_task = task;
    import->task_count++;
    return task;
}

/* Room for one more value, and in its map or list; else a fault. */
static bool is_room(struct pdk_import *import, uint32_t count) {
    struct pdk_import_at at = {.source = import->sources ? import->sources[import->source_count - 1] : NULL};
    if (import->error) return false;
    if (count < PDK_IMPORT_ENTRIES && import->node_count++ < PDK_IMPORT_NODES) return true;
    (void)pdk_import_fault(import, at, NULL, "split it", "more than %d values, or %d in one place", PDK_IMPORT_NODES,
                           PDK_IMPORT_ENTRIES);
    return false;
}

void pdk_import_link(struct pdk_import *import, struct pdk_import_task *task, struct pdk_import_task *other, bool needs,
                     struct pdk_import_at at) {
    struct pdk_import_link *link, **end = task ? &task->links : NULL;
    uint32_t count = 0;
    if (!task || !other || task == other) return;
    for (; *end; end = &(*end)->next, count++) {
        if ((*end)->other != other) continue;
        (*end)->needs |= needs;
        return;
    }
    link = is_room(import, count) ? pdk_import_alloc(import, sizeof *link) : NULL;
    if (!link) return;
    *link = (struct pdk_import_link){.other = other, .at = at, .needs = needs};
    *end = link;
}

/* ---- fields */

static struct pdk_import_node *find_in(const struct pdk_import_node *map, const char *key, size_t size) {
    for (struct pdk_import_node *node = map ? map->first : NULL; node; node = node->next)
        if (node->key && strlen(node->key) == size && memcmp(node->key, key, size) == 0) return node;
    return NULL;
}

struct pdk_import_node *pdk_import_child(const struct pdk_import_node *map, const char *key) {
    return find_in(map, key, strlen(key));
}

static struct pdk_import_node *append(struct pdk_import *import, struct pdk_import_node *to, const char *key,
                                      size_t size) {
    struct pdk_import_node *node;
    if (!to || !is_room(import, to->count)) return NULL;
    node = pdk_import_alloc(import, sizeof *node);
    if (!node) return NULL;
    if (key) node->key = pdk_import_copy(import, key, size);
    if (import->error) return NULL;
    node->type = PDK_IMPORT_NULL;
    if (to->last)
        to->last->next = node;
    else
        to->first = node;
    to->last = node;
    to->count++;
    return node;
}

struct pdk_import_node *pdk_import_find(struct pdk_import_task *task, const char *path) {
    const struct pdk_import_node *map = task ? &task->fields : NULL;
    const char *dot = strchr(path, '.');
    if (dot) map = find_in(map, path, (size_t)(dot - path));
    if (dot) path = dot + 1;
    return pdk_import_child(map, path);
}

struct pdk_import_node *pdk_import_field(struct pdk_import *import, struct pdk_import_task *task, const char *path) {
    struct pdk_import_node *map = task ? &task->fields : NULL, *node = NULL;
    while (map) {
        size_t size = strcspn(path, ".");
        node = find_in(map, path, size);
        if (!node) node = append(import, map, path, size);
        if (!path[size] || !node) return node;
        node->type = PDK_IMPORT_MAP;
        path += size + 1;
        map = node;
    }
    return node;
}

static void unlink_node(struct pdk_import_node *map, const struct pdk_import_node *node) {
    struct pdk_import_node **at = &map->first, *last = NULL;
    while (*at) {
        if (*at == node) {
            *at = (*at)->next;
            map->count--;
        } else {
            last = *at;
            at = &last->next;
        }
    }
    map->last = last;
}

/* Maps that have become empty go, too. */
static void remove_from(struct pdk_import_node *map, const char *path) {
    size_t size = strcspn(path, ".");
    struct pdk_import_node *node = find_in(map, path, size);
    if (!node) return;
    if (path[size]) remove_from(node, path + size + 1);
    if (!path[size] || !node->first) unlink_node(map, node);
}

void pdk_import_remove(struct pdk_import_task *task, const char *path) {
    if (task) remove_from(&task->fields, path);
}

static struct pdk_import_node *become(struct pdk_import *import, struct pdk_import_node *node, const char *text) {
    if (!node) return NULL;
    node->type = text ? PDK_IMPORT_TEXT : PDK_IMPORT_NULL;
    node->text = text ? pdk_import_copy(import, text, strlen(text)) : NULL;
    node->first = node->last = NULL;
    node->count = 0;
    node->plain = node->shell = false;
    return import->error ? NULL : node;
}

struct pdk_import_node *pdk_import_set(struct pdk_import *import, struct pdk_import_task *task, const char *path,
                                       const char *text) {
    return become(import, text ? pdk_import_field(import, task, path) : NULL, text);
}

struct pdk_import_node *pdk_import_plain(struct pdk_import *import, struct pdk_import_task *task, const char *path,
                                         const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = format_list(import, format, args);
    va_end(args);
    struct pdk_import_node *node = pdk_import_set(import, task, path, text);
    if (node) node->plain = true;
    return node;
}

struct pdk_import_node *pdk_import_shell(struct pdk_import *import, struct pdk_import_task *task, const char *path,
                                         const char *text) {
    struct pdk_import_node *node = pdk_import_set(import, task, path, text);
    if (node) node->shell = true;
    return node;
}

struct pdk_import_node *pdk_import_list(struct pdk_import *import, struct pdk_import_task *task, const char *path) {
    struct pdk_import_node *node = become(import, pdk_import_field(import, task, path), NULL);
    if (node) node->type = PDK_IMPORT_LIST;
    return node;
}

struct pdk_import_node *pdk_import_item(struct pdk_import *import, struct pdk_import_node *to, const char *text) {
    return become(import, append(import, to, NULL, 0), text);
}

struct pdk_import_node *pdk_import_entry(struct pdk_import *import, struct pdk_import_node *map, const char *key,
                                         const char *text) {
    struct pdk_import_node *node = pdk_import_child(map, key);
    if (!node) node = append(import, map, key, strlen(key));
    return become(import, node, text);
}

bool pdk_import_env(struct pdk_import *import, struct pdk_import_task *task, const char *name, const char *value) {
    if (!pdk_import_is_variable(name, strlen(name))) return false;
    struct pdk_import_node *env = pdk_import_field(import, task, "env");
    if (env) env->type = PDK_IMPORT_MAP;
    (void)pdk_import_entry(import, env, name, value);
    return true;
}

static void copy_node(struct pdk_import *import, struct pdk_import_node *to, const struct pdk_import_node *from) {
    if (!to) return;
    to->type = from->type;
    to->text = from->text;
    to->plain = from->plain;
    to->shell = from->shell;
    for (const struct pdk_import_node *child = from->first; child; child = child->next)
        copy_node(import, append(import, to, child->key, child->key ? strlen(child->key) : 0), child);
}

void pdk_import_share(struct pdk_import *import, struct pdk_import_task *to, const struct pdk_import_task *from,
                      const char *key) {
    const struct pdk_import_node *node = from ? pdk_import_child(&from->fields, key) : NULL;
    if (node && to) copy_node(import, append(import, &to->fields, key, strlen(key)), node);
}

void pdk_import_free(struct pdk_import *import) {
    free(import->sources);
    pdk_arena_free(&import->arena);
    *import = (struct pdk_import){.report = import->report};
}
