/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_UTF8_H
#define CORE_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Read one character of at most size (> 0) bytes. Returns how many it takes, and 0 if it is not UTF-8. */
size_t pdk_utf8_read(const char *data, size_t size, uint32_t *ret);

#endif
