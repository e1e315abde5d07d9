/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <string.h>

int32_t arc_file_open(struct arc_file *file, int fd) {
    file->first = file->end = 0;
    file->line = 1;
    return arc_gzip_open(fd, &file->gzip);
}

void arc_file_close(struct arc_file *file) {
    arc_gzip_close(file->gzip);
    file->gzip = NULL;
}

/* 1: there is more than before. */
static int32_t fill(struct arc_file *file) {
    if (file->first) memmove(file->buf, file->buf + file->first, file->end - file->first);
    file->end -= file->first;
    file->first = 0;
    if (file->end == sizeof file->buf) return -EILSEQ; /* no record is that long */
    int64_t got = arc_gzip_read(file->gzip, file->buf + file->end, sizeof file->buf - file->end);
    if (got > 0) file->end += (size_t)got;
    return got < 0 ? (int32_t)got : got > 0;
}

int32_t arc_file_next(struct arc_file *file, struct arc_record *ret) {
    size_t looked = 0;
    for (;;) {
        const char *start = file->buf + file->first;
        size_t left = file->end - file->first;
        const char *newline = memchr(start + looked, '\n', left - looked);
        if (newline) {
            size_t size = (size_t)(newline - start) + 1;
            if (!arc_record_parse(start, size, ret)) return -EILSEQ;
            file->first += size;
            file->line++;
            return 1;
        }
        looked = left;
        int32_t rc = fill(file);
        if (rc <= 0) return rc;
    }
}
