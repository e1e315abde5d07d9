/* SPDX-License-Identifier: Apache-2.0 */
/* A mode of a file is octal, with or without a 0 in front. */
#include <string.h>

#include "core/spec/fields.h"

void pdk_read_mode(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value, void *base) {
    const char *text = pdk_read_text(reading, value, "a mode, as 0660");
    uint32_t mode = 0;
    if (!text) return;
    const char *digits = text[0] == '0' && strlen(text) == 4 ? text + 1 : text;
    if (strlen(digits) != 3 || strspn(digits, "01234567") != 3) {
        pdk_reading_fault(reading, value, "expected three octal digits, as 0660", NULL, "\"%.80s\" is not a mode",
                          text);
        return;
    }
    for (; *digits; digits++) mode = mode * 8 + (uint32_t)(*digits - '0');
    memcpy((char *)base + row->offset, &mode, sizeof mode);
}
