/* SPDX-License-Identifier: Apache-2.0 */
/* Sections of KEY = VALUE lines, as systemd and as supervisord read them. */
#ifndef CORE_IMPORT_INI_H
#define CORE_IMPORT_INI_H

#include "core/import/internal.h"

enum pdk_ini_dialect {
    PDK_INI_SYSTEMD,    /* a backslash at the end continues; comments are lines of their own */
    PDK_INI_SUPERVISORD /* a deeper indent continues; " ;" begins a comment; keys are in lower case; also KEY: VALUE */
};

/* In the order of the file. key NULL: the header of a section, which comes before its lines. */
struct pdk_ini_line {
    struct pdk_ini_line *next;
    const char *section, *key, *value;
    struct pdk_import_at at;
};

/* NULL when there are none, or after a fault. */
struct pdk_ini_line *pdk_ini_read(struct pdk_import *import, const struct pdk_import_source *source,
                                  enum pdk_ini_dialect dialect);

/* true, yes, on, 1 or their opposites. */
bool pdk_ini_bool(const char *text, bool *ret);

#endif
