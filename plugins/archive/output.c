/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of attempts: output/TASK/RUN/ATTEMPT.OFFSET.log. A file that is large enough is handed to the keeper, and the
 * next begins at the offset that its name says. What cannot be written is counted, and told where writing works again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "instance.h"
#include "record.h"

enum { OPEN_MAX_FILES = 64, TEXT_FULL = 256 << 10 };

static void path_of(const struct archive *archive, const struct arc_attempt *a, char *buf, size_t size) {
    const struct arc_segment segment = {a->number, a->start, false};
    char name[ARC_SEGMENT_MAX];
    arc_segment_name(name, &segment);
    arc_path(buf, size, "%s/output/%s/%s", archive->options.root, a->folder, name);
}

/* ---- open files ---- */

static void close_file(struct archive *archive, struct arc_attempt *a) {
    if (a->fd < 0) return;
    (void)close(a->fd);
    a->fd = -1;
    TAILQ_REMOVE(&archive->output.opened, a, opened);
    archive->output.opened_count--;
}

/* The file is complete, as far as it goes. */
static void end_segment(struct archive *archive, struct arc_attempt *a, bool rotated) {
    char path[ARC_PATH];
    size_t root = strlen(archive->options.root) + 1;
    close_file(archive, a);
    if (!a->begun) return;
    path_of(archive, a, path, sizeof path);
    arc_keeper_take(archive, path + root, a->size, (rotated ? ARC_ROTATED : 0) | (a->made_folder ? ARC_FOLDER : 0));
    a->begun = a->made_folder = false;
    a->start = a->offset;
    a->size = 0;
}

/* 1: it was not there. */
static int32_t make(const char *path) {
    return mkdir(path, 0700) == 0 ? 1 : errno == EEXIST ? 0 : -errno;
}

static int32_t make_folder(const struct archive *archive, const struct arc_attempt *a) {
    char path[ARC_PATH];
    int size = snprintf(path, sizeof path, "%s/output/%s", archive->options.root, a->folder);
    char *slash = strrchr(path, '/');
    if (size < 0 || (size_t)size >= sizeof path || !slash) return -ENAMETOOLONG;
    int32_t rc = make(path);
    /* The keeper may remove the folder of the task in between: once, with the last run that it had. */
    for (int tries = 0; rc == -ENOENT && tries < 2; tries++) {
        *slash = '\0';
        rc = make(path);
        *slash = '/';
        if (rc >= 0) rc = make(path);
    }
    return rc;
}

/* A file that is there already is of another life of the same number: ids of runs should not come again. */
static int create_file(const struct archive *archive, struct arc_attempt *a, const char *path) {
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = open(path, flags, 0600);
    if (fd < 0 && errno == ENOENT) {
        int32_t rc = make_folder(archive, a);
        if (rc < 0) return rc;
        a->made_folder |= rc == 1;
        fd = open(path, flags, 0600);
    }
    if (fd < 0 && errno == EEXIST && unlink(path) == 0) fd = open(path, flags, 0600);
    return fd < 0 ? -errno : fd;
}

static void make_place(struct archive *archive) {
    if (archive->output.opened_count < OPEN_MAX_FILES) return;
    close_file(archive, TAILQ_FIRST(&archive->output.opened));
}

static int32_t open_file(struct archive *archive, struct arc_attempt *a) {
    char path[ARC_PATH];
    if (a->fd >= 0) return 0;
    if (!a->live) a->live = arc_keeper_hold(archive, a->folder); /* else it may be removed: an odd loss, but no harm */
    make_place(archive);
    path_of(archive, a, path, sizeof path);
    int fd = -ENOENT;
    if (a->begun && (fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)) < 0) fd = -errno;
    if (fd == -ENOENT) { /* or somebody has removed it */
        atomic_fetch_sub(&archive->keeper.open_bytes, a->size);
        a->begun = false;
        a->start = a->offset;
        a->size = 0;
        path_of(archive, a, path, sizeof path);
        fd = create_file(archive, a, path);
    }
    if (fd < 0) return fd;
    a->fd = fd;
    a->begun = true;
    TAILQ_INSERT_TAIL(&archive->output.opened, a, opened);
    archive->output.opened_count++;
    return 0;
}

/* ---- writing ---- */

/* All of it, or the file is as it was. */
static int32_t put(const struct arc_attempt *a, const char *data, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t n = write(a->fd, data + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            int32_t rc = n < 0 ? -errno : -EIO;
            return ftruncate(a->fd, (off_t)a->size) < 0 ? -EIO : rc;
        }
        done += (size_t)n;
    }
    return 0;
}

