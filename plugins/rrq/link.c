/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a runner: frames out, outcomes in. It knows which requests are out on it, and tells its worker what
 * happens; what follows from that is the worker's affair. A link that was closed from inside a call of its own is
 * freed when that call is over.
 */
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drive.h"
#include "frame.h"
#include "message.h"

enum { READS_PER_TURN = 16, READ_SIZE = 16384, KEEP = 65536 };

struct pdk_rrq_link {
    TAILQ_ENTRY(pdk_rrq_link) on_worker;
    struct pdk_rrq_worker *worker;
    enum pdk_rrq_link_use use;
    int fd;
    pdk_watch watch;
    bool connecting, inside, dead;
    struct pdk_rrq_jobs jobs;
    struct pdk_rrq_buffer in, out;
    struct pdk_rrq_parse *parse; /* of the next reply, which is large; until it is done nothing is read */
    char why[PDK_RRQ_WHY];
};

static const pdk_host *host_of(const struct pdk_rrq_link *link) {
    return link->worker->pool->host;
}

enum pdk_rrq_link_use pdk_rrq_link_use(const struct pdk_rrq_link *link) {
    return link->use;
}

bool pdk_rrq_link_is_connected(const struct pdk_rrq_link *link) {
    return !link->connecting;
}

struct pdk_rrq_jobs *pdk_rrq_link_jobs(struct pdk_rrq_link *link) {
    return &link->jobs;
}

void pdk_rrq_link_add(struct pdk_rrq_link *link, struct pdk_rrq_job *job) {
    job->link = link;
    TAILQ_INSERT_TAIL(&link->jobs, job, on_link);
}

void pdk_rrq_link_remove(struct pdk_rrq_job *job) {
    if (!job->link) return;
    TAILQ_REMOVE(&job->link->jobs, job, on_link);
    job->link = NULL;
}

/* ---- the end ---- */

static void link_free(struct pdk_rrq_link *link) {
    pdk_rrq_buffer_free(&link->in);
    pdk_rrq_buffer_free(&link->out);
    free(link);
}

void pdk_rrq_link_close(struct pdk_rrq_link *link) {
    const pdk_loop *loop = link->worker->pool->loop;
    if (link->dead) return;
    link->dead = true;
    while (!TAILQ_EMPTY(&link->jobs)) pdk_rrq_link_remove(TAILQ_FIRST(&link->jobs));
    TAILQ_REMOVE(&link->worker->links, link, on_worker);
    pdk_rrq_parse_forget(link->parse);
    loop->stop(loop, link->watch);
    (void)shutdown(link->fd, SHUT_RDWR); /* also when a copy of it went somewhere */
    close(link->fd);
    if (!link->inside) link_free(link);
}

__attribute__((format(printf, 2, 3))) static const char *say(struct pdk_rrq_link *link, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(link->why, sizeof link->why, format, args);
    va_end(args);
    return link->why;
}

/* ---- out ---- */

static void want(struct pdk_rrq_link *link, uint32_t events) {
    const pdk_loop *loop = link->worker->pool->loop;
    (void)loop->change(loop, link->watch, link->parse ? events & ~(uint32_t)PDK_READ : events);
}

struct pdk_rrq_buffer *pdk_rrq_link_out(struct pdk_rrq_link *link) {
    return &link->out;
}

/* What cannot be sent because the peer has gone is found out by reading. */
void pdk_rrq_link_flush(struct pdk_rrq_link *link) {
    struct pdk_rrq_buffer *out = &link->out;
    ssize_t n = 0;
    if (link->connecting) return;
    while (out->size && (n = send(link->fd, out->data + out->start, out->size, MSG_NOSIGNAL)) >= 0)
        pdk_rrq_buffer_drop(out, (size_t)n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        want(link, PDK_READ | PDK_WRITE);
        return;
    }
    want(link, PDK_READ);
    if (!out->size && out->capacity > KEEP) pdk_rrq_buffer_free(out);
}

