/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: pdk_loop on libev. Nobody else includes ev.h.
 *
 * Watches live in a slab that never shrinks; a handle is a slot and the slot's generation, so a stale one is
 * noticed. libev's own view of time is one clock read per turn, and old by the time a callback sets a timer; one read
 * per timer would cost more than all the rest. So timers gather until they are FRESH or the turn is over, and join
 * libev's heap together, with the time read then. None can fire early, and one that is stopped at once never touches
 * the heap at all.
 */
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <poll.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/loop/loop.h"
#include "core/loop/reaped.h"
#include "core/loop/wait.h"

enum { CHUNK_SIZE = 32 * 1024, FRESH = 64 };

#define FREE_SLOT UINT32_MAX

/* More than a double of seconds loses in ten years of uptime, and far below the millisecond that epoll counts in. */
#define SLACK_SECONDS 2e-7

enum kind { KIND_NONE, KIND_IO, KIND_TIMER, KIND_CHILD };

/* A line of the cache, so that a million of them cost one miss each. */
struct watch {
    union {
        struct ev_io io; /* also of a child: its pidfd */
        struct ev_timer timer;
    } ev; /* first: libev hands us its address. Its data is the arg of the call */
    union {
        void (*ready)(void *arg, uint32_t events);
        void (*fire)(void *arg);
        void (*ended)(void *arg, const pdk_exit *);
        uint32_t next_free;
    } call;
    uint32_t generation;
    uint8_t kind;
    uint8_t fresh; /* of a timer that libev has not seen yet: its place among those, + 1 */
    bool is_quiet;
};

enum { CHUNK = CHUNK_SIZE / sizeof(struct watch) - 1 };

/* At an address that is a multiple of its size, which leads from a watch to its chunk. */
struct chunk {
    struct pdk_ev *ev;
    uint32_t first; /* the index of its first watch */
    alignas(sizeof(struct watch)) struct watch watches[CHUNK];
};

struct pdk_ev {
    pdk_loop table;
    struct ev_loop *loop;
    bool own;
    struct ev_async wake;
    struct ev_prepare before_wait;
    struct ev_io quiet; /* an epoll of its own for fds that only a hangup is awaited on: libev cannot */
    int quiet_fd;
    struct ev_child any_child;
    struct pdk_reaped *reaped;  /* NULL: it is not libev's default loop */
    _Atomic(pdk_call *) posted; /* newest first */
    struct watch *fresh[FRESH]; /* NULL: stopped meanwhile */
    uint32_t fresh_count;
    struct chunk **chunks;
    uint32_t chunk_count, free_slot, taken;
    uint32_t *by_fd; /* the watch of each fd: index + 1 */
    size_t by_fd_size;
};

/* ---- slab ---- */

static struct watch *slot(const struct pdk_ev *ev, uint32_t index) {
    return &ev->chunks[index / CHUNK]->watches[index % CHUNK];
}

static struct chunk *chunk_of(const struct watch *watch) {
    return (struct chunk *)((uintptr_t)watch & ~(uintptr_t)(CHUNK_SIZE - 1));
}

static uint32_t index_of(const struct watch *watch) {
    const struct chunk *chunk = chunk_of(watch);
    return chunk->first + (uint32_t)(watch - chunk->watches);
}

static pdk_watch handle_of(const struct watch *watch) {
    return (uint64_t)watch->generation << 32 | (index_of(watch) + 1);
}

static struct watch *find(const struct pdk_ev *ev, pdk_watch handle) {
    uint32_t index = (uint32_t)handle - 1;
    if ((uint32_t)handle == 0 || index / CHUNK >= ev->chunk_count) return NULL;
    struct watch *watch = slot(ev, index);
    return watch->kind != KIND_NONE && watch->generation == handle >> 32 ? watch : NULL;
}

static int32_t add_chunk(struct pdk_ev *ev) {
    if (ev->chunk_count == FREE_SLOT / CHUNK - 1) return -ENOMEM;
    struct chunk **chunks = reallocarray(ev->chunks, (size_t)ev->chunk_count + 1, sizeof(struct chunk *));
    if (!chunks) return -ENOMEM;
    ev->chunks = chunks;
    struct chunk *chunk = aligned_alloc(CHUNK_SIZE, CHUNK_SIZE);
    if (!chunk) return -ENOMEM;
    memset(chunk, 0, sizeof *chunk);
    chunk->ev = ev;
    chunk->first = ev->chunk_count * CHUNK;
    chunks[ev->chunk_count++] = chunk;
    for (uint32_t i = CHUNK; i-- > 0;) {
        chunk->watches[i].call.next_free = ev->free_slot;
        ev->free_slot = chunk->first + i;
    }
    return 0;
}

