/* SPDX-License-Identifier: Apache-2.0 */
/* Answers gather in a connection's buffer, and all of a turn go out together. */
#include <sys/socket.h>
#include <sys/types.h>

#include "rrq.h"

void pdk_rrq_output_dirty(struct pdk_rrq_connection *connection) {
    struct pdk_rrq *self = connection->self;
    if (connection->is_dirty) return;
    connection->is_dirty = true;
    TAILQ_INSERT_TAIL(&self->dirty, connection, dirty);
}

/* Of what a peer that does not read leaves with us there is an end. */
static void check_unsent(struct pdk_rrq_connection *connection) {
    if (connection->out.size <= connection->self->unsent_max) return;
    pdk_logf(connection->self->host, PDK_LOG_WARN, 0, "a peer does not read: %zu bytes of answers are thrown away",
             connection->out.size);
    connection->broken = true;
}

void pdk_rrq_output_send(struct pdk_rrq_connection *connection) {
    struct pdk_rrq_buffer *out = &connection->out;
    while (out->size && !connection->broken) {
        ssize_t n = send(connection->fd, out->data + out->start, out->size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) connection->broken = true;
        if (n < 0) break;
        pdk_rrq_meter_count(connection->self, PDK_RRQ_METER_SENT, (double)n);
        pdk_rrq_buffer_drop(out, (size_t)n);
        connection->since = 0; /* it is read: its time begins again */
    }
    check_unsent(connection);
    if (!out->size) pdk_rrq_buffer_free(out);
    if (connection->writing != (out->size > 0)) {
        connection->writing = out->size > 0;
        pdk_rrq_connection_watch(connection);
    }
}

void pdk_rrq_output_flush(struct pdk_rrq *self) {
    struct pdk_rrq_connection *connection;
    while ((connection = TAILQ_FIRST(&self->dirty))) {
        TAILQ_REMOVE(&self->dirty, connection, dirty);
        connection->is_dirty = false;
        pdk_rrq_output_send(connection);
        pdk_rrq_connection_settle(connection);
    }
}
