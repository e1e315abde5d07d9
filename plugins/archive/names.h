/* SPDX-License-Identifier: Apache-2.0 */
/* What files are called. */
#ifndef ARCHIVE_NAMES_H
#define ARCHIVE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARC_NAME_MAX = 224, ARC_SEGMENT_MAX = 48 };

/* A word as the name of a file: what is not a letter, a digit, '.', '_' or '-' becomes %XX, a '.' at the beginning too; what
 * is too long ends in a number made of all of it. buf: ARC_NAME_MAX. */
void arc_name(char *buf, const char *word);

/* Of an attempt, from an offset on: "1.0.log", "1.4194304.log.gz". */
struct arc_segment {
    uint32_t attempt;
    uint64_t start;
    bool cold;
};
/* False: it is none. */
bool arc_segment_parse(const char *name, struct arc_segment *ret);
/* buf: ARC_SEGMENT_MAX */
void arc_segment_name(char *buf, const struct arc_segment *segment);

/* The number that a run id ends in; 0: none. */
uint64_t arc_seq(const char *run_id);
uint64_t arc_hash(const char *data, size_t size);

#endif
