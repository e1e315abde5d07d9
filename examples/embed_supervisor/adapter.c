/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nine functions of pdk_loop over poll(2). A watch is found by its number, so one that was stopped while others are
 * being called is simply not there any more.
 */
#include "adapter.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IO, TIMER, CHILD };

struct watch {
    struct watch *next;
    pdk_watch id;
    int kind, fd; /* fd of a child: its pidfd */
    pid_t pid;
    int muted; /* a child nobody listens to any more is still reaped */
    uint32_t events;
    uint64_t due, repeat;
    void (*ready)(void *arg, uint32_t events);
    void (*fire)(void *arg);
    void (*ended)(void *arg, const pdk_exit *);
    void *arg;
};

struct adapter {
    pdk_loop loop;
    struct watch *watches;
    pdk_watch last_id;
    int wake; /* an eventfd */
    pthread_mutex_t lock;
    pdk_call *first, **last; /* posted; linked through host_use[0], host_use[1] says that it waits */
};

static uint64_t now_ns(const pdk_loop *loop) {
    struct timespec t;
    (void)loop;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct watch *add(const pdk_loop *loop, int kind, void *arg, pdk_watch *ret) {
    struct adapter *adapter = loop->data;
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch) return NULL;
    watch->id = *ret = ++adapter->last_id;
    watch->kind = kind;
    watch->fd = -1;
    watch->arg = arg;
    watch->next = adapter->watches;
    adapter->watches = watch;
    return watch;
}

static struct watch **find(struct adapter *adapter, pdk_watch id) {
    struct watch **at = &adapter->watches;
    while (*at && (*at)->id != id) at = &(*at)->next;
    return at;
}

static void drop(struct watch **at) {
    struct watch *watch = *at;
    *at = watch->next;
    if (watch->kind == CHILD && watch->fd >= 0) close(watch->fd);
    free(watch);
}

static int32_t io(const pdk_loop *loop, int32_t fd, uint32_t events, void (*ready)(void *, uint32_t), void *arg,
                  pdk_watch *ret) {
    struct watch *watch = add(loop, IO, arg, ret);
    if (!watch) return -ENOMEM;
    watch->fd = fd;
    watch->events = events;
    watch->ready = ready;
    return 0;
}

static int32_t change(const pdk_loop *loop, pdk_watch id, uint32_t events) {
    struct watch *watch = *find(loop->data, id);
    if (!watch || watch->kind != IO) return -ESTALE;
    watch->events = events;
    return 0;
}

static int32_t timer(const pdk_loop *loop, uint64_t delay, uint64_t repeat, void (*fire)(void *), void *arg,
                     pdk_watch *ret) {
    struct watch *watch = add(loop, TIMER, arg, ret);
    uint64_t now = now_ns(loop);
    if (!watch) return -ENOMEM;
    watch->due = delay > UINT64_MAX - now ? UINT64_MAX : now + delay;
    watch->repeat = repeat;
    watch->fire = fire;
    return 0;
}

static int32_t child(const pdk_loop *loop, int32_t pid, int32_t pidfd, void (*ended)(void *, const pdk_exit *),
                     void *arg, pdk_watch *ret) {
    int fd = pidfd >= 0 ? pidfd : (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) return -errno;
    struct watch *watch = add(loop, CHILD, arg, ret);
    if (!watch) return -ENOMEM;
    watch->fd = fd;
    watch->pid = pid;
    watch->ended = ended;
    return 0;
}

static void stop(const pdk_loop *loop, pdk_watch id) {
    struct watch **at = find(loop->data, id);
    if (!*at) return;
    if ((*at)->kind == CHILD) {
        (*at)->muted = 1;
    } else {
        drop(at);
    }
}

static void post(const pdk_loop *loop, pdk_call *call) {
    struct adapter *adapter = loop->data;
    uint64_t one = 1;
    pthread_mutex_lock(&adapter->lock);
    if (!call->host_use[1]) {
        call->host_use[0] = NULL;
        call->host_use[1] = call;
        *adapter->last = call;
        adapter->last = (pdk_call **)&call->host_use[0];
    }
    pthread_mutex_unlock(&adapter->lock);
    if (write(adapter->wake, &one, sizeof one) < 0) return; /* full: it is awake already */
}

static void run_posted(struct adapter *adapter) {
    uint64_t count;
    if (read(adapter->wake, &count, sizeof count) < 0) return;
    pthread_mutex_lock(&adapter->lock);
    pdk_call *call = adapter->first;
    adapter->first = NULL;
    adapter->last = &adapter->first;
    pthread_mutex_unlock(&adapter->lock);
    while (call) {
        pthread_mutex_lock(&adapter->lock);
        pdk_call *next = call->host_use[0];
        call->host_use[1] = NULL; /* it may be posted again from now on */
        pthread_mutex_unlock(&adapter->lock);
        call->run(call->arg);
        call = next;
    }
}

static void fill_exit(const siginfo_t *info, const struct rusage *usage, pdk_exit *exit) {
    memset(exit, 0, sizeof *exit);
    exit->struct_size = (uint32_t)sizeof *exit;
    exit->usage.struct_size = (uint32_t)sizeof exit->usage;
    if (info->si_code == CLD_EXITED) exit->exit_code = info->si_status;
    if (info->si_code != CLD_EXITED) exit->signal = info->si_status;
    exit->usage.user_ns = (uint64_t)usage->ru_utime.tv_sec * 1000000000u + (uint64_t)usage->ru_utime.tv_usec * 1000u;
    exit->usage.system_ns = (uint64_t)usage->ru_stime.tv_sec * 1000000000u + (uint64_t)usage->ru_stime.tv_usec * 1000u;
    exit->usage.max_rss = (uint64_t)usage->ru_maxrss * 1024u;
}

