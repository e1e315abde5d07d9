/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/embedded.h"

#include <stdlib.h>
#include <string.h>

const struct pdk_embedded *pdk_embedded_find(const char *name) {
    for (const struct pdk_embedded *file = pdk_embedded_files; file->name; file++)
        if (strcmp(file->name, name) == 0) return file;
    abort(); /* the build has left out what the program was written for */
}
