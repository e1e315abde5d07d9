/* SPDX-License-Identifier: Apache-2.0 */
/* The table that plugins and embedders see. */
#include "core/value/json.h"
#include "core/value/read.h"
#include "core/value/writer.h"
#include "paddock/library.h"

static const pdk_values table = {
    .struct_size = sizeof(pdk_values),
    .type = pdk_value_type,
    .count = pdk_value_count,
    .get = pdk_value_get,
    .at = pdk_value_at,
    .key_at = pdk_value_key_at,
    .boolean = pdk_value_boolean,
    .integer = pdk_value_integer,
    .number = pdk_value_number,
    .string = pdk_value_string,
    .duration = pdk_value_duration,
    .size = pdk_value_size,
    .where = pdk_value_where,
    .hold = pdk_value_hold,
    .drop = pdk_value_drop,
    .open = pdk_writer_open,
    .put_null = pdk_writer_null,
    .put_bool = pdk_writer_bool,
    .put_int = pdk_writer_int,
    .put_number = pdk_writer_number,
    .put_string = pdk_writer_string,
    .put_value = pdk_writer_value,
    .put_list = pdk_writer_list,
    .put_map = pdk_writer_map,
    .key = pdk_writer_key,
    .end = pdk_writer_end,
    .close = pdk_writer_close,
    .parse = pdk_json_parse,
    .print = pdk_json_print,
};

const pdk_values *pdk_values_get(void) {
    return &table;
}
