/* SPDX-License-Identifier: Apache-2.0 */
/* The fallbacks of schemas: a scalar, or lists and maps in YAML's flow style. This layer has no libyaml, and needs no
 * more than "30s", "[a, b]", "{a: 1}", "'x'" and "\"x\"". Internal to this layer. */
#ifndef CORE_SPEC_FALLBACK_H
#define CORE_SPEC_FALLBACK_H

#include "core/value/value.h"

/* Read a text as one value, owned by the caller. -EINVAL with *why (a static text), -ENOMEM. */
int32_t pdk_fallback_read(const char *text, const pdk_value **ret, const char **why);

#endif
