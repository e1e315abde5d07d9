/* SPDX-License-Identifier: Apache-2.0 */
/* What can only be done when all tasks are there: names, order, and what they have in common. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/table.h"
#include "core/base/text.h"
#include "core/import/internal.h"

#define SHOWN 60

/* ---- names */

/* "foo@bar baz" becomes foo-bar-baz. What ends in .5 could be a copy of another, so the dot goes too. */
static const char *good_name(struct pdk_import *import, const char *name) {
    char text[PDK_IMPORT_NAME_BYTES + 1];
    size_t size = 0;
    for (; *name && size < PDK_IMPORT_NAME_BYTES; name++) {
        bool good = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", *name);
        char c = good ? *name : '-';
        if (size == 0 && (c == '-' || c == '.')) continue;
        if (c == '-' && text[size - 1] == '-') continue;
        text[size++] = c;
    }
    while (size && strchr("-.", text[size - 1])) size--;
    text[size] = '\0';
    char *dot = strrchr(text, '.');
    if (dot && (dot[1 + strspn(dot + 1, "0123456789")] == '\0' || pdk_task_name_check(text, NULL) < 0)) *dot = '-';
    return size ? pdk_import_copy(import, text, strlen(text)) : "task";
}

static const char *numbered(struct pdk_import *import, const char *name, uint32_t n) {
    int room = PDK_IMPORT_NAME_BYTES - 8;
    return pdk_import_format(import, "%.*s-%u", room, name, n);
}

/* A task's mark is the number that was last given to one of its name. */
static const char *free_name(struct pdk_import *import, const struct pdk_table *taken, const char *wanted) {
    struct pdk_import_task *first = wanted ? pdk_table_get(taken, wanted, strlen(wanted)) : NULL;
    const char *name = wanted;
    while (name && pdk_table_get(taken, name, strlen(name))) name = numbered(import, wanted, ++first->mark);
    return name;
}

void pdk_import_names(struct pdk_import *import) {
    struct pdk_table taken = {0};
    for (struct pdk_import_task *task = import->tasks; task && !import->error; task = task->next) {
        if (task->dropped) continue;
        const char *wanted = good_name(import, task->name), *name = free_name(import, &taken, wanted);
        if (!name) break;
        if (pdk_table_put(&taken, name, strlen(name), task) < 0) import->error = -ENOMEM;
        if (name != wanted)
            pdk_import_remark(import, &task->notes, task->at, "one of several that are called %.*s", SHOWN, wanted);
        task->mark = 1;
        task->name = name;
    }
    pdk_table_free(&taken);
}

/* ---- order */

enum { NEW, OPEN, DONE };

/* Takes out links that lead back to a task that is still open: a circle. Without recursion: there may be many tasks. */
static void walk(struct pdk_import *import, struct pdk_import_task *start, struct pdk_import_task **stack) {
    uint32_t depth = 0;
    stack[depth++] = start;
    start->mark = OPEN;
    while (depth && !import->error) {
        struct pdk_import_task *task = stack[depth - 1];
        struct pdk_import_link **at = &task->links;
        while (*at && (*at)->other->mark == DONE) at = &(*at)->next;
        if (!*at) {
            task->mark = DONE;
            depth--;
        } else if ((*at)->other->mark == OPEN) {
            pdk_import_note(import, &task->notes, (*at)->at, "after %s would be a circle", (*at)->other->name);
            *at = (*at)->next;
        } else {
            stack[depth++] = (*at)->other;
            (*at)->other->mark = OPEN;
        }
    }
}

static void write_links(struct pdk_import *import, struct pdk_import_task *task, const char *field, bool needs) {
    struct pdk_import_node *list = NULL;
    for (const struct pdk_import_link *link = task->links; link; link = link->next) {
        if (link->needs != needs || link->other->dropped) continue;
        if (!list) list = pdk_import_list(import, task, field);
        (void)pdk_import_item(import, list, link->other->name);
    }
}

void pdk_import_order(struct pdk_import *import) {
    struct pdk_import_task **stack = calloc(import->task_count + 1, sizeof *stack);
    if (!stack) import->error = -ENOMEM;
    for (struct pdk_import_task *task = import->tasks; task; task = task->next) task->mark = NEW;
    for (struct pdk_import_task *task = import->tasks; task && !import->error; task = task->next)
        if (task->mark == NEW) walk(import, task, stack);
    for (struct pdk_import_task *task = import->tasks; task && !import->error; task = task->next) {
        write_links(import, task, "needs", true);
        write_links(import, task, "after", false);
    }
    free(stack);
}

/* ---- what all have in common */

static bool is_same(const struct pdk_import_node *a, const struct pdk_import_node *b) {
    const struct pdk_import_node *x = a->first, *y = b->first;
    if (a->type != b->type || a->notes.first || b->notes.first) return false;
    if (a->type == PDK_IMPORT_TEXT && strcmp(a->text, b->text) != 0) return false;
    for (; x && y; x = x->next, y = y->next)
        if ((x->key && strcmp(x->key, y->key) != 0) || !is_same(x, y)) return false;
    return !x && !y;
}

/* The field of the first task, if all have the same, and they are many enough for that to be worth a place of its own. */
static const struct pdk_import_node *common(const struct pdk_import *import, const char *key) {
    const struct pdk_import_node *first = NULL;
    uint32_t count = 0;
    for (const struct pdk_import_task *task = import->tasks; task; task = task->next) {
        if (task->dropped) continue;
        const struct pdk_import_node *node = pdk_import_child(&task->fields, key);
        if (!node || (first && !is_same(first, node))) return NULL;
        if (!first) first = node;
        count++;
    }
    return count > (strcmp(key, "env") == 0 ? 1 : 2) ? first : NULL;
}

/* retries and backoff in a task say more about its restart than defaults do. */
static bool some_imply_restart(const struct pdk_import *import) {
    for (const struct pdk_import_task *task = import->tasks; task; task = task->next)
        if (pdk_import_child(&task->fields, "retries") || pdk_import_child(&task->fields, "backoff") ||
            pdk_import_child(&task->fields, "every"))
            return true;
    return false;
}

void pdk_import_lift(struct pdk_import *import) {
    static const char *const fields[] = {"env", "env_file", "cwd", "user", "restart", "stop"};
    import->defaults.type = PDK_IMPORT_MAP;
    for (size_t i = 0; i < sizeof fields / sizeof *fields && !import->error; i++) {
        const struct pdk_import_node *node = common(import, fields[i]);
        if (!node || (strcmp(fields[i], "restart") == 0 && some_imply_restart(import))) continue;
        struct pdk_import_task holder = {.fields = import->defaults};
        const struct pdk_import_task *first = import->tasks;
        while (first && first->dropped) first = first->next;
        pdk_import_share(import, &holder, first, fields[i]);
        import->defaults = holder.fields;
        for (struct pdk_import_task *task = import->tasks; task; task = task->next) pdk_import_remove(task, fields[i]);
    }
}
