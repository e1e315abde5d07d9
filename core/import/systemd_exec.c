/* SPDX-License-Identifier: Apache-2.0 */
/* ExecStart= and its like: no shell, but variables, prefixes, and several commands in a row. */
#include <errno.h>
#include <string.h>

#include "core/base/text.h"
#include "core/import/systemd.h"

static void take_prefix(struct pdk_exec *exec, const char **word) {
    for (; **word && strchr("@-:+!", **word); ++*word) {
        exec->ignore |= **word == '-';
        exec->own_name |= **word == '@';
        exec->no_env |= **word == ':';
        exec->privileged |= **word == '+' || **word == '!';
    }
}

static void add(struct pdk_import *import, const struct pdk_unit *unit, const struct pdk_ini_line *line,
                struct pdk_exec **list, const char **words, size_t count) {
    struct pdk_exec *exec = pdk_import_alloc(import, sizeof *exec);
    const char *why;
    if (!exec) return;
    exec->at = line->at;
    take_prefix(exec, &words[0]);
    if (exec->own_name && count > 1) {
        pdk_unit_note(import, unit, line, "a program is called by its own name, argv[0] is left out");
        memmove(words + 1, words + 2, (count-- - 2) * sizeof *words);
    }
    for (size_t i = 0; i < count; i++) {
        words[i] = pdk_unit_expand(import, unit, words[i], &why);
        if (why) pdk_unit_note(import, unit, line, why);
    }
    if (import->error) return;
    if (!*words[0])
        (void)pdk_import_fault(import, line->at, NULL, "expected PROGRAM ARGUMENT...", "%.40s= has no program",
                               line->key);
    exec->words = words;
    exec->count = count;
    while (*list) list = &(*list)->next;
    *list = exec;
}

void pdk_exec_read(struct pdk_import *import, const struct pdk_unit *unit, const struct pdk_ini_line *line,
                   bool has_pid, struct pdk_exec **list) {
    const char **words;
    size_t count, from = 0;
    if (!*line->value) {
        *list = NULL;
        return;
    }
    if (pdk_unit_split(import, line->value, &words, &count) == -EINVAL)
        (void)pdk_import_fault(import, line->at, NULL, "close it", "a quote is opened and not closed");
    for (size_t i = 0; i <= count && !import->error; i++) {
        if (i < count && strcmp(words[i], ";") != 0) continue;
        if (i > from) add(import, unit, line, list, words + from, i - from);
        from = i + 1;
    }
    for (struct pdk_exec *exec = *list; exec; exec = exec->next) exec->has_pid = has_pid;
    if (!has_pid && strstr(line->value, "MAINPID"))
        pdk_unit_note(import, unit, line, "has MAINPID, which only what stops or reloads is told");
}

/* ---- variables */

/* ${NAME} at text: how long NAME is; 0: it is none. */
static size_t braced(const char *text) {
    size_t size = text[0] == '$' && text[1] == '{' ? strcspn(text + 2, "}") : 0;
    return size && text[2 + size] && pdk_import_is_variable(text + 2, size) ? size : 0;
}

/* A word of its own, $NAME, is split into words. */
static bool is_split(const char *word) {
    return word[0] == '$' && pdk_import_is_variable(word + 1, strlen(word + 1));
}

static bool has_variables(const struct pdk_exec *exec) {
    for (size_t i = 0; i < exec->count && !exec->no_env; i++) {
        if (is_split(exec->words[i])) return true;
        for (const char *at = exec->words[i]; (at = strchr(at, '$')); at += at[1] == '$' ? 2 : 1)
            if (braced(at)) return true;
    }
    return false;
}

/* NULL: as it is. */
static const char *variable(const struct pdk_exec *exec, const char *name, size_t size) {
    return exec->has_pid && size == 7 && memcmp(name, "MAINPID", 7) == 0 ? "PADDOCK_PID" : NULL;
}

