/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How output is kept: text, one record a line, in the format that container runtimes write (CRI), so that every tool reads it:
 *
 *     2026-01-02T03:04:05.123456789Z stdout F a whole line
 *     2026-01-02T03:04:05.123456789Z stderr P a part of one: no newline came here
 *     2026-01-02T03:04:05.123456789Z - L 4096
 *
 * The last is ours: so many bytes are missing here. What stands between the third blank and the newline is what was
 * written, byte by byte.
 */
#ifndef ARCHIVE_RECORD_H
#define ARCHIVE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ARC_CONTENT_MAX = 16384, /* of a record; what is longer is written in parts */
    ARC_HEAD_MAX = 48,
    ARC_TIME_SIZE = 30,
    ARC_LINE_MAX = ARC_CONTENT_MAX + ARC_HEAD_MAX
};

struct arc_record {
    uint64_t unix_ns;
    int32_t stream;   /* PDK_STDOUT, PDK_STDERR; 0: lost */
    bool whole;       /* it ends a line; the newline is part of data */
    const char *data; /* into the line */
    size_t size;
    uint64_t lost;
};

/* Of a line with its newline. False: it is none of ours. */
bool arc_record_parse(const char *line, size_t size, struct arc_record *ret);

/* 2026-01-02T03:04:05.123456789Z, without an end. at: ARC_TIME_SIZE. */
void arc_record_time(char *at, uint64_t unix_ns);
/* "2026-01-02T03:04:05.123456789Z stdout F " with the tag left to be set at the place that *ret_tag says. Returns its
 * size. buf: ARC_HEAD_MAX. */
size_t arc_record_head(char *buf, uint64_t unix_ns, int32_t stream, size_t *ret_tag);
/* A whole record that says how much is lost. Returns its size. buf: ARC_HEAD_MAX + 24. */
size_t arc_record_lost(char *buf, size_t size, uint64_t unix_ns, uint64_t lost);

#endif
