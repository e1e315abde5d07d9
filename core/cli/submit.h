/* SPDX-License-Identifier: Apache-2.0 */
/* What paddock submit hands over: verb_submit.c talks to the server, submit_spec.c makes specs of arguments and files,
 * submit_lines.c reads them one by one. */
#ifndef CORE_CLI_SUBMIT_H
#define CORE_CLI_SUBMIT_H

#include "core/cli/load.h"
#include "core/cli/remote.h"

#define PDK_SUBMIT_FILE_MAX ((size_t)4 << 20)

struct pdk_handed {
    const pdk_value *spec; /* dropped by pdk_handover_free */
    bool from_file;
};

struct pdk_handover {
    struct pdk_handed *items;
    size_t count;
    struct pdk_setup setup;  /* of a file with tasks, whose texts faults quote */
    const pdk_value *text;   /* a file that is one spec */
    const pdk_value *fields; /* what options say of every spec */
};

/* 0, or an exit code after the error was told. local: the server sees the folders that we see. Free it in every case. */
int pdk_handover_make(struct pdk_handover *s, struct pdk_arguments *arguments, bool local);
void pdk_handover_free(struct pdk_handover *s);

/* What --with, --label, --input and --set say, as fields of a task. *ret is owned by the caller. 0, or an exit code. */
int pdk_submit_fields(struct pdk_setup *setup, const pdk_value **ret);

/* A task by itself, with the fields above what it says, under --name, its own name, or that of what it is. *ret is owned by the
 * caller. 0, or an exit code after the error was told. */
int pdk_submit_single(const struct pdk_arguments *arguments, const pdk_value *text, const pdk_value *fields,
                      const pdk_value **ret);

/* The lines of --jsonl. Those that give an int: 0, or an exit code after the error was told. */
struct pdk_lines {
    const char *name;
    uint64_t number; /* of the line that was read last, from 1 */
    int fd;
    bool ended;
    struct pdk_buffer text;
    size_t at; /* in text, of the next line */
};
int pdk_lines_open(struct pdk_lines *lines, const char *path);
/* The next object, owned by the caller; NULL: there is none any more. It waits as long as who writes them takes, or until remote,
 * which was opened to stay, is asked to end. */
int pdk_lines_next(struct pdk_lines *lines, struct pdk_remote *remote, const pdk_value **ret);
void pdk_lines_close(struct pdk_lines *lines);

/* Two maps as one; where both have a map it is merged too, else above wins. Owned by the caller; NULL: no memory. */
const pdk_value *pdk_submit_merge(const pdk_value *below, const pdk_value *above);

#endif
