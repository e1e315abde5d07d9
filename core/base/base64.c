/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/base64.h"

#include <errno.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void pdk_base64_add(struct pdk_buffer *to, const char *bytes, size_t size) {
    const unsigned char *data = (const unsigned char *)bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t three = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                         (left > 2 ? (uint32_t)data[i + 2] : 0);
        const char four[4] = {letters[three >> 18], letters[three >> 12 & 63],
                              left > 1 ? letters[three >> 6 & 63] : '=', left > 2 ? letters[three & 63] : '='};
        pdk_buffer_add(to, four, 4);
    }
}

int32_t pdk_base64_read(struct pdk_buffer *to, const char *text, size_t size) {
    if (size % 4) return -EINVAL;
    for (size_t i = 0; i < size; i += 4) {
        size_t padding = i + 4 < size ? 0 : (size_t)(text[i + 3] == '=') + (text[i + 3] == '=' && text[i + 2] == '=');
        uint32_t three = 0;
        for (size_t k = 0; k < 4 - padding; k++) {
            const char *at = text[i + k] ? strchr(letters, text[i + k]) : NULL;
            if (!at) return -EINVAL;
            three |= (uint32_t)(at - letters) << (18 - 6 * k);
        }
        const char bytes[3] = {(char)(three >> 16), (char)(three >> 8), (char)three};
        pdk_buffer_add(to, bytes, 3 - padding);
    }
    return 0;
}