/* Tell first, reap then: while ended runs, the pid belongs to nobody else. Only children that were given to us. */
static void child_ended(struct adapter *adapter, struct watch *watch) {
    siginfo_t info = {0};
    struct rusage usage = {0};
    pdk_exit exit;
    if (syscall(SYS_waitid, P_PID, watch->pid, &info, WEXITED | WNOHANG | WNOWAIT, &usage) < 0 || !info.si_pid) return;
    fill_exit(&info, &usage, &exit);
    pdk_watch id = watch->id;
    if (!watch->muted) watch->ended(watch->arg, &exit);
    waitpid(info.si_pid, NULL, 0);
    struct watch **at = find(adapter, id);
    if (*at) drop(at);
}

static void timer_fired(struct adapter *adapter, struct watch *watch) {
    void (*fire)(void *) = watch->fire;
    void *arg = watch->arg;
    if (watch->repeat) {
        watch->due += watch->repeat;
    } else {
        drop(find(adapter, watch->id));
    }
    fire(arg);
}

static int timeout_ms(struct adapter *adapter) {
    uint64_t now = now_ns(&adapter->loop), due = UINT64_MAX;
    for (struct watch *watch = adapter->watches; watch; watch = watch->next) {
        if (watch->kind == TIMER && watch->due < due) due = watch->due;
    }
    if (due == UINT64_MAX) return -1;
    uint64_t ms = due > now ? (due - now + 999999) / 1000000 : 0;
    return ms > 60000 ? 60000 : (int)ms;
}

static uint32_t told(short revents) {
    return (revents & POLLIN ? PDK_READ : 0u) | (revents & POLLOUT ? PDK_WRITE : 0u) |
           (revents & (POLLHUP | POLLERR) ? PDK_HANGUP : 0u);
}

static size_t gather(struct adapter *adapter, struct pollfd **ret_fds, pdk_watch **ret_ids) {
    size_t count = 1, n = 1;
    for (struct watch *watch = adapter->watches; watch; watch = watch->next) count++;
    struct pollfd *fds = calloc(count, sizeof *fds);
    pdk_watch *ids = calloc(count, sizeof *ids);
    if (!fds || !ids) abort();
    fds[0] = (struct pollfd){adapter->wake, POLLIN, 0};
    for (struct watch *watch = adapter->watches; watch; watch = watch->next) {
        if (watch->kind == TIMER) continue;
        short events = (short)((watch->events & PDK_READ ? POLLIN : 0) | (watch->events & PDK_WRITE ? POLLOUT : 0));
        ids[n] = watch->id;
        fds[n++] = (struct pollfd){watch->fd, watch->kind == CHILD ? POLLIN : events, 0};
    }
    *ret_fds = fds;
    *ret_ids = ids;
    return n;
}

static struct watch *first_due(struct adapter *adapter, uint64_t now, pdk_watch newest) {
    struct watch *first = NULL;
    for (struct watch *watch = adapter->watches; watch; watch = watch->next) {
        if (watch->kind != TIMER || watch->due > now || watch->id > newest) continue;
        if (!first || watch->due < first->due) first = watch;
    }
    return first;
}

/* Timers that are started meanwhile wait for the next turn. */
static void fire_due(struct adapter *adapter) {
    uint64_t now = now_ns(&adapter->loop);
    pdk_watch newest = adapter->last_id;
    for (struct watch *watch = first_due(adapter, now, newest); watch; watch = first_due(adapter, now, newest))
        timer_fired(adapter, watch);
}

void adapter_turn(struct adapter *adapter) {
    struct pollfd *fds;
    pdk_watch *ids;
    size_t count = gather(adapter, &fds, &ids);
    int any = poll(fds, count, timeout_ms(adapter));
    if (any > 0 && fds[0].revents) run_posted(adapter);
    for (size_t i = 1; any > 0 && i < count; i++) {
        struct watch *watch = fds[i].revents ? *find(adapter, ids[i]) : NULL;
        if (!watch) continue;
        if (watch->kind == CHILD) {
            child_ended(adapter, watch);
        } else {
            watch->ready(watch->arg, told(fds[i].revents));
        }
    }
    free(fds);
    free(ids);
    fire_due(adapter);
}

const pdk_loop *adapter_loop(struct adapter *adapter) {
    return &adapter->loop;
}

struct adapter *adapter_create(void) {
    struct adapter *adapter = calloc(1, sizeof *adapter);
    if (!adapter) return NULL;
    adapter->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (adapter->wake < 0) {
        free(adapter);
        return NULL;
    }
    pthread_mutex_init(&adapter->lock, NULL);
    adapter->last = &adapter->first;
    adapter->loop =
        (pdk_loop){(uint32_t)sizeof adapter->loop, 0, adapter, io, change, timer, child, stop, post, now_ns};
    return adapter;
}

void adapter_free(struct adapter *adapter) {
    if (!adapter) return;
    while (adapter->watches) drop(&adapter->watches);
    close(adapter->wake);
    pthread_mutex_destroy(&adapter->lock);
    free(adapter);
}
