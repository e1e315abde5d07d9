/* SPDX-License-Identifier: Apache-2.0 */
/* loop/1 in time that stands still. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/testhost/internal.h"
#include "core/testhost/slots.h"

enum { POLL_MAX = 256 };

static pdk_test *of(const pdk_loop *loop) {
    return loop->data;
}

static struct watch *find(pdk_test *t, pdk_watch handle) {
    struct watch *w;
    LIST_FOREACH(w, &t->watches, link) {
        if (w->handle == handle) return w;
    }
    return NULL;
}

static int32_t add(pdk_test *t, const struct watch *like, pdk_watch *ret) {
    struct watch *w = malloc(sizeof *w);
    if (!w) return -ENOMEM;
    *w = *like;
    w->handle = t->next_handle++;
    *ret = w->handle;
    LIST_INSERT_HEAD(&t->watches, w, link);
    return 0;
}

static int32_t loop_io(const pdk_loop *loop, int32_t fd, uint32_t events, void (*ready)(void *, uint32_t), void *arg,
                       pdk_watch *ret) {
    pdk_test *t = of(loop);
    struct watch *w;
    int32_t rc = 0;
    pdk_test_check_main(t, "loop->io");
    pdk_test_note(t, "loop->io fd %d events %u", fd, events);
    if (fd < 0) return -EBADF;
    LIST_FOREACH(w, &t->watches, link) {
        if (w->fd == fd) return -EEXIST;
    }
    if (pdk_test_strikes(t, PDK_TEST_FAULT_IO, &rc)) return rc;
    return add(t, &(struct watch){.fd = fd, .events = events, .caller = PDK_CALLER, .ready = ready, .arg = arg}, ret);
}

static int32_t loop_change(const pdk_loop *loop, pdk_watch handle, uint32_t events) {
    pdk_test *t = of(loop);
    struct watch *w = find(t, handle);
    pdk_test_check_main(t, "loop->change");
    if (!w || w->fd < 0) {
        pdk_test_break(t, PDK_TEST_RULE_HANDLE, "loop->change of a watch that is not there");
        return -ESTALE;
    }
    w->events = events;
    return 0;
}

static int32_t loop_timer(const pdk_loop *loop, uint64_t delay, uint64_t repeat, void (*fire)(void *), void *arg,
                          pdk_watch *ret) {
    pdk_test *t = of(loop);
    uint64_t now = pdk_test_now(t);
    int32_t rc = 0;
    pdk_test_check_main(t, "loop->timer");
    pdk_test_note(t, "loop->timer in %llu ms", (unsigned long long)(delay / PDK_MILLISECOND));
    if (pdk_test_strikes(t, PDK_TEST_FAULT_TIMER, &rc)) return rc;
    return add(t,
               &(struct watch){.fd = -1,
                               .due = delay > UINT64_MAX - now ? UINT64_MAX : now + delay,
                               .repeat = repeat,
                               .caller = PDK_CALLER,
                               .fire = fire,
                               .arg = arg},
               ret);
}

static int32_t loop_child(const pdk_loop *loop, int32_t pid, int32_t pidfd, void (*ended)(void *, const pdk_exit *),
                          void *arg, pdk_watch *ret) {
    (void)pid, (void)pidfd, (void)ended, (void)arg, (void)ret;
    pdk_test_break(of(loop), PDK_TEST_RULE_MANNERS, "loop->child: a plugin starts children by process/1");
    return -ENOTSUP;
}

static void loop_stop(const pdk_loop *loop, pdk_watch handle) {
    pdk_test *t = of(loop);
    struct watch *w = find(t, handle);
    pdk_test_check_main(t, "loop->stop");
    if (handle >= t->next_handle) pdk_test_break(t, PDK_TEST_RULE_HANDLE, "loop->stop of a watch that never was");
    if (!w) return;
    LIST_REMOVE(w, link);
    free(w);
}

/* Takes no memory and cannot fail: the list is made of the calls. */
static void loop_post(const pdk_loop *loop, pdk_call *call) {
    pdk_test *t = of(loop);
    (void)pthread_mutex_lock(&t->lock);
    if (!call->host_use[1]) {
        call->host_use[0] = NULL;
        call->host_use[1] = t;
        if (t->last_post)
            t->last_post->host_use[0] = call;
        else
            t->first_post = call;
        t->last_post = call;
    }
    (void)pthread_mutex_unlock(&t->lock);
    pdk_test_wake(t);
}

static uint64_t loop_now(const pdk_loop *loop) {
    return pdk_test_now(of(loop));
}

void pdk_test_fill_loop(pdk_test *t) {
    t->loop =
        (pdk_loop){PDK_HEAD(pdk_loop), t, loop_io, loop_change, loop_timer, loop_child, loop_stop, loop_post, loop_now};
}

