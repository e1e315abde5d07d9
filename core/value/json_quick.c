/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quick way through JSON as programs write it, straight into the tree: messages of sources are made of it, and
 * jansson, which makes a tree of its own of the bytes one by one, was three quarters of what a message cost. Whatever
 * is wrong or rare (a fraction, a number of 19 digits, a pair of surrogates) is left to jansson, which has the words for
 * it too. So this takes no text that jansson would refuse, and makes nothing else of it: fuzz_json holds it to that.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "core/base/text.h"
#include "core/value/build.h"
#include "core/value/json.h"

struct reader {
    const char *at, *end;
    struct pdk_builder *build;
    const struct pdk_mark *mark;
};

static const struct pdk_mark nowhere = {0};

static void skip(struct reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static bool take(struct reader *r, char c) {
    skip(r);
    if (r->at == r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \uXXXX as UTF-8; 0: not one that is taken here. */
static size_t put_unicode(const char *hex, const char *end, char *to) {
    uint32_t code = 0;
    if (end - hex < 4) return 0;
    for (int i = 0; i < 4; i++) {
        int digit = digit_of(hex[i]);
        if (digit < 0) return 0;
        code = code << 4 | (uint32_t)digit;
    }
    if (code == 0 || (code >= 0xD800 && code < 0xE000)) return 0;
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    to[0] = (char)(0xE0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 63));
    to[2] = (char)(0x80 | (code & 63));
    return 3;
}

/* What stands between quotes, from to end, without its escapes. The text is never longer than what was written. */
static char *unescape(struct pdk_builder *build, const char *from, const char *end, size_t *ret_size) {
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char *text = pdk_arena_text(&build->document->arena, from, (size_t)(end - from)), *to = text;
    for (const char *at = from; text && at < end; at++) {
        if (*at != '\\') {
            *to++ = *at;
            continue;
        }
        at++;
        const char *letter = *at ? strchr(letters, *at) : NULL;
        size_t size = letter ? 1 : *at == 'u' ? put_unicode(at + 1, end, to) : 0;
        if (!size) return NULL;
        if (letter)
            *to = meant[letter - letters];
        else
            at += 4;
        to += size;
    }
    if (!text) return NULL;
    *to = '\0';
    *ret_size = (size_t)(to - text);
    return text;
}

/* Is each of eight bytes one that stands for itself: ASCII, no control, no quote, no backslash? Of what is subtracted
 * and found below zero its highest bit tells. */
static bool are_plain(uint64_t eight) {
    const uint64_t each = UINT64_C(0x0101010101010101), high = each * 0x80;
    uint64_t quotes = (eight ^ each * '"') - each, slashes = (eight ^ each * '\\') - each;
    return !((eight | (eight - each * 0x20) | quotes | slashes) & high);
}

/* Most of a text is. */
static void skip_plain(struct reader *r) {
    uint64_t eight;
    for (; r->end - r->at >= (ptrdiff_t)sizeof eight; r->at += sizeof eight) {
        memcpy(&eight, r->at, sizeof eight);
        if (!are_plain(eight)) return;
    }
}

/* A string whose quote was taken: its text in the document's arena, or NULL. */
static char *take_text(struct reader *r, size_t *ret_size) {
    const char *from = r->at;
    bool escaped = false;
    unsigned char all = 0;
    skip_plain(r);
    for (; r->at < r->end && *r->at != '"'; r->at++) {
        all |= (unsigned char)*r->at;
        if ((unsigned char)*r->at < 0x20) return NULL;
        if (*r->at != '\\') continue;
        escaped = true;
        if (++r->at == r->end) return NULL;
    }
    if (r->at == r->end) return NULL;
    const char *end = r->at++;
    *ret_size = (size_t)(end - from);
    if (all & 0x80 && pdk_utf8_fault(from, *ret_size) >= 0) return NULL;
    if (escaped) return unescape(r->build, from, end, ret_size);
    return pdk_arena_text(&r->build->document->arena, from, *ret_size);
}

static bool put(struct reader *r, int32_t type, const char *text, size_t size, int64_t integer, uint8_t flags) {
    struct pdk_value *node = text ? pdk_build_scalar(r->build, type, text, size, r->mark) : NULL;
    if (!node) return false;
    node->flags = flags;
    if (type != PDK_STRING) node->as.scalar.integer = integer;
    return true;
}

static bool take_string(struct reader *r) {
    size_t size = 0;
    const char *text = take_text(r, &size);
    return put(r, PDK_STRING, text, size, 0, PDK_VALUE_QUOTED);
}

/* As it is written, which is as it would be printed: no -0, no zeros before it. */
static bool take_integer(struct reader *r) {
    const char *from = r->at;
    bool negative = *r->at == '-';
    int64_t number = 0;
    r->at += negative;
    const char *first = r->at;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && r->at - first < 18; r->at++)
        number = number * 10 + (*r->at - '0');
    if (r->at == first || (*first == '0' && (negative || r->at - first > 1))) return false;
    if (r->at < r->end && strchr("0123456789.eE", *r->at) && *r->at) return false;
    size_t size = (size_t)(r->at - from);
    return put(r, PDK_INT, pdk_arena_text(&r->build->document->arena, from, size), size, negative ? -number : number,
               0);
}

static bool take_word(struct reader *r) {
    static const struct {
        const char *word;
        size_t size;
        int32_t type, integer;
    } words[] = {{"true", 4, PDK_BOOL, 1}, {"false", 5, PDK_BOOL, 0}, {"null", 4, PDK_NULL, 0}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if ((size_t)(r->end - r->at) < words[i].size || memcmp(r->at, words[i].word, words[i].size) != 0) continue;
        r->at += words[i].size;
        return words[i].type == PDK_NULL ? put(r, PDK_NULL, "", 0, 0, 0)
                                         : put(r, PDK_BOOL, words[i].word, words[i].size, words[i].integer, 0);
    }
    return false;
}

static bool take_value(struct reader *r);

static bool take_list(struct reader *r) {
    if (!pdk_build_open(r->build, PDK_LIST, r->mark)) return false;
    if (take(r, ']')) return pdk_build_end(r->build) == 0;
    do {
        if (!take_value(r)) return false;
    } while (take(r, ','));
    return take(r, ']') && pdk_build_end(r->build) == 0;
}

static bool take_pair(struct reader *r) {
    size_t size = 0;
    const char *key = take(r, '"') ? take_text(r, &size) : NULL;
    return key && pdk_build_key(r->build, key, size, &nowhere) == 0 && take(r, ':') && take_value(r);
}

static bool take_map(struct reader *r) {
    if (!pdk_build_open(r->build, PDK_MAP, r->mark)) return false;
    if (take(r, '}')) return pdk_build_end(r->build) == 0;
    do {
        if (!take_pair(r)) return false;
    } while (take(r, ','));
    return take(r, '}') && pdk_build_end(r->build) == 0;
}

/* At most as deep as the builder lets lists and maps be. */
static bool take_value(struct reader *r) {
    skip(r);
    if (r->at == r->end) return false;
    switch (*r->at) {
    case '"': r->at++; return take_string(r);
    case '{': r->at++; return take_map(r);
    case '[': r->at++; return take_list(r);
    case 't':
    case 'f':
    case 'n': return take_word(r);
    default: return take_integer(r);
    }
}

bool pdk_json_quick(struct pdk_builder *build, const char *data, size_t size, const struct pdk_mark *mark) {
    struct reader r = {data, data + size, build, mark};
    if (!take_value(&r)) return false;
    skip(&r);
    return r.at == r.end;
}
