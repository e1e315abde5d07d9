/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_ERROR_H
#define CORE_BASE_ERROR_H

#include "paddock/base.h"

/* Fill in what one caller is told; err may be NULL, hint too. Texts that are too long are cut between characters.
 * Returns code. */
int32_t pdk_error_set(pdk_error *err, int32_t code, const pdk_value *at, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
