/* SPDX-License-Identifier: Apache-2.0 */
/* What a task prints must not steer the terminal of who looks on. */
#include <string.h>

#include "core/cli/run.h"

/* How long the colour is that stands here: ESC [ digits and ; m. 0: it is none. */
static size_t color_size(const char *data, size_t size) {
    size_t i = 2;
    if (size < 3 || data[0] != '\x1b' || data[1] != '[') return 0;
    while (i < size && i < 40 && ((data[i] >= '0' && data[i] <= '9') || data[i] == ';' || data[i] == ':')) i++;
    return i < size && data[i] == 'm' ? i + 1 : 0;
}

/* How many bytes from here on are harmless. */
static size_t plain_size(const char *data, size_t size, bool keep_return) {
    size_t i = 0;
    for (; i < size; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '\t' || c == '\n' || (c == '\r' && (keep_return || (i + 1 < size && data[i + 1] == '\n')))) continue;
        if (c < 0x20 || c == 0x7f) break;
        if (c == 0xc2 && i + 1 < size && (unsigned char)data[i + 1] < 0xa0) break; /* C1, in UTF-8 */
    }
    return i;
}

void pdk_run_visible(struct pdk_buffer *to, const char *data, size_t size, bool keep_return) {
    if (size && data[size - 1] == '\r' && !keep_return) size--; /* of CRLF */
    while (size) {
        size_t n = plain_size(data, size, keep_return);
        if (n == 0) n = color_size(data, size);
        if (n) {
            pdk_buffer_add(to, data, n);
        } else if ((unsigned char)*data == 0xc2) {
            pdk_buffer_format(to, "\\x%02x", (unsigned char)data[1]);
            n = 2;
        } else {
            pdk_buffer_format(to, "^%c", *data ^ 0x40);
            n = 1;
        }
        data += n;
        size -= n;
    }
}
