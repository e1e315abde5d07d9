/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "console.h"

enum { EXPECTED_MAX = 1 << 20 };

/* One byte more than is used, for the NUL. */
static bool reserve(struct con_text *text, size_t size) {
    size_t capacity = text->capacity ? text->capacity : 256;
    if (text->error) return false;
    if (size >= text->limit || text->size >= text->limit - size) {
        text->error = -E2BIG;
        return false;
    }
    while (capacity <= text->size + size) capacity *= 2;
    if (capacity == text->capacity) return true;
    char *data = realloc(text->data, capacity);
    if (!data) {
        text->error = -ENOMEM;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void con_text_expect(struct con_text *text, size_t size) {
    if (size < EXPECTED_MAX && reserve(text, size)) return;
    text->error = 0; /* it was only a guess */
}

void con_text_add(struct con_text *text, const char *data, size_t size) {
    if (!reserve(text, size)) return;
    memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void con_text_put(struct con_text *text, const char *string) {
    con_text_add(text, string, strlen(string));
}

void con_text_format(struct con_text *text, const char *format, ...) {
    char buf[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(buf, sizeof buf, format, args);
    va_end(args);
    con_text_put(text, buf);
}

void con_text_write(void *text, const char *data, size_t size) {
    con_text_add(text, data, size);
}

void con_text_cut(struct con_text *text, size_t size) {
    if (!text->data) return;
    memmove(text->data, text->data + size, text->size - size + 1);
    text->size -= size;
}

void con_text_free(struct con_text *text) {
    free(text->data);
    text->data = NULL;
    text->size = text->capacity = 0;
    text->error = 0;
}
