/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of supervisord.conf: programs become tasks, groups labels, priorities an order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/import/supervisord.h"

#define SHOWN 120

const char *pdk_program_get(const struct pdk_program *program, const char *key) {
    const struct pdk_ini_line *line = pdk_table_get(&program->by_key, key, strlen(key));
    return line ? line->value : NULL;
}

/* ---- gathering */

static struct pdk_program *section_of(struct pdk_supervisord *all, const struct pdk_ini_line *line) {
    struct pdk_program *program = pdk_table_get(&all->by_section, line->section, strlen(line->section));
    if (program) return program;
    program = pdk_import_alloc(all->import, sizeof *program);
    if (!program) return NULL;
    const char *colon = strchr(line->section, ':');
    program->section = line->section;
    program->name = colon ? pdk_import_trim(all->import, colon + 1, strlen(colon + 1)) : "";
    program->at = line->at;
    *all->last = program;
    all->last = &program->next;
    if (pdk_table_put(&all->by_section, line->section, strlen(line->section), program) < 0)
        all->import->error = -ENOMEM;
    return program;
}

/* What is said twice counts as it was said last. */
static void gather(struct pdk_supervisord *all, const struct pdk_ini_line *lines) {
    for (const struct pdk_ini_line *line = lines; line && !all->import->error; line = line->next) {
        struct pdk_program *program = section_of(all, line);
        if (program && line->key &&
            pdk_table_put(&program->by_key, line->key, strlen(line->key), (void *)(uintptr_t)line) < 0)
            all->import->error = -ENOMEM;
        if (program && line->key) program->line_count++;
    }
}

/* The lines that count, in their order. */
static void sort_lines(struct pdk_supervisord *all, const struct pdk_ini_line *lines) {
    for (struct pdk_program *program = all->programs; program; program = program->next) {
        program->lines = pdk_import_alloc(all->import, (program->line_count + 3) * sizeof(struct pdk_ini_line *));
        program->line_count = 0;
    }
    for (const struct pdk_ini_line *line = lines; line && !all->import->error; line = line->next) {
        struct pdk_program *program = section_of(all, line);
        if (line->key && pdk_table_get(&program->by_key, line->key, strlen(line->key)) == line)
            program->lines[program->line_count++] = line;
    }
}

/* ---- included files */

static const char *pattern_of(struct pdk_import *import, const struct pdk_import_source *source, const char *word) {
    struct pdk_buffer to = PDK_BUFFER(16384);
    if (*word != '/' && source->folder[0]) {
        for (const char *c = source->folder; *c; c++) {
            if (strchr("*?[\\", *c)) pdk_buffer_text(&to, "\\");
            pdk_buffer_add(&to, c, 1);
        }
        pdk_buffer_text(&to, "/");
    }
    pdk_buffer_text(&to, word);
    return pdk_import_taken(import, &to);
}

/* %(here)s is put in before words are files. Their own includes are not read: supervisord does not either. */
static const struct pdk_ini_line *read_includes(struct pdk_supervisord *all, struct pdk_program *include,
                                                struct pdk_ini_line *lines) {
    struct pdk_import *import = all->import;
    const struct pdk_ini_line *files = pdk_table_get(&include->by_key, "files", 5);
    struct pdk_ini_line **end = &lines;
    const char **words;
    size_t count;
    while (*end) end = &(*end)->next;
    if (!files) return lines;
    if (!import->reads_files) {
        pdk_import_note(import, &import->notes, files->at, "files=%.*s: not read from here", SHOWN, files->value);
        return lines;
    }
    const char *value = pdk_program_expand(all, include, files, false);
    if (!value || pdk_import_split(import, value, &words, &count) < 0) return lines;
    for (size_t i = 0; i < count; i++) {
        const char *const *paths = pdk_import_glob(import, pattern_of(import, files->at.source, words[i]));
        for (; *paths && !import->error; paths++) {
            struct pdk_import_source *source = pdk_import_read(import, *paths, false);
            if (source) *end = pdk_ini_read(import, source, PDK_INI_SUPERVISORD);
            while (*end) end = &(*end)->next;
        }
    }
    return lines;
}

/* ---- sections */

static bool begins(const char *text, const char *word) {
    return strncmp(text, word, strlen(word)) == 0;
}

static void add_first(struct pdk_program *program, const struct pdk_ini_line *line) {
    memmove(program->lines + 1, program->lines, program->line_count * sizeof *program->lines);
    program->lines[0] = line;
    program->line_count++;
}

/* environment= and umask= of supervisord itself are those of all programs, which come after them. */
static void own_section(struct pdk_supervisord *all, const struct pdk_program *own) {
    const struct pdk_ini_line *environment = pdk_table_get(&own->by_key, "environment", 11);
    const struct pdk_ini_line *umask = pdk_table_get(&own->by_key, "umask", 5);
    for (struct pdk_program *program = all->programs; program; program = program->next) {
        if (!begins(program->section, "program:") && !begins(program->section, "fcgi-program:")) continue;
        if (environment) add_first(program, environment);
        if (umask && !pdk_program_get(program, "umask")) add_first(program, umask);
    }
}

