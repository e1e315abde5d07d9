/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in and out, for the table; and a string as JSON writes it. */
#ifndef CORE_VALUE_JSON_H
#define CORE_VALUE_JSON_H

#include "core/value/value.h"

struct pdk_builder;
struct pdk_mark;

int32_t pdk_json_parse(const pdk_values *values, const char *data, size_t size, const char *origin,
                       const pdk_value **ret_value, pdk_error *err);
int32_t pdk_json_print(const pdk_values *values, const pdk_value *value, uint32_t flags, pdk_write write, void *arg);

/* Gathers small pieces, so that few calls of write are made. */
struct pdk_json_out {
    pdk_write write;
    void *arg;
    size_t used;
    char data[1024];
};

void pdk_json_add(struct pdk_json_out *out, const char *data, size_t size);
void pdk_json_add_string(struct pdk_json_out *out, const char *text, size_t size);
void pdk_json_flush(struct pdk_json_out *out);

/* Read all of data into a builder that was started, at mark. false: it takes another way; discard the builder. */
bool pdk_json_quick(struct pdk_builder *build, const char *data, size_t size, const struct pdk_mark *mark);

/* That other way, which must come to the same: for tests. The limits of depth and size were checked. */
int32_t pdk_json_parse_slowly(const char *data, size_t size, const char *origin, const pdk_value **ret_value,
                              pdk_error *err);

#endif
