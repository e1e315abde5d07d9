/* SPDX-License-Identifier: Apache-2.0 */
/* A file of output, record by record. It may still be growing. [any thread, one at a time] */
#ifndef ARCHIVE_FILE_H
#define ARCHIVE_FILE_H

#include "gzip.h"
#include "record.h"

struct arc_file {
    struct arc_gzip *gzip;
    size_t first, end; /* of what was read and not used */
    uint64_t line;     /* of the next record, from 1 */
    char buf[2 * ARC_LINE_MAX];
};

/* fd becomes its own, also when this fails. */
int32_t arc_file_open(struct arc_file *file, int fd);
/* 1: *ret is a record, good until the next call. 0: there are no more; what is left and has no newline was cut off while it
 * was written, or is being written. -EILSEQ: line `file->line` is none of ours. Else as arc_gzip_read. */
int32_t arc_file_next(struct arc_file *file, struct arc_record *ret);
void arc_file_close(struct arc_file *file);

#endif
