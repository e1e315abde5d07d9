/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text, RFC 4648 section 4. */
#ifndef CORE_BASE_BASE64_H
#define CORE_BASE_BASE64_H

#include "core/base/buffer.h"

void pdk_base64_add(struct pdk_buffer *to, const char *bytes, size_t size);

/* Add the bytes that a text stands for. -EINVAL: it is none; then a part may have been added. */
int32_t pdk_base64_read(struct pdk_buffer *to, const char *text, size_t size);

#endif
