/* SPDX-License-Identifier: Apache-2.0 */
/* Includes: globs, relative to the file that has them, sorted. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/config/load.h"

#define PATTERN_LIMIT 8192

/* The pattern behind the folder of the including file, whose own letters are no wildcards. */
static void make_pattern(struct pdk_buffer *buffer, const char *file, const char *pattern) {
    const char *slash = file ? strrchr(file, '/') : NULL;
    if (*pattern != '/' && slash) {
        for (const char *p = file; p <= slash; p++) {
            if (strchr("*?[\\", *p)) pdk_buffer_text(buffer, "\\");
            pdk_buffer_add(buffer, p, 1);
        }
    }
    pdk_buffer_text(buffer, pattern);
}

static int compare(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void load_all(struct pdk_loading *loading, glob_t *found, const struct pdk_file_source *source,
                     const pdk_value *at) {
    qsort(found->gl_pathv, found->gl_pathc, sizeof *found->gl_pathv, compare);
    for (size_t i = 0; i < found->gl_pathc && loading->error != -ENOMEM; i++) {
        if (i == PDK_FILES_LIMIT) {
            pdk_loading_error(loading,
                              pdk_value_fault(loading->report, -EMFILE, at, NULL, NULL, "more than 1000 files"));
            return;
        }
        pdk_load_file(loading, found->gl_pathv[i], source, at);
    }
}

static void load_pattern(struct pdk_loading *loading, const pdk_value *at, const struct pdk_file_source *source) {
    struct pdk_buffer pattern = PDK_BUFFER(PATTERN_LIMIT);
    const char *text = pdk_value_text(at);
    glob_t found;
    int rc;
    if (!text || !*text) {
        pdk_loading_error(loading,
                          pdk_value_fault(loading->report, -EINVAL, at, NULL, NULL, "expected a path or a pattern"));
        return;
    }
    make_pattern(&pattern, source->name, text);
    rc = pattern.error ? GLOB_NOSPACE : glob(pdk_buffer_string(&pattern), GLOB_NOSORT, NULL, &found);
    pdk_buffer_free(&pattern);
    if (rc == 0) {
        load_all(loading, &found, source, at);
        globfree(&found);
    } else if (rc == GLOB_NOSPACE) {
        pdk_loading_error(loading, -ENOMEM);
    } else if (rc != GLOB_NOMATCH || !text[strcspn(text, "*?[")]) {
        pdk_loading_error(loading, pdk_value_fault(loading->report, -ENOENT, at, NULL, NULL,
                                                   rc == GLOB_NOMATCH ? "there is no such file" : "cannot be read"));
    }
}

void pdk_load_includes(struct pdk_loading *loading, const pdk_value *value, const struct pdk_file_source *source) {
    if (source->depth >= PDK_INCLUDE_DEPTH) {
        pdk_loading_error(loading, pdk_value_fault(loading->report, -EINVAL, value, NULL, NULL,
                                                   "includes are nested more than %d deep", PDK_INCLUDE_DEPTH));
    } else if (value->type == PDK_LIST) {
        for (uint32_t i = 0; i < value->size && loading->error != -ENOMEM; i++)
            load_pattern(loading, value->as.items[i], source);
    } else {
        load_pattern(loading, value, source);
    }
}