/* ---- in ---- */

/* An envelope. NULL, or why the connection is of no use any more. */
static const char *take_envelope(struct pdk_rrq_link *link, const pdk_value *value) {
    const pdk_host *host = host_of(link);
    struct pdk_rrq_envelope envelope = {PDK_RRQ_REQUEST, NULL};
    pdk_error err = PDK_ERROR;
    struct pdk_rrq_reply reply;
    const char *why = NULL;
    int32_t rc = pdk_rrq_envelope_read(host, value, &envelope, &err);
    if (rc || envelope.type != PDK_RRQ_RESPONSE) {
        pdk_logf(host, PDK_LOG_WARN, 0, "worker %u sent what is ignored: %.100s", link->worker->index + 1,
                 rc ? err.message : "a message that runners do not send");
        return NULL;
    }
    pdk_rrq_reply_read(host, envelope.payload, &reply);
    (void)pdk_rrq_worker_outcome(link->worker, link, &reply, &why);
    return why;
}

static const char *no_json(struct pdk_rrq_link *link, const pdk_error *err) {
    return say(link, "it sent a frame that is no JSON: %.150s", err->message);
}

static const char *take_frame(struct pdk_rrq_link *link, const struct pdk_rrq_frame *frame) {
    const pdk_host *host = host_of(link);
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    const char *why;
    if (host->values->parse(host->values, frame->body, frame->size, "rrq", &value, &err)) return no_json(link, &err);
    why = take_envelope(link, value);
    if (why) why = say(link, "%s", why);
    host->values->drop(value);
    return why;
}

static void on_parsed(void *arg, const pdk_value *value, const pdk_error *err, size_t whole);

/* A thread has it. */
static bool parse_elsewhere(struct pdk_rrq_link *link, const struct pdk_rrq_frame *frame) {
    link->parse = pdk_rrq_parse_begin(&link->worker->pool->parses, frame, &link->in, on_parsed, link);
    if (link->parse) want(link, link->out.size ? PDK_WRITE : 0);
    return link->parse;
}

/* All that are whole, up to a large one. */
static const char *take_frames(struct pdk_rrq_link *link) {
    struct pdk_rrq_frame frame;
    const char *why = NULL;
    int found = 0;
    while (!why && !link->dead && link->in.size) {
        found = pdk_rrq_frame_next(link->in.data + link->in.start, link->in.size, &frame);
        if (found <= 0 || parse_elsewhere(link, &frame)) break;
        why = take_frame(link, &frame);
        pdk_rrq_buffer_drop(&link->in, frame.whole);
    }
    if (found < 0) return say(link, "it sent what is no frame: none is empty, none longer than 16 MiB");
    if (link->in.capacity > KEEP && !link->in.size) pdk_rrq_buffer_free(&link->in);
    return why;
}

/* Memory grows with what has come, not with what was announced. */
static const char *take_bytes(struct pdk_rrq_link *link, const char *data, size_t size) {
    if (pdk_rrq_buffer_add(&link->in, data, size)) return say(link, "there is no memory for what it sent");
    return take_frames(link);
}

static const char *receive(struct pdk_rrq_link *link) {
    char buf[READ_SIZE];
    const char *why = NULL;
    for (int i = 0; i < READS_PER_TURN && !why && !link->dead && !link->parse; i++) {
        ssize_t n = recv(link->fd, buf, sizeof buf, 0);
        if (n > 0)
            why = take_bytes(link, buf, (size_t)n);
        else if (n == 0)
            why = link->in.size ? say(link, "it closed the connection in the middle of a frame")
                                : say(link, "it closed the connection");
        else if (errno == EAGAIN || errno == EINTR)
            break;
        else
            why = say(link, "the connection broke: %s", strerror(errno));
    }
    return why;
}

