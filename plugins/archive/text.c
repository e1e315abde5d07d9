/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

static bool reserve(struct arc_text *text, size_t size) {
    size_t capacity = text->capacity ? text->capacity : 256;
    if (text->failed) return false;
    while (capacity - text->size < size) capacity *= 2;
    if (capacity == text->capacity) return true;
    char *data = realloc(text->data, capacity);
    text->failed = !data;
    if (!data) return false;
    text->data = data;
    text->capacity = capacity;
    return true;
}

void arc_text_add(struct arc_text *text, const char *data, size_t size) {
    if (!size || !reserve(text, size)) return;
    memcpy(text->data + text->size, data, size);
    text->size += size;
}

char *arc_text_room(struct arc_text *text, size_t size) {
    return reserve(text, size) ? text->data + text->size : NULL;
}

void arc_text_number(struct arc_text *text, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    arc_text_add(text, digits + at, sizeof digits - at);
}

void arc_text_time(struct arc_text *text, uint64_t unix_ns) {
    char time[ARC_TIME_SIZE];
    arc_record_time(time, unix_ns);
    arc_text_add(text, time, sizeof time);
}

void arc_text_put(struct arc_text *text, const char *string) {
    arc_text_add(text, string, strlen(string));
}

void arc_text_format(struct arc_text *text, const char *format, ...) {
    char *line = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&line, format, args);
    va_end(args);
    if (size < 0) {
        text->failed = true;
        return;
    }
    arc_text_add(text, line, (size_t)size);
    free(line);
}

void arc_text_write(void *text, const char *data, size_t size) {
    arc_text_add(text, data, size);
}

void arc_text_clear(struct arc_text *text) {
    text->size = 0;
    text->failed = false;
}

void arc_text_free(struct arc_text *text) {
    free(text->data);
    *text = (struct arc_text){0};
}

void arc_path(char *buf, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(buf, size, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= size) *buf = '\0';
}
