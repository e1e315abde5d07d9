/* SPDX-License-Identifier: Apache-2.0 */
/* A socket with what waits on both sides of it. */
#include "core/wire/wire.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A read takes so much, a turn so many reads; a buffer that was larger than this is given back. */
enum { READ_SIZE = 64 * 1024, READS_PER_TURN = 4, KEEP_SIZE = 256 * 1024 };

struct bytes {
    char *data;
    size_t begin, end, capacity;
};

struct pdk_wire {
    const pdk_loop *loop;
    int fd; /* -1: closed */
    int direction;
    pdk_watch watch;
    const struct pdk_wire_ops *ops;
    void *arg;
    struct bytes in;
    bool reading, over; /* over: closed was told */
    bool watches_write;

    pthread_mutex_t lock; /* of what follows */
    struct bytes out;
    size_t limit;
    bool block, broken, posted, dead;
    pdk_call call;
};

static size_t held(const struct bytes *bytes) {
    return bytes->end - bytes->begin;
}

/* Room for `more` bytes behind the end. */
static bool reserve(struct bytes *bytes, size_t more) {
    if (bytes->begin == bytes->end) bytes->begin = bytes->end = 0;
    if (bytes->capacity - bytes->end >= more) return true;
    if (bytes->begin) {
        memmove(bytes->data, bytes->data + bytes->begin, held(bytes));
        bytes->end -= bytes->begin;
        bytes->begin = 0;
        if (bytes->capacity - bytes->end >= more) return true;
    }
    size_t capacity = bytes->capacity ? bytes->capacity : READ_SIZE;
    while (capacity - bytes->end < more) capacity *= 2;
    char *data = realloc(bytes->data, capacity);
    if (!data) return false;
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

static void shrink(struct bytes *bytes) {
    if (held(bytes) || bytes->capacity <= KEEP_SIZE) return;
    free(bytes->data);
    *bytes = (struct bytes){0};
}

/* ---- writing */

/* Under the lock. */
static void write_some(struct pdk_wire *wire) {
    while (!wire->broken && held(&wire->out)) {
        ssize_t n = send(wire->fd, wire->out.data + wire->out.begin, held(&wire->out), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            wire->out.begin += (size_t)n;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            wire->broken = true; /* the reading side hears of it */
        }
    }
    if (wire->broken) wire->out.begin = wire->out.end = 0;
    shrink(&wire->out);
}

static void watch_for(struct pdk_wire *wire, bool write) {
    if (wire->watches_write == write || wire->over) return;
    wire->watches_write = write;
    (void)wire->loop->change(wire->loop, wire->watch, PDK_READ | (write ? PDK_WRITE : 0));
}

void pdk_wire_flush(struct pdk_wire *wire) {
    pthread_mutex_lock(&wire->lock);
    write_some(wire);
    bool left = held(&wire->out) > 0;
    pthread_mutex_unlock(&wire->lock);
    watch_for(wire, left);
}

static void destroy(struct pdk_wire *wire) {
    (void)pthread_mutex_destroy(&wire->lock);
    free(wire->in.data);
    free(wire->out.data);
    free(wire);
}

static void on_call(void *arg) {
    struct pdk_wire *wire = arg;
    pthread_mutex_lock(&wire->lock);
    wire->posted = false;
    bool dead = wire->dead;
    pthread_mutex_unlock(&wire->lock);
    if (dead)
        destroy(wire);
    else
        pdk_wire_flush(wire);
}

/* Who reads is never held up by us, so this ends. Under the lock. */
static void wait_for_room(struct pdk_wire *wire) {
    while (!wire->broken && held(&wire->out) > wire->limit) {
        struct pollfd fd = {.fd = wire->fd, .events = POLLOUT};
        write_some(wire);
        if (held(&wire->out) > wire->limit) (void)poll(&fd, 1, -1);
    }
}

static int32_t append(struct pdk_wire *wire, const struct pdk_frame_head *head, const struct pdk_wire_part *parts,
                      size_t count) {
    if (wire->broken) return -EPIPE;
    if (!wire->block && held(&wire->out) > wire->limit) return -EAGAIN;
    if (!reserve(&wire->out, sizeof *head + head->size)) return -ENOMEM;
    memcpy(wire->out.data + wire->out.end, head, sizeof *head);
    wire->out.end += sizeof *head;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size) memcpy(wire->out.data + wire->out.end, parts[i].data, parts[i].size);
        wire->out.end += parts[i].size;
    }
    if (wire->block) wait_for_room(wire);
    return 0;
}