/* With $$ as $, and ${NAME} as a variable that is meant. */
static const char *converted(struct pdk_import *import, const struct pdk_exec *exec, const char *word) {
    struct pdk_buffer to = PDK_BUFFER(8 * PDK_IMPORT_LINE_BYTES);
    if (exec->no_env) return word;
    for (const char *at = word; *at; at++) {
        size_t size = braced(at);
        if (size) {
            const char *known = variable(exec, at + 2, size);
            pdk_buffer_text(&to, PDK_IMPORT_OPEN);
            pdk_buffer_add(&to, known ? known : at + 2, known ? strlen(known) : size);
            pdk_buffer_text(&to, "}");
            at += size + 2;
        } else {
            pdk_buffer_add(&to, at, 1);
            if (at[0] == '$' && at[1] == '$') at++;
        }
    }
    return pdk_import_taken(import, &to);
}

static void put_word(struct pdk_import *import, struct pdk_buffer *to, const struct pdk_exec *exec, const char *word) {
    const char *text;
    if (!exec->no_env && is_split(word)) {
        const char *known = variable(exec, word + 1, strlen(word + 1));
        pdk_buffer_format(to, "$%s", known ? known : word + 1);
    } else if ((text = converted(import, exec, word))) {
        pdk_import_quote(to, text);
    }
}

/* ---- as a command of a task */

bool pdk_exec_is_shell(const struct pdk_exec *list) {
    return list->next || list->ignore || has_variables(list);
}

const char *pdk_exec_text(struct pdk_import *import, const struct pdk_exec *list, const char *lead) {
    struct pdk_buffer to = PDK_BUFFER(512u << 10);
    if (list->next) pdk_buffer_text(&to, "set -e\n");
    for (const struct pdk_exec *exec = list; exec; exec = exec->next) {
        if (!list->next && !list->ignore) pdk_buffer_text(&to, lead);
        for (size_t i = 0; i < exec->count; i++) {
            if (i) pdk_buffer_text(&to, " ");
            put_word(import, &to, exec, exec->words[i]);
        }
        if (exec->ignore) pdk_buffer_text(&to, " || :");
        if (exec->next) pdk_buffer_text(&to, "\n");
    }
    return pdk_import_taken(import, &to);
}

/* In a list Paddock would put the variables in: they are the shell's. */
static const char *for_shell_alone(struct pdk_import *import, const char *text) {
    struct pdk_buffer to = PDK_BUFFER(2u << 20);
    for (; text && *text; text++)
        pdk_buffer_add(&to, *text == PDK_IMPORT_OPEN[0] ? "${" : text, *text == PDK_IMPORT_OPEN[0] ? 2 : 1);
    return pdk_import_taken(import, &to);
}

void pdk_exec_put(struct pdk_import *import, struct pdk_import_task *task, const char *path,
                  const struct pdk_exec *list, bool list_only) {
    bool shell = pdk_exec_is_shell(list);
    if (shell && !list_only) {
        (void)pdk_import_shell(import, task, path, pdk_exec_text(import, list, "exec "));
        return;
    }
    struct pdk_import_node *node = pdk_import_list(import, task, path);
    if (shell) {
        (void)pdk_import_item(import, node, "/bin/sh");
        (void)pdk_import_item(import, node, "-c");
        (void)pdk_import_item(import, node, for_shell_alone(import, pdk_exec_text(import, list, "exec ")));
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        const char *word = converted(import, list, list->words[i]);
        (void)pdk_import_item(import, node, i ? word : pdk_import_solid(import, word));
    }
}

const char *pdk_exec_signal(const struct pdk_exec *list) {
    const char *slash = list ? strrchr(list->words[0], '/') : NULL, *name;
    int32_t number;
    uint64_t n;
    if (!list || list->next || strcmp(slash ? slash + 1 : list->words[0], "kill") != 0 || list->count < 2) return NULL;
    const char *last = list->words[list->count - 1];
    if (strcmp(last, "$MAINPID") != 0 && strcmp(last, "${MAINPID}") != 0) return NULL;
    if (list->count == 2) return "TERM";
    if (list->count == 3 && list->words[1][0] == '-')
        name = list->words[1] + 1;
    else if (list->count == 4 && strcmp(list->words[1], "-s") == 0)
        name = list->words[2];
    else
        return NULL;
    if (pdk_import_number(name, 64, &n)) name = pdk_signal_name((int32_t)n);
    return name && pdk_signal_parse(name, &number) == 0 ? pdk_signal_name(number) : NULL;
}
