/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Schema (2020-12) from the tables: the rows of a plugin, and a whole file for editors. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/spec/body.h"
#include "core/spec/schema.h"

/* Rows nested deeper are described as anything; a validated schema has none. */
#define DEPTH_LIMIT 16

static void put_pair(pdk_writer *writer, const char *key, const char *text) {
    pdk_values_get()->key(writer, key);
    pdk_values_get()->put_string(writer, text, strlen(text));
}

static void put_flag(pdk_writer *writer, const char *key, bool flag) {
    pdk_values_get()->key(writer, key);
    pdk_values_get()->put_bool(writer, flag);
}

/* {"type": "string"} or {"$ref": ...}, in a map under key */
static void put_type(pdk_writer *writer, const char *key, const char *type) {
    if (key) pdk_values_get()->key(writer, key);
    pdk_values_get()->put_map(writer);
    put_pair(writer, strchr(type, '#') ? "$ref" : "type", type);
    pdk_values_get()->end(writer);
}

static void put_choices(pdk_writer *writer, const char *const *choices) {
    const pdk_values *values = pdk_values_get();
    values->key(writer, "enum");
    values->put_list(writer);
    for (; *choices; choices++) values->put_string(writer, *choices, strlen(*choices));
    values->end(writer);
}

/* Put the keys of a JSON object, or (key not NULL) all of it under that key. The texts are ours. */
static void put_json(pdk_writer *writer, const char *key, const char *json) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *value = NULL;
    if (key) values->key(writer, key);
    if (values->parse(values, json, strlen(json), "schema", &value, NULL) < 0) {
        values->put_null(writer);
        values->put_null(writer); /* a second value: makes close fail */
        return;
    }
    if (key) values->put_value(writer, value);
    for (uint32_t i = 0; !key && i < value->size; i++) {
        values->key(writer, value->as.map.entries[i].key);
        values->put_value(writer, value->as.map.entries[i].value);
    }
    values->drop(value);
}

/* Rows of plugins. */

static void put_params(pdk_writer *writer, const pdk_param *params, uint32_t size, bool of_task, int depth);

static void put_limits(pdk_writer *writer, const pdk_param *row) {
    static const struct {
        uint32_t type;
        const char *min, *max;
    } words[] = {{PDK_INT, "minimum", "maximum"},
                 {PDK_NUMBER, "minimum", "maximum"},
                 {PDK_STRING, "minLength", "maxLength"},
                 {PDK_LIST, "minItems", "maxItems"},
                 {PDK_STRINGS, "minItems", "maxItems"},
                 {PDK_MAP, "minProperties", "maxProperties"},
                 {PDK_STRING_MAP, "minProperties", "maxProperties"}};
    const pdk_values *values = pdk_values_get();
    if (row->min == 0.0 && row->max == 0.0) return;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (words[i].type != row->type) continue;
        for (int k = 0; k < 2; k++) {
            double n = k ? row->max : row->min;
            values->key(writer, k ? words[i].max : words[i].min);
            if (n >= -9e15 && n <= 9e15 && n == (double)(int64_t)n)
                values->put_int(writer, (int64_t)n);
            else
                values->put_number(writer, n);
        }
    }
}

static void put_param_type(pdk_writer *writer, const pdk_param *row, uint32_t size, int depth) {
    static const char *const types[] = {[PDK_NULL] = "{\"type\":\"null\"}",
                                        [PDK_BOOL] = "{\"type\":\"boolean\"}",
                                        [PDK_INT] = "{\"type\":\"integer\"}",
                                        [PDK_NUMBER] = "{\"type\":\"number\"}",
                                        [PDK_STRING] = "{\"type\":[\"string\",\"number\",\"boolean\"]}",
                                        [PDK_LIST] = "{\"type\":\"array\"}",
                                        [PDK_MAP] = "{\"type\":\"object\"}"};
    static const char *const more[] = {
        "{}", "{\"type\":[\"string\",\"integer\"],\"pattern\":\"^(0|([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h|d))+)$\"}",
        "{\"type\":\"string\",\"pattern\":\"^[0-9]+([.][0-9]+)?(B|[kMGT]B|[KMGT]iB)$\"}",
        "{\"type\":[\"string\",\"array\"],\"items\":{\"type\":[\"string\",\"number\",\"boolean\"]}}",
        "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]}}"};
    const pdk_values *values = pdk_values_get();
    if (row->choices && row->type != PDK_STRINGS) {
        put_choices(writer, row->choices);
    } else if ((row->flags & PDK_SECRET) && row->type == PDK_STRING) {
        put_json(writer, NULL,
                 "{\"type\":[\"string\",\"number\",\"boolean\",\"object\"],\"minProperties\":1,\"maxProperties\":1,"
                 "\"properties\":{\"file\":{\"type\":\"string\"},\"env\":{\"type\":\"string\"},"
                 "\"credential\":{\"type\":\"string\"}},\"additionalProperties\":false}");
    } else if (row->fields && row->type == PDK_MAP && depth < DEPTH_LIMIT) {
        put_params(writer, row->fields, size, false, depth + 1);
    } else if (row->fields && depth < DEPTH_LIMIT) {
        put_pair(writer, "type", "array");
        values->key(writer, "items");
        values->put_map(writer);
        put_params(writer, row->fields, size, false, depth + 1);
        values->end(writer);
    } else {
        put_json(writer, NULL, row->type <= PDK_MAP ? types[row->type] : more[row->type - PDK_ANY]);
    }
}

