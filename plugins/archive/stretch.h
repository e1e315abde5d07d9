/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stretch of the output of an attempt, read in parts: over all of its files, from an offset or from so many lines before
 * the end on. [any thread, one at a time]
 */
#ifndef ARCHIVE_STRETCH_H
#define ARCHIVE_STRETCH_H

#include <limits.h>

#include "file.h"
#include "text.h"

enum { ARC_BITS = 256, ARC_PART = 64 << 10 };

/* A piece that was read; its bytes are in the text of the stretch. */
struct arc_bit {
    int32_t stream;
    uint64_t unix_ns, offset, lost;
    size_t place, size;
};

struct arc_stretch {
    /* set before */
    const char *folder;
    uint32_t attempt;
    int32_t stream; /* 0: both */
    uint64_t from, to, tail;

    struct arc_bit bits[ARC_BITS];
    size_t count;
    struct arc_text text;
    char fault[PATH_MAX + 1280]; /* with -EIO: which file, and what is wrong */

    bool begun, open, complete; /* complete: there is another file behind this one */
    uint64_t start, position;   /* of the file; of its next record */
    uint64_t lost, skip;        /* lines to leave out */
    char path[PATH_MAX + 1024];
    struct arc_file file;
};

/* Read the next part. 1: there may be more. 0: that is all there is now; one that grows may be asked again. -ENOENT: it has no
 * file. -EIO, -ENOMEM. */
int32_t arc_stretch_read(struct arc_stretch *stretch);
void arc_stretch_close(struct arc_stretch *stretch);

#endif