int32_t pdk_wire_send(struct pdk_wire *wire, enum pdk_message type, uint64_t id, const struct pdk_wire_part *parts,
                      size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) size += parts[i].size;
    if (size > PDK_PAYLOAD_MAX) return -EMSGSIZE;
    const struct pdk_frame_head head = {(uint32_t)size, (uint16_t)type, 0, id};
    pthread_mutex_lock(&wire->lock);
    int32_t rc = append(wire, &head, parts, count);
    bool post = rc == 0 && !wire->posted;
    if (post) wire->posted = true;
    pthread_mutex_unlock(&wire->lock);
    if (post) wire->loop->post(wire->loop, &wire->call);
    return rc;
}

size_t pdk_wire_waiting(struct pdk_wire *wire) {
    pthread_mutex_lock(&wire->lock);
    size_t size = held(&wire->out);
    pthread_mutex_unlock(&wire->lock);
    return size;
}

/* ---- reading */

static void over(struct pdk_wire *wire, const char *why) {
    if (wire->over) return;
    wire->over = true;
    wire->loop->stop(wire->loop, wire->watch);
    wire->ops->closed(wire->arg, why);
}

/* Hand on all that is whole, and make room for the rest. */
static void hand_on(struct pdk_wire *wire) {
    size_t wanted = 0;
    const char *why = NULL;
    while (wire->fd >= 0 && !wire->over) {
        struct pdk_frame frame;
        int64_t took =
            pdk_frame_next(wire->in.data + wire->in.begin, held(&wire->in), wire->direction, &frame, &wanted, &why);
        if (took < 0) over(wire, why);
        if (took <= 0) break;
        wire->in.begin += (size_t)took;
        wire->ops->frame(wire->arg, &frame);
    }
    if (wire->fd < 0 || wire->over) return;
    if (wanted > held(&wire->in) && !reserve(&wire->in, wanted - held(&wire->in)))
        over(wire, "more than there is memory for");
}

/* True: there may be more. */
static bool read_once(struct pdk_wire *wire) {
    if (!reserve(&wire->in, READ_SIZE / 2)) {
        over(wire, "more than there is memory for");
        return false;
    }
    size_t room = wire->in.capacity - wire->in.end;
    ssize_t n = recv(wire->fd, wire->in.data + wire->in.end, room, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) return true;
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) {
        over(wire, NULL);
        return false;
    }
    wire->in.end += (size_t)n;
    hand_on(wire);
    shrink(&wire->in);
    return (size_t)n == room;
}

/* The one place that reads, so that a wire which a frame closed is freed here, when nobody uses it any more. */
static void read_on(struct pdk_wire *wire, uint32_t reads) {
    if (wire->reading) return;
    wire->reading = true;
    for (uint32_t i = 0; i < reads && wire->fd >= 0 && !wire->over; i++)
        if (!read_once(wire)) break;
    wire->reading = false;
    if (wire->fd < 0) pdk_wire_close(wire);
}

void pdk_wire_drain(struct pdk_wire *wire) {
    read_on(wire, UINT32_MAX);
}

static void on_ready(void *arg, uint32_t events) {
    struct pdk_wire *wire = arg;
    if (events & PDK_WRITE) pdk_wire_flush(wire);
    if (events & (PDK_READ | PDK_HANGUP)) read_on(wire, READS_PER_TURN);
}

/* ---- its life */

int32_t pdk_wire_open(const struct pdk_wire_options *options, struct pdk_wire **ret) {
    struct pdk_wire *wire = calloc(1, sizeof *wire);
    if (!wire) {
        close(options->fd);
        return -ENOMEM;
    }
    wire->loop = options->loop;
    wire->fd = options->fd;
    wire->direction = options->direction;
    wire->limit = options->limit;
    wire->block = options->block;
    wire->ops = options->ops;
    wire->arg = options->arg;
    wire->call = (pdk_call){.run = on_call, .arg = wire};
    (void)pthread_mutex_init(&wire->lock, NULL);
    int32_t rc = wire->loop->io(wire->loop, wire->fd, PDK_READ, on_ready, wire, &wire->watch);
    if (rc < 0) {
        close(wire->fd);
        destroy(wire);
        return rc;
    }
    *ret = wire;
    return 0;
}

/* A call that was posted runs, whoever is gone by then: it frees. */
void pdk_wire_close(struct pdk_wire *wire) {
    if (!wire) return;
    wire->over = true;
    if (wire->fd >= 0) {
        wire->loop->stop(wire->loop, wire->watch);
        close(wire->fd);
    }
    wire->fd = -1;
    if (wire->reading) return;
    pthread_mutex_lock(&wire->lock);
    wire->broken = wire->dead = true;
    bool posted = wire->posted;
    pthread_mutex_unlock(&wire->lock);
    if (!posted) destroy(wire);
}