static void put_param(pdk_writer *writer, const pdk_param *row, uint32_t size, int depth) {
    const pdk_values *values = pdk_values_get();
    values->key(writer, row->name);
    values->put_map(writer);
    if (row->doc && *row->doc) put_pair(writer, "description", row->doc);
    if (row->flags & PDK_DEPRECATED) put_flag(writer, "deprecated", true);
    if (row->flags & PDK_SECRET) put_flag(writer, "writeOnly", true);
    if (row->fallback) put_pair(writer, "x-fallback", row->fallback);
    put_param_type(writer, row, size, depth);
    put_limits(writer, row);
    values->end(writer);
}

/* The keys of {"type": "object", ...}. of_task: without what a task hands on. */
static void put_params(pdk_writer *writer, const pdk_param *params, uint32_t size, bool of_task, int depth) {
    const pdk_values *values = pdk_values_get();
    const pdk_param *row;
    put_pair(writer, "type", "object");
    put_flag(writer, "additionalProperties", false);
    values->key(writer, "properties");
    values->put_map(writer);
    for (size_t i = 0; (row = pdk_param_at(params, size, i)); i++)
        if (!of_task || !pdk_handed_find(row->name)) put_param(writer, row, size, depth);
    values->end(writer);
    values->key(writer, "required");
    values->put_list(writer);
    for (size_t i = 0; (row = pdk_param_at(params, size, i)); i++)
        if ((row->flags & PDK_REQUIRED) && (!of_task || !pdk_handed_find(row->name)))
            values->put_string(writer, row->name, strlen(row->name));
    values->end(writer);
}

void pdk_schema_describe(const pdk_schema *schema, const pdk_values *values, pdk_writer *writer) {
    values->put_map(writer);
    if (schema && schema->doc && *schema->doc) put_pair(writer, "description", schema->doc);
    put_params(writer, schema ? schema->params : NULL, schema ? schema->param_size : 0, false, 0);
    values->end(writer);
}

/* Our own rows. */

static void put_rows(pdk_writer *writer, const struct pdk_field *rows, uint8_t without);

static void put_number_range(pdk_writer *writer, const struct pdk_field *row, const char *type) {
    const pdk_values *values = pdk_values_get();
    put_pair(writer, "type", type);
    if (!row->max) return;
    values->key(writer, "minimum");
    values->put_int(writer, (int64_t)row->min);
    values->key(writer, "maximum");
    values->put_int(writer, (int64_t)row->max);
}

/* The forms that a simple row takes, as keys of one object. */
static void put_simple(pdk_writer *writer, const struct pdk_field *row) {
    static const char *const refs[] = {[PDK_FIELD_BOOL] = "{\"type\":\"boolean\"}",
                                       [PDK_FIELD_DURATION] = "{\"$ref\":\"#/$defs/duration\"}",
                                       [PDK_FIELD_SIZE] = "{\"$ref\":\"#/$defs/size\"}",
                                       [PDK_FIELD_TEXT] = "{\"$ref\":\"#/$defs/text\"}",
                                       [PDK_FIELD_PATH] = "{\"type\":\"string\",\"minLength\":1}",
                                       [PDK_FIELD_NAMES] = "{\"$ref\":\"#/$defs/names\"}",
                                       [PDK_FIELD_COMMAND] = "{\"$ref\":\"#/$defs/command\"}",
                                       [PDK_FIELD_ANY] = "{}",
                                       [PDK_FIELD_OWN] = "{}"};
    switch (row->type) {
    case PDK_FIELD_INT: put_number_range(writer, row, "integer"); break;
    case PDK_FIELD_NUMBER: put_number_range(writer, row, "number"); break;
    case PDK_FIELD_CHOICE: put_choices(writer, row->choices); break;
    default: put_json(writer, NULL, refs[row->type]);
    }
}

