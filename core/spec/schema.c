/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas of plugins: are they sound, and what do they say of a value? */
#include "core/spec/schema.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/spec/completion.h"
#include "core/spec/fallback.h"
#include "core/spec/scalar.h"

#define DEPTH_LIMIT 16
#define ROWS_LIMIT  1000

const pdk_param *pdk_param_at(const pdk_param *params, uint32_t size, size_t i) {
    const pdk_param *row = params ? (const void *)((const char *)params + i * size) : NULL;
    return row && row->name ? row : NULL;
}

const pdk_param *pdk_schema_find(const pdk_schema *schema, const char *name) {
    const pdk_param *row;
    for (size_t i = 0; schema && (row = pdk_param_at(schema->params, schema->param_size, i)); i++)
        if (row->name[0] == name[0] && !strcmp(row->name, name)) return row;
    return NULL;
}

int32_t pdk_schema_check(const pdk_schema *schema, const char *plugin, const pdk_value *value,
                         struct pdk_report *report, const pdk_value **ret) {
    struct pdk_completion completion = {.schema = schema, .plugin = plugin, .value = value};
    return pdk_completion_run(&completion, report, ret);
}

/* Validation. */

static int32_t refuse(pdk_error *err, const pdk_param *row, const char *why) {
    if (err) {
        err->code = -EINVAL;
        err->at = NULL;
        (void)snprintf(err->message, sizeof err->message, "the schema's row \"%.100s\" %s", row->name, why);
        err->hint[0] = '\0';
    }
    return -EINVAL;
}

static int32_t check_fallback(const pdk_schema *schema, const pdk_param *row, pdk_error *err) {
    /* The row alone, as a schema of its own: a fallback must pass the check that a written value has to. */
    pdk_param table[2];
    pdk_schema alone = PDK_SCHEMA("", "", table);
    struct pdk_completion completion = {.schema = &alone, .strict = true};
    const pdk_value *value = NULL;
    char why[160];
    struct pdk_report report = {.limit = 1};
    int32_t rc;
    if (!row->fallback) return 0;
    memset(table, 0, sizeof table);
    table[0] = *row;
    table[0].flags &= ~(uint32_t)PDK_REQUIRED;
    if (row->fields && schema->param_size != sizeof(pdk_param)) return 0; /* rows of two sizes: checked when used */
    rc = pdk_completion_run(&completion, &report, &value);
    if (rc == 0) pdk_values_get()->drop(value);
    if (rc == -EINVAL) {
        (void)snprintf(why, sizeof why, "has a fallback that it would refuse: %.100s", row->fallback);
        rc = refuse(err, row, why);
    }
    pdk_report_free(&report);
    return rc;
}

static bool known_type(uint32_t type) {
    return type <= PDK_MAP || (type >= PDK_ANY && type <= PDK_STRING_MAP);
}

static int32_t validate_rows(const pdk_schema *schema, const pdk_param *rows, int depth, pdk_error *err);

static int32_t validate_row(const pdk_schema *schema, const pdk_param *rows, size_t i, int depth, pdk_error *err) {
    const pdk_param *row = pdk_param_at(rows, schema->param_size, i);
    if (!*row->name || strlen(row->name) > 64) return refuse(err, row, "has a name that is empty or too long");
    if (!known_type(row->type)) return refuse(err, row, "has an unknown type");
    if (isnan(row->min) || isnan(row->max) || row->min > row->max) return refuse(err, row, "has a min above its max");
    if (row->fields && row->type != PDK_MAP && row->type != PDK_LIST)
        return refuse(err, row, "has fields but is no map");
    for (size_t k = 0; k < i; k++)
        if (!strcmp(pdk_param_at(rows, schema->param_size, k)->name, row->name))
            return refuse(err, row, "is here twice");
    if (row->fields) {
        int32_t rc = depth < DEPTH_LIMIT ? validate_rows(schema, row->fields, depth + 1, err)
                                         : refuse(err, row, "is nested too deep");
        if (rc < 0) return rc;
    }
    return check_fallback(schema, row, err);
}

static int32_t validate_rows(const pdk_schema *schema, const pdk_param *rows, int depth, pdk_error *err) {
    for (size_t i = 0; pdk_param_at(rows, schema->param_size, i); i++) {
        int32_t rc = i < ROWS_LIMIT ? validate_row(schema, rows, i, depth, err)
                                    : refuse(err, rows, "begins a table that does not end");
        if (rc < 0) return rc;
    }
    return 0;
}

int32_t pdk_schema_validate(const pdk_schema *schema, pdk_error *err) {
    static const pdk_param whole = PDK_PARAM("", PDK_MAP, 0, NULL, "");
    if (!schema) return 0;
    if (schema->struct_size < sizeof(pdk_schema) || !schema->name) return refuse(err, &whole, "is too short");
    if (schema->params &&
        (schema->param_size < sizeof(pdk_param) || schema->param_size > 4096 || schema->param_size % sizeof(void *)))
        return refuse(err, &whole, "has a size that cannot be");
    return validate_rows(schema, schema->params, 1, err);
}
