/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as YAML: a fault is reported and shown, or the value survives being written as JSON and read again. */
#include "core/base/buffer.h"
#include "core/yaml/yaml.h"
#include "fuzz.h"

static void walk(const pdk_value *value) {
    const pdk_values *v = pdk_values_get();
    char text[128];
    v->where(value, text, sizeof(text));
    pdk_value_pointer(value, text, sizeof(text));
    for (size_t i = 0; i < v->count(value) && v->type(value) != PDK_STRING; i++) {
        const char *key = v->key_at(value, i);
        if (key) MUST(v->get(value, key) == v->at(value, i));
        if (key) pdk_value_key_place(value, i);
        walk(v->at(value, i));
    }
}

static void check_value(const pdk_value *value) {
    const pdk_values *v = pdk_values_get();
    struct pdk_buffer json = PDK_BUFFER(PDK_JSON_SIZE_MAX);
    const pdk_value *again = NULL;
    MUST(v->print(v, value, PDK_JSON_PLAIN, pdk_buffer_write, &json) == 0);
    if (!json.error) {
        MUST(v->parse(v, json.data, json.size, "again", &again, NULL) == 0);
        MUST(pdk_value_equal(value, again));
    }
    v->drop(again);
    pdk_buffer_free(&json);
}

/* Every value may turn out to be wrong later: its fault must be shown, too. */
static void check_faults(const pdk_value *value, struct pdk_report *report) {
    const pdk_values *v = pdk_values_get();
    pdk_value_fault(report, -1, value, "expected", "suggestion", "message");
    for (size_t i = 0; i < v->count(value) && v->type(value) == PDK_MAP; i++) {
        pdk_value_key_fault(report, -1, value, i, NULL, NULL, "message");
        pdk_value_fault(report, -1, v->at(value, i), NULL, NULL, "message");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const pdk_value *value = NULL;
    struct pdk_report report = {0};
    int32_t rc = pdk_yaml_parse("fuzz.yaml", (const char *)data, size, &report, &value);
    MUST(value && (rc == 0) == (report.errors == 0));
    if (rc == 0) {
        check_value(value);
        walk(value);
        check_faults(value, &report);
    }
    pdk_report_sort(&report);
    pdk_report_print(&report, true, ignore_text, NULL);
    pdk_report_print_json(&report, ignore_text, NULL);
    pdk_report_free(&report);
    pdk_values_get()->drop(value);
    return 0;
}
