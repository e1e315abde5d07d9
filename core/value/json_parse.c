/* SPDX-License-Identifier: Apache-2.0 */
/* What json_quick.c leaves: jansson reads, we convert. The only user of jansson. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/value/build.h"
#include "core/value/json.h"
#include "core/value/scalar.h"

static const struct pdk_mark nowhere = {0};

/* Before jansson spends memory on it: brackets and commas outside of strings bound depth and number of values (an
 * empty list counts twice here, the exact count comes later). Says what is wrong, or NULL; text that is no JSON may pass, jansson will tell. */
static const char *check_limits(const char *data, size_t size) {
    if (size > PDK_JSON_SIZE_MAX) return "more than 16 MiB of JSON";
    size_t depth = 0, values = 1;
    bool string = false;
    for (size_t i = 0; i < size; i++) {
        char c = data[i];
        if (string) {
            if (c == '\\') i++;
            if (c == '"') string = false;
        } else if (c == '"') {
            string = true;
        } else if (c == '[' || c == '{') {
            values++;
            if (++depth > PDK_VALUE_DEPTH_MAX) return "nested more than 64 deep";
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        } else if (c == ',') {
            values++;
        }
    }
    return values > 2 * PDK_VALUE_NODES_MAX + 1 ? "more than 1000000 values" : NULL;
}

static char *copy_text(struct pdk_builder *build, const char *text, size_t size) {
    char *copy = pdk_arena_text(&build->document->arena, text, size);
    if (!copy) pdk_build_fail(build, -ENOMEM, "no memory");
    return copy;
}

static void convert_scalar(struct pdk_builder *build, const json_t *json, const struct pdk_mark *mark) {
    char number[PDK_NUMBER_TEXT] = "";
    const char *text = number;
    size_t size = 0;
    int32_t type = PDK_NULL;
    switch (json_typeof(json)) {
    case JSON_STRING:
        type = PDK_STRING;
        text = json_string_value(json);
        size = json_string_length(json);
        break;
    case JSON_INTEGER:
        type = PDK_INT;
        size = pdk_integer_format(json_integer_value(json), number);
        break;
    case JSON_REAL:
        type = PDK_NUMBER;
        size = pdk_number_format(json_real_value(json), number);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        type = PDK_BOOL;
        text = json_is_true(json) ? "true" : "false";
        size = strlen(text);
        break;
    default: break;
    }
    char *copy = copy_text(build, text, size);
    struct pdk_value *node = copy ? pdk_build_scalar(build, type, copy, size, mark) : NULL;
    if (!node) return;
    if (type == PDK_STRING) node->flags = PDK_VALUE_QUOTED;
    if (type == PDK_INT) node->as.scalar.integer = json_integer_value(json);
    if (type == PDK_NUMBER) node->as.scalar.number = json_real_value(json);
    if (type == PDK_BOOL) node->as.scalar.integer = json_is_true(json);
}

/* At most as deep as check_limits let pass. */
static void convert(struct pdk_builder *build, json_t *json, const struct pdk_mark *mark) {
    size_t i;
    json_t *part;
    const char *key;
    if (json_is_array(json)) {
        if (!pdk_build_open(build, PDK_LIST, mark)) return;
        json_array_foreach(json, i, part) convert(build, part, mark);
        pdk_build_end(build);
    } else if (json_is_object(json)) {
        if (!pdk_build_open(build, PDK_MAP, mark)) return;
        json_object_foreach(json, key, part) {
            size_t size = strlen(key);
            char *copy = copy_text(build, key, size);
            if (!copy || pdk_build_key(build, copy, size, &nowhere)) return;
            convert(build, part, mark);
        }
        pdk_build_end(build);
    } else {
        convert_scalar(build, json, mark);
    }
}

/* jansson quotes the text it stumbled over, which may be anything. */
static void clean_message(char *text) {
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20) *c = ' ';
    }
    int64_t fault = pdk_utf8_fault(text, strlen(text));
    if (fault >= 0) text[fault] = '\0';
}

static int32_t report_syntax(pdk_error *err, const char *origin, json_error_t *json_error) {
    enum json_error_code kind = json_error_code(json_error);
    if (kind == json_error_out_of_memory || !json_error->text[0]) {
        return pdk_error_set(err, -ENOMEM, NULL, NULL, "%s: no memory", origin);
    }
    bool nul = kind == json_error_null_character || kind == json_error_null_byte_in_key;
    const char *text = nul ? "a NUL in a string" : json_error->text;
    clean_message(json_error->text);
    if (json_error->line <= 0) return pdk_error_set(err, -EINVAL, NULL, NULL, "%s: %s", origin, text);
    return pdk_error_set(err, -EINVAL, NULL, NULL, "%s:%d:%d: %s", origin, json_error->line, json_error->column, text);
}

/* The origin as a file without text, so that places say where it came from. */
static int32_t name_origin(struct pdk_builder *build, const char *origin, uint16_t *ret) {
    struct pdk_document_file file = {.owner = build->document};
    file.name = copy_text(build, origin, strlen(origin));
    if (!file.name) return build->error;
    return pdk_document_file(build->document, &file, ret) ? pdk_build_fail(build, -ENOMEM, "no memory") : 0;
}

/* false: it is for jansson to read. */
static bool parse_quickly(const char *data, size_t size, const char *origin, const pdk_value **ret_value) {
    struct pdk_builder build;
    struct pdk_mark mark = {0};
    bool good = pdk_build_start(&build) == 0 && name_origin(&build, origin, &mark.file) == 0 &&
                pdk_json_quick(&build, data, size, &mark) && pdk_build_finish(&build, ret_value) == 0;
    pdk_build_discard(&build);
    return good;
}

int32_t pdk_json_parse_slowly(const char *data, size_t size, const char *origin, const pdk_value **ret_value,
                              pdk_error *err) {
    json_error_t json_error;
    json_t *json = json_loadb(data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &json_error);
    if (!json) return report_syntax(err, origin, &json_error);

    struct pdk_builder build;
    struct pdk_mark mark = {0};
    int32_t rc = pdk_build_start(&build);
    if (!rc) rc = name_origin(&build, origin, &mark.file);
    if (!rc) convert(&build, json, &mark);
    rc = pdk_build_finish(&build, ret_value);
    if (rc) pdk_error_set(err, rc, NULL, NULL, "%s: %s", origin, build.why);
    pdk_build_discard(&build);
    json_decref(json);
    return rc;
}

int32_t pdk_json_parse(const pdk_values *values, const char *data, size_t size, const char *origin,
                       const pdk_value **ret_value, pdk_error *err) {
    (void)values;
    origin = origin && *origin ? origin : "JSON";
    /* The quick way keeps the limits as it goes; of what is beyond them it makes no more than what is not. */
    if (size <= PDK_JSON_SIZE_MAX && parse_quickly(data, size, origin, ret_value)) return 0;
    const char *excess = check_limits(data, size);
    if (excess) return pdk_error_set(err, -E2BIG, NULL, NULL, "%s: %s", origin, excess);
    return pdk_json_parse_slowly(data, size, origin, ret_value, err);
}
