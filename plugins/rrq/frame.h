/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: four bytes of length, the highest first, and that many bytes of JSON. Pure: bytes in, bytes out.
 */
#ifndef RRQ_FRAME_H
#define RRQ_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum { PDK_RRQ_HEAD = 4, PDK_RRQ_FRAME_MAX = 16 * 1024 * 1024 }; /* bytes: of the length; of what follows */

struct pdk_rrq_frame {
    const char *body; /* within the data it was found in */
    size_t size;      /* of body */
    size_t whole;     /* with the length; of an incomplete frame, too, as far as it is known */
};

/* Look for a frame at the beginning of data. 1: there is one. 0: more bytes are wanted, ret->whole of them at least.
 * -EPROTO: no frame begins like this, and where the next one would begin nobody knows. */
int pdk_rrq_frame_next(const char *data, size_t size, struct pdk_rrq_frame *ret);

/* The length of a frame with size bytes in it, which is at most PDK_RRQ_FRAME_MAX. */
void pdk_rrq_frame_head(char head[PDK_RRQ_HEAD], size_t size);

#endif
