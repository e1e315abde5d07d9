/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_VALUE_PATH_H
#define CORE_VALUE_PATH_H

#include <stddef.h>

/* A path being written into a buffer that may be too small: then its end is missing. */
struct pdk_path {
    char *buf;
    size_t size, used;
};

struct pdk_path pdk_path_start(char *buf, size_t size);
void pdk_path_key(struct pdk_path *path, const char *key);   /* .web or ["odd key"] */
void pdk_path_index(struct pdk_path *path, size_t i);        /* [2] */
void pdk_path_token(struct pdk_path *path, const char *key); /* /web, of a JSON pointer */

#endif