static void put_word(pdk_writer *writer, const char *word) {
    pdk_values_get()->put_map(writer);
    put_pair(writer, "const", word);
    pdk_values_get()->end(writer);
}

/* What the row takes: its other forms, its simple type, its map; one of them, or several in anyOf. */
static void put_forms(pdk_writer *writer, const struct pdk_field *row) {
    const pdk_values *values = pdk_values_get();
    bool own = row->type == PDK_FIELD_OWN || (row->type == PDK_FIELD_ANY && (row->json || row->fields));
    bool word = row->flags & (PDK_FIELD_NONE | PDK_FIELD_UNLIMITED);
    if (!row->json && !row->fields && !word) {
        put_simple(writer, row);
    } else if (row->json && !row->fields) {
        put_json(writer, NULL, row->json);
    } else if (row->fields && !row->json) {
        put_rows(writer, row->fields, 0);
    } else {
        values->key(writer, "anyOf");
        values->put_list(writer);
        values->put_map(writer);
        if (own)
            put_json(writer, NULL, row->json);
        else
            put_simple(writer, row);
        values->end(writer);
        if (word) {
            put_word(writer, (row->flags & PDK_FIELD_NONE) ? "none" : "unlimited");
        } else {
            values->put_map(writer);
            put_rows(writer, row->fields, 0);
            values->end(writer);
        }
        values->end(writer);
    }
}

static void put_rows(pdk_writer *writer, const struct pdk_field *rows, uint8_t without) {
    const pdk_values *values = pdk_values_get();
    put_pair(writer, "type", "object");
    put_flag(writer, "additionalProperties", false);
    values->key(writer, "properties");
    values->put_map(writer);
    for (const struct pdk_field *row = rows; row->name; row++) {
        if (row->since > PDK_SPEC_VERSION || (row->flags & without)) continue;
        values->key(writer, row->name);
        values->put_map(writer);
        put_pair(writer, "description", row->doc);
        if (row->fallback) put_pair(writer, "x-fallback", row->fallback);
        put_forms(writer, row);
        values->end(writer);
    }
    values->end(writer);
}

static void put_required(pdk_writer *writer, const struct pdk_field *rows) {
    const pdk_values *values = pdk_values_get();
    values->key(writer, "required");
    values->put_list(writer);
    for (; rows->name; rows++)
        if (rows->flags & PDK_FIELD_REQUIRED) values->put_string(writer, rows->name, strlen(rows->name));
    values->end(writer);
}

/* The shapes that many rows share. A text with ${ is filled in when the file is read, so nothing is said of it. */
static const struct {
    const char *name, *json;
} shapes[] = {
    {"text", "{\"type\":[\"string\",\"number\",\"boolean\"]}"},
    {"duration", "{\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^(0|([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h|d))+)$|[$][{]"
                 "\"},{\"const\":0}]}"},
    {"size", "{\"type\":\"string\",\"pattern\":\"^[0-9]+([.][0-9]+)?(B|[kMGT]B|[KMGT]iB)$|[$][{]\"}"},
    {"signal", "{\"type\":\"string\",\"pattern\":\"^(SIG)?(HUP|INT|QUIT|USR1|USR2|TERM|WINCH|CONT|ALRM|KILL|RTMIN([+]["
               "0-9]+)?)$\"}"},
    {"code", "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0,\"maximum\":255},{\"type\":\"string\",\"pattern\":\"^[0-"
             "9]{1,3}(-[0-9]{1,3})?$\"}]}"},
    {"codes", "{\"anyOf\":[{\"$ref\":\"#/$defs/code\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/code\"}}]}"},
    {"command", "{\"anyOf\":[{\"type\":\"string\",\"minLength\":1},{\"type\":\"array\",\"minItems\":1,\"items\":{\"$"
                "ref\":\"#/$defs/text\"}}]}"},
    {"names", "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}"},
    {"secret",
     "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":1,\"additionalProperties\":false,\"properties\":"
     "{\"file\":{\"type\":\"string\"},\"env\":{\"type\":\"string\"},\"credential\":{\"type\":\"string\"}}}"},
    {"env",
     "{\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[A-Za-z_][A-Za-z0-9_]*$\"},\"additionalProperties\":"
     "{\"anyOf\":[{\"$ref\":\"#/$defs/text\"},{\"type\":\"null\"},{\"$ref\":\"#/$defs/secret\"}]}}"},
    {"env_file_entry",
     "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"path\"],\"additionalProperties\":false,"
     "\"properties\":{\"path\":{\"type\":\"string\"},\"optional\":{\"type\":\"boolean\"}}}]}"},
    {"env_file", "{\"anyOf\":[{\"$ref\":\"#/$defs/env_file_entry\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/"
                 "env_file_entry\"}}]}"},
    {"labels", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/text\"}}"},
    {"selector",
     "{\"anyOf\":[{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"matchLabels\":{\"$ref\":\"#/"
     "$defs/labels\"},"
     "\"matchExpressions\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"key\",\"operator\"],"
     "\"additionalProperties\":false,\"properties\":{\"key\":{\"type\":\"string\"},\"operator\":{\"enum\":[\"In\","
     "\"NotIn\","
     "\"Exists\",\"DoesNotExist\"]},\"values\":{\"$ref\":\"#/$defs/names\"}}}}}},{\"$ref\":\"#/$defs/labels\"}]}"},
};

