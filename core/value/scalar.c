/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/value/scalar.h"

#define FLOAT_TEXT_MAX 128 /* more digits than that are a string */

static size_t count_digits(const char *text) {
    size_t count = 0;
    while (text[count] >= '0' && text[count] <= '9') count++;
    return count;
}

enum form { FORM_TEXT, FORM_INT, FORM_FLOAT };

/* -? digits [. digits] [e +-? digits], no needless zero in front; the digits of one side of the dot may be missing. */
static enum form classify(const char *text) {
    if (*text == '-') text++;
    size_t whole = count_digits(text), fraction = 0;
    if (whole > 1 && text[0] == '0') return FORM_TEXT;
    text += whole;
    enum form form = FORM_INT;
    if (*text == '.') {
        fraction = count_digits(++text);
        text += fraction;
        form = FORM_FLOAT;
    }
    if (whole + fraction == 0) return FORM_TEXT;
    if (*text == 'e' || *text == 'E') {
        text++;
        if (*text == '+' || *text == '-') text++;
        size_t exponent = count_digits(text);
        if (exponent == 0) return FORM_TEXT;
        text += exponent;
        form = FORM_FLOAT;
    }
    return *text == '\0' ? form : FORM_TEXT;
}

static int read_integer(const char *text, int64_t *ret) {
    int negative = *text == '-';
    int64_t number = 0;
    for (text += negative; *text; text++) {
        int64_t digit = negative ? '0' - *text : *text - '0';
        if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, digit, &number)) {
            return -ERANGE;
        }
    }
    *ret = number;
    return 0;
}

static char radix(void) {
    return *nl_langinfo(RADIXCHAR);
}

static int read_number(const char *text, size_t size, double *ret) {
    char local[FLOAT_TEXT_MAX];
    if (size >= sizeof(local)) return -ERANGE;
    memcpy(local, text, size + 1);
    char *dot = strchr(local, '.'), *end;
    if (dot) *dot = radix();
    double number = strtod(local, &end);
    if (*end || !isfinite(number)) return -ERANGE;
    *ret = number;
    return 0;
}

static void resolve_number(struct pdk_value *node) {
    const char *text = node->as.scalar.text;
    switch (classify(text)) {
    case FORM_INT:
        if (read_integer(text, &node->as.scalar.integer) == 0) node->type = PDK_INT;
        break;
    case FORM_FLOAT:
        if (read_number(text, node->size, &node->as.scalar.number) == 0) node->type = PDK_NUMBER;
        break;
    case FORM_TEXT: break;
    }
}

void pdk_scalar_resolve(struct pdk_value *node) {
    const char *text = node->as.scalar.text;
    node->type = PDK_STRING;
    switch (text[0]) {
    case '\0': node->type = PDK_NULL; break;
    case '~':
        if (text[1] == '\0') node->type = PDK_NULL;
        break;
    case 'n':
        if (strcmp(text, "null") == 0) node->type = PDK_NULL;
        break;
    case 't':
    case 'f':
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) break;
        node->type = PDK_BOOL;
        node->as.scalar.integer = text[0] == 't';
        break;
    default:
        if (text[0] < 'A') resolve_number(node); /* digits, minus and dot are below the letters */
    }
}

size_t pdk_integer_format(int64_t number, char buf[PDK_NUMBER_TEXT]) {
    char digits[24];
    size_t used = sizeof(digits), size = 0;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--used] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) buf[size++] = '-';
    memcpy(buf + size, digits + used, sizeof(digits) - used);
    size += sizeof(digits) - used;
    buf[size] = '\0';
    return size;
}

size_t pdk_number_format(double number, char buf[PDK_NUMBER_TEXT]) {
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(buf, PDK_NUMBER_TEXT, "%.*g", precision, number);
        if (strtod(buf, NULL) == number) break;
    }
    char *dot = strchr(buf, radix());
    if (dot) {
        *dot = '.';
    } else if (!strchr(buf, 'e')) {
        size_t size = strlen(buf);
        memcpy(buf + size, ".0", 3);
    }
    return strlen(buf);
}