static struct watch *take(struct pdk_ev *ev, enum kind kind) {
    if (ev->free_slot == FREE_SLOT && add_chunk(ev) < 0) return NULL;
    struct watch *watch = slot(ev, ev->free_slot);
    ev->free_slot = watch->call.next_free;
    watch->kind = (uint8_t)kind;
    ev->taken++;
    return watch;
}

static void give_back(struct pdk_ev *ev, struct watch *watch) {
    watch->kind = KIND_NONE;
    watch->generation++;
    watch->call.next_free = ev->free_slot;
    ev->free_slot = index_of(watch);
    ev->taken--;
}

/* ---- fds ---- */

static void on_io(struct ev_loop *loop, struct ev_io *io, int revents) {
    (void)loop;
    struct watch *watch = (struct watch *)(void *)io;
    uint32_t events = (revents & EV_READ ? PDK_READ : 0u) | (revents & EV_WRITE ? PDK_WRITE : 0u);
    /* libev shows a hangup as whatever was asked for; this tells it from data. */
    struct pollfd only_hangup = {io->fd, 0, 0};
    if (poll(&only_hangup, 1, 0) != 0) events |= PDK_HANGUP;
    watch->call.ready(io->data, events);
}

static void on_quiet(struct ev_loop *loop, struct ev_io *io, int revents) {
    (void)loop, (void)revents;
    struct pdk_ev *ev = io->data;
    struct epoll_event events[16];
    int count = epoll_wait(ev->quiet_fd, events, 16, 0);
    for (int i = 0; i < count; i++) {
        struct watch *watch = find(ev, events[i].data.u64);
        if (watch && watch->is_quiet) watch->call.ready(watch->ev.io.data, PDK_HANGUP);
    }
}

static int32_t quiet_open(struct pdk_ev *ev) {
    if (ev->quiet_fd >= 0) return 0;
    ev->quiet_fd = epoll_create1(EPOLL_CLOEXEC);
    if (ev->quiet_fd < 0) return -errno;
    ev_io_init(&ev->quiet, on_quiet, ev->quiet_fd, EV_READ);
    ev->quiet.data = ev;
    ev_io_start(ev->loop, &ev->quiet);
    return 0;
}

static int32_t quiet_add(struct pdk_ev *ev, struct watch *watch) {
    int32_t r = quiet_open(ev);
    if (r < 0) return r;
    struct epoll_event event = {.events = 0, .data.u64 = handle_of(watch)};
    /* A regular file can have no hangup: fine, there is nothing to be told. */
    if (epoll_ctl(ev->quiet_fd, EPOLL_CTL_ADD, watch->ev.io.fd, &event) < 0 && errno != EPERM) return -errno;
    watch->is_quiet = true;
    return 0;
}

static void quiet_remove(struct pdk_ev *ev, struct watch *watch) {
    if (!watch->is_quiet) return;
    watch->is_quiet = false;
    epoll_ctl(ev->quiet_fd, EPOLL_CTL_DEL, watch->ev.io.fd, &(struct epoll_event){0});
}

static int32_t io_listen(struct pdk_ev *ev, struct watch *watch, uint32_t events) {
    int wanted = (events & PDK_READ ? EV_READ : 0) | (events & PDK_WRITE ? EV_WRITE : 0);
    if (wanted == 0) {
        int32_t r = watch->is_quiet ? 0 : quiet_add(ev, watch);
        if (r == 0) ev_io_stop(ev->loop, &watch->ev.io);
        return r;
    }
    quiet_remove(ev, watch);
    if (ev_is_active(&watch->ev.io)) {
        if ((watch->ev.io.events & (EV_READ | EV_WRITE)) == wanted) return 0;
        ev_io_stop(ev->loop, &watch->ev.io);
    }
    ev_io_set(&watch->ev.io, watch->ev.io.fd, wanted);
    ev_io_start(ev->loop, &watch->ev.io);
    return 0;
}

