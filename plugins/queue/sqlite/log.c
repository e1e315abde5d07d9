/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the write-ahead log whole? SQLite reads it up to the first frame whose checksum is wrong, and says nothing of what is
 * behind that: there may be, after a power cut, frames that were never synced and so never acknowledged. But where there
 * is a frame of the same run of the log behind a wrong one, it may as well be damage, and somebody has to hear of it.
 *
 *     header   magic, version, page size, number, salt (8 bytes), checksum (8)          32 bytes, words big-endian
 *     frame    page, pages after a commit or 0, salt (8), checksum (8); then the page   24 bytes and the page
 *
 * The checksum of a frame goes on from the one before it, over its first 8 bytes and its page.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sqlite/inside.h"

enum { HEADER = 32, FRAME = 24, SALT = 8, PAGE_MAX = 65536 };
#define MAGIC 0x377f0682u /* or with its last bit set: then checksums are of big-endian words */

struct log {
    int fd;
    bool big_endian;
    uint32_t page_size;
    unsigned char salt[SALT];
    uint32_t sum[2];
};

static uint32_t big(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t word(const struct log *log, const unsigned char *at) {
    if (log->big_endian) return big(at);
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void add(struct log *log, const unsigned char *data, size_t size) {
    for (size_t i = 0; i + 8 <= size; i += 8) {
        log->sum[0] += word(log, data + i) + log->sum[1];
        log->sum[1] += word(log, data + i + 4) + log->sum[0];
    }
}

static bool is_sum(const struct log *log, const unsigned char *at) {
    return big(at) == log->sum[0] && big(at + 4) == log->sum[1];
}

static bool read_header(struct log *log) {
    unsigned char header[HEADER];
    if (pread(log->fd, header, sizeof header, 0) != (ssize_t)sizeof header) return false;
    if ((big(header) & ~1u) != MAGIC) return false;
    log->big_endian = big(header) & 1;
    log->page_size = big(header + 8);
    memcpy(log->salt, header + 16, sizeof log->salt);
    add(log, header, 24);
    return is_sum(log, header + 24) && log->page_size >= 512 && log->page_size <= PAGE_MAX;
}

/* Where the first frame is whose checksum is wrong, and how many commits of this run of the log there are from there on. */
static void look_through(struct log *log, unsigned char *frame, int64_t *ret_at, int64_t *ret_commits) {
    size_t size = FRAME + log->page_size;
    *ret_at = *ret_commits = 0;
    for (off_t at = HEADER; pread(log->fd, frame, size, at) == (ssize_t)size; at += (off_t)size) {
        bool ours = memcmp(frame + 8, log->salt, sizeof log->salt) == 0;
        if (!*ret_at) {
            add(log, frame, 8);
            add(log, frame + FRAME, log->page_size);
            if (!ours || !is_sum(log, frame + 16)) *ret_at = at;
        }
        if (*ret_at && ours && big(frame + 4)) ++*ret_commits;
    }
}

void queue_sqlite_look_at_log(const struct queue_store *store) {
    char path[1100], text[1400];
    struct log log = {.fd = -1};
    int64_t at = 0, commits = 0;
    (void)snprintf(path, sizeof path, "%s-wal", store->config.path);
    log.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (log.fd < 0) return;
    unsigned char *frame = read_header(&log) ? malloc(FRAME + (size_t)log.page_size) : NULL;
    if (frame) look_through(&log, frame, &at, &commits);
    free(frame);
    (void)close(log.fd);
    if (!commits || !store->config.note) return;
    (void)snprintf(
        text, sizeof text,
        "%s is damaged at byte %lld: %lld commits behind that are lost, unless the power failed as they were "
        "being written",
        path, (long long)at, (long long)commits);
    store->config.note(store->config.arg, PDK_LOG_ERROR, text);
}
