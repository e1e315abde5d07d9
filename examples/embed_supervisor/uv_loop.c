/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of pdk_loop over libuv. A watch is a uv_poll_t or a uv_timer_t, and its memory is libuv's until it has
 * been closed; its place in the table is free before, so a handle is a place and how often it has been given away.
 * A child is watched by its pidfd: libuv knows children of its own only.
 */
#include "uv_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "child.h"
#include "posts.h"

enum kind { IO, TIMER, CHILD };

struct watch {
    union {
        uv_handle_t any;
        uv_poll_t poll;
        uv_timer_t timer;
    } uv;
    struct uv_adapter *adapter;
    enum kind kind;
    uint32_t at;
    int fd, events;
    uint64_t due, repeat;
    void (*ready)(void *arg, uint32_t events);
    void (*fire)(void *arg);
    void (*ended)(void *arg, const pdk_exit *); /* NULL: nobody listens any more, but it is still reaped */
    void *arg;
};

struct place {
    struct watch *watch; /* NULL: free */
    uint32_t generation;
};

struct uv_adapter {
    pdk_loop table;
    uv_loop_t *loop;
    uv_async_t wake;
    struct posts posts;
    struct place *places;
    uint32_t count;
    int firing;
    size_t open; /* handles that libuv has of us */
};

static uint64_t now_ns(const pdk_loop *table) {
    (void)table;
    return uv_hrtime();
}

static uint64_t later(uint64_t when, uint64_t delay) {
    return delay > UINT64_MAX - when ? UINT64_MAX : when + delay;
}

/* ---- watches */

static int grow(struct uv_adapter *adapter) {
    uint32_t count = adapter->count ? adapter->count * 2 : 16;
    struct place *places = realloc(adapter->places, count * sizeof *places);
    if (!places) return -1;
    for (uint32_t i = adapter->count; i < count; i++) places[i] = (struct place){NULL, 0};
    adapter->places = places;
    adapter->count = count;
    return 0;
}

static struct watch *take(struct uv_adapter *adapter, enum kind kind, void *arg) {
    uint32_t at = 0;
    while (at < adapter->count && adapter->places[at].watch) at++;
    if (at == adapter->count && grow(adapter) < 0) return NULL;
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) return NULL;
    *watch = (struct watch){.adapter = adapter, .kind = kind, .at = at, .fd = -1, .arg = arg};
    watch->uv.any.data = watch;
    adapter->places[at].watch = watch;
    adapter->places[at].generation++;
    return watch;
}

static pdk_watch handle(const struct watch *watch) {
    return (uint64_t)watch->adapter->places[watch->at].generation << 32 | (watch->at + 1);
}

static struct watch *find(const struct uv_adapter *adapter, pdk_watch watch) {
    uint32_t at = (uint32_t)watch - 1;
    if ((uint32_t)watch == 0 || at >= adapter->count) return NULL;
    return adapter->places[at].generation == watch >> 32 ? adapter->places[at].watch : NULL;
}

static void one_closed(struct uv_adapter *adapter) {
    if (--adapter->open) return;
    posts_free(&adapter->posts);
    free(adapter->places);
    free(adapter);
}

static void on_closed(uv_handle_t *closed) {
    struct watch *watch = closed->data;
    struct uv_adapter *adapter = watch->adapter;
    free(watch);
    one_closed(adapter);
}

static void on_wake_closed(uv_handle_t *closed) {
    one_closed(closed->data);
}

/* Its callback does not run any more, and its fd may be closed at once. */
static void give_back(struct watch *watch) {
    watch->adapter->places[watch->at].watch = NULL;
    uv_close(&watch->uv.any, on_closed);
}

/* libuv never had it. */
static int32_t undo(struct watch *watch, int error) {
    watch->adapter->places[watch->at].watch = NULL;
    free(watch);
    return error;
}

/* ---- fds and children */

static void on_poll(uv_poll_t *polled, int status, int events);

