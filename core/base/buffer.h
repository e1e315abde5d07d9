/* SPDX-License-Identifier: Apache-2.0 */
/* Text or bytes that grow up to a cap. Nothing needs a check before the end: the first failure sticks. */
#ifndef CORE_BASE_BUFFER_H
#define CORE_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct pdk_buffer {
    char *data; /* always ends in NUL behind size bytes, once anything was added; else NULL */
    size_t size, capacity, limit;
    int32_t error; /* 0, -ENOMEM, or -E2BIG when limit was reached; what did not fit was left out */
};

#define PDK_BUFFER(limit_) ((struct pdk_buffer){NULL, 0, 0, (limit_), 0})

void pdk_buffer_add(struct pdk_buffer *buffer, const char *data, size_t size);
void pdk_buffer_text(struct pdk_buffer *buffer, const char *text);
void pdk_buffer_format(struct pdk_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pdk_buffer_format_list(struct pdk_buffer *buffer, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* A pdk_write (paddock/base.h) whose arg is the buffer. */
void pdk_buffer_write(void *buffer, const char *data, size_t size);

/* Forget the first size bytes. */
void pdk_buffer_cut(struct pdk_buffer *buffer, size_t size);

/* What was gathered, "" if nothing; lives until the next change. */
const char *pdk_buffer_string(const struct pdk_buffer *buffer);

void pdk_buffer_free(struct pdk_buffer *buffer);

#endif
