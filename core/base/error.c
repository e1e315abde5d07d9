/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/utf8.h"

/* Drop the part of a character that snprintf left at the end of a full buffer. */
static void mend(char *text, size_t size) {
    size_t length = strlen(text), start = length;
    uint32_t character;
    if (length + 1 < size) return;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
    if (start > 0) start--;
    if (!pdk_utf8_read(text + start, length - start, &character)) text[start] = '\0';
}

int32_t pdk_error_set(pdk_error *err, int32_t code, const pdk_value *at, const char *hint, const char *format, ...) {
    if (!err) return code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    snprintf(err->hint, sizeof(err->hint), "%s", hint ? hint : "");
    mend(err->message, sizeof(err->message));
    mend(err->hint, sizeof(err->hint));
    err->code = code;
    err->at = at;
    return code;
}
