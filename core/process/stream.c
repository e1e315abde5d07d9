/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output: from the pipe to whoever listens.
 *
 * A paused reader of a blocking child makes us stop reading, and the pipe does the rest. Any other child is read
 * on, and of what the reader has not taken the newest BACKLOG bytes are kept: the loss is counted, and it begins
 * and ends at lines where there are any.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/process/spawner.h"

enum { BACKLOG = 64 * 1024, READS_PER_TURN = 8 };

struct pdk_backlog {
    size_t first, size;
    bool is_cut; /* the first line has lost its beginning */
    char data[BACKLOG];
};

static int number_of(const struct pdk_child_state *child, const struct pdk_stream *stream) {
    return stream == &child->streams[0] ? PDK_STDOUT : PDK_STDERR;
}

static void lose(struct pdk_child_state *child, struct pdk_stream *stream, uint64_t size) {
    stream->lost += size;
    child->spawner->stats.output_lost += size;
}

static void deliver(struct pdk_child_state *child, struct pdk_stream *stream, const char *data, size_t size) {
    const struct pdk_spawner_options *options = &child->spawner->options;
    int32_t number = number_of(child, stream), r = 0;
    child->spawner->stats.output_bytes += size;
    if (child->ops->output)
        r = child->ops->output(child->arg, number, data, size);
    else if (options->output && child->attempt)
        r = options->output(options->arg, child->attempt, number, data, size);
    if (r == PDK_PAUSE) stream->paused = true;
}

/* ---- backlog ---- */

static void forget(struct pdk_backlog *backlog, size_t size) {
    backlog->first = (backlog->first + size) % BACKLOG;
    backlog->size -= size;
}

static void keep(struct pdk_child_state *child, struct pdk_stream *stream, const char *data, size_t size) {
    if (!stream->backlog) stream->backlog = calloc(1, sizeof *stream->backlog);
    struct pdk_backlog *backlog = stream->backlog;
    if (!backlog) {
        lose(child, stream, size);
        return;
    }
    size_t skipped = size > BACKLOG ? size - BACKLOG : 0;
    size_t over = backlog->size + (size - skipped) > BACKLOG ? backlog->size + (size - skipped) - BACKLOG : 0;
    if (skipped + over > 0) {
        lose(child, stream, skipped + over);
        backlog->is_cut = true;
    }
    forget(backlog, over);
    size_t end = (backlog->first + backlog->size) % BACKLOG, fits = BACKLOG - end;
    data += skipped;
    size -= skipped;
    backlog->size += size;
    if (fits > size) fits = size;
    memcpy(backlog->data + end, data, fits);
    memcpy(backlog->data, data + fits, size - fits);
}

/* The longest piece that lies in one. */
static size_t piece(const struct pdk_backlog *backlog) {
    size_t to_edge = BACKLOG - backlog->first;
    return backlog->size < to_edge ? backlog->size : to_edge;
}

/* Drop what is left of a line whose beginning was lost. One that fills it all is better than nothing. */
static void cut_line(struct pdk_child_state *child, struct pdk_stream *stream) {
    struct pdk_backlog *backlog = stream->backlog;
    backlog->is_cut = false;
    for (size_t i = 0; i + 1 < backlog->size; i++) {
        if (backlog->data[(backlog->first + i) % BACKLOG] != '\n') continue;
        lose(child, stream, i + 1);
        forget(backlog, i + 1);
        return;
    }
}

void pdk_stream_flush(struct pdk_child_state *child, struct pdk_stream *stream, bool last) {
    struct pdk_backlog *backlog = stream->backlog;
    if (!backlog) return;
    if (backlog->is_cut && (last || !stream->paused)) cut_line(child, stream);
    while (backlog->size > 0 && (last || !stream->paused)) {
        size_t size = piece(backlog), at = backlog->first;
        forget(backlog, size);
        deliver(child, stream, backlog->data + at, size);
    }
    if (backlog->size == 0) {
        free(backlog);
        stream->backlog = NULL;
    }
}

/* ---- reading ---- */

static void take(struct pdk_child_state *child, struct pdk_stream *stream, const char *data, size_t size) {
    if (stream->paused && !child->block)
        keep(child, stream, data, size);
    else
        deliver(child, stream, data, size);
}

static void deaf(struct pdk_child_state *child, struct pdk_stream *stream) {
    child->spawner->loop->stop(child->spawner->loop, stream->watch);
    stream->watch = 0;
}

static void shut(struct pdk_child_state *child, struct pdk_stream *stream) {
    deaf(child, stream);
    close(stream->fd);
    stream->fd = -1;
}

static void on_ready(struct pdk_child_state *child, struct pdk_stream *stream) {
    pdk_stream_read(child, stream);
    if (child->phase == PDK_CHILD_OVER) pdk_child_later(child);
}

/* The loop carries one argument, and the streams of a child are two. */
static void on_stdout(void *arg, uint32_t events) {
    (void)events;
    struct pdk_child_state *child = arg;
    on_ready(child, &child->streams[0]);
}

static void on_stderr(void *arg, uint32_t events) {
    (void)events;
    struct pdk_child_state *child = arg;
    on_ready(child, &child->streams[1]);
}

static int32_t listen_to(struct pdk_child_state *child, struct pdk_stream *stream) {
    const pdk_loop *loop = child->spawner->loop;
    return loop->io(loop, stream->fd, PDK_READ, stream == &child->streams[0] ? on_stdout : on_stderr, child,
                    &stream->watch);
}

int32_t pdk_stream_open(struct pdk_child_state *child, int number, int32_t fd) {
    struct pdk_stream *stream = &child->streams[number];
    stream->fd = fd;
    return listen_to(child, stream);
}

/* One read. False: enough for now. */
static bool read_once(struct pdk_child_state *child, struct pdk_stream *stream) {
    char *buffer = child->spawner->buffer;
    ssize_t size = read(stream->fd, buffer, PDK_READ_BUFFER);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
    if (size <= 0) {
        shut(child, stream);
        return false;
    }
    take(child, stream, buffer, (size_t)size);
    /* Now the pipe is empty, most likely: wait to be told. At the end there may be nobody left to be told by. */
    return size == PDK_READ_BUFFER || child->phase == PDK_CHILD_OVER;
}

void pdk_stream_read(struct pdk_child_state *child, struct pdk_stream *stream) {
    for (int i = 0; i < READS_PER_TURN && stream->fd >= 0; i++) {
        if (stream->paused && child->block) {
            deaf(child, stream); /* not merely changed to wait for nothing: a hangup would be told for ever */
            return;
        }
        if (stream->watch == 0 && listen_to(child, stream) < 0) shut(child, stream);
        if (stream->fd < 0 || !read_once(child, stream)) return;
    }
}

void pdk_stream_close(struct pdk_child_state *child, struct pdk_stream *stream) {
    int unread = 0;
    if (stream->fd < 0) return;
    if (ioctl(stream->fd, FIONREAD, &unread) == 0 && unread > 0) lose(child, stream, (uint64_t)unread);
    shut(child, stream);
}

void pdk_stream_free(struct pdk_child_state *child, struct pdk_stream *stream) {
    if (stream->fd >= 0) shut(child, stream);
    free(stream->backlog);
    stream->backlog = NULL;
}