/* Those that are posted meanwhile wait for the next turn. */
bool pdk_test_posts(pdk_test *t) {
    pdk_call *call, *next;
    bool any;
    (void)pthread_mutex_lock(&t->lock);
    call = t->first_post;
    t->first_post = t->last_post = NULL;
    (void)pthread_mutex_unlock(&t->lock);
    any = call != NULL;
    for (; call; call = next) {
        void (*run)(void *) = call->run;
        void *arg = call->arg;
        next = call->host_use[0];
        call->host_use[0] = call->host_use[1] = NULL;
        pdk_test_enter(t, "a posted call");
        run(arg);
        pdk_test_leave(t);
    }
    return any;
}

void pdk_test_wake(pdk_test *t) {
    const uint64_t one = 1;
    if (t->real)
        pdk_test_real_wake(t);
    else
        (void)!write(t->wake, &one, sizeof one);
}

struct watch *pdk_test_next_timer(const pdk_test *t, uint64_t until) {
    struct watch *w, *found = NULL;
    LIST_FOREACH(w, &t->watches, link) { /* of those that are due together the oldest is the last */
        if (w->fd < 0 && w->due <= until && (!found || w->due <= found->due)) found = w;
    }
    return found;
}

void pdk_test_fire(pdk_test *t, struct watch *w) {
    void (*fire)(void *) = w->fire;
    void *arg = w->arg;
    if (w->due > pdk_test_now(t)) atomic_store(&t->now, w->due);
    if (w->repeat) {
        w->due += w->repeat;
    } else {
        LIST_REMOVE(w, link);
        free(w);
    }
    pdk_test_note(t, "a timer fires");
    pdk_test_enter(t, "a timer");
    fire(arg);
    pdk_test_leave(t);
}

static short wanted(uint32_t events) {
    return (short)((events & PDK_READ ? POLLIN : 0) | (events & PDK_WRITE ? POLLOUT : 0));
}

static uint32_t told(short events) {
    return (events & POLLIN ? PDK_READ : 0u) | (events & POLLOUT ? PDK_WRITE : 0u) |
           (events & (POLLHUP | POLLERR | POLLNVAL) ? PDK_HANGUP : 0u);
}

/* A callback may stop any watch, so each is looked for again. */
static bool tell(pdk_test *t, const struct pollfd *polls, const pdk_watch *handles, nfds_t count) {
    bool any = false;
    for (nfds_t i = 1; i < count; i++) {
        struct watch *w = find(t, handles[i]);
        if (!w || !polls[i].revents || w->fd != polls[i].fd) continue;
        any = true;
        pdk_test_note(t, "fd %d is ready: %u", w->fd, told(polls[i].revents));
        pdk_test_enter(t, "a descriptor's callback");
        w->ready(w->arg, told(polls[i].revents));
        pdk_test_leave(t);
    }
    return any;
}

bool pdk_test_poll(pdk_test *t, int timeout_ms) {
    struct pollfd polls[POLL_MAX] = {{t->wake, POLLIN, 0}};
    pdk_watch handles[POLL_MAX];
    nfds_t count = 1;
    struct watch *w;
    uint64_t drained;
    handles[0] = 0;
    LIST_FOREACH(w, &t->watches, link) {
        if (w->fd < 0 || count == POLL_MAX) continue;
        polls[count] = (struct pollfd){w->fd, wanted(w->events), 0};
        handles[count++] = w->handle;
    }
    if (poll(polls, count, timeout_ms) <= 0) return false;
    if (polls[0].revents) (void)!read(t->wake, &drained, sizeof drained);
    return tell(t, polls, handles, count) || polls[0].revents;
}

static uint32_t count(const pdk_test *t, bool timers) {
    const struct watch *w;
    uint32_t n = 0;
    if (!t) return 0;
    LIST_FOREACH(w, &t->watches, link) n += (w->fd < 0) == timers;
    return n;
}

uint32_t pdk_test_timers(const pdk_test *t) {
    return count(t, true);
}

uint32_t pdk_test_descriptors(const pdk_test *t) {
    return count(t, false);
}

void pdk_test_free_loop(pdk_test *t) {
    char place[PDK_PLACE_MAX];
    struct watch *w;
    if (t->first_post)
        pdk_test_break(t, PDK_TEST_RULE_LEFT, "a posted call was left; it would run %s",
                       pdk_place((uintptr_t)t->first_post->run, place, sizeof place));
    while ((w = LIST_FIRST(&t->watches))) {
        if (w->fd < 0)
            pdk_test_break(t, PDK_TEST_RULE_LEFT, "a timer was left; it was begun at %s",
                           pdk_place(w->caller, place, sizeof place));
        else
            pdk_test_break(t, PDK_TEST_RULE_LEFT, "a watch of descriptor %d was left; it was begun at %s", w->fd,
                           pdk_place(w->caller, place, sizeof place));
        LIST_REMOVE(w, link);
        free(w);
    }
}
