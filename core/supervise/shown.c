/* SPDX-License-Identifier: Apache-2.0 */
/* A spec for people: as it was submitted, with *** where a schema says that there is a secret. */
#include <string.h>

#include "core/supervise/internal.h"
#include "core/value/value.h"

struct showing {
    const pdk_values *values;
    pdk_writer *writer;
};

/* completed is what the schema made of it, and knows; NULL: nobody does. */
static void put(const struct showing *s, const pdk_value *value, const pdk_value *completed, bool secret) {
    const pdk_values *v = s->values;
    int32_t type = v->type(value);
    secret |= completed && completed->flags & PDK_VALUE_SECRET;
    if (type < PDK_LIST) {
        if (secret && type != PDK_NULL)
            v->put_string(s->writer, "***", 3);
        else
            v->put_value(s->writer, value);
        return;
    }
    if (type == PDK_MAP)
        v->put_map(s->writer);
    else
        v->put_list(s->writer);
    for (size_t i = 0; i < v->count(value); i++) {
        const char *key = type == PDK_MAP ? v->key_at(value, i) : NULL;
        if (key) v->key(s->writer, key);
        put(s, v->at(value, i), key ? v->get(completed, key) : v->at(completed, i), secret);
    }
    v->end(s->writer);
}

void pdk_show_spec(const pdk_values *values, pdk_writer *writer, const pdk_spec *spec) {
    const struct showing s = {values, writer};
    if (values->type(spec->whole) != PDK_MAP) {
        values->put_value(writer, spec->whole);
        return;
    }
    values->put_map(writer);
    for (size_t i = 0; i < values->count(spec->whole); i++) {
        const char *key = values->key_at(spec->whole, i);
        values->key(writer, key);
        put(&s, values->at(spec->whole, i), strcmp(key, "with") == 0 ? spec->with : NULL, strcmp(key, "env") == 0);
    }
    values->end(writer);
}
