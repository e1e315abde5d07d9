/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to messages. A frame that cannot be found ends the reading; one that says nonsense is answered. */
#include <sys/socket.h>
#include <sys/types.h>

#include "rrq.h"

enum { READS = 4 }; /* of a connection before others have their turn */

/* An answer to what has no ids. It must have one: an orchestrator that finds none blames a job that it waits for, or
 * all of them. */
static void answer_unknown(struct pdk_rrq_connection *connection, const char *type, const char *message) {
    static const struct pdk_rrq_request unknown = {.job_id = "unknown", .request_id = "unknown"};
    pdk_rrq_answer_error(connection, &unknown, type, message);
}

static void take_cancel(struct pdk_rrq_connection *connection, const pdk_value *payload) {
    struct pdk_rrq *self = connection->self;
    struct pdk_rrq_cancel cancel;
    pdk_error err = PDK_ERROR;
    pdk_rrq_meter_count(self, PDK_RRQ_METER_CANCELS, 1);
    if (pdk_rrq_cancel_read(self->host, payload, &cancel, &err) == 0)
        pdk_rrq_delivery_cancel(self, &cancel);
    else
        pdk_logf(self->host, PDK_LOG_DEBUG, 0, "a cancel is ignored: %s", err.message);
}

/* false: no more for now. */
static bool take_message(struct pdk_rrq_connection *connection, const pdk_value *value, size_t size) {
    struct pdk_rrq_envelope envelope;
    pdk_error err = PDK_ERROR;
    if (pdk_rrq_envelope_read(connection->self->host, value, &envelope, &err) < 0) {
        answer_unknown(connection, "invalid_message", err.message);
        return true;
    }
    switch (envelope.type) {
    case PDK_RRQ_REQUEST: return pdk_rrq_delivery_begin(connection, envelope.payload, size);
    case PDK_RRQ_CANCEL: take_cancel(connection, envelope.payload); break;
    case PDK_RRQ_RESPONSE:
    default: answer_unknown(connection, "invalid_message", "unexpected response message"); break;
    }
    return true;
}

static bool take_frame(struct pdk_rrq_connection *connection, const struct pdk_rrq_frame *frame) {
    const pdk_values *values = connection->self->host->values;
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    if (values->parse(values, frame->body, frame->size, "rrq", &value, &err) < 0) {
        pdk_rrq_connection_deafen(connection, err.message);
        return false;
    }
    bool more = take_message(connection, value, frame->whole);
    values->drop(value);
    return more;
}

static bool may_take(const struct pdk_rrq_connection *connection) {
    return !connection->is_paused && !connection->deaf && !connection->broken && !connection->parse;
}

/* Unanswered requests may fill so much memory; one of any size is taken all the same. */
static bool has_memory(struct pdk_rrq_connection *connection, size_t whole) {
    struct pdk_rrq *self = connection->self;
    if (!self->memory || self->memory + whole <= self->memory_max) return true;
    self->starved = true;
    pdk_rrq_connection_pause(connection);
    return false;
}

static void take_here(struct pdk_rrq_connection *connection, const struct pdk_rrq_frame *frame) {
    connection->since = 0; /* it works: its time begins again */
    if (!take_frame(connection, frame) && !connection->deaf) pdk_rrq_connection_pause(connection);
}

/* Take all whole frames up to a large one; returns the bytes used. */
static size_t take_frames(struct pdk_rrq_connection *connection, const char *data, size_t size) {
    struct pdk_rrq_frame frame;
    size_t used = 0;
    while (may_take(connection)) {
        int found = pdk_rrq_frame_next(data + used, size - used, &frame);
        if (found < 0) pdk_rrq_connection_deafen(connection, "a frame of 0 or of more than 16 MiB");
        if (found <= 0 || !has_memory(connection, frame.whole) || frame.size >= PDK_RRQ_LARGE) break;
        used += frame.whole;
        take_here(connection, &frame);
    }
    return connection->deaf ? size : used;
}

