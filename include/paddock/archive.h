/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/archive.h - what was kept of runs: their output and what happened to them: paddock.archive/1, found by
 * control->find. It survives a restart; the supervisor's own list does not.
 */
#ifndef PADDOCK_ARCHIVE_H
#define PADDOCK_ARCHIVE_H

#include "host.h"

PDK_BEGIN

#define PDK_ARCHIVE_1 "paddock.archive/1"

/* A piece of kept output. Lives during the call. */
typedef struct pdk_piece {
    uint32_t struct_size;
    int32_t stream; /* PDK_STDOUT, PDK_STDERR */
    uint64_t unix_ns;
    uint64_t offset; /* of this piece in the attempt, in the order it was written, both streams counted */
    const char *data;
    size_t size;
    uint64_t lost; /* bytes missing before it */
} pdk_piece;

typedef struct pdk_read_options {
    uint32_t struct_size;
    uint32_t attempt; /* 0: the last */
    uint64_t from;    /* the first offset wanted */
    uint64_t tail;    /* instead: this many lines before the end; 0: from */
    int32_t stream;   /* 0: both */
    int32_t follow;   /* 1: go on until the attempt has ended */
} pdk_read_options;

typedef uint64_t pdk_reading_id;

typedef struct pdk_archive pdk_archive;
struct pdk_archive {
    uint32_t struct_size, reserved;
    void *data; /* the archive's */

    /* [main] Read output. piece returns 1 to pause until resume, else 0; end comes once, with 0 or a negative errno
     * (-ENOENT: nothing was kept, -EIO: err names the file). Neither comes inside this call. */
    int32_t (*read)(const pdk_archive *, const char *run_id, const pdk_read_options *,
                    int32_t (*piece)(void *arg, const pdk_piece *),
                    void (*end)(void *arg, int32_t rc, const pdk_error *), void *arg, pdk_reading_id *ret);
    void (*resume)(const pdk_archive *, pdk_reading_id);
    void (*stop)(const pdk_archive *, pdk_reading_id); /* nothing more comes */

    /* [main] What is kept of a run: the map of describe_run, with `attempts` and `events`, lists of maps; or, with
     * run_id NULL, the list of those that have ended, newest first, by filter {task, outcome, before, limit}. answer
     * comes once, later; the value is yours during the call. */
    int32_t (*show)(const pdk_archive *, const char *run_id, const pdk_value *filter,
                    void (*answer)(void *arg, int32_t rc, const pdk_value *, const pdk_error *), void *arg);
};

PDK_END
#endif
