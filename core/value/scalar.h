/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text, whatever the locale of the program that embeds us. */
#ifndef CORE_VALUE_SCALAR_H
#define CORE_VALUE_SCALAR_H

#include "core/value/value.h"

#define PDK_NUMBER_TEXT 40

/* What a plain scalar of YAML means by the core schema of 1.2, with decimal numbers only: sets type and number.
 * Quietly a string: what is no such number, or too large for one. */
void pdk_scalar_resolve(struct pdk_value *node);

/* The shortest text that reads back as the same number; never looks like an integer. Returns its length. */
size_t pdk_number_format(double number, char buf[PDK_NUMBER_TEXT]);
size_t pdk_integer_format(int64_t number, char buf[PDK_NUMBER_TEXT]);

#endif
