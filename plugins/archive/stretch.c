/* SPDX-License-Identifier: Apache-2.0 */
#include "stretch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find.h"

/* ---- faults ---- */

static int32_t fail(struct arc_stretch *s, int32_t rc) {
    if (rc == -ENOMEM) return rc;
    if (rc == -EILSEQ)
        (void)snprintf(s->fault, sizeof s->fault, "%s, line %llu: a record of output is wanted there, this is none",
                       s->path, (unsigned long long)s->file.line);
    else if (rc == -EBADMSG)
        (void)snprintf(s->fault, sizeof s->fault, "%s: it is damaged, gzip cannot read on after line %llu", s->path,
                       (unsigned long long)s->file.line - 1);
    else
        (void)snprintf(s->fault, sizeof s->fault, "%s: %s", s->path, strerror(-rc));
    return -EIO;
}

/* ---- files ---- */

static void close_file(struct arc_stretch *s) {
    if (s->open) arc_file_close(&s->file);
    s->open = false;
}

void arc_stretch_close(struct arc_stretch *s) {
    close_file(s);
    arc_text_free(&s->text);
}

static int32_t open_file(struct arc_stretch *s, uint64_t start) {
    close_file(s);
    int fd = arc_find_open(s->folder, s->attempt, start, s->path, sizeof s->path);
    if (fd < 0) return fd;
    int32_t rc = arc_file_open(&s->file, fd);
    if (rc < 0) return rc;
    s->open = true;
    s->complete = false;
    s->start = start;
    return 0;
}

/* How many lines are in a file, of those that are wanted; a last one that has no end counts. */
static int32_t count_lines(struct arc_stretch *s, uint64_t *ret) {
    struct arc_record record;
    bool part = false;
    int32_t rc;
    for (*ret = 0; (rc = arc_file_next(&s->file, &record)) > 0;) {
        if (!record.size || (s->stream && record.stream != s->stream)) continue;
        *ret += record.whole;
        part = !record.whole;
    }
    *ret += part;
    return rc;
}

/* Which file the last lines begin in, and how many of it do not belong to them. */
static int32_t find_tail(struct arc_stretch *s, const uint64_t *starts, size_t count, size_t *ret) {
    uint64_t lines = 0;
    size_t i = count;
    int32_t rc = 0;
    while (i > 0 && lines < s->tail && rc == 0) {
        uint64_t here = 0;
        rc = open_file(s, starts[--i]);
        if (rc == -ENOENT) break; /* removed meanwhile: those behind it are all there is */
        if (rc == 0) rc = count_lines(s, &here);
        lines += here;
    }
    if (rc == 0 || rc == -ENOENT) close_file(s);
    if (rc == -ENOENT) i++, rc = 0;
    s->skip = lines > s->tail ? lines - s->tail : 0;
    *ret = i < count ? i : count - 1;
    return rc;
}

/* All that is there is left out. */
static int32_t find_end(struct arc_stretch *s, uint64_t start) {
    struct arc_record record;
    int32_t rc = open_file(s, start);
    s->position = start;
    while (rc == 0 && (rc = arc_file_next(&s->file, &record)) > 0) {
        s->position += record.size + record.lost;
        rc = 0;
    }
    s->tail = 0;
    s->from = s->position;
    s->begun = rc == 0;
    return rc;
}

static size_t find_from(const struct arc_stretch *s, const uint64_t *starts, size_t count) {
    size_t i = count - 1;
    while (i > 0 && starts[i] > s->from) i--;
    return i;
}

/* What is missing between where we are and where a file begins. */
static void arrive(struct arc_stretch *s) {
    if (s->start > s->position) s->lost += s->start - s->position;
    s->position = s->start;
}

static int32_t begin(struct arc_stretch *s) {
    uint64_t *starts = NULL;
    size_t first = 0;
    int64_t count = arc_find_starts(s->folder, s->attempt, &starts);
    int32_t rc = count < 0 ? (int32_t)count : count == 0 ? -ENOENT : 0;
    if (rc == 0 && s->tail == UINT64_MAX)
        rc = find_end(s, starts[count - 1]);
    else if (rc == 0 && s->tail)
        rc = find_tail(s, starts, (size_t)count, &first);
    else if (rc == 0)
        first = find_from(s, starts, (size_t)count);
    if (rc == 0 && !s->open) rc = open_file(s, starts[first]);
    if (rc == 0 && !s->begun) {
        s->position = s->tail || s->start <= s->from ? s->start : s->from;
        arrive(s);
        s->begun = true;
    }
    free(starts);
    return rc == -ENOENT || rc == 0 ? rc : fail(s, rc);
}

/* 1: the next file is open, or this one may have got more before it was complete. 0: there is none. */
static int32_t next_file(struct arc_stretch *s) {
    uint64_t *starts = NULL;
    int64_t count = arc_find_starts(s->folder, s->attempt, &starts), i = 0;
    while (i < count && starts[i] <= s->start) i++;
    int32_t rc = count < 0 ? (int32_t)count : 0;
    if (i < count && !s->complete) {
        s->complete = true;
        rc = 1;
    } else if (i < count) {
        rc = open_file(s, starts[i]);
        if (rc == 0) arrive(s);
        if (rc == 0 || rc == -ENOENT) rc = 1; /* removed meanwhile: look again */
    }
    free(starts);
    return rc < 0 ? fail(s, rc) : rc;
}

/* ---- records ---- */

/* True: what follows is not wanted any more. */
static bool take(struct arc_stretch *s, const struct arc_record *record) {
    uint64_t offset = s->position;
    const char *data = record->data;
    size_t size = record->size;
    s->position += size + record->lost;
    if (s->to && offset >= s->to) return true;
    if (record->lost) {
        if (s->position > s->from) s->lost += record->lost;
        return false;
    }
    if (s->stream && record->stream != s->stream) return false;
    if (s->skip) {
        s->skip -= record->whole;
        return false;
    }
    if (!s->tail && s->position <= s->from) return false;
    if (!s->tail && offset < s->from) {
        data += s->from - offset;
        size -= (size_t)(s->from - offset);
        offset = s->from;
    }
    if (s->to && offset + size > s->to) size = (size_t)(s->to - offset);
    s->bits[s->count++] = (struct arc_bit){record->stream, record->unix_ns, offset, s->lost, s->text.size, size};
    arc_text_add(&s->text, data, size);
    s->lost = 0;
    return false;
}

/* At the end there may be a gap that nothing follows. */
static void tell_gap(struct arc_stretch *s) {
    if (!s->lost || s->count == ARC_BITS) return;
    s->bits[s->count++] = (struct arc_bit){.stream = 1, .offset = s->position, .lost = s->lost};
    s->lost = 0;
}

int32_t arc_stretch_read(struct arc_stretch *s) {
    s->count = 0;
    arc_text_clear(&s->text);
    int32_t rc = s->begun ? 0 : begin(s);
    if (rc < 0) return rc;
    while (s->count < ARC_BITS && s->text.size < ARC_PART) {
        struct arc_record record;
        rc = arc_file_next(&s->file, &record);
        if (rc < 0) return fail(s, rc);
        if (rc > 0 && take(s, &record)) return 0;
        if (rc == 0 && (rc = next_file(s)) <= 0) {
            if (rc == 0) tell_gap(s);
            return s->text.failed ? -ENOMEM : rc;
        }
    }
    return s->text.failed ? -ENOMEM : 1;
}
