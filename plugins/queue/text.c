/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
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

struct printed {
    char *data;
    size_t size, max;
    int32_t rc;
};

static void print_piece(void *arg, const char *data, size_t size) {
    struct printed *printed = arg;
    char *grown;
    if (printed->rc < 0) return;
    printed->rc = size > printed->max - printed->size ? -E2BIG : 0;
    grown = printed->rc < 0 ? NULL : realloc(printed->data, printed->size + size + 1);
    if (!grown && printed->rc == 0) printed->rc = -ENOMEM;
    if (!grown) return;
    memcpy(grown + printed->size, data, size);
    printed->data = grown;
    printed->size += size;
    grown[printed->size] = '\0';
}

int32_t queue_print(const pdk_values *values, const pdk_value *value, size_t max, char **ret) {
    struct printed printed = {NULL, 0, max, 0};
    int32_t rc = values->print(values, value, PDK_JSON_PLAIN, print_piece, &printed);
    if (rc == 0) rc = printed.rc;
    if (rc < 0)
        free(printed.data);
    else
        *ret = printed.data;
    return rc;
}
