/* SPDX-License-Identifier: Apache-2.0 */
/* The writing functions of pdk_values, for the table. */
#ifndef CORE_VALUE_WRITER_H
#define CORE_VALUE_WRITER_H

#include "core/value/value.h"

pdk_writer *pdk_writer_open(const pdk_values *values);
void pdk_writer_null(pdk_writer *writer);
void pdk_writer_bool(pdk_writer *writer, int32_t value);
void pdk_writer_int(pdk_writer *writer, int64_t value);
void pdk_writer_number(pdk_writer *writer, double value);
void pdk_writer_string(pdk_writer *writer, const char *data, size_t size);
void pdk_writer_value(pdk_writer *writer, const pdk_value *value);
void pdk_writer_list(pdk_writer *writer);
void pdk_writer_map(pdk_writer *writer);
void pdk_writer_key(pdk_writer *writer, const char *key);
void pdk_writer_end(pdk_writer *writer);
int32_t pdk_writer_close(pdk_writer *writer, const pdk_value **ret_value, pdk_error *err);

#endif