/* What follows from what came. It may be gone then. */
static void leave(struct pdk_rrq_link *link, const char *why) {
    if (why && !link->dead) pdk_rrq_worker_lost(link->worker, link, why);
    link->inside = false;
    if (link->dead) link_free(link);
}

static void on_parsed(void *arg, const pdk_value *value, const pdk_error *err, size_t whole) {
    struct pdk_rrq_link *link = arg;
    const char *why;
    (void)whole;
    link->parse = NULL;
    link->inside = true;
    why = value ? take_envelope(link, value) : no_json(link, err);
    if (!why && !link->dead) why = take_frames(link);
    while (!why && !link->dead && !link->parse && !link->watch) why = receive(link); /* until it finds its end */
    if (!why && !link->dead) want(link, PDK_READ | (link->out.size ? PDK_WRITE : 0));
    leave(link, why);
}

/* ---- connecting ---- */

/* A port of the ephemeral range that nobody listens on may connect to itself. */
static bool is_itself(int fd) {
    struct sockaddr_storage a = {0}, b = {0};
    socklen_t a_size = sizeof a, b_size = sizeof b;
    if (getsockname(fd, (struct sockaddr *)&a, &a_size) || getpeername(fd, (struct sockaddr *)&b, &b_size))
        return false;
    return a_size == b_size && !memcmp(&a, &b, a_size);
}

static void connected(struct pdk_rrq_link *link) {
    int error = 0;
    socklen_t size = sizeof error;
    link->connecting = false;
    if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size)) error = errno;
    if (!error && is_itself(link->fd)) error = ECONNREFUSED;
    want(link, PDK_READ);
    pdk_rrq_worker_connected(link->worker, link, -error);
    if (!link->dead && !error) pdk_rrq_link_flush(link);
}

static bool has_said_all(const struct pdk_rrq_link *link) {
    return link->use == PDK_RRQ_LINK_CANCEL && !link->connecting && !link->out.size;
}

/* It would be told again and again, and is not looked at before the reply that is being parsed. */
static void stop_watching(struct pdk_rrq_link *link) {
    const pdk_loop *loop = link->worker->pool->loop;
    loop->stop(loop, link->watch);
    link->watch = 0;
}

static void on_ready(void *arg, uint32_t events) {
    struct pdk_rrq_link *link = arg;
    const char *why = NULL;
    link->inside = true;
    if (link->parse && events & PDK_HANGUP) stop_watching(link);
    if (link->connecting && events & (PDK_WRITE | PDK_HANGUP))
        connected(link);
    else if (events & PDK_WRITE)
        pdk_rrq_link_flush(link);
    if (!link->dead && !link->connecting && events & (PDK_READ | PDK_HANGUP)) why = receive(link);
    if (!link->dead && !why && has_said_all(link)) why = "";
    leave(link, why);
}

static int open_socket(const struct pdk_rrq_worker *worker, int32_t *error) {
    int on = 1, fd = socket(worker->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        *error = -errno;
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!connect(fd, (const struct sockaddr *)&worker->address, worker->address_size) || errno == EINPROGRESS)
        return fd;
    *error = -errno;
    close(fd);
    return -1;
}

struct pdk_rrq_link *pdk_rrq_link_open(struct pdk_rrq_worker *worker, enum pdk_rrq_link_use use, int32_t *error) {
    const pdk_loop *loop = worker->pool->loop;
    struct pdk_rrq_link *link = calloc(1, sizeof *link);
    *error = -ENOMEM;
    if (!link) return NULL;
    TAILQ_INIT(&link->jobs);
    link->worker = worker;
    link->use = use;
    link->connecting = true;
    link->fd = open_socket(worker, error);
    if (link->fd >= 0) {
        *error = loop->io(loop, link->fd, PDK_WRITE, on_ready, link, &link->watch);
        if (*error) close(link->fd);
    }
    if (link->fd < 0 || *error) {
        free(link);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&worker->links, link, on_worker);
    return link;
}