/* What is left waits for the rest of it. */
static void keep(struct pdk_rrq_connection *connection, const char *data, size_t size) {
    struct pdk_rrq *self = connection->self;
    if (self->buffered + size > self->memory_max + PDK_RRQ_FRAME_MAX) {
        pdk_logf(self->host, PDK_LOG_WARN, 0, "a connection is closed: %zu bytes of unfinished frames are here",
                 self->buffered);
        connection->broken = true;
    } else if (size && pdk_rrq_buffer_add(&connection->in, data, size) < 0) {
        connection->broken = true;
    } else {
        self->buffered += size;
    }
}

static void drop(struct pdk_rrq_connection *connection, size_t size) {
    pdk_rrq_buffer_drop(&connection->in, size);
    connection->self->buffered -= size;
}

static void on_parsed(void *arg, const pdk_value *value, const pdk_error *err, size_t whole);

/* The next frame, if it is large and whole. true: it was taken here, as no thread was to be had. */
static bool take_large(struct pdk_rrq_connection *connection) {
    struct pdk_rrq *self = connection->self;
    struct pdk_rrq_buffer *in = &connection->in;
    struct pdk_rrq_frame frame;
    if (!may_take(connection) || pdk_rrq_frame_next(in->data + in->start, in->size, &frame) != 1) return false;
    connection->parse = pdk_rrq_parse_begin(&self->parses, &frame, in, on_parsed, connection);
    if (!connection->parse) {
        take_here(connection, &frame);
        drop(connection, frame.whole);
        return true;
    }
    connection->parsing = frame.whole;
    self->buffered -= frame.whole;
    self->memory += frame.whole;
    pdk_rrq_connection_watch(connection);
    return false;
}

/* With what was read before. */
static void go_on(struct pdk_rrq_connection *connection) {
    struct pdk_rrq_buffer *in = &connection->in;
    do {
        if (in->size) drop(connection, take_frames(connection, in->data + in->start, in->size));
    } while (in->size && take_large(connection));
    if (!in->size) pdk_rrq_buffer_free(in);
}

static void on_parsed(void *arg, const pdk_value *value, const pdk_error *err, size_t whole) {
    struct pdk_rrq_connection *connection = arg;
    struct pdk_rrq *self = connection->self;
    connection->parse = NULL;
    connection->parsing = 0;
    self->memory -= whole;
    connection->since = 0;
    if (!value)
        pdk_rrq_connection_deafen(connection, err->message);
    else if (!take_message(connection, value, whole))
        pdk_rrq_connection_pause(connection);
    pdk_rrq_connection_watch(connection);
    go_on(connection);
    pdk_rrq_connection_settle(connection);
    pdk_rrq_output_flush(self);
    pdk_rrq_meters_now(self);
}

static void take_bytes(struct pdk_rrq_connection *connection, const char *data, size_t size) {
    if (connection->in.size) {
        keep(connection, data, size);
        if (!connection->broken) go_on(connection);
        return;
    }
    size_t used = take_frames(connection, data, size);
    keep(connection, data + used, size - used);
}

/* Of one that is deaf only its end is awaited. */
void pdk_rrq_input_ready(struct pdk_rrq_connection *connection) {
    char *data = connection->self->read_buffer;
    for (int i = 0; i < READS && !connection->is_paused && !connection->parse && !connection->broken; i++) {
        ssize_t n = recv(connection->fd, data, PDK_RRQ_READ, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0 || (n < 0 && errno != EAGAIN)) connection->broken = true;
        if (n <= 0) return;
        pdk_rrq_meter_count(connection->self, PDK_RRQ_METER_RECEIVED, (double)n);
        if (!connection->deaf) take_bytes(connection, data, (size_t)n);
        if (n < PDK_RRQ_READ) return;
    }
}

/* Each once, in the order they came; who has to stop again stands at the end. */
void pdk_rrq_input_resume(struct pdk_rrq *self) {
    struct pdk_rrq_connection *connection;
    for (uint32_t n = self->paused_count; n > 0 && (connection = TAILQ_FIRST(&self->paused)); n--) {
        if (!pdk_rrq_delivery_retry(connection)) return;
        pdk_rrq_connection_unpause(connection);
        go_on(connection);
        pdk_rrq_connection_settle(connection);
    }
}
