/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/utf8.h"

#define CHARACTER_LAST 0x10FFFF

size_t pdk_utf8_read(const char *data, size_t size, uint32_t *ret) {
    static const struct {
        uint32_t mask, lead, least; /* the leading byte, and the least character that needs so many bytes */
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    const unsigned char *bytes = (const unsigned char *)data;
    for (size_t form = 0; form < sizeof(forms) / sizeof(forms[0]); form++) {
        if ((bytes[0] & forms[form].mask) != forms[form].lead) continue;
        if (form >= size) return 0;
        uint32_t character = bytes[0] & ~forms[form].mask;
        for (size_t i = 1; i <= form; i++) {
            if ((bytes[i] & 0xC0) != 0x80) return 0;
            character = (character << 6) | (bytes[i] & 0x3F);
        }
        if (character < forms[form].least || character > CHARACTER_LAST) return 0;
        if (character >= 0xD800 && character <= 0xDFFF) return 0;
        *ret = character;
        return form + 1;
    }
    return 0;
}

static int is_plain_ascii(unsigned char byte) {
    return (byte >= 0x20 && byte < 0x80) || byte == '\n' || byte == '\t' || byte == '\r';
}

int64_t pdk_utf8_fault(const char *data, size_t size) {
    uint32_t character;
    for (size_t i = 0; i < size;) {
        if (is_plain_ascii((unsigned char)data[i])) {
            i++;
            continue;
        }
        size_t length = pdk_utf8_read(data + i, size - i, &character);
        if (length <= 1) return (int64_t)i; /* broken, or a control */
        i += length;
    }
    return -1;
}

/* Are these eight bytes ASCII, and none of them NUL? A carry only reaches a byte from one that is NUL itself. */
static bool are_plain(const char *data) {
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

int32_t pdk_utf8_valid(const char *data, size_t size) {
    uint32_t character;
    for (size_t i = 0; i < size;) {
        if (size - i >= 8 && are_plain(data + i)) {
            i += 8;
            continue;
        }
        size_t length = (unsigned char)data[i] < 0x80 ? data[i] != '\0' : pdk_utf8_read(data + i, size - i, &character);
        if (length == 0) return 0;
        i += length;
    }
    return 1;
}

size_t pdk_utf8_count(const char *data, size_t size) {
    size_t count = 0;
    for (size_t i = 0; i < size; i++) count += ((unsigned char)data[i] & 0xC0) != 0x80;
    return count;
}
