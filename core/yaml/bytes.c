/* SPDX-License-Identifier: Apache-2.0 */
/* Before libyaml sees the text: is it UTF-8, and are its lines what an editor shows? */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "core/yaml/reader.h"

#define BLOCK 32 /* bytes looked at in one go */

static const struct {
    uint32_t first, last;
    const char *message, *expected;
} forbidden[] = {
    {0x00, 0x00, "a NUL byte", "YAML is text; is this the right file?"},
    {0x0D, 0x0D, "a carriage return that does not end a line", "end lines with LF or CR LF"},
    {0x01, 0x1F, "a control character", "in \"double quotes\" write it as \\xNN"},
    {0x7F, 0x84, "a control character", "in \"double quotes\" write it as \\xNN"},
    {0x85, 0x85, "a line break that editors do not show", "in \"double quotes\" write it as \\N"},
    {0x86, 0x9F, "a control character", "in \"double quotes\" write it as \\xNN"},
    {0x2028, 0x2028, "a line break that editors do not show", "in \"double quotes\" write it as \\L"},
    {0x2029, 0x2029, "a line break that editors do not show", "in \"double quotes\" write it as \\P"},
    {0xFEFF, 0xFEFF, "a byte order mark in the middle of the text", "remove it"},
    {0xFFFE, 0xFFFF, "what is no character", "remove it"},
};

static int32_t report_at(struct pdk_yaml_reader *reader, size_t offset, const char *expected, const char *message) {
    struct pdk_mark mark = {1, 1, 1, reader->file};
    size_t start = 0;
    for (size_t i = 0; i < offset; i++) {
        if (reader->text[i] != '\n') continue;
        mark.line++;
        start = i + 1;
    }
    mark.column = (uint32_t)pdk_utf8_count(reader->text + start, offset - start) + 1;
    return pdk_yaml_fault(reader, &mark, expected, NULL, NULL, "%s", message);
}

/* Something that is not plain ASCII: how many bytes it takes, or 0 with a fault given. */
static size_t check_character(struct pdk_yaml_reader *reader, size_t offset) {
    char message[96];
    uint32_t character;
    size_t length = pdk_utf8_read(reader->text + offset, reader->size - offset, &character);
    if (length == 0) {
        unsigned byte = (unsigned char)reader->text[offset];
        snprintf(message, sizeof(message), "this is not UTF-8: byte 0x%02X", byte);
        report_at(reader, offset, "save the file as UTF-8", message);
        return 0;
    }
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        if (character < forbidden[i].first || character > forbidden[i].last) continue;
        snprintf(message, sizeof(message), "%s (U+%04X)", forbidden[i].message, (unsigned)character);
        report_at(reader, offset, forbidden[i].expected, message);
        return 0;
    }
    return length;
}

/* UTF-16 by its mark, or by the zeros that ASCII has in it. */
static bool is_utf16(const char *text, size_t size) {
    if (size < 2) return false;
    if (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0) return true;
    return size >= 4 && ((text[0] && !text[1] && text[2] && !text[3]) || (!text[0] && text[1] && !text[2] && text[3]));
}

/* How many bytes the next character takes, or 0 with a fault given. */
static size_t check_next(struct pdk_yaml_reader *reader, size_t offset) {
    const char *text = reader->text + offset;
    unsigned char byte = (unsigned char)text[0];
    if ((byte >= 0x20 && byte < 0x7F) || byte == '\n' || byte == '\t') return 1;
    if (byte == '\r' && text[1] == '\n') return 2; /* behind the text is a NUL */
    return check_character(reader, offset);
}

/* Nothing but printable ASCII and ends of lines, as nearly every block is. Without a branch in the loop, so that it
 * becomes a few vector instructions. */
static bool is_plain_block(const char *text) {
    unsigned char odd = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        unsigned char byte = (unsigned char)text[i];
        odd |= (unsigned char)((byte != '\n') & ((byte < 0x20) | (byte >= 0x7F)));
    }
    return !odd;
}

int32_t pdk_yaml_check_bytes(struct pdk_yaml_reader *reader) {
    static const struct pdk_mark whole_file = {0};
    const char *text = reader->text;
    if (is_utf16(text, reader->size)) {
        return pdk_yaml_fault(reader, &whole_file, "save it as UTF-8", NULL, NULL, "the file is UTF-16");
    }
    for (size_t i = 0; i < reader->size;) {
        size_t end = reader->size - i < BLOCK ? reader->size : i + BLOCK;
        if (end - i == BLOCK && is_plain_block(text + i)) i = end;
        while (i < end) {
            size_t length = check_next(reader, i);
            if (!length) return -EINVAL;
            i += length;
        }
    }
    return 0;
}
