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
    uint64_t offset; /* in the attempt: both streams count, in the order they were written, and what is lost */
    const char *data;
    size_t size;
    uint64_t lost;    /* bytes missing before it; size may be 0 then, where nothing follows */
    uint32_t attempt; /* its number, from 1 */
    uint32_t reserved;
} pdk_piece;

typedef struct pdk_read_options {
    uint32_t struct_size;
    uint32_t attempt; /* 0: the last; with follow also those after it, until the run has ended */
    uint64_t from;    /* the first offset wanted */
    uint64_t tail;    /* instead: this many lines before the end; 0: from; UINT64_MAX: only what is to come */
    int32_t stream;   /* 0: both */
    int32_t follow;   /* 1: go on until the attempt has ended */
    uint64_t to;      /* the first offset that is not wanted; 0: all there are */
} pdk_read_options;

typedef uint64_t pdk_reading_id;

typedef struct pdk_archive pdk_archive;
struct pdk_archive {
    uint32_t struct_size, reserved;
    void *data; /* the archive's */

    /* [main] Read output. piece returns 1 to pause until resume, else 0; end comes once, with 0 or a negative errno
     * (-ENOENT: nothing was kept, -EIO: err names the file). Neither comes inside this call, nor inside resume. stop may
     * be called within piece. */
    int32_t (*read)(const pdk_archive *, const char *run_id, const pdk_read_options *,
                    int32_t (*piece)(void *arg, const pdk_piece *),
                    void (*end)(void *arg, int32_t rc, const pdk_error *), void *arg, pdk_reading_id *ret);
    void (*resume)(const pdk_archive *, pdk_reading_id);
    void (*stop)(const pdk_archive *, pdk_reading_id); /* nothing more comes */

    /* [main] What is kept of a run, by its id or, newest first, by the name of its task: the map of describe_run, with
     * `history` and `events`, lists of maps: its attempts with how they ended, and what happened. Of one that has not
     * ended it is what there is so far. Or, with run_id NULL, {runs: [maps of describe_run], next}: those that have
     * ended, those submitted last first, by filter {task, slot, kind, runner, search: strings, outcomes: list of
     * strings, before: the number that a run id ends in, where a page goes on, limit}, all optional. `next` is there
     * when there is more: the `before` of the next page; a page may be empty and have it all the same.
     * answer comes once, later, -ESHUTDOWN when the archive stops before; the value is yours during the call.
     * -ENOENT: nothing was kept of it. -EIO: err names the file. */
    int32_t (*show)(const pdk_archive *, const char *run_id, const pdk_value *filter,
                    void (*answer)(void *arg, int32_t rc, const pdk_value *, const pdk_error *), void *arg);
};

PDK_END
#endif
