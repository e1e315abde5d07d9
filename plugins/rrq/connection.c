/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is connected. What a connection waits for says which line it stands in, and each line is in the order of time, so
 * that one timer looks at the heads of all.
 */
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rrq.h"

static uint64_t now(const struct pdk_rrq *self) {
    return self->loop->now_ns(self->loop);
}

/* ---- time */

static void on_timer(void *arg);

static uint64_t patience(const struct pdk_rrq *self, size_t line) {
    const uint64_t all[PDK_RRQ_LINES] = {self->idle_ns, PDK_RRQ_LEFT_SECONDS * PDK_RRQ_SECOND, self->slow_ns};
    return all[line];
}

/* A timer that comes too early does no harm; it is only moved forward. */
static void arm(struct pdk_rrq *self, uint64_t due) {
    if (self->stopping || (self->timer && self->timer_due <= due)) return;
    uint64_t time = now(self);
    self->loop->stop(self->loop, self->timer);
    self->timer = 0;
    self->timer_due = due;
    if (self->loop->timer(self->loop, due > time ? due - time : 0, 0, on_timer, self, &self->timer) < 0)
        self->timer = 0; /* without memory for one, the next connection asks again */
}

static void leave_line(struct pdk_rrq_connection *connection) {
    if (connection->at < PDK_RRQ_LINES) TAILQ_REMOVE(&connection->self->lines[connection->at], connection, line);
    connection->at = PDK_RRQ_AT_WORK;
}

static void join_line(struct pdk_rrq_connection *connection, uint8_t line) {
    struct pdk_rrq *self = connection->self;
    if (connection->at == line && (line == PDK_RRQ_AT_WORK || connection->since)) return;
    leave_line(connection);
    connection->at = line;
    if (line >= PDK_RRQ_LINES) return;
    connection->since = now(self);
    TAILQ_INSERT_TAIL(&self->lines[line], connection, line);
    arm(self, connection->since + patience(self, line));
}

/* The kernel tells us that there is room again only when a third of its own is, which can be megabytes. */
static bool still_reads(struct pdk_rrq_connection *connection) {
    int before = connection->unacknowledged;
    if (!connection->out.size || ioctl(connection->fd, SIOCOUTQ, &connection->unacknowledged) < 0) return false;
    return connection->unacknowledged != before;
}

static void expire(struct pdk_rrq *self, size_t line, uint64_t time) {
    static const char *const words[] = {"idle for too long", NULL, "too slow"};
    struct pdk_rrq_connection *first;
    while ((first = TAILQ_FIRST(&self->lines[line])) && first->since + patience(self, line) <= time) {
        first->since = 0;
        if (line == PDK_RRQ_SLOW && still_reads(first))
            join_line(first, PDK_RRQ_SLOW);
        else
            pdk_rrq_connection_close(first, words[line]);
    }
    if (first) arm(self, first->since + patience(self, line));
}

/* Of those that we do not read from nobody else would tell us. */
static void look_for_gone(struct pdk_rrq *self, uint64_t time) {
    struct pdk_rrq_connection *connection = TAILQ_FIRST(&self->paused), *next;
    for (; connection; connection = next) {
        struct pollfd gone = {connection->fd, POLLRDHUP, 0};
        next = TAILQ_NEXT(connection, paused);
        if (poll(&gone, 1, 0) > 0) pdk_rrq_connection_close(connection, NULL);
    }
    if (!TAILQ_EMPTY(&self->paused)) arm(self, time + PDK_RRQ_SECOND);
}

static void on_timer(void *arg) {
    struct pdk_rrq *self = arg;
    uint64_t time = now(self);
    self->timer = 0;
    for (size_t line = 0; line < PDK_RRQ_LINES; line++) expire(self, line, time);
    look_for_gone(self, time);
}

/* ---- one connection */

static void on_connection(void *arg, uint32_t events) {
    struct pdk_rrq_connection *connection = arg;
    struct pdk_rrq *self = connection->self;
    if (events & PDK_WRITE) pdk_rrq_output_send(connection);
    if (events & (PDK_READ | PDK_HANGUP)) pdk_rrq_input_ready(connection);
    if ((connection->is_paused || connection->parse) && events & PDK_HANGUP) connection->broken = true;
    pdk_rrq_connection_settle(connection);
    pdk_rrq_output_flush(self);
    pdk_rrq_meters_now(self);
}