static struct pdk_program *program_named(const struct pdk_supervisord *all, const char *name) {
    for (struct pdk_program *program = all->programs; program; program = program->next)
        if (program->task && strcmp(program->name, name) == 0) return program;
    return NULL;
}

static bool is_label(const char *text) {
    return *text && strlen(text) <= 63 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(text);
}

/* programs=a,b: a label that -l group=NAME picks. */
static void group_section(struct pdk_supervisord *all, struct pdk_program *group) {
    struct pdk_import *import = all->import;
    const char *list = pdk_program_get(group, "programs");
    for (uint32_t i = 0; i < group->line_count; i++)
        if (strcmp(group->lines[i]->key, "programs") != 0)
            pdk_import_note(import, &import->notes, group->lines[i]->at, "[%.*s] %.60s=%.*s has no counterpart here",
                            SHOWN, group->section, group->lines[i]->key, SHOWN, group->lines[i]->value);
    while (list && *list) {
        size_t size = strcspn(list, ",\n");
        const char *name = pdk_import_trim(import, list, size);
        struct pdk_program *program = name ? program_named(all, name) : NULL;
        if (program && is_label(group->name))
            (void)pdk_import_set(import, program->task, "labels.group", group->name);
        else if (name && *name)
            pdk_import_note(import, &import->notes, group->at, "[%.*s]: %.*s", SHOWN, group->section, SHOWN,
                            program ? "its name cannot be a label" : name);
        list += size + (list[size] != '\0');
    }
}

static void other_section(struct pdk_supervisord *all, struct pdk_program *section) {
    static const struct {
        const char *section, *why;
    } words[] = {{"supervisord", "sets up supervisord itself"},
                 {"unix_http_server", "sets up supervisord itself"},
                 {"inet_http_server", "sets up supervisord itself"},
                 {"supervisorctl", "sets up supervisord itself"},
                 {"rpcinterface:", "sets up supervisord itself"},
                 {"ctlplugin:", "sets up supervisord itself"},
                 {"eventlistener:", "has no counterpart here: paddock run --json tells events"}};
    struct pdk_import *import = all->import;
    const char *why = "is no section that is known";
    if (strcmp(section->section, "include") == 0) return;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (begins(section->section, words[i].section)) why = words[i].why;
    pdk_import_note(import, &import->notes, section->at, "[%.*s] %s", SHOWN, section->section, why);
}

static void translate(struct pdk_supervisord *all) {
    struct pdk_program *own = pdk_table_get(&all->by_section, "supervisord", 11);
    if (own) own_section(all, own);
    for (struct pdk_program *program = all->programs; program && !all->import->error; program = program->next) {
        if (begins(program->section, "program:") || begins(program->section, "fcgi-program:"))
            pdk_program_translate(all, program);
        else if (!begins(program->section, "group:"))
            other_section(all, program);
    }
    for (struct pdk_program *group = all->programs; group && !all->import->error; group = group->next)
        if (begins(group->section, "group:")) group_section(all, group);
}

/* ---- order */

static int by_priority(const void *a, const void *b) {
    const struct pdk_program *x = *(struct pdk_program *const *)a, *y = *(struct pdk_program *const *)b;
    return x->priority < y->priority ? -1 : x->priority > y->priority;
}

/* Who has a higher number starts after all of the next lower one. Those that nobody starts are waited for by none. */
static void put_order(struct pdk_supervisord *all) {
    struct pdk_program **sorted;
    size_t count = 0, level = 0, before = 0;
    for (struct pdk_program *program = all->programs; program; program = program->next) count++;
    sorted = pdk_import_alloc(all->import, (count + 1) * sizeof *sorted);
    if (!sorted) return;
    count = 0;
    for (struct pdk_program *program = all->programs; program; program = program->next)
        if (program->task && !pdk_import_find(program->task, "manual")) sorted[count++] = program;
    if (count) qsort(sorted, count, sizeof *sorted, by_priority);
    for (size_t i = 0; i < count && !all->import->error; i++) {
        if (sorted[i]->priority != sorted[level]->priority) {
            before = level;
            level = i;
        }
        for (size_t k = before; k < level; k++)
            pdk_import_link(all->import, sorted[i]->task, sorted[k]->task, false, sorted[i]->at);
    }
}

void pdk_import_supervisord(struct pdk_import *import, const struct pdk_import_source *source) {
    struct pdk_supervisord all = {.import = import};
    struct pdk_ini_line *own = pdk_ini_read(import, source, PDK_INI_SUPERVISORD);
    const struct pdk_ini_line *lines = own;
    all.last = &all.programs;
    gather(&all, lines);
    struct pdk_program *include = pdk_table_get(&all.by_section, "include", 7);
    if (include && !import->error) {
        const struct pdk_ini_line *last = own;
        while (last->next) last = last->next;
        lines = read_includes(&all, include, own);
        gather(&all, last->next);
    }
    if (!import->error) sort_lines(&all, lines);
    if (!import->error) translate(&all);
    if (!import->error) put_order(&all);
    for (struct pdk_program *program = all.programs; program; program = program->next) pdk_table_free(&program->by_key);
    pdk_table_free(&all.by_section);
}
