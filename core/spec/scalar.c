/* SPDX-License-Identifier: Apache-2.0 */
/* Scalars by the type of their field: the type decides, quotes do not. */
#include "core/spec/scalar.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

/* So much of a text is quoted in a message. */
#define QUOTED 80

/* Bytes of text that fit into QUOTED without cutting a character in two. */
static int quoted_size(const char *text) {
    size_t size = strlen(text);
    if (size <= QUOTED) return (int)size;
    size = QUOTED;
    while (size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80) size--;
    return (int)size;
}

int32_t pdk_complain_type(const pdk_value *value, const char *wanted, struct pdk_complaint *why) {
    static const char *const others[] = {[PDK_NULL] = "nothing", [PDK_LIST] = "a list", [PDK_MAP] = "a map"};
    const char *text = pdk_value_text(value);
    if (text) {
        int size = quoted_size(text);
        (void)snprintf(why->message, sizeof why->message, "expected %s, found \"%.*s%s\"", wanted, size, text,
                       text[size] ? "..." : "");
    } else {
        (void)snprintf(why->message, sizeof why->message, "expected %s, found %s", wanted,
                       others[value ? value->type : PDK_NULL]);
        if (pdk_value_is_null(value)) strlcpy(why->expected, "leave the field out", sizeof why->expected);
    }
    return -EINVAL;
}

const char *pdk_words_join(const char *const *words, char *buf, size_t size) {
    size_t used = 0;
    buf[0] = '\0';
    for (size_t i = 0; words[i] && used < size; i++) {
        const char *between = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        int n = snprintf(buf + used, size - used, "%s%s", between, *words[i] ? words[i] : "\"\"");
        if (n < 0) break;
        used += (size_t)n;
    }
    return buf;
}

int32_t pdk_complain(struct pdk_report *report, const pdk_value *value, const struct pdk_complaint *why) {
    return pdk_value_fault(report, -EINVAL, value, why->expected[0] ? why->expected : NULL,
                           why->suggestion[0] ? why->suggestion : NULL, "%s", why->message);
}

const char *pdk_scalar_path(const pdk_value *value, char *buf, size_t size) {
    return value && value->line == 0 ? pdk_value_pointer(value, buf, size) : pdk_value_path(value, buf, size);
}

struct pdk_place pdk_scalar_key_place(const pdk_value *value) {
    value = pdk_value_written(value);
    const pdk_value *map = value ? value->parent : NULL;
    if (map && map->type == PDK_MAP) {
        for (uint32_t i = 0; i < map->size; i++)
            if (map->as.map.entries[i].value == value) return pdk_value_key_place(map, i);
    }
    return pdk_value_place(value);
}

int32_t pdk_scalar_bool(const pdk_value *value, bool *ret, struct pdk_complaint *why) {
    static const struct {
        const char *word, *write;
    } habits[] = {{"yes", "write true"},    {"on", "write true"},  {"y", "write true"},    {"true", "write true"},
                  {"1", "write true"},      {"no", "write false"}, {"off", "write false"}, {"n", "write false"},
                  {"false", "write false"}, {"0", "write false"}};
    const char *text = pdk_value_text(value);
    if (text && (!strcmp(text, "true") || !strcmp(text, "false"))) {
        *ret = text[0] == 't';
        return 0;
    }
    (void)pdk_complain_type(value, "true or false", why);
    for (size_t i = 0; text && i < sizeof habits / sizeof *habits; i++)
        if (!strcasecmp(text, habits[i].word)) strlcpy(why->expected, habits[i].write, sizeof why->expected);
    return -EINVAL;
}

