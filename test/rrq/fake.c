/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/value/value.h"

/* ---- host ---- */

static struct fake *of(const pdk_host *host) {
    return host->data;
}

static uint64_t host_now(const pdk_host *host) {
    return of(host)->now;
}

static uint64_t host_unix(const pdk_host *host) {
    return UINT64_C(1767225600000000000) + of(host)->now; /* 2026-01-01 */
}

static void host_log(const pdk_host *host, int32_t level, pdk_attempt attempt, const char *text) {
    (void)host, (void)level, (void)attempt, (void)text;
}

static void host_health(const pdk_host *host, int32_t state, const char *text) {
    (void)text;
    of(host)->health = state;
}

static int32_t host_done(const pdk_host *host, pdk_attempt attempt, const pdk_result *result) {
    struct fake *fake = of(host);
    fake->done++;
    fake->attempt = attempt;
    fake->status = result->status;
    fake->category = result->category;
    fake->retry_after = result->retry_after_ns;
    (void)snprintf(fake->code, sizeof fake->code, "%s", result->code ? result->code : "");
    (void)snprintf(fake->message, sizeof fake->message, "%s", result->message ? result->message : "");
    return 0;
}

static int32_t host_output(const pdk_host *host, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    (void)host, (void)attempt, (void)stream, (void)data, (void)size;
    return 0;
}

static int32_t host_progress(const pdk_host *host, pdk_attempt attempt, double fraction, const char *text) {
    (void)host, (void)attempt, (void)fraction, (void)text;
    return 0;
}

static const void *host_extension(const pdk_host *host, const char *id) {
    struct fake *fake = of(host);
    if (!strcmp(id, PDK_LOOP_1)) return &fake->loop;
    if (!strcmp(id, PDK_POOL_1)) return fake->has_pool ? &fake->pool : NULL;
    return strcmp(id, PDK_PROCESS_1) ? NULL : &fake->process;
}

/* ---- loop ---- */

static int32_t add(const pdk_loop *loop, const struct fake_watch *watch, pdk_watch *ret) {
    struct fake *fake = loop->data;
    for (size_t i = 0; i < FAKE_WATCHES; i++) {
        if (fake->watches[i].handle) continue;
        fake->watches[i] = *watch;
        *ret = fake->watches[i].handle = ++fake->next_handle;
        return 0;
    }
    return -ENOMEM;
}

static struct fake_watch *find(const pdk_loop *loop, pdk_watch handle) {
    struct fake *fake = loop->data;
    for (size_t i = 0; handle && i < FAKE_WATCHES; i++)
        if (fake->watches[i].handle == handle) return &fake->watches[i];
    return NULL;
}

static int32_t loop_io(const pdk_loop *loop, int32_t fd, uint32_t events, void (*ready)(void *, uint32_t), void *arg,
                       pdk_watch *ret) {
    return add(loop, &(struct fake_watch){.fd = fd, .events = events, .ready = ready, .arg = arg}, ret);
}

static int32_t loop_change(const pdk_loop *loop, pdk_watch handle, uint32_t events) {
    struct fake_watch *watch = find(loop, handle);
    if (!watch) return -ESTALE;
    watch->events = events;
    return 0;
}

static int32_t loop_timer(const pdk_loop *loop, uint64_t delay, uint64_t repeat, void (*fire)(void *), void *arg,
                          pdk_watch *ret) {
    struct fake *fake = loop->data;
    (void)repeat;
    return add(loop, &(struct fake_watch){.fd = -1, .due = fake->now + delay, .fire = fire, .arg = arg}, ret);
}

static void loop_stop(const pdk_loop *loop, pdk_watch handle) {
    struct fake_watch *watch = find(loop, handle);
    if (watch) watch->handle = 0;
}

static void loop_post(const pdk_loop *loop, pdk_call *call) {
    struct fake *fake = loop->data;
    if (fake->post_count == FAKE_POSTS) abort();
    fake->posts[fake->post_count++] = call;
}

static uint64_t loop_now(const pdk_loop *loop) {
    return ((struct fake *)loop->data)->now;
}

static bool run_posts(struct fake *fake) {
    pdk_call *calls[FAKE_POSTS];
    uint32_t count = fake->post_count;
    memcpy(calls, fake->posts, sizeof calls);
    fake->post_count = 0;
    for (uint32_t i = 0; i < count; i++) calls[i]->run(calls[i]->arg);
    return count > 0;
}