/* Without READ or WRITE only a hangup is awaited. libuv wants to be asked for something: what nobody sends. */
static int listen_to(struct watch *watch) {
    int events = (watch->events & PDK_READ ? UV_READABLE : 0) | (watch->events & PDK_WRITE ? UV_WRITABLE : 0);
    return uv_poll_start(&watch->uv.poll, events ? events : UV_PRIORITIZED, on_poll);
}

/* Tell first, reap then: while ended runs, the pid belongs to nobody else. */
static void child_ended(struct watch *watch) {
    struct uv_adapter *adapter = watch->adapter;
    pdk_exit end;
    if (!child_look(watch->fd, &end)) return;
    adapter->places[watch->at].generation++; /* it cannot be stopped any more */
    if (watch->ended) watch->ended(watch->arg, &end);
    if (end.error == 0) child_reap(watch->fd);
    int fd = watch->fd;
    give_back(watch);
    close(fd);
}

/* libuv shows a hangup as whatever was asked for, or as an error, and then listens no more; poll tells it from data. */
static void on_poll(uv_poll_t *polled, int status, int events) {
    struct watch *watch = polled->data;
    if (status < 0) listen_to(watch);
    if (watch->kind == CHILD) {
        child_ended(watch);
        return;
    }
    struct pollfd only_hangup = {watch->fd, 0, 0};
    uint32_t seen = (events & UV_READABLE ? PDK_READ : 0u) | (events & UV_WRITABLE ? PDK_WRITE : 0u);
    seen &= (uint32_t)watch->events;
    if (poll(&only_hangup, 1, 0) > 0) seen |= PDK_HANGUP;
    if (seen) watch->ready(watch->arg, seen);
}

/* libuv makes the fd non-blocking. It is somebody else's: put back what it was. */
static int init_poll(struct watch *watch, int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    int rc = uv_poll_init(watch->adapter->loop, &watch->uv.poll, fd);
    if (!(flags & O_NONBLOCK)) fcntl(fd, F_SETFL, flags);
    if (rc < 0) return rc;
    watch->fd = fd;
    watch->adapter->open++;
    rc = listen_to(watch);
    return rc < 0 ? rc : 0;
}

static int32_t io(const pdk_loop *table, int32_t fd, uint32_t events, void (*ready)(void *, uint32_t), void *arg,
                  pdk_watch *ret) {
    struct watch *watch = take(table->data, IO, arg);
    if (!watch) return -ENOMEM;
    watch->ready = ready;
    watch->events = (int)events;
    int rc = init_poll(watch, fd);
    if (rc < 0 && watch->fd < 0) return undo(watch, rc);
    if (rc < 0) {
        give_back(watch);
        return rc;
    }
    *ret = handle(watch);
    return 0;
}

static int32_t change(const pdk_loop *table, pdk_watch handle, uint32_t events) {
    struct watch *watch = find(table->data, handle);
    if (!watch) return -ESTALE;
    if (watch->kind != IO) return -EINVAL;
    watch->events = (int)events;
    return listen_to(watch);
}

static int32_t watch_child(struct watch *watch, int32_t fd, pdk_watch *ret) {
    watch->events = PDK_READ;
    int rc = init_poll(watch, fd);
    if (rc < 0 && watch->fd < 0) return undo(watch, rc);
    if (rc < 0) {
        give_back(watch);
        return rc;
    }
    *ret = handle(watch);
    return 0;
}

static int32_t child(const pdk_loop *table, int32_t pid, int32_t pidfd, void (*ended)(void *, const pdk_exit *),
                     void *arg, pdk_watch *ret) {
    int32_t fd = pidfd >= 0 ? pidfd : child_open(pid);
    if (fd < 0) return fd;
    struct watch *watch = take(table->data, CHILD, arg);
    if (watch) watch->ended = ended;
    int32_t rc = watch ? watch_child(watch, fd, ret) : -ENOMEM;
    if (rc < 0 && fd != pidfd) close(fd);
    return rc;
}

