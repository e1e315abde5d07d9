/* SPDX-License-Identifier: Apache-2.0 */
/* Values for the plugin: from JSON, checked and completed as a host does it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/spec/schema.h"
#include "core/testhost/internal.h"
#include "paddock/helpers.h"

const pdk_value *pdk_test_keep(pdk_test *t, const pdk_value *value) {
    if (t->value_count == t->value_capacity) {
        size_t capacity = t->value_capacity ? 2 * t->value_capacity : 64;
        const pdk_value **more = reallocarray(t->values, capacity, sizeof(*more));
        if (!more) {
            pdk_values_get()->drop(value);
            return NULL;
        }
        t->values = more;
        t->value_capacity = capacity;
    }
    return t->values[t->value_count++] = value;
}

int32_t pdk_test_parse(pdk_test *t, const char *json, const pdk_value **ret, pdk_error *err) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *value = NULL;
    char *copy = strdup(json);
    int32_t rc;
    if (!copy) return -ENOMEM;
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    rc = values->parse(values, copy, strlen(copy), "test", &value, err);
    free(copy);
    if (rc == 0 && !pdk_test_keep(t, value)) rc = -ENOMEM;
    if (rc == 0) *ret = value;
    return rc;
}

const pdk_value *pdk_test_value(pdk_test *t, const char *json) {
    const pdk_value *value = NULL;
    pdk_error why = PDK_ERROR;
    int32_t rc = t && json ? pdk_test_parse(t, json, &value, &why) : 0;
    if (rc) (void)pdk_test_failed(t, NULL, rc, &why, json);
    return value;
}

const char *pdk_test_text(pdk_test *t, const pdk_value *value) {
    struct pdk_buffer text = PDK_BUFFER(OUTPUT_MAX);
    const char *kept = "null";
    if (!t || !value) return kept;
    (void)pdk_values_get()->print(pdk_values_get(), value, PDK_JSON_PLAIN, pdk_buffer_write, &text);
    if (!text.error) kept = pdk_arena_text(&t->arena, pdk_buffer_string(&text), text.size);
    pdk_buffer_free(&text);
    return kept ? kept : "";
}

/* The map without a key, or with another value for it. */
static const pdk_value *with_key(pdk_test *t, const pdk_value *map, const char *key, const pdk_value *value) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *made = NULL;
    pdk_writer *w = values->open(values);
    values->put_map(w);
    for (size_t i = 0; i < values->count(map); i++) {
        if (!strcmp(values->key_at(map, i), key)) continue;
        values->key(w, values->key_at(map, i));
        values->put_value(w, values->at(map, i));
    }
    if (value) values->key(w, key);
    if (value) values->put_value(w, value);
    values->end(w);
    return values->close(w, &made, NULL) == 0 ? pdk_test_keep(t, made) : NULL;
}

/* What was complained about, as the error of one call. */
static void tell(const struct pdk_report *report, const pdk_value *at, int32_t rc, pdk_error *err) {
    if (report->count)
        (void)pdk_fail(err, rc, at, *report->faults[0].path ? report->faults[0].path : "",
                       *report->faults[0].path ? ": " : "", report->faults[0].message);
    else
        (void)pdk_fail(err, rc, at, strerror(-rc), NULL, NULL);
}

/* env is a field of tasks that a host reads by rules of its own (null unsets) before it hands it on in `with`: it is taken
 * as it is. */
int32_t pdk_test_complete(pdk_test *t, const pdk_schema *schema, const pdk_value *given, const pdk_value **ret,
                          pdk_error *err) {
    const pdk_param *row = schema ? pdk_schema_find(schema, "env") : NULL;
    const pdk_value *env = row && row->type == PDK_STRING_MAP ? pdk_values_get()->get(given, "env") : NULL;
    struct pdk_report report = {.limit = 1};
    int32_t rc;
    *ret = given;
    if (t->options.flags & PDK_TEST_UNCHECKED) return 0;
    rc = pdk_schema_check(schema, t->plugin->name, env ? with_key(t, given, "env", NULL) : given, &report, ret);
    if (rc == 0 && !pdk_test_keep(t, *ret)) rc = -ENOMEM;
    if (rc == 0 && env) *ret = with_key(t, *ret, "env", env);
    if (rc) tell(&report, given, rc, err);
    pdk_report_free(&report);
    return rc;
}
