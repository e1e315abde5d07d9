/* SPDX-License-Identifier: Apache-2.0 */
#include "uri.h"

#include <string.h>
#include <strings.h>

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* How many bytes the character at text has; 0: it is none. No surrogates, nothing longer than it need be. */
static size_t character(const unsigned char *text) {
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } kinds[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint32_t code = text[0] & (unsigned char)~kinds[i].mask;
        if ((text[0] & kinds[i].mask) != kinds[i].lead) continue;
        for (size_t n = 1; n <= i; n++) {
            if ((text[n] & 0xC0) != 0x80) return 0;
            code = code << 6 | (text[n] & 0x3F);
        }
        if (code < kinds[i].least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return 0;
        return i + 1;
    }
    return 0;
}

static bool is_text(const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        size_t size = character(at);
        if (!size || *at < ' ' || *at == 0x7F) return false;
        at += size;
    }
    return true;
}

bool con_uri_decode(char *text) {
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        int high = digit(at[1]), low = high < 0 ? -1 : digit(at[2]);
        if (low < 0 || (high == 0 && low == 0)) return false;
        *to++ = (char)(high << 4 | low);
        at += 2;
    }
    *to = '\0';
    return is_text(text);
}

bool con_uri_split(char *path, const char **parts, size_t max, size_t *ret_count) {
    size_t count = 0;
    if (*path != '/') return false;
    *ret_count = 0;
    if (!path[1]) return true;
    while (path) {
        char *part = path + 1, *end = strchr(part, '/');
        if (count == max) return false;
        if (end) *end = '\0';
        if (!con_uri_decode(part) || !*part || !strcmp(part, ".") || !strcmp(part, "..")) return false;
        parts[count++] = part;
        path = end;
    }
    *ret_count = count;
    return true;
}

/* The size of the next part of a pattern, which moves behind it. */
static size_t next_part(const char **pattern, const char **part) {
    if (**pattern != '/') return 0;
    *part = *pattern + 1;
    size_t size = strcspn(*part, "/");
    *pattern = *part + size;
    return size;
}

bool con_uri_matches(const char *pattern, const char *const *parts, size_t count) {
    const char *part = "";
    for (size_t i = 0; i < count; i++) {
        size_t size = next_part(&pattern, &part);
        if (!size) return false;
        if (*part == '{') continue;
        if (strncmp(part, parts[i], size) != 0 || parts[i][size]) return false;
    }
    return next_part(&pattern, &part) == 0;
}

int con_uri_place(const char *pattern, const char *name) {
    const char *part = "";
    size_t size;
    for (int i = 0; (size = next_part(&pattern, &part)) > 0; i++) {
        if (*part == '{' && size == strlen(name) + 2 && !strncmp(part + 1, name, size - 2)) return i;
    }
    return -1;
}

bool con_uri_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret) {
    uint64_t number = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        if (number > (UINT64_MAX - (uint64_t)(*text - '0')) / 10) return false;
        number = number * 10 + (uint64_t)(*text - '0');
    }
    if (number < least || number > most) return false;
    *ret = number;
    return true;
}

const char *con_uri_entry(const char **list, size_t *ret_size) {
    const char *start = *list + strspn(*list, ", \t");
    size_t size = strcspn(start, ",");
    *list = start + size;
    while (size && (start[size - 1] == ' ' || start[size - 1] == '\t')) size--;
    *ret_size = size;
    return size ? start : NULL;
}

bool con_uri_listed(const char *list, const char *word) {
    const char *entry;
    size_t size;
    while ((entry = con_uri_entry(&list, &size))) {
        bool open = entry[size - 1] == '*';
        if (open) size--;
        if (!strncmp(entry, word, size) && (open || !word[size])) return true;
    }
    return false;
}

/* The quality behind a type, in thousandths: ";q=0.5". */
static uint32_t quality(const char *text, size_t size) {
    uint32_t value = 0, unit = 1000;
    for (size_t i = 0; i + 2 < size; i++) {
        if (text[i] != ';') continue;
        while (i + 1 < size && (text[i + 1] == ' ' || text[i + 1] == '\t')) i++;
        if (i + 3 > size || strncasecmp(text + i + 1, "q=", 2) != 0) continue;
        for (i += 3; i < size && text[i] != ';' && unit; i++) {
            if (text[i] == '.') continue;
            if (text[i] < '0' || text[i] > '9') return 0;
            value += (uint32_t)(text[i] - '0') * unit;
            unit /= 10;
        }
        return value > 1000 ? 1000 : value;
    }
    return 1000;
}

/* How closely a range of an Accept header says this type: 3 as it is, 2 its group, 1 whatever there is, 0 not. */
static int closeness(const char *range, size_t size, const char *type) {
    size_t group = strcspn(type, "/") + 1;
    if (size == strlen(type) && !strncasecmp(range, type, size)) return 3;
    if (size == group + 1 && range[group] == '*' && !strncasecmp(range, type, group)) return 2;
    return size == 3 && !strncmp(range, "*/*", 3);
}

uint32_t con_uri_accepts(const char *accept, const char *type) {
    const char *entry;
    uint32_t wanted = 0;
    size_t size;
    int best = 0;
    if (!accept || !accept[strspn(accept, ", \t")]) return 1000;
    while ((entry = con_uri_entry(&accept, &size))) {
        size_t range = 0;
        while (range < size && entry[range] != ';' && entry[range] != ' ') range++;
        int close = closeness(entry, range, type);
        if (close <= best) continue;
        best = close;
        wanted = quality(entry, size);
    }
    return wanted;
}

bool con_uri_is_type(const char *header, const char *type) {
    size_t size = strlen(type);
    return !strncasecmp(header, type, size) && (!header[size] || header[size] == ';' || header[size] == ' ');
}

const char *con_uri_bearer(const char *header) {
    if (strncasecmp(header, "Bearer ", 7) != 0) return NULL;
    header += 7;
    header += strspn(header, " ");
    return *header ? header : NULL;
}

/* Behind a host there is nothing, or a port. */
static bool is_port(const char *text) {
    uint64_t port;
    return !*text || (*text == ':' && (!text[1] || con_uri_number(text + 1, 0, 65535, &port)));
}

bool con_uri_host(const char *header, char *buf, size_t size) {
    bool brackets = *header == '[';
    const char *start = header + brackets, *end = start + strcspn(start, brackets ? "]" : ":");
    size_t length = (size_t)(end - start);
    if (!length || length >= size || (brackets && *end != ']') || !is_port(end + brackets)) return false;
    for (size_t i = 0; i < length; i++) {
        if (start[i] <= ' ' || start[i] == '/' || start[i] == '@' || (unsigned char)start[i] > '~') return false;
        buf[i] = start[i] >= 'A' && start[i] <= 'Z' ? (char)(start[i] + 32) : start[i];
    }
    buf[length] = '\0';
    return true;
}
