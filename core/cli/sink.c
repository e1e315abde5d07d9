/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/sink.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (64u << 10)

struct chunk {
    STAILQ_ENTRY(chunk) next;
    int fd;
    size_t size, capacity;
    char data[];
};
STAILQ_HEAD(chunks, chunk);

/* One thread and what waits for it. */
struct lane {
    struct pdk_sink *sink;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct chunks chunks;
    size_t waiting;
    bool ending;
};

struct failure {
    pdk_call call;
    struct pdk_sink *sink;
    int fd, error;
};

struct pdk_sink {
    const pdk_loop *loop;
    void (*failed)(void *arg, int fd, int error);
    void *arg;
    struct lane lanes[2];
    size_t lane_count;
    struct failure failures[2]; /* of fd 1 and 2; the thread of its lane alone sets error */
};

static void tell_failure(void *arg) {
    struct failure *failure = arg;
    failure->sink->failed(failure->sink->arg, failure->fd, failure->error);
}

static int write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EAGAIN) { /* somebody else has made it non-blocking */
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
            continue;
        }
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static void write_chunk(struct pdk_sink *sink, const struct chunk *chunk) {
    struct failure *failure = &sink->failures[chunk->fd - 1];
    if (failure->error) return;
    failure->error = write_all(chunk->fd, chunk->data, chunk->size);
    if (failure->error) sink->loop->post(sink->loop, &failure->call);
}

static struct chunk *take(struct lane *lane) {
    (void)pthread_mutex_lock(&lane->lock);
    while (STAILQ_EMPTY(&lane->chunks) && !lane->ending) (void)pthread_cond_wait(&lane->work, &lane->lock);
    struct chunk *chunk = STAILQ_FIRST(&lane->chunks);
    if (chunk) STAILQ_REMOVE_HEAD(&lane->chunks, next);
    (void)pthread_mutex_unlock(&lane->lock);
    return chunk;
}

static void *work(void *arg) {
    struct lane *lane = arg;
    struct chunk *chunk;
    while ((chunk = take(lane))) {
        write_chunk(lane->sink, chunk);
        (void)pthread_mutex_lock(&lane->lock);
        lane->waiting -= chunk->size;
        (void)pthread_mutex_unlock(&lane->lock);
        free(chunk);
    }
    return NULL;
}

/* Threads take no signals: they are for the loop. */
static int start_thread(struct lane *lane) {
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&lane->thread, NULL, work, lane);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error;
}

static bool same_file(void) {
    struct stat out, err;
    return fstat(1, &out) == 0 && fstat(2, &err) == 0 && out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

int32_t pdk_sink_create(const pdk_loop *loop, void (*failed)(void *arg, int fd, int error), void *arg,
                        struct pdk_sink **ret) {
    struct pdk_sink *sink = calloc(1, sizeof *sink);
    if (!sink) return -ENOMEM;
    sink->loop = loop;
    sink->failed = failed;
    sink->arg = arg;
    for (int i = 0; i < 2; i++)
        sink->failures[i] = (struct failure){{tell_failure, &sink->failures[i], {NULL}}, sink, i + 1, 0};
    size_t wanted = same_file() ? 1 : 2;
    for (; sink->lane_count < wanted; sink->lane_count++) {
        struct lane *lane = &sink->lanes[sink->lane_count];
        lane->sink = sink;
        STAILQ_INIT(&lane->chunks);
        (void)pthread_mutex_init(&lane->lock, NULL);
        (void)pthread_cond_init(&lane->work, NULL);
        int error = start_thread(lane);
        if (error) {
            pdk_sink_free(sink);
            return -error;
        }
    }
    *ret = sink;
    return 0;
}

static struct lane *lane_of(struct pdk_sink *sink, int fd) {
    return &sink->lanes[fd == 2 && sink->lane_count == 2];
}

/* Into the last chunk if there is room, else into a new one. Under the lock. */
static bool append(struct lane *lane, int fd, const char *data, size_t size) {
    struct chunk *last = STAILQ_LAST(&lane->chunks, chunk, next);
    if (!last || last->fd != fd || last->capacity - last->size < size) {
        size_t capacity = size > CHUNK ? size : CHUNK;
        last = malloc(sizeof *last + capacity);
        if (!last) return false;
        *last = (struct chunk){.fd = fd, .capacity = capacity};
        STAILQ_INSERT_TAIL(&lane->chunks, last, next);
    }
    memcpy(last->data + last->size, data, size);
    last->size += size;
    lane->waiting += size;
    return true;
}

bool pdk_sink_write(struct pdk_sink *sink, int fd, const char *data, size_t size, bool droppable) {
    struct lane *lane = lane_of(sink, fd);
    size_t limit = droppable ? PDK_SINK_LIMIT : 2 * PDK_SINK_LIMIT;
    if (size == 0) return true;
    (void)pthread_mutex_lock(&lane->lock);
    bool done = lane->waiting + size <= limit && append(lane, fd, data, size);
    if (done) (void)pthread_cond_signal(&lane->work);
    (void)pthread_mutex_unlock(&lane->lock);
    return done;
}

size_t pdk_sink_waiting(struct pdk_sink *sink, int fd) {
    struct lane *lane = lane_of(sink, fd);
    (void)pthread_mutex_lock(&lane->lock);
    size_t waiting = lane->waiting;
    (void)pthread_mutex_unlock(&lane->lock);
    return waiting;
}

void pdk_sink_end(struct pdk_sink *sink) {
    for (size_t i = 0; sink && i < sink->lane_count; i++) {
        struct lane *lane = &sink->lanes[i];
        if (lane->ending) continue;
        (void)pthread_mutex_lock(&lane->lock);
        lane->ending = true;
        (void)pthread_cond_signal(&lane->work);
        (void)pthread_mutex_unlock(&lane->lock);
        (void)pthread_join(lane->thread, NULL);
    }
}

/* What was said after the threads had ended. */
static void write_rest(struct lane *lane) {
    struct chunk *chunk;
    while ((chunk = take(lane))) {
        if (!lane->sink->failures[chunk->fd - 1].error) (void)write_all(chunk->fd, chunk->data, chunk->size);
        free(chunk);
    }
}

void pdk_sink_free(struct pdk_sink *sink) {
    if (!sink) return;
    pdk_sink_end(sink);
    for (size_t i = 0; i < sink->lane_count; i++) {
        write_rest(&sink->lanes[i]);
        (void)pthread_mutex_destroy(&sink->lanes[i].lock);
        (void)pthread_cond_destroy(&sink->lanes[i].work);
    }
    free(sink);
}
