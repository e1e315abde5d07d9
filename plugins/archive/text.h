/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows; the first failure sticks. */
#ifndef ARCHIVE_TEXT_H
#define ARCHIVE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arc_text {
    char *data;
    size_t size, capacity;
    bool failed; /* no memory */
};

void arc_text_add(struct arc_text *text, const char *data, size_t size);
char *arc_text_room(struct arc_text *text, size_t size); /* to be written by you, not part of it yet; NULL: failed */
void arc_text_put(struct arc_text *text, const char *string);
__attribute__((format(printf, 2, 3))) void arc_text_format(struct arc_text *text, const char *format, ...);
void arc_text_number(struct arc_text *text, uint64_t number);
void arc_text_time(struct arc_text *text, uint64_t unix_ns);    /* as output has it */
void arc_text_write(void *text, const char *data, size_t size); /* a pdk_write */
void arc_text_clear(struct arc_text *text);                     /* empty; its memory stays, and no failure */
void arc_text_free(struct arc_text *text);

/* A path; "", which is no file, where it is too long. */
__attribute__((format(printf, 3, 4))) void arc_path(char *buf, size_t size, const char *format, ...);

#endif
