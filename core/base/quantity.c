/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/base/quantity.h"

#define FRACTION_DIGITS_MAX 18 /* what fits into 64 bits */

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static int32_t read_whole(const char **text, uint64_t *ret) {
    uint64_t whole = 0;
    int32_t rc = 0;
    for (; is_digit(**text); (*text)++) {
        if (__builtin_mul_overflow(whole, 10, &whole)) rc = -ERANGE;
        if (__builtin_add_overflow(whole, (uint64_t)(**text - '0'), &whole)) rc = -ERANGE;
    }
    *ret = whole;
    return rc;
}

static int32_t read_fraction(const char **text, struct pdk_decimal *number) {
    const char *start = *text, *end = start;
    while (is_digit(*end)) end++;
    *text = end;
    while (end > start && end[-1] == '0') end--;
    if (end - start > FRACTION_DIGITS_MAX) return -ERANGE;
    for (; start < end; start++) {
        number->fraction = number->fraction * 10 + (uint64_t)(*start - '0');
        number->digits++;
    }
    return 0;
}

int32_t pdk_decimal_read(const char **text, struct pdk_decimal *ret) {
    if (!is_digit(**text)) return -EINVAL;
    struct pdk_decimal number = {0, 0, 0};
    int32_t rc = read_whole(text, &number.whole);
    if (**text == '.') {
        (*text)++;
        if (!is_digit(**text)) return -EINVAL;
        int32_t fraction_rc = read_fraction(text, &number);
        if (!rc) rc = fraction_rc;
    }
    if (!rc) *ret = number;
    return rc;
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

int32_t pdk_decimal_scale(const struct pdk_decimal *number, uint64_t factor, uint64_t limit, uint64_t *ret) {
    uint64_t power = 1, total;
    for (uint32_t i = 0; i < number->digits; i++) power *= 10;
    uint64_t common = common_divisor(factor, power);
    if (number->fraction % (power / common)) return -EINVAL; /* both were reduced, so nothing else divides */
    if (__builtin_mul_overflow(number->whole, factor, &total)) return -ERANGE;
    if (__builtin_add_overflow(total, number->fraction / (power / common) * (factor / common), &total)) return -ERANGE;
    if (total > limit) return -ERANGE;
    *ret = total;
    return 0;
}

size_t pdk_unit_length(const char *text) {
    const char *start = text;
    for (;;) {
        if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')) {
            text++;
        } else if (strncmp(text, "\xC2\xB5", 2) == 0 || strncmp(text, "\xCE\xBC", 2) == 0) {
            text += 2;
        } else {
            return (size_t)(text - start);
        }
    }
}

const char *pdk_skip_blanks(const char *text) {
    return text + strspn(text, " \t");
}
