/* SPDX-License-Identifier: Apache-2.0 */
/* Where the output of a run is. [any thread] */
#ifndef ARCHIVE_FIND_H
#define ARCHIVE_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Its folder, by its id or, the newest there is, by the name of a task. output: the folder of all. False: there is none. */
bool arc_find_run(const char *output, const char *name, char *buf, size_t size);

/* The last attempt that has files, or the first behind one (after, not 0). 0: none. */
uint32_t arc_find_attempt(const char *folder, uint32_t after);

/* The offsets at which the files of an attempt begin, in order; free them. Returns how many, or -ENOMEM. */
int64_t arc_find_starts(const char *folder, uint32_t attempt, uint64_t **ret);

/* Open one of them, plain or packed. A negative errno. path: which it was. */
int arc_find_open(const char *folder, uint32_t attempt, uint64_t start, char *path, size_t size);

#endif
