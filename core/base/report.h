/* SPDX-License-Identifier: Apache-2.0 */
/* Faults found in what came from outside, gathered so that all are shown at once, sorted by place. */
#ifndef CORE_BASE_REPORT_H
#define CORE_BASE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "paddock/base.h"

enum pdk_severity { PDK_SEVERITY_ERROR, PDK_SEVERITY_WARNING };

/* Where. A file's text is kept by whoever owns it until the report is printed or freed. */
struct pdk_place {
    const char *file;      /* or the origin: "nats:subject"; NULL: nowhere */
    const char *text;      /* the whole file, for quoting; NULL: none to quote */
    uint32_t line, column; /* from 1, in characters; 0: the whole file */
    uint32_t span;         /* characters to underline; 0 counts as 1; never beyond the line's end */
};

struct pdk_fault {
    enum pdk_severity severity;
    int32_t code; /* negative errno that a single caller would have got */
    struct pdk_place place;
    const char *path;       /* "tasks.web.restart"; "" if there is none */
    const char *message;    /* `"allways" is not one of its values` */
    const char *expected;   /* `expected never, on-failure or always`; "" */
    const char *suggestion; /* `always`, for `did you mean "always"?`; "" */
    const char *plugin;     /* whose schema or code said so; "" */
    struct pdk_place note;  /* a second place, if file is not NULL */
    const char *note_text;
    bool secret; /* do not quote the value: show *** */
    uint32_t order;
};

struct pdk_report {
    struct pdk_arena arena;
    struct pdk_fault *faults;
    uint32_t count, capacity, limit; /* limit 0 counts as 100; what is beyond is only counted */
    uint32_t errors, warnings;
    int32_t out_of_memory;
};

/* Add a copy of *fault: texts are copied, the file's text is not. The same words about the same place are kept once.
 * Returns fault->code. report may be NULL. */
int32_t pdk_report_add(struct pdk_report *report, const struct pdk_fault *fault);

/* Would one more only be counted? Then its texts need not be made. */
bool pdk_report_is_full(const struct pdk_report *report);

/* By file, line, column, then order of coming. */
void pdk_report_sort(struct pdk_report *report);

/* As people read it. color: ANSI. One fault, or all and a last line that counts them; nothing if there are none.
 * Control bytes that came from the input never reach the terminal. */
void pdk_fault_print(const struct pdk_fault *fault, bool color, pdk_write write, void *arg);
void pdk_report_print(const struct pdk_report *report, bool color, pdk_write write, void *arg);

void pdk_report_free(struct pdk_report *report);

#endif