/* {"if": {"properties": {"kind": {"const": NAME}}, ...}, "then": {"properties": {"with": ROWS}}} */
static void put_kind(pdk_writer *writer, const pdk_schema *kind) {
    const pdk_values *values = pdk_values_get();
    values->put_map(writer);
    values->key(writer, "if");
    values->put_map(writer);
    put_json(writer, "required", "[\"kind\"]");
    values->key(writer, "properties");
    values->put_map(writer);
    values->key(writer, "kind");
    put_word(writer, kind->name);
    values->end(writer);
    values->end(writer);
    values->key(writer, "then");
    values->put_map(writer);
    values->key(writer, "properties");
    values->put_map(writer);
    values->key(writer, "with");
    values->put_map(writer);
    if (kind->doc) put_pair(writer, "description", kind->doc);
    put_params(writer, kind->params, kind->param_size, true, 0);
    values->end(writer);
    values->end(writer);
    values->end(writer);
    values->end(writer);
}

/* An empty list would be no schema. */
static void put_kinds(pdk_writer *writer, const pdk_schema *const *kinds) {
    if (!kinds || !*kinds) return;
    pdk_values_get()->key(writer, "allOf");
    pdk_values_get()->put_list(writer);
    for (; *kinds; kinds++) put_kind(writer, *kinds);
    pdk_values_get()->end(writer);
}

static void put_task(pdk_writer *writer, const pdk_schema *const *kinds) {
    const pdk_values *values = pdk_values_get();
    values->key(writer, "task");
    values->put_map(writer);
    values->key(writer, "anyOf");
    values->put_list(writer);
    put_type(writer, NULL, "#/$defs/command");
    values->put_map(writer);
    put_rows(writer, pdk_task_rows, 0);
    put_kinds(writer, kinds);
    values->end(writer);
    values->end(writer);
    values->end(writer);
}

static void put_entry(pdk_writer *writer, const char *name, const struct pdk_field *rows) {
    const pdk_values *values = pdk_values_get();
    values->key(writer, name);
    values->put_map(writer);
    values->key(writer, "anyOf");
    values->put_list(writer);
    put_type(writer, NULL, "string");
    values->put_map(writer);
    put_rows(writer, rows, 0);
    put_required(writer, rows);
    values->end(writer);
    values->end(writer);
    values->end(writer);
}

int32_t pdk_config_schema(const pdk_schema *const *kinds, const pdk_value **ret) {
    const pdk_values *values = pdk_values_get();
    pdk_writer *writer = values->open(values);
    values->put_map(writer);
    put_pair(writer, "$schema", "https://json-schema.org/draft/2020-12/schema");
    put_pair(writer, "title", "Paddock");
    put_rows(writer, pdk_file_rows, 0);
    put_json(writer, "patternProperties", "{\"^x-\":true}");
    values->key(writer, "$defs");
    values->put_map(writer);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) put_json(writer, shapes[i].name, shapes[i].json);
    put_task(writer, kinds);
    values->key(writer, "defaults");
    values->put_map(writer);
    put_rows(writer, pdk_task_rows, PDK_FIELD_NO_DEFAULT);
    values->end(writer);
    put_entry(writer, "plugin", pdk_plugin_rows);
    put_entry(writer, "source", pdk_source_rows);
    put_entry(writer, "metrics", pdk_metrics_rows);
    values->end(writer);
    values->end(writer);
    /* The texts are ours and tested, so that nothing but memory can have failed. */
    return values->close(writer, ret, NULL) < 0 ? -ENOMEM : 0;
}