static void lose(struct archive *archive, struct arc_attempt *a) {
    a->gap += archive->output.content;
    atomic_fetch_add(&a->of->dropped, archive->output.data);
}

static void stored(struct archive *archive, struct arc_attempt *a) {
    size_t size = archive->output.text.size;
    a->size += size;
    a->offset += archive->output.content;
    atomic_fetch_add(&a->run->stored, size);
    atomic_fetch_add(&archive->keeper.open_bytes, size);
}

static int32_t write_text(struct archive *archive, struct arc_attempt *a) {
    char path[ARC_PATH];
    if (archive->output.text.failed) return -ENOMEM;
    if (atomic_load(&archive->keeper.full)) {
        arc_writer_say(archive, -ENOSPC, "attempts that are on use up output: total of", archive->options.root);
        return -ENOSPC;
    }
    int32_t rc = open_file(archive, a);
    if (rc == 0) rc = put(a, archive->output.text.data, archive->output.text.size);
    path_of(archive, a, path, sizeof path);
    arc_writer_say(archive, rc, "cannot write", path);
    if (rc == -EIO) end_segment(archive, a, true); /* who knows how it ends now */
    return rc;
}

void arc_output_flush(struct archive *archive) {
    struct arc_output *output = &archive->output;
    struct arc_attempt *a = output->current;
    if (!a || !(output->text.size || output->text.failed)) return;
    int32_t rc = write_text(archive, a);
    if (rc == 0)
        stored(archive, a);
    else
        lose(archive, a);
    arc_text_clear(&output->text);
    output->content = output->data = 0;
    if (a->size >= archive->options.segment) end_segment(archive, a, true);
}

/* ---- records ---- */

static void put_gap(struct archive *archive, struct arc_attempt *a, uint64_t unix_ns) {
    char buf[ARC_HEAD_MAX + 24];
    if (!a->gap) return;
    size_t size = arc_record_lost(buf, sizeof buf, unix_ns, a->gap);
    arc_text_add(&archive->output.text, buf, size);
    archive->output.content += a->gap;
    a->gap = 0;
}

/* One record. Its size and one more is room enough behind the head. */
static void put_record(struct arc_text *text, const char *head, size_t head_size, const char *data, size_t size,
                       bool whole) {
    char *at = arc_text_room(text, head_size + size + 1);
    if (!at) return;
    memcpy(at, head, head_size);
    memcpy(at + head_size, data, size);
    at[head_size + size] = '\n'; /* twice where it is whole, and then not counted */
    text->size += head_size + size + !whole;
}

static void put_records(struct archive *archive, const struct arc_chunk *chunk) {
    struct arc_output *output = &archive->output;
    char head[ARC_HEAD_MAX];
    size_t tag, head_size = arc_record_head(head, chunk->unix_ns, chunk->stream, &tag);
    for (size_t used = 0; used < chunk->size;) {
        const char *at = chunk->data + used;
        size_t left = chunk->size - used, size = left < ARC_CONTENT_MAX - 1 ? left : ARC_CONTENT_MAX - 1;
        const char *newline = memchr(at, '\n', size);
        if (newline) size = (size_t)(newline - at) + 1;
        head[tag] = newline ? 'F' : 'P';
        put_record(&output->text, head, head_size, at, size, newline != NULL);
        output->content += size;
        output->data += size;
        used += size;
        bool fits = chunk->attempt->size + output->text.size < archive->options.segment;
        if (output->text.size < TEXT_FULL && fits) continue;
        arc_output_flush(archive);
        put_gap(archive, chunk->attempt, chunk->unix_ns);
    }
}

static void turn_to(struct archive *archive, struct arc_attempt *a) {
    if (archive->output.current == a) return;
    arc_output_flush(archive);
    archive->output.current = a;
}

void arc_output_chunk(struct archive *archive, const struct arc_chunk *chunk) {
    struct arc_attempt *a = chunk->attempt;
    turn_to(archive, a);
    a->gap += chunk->lost;
    put_gap(archive, a, chunk->unix_ns);
    put_records(archive, chunk);
}

void arc_output_close(struct archive *archive, struct arc_attempt *a) {
    turn_to(archive, a);
    a->gap += a->unsaid;
    put_gap(archive, a, archive->host->unix_ns(archive->host));
    arc_output_flush(archive);
    archive->output.current = NULL;
    end_segment(archive, a, false);
    if (a->live) arc_keeper_release(archive, a->folder);
    a->live = false;
}
