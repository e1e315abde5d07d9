/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "job.h"

/* Bytes of the character at the start of text, 0 if it is none. */
static size_t character(const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    size_t size = at[0] < 0x80 ? 1 : at[0] >= 0xC2 && at[0] < 0xE0 ? 2 : (at[0] & 0xF0) == 0xE0 ? 3 : 4;
    if (at[0] >= 0x80 && (at[0] < 0xC2 || at[0] > 0xF4)) return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F)) return 0; /* overlong; surrogates */
    if ((at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F)) return 0;
    return size;
}

void queue_cut(char *buf, size_t size, const char *text) {
    size_t used = 0, n;
    while (*text) {
        n = character(text);
        if (used + (n ? n : 1) >= size) break;
        if (n)
            memcpy(buf + used, text, n);
        else
            buf[used] = '?';
        used += n ? n : 1;
        text += n ? n : 1;
    }
    buf[used] = '\0';
}

int queue_index(const char *const *words, const char *word) {
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0) return i;
    return -1;
}
