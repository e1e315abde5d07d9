/* SPDX-License-Identifier: Apache-2.0 */
/* Specifiers, words, times and sizes as units write them. */
#include <ctype.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/import/systemd.h"

/* ---- specifiers */

static const struct {
    char letter;
    const char *text;
} fixed[] = {{'h', PDK_IMPORT_OPEN "HOME:-/root}"},
             {'u', PDK_IMPORT_OPEN "USER:-root}"},
             {'s', PDK_IMPORT_OPEN "SHELL:-/bin/sh}"},
             {'t', "/run"},
             {'S', "/var/lib"},
             {'C', "/var/cache"},
             {'L', "/var/log"},
             {'E', "/etc"},
             {'T', "/tmp"},
             {'V', "/var/tmp"},
             {'%', "%"}};

static unsigned hex(char c) {
    return isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)(tolower((unsigned char)c) - 'a') + 10;
}

/* "a-b\x2dc" becomes a/b-c. */
static void put_unescaped(struct pdk_buffer *to, const char *text) {
    for (; *text; text++) {
        char c = *text == '-' ? '/' : *text;
        if (text[0] == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) && isxdigit((unsigned char)text[3])) {
            c = (char)(hex(text[2]) * 16 + hex(text[3]));
            if (c < ' ' || c == 0x7F) c = '?';
            text += 3;
        }
        pdk_buffer_add(to, &c, 1);
    }
}

/* A template has no instance yet: whoever runs it says which. */
static void put_instance(const struct pdk_unit *unit, bool unescaped, struct pdk_buffer *to) {
    if (!unit->instance) return;
    if (!*unit->instance)
        pdk_buffer_text(to, PDK_IMPORT_OPEN "INSTANCE:-}");
    else if (unescaped)
        put_unescaped(to, unit->instance);
    else
        pdk_buffer_text(to, unit->instance);
}

static bool put_specifier(const struct pdk_unit *unit, char letter, struct pdk_buffer *to) {
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (fixed[i].letter != letter) continue;
        pdk_buffer_text(to, fixed[i].text);
        return true;
    }
    switch (letter) {
    case 'n':
    case 'N':
        pdk_buffer_text(to, unit->prefix);
        if (unit->instance) pdk_buffer_text(to, "@");
        put_instance(unit, false, to);
        if (letter == 'n') pdk_buffer_text(to, unit->suffix);
        return true;
    case 'p': pdk_buffer_text(to, unit->prefix); return true;
    case 'P': put_unescaped(to, unit->prefix); return true;
    case 'i': put_instance(unit, false, to); return true;
    case 'I': put_instance(unit, true, to); return true;
    case 'j':
        pdk_buffer_text(to, strrchr(unit->prefix, '-') ? strrchr(unit->prefix, '-') + 1 : unit->prefix);
        return true;
    case 'f':
        pdk_buffer_text(to, "/");
        if (unit->instance)
            put_instance(unit, true, to);
        else
            put_unescaped(to, unit->prefix);
        return true;
    default: return false;
    }
}

const char *pdk_unit_expand(struct pdk_import *import, const struct pdk_unit *unit, const char *text,
                            const char **why) {
    struct pdk_buffer to = PDK_BUFFER(4 * PDK_IMPORT_LINE_BYTES);
    *why = NULL;
    for (; text && *text; text++) {
        if (*text != '%' || !text[1]) {
            pdk_buffer_add(&to, text, 1);
        } else if (put_specifier(unit, text[1], &to)) {
            text++;
        } else {
            *why = "a specifier that is not known here";
            pdk_buffer_add(&to, text, 1);
        }
    }
    return pdk_import_taken(import, &to);
}

/* ---- words */

static bool read_digits(const char **at, size_t count, unsigned base, uint32_t *ret) {
    uint32_t n = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)(*at)[i];
        if (base == 16 ? !isxdigit(c) : c < '0' || c > '7') return false;
        n = n * base + hex((char)c);
    }
    *at += count;
    *ret = n;
    return n != 0 && n <= 0x10FFFF && (n < 0xD800 || n > 0xDFFF);
}

