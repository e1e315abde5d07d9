/* SPDX-License-Identifier: Apache-2.0 */
/* Receivers throw a whole request away for one byte that is not UTF-8, and programs say what they like. */
#include "otlp.h"

static size_t length(const unsigned char *s) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = s[0];
    size_t n = code < 0x80 ? 1 : code < 0xc2 ? 0 : code < 0xe0 ? 2 : code < 0xf0 ? 3 : code < 0xf5 ? 4 : 0;
    if (n < 2) return n;
    code &= 0x7fU >> n;
    for (size_t i = 1; i < n; i++) { /* a NUL continues nothing */
        if ((s[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

void pdk_otlp_mend(char *text) {
    while (*text) {
        size_t n = length((const unsigned char *)text);
        if (n == 0) *text = '?';
        text += n ? n : 1;
    }
}
