/* SPDX-License-Identifier: Apache-2.0 */
/* A node that YAML made by copying an anchored one: it stands at the alias and remembers the original. */
#ifndef CORE_VALUE_ALIAS_H
#define CORE_VALUE_ALIAS_H

#include "core/value/value.h"

/* What PDK_VALUE_ALIASED says of a node: it is the first member of this. */
struct pdk_value_alias {
    struct pdk_value value;
    const struct pdk_value *origin;
};

/* NULL: it stands where it was written. */
static inline const struct pdk_value *pdk_value_origin(const struct pdk_value *value) {
    if (!value || !(value->flags & PDK_VALUE_ALIASED)) return NULL;
    return ((const struct pdk_value_alias *)(const void *)value)->origin;
}

#endif