static int32_t by_fd_reserve(struct pdk_ev *ev, int32_t fd) {
    if ((size_t)fd < ev->by_fd_size) return 0;
    size_t size = ((size_t)fd + 1) * 2;
    if (size < 128) size = 128;
    uint32_t *table = reallocarray(ev->by_fd, size, sizeof *table);
    if (!table) return -ENOMEM;
    memset(table + ev->by_fd_size, 0, (size - ev->by_fd_size) * sizeof *table);
    ev->by_fd = table;
    ev->by_fd_size = size;
    return 0;
}

static int32_t loop_io(const pdk_loop *loop, int32_t fd, uint32_t events, void (*ready)(void *, uint32_t), void *arg,
                       pdk_watch *ret) {
    struct pdk_ev *ev = loop->data;
    if (fcntl(fd, F_GETFD) < 0) return -errno;
    int32_t r = by_fd_reserve(ev, fd);
    if (r < 0) return r;
    if (ev->by_fd[fd] != 0) return -EEXIST;
    struct watch *watch = take(ev, KIND_IO);
    if (!watch) return -ENOMEM;
    watch->call.ready = ready;
    ev_io_init(&watch->ev.io, on_io, fd, 0);
    watch->ev.io.data = arg;
    r = io_listen(ev, watch, events);
    if (r < 0) {
        give_back(ev, watch);
        return r;
    }
    ev->by_fd[fd] = index_of(watch) + 1;
    *ret = handle_of(watch);
    return 0;
}

static int32_t loop_change(const pdk_loop *loop, pdk_watch handle, uint32_t events) {
    struct pdk_ev *ev = loop->data;
    struct watch *watch = find(ev, handle);
    if (!watch) return -ESTALE;
    return watch->kind == KIND_IO ? io_listen(ev, watch, events) : -EINVAL;
}

/* ---- timers ---- */

static void on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    struct watch *watch = (struct watch *)(void *)timer;
    void (*fire)(void *) = watch->call.fire;
    void *arg = timer->data;
    if (timer->repeat == 0) give_back(chunk_of(watch)->ev, watch);
    fire(arg);
}

/* What was set until now begins to count. */
static void start_fresh(struct pdk_ev *ev) {
    ev_now_update(ev->loop);
    for (uint32_t i = 0; i < ev->fresh_count; i++) {
        struct watch *watch = ev->fresh[i];
        if (!watch) continue;
        watch->fresh = 0;
        ev_timer_start(ev->loop, &watch->ev.timer);
    }
    ev->fresh_count = 0;
}

static void on_before_wait(struct ev_loop *loop, struct ev_prepare *prepare, int revents) {
    (void)loop, (void)revents;
    struct pdk_ev *ev = prepare->data;
    if (ev->fresh_count > 0) start_fresh(ev);
}

static int32_t loop_timer(const pdk_loop *loop, uint64_t delay_ns, uint64_t repeat_ns, void (*fire)(void *), void *arg,
                          pdk_watch *ret) {
    struct pdk_ev *ev = loop->data;
    struct watch *watch = take(ev, KIND_TIMER);
    if (!watch) return -ENOMEM;
    watch->call.fire = fire;
    /* None must not get slack: epoll would round it up to a millisecond. */
    double delay = delay_ns ? (double)delay_ns * 1e-9 + SLACK_SECONDS : 0;
    ev_timer_init(&watch->ev.timer, on_timer, delay, (double)repeat_ns * 1e-9);
    watch->ev.timer.data = arg;
    if (ev->fresh_count == FRESH) start_fresh(ev);
    ev->fresh[ev->fresh_count++] = watch;
    watch->fresh = (uint8_t)ev->fresh_count;
    *ret = handle_of(watch);
    return 0;
}

/* ---- children ---- */

static void child_over(struct pdk_ev *ev, struct watch *watch, const pdk_exit *end) {
    int ignored;
    ev_io_stop(ev->loop, &watch->ev.io);
    if (ev->reaped) pdk_reaped_forget(ev->reaped, watch, &ignored);
    watch->generation++; /* from here on it cannot be stopped any more */
    if (watch->call.ended) watch->call.ended(watch->ev.io.data, end);
    if (end->error == 0) pdk_wait_reap(watch->ev.io.fd);
    close(watch->ev.io.fd);
    give_back(ev, watch);
}

