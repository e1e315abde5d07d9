/* SPDX-License-Identifier: Apache-2.0 */
/* What durations and sizes have in common: exact decimal numbers times units. */
#ifndef CORE_BASE_QUANTITY_H
#define CORE_BASE_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

/* whole + fraction / 10^digits; the fraction has no zeros at its end. */
struct pdk_decimal {
    uint64_t whole, fraction;
    uint32_t digits;
};

/* Read digits[.digits] at *text and step over them. -EINVAL: none there; -ERANGE: more digits than fit. */
int32_t pdk_decimal_read(const char **text, struct pdk_decimal *ret);

/* number * factor. -EINVAL: not a whole number; -ERANGE: more than limit. */
int32_t pdk_decimal_scale(const struct pdk_decimal *number, uint64_t factor, uint64_t limit, uint64_t *ret);

/* Letters at text, also the two kinds of micro sign. */
size_t pdk_unit_length(const char *text);

const char *pdk_skip_blanks(const char *text);

#endif