/* ---- timers */

static void on_timer(uv_timer_t *timer);

/* libuv counts in milliseconds, from when its turn began; on_timer looks whether it is time. In a callback of a timer one
 * at least, or libuv would fire it within the same round, for ever if that one does the same. */
static void arm(struct watch *watch) {
    uint64_t now = uv_hrtime(), ms = watch->due > now ? (watch->due - now - 1) / 1000000 + 1 : 0;
    if (ms == 0 && watch->adapter->firing) ms = 1;
    uv_timer_start(&watch->uv.timer, on_timer, ms, 0);
}

static void on_timer(uv_timer_t *timer) {
    struct watch *watch = timer->data;
    struct uv_adapter *adapter = watch->adapter;
    void (*fire)(void *) = watch->fire;
    void *arg = watch->arg;
    uint64_t now = uv_hrtime();
    adapter->firing++;
    if (now < watch->due) {
        arm(watch);
    } else {
        if (watch->repeat) {
            uint64_t next = later(watch->due, watch->repeat);
            watch->due = next > now ? next : now + 1; /* what was missed is not made up for */
            arm(watch);
        } else {
            give_back(watch);
        }
        fire(arg);
    }
    adapter->firing--;
}

static int32_t timer(const pdk_loop *table, uint64_t delay, uint64_t repeat, void (*fire)(void *), void *arg,
                     pdk_watch *ret) {
    struct uv_adapter *adapter = table->data;
    struct watch *watch = take(adapter, TIMER, arg);
    if (!watch) return -ENOMEM;
    watch->fire = fire;
    watch->due = later(uv_hrtime(), delay);
    watch->repeat = repeat;
    uv_timer_init(adapter->loop, &watch->uv.timer);
    adapter->open++;
    arm(watch);
    *ret = handle(watch);
    return 0;
}

static void stop(const pdk_loop *table, pdk_watch handle) {
    struct uv_adapter *adapter = table->data;
    struct watch *watch = find(adapter, handle);
    if (!watch) return;
    if (watch->kind != CHILD) {
        give_back(watch);
        return;
    }
    watch->ended = NULL;
    adapter->places[watch->at].generation++; /* out of reach from now on */
}

/* ---- calls from other threads */

static void post(const pdk_loop *table, pdk_call *call) {
    struct uv_adapter *adapter = table->data;
    if (posts_add(&adapter->posts, call)) uv_async_send(&adapter->wake);
}

static void on_wake(uv_async_t *wake) {
    struct uv_adapter *adapter = wake->data;
    posts_run(&adapter->posts);
}

/* ---- its life */

const pdk_loop *uv_adapter_table(struct uv_adapter *adapter) {
    return &adapter->table;
}

struct uv_adapter *uv_adapter_create(uv_loop_t *loop) {
    struct uv_adapter *adapter = calloc(1, sizeof *adapter);
    if (!adapter) return NULL;
    if (uv_async_init(loop, &adapter->wake, on_wake) < 0) {
        free(adapter);
        return NULL;
    }
    adapter->wake.data = adapter;
    adapter->loop = loop;
    adapter->open = 1;
    posts_init(&adapter->posts);
    adapter->table =
        (pdk_loop){(uint32_t)sizeof adapter->table, 0, adapter, io, change, timer, child, stop, post, now_ns};
    return adapter;
}

void uv_adapter_free(struct uv_adapter *adapter) {
    if (!adapter) return;
    for (uint32_t at = 0; at < adapter->count; at++) {
        struct watch *watch = adapter->places[at].watch;
        if (!watch) continue;
        int fd = watch->kind == CHILD ? watch->fd : -1;
        give_back(watch);
        if (fd >= 0) close(fd);
    }
    uv_close((uv_handle_t *)&adapter->wake, on_wake_closed);
}
