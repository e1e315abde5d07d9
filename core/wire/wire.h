/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A socket that frames go over, on a loop. What is sent is gathered and written once in a turn of the loop; the side
 * that may block does so when the other is behind, so that memory stays bounded.
 */
#ifndef CORE_WIRE_WIRE_H
#define CORE_WIRE_WIRE_H

#include <stdbool.h>

#include "core/wire/frame.h"
#include "paddock/loop.h"

struct pdk_wire;

struct pdk_wire_ops {
    void (*frame)(void *arg, const struct pdk_frame *frame); /* may close the wire */
    /* The other side is gone, or talks nonsense: why is NULL, or says what. Once; then nothing is read any more. */
    void (*closed)(void *arg, const char *why);
};

struct pdk_wire_options {
    const pdk_loop *loop;
    int fd;        /* a stream socket; becomes the wire's, also on failure */
    int direction; /* of what is read, PDK_TO_... */
    size_t limit;  /* bytes that may wait to be written */
    bool block;    /* send waits for room; else it answers -EAGAIN */
    const struct pdk_wire_ops *ops;
    void *arg;
};

/* [main] */
int32_t pdk_wire_open(const struct pdk_wire_options *options, struct pdk_wire **ret);

struct pdk_wire_part {
    const void *data;
    size_t size;
};
enum { PDK_WIRE_PARTS = 6 };

/* Send a frame made of parts; copied. -EPIPE: it is closed; -EAGAIN, -EMSGSIZE, -ENOMEM. [any] */
int32_t pdk_wire_send(struct pdk_wire *wire, enum pdk_message type, uint64_t id, const struct pdk_wire_part *parts,
                      size_t count);

/* Bytes that wait to be written. [any] */
size_t pdk_wire_waiting(struct pdk_wire *wire);

/* Write what waits, as far as the socket takes it. [main] */
void pdk_wire_flush(struct pdk_wire *wire);

/* Read what is there and hand it on, whatever is left in the socket of one who has died. [main] */
void pdk_wire_drain(struct pdk_wire *wire);

/* Nothing is heard of it any more. NULL is fine. [main] */
void pdk_wire_close(struct pdk_wire *wire);

#endif
