/* SPDX-License-Identifier: Apache-2.0 */
/* The port. Whoever comes is a connection, as long as there is room for one. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rrq.h"

enum { ACCEPTS = 64 }; /* at once: then others have their turn */

static void on_pause_over(void *arg) {
    struct pdk_rrq *self = arg;
    self->pause = 0;
    (void)self->loop->change(self->loop, self->listener, PDK_READ);
}

/* Whoever waits would be told of again and again, while nothing can be done for them. */
static void pause_accepting(struct pdk_rrq *self, int error) {
    pdk_logf(self->host, PDK_LOG_WARN, 0, "cannot accept: %s", strerror(error));
    if (self->pause) return;
    if (self->loop->timer(self->loop, PDK_RRQ_PAUSE_MS * (PDK_RRQ_SECOND / 1000), 0, on_pause_over, self, &self->pause))
        return;
    (void)self->loop->change(self->loop, self->listener, 0);
}

static void refuse(struct pdk_rrq *self, int fd) {
    (void)close(fd);
    self->refused++;
    pdk_rrq_meter_count(self, PDK_RRQ_METER_TURNED_AWAY, 1);
    if (self->refused & (self->refused - 1)) return; /* told of less and less often */
    pdk_logf(self->host, PDK_LOG_WARN, 0, "more than %lld connections: %llu refused so far",
             (long long)self->connections_max, (unsigned long long)self->refused);
}

static void on_listener(void *arg, uint32_t events) {
    struct pdk_rrq *self = arg;
    (void)events;
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = accept4(self->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
            pause_accepting(self, errno);
        if (fd < 0) return; /* or whoever it was has gone */
        if (self->connections >= (uint64_t)self->connections_max)
            refuse(self, fd);
        else
            (void)pdk_rrq_connection_open(self, fd);
    }
}

static int32_t open_port(struct pdk_rrq *self, const struct pdk_rrq_address *address) {
    int one = 1, fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, &address->any, address->size) == 0 && listen(fd, SOMAXCONN) == 0) {
        self->fd = fd;
        return self->loop->io(self->loop, fd, PDK_READ, on_listener, self, &self->listener);
    }
    int32_t rc = -errno;
    (void)close(fd);
    return rc;
}

int32_t pdk_rrq_listen(struct pdk_rrq *self, pdk_error *err) {
    struct pdk_rrq_address address;
    char text[160];
    int32_t rc = pdk_rrq_address_parse(self->listen, &address, err);
    if (rc < 0) return rc;
    rc = open_port(self, &address);
    if (rc < 0) {
        pdk_rrq_listen_no_more(self);
        return pdk_failf(err, rc, NULL, "cannot listen on %s: %s", self->listen, strerror(-rc));
    }
    (void)snprintf(text, sizeof text, "listening on %s", self->listen);
    self->host->health(self->host, PDK_UP, text);
    return 0;
}

void pdk_rrq_listen_no_more(struct pdk_rrq *self) {
    self->loop->stop(self->loop, self->pause);
    self->loop->stop(self->loop, self->listener);
    self->pause = self->listener = 0;
    if (self->fd >= 0) (void)close(self->fd);
    self->fd = -1;
}
