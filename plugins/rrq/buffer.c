/* SPDX-License-Identifier: Apache-2.0 */
#include "buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 512 };

int32_t pdk_rrq_buffer_reserve(struct pdk_rrq_buffer *buffer, size_t more) {
    size_t wanted = buffer->size + more, capacity = buffer->capacity ? buffer->capacity : SMALLEST;
    char *larger;
    if (buffer->start + wanted <= buffer->capacity) return 0;
    if (buffer->start) {
        memmove(buffer->data, buffer->data + buffer->start, buffer->size);
        buffer->start = 0;
        if (wanted <= buffer->capacity) return 0;
    }
    while (capacity < wanted) capacity *= 2;
    larger = realloc(buffer->data, capacity);
    if (!larger) return -ENOMEM;
    buffer->data = larger;
    buffer->capacity = capacity;
    return 0;
}

int32_t pdk_rrq_buffer_add(struct pdk_rrq_buffer *buffer, const char *data, size_t size) {
    int32_t rc = pdk_rrq_buffer_reserve(buffer, size);
    if (rc < 0) return rc;
    if (size) memcpy(buffer->data + buffer->start + buffer->size, data, size);
    buffer->size += size;
    return 0;
}

void pdk_rrq_buffer_drop(struct pdk_rrq_buffer *buffer, size_t size) {
    buffer->start += size;
    buffer->size -= size;
    if (!buffer->size) buffer->start = 0;
}

void pdk_rrq_buffer_free(struct pdk_rrq_buffer *buffer) {
    free(buffer->data);
    *buffer = (struct pdk_rrq_buffer){NULL, 0, 0, 0};
}
