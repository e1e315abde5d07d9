/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file of kept output, plain or packed: it is read to its end or refused, records are within their bounds, and
 * what was taken for one says the same when it is written again.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "file.h"
#include "fuzz.h"
#include "names.h"
#include "paddock/host.h"

static void check(const struct arc_record *record) {
    char buf[ARC_LINE_MAX + ARC_HEAD_MAX];
    struct arc_record again;
    size_t tag, size;
    MUST(record->size <= ARC_CONTENT_MAX && record->lost <= INT64_MAX);
    MUST((record->size > 0) != (record->lost > 0));
    if (record->lost) {
        size = arc_record_lost(buf, sizeof buf, record->unix_ns, record->lost);
    } else {
        MUST(record->stream == PDK_STDOUT || record->stream == PDK_STDERR);
        MUST(record->whole == (record->data[record->size - 1] == '\n'));
        size = arc_record_head(buf, record->unix_ns, record->stream, &tag);
        buf[tag] = record->whole ? 'F' : 'P';
        memcpy(buf + size, record->data, record->size);
        size += record->size;
        if (!record->whole) buf[size++] = '\n';
    }
    MUST(arc_record_parse(buf, size, &again));
    MUST(again.unix_ns == record->unix_ns && again.stream == record->stream && again.lost == record->lost);
    MUST(again.size == record->size && !memcmp(again.data, record->data, record->size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct arc_file file;
    struct arc_record record;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    int32_t rc = 0;
    if (fd < 0) return 0;
    MUST(write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
    MUST(arc_file_open(&file, fd) == 0);
    for (int i = 0; i < 100000 && (rc = arc_file_next(&file, &record)) > 0; i++) check(&record);
    arc_file_close(&file);
    return 0;
}
