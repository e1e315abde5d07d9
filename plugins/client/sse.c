/* SPDX-License-Identifier: Apache-2.0 */
#include "sse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int32_t add(struct client_text *text, const char *data, size_t size) {
    if (size > CLIENT_LINE_MAX - text->size) return -E2BIG;
    if (text->size + size + 1 > text->capacity) {
        size_t capacity = text->capacity ? text->capacity : 256;
        while (capacity < text->size + size + 1) capacity *= 2;
        char *larger = realloc(text->data, capacity);
        if (!larger) return -ENOMEM;
        text->data = larger;
        text->capacity = capacity;
    }
    if (size) memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
    return 0;
}

static void set(char *buf, size_t room, const char *value, size_t size) {
    if (size >= room) size = room - 1;
    memcpy(buf, value, size);
    buf[size] = '\0';
}

/* An empty line: the event is whole. One without data is none. */
static int32_t dispatch(struct client_sse *sse) {
    int32_t rc = 0;
    memcpy(sse->id, sse->next_id, sizeof sse->id); /* not before: who comes back wants what was cut off */
    if (sse->has_data) {
        if (sse->data.size) sse->data.data[--sse->data.size] = '\0'; /* the newline behind the last line */
        rc = sse->each(sse->arg, *sse->type ? sse->type : "message", sse->id, sse->data.data, sse->data.size);
    }
    sse->data.size = 0;
    sse->has_data = false;
    sse->type[0] = '\0';
    return rc;
}

static bool is(const char *name, size_t size, const char *word) {
    return size == strlen(word) && memcmp(name, word, size) == 0;
}

static int32_t take_field(struct client_sse *sse, const char *name, size_t name_size, const char *value, size_t size) {
    int32_t rc = 0;
    if (is(name, name_size, "data")) {
        sse->has_data = true;
        rc = add(&sse->data, value, size);
        if (rc == 0) rc = add(&sse->data, "\n", 1);
    } else if (is(name, name_size, "event")) {
        set(sse->type, sizeof sse->type, value, size);
    } else if (is(name, name_size, "id") && size < sizeof sse->next_id && !memchr(value, '\0', size)) {
        set(sse->next_id, sizeof sse->next_id, value, size);
    }
    return rc;
}

static int32_t take_line(struct client_sse *sse, const char *line, size_t size) {
    static const char mark[] = "\xef\xbb\xbf"; /* of the byte order, which a stream may begin with */
    if (!sse->begun && size >= 3 && memcmp(line, mark, 3) == 0) {
        line += 3;
        size -= 3;
    }
    sse->begun = true;
    if (!size) return dispatch(sse);
    const char *colon = memchr(line, ':', size);
    if (colon == line) return 0; /* a comment: they live */
    size_t name_size = colon ? (size_t)(colon - line) : size, at = colon ? name_size + 1 : size;
    if (at < size && line[at] == ' ') at++;
    return take_field(sse, line, name_size, line + at, size - at);
}

/* Lines end in \n, \r\n or \r. */
int32_t client_sse_read(struct client_sse *sse, const char *data, size_t size) {
    int32_t rc = 0;
    while (size && rc == 0) {
        size_t n = 0;
        if (sse->after_return && *data == '\n') {
            sse->after_return = false;
            data++;
            size--;
            continue;
        }
        sse->after_return = false;
        while (n < size && data[n] != '\n' && data[n] != '\r') n++;
        rc = add(&sse->line, data, n);
        if (rc < 0 || n == size) return rc;
        sse->after_return = data[n] == '\r';
        data += n + 1;
        size -= n + 1;
        rc = take_line(sse, sse->line.data, sse->line.size);
        sse->line.size = 0;
    }
    return rc;
}

void client_sse_restart(struct client_sse *sse) {
    sse->line.size = sse->data.size = 0;
    sse->has_data = sse->after_return = sse->begun = false;
    sse->type[0] = '\0';
    memcpy(sse->next_id, sse->id, sizeof sse->id);
}

void client_sse_free(struct client_sse *sse) {
    free(sse->line.data);
    free(sse->data.data);
    sse->line = sse->data = (struct client_text){NULL, 0, 0};
}
