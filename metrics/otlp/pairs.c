/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and values in one text, as W3C Baggage has them: "team=core,note=a%20b". */
#include <strings.h>

#include "otlp.h"

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place. False: a % without its digits, or one that hides an end. */
static bool decode(char *text) {
    char *to = text;
    for (const char *from = text; *from; to++) {
        if (*from != '%') {
            *to = *from++;
            continue;
        }
        int high = digit(from[1]), low = high < 0 ? -1 : digit(from[2]);
        if (low < 0 || (high | low) == 0) return false;
        *to = (char)(high << 4 | low);
        from += 3;
    }
    *to = '\0';
    return true;
}

static char *trim(char *text) {
    size_t size;
    while (*text == ' ' || *text == '\t') text++;
    size = strlen(text);
    while (size && (text[size - 1] == ' ' || text[size - 1] == '\t')) size--;
    text[size] = '\0';
    return text;
}

const char *pdk_otlp_pairs_get(const struct pdk_otlp_pairs *pairs, const char *key) {
    for (uint32_t i = 0; i < pairs->count; i++)
        if (!strcmp(pairs->list[i].key, key)) return pairs->list[i].value;
    return NULL;
}

int32_t pdk_otlp_pairs_set(struct pdk_otlp_pairs *pairs, const char *key, const char *value, bool exact) {
    uint32_t i = 0;
    int (*compare)(const char *, const char *) = exact ? strcmp : strcasecmp;
    while (i < pairs->count && compare(pairs->list[i].key, key) != 0) i++;
    if (i == PDK_OTLP_PAIRS_MAX) return -E2BIG;
    if (i == pairs->count) pairs->count++;
    pairs->list[i] = (struct pdk_otlp_pair){key, value};
    return 0;
}

static int32_t read_one(struct pdk_otlp_pairs *pairs, char *text) {
    char *equals = strchr(text, '='), *key, *value;
    if (!equals) return *trim(text) ? -EINVAL : 0; /* nothing between two commas */
    *equals = '\0';
    key = trim(text);
    value = trim(equals + 1);
    if (!*key || !decode(key) || !decode(value)) return -EINVAL;
    return pdk_otlp_pairs_set(pairs, key, value, false);
}

int32_t pdk_otlp_pairs_read(struct pdk_otlp_arena *arena, struct pdk_otlp_pairs *pairs, const char *text) {
    struct pdk_otlp_pairs read = *pairs;
    char *copy = pdk_otlp_text(arena, text, strlen(text));
    int32_t rc = copy ? 0 : -ENOMEM;
    while (!rc && copy) {
        char *comma = strchr(copy, ',');
        if (comma) *comma = '\0';
        rc = read_one(&read, copy);
        copy = comma ? comma + 1 : NULL;
    }
    if (!rc) *pairs = read;
    return rc;
}