int32_t pdk_rrq_connection_open(struct pdk_rrq *self, int fd) {
    struct pdk_rrq_connection *connection = calloc(1, sizeof *connection);
    int one = 1;
    int32_t rc =
        connection ? self->loop->io(self->loop, fd, PDK_READ, on_connection, connection, &connection->watch) : -ENOMEM;
    if (rc < 0) {
        pdk_logf(self->host, PDK_LOG_WARN, 0, "no room for a connection: %s", strerror(-rc));
        (void)close(fd);
        free(connection);
        return rc;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connection->self = self;
    connection->fd = fd;
    connection->at = PDK_RRQ_AT_WORK;
    TAILQ_INIT(&connection->deliveries);
    TAILQ_INSERT_TAIL(&self->all, connection, all);
    self->connections++;
    pdk_rrq_meters_now(self);
    join_line(connection, PDK_RRQ_IDLE);
    return 0;
}

void pdk_rrq_connection_watch(struct pdk_rrq_connection *connection) {
    const pdk_loop *loop = connection->self->loop;
    uint32_t events =
        (connection->is_paused || connection->parse ? 0u : PDK_READ) | (connection->writing ? PDK_WRITE : 0u);
    if (loop->change(loop, connection->watch, events) < 0) connection->broken = true;
}

static void unlist_paused(struct pdk_rrq_connection *connection) {
    if (!connection->is_paused) return;
    TAILQ_REMOVE(&connection->self->paused, connection, paused);
    connection->self->paused_count--;
    connection->is_paused = false;
}

void pdk_rrq_connection_close(struct pdk_rrq_connection *connection, const char *why) {
    struct pdk_rrq *self = connection->self;
    if (why) pdk_logf(self->host, PDK_LOG_INFO, 0, "a connection is closed: %s", why);
    pdk_rrq_deliveries_leave(connection);
    if (connection->out.size && !connection->writing) pdk_rrq_output_send(connection); /* perhaps it still reads */
    leave_line(connection);
    if (connection->is_dirty) TAILQ_REMOVE(&self->dirty, connection, dirty);
    unlist_paused(connection);
    TAILQ_REMOVE(&self->all, connection, all);
    self->connections--;
    pdk_rrq_meters_now(self);
    self->loop->stop(self->loop, connection->watch);
    (void)close(connection->fd);
    pdk_rrq_parse_forget(connection->parse);
    self->memory -= connection->parsing;
    self->buffered -= connection->in.size;
    pdk_rrq_buffer_free(&connection->in);
    pdk_rrq_buffer_free(&connection->out);
    free(connection);
}

void pdk_rrq_connection_settle(struct pdk_rrq_connection *connection) {
    bool is_over = connection->deaf && !connection->in_flight && !connection->out.size;
    if (connection->broken || is_over)
        pdk_rrq_connection_close(connection, NULL);
    else if (connection->is_dirty)
        return; /* it is settled again when that is sent */
    else if (connection->out.size || (connection->in.size && !connection->is_paused && !connection->parse))
        join_line(connection, PDK_RRQ_SLOW);
    else if (connection->in_flight || connection->is_paused || connection->parse)
        join_line(connection, PDK_RRQ_AT_WORK);
    else
        join_line(connection, connection->left ? PDK_RRQ_LEFT : PDK_RRQ_IDLE);
}

void pdk_rrq_connection_deafen(struct pdk_rrq_connection *connection, const char *why) {
    if (connection->deaf) return;
    pdk_logf(connection->self->host, PDK_LOG_WARN, 0, "a peer does not speak RRQ, no more is read from it: %s", why);
    connection->deaf = true;
}

static uint64_t hash_of(const char *text) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash | 1;
}

/* Orchestrators give up a connection on any error, but leave it to us to close it. */
void pdk_rrq_connection_belongs(struct pdk_rrq_connection *connection, const char *worker) {
    struct pdk_rrq *self = connection->self;
    struct pdk_rrq_connection *other, *next;
    bool is_first = !connection->spoke;
    connection->spoke = true;
    connection->left = false;
    if (!is_first || !worker) return;
    connection->worker = hash_of(worker);
    for (other = TAILQ_FIRST(&self->all); other; other = next) {
        next = TAILQ_NEXT(other, all);
        if (other == connection || other->worker != connection->worker) continue;
        other->left = true;
        pdk_rrq_connection_settle(other);
    }
}

void pdk_rrq_connections_close(struct pdk_rrq *self) {
    struct pdk_rrq_connection *connection = TAILQ_FIRST(&self->all), *next;
    for (; connection; connection = next) {
        next = TAILQ_NEXT(connection, all);
        pdk_rrq_connection_close(connection, NULL);
    }
}

void pdk_rrq_connection_pause(struct pdk_rrq_connection *connection) {
    struct pdk_rrq *self = connection->self;
    if (connection->is_paused) return;
    connection->is_paused = true;
    TAILQ_INSERT_TAIL(&self->paused, connection, paused);
    self->paused_count++;
    pdk_rrq_connection_watch(connection);
    arm(self, now(self) + PDK_RRQ_SECOND);
}

void pdk_rrq_connection_unpause(struct pdk_rrq_connection *connection) {
    unlist_paused(connection);
    pdk_rrq_connection_watch(connection);
}