static void on_child(struct ev_loop *loop, struct ev_io *io, int revents) {
    (void)loop, (void)revents;
    struct watch *watch = (struct watch *)(void *)io;
    struct pdk_ev *ev = chunk_of(watch)->ev;
    pdk_exit end;
    int status;
    if (!pdk_wait_look(io->fd, &end)) return;
    if (end.error == -ECHILD && ev->reaped && pdk_reaped_forget(ev->reaped, watch, &status))
        pdk_wait_told(status, &end);
    child_over(ev, watch, &end);
}

/* libev calls this for each child that it has reaped, before it reaps the next one: the soonest we can be. */
static void on_reaped(struct ev_loop *loop, struct ev_child *child, int revents) {
    (void)loop, (void)revents;
    struct pdk_ev *ev = child->data;
    struct watch *watch = pdk_reaped_tell(ev->reaped, child->rpid, child->rstatus);
    pdk_exit end;
    if (!watch) return;
    pdk_wait_told(child->rstatus, &end);
    child_over(ev, watch, &end);
}

static int32_t loop_child(const pdk_loop *loop, int32_t pid, int32_t pidfd, void (*ended)(void *, const pdk_exit *),
                          void *arg, pdk_watch *ret) {
    struct pdk_ev *ev = loop->data;
    int32_t fd = pidfd >= 0 ? pidfd : pdk_wait_open(pid);
    if (fd < 0) return fd;
    struct watch *watch = take(ev, KIND_CHILD);
    if (watch && ev->reaped && pdk_reaped_await(ev->reaped, pid, watch) < 0) {
        give_back(ev, watch);
        watch = NULL;
    }
    if (!watch) {
        if (fd != pidfd) close(fd);
        return -ENOMEM;
    }
    watch->call.ended = ended;
    ev_io_init(&watch->ev.io, on_child, fd, EV_READ);
    watch->ev.io.data = arg;
    ev_io_start(ev->loop, &watch->ev.io);
    *ret = handle_of(watch);
    return 0;
}

/* ---- one stop for all ---- */

static void stop_io(struct pdk_ev *ev, struct watch *watch) {
    quiet_remove(ev, watch);
    ev_io_stop(ev->loop, &watch->ev.io);
    ev->by_fd[watch->ev.io.fd] = 0;
    give_back(ev, watch);
}

static void stop_timer(struct pdk_ev *ev, struct watch *watch) {
    if (watch->fresh)
        ev->fresh[watch->fresh - 1] = NULL;
    else
        ev_timer_stop(ev->loop, &watch->ev.timer);
    watch->fresh = 0;
    give_back(ev, watch);
}

static void loop_stop(const pdk_loop *loop, pdk_watch handle) {
    struct pdk_ev *ev = loop->data;
    struct watch *watch = find(ev, handle);
    if (!watch) return;
    switch (watch->kind) {
    case KIND_IO: stop_io(ev, watch); break;
    case KIND_TIMER: stop_timer(ev, watch); break;
    default: /* a child is still to be reaped: deaf, and out of reach */
        watch->call.ended = NULL;
        watch->generation++;
        break;
    }
}

/* ---- calls from other threads ---- */

/* host_use[0] is not NULL while a call waits; host_use[1] is the one posted before it. Both sides swap host_use[0],
 * so that who finds a call waiting and adds nothing still has its writes seen by the run to come. */
static void loop_post(const pdk_loop *loop, pdk_call *call) {
    struct pdk_ev *ev = loop->data;
    if (__atomic_exchange_n(&call->host_use[0], (void *)call, __ATOMIC_ACQ_REL)) return;
    pdk_call *before = atomic_load_explicit(&ev->posted, memory_order_relaxed);
    do {
        call->host_use[1] = before;
    } while (
        !atomic_compare_exchange_weak_explicit(&ev->posted, &before, call, memory_order_release, memory_order_relaxed));
    if (!before) ev_async_send(ev->loop, &ev->wake);
}

static pdk_call *reversed(pdk_call *list) {
    pdk_call *result = NULL;
    while (list) {
        pdk_call *next = list->host_use[1];
        list->host_use[1] = result;
        result = list;
        list = next;
    }
    return result;
}

/* What these calls post runs in the next turn, when io has had its turn. */
static void on_wake(struct ev_loop *loop, struct ev_async *wake, int revents) {
    (void)loop, (void)revents;
    struct pdk_ev *ev = wake->data;
    pdk_call *call = reversed(atomic_exchange_explicit(&ev->posted, NULL, memory_order_acquire));
    while (call) {
        pdk_call *next = call->host_use[1];
        (void)__atomic_exchange_n(&call->host_use[0], NULL, __ATOMIC_ACQ_REL);
        call->run(call->arg);
        call = next;
    }
}