static void put_character(struct pdk_buffer *to, uint32_t c) {
    const char bytes[4] = {(char)(c < 0x80      ? c
                                  : c < 0x800   ? 0xC0 | c >> 6
                                  : c < 0x10000 ? 0xE0 | c >> 12
                                                : 0xF0 | c >> 18),
                           (char)(0x80 | (c < 0x800     ? c & 63
                                          : c < 0x10000 ? c >> 6 & 63
                                                        : c >> 12 & 63)),
                           (char)(0x80 | (c < 0x10000 ? c & 63 : c >> 6 & 63)), (char)(0x80 | (c & 63))};
    pdk_buffer_add(to, bytes, c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
}

/* Behind a backslash. What is no escape keeps it. A byte above 127 is taken for the character of that number. */
static void put_escape(const char **at, struct pdk_buffer *to) {
    static const char letters[] = "abfnrtvs\\\"'", values[] = "\a\b\f\n\r\t\v \\\"'";
    static const struct {
        char letter;
        size_t digits;
        unsigned base;
    } numbers[] = {{'x', 2, 16}, {'u', 4, 16}, {'U', 8, 16}};
    const char *found = **at ? strchr(letters, **at) : NULL, *digits = *at;
    uint32_t c = 0;
    bool well = false;
    for (size_t i = 0; i < 3 && !well && !found; i++) {
        digits = *at + 1;
        well = **at == numbers[i].letter && read_digits(&digits, numbers[i].digits, numbers[i].base, &c);
    }
    if (!well && !found) {
        digits = *at;
        well = read_digits(&digits, 3, 8, &c);
    }
    if (found) c = (unsigned char)values[found - letters];
    /* what would be a control character stays written as it is */
    if ((found || well) && (c >= ' ' || c == '\n' || c == '\t') && c != 0x7F) {
        put_character(to, c);
        *at = found ? *at + 1 : digits;
    } else {
        pdk_buffer_text(to, "\\");
    }
}

static bool split_one(const char **at, struct pdk_buffer *word) {
    char quote = 0;
    while (**at && (quote || !strchr(" \t\r\n", **at))) {
        char c = *(*at)++;
        if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? 0 : c;
        else if (c == '\\')
            put_escape(at, word);
        else
            pdk_buffer_add(word, &c, 1);
    }
    return !quote;
}

int32_t pdk_unit_split(struct pdk_import *import, const char *text, const char ***ret, size_t *ret_count) {
    return pdk_import_split_by(import, split_one, text, ret, ret_count);
}

/* ---- numbers with units */

static const struct {
    const char *name;
    uint64_t ns;
} units[] = {{"us", PDK_MICROSECOND}, {"usec", PDK_MICROSECOND}, {"ms", PDK_MILLISECOND}, {"msec", PDK_MILLISECOND},
             {"s", PDK_SECOND},       {"sec", PDK_SECOND},       {"second", PDK_SECOND},  {"seconds", PDK_SECOND},
             {"m", PDK_MINUTE},       {"min", PDK_MINUTE},       {"minute", PDK_MINUTE},  {"minutes", PDK_MINUTE},
             {"h", PDK_HOUR},         {"hr", PDK_HOUR},          {"hour", PDK_HOUR},      {"hours", PDK_HOUR},
             {"d", PDK_DAY},          {"day", PDK_DAY},          {"days", PDK_DAY},       {"w", 7 * PDK_DAY},
             {"week", 7 * PDK_DAY},   {"weeks", 7 * PDK_DAY}};

static uint64_t unit_of(const char *name, size_t size, uint64_t otherwise) {
    if (size == 0) return otherwise;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == size && memcmp(units[i].name, name, size) == 0) return units[i].ns;
    return 0;
}

bool pdk_unit_span(const char *text, uint64_t unit, uint64_t *ret) {
    uint64_t total = 0;
    if (strcmp(text, "infinity") == 0) {
        *ret = UINT64_MAX;
        return true;
    }
    if (!*text) return false;
    while (*text) {
        uint64_t whole = 0, fraction = 0, scale = 1, ns;
        size_t digits = strspn(text, "0123456789"), letters;
        if (digits == 0 || digits > 12) return false;
        for (size_t i = 0; i < digits; i++) whole = whole * 10 + (uint64_t)(text[i] - '0');
        text += digits;
        if (*text == '.')
            for (text++; isdigit((unsigned char)*text); text++)
                if (scale < 1000) {
                    fraction = fraction * 10 + (uint64_t)(*text - '0');
                    scale *= 10;
                }
        text += strspn(text, " \t");
        letters = strspn(text, "abcdefghijklmnopqrstuvwxyz");
        ns = unit_of(text, letters, unit);
        text += letters + strspn(text + letters, " \t");
        if (ns == 0 || total > UINT64_MAX / 4 || whole > (UINT64_MAX / 4 - total) / ns) return false;
        total += whole * ns + fraction * (ns / scale);
    }
    *ret = total;
    return true;
}

bool pdk_unit_size(const char *text, uint64_t *ret) {
    static const char letters[] = "KMGTP";
    size_t digits = strspn(text, "0123456789");
    const char *unit = text[digits] ? strchr(letters, text[digits]) : NULL;
    uint64_t n = 0, factor = 1;
    if (digits == 0 || digits > 15 || (text[digits] && (!unit || text[digits + 1]))) return false;
    for (size_t i = 0; i < digits; i++) n = n * 10 + (uint64_t)(text[i] - '0');
    for (ptrdiff_t i = unit ? unit - letters + 1 : 0; i; i--) factor *= 1024;
    if (n > (UINT64_MAX >> 2) / factor) return false;
    *ret = n * factor;
    return true;
}
