/* SPDX-License-Identifier: Apache-2.0 */
/* Texts as YAML: plain where that is read back as the same, quoted where not. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "core/base/text.h"
#include "core/base/utf8.h"
#include "core/import/internal.h"

/* May this character stand as it is? */
static bool is_visible(uint32_t c) {
    if (c < 0xA0) return c >= 0x20 && c < 0x7F;
    return c != 0x2028 && c != 0x2029 && c != 0xFEFF && c != 0xFFFE && c != 0xFFFF;
}

/* All of it, but for those that are named. */
static bool all_visible(const char *text, const char *but) {
    for (size_t left = strlen(text), size; left; text += size, left -= size) {
        uint32_t c;
        size = pdk_utf8_read(text, left, &c);
        if (size == 0) return false;
        if (!is_visible(c) && (c >= 0x80 || !strchr(but, (int)c))) return false;
    }
    return true;
}

/* What other readers of YAML take for something else than a text. */
static bool is_word(const char *text) {
    static const char *const words[] = {"null", "~", "true", "false", "yes", "no", "on", "off", "=", "<<"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) return true;
    return false;
}

static bool is_number(const char *text) {
    if (*text && strchr("+-.", *text)) text++;
    if (text[0] == '0' && text[1] && strchr("xXoO", text[1])) return true;
    return isdigit((unsigned char)*text) && text[strspn(text, "0123456789eE_.:+-")] == '\0';
}

static bool is_plain(const char *text, enum pdk_import_where where) {
    size_t size = strlen(text);
    if (size == 0 || is_word(text) || !all_visible(text, "")) return false;
    if (text[0] == ' ' || text[size - 1] == ' ' || text[size - 1] == ':') return false;
    if (strchr("?:,[]{}#&*!|>'\"%@`", text[0]) || (text[0] == '-' && (size == 1 || text[1] == ' '))) return false;
    if (strstr(text, ": ") || strstr(text, " #")) return false;
    if (where == PDK_IMPORT_WORD && is_number(text)) return false;
    return where == PDK_IMPORT_BLOCK || !strpbrk(text, ",[]{}:?");
}

void pdk_import_variables(struct pdk_buffer *to, const char *text, bool shell) {
    for (; *text; text++) {
        if (*text == PDK_IMPORT_OPEN[0])
            pdk_buffer_text(to, "${");
        else if (!shell && text[0] == '$' && text[1] == '{')
            pdk_buffer_text(to, "$$");
        else
            pdk_buffer_add(to, text, 1);
    }
}

static void put_single(struct pdk_buffer *to, const char *text) {
    pdk_buffer_text(to, "'");
    for (; *text; text++) pdk_buffer_add(to, *text == '\'' ? "''" : text, *text == '\'' ? 2 : 1);
    pdk_buffer_text(to, "'");
}

static void put_double(struct pdk_buffer *to, const char *text) {
    pdk_buffer_text(to, "\"");
    for (size_t left = strlen(text), size; left; text += size, left -= size) {
        uint32_t c;
        size = pdk_utf8_read(text, left, &c);
        if (size == 0) return; /* sources are UTF-8 */
        if (c == '\n')
            pdk_buffer_text(to, "\\n");
        else if (c == '\t')
            pdk_buffer_text(to, "\\t");
        else if (c == '"' || c == '\\')
            pdk_buffer_format(to, "\\%c", (int)c);
        else if (is_visible(c))
            pdk_buffer_add(to, text, size);
        else
            pdk_buffer_format(to, c < 0x100 ? "\\x%02X" : "\\u%04X", (unsigned)c);
    }
    pdk_buffer_text(to, "\"");
}

void pdk_import_scalar(struct pdk_buffer *to, const char *text, enum pdk_import_where where, bool shell) {
    struct pdk_buffer expanded = PDK_BUFFER(1u << 20);
    pdk_import_variables(&expanded, text, shell);
    text = pdk_buffer_string(&expanded);
    if (is_plain(text, where))
        pdk_buffer_text(to, text);
    else if (strpbrk(text, "\"\\") && all_visible(text, ""))
        put_single(to, text);
    else
        put_double(to, text);
    if (expanded.error && !to->error) to->error = expanded.error;
    pdk_buffer_free(&expanded);
}

bool pdk_import_is_literal(const char *text) {
    size_t size = strlen(text);
    if (!strchr(text, '\n') || *text == ' ' || *text == '\n' || *text == '\t') return false;
    return text[size - 1] != '\n' && all_visible(text, "\n\t\x01");
}

void pdk_import_comment(struct pdk_buffer *to, const char *text) {
    pdk_buffer_text(to, "# ");
    for (size_t left = strlen(text), size; left; text += size, left -= size) {
        uint32_t c;
        size = pdk_utf8_read(text, left, &c);
        if (size == 0) break; /* a character that was cut */
        if (*text == PDK_IMPORT_OPEN[0])
            pdk_buffer_text(to, "${");
        else if (is_visible(c))
            pdk_buffer_add(to, text, size);
        else
            pdk_buffer_text(to, c == '\n' || c == '\t' ? " " : "?");
    }
    pdk_buffer_text(to, "\n");
}
