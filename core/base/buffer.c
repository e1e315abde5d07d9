/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buffer.h"

#define CAPACITY_FIRST 64

/* Room for size more bytes and the NUL. False: the error is set. */
static int reserve(struct pdk_buffer *buffer, size_t size) {
    if (buffer->error) return 0;
    if (buffer->size > buffer->limit || size > buffer->limit - buffer->size) {
        buffer->error = -E2BIG;
        return 0;
    }
    size_t needed = buffer->size + size + 1;
    if (needed <= buffer->capacity) return 1;
    size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_FIRST;
    while (capacity < needed) capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    char *data = realloc(buffer->data, capacity);
    if (!data) {
        buffer->error = -ENOMEM;
        return 0;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return 1;
}

void pdk_buffer_add(struct pdk_buffer *buffer, const char *data, size_t size) {
    if (!reserve(buffer, size)) return;
    if (size) memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void pdk_buffer_text(struct pdk_buffer *buffer, const char *text) {
    pdk_buffer_add(buffer, text, strlen(text));
}

void pdk_buffer_format_list(struct pdk_buffer *buffer, const char *format, va_list args) {
    char brief[256];
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(brief, sizeof(brief), format, args);
    if (size >= 0 && (size_t)size < sizeof(brief)) {
        pdk_buffer_add(buffer, brief, (size_t)size);
    } else if (size >= 0 && reserve(buffer, (size_t)size)) {
        vsnprintf(buffer->data + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    } else if (size < 0 && !buffer->error) {
        buffer->error = -ENOMEM;
    }
    va_end(again);
}

void pdk_buffer_format(struct pdk_buffer *buffer, const char *format, ...) {
    va_list args;
    va_start(args, format);
    pdk_buffer_format_list(buffer, format, args);
    va_end(args);
}

void pdk_buffer_write(void *buffer, const char *data, size_t size) {
    pdk_buffer_add(buffer, data, size);
}

void pdk_buffer_cut(struct pdk_buffer *buffer, size_t size) {
    if (!buffer->data || size == 0) return;
    if (size > buffer->size) size = buffer->size;
    buffer->size -= size;
    memmove(buffer->data, buffer->data + size, buffer->size + 1);
}

const char *pdk_buffer_string(const struct pdk_buffer *buffer) {
    return buffer->data ? buffer->data : "";
}

void pdk_buffer_free(struct pdk_buffer *buffer) {
    free(buffer->data);
    *buffer = PDK_BUFFER(buffer->limit);
}
