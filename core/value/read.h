/* SPDX-License-Identifier: Apache-2.0 */
/* The reading functions of pdk_values, for the table and for us. */
#ifndef CORE_VALUE_READ_H
#define CORE_VALUE_READ_H

#include "core/value/value.h"

int32_t pdk_value_type(const struct pdk_value *value);
size_t pdk_value_count(const struct pdk_value *value);
const struct pdk_value *pdk_value_get(const struct pdk_value *map, const char *key);
const struct pdk_value *pdk_value_at(const struct pdk_value *value, size_t i);
const char *pdk_value_key_at(const struct pdk_value *map, size_t i);
int32_t pdk_value_boolean(const struct pdk_value *value, int32_t *ret);
int32_t pdk_value_integer(const struct pdk_value *value, int64_t *ret);
int32_t pdk_value_number(const struct pdk_value *value, double *ret);
int32_t pdk_value_string(const struct pdk_value *value, const char **ret);
int32_t pdk_value_duration(const struct pdk_value *value, uint64_t *ret_ns);
int32_t pdk_value_size(const struct pdk_value *value, uint64_t *ret_bytes);
size_t pdk_value_where(const struct pdk_value *value, char *buf, size_t size);
const struct pdk_value *pdk_value_hold(const struct pdk_value *value);
void pdk_value_drop(const struct pdk_value *value);

#endif
