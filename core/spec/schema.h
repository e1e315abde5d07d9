/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin's pdk_schema against a value: check, complete, describe. Knows nothing of tasks. */
#ifndef CORE_SPEC_SCHEMA_H
#define CORE_SPEC_SCHEMA_H

#include "core/value/value.h"

/* Is the schema itself sound (types known, fallbacks readable, param_size large enough, no name twice, every
 * depth at most 16)? Else -EINVAL with err saying which row. Done once at load. */
int32_t pdk_schema_validate(const pdk_schema *schema, pdk_error *err);

/* Check value (a map, or null for an empty one) and make the completed one: fallbacks filled in, every scalar
 * of the type its row says, texts of YAML numbers kept where a string is wanted, a single string where
 * PDK_STRINGS is wanted made a list. A PDK_SECRET row also takes {file: P}, {env: N} or {credential: N}.
 * schema NULL or without params: nothing may be there. All faults go to the report with `plugin` named.
 * 0: *ret is owned by the caller. -EINVAL, -ENOMEM. [any] */
int32_t pdk_schema_check(const pdk_schema *schema, const char *plugin, const pdk_value *value,
                         struct pdk_report *report, const pdk_value **ret);

/* Has the schema a row of this name at its top? NULL if not. */
const pdk_param *pdk_schema_find(const pdk_schema *schema, const char *name);

/* The i-th row of a table whose rows are `size` long; NULL at the end. */
const pdk_param *pdk_param_at(const pdk_param *params, uint32_t size, size_t i);

/* Write the JSON Schema (2020-12) of the rows as one object: {"type": "object", "properties": ...}. */
void pdk_schema_describe(const pdk_schema *schema, const pdk_values *values, pdk_writer *writer);

#endif
