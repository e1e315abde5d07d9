/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of pdk_loop over poll(2). Watches and the fds that poll looks at are two arrays side by side; place 0 is
 * the eventfd that wakes the loop. A handle is a place and how often it has been given away, so a stale one is noticed.
 * What is stopped while others are being called has its fd taken out and its revents cleared: it is not called any more.
 */
#include "poll_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "posts.h"

enum kind { FREE, IO, TIMER, CHILD };

struct watch {
    enum kind kind;
    uint32_t generation;
    uint64_t due, repeat;
    void (*ready)(void *arg, uint32_t events);
    void (*fire)(void *arg);
    void (*ended)(void *arg, const pdk_exit *); /* NULL: a child nobody listens to any more, but it is still reaped */
    void *arg;
};

struct poll_loop {
    pdk_loop table;
    struct watch *watches;
    struct pollfd *fds;
    uint32_t count, room;
    struct posts posts;
};

static uint64_t now_ns(const pdk_loop *table) {
    struct timespec t;
    (void)table;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t later(uint64_t when, uint64_t delay) {
    return delay > UINT64_MAX - when ? UINT64_MAX : when + delay;
}

/* ---- watches */

static int grow(struct poll_loop *loop) {
    uint32_t room = loop->room ? loop->room * 2 : 16;
    struct watch *watches = realloc(loop->watches, room * sizeof *watches);
    if (watches) loop->watches = watches;
    struct pollfd *fds = realloc(loop->fds, room * sizeof *fds);
    if (fds) loop->fds = fds;
    if (!watches || !fds) return -1;
    loop->room = room;
    return 0;
}

/* Its place; 0: no memory. */
static uint32_t take(struct poll_loop *loop, enum kind kind, int fd, short events, void *arg) {
    uint32_t at = 1;
    while (at < loop->count && loop->watches[at].kind != FREE) at++;
    if (at == loop->room && grow(loop) < 0) return 0;
    if (at == loop->count) loop->watches[loop->count++].generation = 0;
    loop->watches[at] = (struct watch){.kind = kind, .generation = loop->watches[at].generation + 1, .arg = arg};
    loop->fds[at] = (struct pollfd){fd, events, 0};
    return at;
}

static void give_back(struct poll_loop *loop, uint32_t at) {
    loop->watches[at].kind = FREE;
    loop->fds[at] = (struct pollfd){-1, 0, 0};
}

static pdk_watch handle(const struct poll_loop *loop, uint32_t at) {
    return (uint64_t)loop->watches[at].generation << 32 | at;
}

static uint32_t find(const struct poll_loop *loop, pdk_watch watch) {
    uint32_t at = (uint32_t)watch;
    if (at == 0 || at >= loop->count) return 0;
    return loop->watches[at].kind != FREE && loop->watches[at].generation == watch >> 32 ? at : 0;
}

/* ---- what Paddock calls */

static short wanted(uint32_t events) {
    return (short)((events & PDK_READ ? POLLIN : 0) | (events & PDK_WRITE ? POLLOUT : 0));
}

static int32_t io(const pdk_loop *table, int32_t fd, uint32_t events, void (*ready)(void *, uint32_t), void *arg,
                  pdk_watch *ret) {
    struct poll_loop *loop = table->data;
    if (fcntl(fd, F_GETFD) < 0) return -errno;
    for (uint32_t i = 1; i < loop->count; i++)
        if (loop->watches[i].kind == IO && loop->fds[i].fd == fd) return -EEXIST;
    uint32_t at = take(loop, IO, fd, wanted(events), arg);
    if (!at) return -ENOMEM;
    loop->watches[at].ready = ready;
    *ret = handle(loop, at);
    return 0;
}

static int32_t change(const pdk_loop *table, pdk_watch watch, uint32_t events) {
    struct poll_loop *loop = table->data;
    uint32_t at = find(loop, watch);
    if (!at) return -ESTALE;
    if (loop->watches[at].kind != IO) return -EINVAL;
    loop->fds[at].events = wanted(events);
    return 0;
}

static int32_t timer(const pdk_loop *table, uint64_t delay, uint64_t repeat, void (*fire)(void *), void *arg,
                     pdk_watch *ret) {
    struct poll_loop *loop = table->data;
    uint32_t at = take(loop, TIMER, -1, 0, arg);
    if (!at) return -ENOMEM;
    loop->watches[at].due = later(now_ns(table), delay);
    loop->watches[at].repeat = repeat;
    loop->watches[at].fire = fire;
    *ret = handle(loop, at);
    return 0;
}

static int32_t child(const pdk_loop *table, int32_t pid, int32_t pidfd, void (*ended)(void *, const pdk_exit *),
                     void *arg, pdk_watch *ret) {
    struct poll_loop *loop = table->data;
    int32_t fd = pidfd >= 0 ? pidfd : child_open(pid);
    if (fd < 0) return fd;
    uint32_t at = take(loop, CHILD, fd, POLLIN, arg);
    if (!at) {
        if (fd != pidfd) close(fd);
        return -ENOMEM;
    }
    loop->watches[at].ended = ended;
    *ret = handle(loop, at);
    return 0;
}

static void stop(const pdk_loop *table, pdk_watch watch) {
    struct poll_loop *loop = table->data;
    uint32_t at = find(loop, watch);
    if (!at) return;
    if (loop->watches[at].kind != CHILD) {
        give_back(loop, at);
        return;
    }
    loop->watches[at].ended = NULL;
    loop->watches[at].generation++; /* out of reach from now on */
}

static void post(const pdk_loop *table, pdk_call *call) {
    struct poll_loop *loop = table->data;
    if (posts_add(&loop->posts, call)) eventfd_write(loop->fds[0].fd, 1);
}

/* ---- a turn */

/* Tell first, reap then: while ended runs, the pid belongs to nobody else. */
static void child_ended(struct poll_loop *loop, uint32_t at) {
    int fd = loop->fds[at].fd;
    void (*ended)(void *, const pdk_exit *) = loop->watches[at].ended;
    pdk_exit end;
    if (!child_look(fd, &end)) return;
    loop->watches[at].generation++; /* it cannot be stopped any more */
    if (ended) ended(loop->watches[at].arg, &end);
    if (end.error == 0) child_reap(fd);
    give_back(loop, at);
    close(fd);
}

static void call_ready(struct poll_loop *loop) {
    for (uint32_t at = 1; at < loop->count; at++) {
        short seen = loop->fds[at].revents;
        struct watch *watch = &loop->watches[at];
        if (!seen) continue;
        loop->fds[at].revents = 0;
        if (watch->kind == CHILD) {
            child_ended(loop, at);
            continue;
        }
        seen &= (short)(loop->fds[at].events | POLLHUP | POLLERR | POLLNVAL); /* it may have been changed since */
        uint32_t events = (seen & POLLIN ? PDK_READ : 0u) | (seen & POLLOUT ? PDK_WRITE : 0u) |
                          (seen & (POLLHUP | POLLERR | POLLNVAL) ? PDK_HANGUP : 0u);
        if (events) watch->ready(watch->arg, events);
    }
}

static void fire_timer(struct poll_loop *loop, uint32_t at, uint64_t now) {
    struct watch timer = loop->watches[at];
    if (timer.repeat) {
        uint64_t next = later(timer.due, timer.repeat);
        loop->watches[at].due = next > now ? next : now + 1; /* what was missed is not made up for */
    } else {
        give_back(loop, at);
    }
    timer.fire(timer.arg);
}

/* The earliest first. Those that are set meanwhile are due later than this now. */
static uint32_t first_due(const struct poll_loop *loop, uint64_t now) {
    uint32_t first = 0;
    for (uint32_t at = 1; at < loop->count; at++) {
        const struct watch *watch = &loop->watches[at];
        if (watch->kind != TIMER || watch->due > now) continue;
        if (!first || watch->due < loop->watches[first].due) first = at;
    }
    return first;
}

static void fire_due(struct poll_loop *loop) {
    uint64_t now = now_ns(&loop->table);
    for (uint32_t at = first_due(loop, now); at; at = first_due(loop, now)) fire_timer(loop, at, now);
}

/* Rounded up: no timer may fire early. */
static int timeout_ms(const struct poll_loop *loop) {
    uint64_t now = now_ns(&loop->table), due = UINT64_MAX;
    for (uint32_t at = 1; at < loop->count; at++)
        if (loop->watches[at].kind == TIMER && loop->watches[at].due < due) due = loop->watches[at].due;
    if (due == UINT64_MAX) return -1;
    uint64_t ms = due > now ? (due - now - 1) / 1000000 + 1 : 0;
    return ms > 60000 ? 60000 : (int)ms;
}

void poll_loop_turn(struct poll_loop *loop) {
    eventfd_t count;
    int any = poll(loop->fds, loop->count, timeout_ms(loop));
    if (any > 0) call_ready(loop);
    fire_due(loop);
    if (any > 0 && loop->fds[0].revents) {
        eventfd_read(loop->fds[0].fd, &count);
        posts_run(&loop->posts);
    }
}

/* ---- its life */

const pdk_loop *poll_loop_table(struct poll_loop *loop) {
    return &loop->table;
}

struct poll_loop *poll_loop_create(void) {
    struct poll_loop *loop = calloc(1, sizeof *loop);
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!loop || wake < 0 || grow(loop) < 0) {
        if (wake >= 0) close(wake);
        if (loop) {
            free(loop->watches);
            free(loop->fds);
        }
        free(loop);
        return NULL;
    }
    loop->fds[0] = (struct pollfd){wake, POLLIN, 0};
    loop->count = 1;
    posts_init(&loop->posts);
    loop->table = (pdk_loop){(uint32_t)sizeof loop->table, 0, loop, io, change, timer, child, stop, post, now_ns};
    return loop;
}

void poll_loop_free(struct poll_loop *loop) {
    if (!loop) return;
    for (uint32_t at = 1; at < loop->count; at++)
        if (loop->watches[at].kind == CHILD) close(loop->fds[at].fd);
    close(loop->fds[0].fd);
    posts_free(&loop->posts);
    free(loop->watches);
    free(loop->fds);
    free(loop);
}
