/* SPDX-License-Identifier: Apache-2.0 */
/* A frame: a head of fixed size, and the payload. */
#ifndef CORE_WIRE_FRAME_H
#define CORE_WIRE_FRAME_H

#include <stddef.h>

#include "core/wire/message.h"

struct pdk_frame_head {
    uint32_t size; /* of the payload */
    uint16_t type; /* PDK_MESSAGE_... */
    uint16_t reserved;
    uint64_t id;
};

/* Points into what was decoded. */
struct pdk_frame {
    enum pdk_message type;
    uint64_t id;
    const char *data;
    size_t size;
};

/* The first frame of what was read, for the side that direction names. How many bytes it took; 0: there is not all of it
 * yet, and *ret_wanted says how many bytes it will take; -EPROTO: this is no frame, and *ret_why says why. */
int64_t pdk_frame_next(const char *data, size_t size, int direction, struct pdk_frame *ret, size_t *ret_wanted,
                       const char **ret_why);

/* "START" */
const char *pdk_message_name(enum pdk_message type);

/* A part of a payload, read from front to back: what does not fit in answers NULL or false, for good. */
struct pdk_frame_rest {
    const char *data;
    size_t size;
    int bad;
};
struct pdk_frame_rest pdk_frame_rest(const struct pdk_frame *frame);
void pdk_rest_take(struct pdk_frame_rest *rest, void *ret, size_t size); /* zeros when there is not so much */
const char *pdk_rest_bytes(struct pdk_frame_rest *rest, size_t size);    /* NULL when there are not so many */

#endif
