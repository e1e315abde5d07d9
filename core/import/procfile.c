/* SPDX-License-Identifier: Apache-2.0 */
/* Procfile: lines "name: command for the shell". What foreman, honcho and Heroku do beside it: each process has a PORT
 * of its own, and `release` comes before all others. */
#include <string.h>

#include "core/import/internal.h"

#define PORT_FIRST 5000
#define PORT_STEP  100

/* Is $PORT or ${PORT} there, and not PORT=? */
static bool wants_port(const char *command) {
    if (strstr(command, "PORT=")) return false;
    for (const char *at = command; (at = strchr(at, '$')); at++) {
        if (strncmp(at, "${PORT}", 7) == 0) return true;
        if (strncmp(at, "$PORT", 5) == 0 && !pdk_import_is_variable(at + 1, 5)) return true;
    }
    return false;
}

static struct pdk_import_task *read_line(struct pdk_import *import, struct pdk_import_at at, const char *line,
                                         size_t size, uint32_t index) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    const char *colon = memchr(line, ':', size);
    const char *name = colon ? pdk_import_trim(import, line, (size_t)(colon - line)) : NULL;
    if (!name || !*name || name[strspn(name, letters)]) {
        (void)pdk_import_fault(import, at, NULL, "expected NAME: COMMAND", "this is not a process");
        return NULL;
    }
    const char *command = pdk_import_trim(import, colon + 1, size - (size_t)(colon + 1 - line));
    if (command && !*command) {
        (void)pdk_import_fault(import, at, NULL, "expected NAME: COMMAND", "%s has no command", name);
        return NULL;
    }
    struct pdk_import_task *task = pdk_import_task(import, name, at);
    (void)pdk_import_shell(import, task, "command", command);
    if (task && wants_port(command))
        (void)pdk_import_env(import, task, "PORT", pdk_import_format(import, "%u", PORT_FIRST + PORT_STEP * index));
    return task;
}

void pdk_import_procfile(struct pdk_import *import, const struct pdk_import_source *source) {
    const char *at = source->text, *end = at + source->size, *line;
    struct pdk_import_task *first = NULL, *release = NULL;
    struct pdk_import_at place = {.source = source};
    uint32_t index = 0;
    size_t size;
    while (!import->error && pdk_import_line(&at, end, &line, &size)) {
        place.line++;
        size_t blank = strspn(line, " \t");
        if (blank >= size || line[blank] == '#') continue;
        if (size > PDK_IMPORT_LINE_BYTES) {
            (void)pdk_import_fault(import, place, NULL, "put it into a script", "a line of more than 64KiB");
            return;
        }
        struct pdk_import_task *task = read_line(import, place, line, size, index++);
        if (!first) first = task;
        if (task && strcmp(task->name, "release") == 0) release = task;
    }
    for (struct pdk_import_task *task = release ? first : NULL; task; task = task->next)
        pdk_import_link(import, task, release, true, release->at);
}
