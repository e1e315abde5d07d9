/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/plan/probe.h"

static void try_next(struct pdk_probe *probe);

static const pdk_loop *loop_of(const struct pdk_probe *probe) {
    return probe->item->plan->loop;
}

static void hang_up(struct pdk_probe *probe) {
    if (probe->fd < 0) return;
    loop_of(probe)->stop(loop_of(probe), probe->io);
    loop_of(probe)->stop(loop_of(probe), probe->timeout);
    (void)close(probe->fd);
    probe->fd = -1;
    probe->io = probe->timeout = 0;
}

static void answered(struct pdk_probe *probe, int error) {
    hang_up(probe);
    if (error == 0) {
        pdk_probe_passed(probe);
        return;
    }
    (void)strlcpy(probe->why, strerror(error), sizeof probe->why);
    try_next(probe);
}

static void on_writable(void *arg, uint32_t events) {
    struct pdk_probe *probe = arg;
    int error = 0;
    socklen_t size = sizeof error;
    (void)events;
    if (getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
    answered(probe, error);
}

static void on_timeout(void *arg) {
    answered(arg, ETIMEDOUT);
}

/* 0: the answer comes later. */
static int begin(struct pdk_probe *probe, const struct addrinfo *address) {
    const pdk_loop *loop = loop_of(probe);
    probe->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe->fd < 0) return errno;
    if (connect(probe->fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS) return errno;
    if (loop->io(loop, probe->fd, PDK_WRITE, on_writable, probe, &probe->io) < 0) return ENOMEM;
    return loop->timer(loop, probe->check->timeout, 0, on_timeout, probe, &probe->timeout) < 0 ? ENOMEM : 0;
}

static void try_next(struct pdk_probe *probe) {
    while (probe->next) {
        const struct addrinfo *address = probe->next;
        probe->next = address->ai_next;
        int error = begin(probe, address);
        if (error == 0) return;
        (void)strlcpy(probe->why, strerror(error), sizeof probe->why);
        hang_up(probe);
    }
    char why[sizeof probe->why];
    (void)strlcpy(why, probe->why, sizeof why);
    pdk_probe_not_yet(probe, why);
}

static void resolve(void *arg) {
    struct pdk_probe *probe = arg;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    probe->addresses = NULL;
    probe->resolve_error = getaddrinfo(probe->check->host, probe->check->port, &hints, &probe->addresses);
    if (probe->resolve_error == 0) return;
    probe->addresses = NULL;
}

static void resolved(void *arg, int32_t status) {
    struct pdk_probe *probe = arg;
    probe->resolving = false;
    if (!probe->attempt) {
        pdk_plan_poke(probe->item->plan); /* it may have been the last that was on the way */
        return;
    }
    if (status < 0 || probe->resolve_error) {
        pdk_probe_not_yet(probe, status < 0 ? strerror(-status) : gai_strerror(probe->resolve_error));
        return;
    }
    probe->next = probe->addresses;
    try_next(probe);
}

void pdk_probe_tcp_free(struct pdk_probe *probe) {
    if (probe->fd >= 0) (void)close(probe->fd);
    if (probe->addresses) freeaddrinfo(probe->addresses);
    probe->addresses = probe->next = NULL;
}

void pdk_probe_connect(struct pdk_probe *probe) {
    const pdk_pool *pool = pdk_supervisor_pool(probe->item->plan->options.supervisor);
    if (probe->resolving) return; /* of an attempt before: its answer serves this one */
    if (probe->addresses) freeaddrinfo(probe->addresses);
    probe->addresses = probe->next = NULL;
    probe->job = (pdk_job){.struct_size = sizeof probe->job, .work = resolve, .done = resolved, .arg = probe};
    int32_t rc = pool->submit(pool, &probe->job);
    if (rc < 0)
        pdk_probe_not_yet(probe, strerror(-rc));
    else
        probe->resolving = true;
}

void pdk_probe_tcp_end(struct pdk_probe *probe) {
    hang_up(probe);
    probe->next = NULL;
}
