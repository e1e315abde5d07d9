/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the page, as Page.cmake makes them part of the plugin. */
#ifndef CONSOLE_PAGE_H
#define CONSOLE_PAGE_H

#include <stddef.h>

struct con_file {
    const char *name, *type; /* "runs.js", of any folder: names are said once */
    const char *tag;         /* of an ETag header: changes with what is in it */
    const unsigned char *data, *packed;
    size_t size, packed_size; /* packed: as gzip */
};

extern const struct con_file con_files[]; /* ends with a name that is NULL */

#endif
