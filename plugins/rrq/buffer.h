/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that wait to be parsed or to be sent. Without any it has no memory either. */
#ifndef RRQ_BUFFER_H
#define RRQ_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct pdk_rrq_buffer {
    char *data;
    size_t start, size, capacity; /* what is there is data[start .. start + size) */
};

/* Room for more bytes behind what is there. 0 or -ENOMEM. */
int32_t pdk_rrq_buffer_reserve(struct pdk_rrq_buffer *buffer, size_t more);
int32_t pdk_rrq_buffer_add(struct pdk_rrq_buffer *buffer, const char *data, size_t size);
void pdk_rrq_buffer_drop(struct pdk_rrq_buffer *buffer, size_t size); /* of the first ones */
void pdk_rrq_buffer_free(struct pdk_rrq_buffer *buffer);

#endif
