/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other supervisors read, as tasks: Procfile, supervisord.conf, units of systemd, crontab. What can be said becomes a
 * field; what cannot becomes a note, a comment beside the field or task it belongs to. Nothing is left out silently.
 *
 * Whatever is printed is a valid paddock.yaml. One thread at a time; all memory is the import's own.
 */
#ifndef CORE_IMPORT_IMPORT_H
#define CORE_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/buffer.h"
#include "core/base/report.h"

enum pdk_import_format {
    PDK_IMPORT_GUESS,
    PDK_IMPORT_PROCFILE,
    PDK_IMPORT_SYSTEMD,
    PDK_IMPORT_SUPERVISORD,
    PDK_IMPORT_CRON,
    PDK_IMPORT_FORMATS
};

/* "procfile" ..; NULL: no such. And how it is spoken of: "a Procfile". */
const char *pdk_import_format_name(enum pdk_import_format format);
const char *pdk_import_format_what(enum pdk_import_format format);

/* A file that was read; lives as long as the import. */
struct pdk_import_source {
    const char *file;   /* as it was named */
    const char *folder; /* where it is; "" when unknown */
    const char *text;
    size_t size;
};

struct pdk_import_at {
    const struct pdk_import_source *source;
    uint32_t line; /* from 1 */
};

/* A comment. remark: it explains; else it stands for something that could not be translated. */
struct pdk_import_note {
    struct pdk_import_note *next;
    struct pdk_import_at at;
    const char *text;
    bool remark;
};

struct pdk_import_notes {
    struct pdk_import_note *first, *last;
};

/* A value of YAML, and with its key an entry of a map. In texts PDK_IMPORT_OPEN stands for a "${" that is meant as such. */
#define PDK_IMPORT_OPEN "\x01"

enum pdk_import_type { PDK_IMPORT_TEXT, PDK_IMPORT_NULL, PDK_IMPORT_LIST, PDK_IMPORT_MAP };

struct pdk_import_node {
    struct pdk_import_node *next, *first, *last;
    enum pdk_import_type type;
    const char *key;  /* NULL in lists */
    const char *text; /* of a PDK_IMPORT_TEXT */
    uint32_t count;   /* of its children */
    bool plain;       /* a number, a duration, a word of ours: never quoted */
    bool shell;       /* a text that the shell reads: Paddock puts no variables into it */
    struct pdk_import_notes notes;
};

struct pdk_import_task {
    struct pdk_import_task *next;
    const char *name; /* unique when the import is finished */
    struct pdk_import_at at;
    struct pdk_import_node fields; /* a map */
    struct pdk_import_notes notes;
    struct pdk_import_link *links;
    uint32_t mark;
    bool dropped; /* it became notes alone */
};

struct pdk_import {
    struct pdk_arena arena;
    struct pdk_report *report;
    struct pdk_import_task *tasks, *last_task;
    uint32_t task_count, note_count, node_count;
    struct pdk_import_notes notes; /* of no task */
    struct pdk_import_node defaults;
    struct pdk_import_source **sources;
    uint32_t source_count, source_capacity;
    size_t bytes; /* of all sources */
    struct pdk_systemd *systemd;
    bool reads_files; /* that a file names, or that belong to it */
    int32_t error;    /* the first; nothing is done after it */
};

/* A zeroed import with report set (owned by the caller, printed before the import is freed) is ready for use. */

/* Add a text in memory. file is its name, which tells a unit's name, and what a drop-in belongs to; folder as above.
 * Files that it includes are not read. 0; -EINVAL: faults are in the report; -E2BIG, also there; -ENOMEM. */
int32_t pdk_import_text(struct pdk_import *import, enum pdk_import_format format, const char *file, const char *folder,
                        const char *text, size_t size);

/* Add a file, "-" for standard input, and those that belong to it: what it includes, drop-ins, a timer or service beside
 * it. *ret_format is what it was taken for, PDK_IMPORT_GUESS: nothing, it was read before. Returns as above, and a negative errno in the report when it cannot be read. */
int32_t pdk_import_file(struct pdk_import *import, enum pdk_import_format format, const char *path,
                        enum pdk_import_format *ret_format);

/* What a text looks like; PDK_IMPORT_GUESS: like nothing known, and *why (static) may say more. */
enum pdk_import_format pdk_import_guess(const char *file, const char *text, size_t size, const char **why);

/* After the last file: names, order, what tasks have in common. Returns as above. */
int32_t pdk_import_finish(struct pdk_import *import);

/* The whole paddock.yaml. to->error is set when it is too large. */
void pdk_import_print(const struct pdk_import *import, struct pdk_buffer *to);

/* Notes that are no remarks. */
uint32_t pdk_import_untranslated(const struct pdk_import *import);

void pdk_import_free(struct pdk_import *import);

#endif