static uint64_t loop_now(const pdk_loop *loop) {
    (void)loop;
    return pdk_clock_now();
}

/* ---- the loop itself ---- */

static const pdk_loop TABLE = {.struct_size = sizeof(pdk_loop),
                               .io = loop_io,
                               .change = loop_change,
                               .timer = loop_timer,
                               .child = loop_child,
                               .stop = loop_stop,
                               .post = loop_post,
                               .now_ns = loop_now};

/* The first ev_async of a loop takes one, and where there is none libev aborts. */
static int32_t has_free_descriptor(void) {
    int fd = eventfd(0, EFD_CLOEXEC);
    if (fd < 0) return -errno;
    close(fd);
    return 0;
}

static int32_t listen_to_reaper(struct pdk_ev *ev) {
    ev->reaped = pdk_reaped_create();
    if (!ev->reaped) return -ENOMEM;
    ev_child_init(&ev->any_child, on_reaped, 0, 0);
    ev->any_child.data = ev;
    ev_child_start(ev->loop, &ev->any_child);
    return 0;
}

static int32_t attach(struct ev_loop *loop, bool own, struct pdk_ev **ret) {
    int32_t r = has_free_descriptor();
    if (r < 0) return r;
    struct pdk_ev *ev = calloc(1, sizeof *ev);
    if (!ev) return -ENOMEM;
    ev->loop = loop;
    if (ev_is_default_loop(loop) && listen_to_reaper(ev) < 0) {
        free(ev);
        return -ENOMEM;
    }
    ev->table = TABLE;
    ev->table.data = ev;
    ev->own = own;
    ev->quiet_fd = -1;
    ev->free_slot = FREE_SLOT;
    ev_async_init(&ev->wake, on_wake);
    ev->wake.data = ev;
    ev_async_start(loop, &ev->wake);
    ev_prepare_init(&ev->before_wait, on_before_wait);
    ev->before_wait.data = ev;
    ev_prepare_start(loop, &ev->before_wait);
    *ret = ev;
    return 0;
}

int32_t pdk_ev_create(struct pdk_ev **ret) {
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK | EVFLAG_NOTIMERFD);
    if (!loop) return errno ? -errno : -ENOMEM;
    int32_t r = attach(loop, true, ret);
    if (r < 0) ev_loop_destroy(loop);
    return r;
}

int32_t pdk_ev_adopt(void *ev_loop, struct pdk_ev **ret) {
    return attach(ev_loop, false, ret);
}

uint32_t pdk_ev_watches(const struct pdk_ev *ev) {
    return ev->taken;
}

const pdk_loop *pdk_ev_loop(struct pdk_ev *ev) {
    return &ev->table;
}

void pdk_ev_run(struct pdk_ev *ev) {
    ev_run(ev->loop, 0);
}

void pdk_ev_once(struct pdk_ev *ev) {
    ev_run(ev->loop, EVRUN_NOWAIT);
}

void pdk_ev_break(struct pdk_ev *ev) {
    if (ev->own) ev_break(ev->loop, EVBREAK_ONE);
}

static void drop(struct pdk_ev *ev, struct watch *watch) {
    switch (watch->kind) {
    case KIND_IO: stop_io(ev, watch); break;
    case KIND_TIMER: stop_timer(ev, watch); break;
    case KIND_CHILD:
        ev_io_stop(ev->loop, &watch->ev.io);
        close(watch->ev.io.fd);
        break;
    default: break;
    }
}

void pdk_ev_free(struct pdk_ev *ev) {
    if (!ev) return;
    for (uint32_t i = 0; i < ev->chunk_count * CHUNK; i++) drop(ev, slot(ev, i));
    ev_async_stop(ev->loop, &ev->wake);
    ev_prepare_stop(ev->loop, &ev->before_wait);
    if (ev->reaped) ev_child_stop(ev->loop, &ev->any_child);
    pdk_reaped_free(ev->reaped);
    if (ev->quiet_fd >= 0) {
        ev_io_stop(ev->loop, &ev->quiet);
        close(ev->quiet_fd);
    }
    if (ev->own) ev_loop_destroy(ev->loop);
    for (uint32_t i = 0; i < ev->chunk_count; i++) free(ev->chunks[i]);
    free(ev->chunks);
    free(ev->by_fd);
    free(ev);
}
