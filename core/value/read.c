/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/value/document.h"
#include "core/value/read.h"

#define SECONDS_MAX (3650.0 * 86400.0)
#define TWO_TO_63   9223372036854775808.0

const struct pdk_value pdk_value_empty_map = {.type = PDK_MAP};

int32_t pdk_value_type(const struct pdk_value *value) {
    return value ? value->type : PDK_NULL;
}

size_t pdk_value_count(const struct pdk_value *value) {
    return value && value->type >= PDK_STRING ? value->size : 0;
}

static const struct pdk_value_entry *find(const struct pdk_value *map, const char *key, size_t size) {
    if (map->as.map.index) return pdk_table_get(map->as.map.index, key, size);
    for (uint32_t i = 0; i < map->size; i++) {
        const struct pdk_value_entry *entry = &map->as.map.entries[i];
        if (entry->key_size == size && memcmp(entry->key, key, size) == 0) return entry;
    }
    return NULL;
}

const struct pdk_value *pdk_value_get(const struct pdk_value *map, const char *key) {
    if (!map || map->type != PDK_MAP || !key) return NULL;
    const struct pdk_value_entry *entry = find(map, key, strlen(key));
    return entry ? entry->value : NULL;
}

const struct pdk_value *pdk_value_at(const struct pdk_value *value, size_t i) {
    if (!value || value->type < PDK_LIST || i >= value->size) return NULL;
    return value->type == PDK_LIST ? value->as.items[i] : value->as.map.entries[i].value;
}

const char *pdk_value_key_at(const struct pdk_value *map, size_t i) {
    return map && map->type == PDK_MAP && i < map->size ? map->as.map.entries[i].key : NULL;
}

/* Why a value that has not the wanted type cannot be read. */
static int32_t refuse(const struct pdk_value *value) {
    return pdk_value_is_null(value) ? -ENOENT : -EINVAL;
}

int32_t pdk_value_boolean(const struct pdk_value *value, int32_t *ret) {
    if (pdk_value_type(value) != PDK_BOOL) return refuse(value);
    *ret = value->as.scalar.integer != 0;
    return 0;
}

int32_t pdk_value_integer(const struct pdk_value *value, int64_t *ret) {
    if (pdk_value_type(value) == PDK_NUMBER) {
        double number = value->as.scalar.number;
        if (number < -TWO_TO_63 || number >= TWO_TO_63 || (double)(int64_t)number != number) return -EINVAL;
        *ret = (int64_t)number;
        return 0;
    }
    if (pdk_value_type(value) != PDK_INT) return refuse(value);
    *ret = value->as.scalar.integer;
    return 0;
}

int32_t pdk_value_number(const struct pdk_value *value, double *ret) {
    int32_t type = pdk_value_type(value);
    if (type != PDK_INT && type != PDK_NUMBER) return refuse(value);
    *ret = type == PDK_INT ? (double)value->as.scalar.integer : value->as.scalar.number;
    return 0;
}

int32_t pdk_value_string(const struct pdk_value *value, const char **ret) {
    if (pdk_value_type(value) != PDK_STRING) return refuse(value);
    *ret = value->as.scalar.text;
    return 0;
}

int32_t pdk_value_duration(const struct pdk_value *value, uint64_t *ret_ns) {
    double seconds;
    if (pdk_value_type(value) == PDK_STRING) {
        return pdk_duration_parse(value->as.scalar.text, ret_ns, NULL, 0) ? -EINVAL : 0;
    }
    int32_t rc = pdk_value_number(value, &seconds);
    if (rc) return rc;
    if (!(seconds >= 0 && seconds <= SECONDS_MAX)) return -EINVAL;
    *ret_ns = (uint64_t)(seconds * (double)PDK_SECOND + 0.5);
    return 0;
}

int32_t pdk_value_size(const struct pdk_value *value, uint64_t *ret_bytes) {
    int64_t bytes;
    if (pdk_value_type(value) == PDK_STRING) {
        return pdk_size_parse(value->as.scalar.text, ret_bytes, NULL, 0) ? -EINVAL : 0;
    }
    int32_t rc = pdk_value_integer(value, &bytes);
    if (rc) return rc;
    if (bytes < 0) return -EINVAL;
    *ret_bytes = (uint64_t)bytes;
    return 0;
}

const char *pdk_value_text(const struct pdk_value *value) {
    if (pdk_value_is_null(value) || value->type >= PDK_LIST) return NULL;
    return value->as.scalar.text;
}

const struct pdk_value *pdk_value_hold(const struct pdk_value *value) {
    if (value) pdk_document_hold(value->document);
    return value;
}

void pdk_value_drop(const struct pdk_value *value) {
    if (value) pdk_document_drop(value->document);
}

static bool equal_maps(const struct pdk_value *a, const struct pdk_value *b) {
    for (uint32_t i = 0; i < a->size; i++) {
        const struct pdk_value_entry *left = &a->as.map.entries[i];
        const struct pdk_value_entry *right = find(b, left->key, left->key_size);
        if (!right || !pdk_value_equal(left->value, right->value)) return false;
    }
    return true;
}

static bool equal_lists(const struct pdk_value *a, const struct pdk_value *b) {
    for (uint32_t i = 0; i < a->size; i++) {
        if (!pdk_value_equal(a->as.items[i], b->as.items[i])) return false;
    }
    return true;
}

static bool equal_numbers(const struct pdk_value *a, const struct pdk_value *b) {
    if (a->type == PDK_INT && b->type == PDK_INT) return a->as.scalar.integer == b->as.scalar.integer;
    double left = 0, right = 0;
    return pdk_value_number(a, &left) == 0 && pdk_value_number(b, &right) == 0 && left == right;
}

bool pdk_value_equal(const struct pdk_value *a, const struct pdk_value *b) {
    if (a == b || (pdk_value_is_null(a) && pdk_value_is_null(b))) return true;
    if (pdk_value_is_null(a) || pdk_value_is_null(b)) return false;
    if (a->type == PDK_INT || a->type == PDK_NUMBER) return equal_numbers(a, b);
    if (a->type != b->type) return false;
    if (a->type == PDK_BOOL) return a->as.scalar.integer == b->as.scalar.integer;
    if (a->size != b->size) return false;
    if (a->type == PDK_STRING) return memcmp(a->as.scalar.text, b->as.scalar.text, a->size) == 0;
    return a->type == PDK_MAP ? equal_maps(a, b) : equal_lists(a, b);
}