bool fake_turn(struct fake *fake) {
    bool happened = run_posts(fake);
    for (size_t i = 0; i < FAKE_WATCHES; i++) {
        const struct fake_watch *watch = &fake->watches[i];
        struct pollfd p = {watch->fd, 0, 0};
        uint32_t events = 0;
        if (!watch->handle || watch->fd < 0) continue;
        p.events = (short)((watch->events & PDK_READ ? POLLIN : 0) | (watch->events & PDK_WRITE ? POLLOUT : 0));
        if (poll(&p, 1, 0) <= 0) continue;
        if (p.revents & POLLIN) events |= PDK_READ;
        if (p.revents & POLLOUT) events |= PDK_WRITE;
        if (p.revents & (POLLHUP | POLLERR)) events |= PDK_HANGUP;
        watch->ready(watch->arg, events);
        happened = true;
    }
    return happened;
}

void fake_settle(struct fake *fake) {
    for (int quiet = 0; quiet < 2;) quiet = fake_turn(fake) ? 0 : quiet + 1;
}

void fake_advance(struct fake *fake, uint64_t ns) {
    uint64_t until = fake->now + ns;
    for (;;) {
        struct fake_watch *next = NULL;
        for (size_t i = 0; i < FAKE_WATCHES; i++) {
            struct fake_watch *watch = &fake->watches[i];
            if (!watch->handle || watch->fd >= 0 || watch->due > until) continue;
            if (!next || watch->due < next->due) next = watch;
        }
        if (!next) break;
        fake->now = next->due > fake->now ? next->due : fake->now;
        next->handle = 0;
        next->fire(next->arg);
        fake_settle(fake);
    }
    fake->now = until;
    fake_settle(fake);
}

uint32_t fake_left(const struct fake *fake) {
    uint32_t n = fake->post_count;
    for (size_t i = 0; i < FAKE_WATCHES; i++) n += fake->watches[i].handle != 0;
    return n;
}

/* ---- processes ---- */

static int32_t process_spawn(const pdk_process *process, pdk_attempt attempt, const pdk_command *command,
                             const pdk_child_ops *ops, void *arg, pdk_child *ret, pdk_error *err) {
    struct fake *fake = process->data;
    size_t n = 0;
    (void)attempt, (void)err;
    while (command->argv[n]) n++;
    (void)snprintf(fake->address, sizeof fake->address, "%s", command->argv[n - 1]);
    fake->ops = ops;
    fake->child = arg;
    fake->killed = false;
    fake->signal = 0;
    *ret = 1;
    return 0;
}

static int32_t process_signal(const pdk_process *process, pdk_child child, int32_t signal, int32_t leader_alone) {
    (void)child, (void)leader_alone;
    ((struct fake *)process->data)->signal = signal;
    return 0;
}

static int32_t process_kill(const pdk_process *process, pdk_child child) {
    (void)child;
    ((struct fake *)process->data)->killed = true;
    return 0;
}

static int32_t process_resume(const pdk_process *process, pdk_child child) {
    (void)process, (void)child;
    return 0;
}

/* ---- pool ---- */

static int32_t pool_submit(const pdk_pool *pool, pdk_job *job) {
    struct fake *fake = pool->data;
    if (fake->job_count == FAKE_JOBS) return -EAGAIN;
    fake->jobs[fake->job_count++] = job;
    return 0;
}

bool fake_work(struct fake *fake) {
    pdk_job *job = fake->jobs[0];
    if (!fake->job_count) return false;
    memmove(fake->jobs, fake->jobs + 1, --fake->job_count * sizeof(fake->jobs[0]));
    job->work(job->arg);
    job->done(job->arg, 0);
    fake_settle(fake);
    return true;
}

void fake_init(struct fake *fake) {
    *fake = (struct fake){.now = 1000000000};
    fake->loop =
        (pdk_loop){PDK_HEAD(pdk_loop), fake, loop_io, loop_change, loop_timer, NULL, loop_stop, loop_post, loop_now};
    fake->process =
        (pdk_process){PDK_HEAD(pdk_process), fake, process_spawn, process_signal, process_kill, process_resume};
    fake->pool = (pdk_pool){PDK_HEAD(pdk_pool), fake, pool_submit, NULL};
    fake->host = (pdk_host){.struct_size = sizeof fake->host,
                            .instance = "rrq",
                            .data = fake,
                            .values = pdk_values_get(),
                            .now_ns = host_now,
                            .unix_ns = host_unix,
                            .log = host_log,
                            .health = host_health,
                            .done = host_done,
                            .output = host_output,
                            .progress = host_progress,
                            .get_extension = host_extension};
}

void fake_stopped(void *fake) {
    ((struct fake *)fake)->stopped = true;
}

/* ---- the other side ---- */

int fake_listen(uint32_t *ret_port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 16)) abort();
    if (getsockname(fd, (struct sockaddr *)&address, &size)) abort();
    *ret_port = ntohs(address.sin_port);
    return fd;
}

int fake_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}
