/* SPDX-License-Identifier: Apache-2.0 */
/* One batch, whatever happens to a part of it. */
#include <errno.h>
#include <stdlib.h>

#include "writer.h"

void queue_call_fail(struct queue_call *call, int32_t rc, const char *message) {
    free(call->message);
    call->message = strdup(message); /* without words if need be */
    call->rc = rc;
    call->failed = true;
}

static void undo_all(struct queue_calls *batch) {
    struct queue_call *call;
    TAILQ_FOREACH(call, batch, link) {
        if (call->type->undo)
            call->type->undo(call); /* also of those that failed: others may have given them something */
        if (call->failed) continue;
        free(call->message);
        call->message = NULL;
        call->rc = 0;
    }
}

/* Its own refusal is its answer and harms no other. */
static int32_t run_call(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    int32_t fault;
    call->rc = call->type->run(writer, call, err);
    if (call->rc >= 0) return QUEUE_FAULT_NONE;
    fault = writer->ops->fault(writer->store);
    if (fault == QUEUE_FAULT_NONE && call->rc == -ENOMEM) fault = QUEUE_FAULT_CALL; /* it may be half done */
    if (fault == QUEUE_FAULT_NONE) {
        free(call->message);
        call->message = strdup(err->message);
    }
    return fault;
}

/* QUEUE_FAULT_CALL: one was taken out, and the others are to be run again. */
static int32_t run_once(struct queue_writer *writer, struct queue_calls *batch, pdk_error *err) {
    struct queue_call *call;
    int32_t fault = QUEUE_FAULT_NONE;
    if (writer->ops->begin(writer->store, queue_writer_now(writer), err) < 0) return QUEUE_FAULT_STORE;
    TAILQ_FOREACH(call, batch, link) {
        if (!call->failed) fault = run_call(writer, call, err);
        if (fault != QUEUE_FAULT_NONE) break;
    }
    if (fault == QUEUE_FAULT_NONE && writer->ops->commit(writer->store, err) == 0) return QUEUE_FAULT_NONE;
    writer->ops->rollback(writer->store);
    if (fault == QUEUE_FAULT_CALL) queue_call_fail(call, call->rc, err->message);
    undo_all(batch);
    return fault == QUEUE_FAULT_CALL ? fault : QUEUE_FAULT_STORE;
}

/* What wants to write is answered, or kept; what only looks is left. */
static void set_aside(struct queue_writer *writer, struct queue_calls *batch, int32_t rc, const char *message) {
    struct queue_call *call, *next;
    for (call = TAILQ_FIRST(batch); call; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->failed || call->type->looks) continue;
        if (!call->type->keep) {
            queue_call_fail(call, rc, message);
            continue;
        }
        TAILQ_REMOVE(batch, call, link);
        TAILQ_INSERT_TAIL(&writer->again, call, link);
    }
}

static int32_t run_all(struct queue_writer *writer, struct queue_calls *batch, pdk_error *err) {
    int32_t fault;
    while ((fault = run_once(writer, batch, err)) == QUEUE_FAULT_CALL) continue;
    return fault == QUEUE_FAULT_NONE ? 0 : err->code < 0 ? err->code : -EIO;
}

int32_t queue_batch_run(struct queue_writer *writer, struct queue_calls *batch, pdk_error *err) {
    pdk_error again = PDK_ERROR;
    struct queue_call *call;
    int32_t rc = run_all(writer, batch, err);
    if (rc == 0) return 0;
    set_aside(writer, batch, rc, err->message);
    if (run_all(writer, batch, &again) == 0) return rc;
    TAILQ_FOREACH(call, batch, link) {
        if (!call->failed) queue_call_fail(call, rc, err->message);
    }
    return rc;
}
