/* SPDX-License-Identifier: Apache-2.0 */
/* A [program:x] of supervisord on its way to a task. */
#ifndef CORE_IMPORT_SUPERVISORD_H
#define CORE_IMPORT_SUPERVISORD_H

#include "core/base/table.h"
#include "core/import/ini.h"

struct pdk_program {
    struct pdk_program *next;
    const char *section, *name;
    const struct pdk_ini_line **lines; /* the last of each key, in order */
    uint32_t line_count;
    struct pdk_table by_key;
    struct pdk_import_at at;
    struct pdk_import_task *task;
    uint32_t priority;
};

struct pdk_supervisord {
    struct pdk_import *import;
    struct pdk_program *programs, **last; /* all sections */
    struct pdk_table by_section;
};

/* The value of a key; NULL: it is not there. */
const char *pdk_program_get(const struct pdk_program *program, const char *key);

/* A note for this line, in the task: "KEY=VALUE: why". */
void pdk_program_note(struct pdk_supervisord *all, const struct pdk_program *program, const struct pdk_ini_line *line,
                      const char *why);

/* %(ENV_X)s, %(here)s and so on put in. shell: a process_num is wanted as the shell computes it, else it is no value.
 * NULL: this cannot be said, and a note has been made. */
const char *pdk_program_expand(struct pdk_supervisord *all, const struct pdk_program *program,
                               const struct pdk_ini_line *line, bool shell);

/* All fields of the program's task. */
void pdk_program_translate(struct pdk_supervisord *all, struct pdk_program *program);

#endif