/* -?(0|[1-9][0-9]*), in range of int64_t. */
static bool decimal(const char *text, int64_t *ret) {
    const char *digits = text + (*text == '-');
    uint64_t limit = (uint64_t)INT64_MAX + (*text == '-'), n = 0;
    if (!isdigit((unsigned char)*digits) || (digits[0] == '0' && digits[1])) return false;
    for (const char *p = digits; *p; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (digit > 9 || n > (limit - digit) / 10) return false;
        n = n * 10 + digit;
    }
    *ret = *text == '-' ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

/* Digits of a base, all of them, and few enough not to overflow. */
static bool digits_of(const char *text, int base, uint64_t *ret) {
    char *end;
    size_t size = strlen(text);
    if (size == 0 || size > 15 || !isxdigit((unsigned char)*text)) return false;
    *ret = strtoull(text, &end, base);
    return *end == '\0';
}

/* 1:30 or 1:02:03, which YAML 1.1 takes as a number of base 60. */
static bool sexagesimal(const char *text, uint64_t *ret) {
    uint64_t n = 0;
    if (strlen(text) > 12 || !strchr(text, ':')) return false;
    for (const char *p = text;; p++) {
        char *end;
        if (!isdigit((unsigned char)*p)) return false;
        n = n * 60 + strtoull(p, &end, 10);
        if (!*end) break;
        if (*end != ':') return false;
        p = end;
    }
    *ret = n;
    return true;
}

/* The same text without its underscores, if these stand between digits. */
static bool without_underscores(const char *text, char *buf, size_t size) {
    size_t used = 0;
    if (!strchr(text, '_') || !isdigit((unsigned char)*text)) return false;
    for (; *text && used + 1 < size; text++) {
        if (isdigit((unsigned char)*text))
            buf[used++] = *text;
        else if (*text != '_')
            return false;
    }
    buf[used] = '\0';
    return *text == '\0';
}

/* What to write in the place of a number that other readers of YAML would have taken. */
static void number_hint(const char *text, char *hint, size_t size) {
    char plain[32];
    uint64_t n, octal;
    const char *digits = text + (*text == '+' || *text == '-');
    const char *sign = *text == '-' ? "-" : "";
    bool prefixed = digits[0] == '0' && digits[1];
    if (prefixed && digits_of(digits, 8, &octal) && digits_of(digits, 10, &n))
        (void)snprintf(hint, size, "write %s%" PRIu64 ", or %s%" PRIu64 " if octal was meant", sign, n, sign, octal);
    else if ((prefixed && strchr("xX", digits[1]) && digits_of(digits + 2, 16, &n)) ||
             (prefixed && strchr("oO", digits[1]) && digits_of(digits + 2, 8, &n)) || digits_of(digits, 10, &n) ||
             sexagesimal(digits, &n))
        (void)snprintf(hint, size, "write %s%" PRIu64, sign, n);
    else if (without_underscores(digits, plain, sizeof plain))
        (void)snprintf(hint, size, "write %s%s", sign, plain);
    else if (!strcasecmp(digits, ".inf") || !strcasecmp(digits, ".nan"))
        (void)snprintf(hint, size, "write a number that is finite");
}

/* A number of JSON that is whole though it is written as 3.0 or 3e2: JSON has one type for both. */
static bool whole(const pdk_value *value, int64_t *ret) {
    double number;
    if (value->type != PDK_NUMBER || value->line > 0) return false;
    number = value->as.scalar.number;
    if (!(number >= -9007199254740992.0 && number <= 9007199254740992.0) || number != (double)(int64_t)number)
        return false;
    *ret = (int64_t)number;
    return true;
}

int32_t pdk_scalar_int(const pdk_value *value, int64_t *ret, struct pdk_complaint *why) {
    const char *text = pdk_value_text(value);
    if (text && (decimal(text, ret) || whole(value, ret))) return 0;
    (void)pdk_complain_type(value, "a whole number", why);
    if (text) number_hint(text, why->expected, sizeof why->expected);
    return -EINVAL;
}

/* [0-9]+(.[0-9]+)?([eE][+-]?[0-9]+)? with an optional minus, and no needless zero in front. */
static bool decimal_fraction(const char *text, double *ret) {
    const char *p = text + (*text == '-');
    if (!isdigit((unsigned char)*p) || (p[0] == '0' && isdigit((unsigned char)p[1]))) return false;
    while (isdigit((unsigned char)*p)) p++;
    if (*p == '.') {
        if (!isdigit((unsigned char)*++p)) return false;
        while (isdigit((unsigned char)*p)) p++;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        if (*p == '+' || *p == '-') p++;
        if (!isdigit((unsigned char)*p)) return false;
        while (isdigit((unsigned char)*p)) p++;
    }
    if (*p) return false;
    *ret = strtod(text, NULL);
    return isfinite(*ret);
}

int32_t pdk_scalar_number(const pdk_value *value, double *ret, struct pdk_complaint *why) {
    const char *text = pdk_value_text(value);
    if (text && decimal_fraction(text, ret)) return 0;
    (void)pdk_complain_type(value, "a number", why);
    if (text) number_hint(text, why->expected, sizeof why->expected);
    return -EINVAL;
}

static bool bare_number(const char *text) {
    size_t digits = strspn(text, "0123456789.");
    return digits > 0 && text[digits] == '\0';
}

static int32_t complain_unit(const char *text, const char *what, const char *example, int32_t rc,
                             struct pdk_complaint *why) {
    int size = quoted_size(text);
    if (rc == -ERANGE)
        (void)snprintf(why->message, sizeof why->message, "\"%.*s\" is out of range", size, text);
    else if (bare_number(text))
        (void)snprintf(why->message, sizeof why->message, "a %s needs a unit", what);
    else
        (void)snprintf(why->message, sizeof why->message, "\"%.*s%s\" is not a %s", size, text, text[size] ? "..." : "",
                       what);
    if (!why->expected[0]) strlcpy(why->expected, example, sizeof why->expected);
    return rc;
}

int32_t pdk_scalar_duration(const pdk_value *value, uint64_t *ret, struct pdk_complaint *why) {
    const char *text = pdk_value_text(value);
    int32_t rc;
    if (!text) return pdk_complain_type(value, "a duration", why);
    rc = pdk_duration_parse(text, ret, why->expected, sizeof why->expected);
    if (rc == 0) return 0;
    return complain_unit(text, "duration", rc == -ERANGE ? "at most 3650d" : "expected such as 30s, 5m or 1h30m", rc,
                         why);
}

int32_t pdk_scalar_size(const pdk_value *value, uint64_t *ret, struct pdk_complaint *why) {
    const char *text = pdk_value_text(value);
    int32_t rc;
    if (!text) return pdk_complain_type(value, "a size", why);
    rc = pdk_size_parse(text, ret, why->expected, sizeof why->expected);
    if (rc == 0) return 0;
    return complain_unit(text, "size", rc == -ERANGE ? "expected less" : "expected such as 64KiB or 10MB", rc, why);
}

int32_t pdk_scalar_choice(const pdk_value *value, const char *const *choices, int32_t *ret, struct pdk_complaint *why) {
    const char *text = pdk_value_text(value), *nearest;
    char words[200];
    int size;
    for (int32_t i = 0; text && choices[i]; i++) {
        if (strcmp(text, choices[i]) != 0) continue;
        *ret = i;
        return 0;
    }
    (void)pdk_words_join(choices, words, sizeof words);
    if (!text) return pdk_complain_type(value, words, why);
    size = quoted_size(text);
    (void)snprintf(why->message, sizeof why->message, "\"%.*s%s\" is not one of its values", size, text,
                   text[size] ? "..." : "");
    (void)snprintf(why->expected, sizeof why->expected, "expected %s", words);
    nearest = pdk_nearest(text, choices);
    for (size_t i = 0; !nearest && choices[i]; i++)
        if (!strcasecmp(text, choices[i])) nearest = choices[i];
    if (nearest) strlcpy(why->suggestion, nearest, sizeof why->suggestion);
    return -EINVAL;
}
