/* SPDX-License-Identifier: Apache-2.0 */
/* Merging defaults: scalars and lists are replaced, the maps of some fields are merged key by key, one level deep. */
#include "core/spec/merge.h"

#include <errno.h>
#include <string.h>

static void put_key(pdk_writer *writer, const pdk_value *map, uint32_t i) {
    pdk_writer_key_like(writer, map, i);
    pdk_values_get()->key(writer, map->as.map.entries[i].key);
}

/* The map that a value means: itself, or what a shorthand of stop or backoff stands for. Owned by the caller. */
static int32_t expand(const struct pdk_field *row, const pdk_value *value, const pdk_value **ret) {
    static const struct {
        const char *field, *key, *text; /* text NULL: the value itself */
    } meant[] = {{"stop", "signal", NULL},
                 {"backoff", "first", NULL},
                 {"backoff", "max", NULL},
                 {"backoff", "factor", "1"},
                 {"backoff", "jitter", "none"}};
    const pdk_values *values = pdk_values_get();
    pdk_writer *writer;
    if (value->type == PDK_MAP) {
        *ret = values->hold(value);
        return 0;
    }
    writer = values->open(values);
    pdk_writer_like(writer, value);
    values->put_map(writer);
    for (size_t i = 0; i < sizeof meant / sizeof *meant; i++) {
        if (strcmp(meant[i].field, row->name) != 0) continue;
        pdk_writer_like(writer, value);
        values->key(writer, meant[i].key);
        if (meant[i].text)
            values->put_string(writer, meant[i].text, strlen(meant[i].text));
        else
            values->put_value(writer, value);
    }
    values->end(writer);
    return values->close(writer, ret, NULL);
}

static int32_t merge_maps(const pdk_value *below, const pdk_value *above, const pdk_value **ret) {
    const pdk_values *values = pdk_values_get();
    pdk_writer *writer = values->open(values);
    pdk_writer_like(writer, above);
    values->put_map(writer);
    for (uint32_t i = 0; i < above->size; i++) {
        put_key(writer, above, i);
        values->put_value(writer, above->as.map.entries[i].value);
    }
    for (uint32_t i = 0; i < below->size; i++) {
        if (values->get(above, below->as.map.entries[i].key)) continue;
        put_key(writer, below, i);
        values->put_value(writer, below->as.map.entries[i].value);
    }
    values->end(writer);
    return values->close(writer, ret, NULL);
}

/* A map, or a scalar for the fields that have a short form. */
static bool mergeable(const struct pdk_field *row, const pdk_value *value) {
    return value->type == PDK_MAP || (row->fields && value->type >= PDK_BOOL && value->type <= PDK_STRING);
}

int32_t pdk_merge_field(const struct pdk_field *row, const pdk_value *below, const pdk_value *above,
                        const pdk_value **ret) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *low = NULL, *high = NULL;
    int32_t rc;
    if (!(row->flags & PDK_FIELD_MERGE) || !mergeable(row, below) || !mergeable(row, above) ||
        (below->type != PDK_MAP && above->type != PDK_MAP)) {
        *ret = values->hold(above);
        return 0;
    }
    rc = expand(row, below, &low);
    if (rc == 0) rc = expand(row, above, &high);
    if (rc == 0) rc = merge_maps(low, high, ret);
    values->drop(low);
    values->drop(high);
    return rc;
}

int32_t pdk_merge_defaults(const pdk_value *below, const pdk_value *above, const pdk_value **ret) {
    const pdk_values *values = pdk_values_get();
    pdk_writer *writer;
    int32_t rc = 0;
    if (!below || !above) {
        *ret = values->hold(above ? above : below);
        return 0;
    }
    writer = values->open(values);
    pdk_writer_like(writer, above);
    values->put_map(writer);
    for (uint32_t i = 0; i < above->size; i++) {
        const struct pdk_value_entry *entry = &above->as.map.entries[i];
        const struct pdk_field *row = pdk_field_find(pdk_task_rows, entry->key, entry->key_size);
        const pdk_value *under = row ? values->get(below, entry->key) : NULL, *merged = NULL;
        if (under) rc = pdk_merge_field(row, under, entry->value, &merged);
        put_key(writer, above, i);
        values->put_value(writer, merged ? merged : entry->value);
        values->drop(merged);
    }
    for (uint32_t i = 0; i < below->size; i++) {
        if (values->get(above, below->as.map.entries[i].key)) continue;
        put_key(writer, below, i);
        values->put_value(writer, below->as.map.entries[i].value);
    }
    values->end(writer);
    if (rc == 0) return values->close(writer, ret, NULL);
    (void)values->close(writer, NULL, NULL);
    return rc;
}
