/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors from YAML, and matching. The text of a command line is read by selector_text.c. */
#include "core/spec/selector.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/spec/fields.h"

static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist", NULL};

static const struct pdk_field expression_rows[] = {
    {PDK_FIELD_NAME("key"), .type = PDK_FIELD_TEXT, .flags = PDK_FIELD_REQUIRED,
     .offset = offsetof(struct pdk_requirement, key)},
    {PDK_FIELD_NAME("operator"), .type = PDK_FIELD_CHOICE, .flags = PDK_FIELD_REQUIRED, .choices = operators,
     .offset = offsetof(struct pdk_requirement, operator)},
    {PDK_FIELD_NAME("values"), .type = PDK_FIELD_NAMES, .offset = offsetof(struct pdk_requirement, values)},
    {.name = NULL},
};

static const char *const no_values[] = {NULL};

static void read_label(struct pdk_reading *reading, const pdk_value *map, uint32_t i, struct pdk_requirement *ret) {
    const struct pdk_value_entry *entry = &map->as.map.entries[i];
    const char *why = "", **values, *text;
    if (pdk_label_key_check(entry->key, &why) < 0)
        pdk_reading_error(reading, pdk_value_key_fault(reading->report, -EINVAL, map, i, why, NULL,
                                                       "\"%.80s\" is not a label", entry->key));
    text = pdk_read_text(reading, entry->value, "a value of a label");
    if (!text) return;
    if (pdk_label_value_check(text, &why) < 0)
        pdk_reading_fault(reading, entry->value, why, NULL, "\"%.80s\" is not a value of a label", text);
    values = pdk_reading_alloc(reading, 2 * sizeof *values);
    if (!values) return;
    values[0] = text;
    *ret = (struct pdk_requirement){
        .key = entry->key, .values = values, .operator= PDK_OPERATOR_IN, .value_count = 1, .at = entry->value};
}

static void read_expression(struct pdk_reading *reading, const pdk_value *value, struct pdk_requirement *ret) {
    const char *why = "";
    int32_t before;
    bool wants;
    ret->values = no_values;
    ret->at = value;
    if (!pdk_read_is_map(reading, value, "a map with key, operator and values")) return;
    before = pdk_reading_begin(reading);
    pdk_fields_read(reading, expression_rows, value, ret);
    if (!pdk_reading_end(reading, before)) return;
    if (pdk_label_key_check(ret->key, &why) < 0)
        pdk_reading_fault(reading, pdk_values_get()->get(value, "key"), why, NULL, "\"%.80s\" is not a label",
                          ret->key);
    while (ret->values[ret->value_count]) {
        const char *text = ret->values[ret->value_count++];
        if (pdk_label_value_check(text, &why) < 0)
            pdk_reading_fault(reading, pdk_values_get()->get(value, "values"), why, NULL,
                              "\"%.80s\" is not a value of a label", text);
    }
    wants = ret->operator== PDK_OPERATOR_IN || ret->operator== PDK_OPERATOR_NOT_IN;
    if (wants != (ret->value_count > 0))
        pdk_reading_fault(reading, value, wants ? "add values: [...]" : "remove values", NULL, "%s %s values",
                          operators[ret->operator], wants ? "needs" : "takes no");
}

/* The full form has these two keys and no other. */
struct full_form {
    const pdk_value *labels, *expressions;
};

static const struct pdk_field full_rows[] = {
    {PDK_FIELD_NAME("matchLabels"), .type = PDK_FIELD_ANY, .offset = offsetof(struct full_form, labels)},
    {PDK_FIELD_NAME("matchExpressions"), .type = PDK_FIELD_ANY, .offset = offsetof(struct full_form, expressions)},
    {.name = NULL},
};

static void read_full(struct pdk_reading *reading, const pdk_value *value, struct full_form *ret) {
    const pdk_values *values = pdk_values_get();
    if (!values->get(value, "matchLabels") && !values->get(value, "matchExpressions")) {
        ret->labels = value;
        return;
    }
    pdk_fields_read(reading, full_rows, value, ret);
    if (ret->labels && !pdk_read_is_map(reading, ret->labels, "a map of labels")) ret->labels = NULL;
    if (ret->expressions && ret->expressions->type != PDK_LIST) {
        pdk_reading_fault(reading, ret->expressions, "write [{key: ..., operator: ..., values: [...]}]", NULL,
                          "expected a list");
        ret->expressions = NULL;
    }
}

int32_t pdk_selector_read(const pdk_value *value, struct pdk_arena *arena, struct pdk_report *report,
                          struct pdk_selector *ret) {
    struct pdk_reading reading = {.arena = arena, .report = report, .folder = "/"};
    struct full_form form = {NULL, NULL};
    struct pdk_requirement *requirements;
    uint32_t labels, count;
    if (!pdk_read_is_map(&reading, value, "a selector, such as {zone: local}")) return reading.error;
    read_full(&reading, value, &form);
    labels = form.labels ? form.labels->size : 0;
    count = labels + (form.expressions ? form.expressions->size : 0);
    requirements = pdk_reading_alloc(&reading, (count + 1) * sizeof *requirements);
    if (!requirements) return reading.error;
    for (uint32_t i = 0; i < labels; i++) read_label(&reading, form.labels, i, &requirements[i]);
    for (uint32_t i = labels; i < count; i++)
        read_expression(&reading, form.expressions->as.items[i - labels], &requirements[i]);
    if (reading.error < 0) return reading.error;
    *ret = (struct pdk_selector){requirements, count, value};
    return 0;
}

/* Matching. */

static bool among(const struct pdk_requirement *requirement, const char *text) {
    for (uint32_t i = 0; i < requirement->value_count; i++)
        if (!strcmp(requirement->values[i], text)) return true;
    return false;
}

static bool holds(const struct pdk_requirement *requirement, const char *text) {
    switch (requirement->operator) {
    case PDK_OPERATOR_IN: return text && among(requirement, text);
    case PDK_OPERATOR_NOT_IN: return !text || !among(requirement, text);
    case PDK_OPERATOR_EXISTS: return text != NULL;
    default: return text == NULL;
    }
}

bool pdk_selector_matches(const struct pdk_selector *selector, const pdk_value *labels,
                          const struct pdk_requirement **ret_failed) {
    const pdk_values *values = pdk_values_get();
    for (uint32_t i = 0; i < selector->count; i++) {
        const struct pdk_requirement *requirement = &selector->requirements[i];
        if (holds(requirement, pdk_value_text(values->get(labels, requirement->key)))) continue;
        if (ret_failed) *ret_failed = requirement;
        return false;
    }
    return true;
}

const char *pdk_requirement_print(const struct pdk_requirement *requirement, char *buf, size_t size) {
    static const char *const one[] = {"=", "!=", "", ""}, *const many[] = {" in (", " notin (", "", ""};
    bool single = requirement->value_count == 1;
    size_t used;
    if (size == 0) return buf;
    (void)snprintf(buf, size, "%s%s%s", requirement->operator== PDK_OPERATOR_DOES_NOT_EXIST ? "!" : "",
                   requirement->key, single ? one[requirement->operator] : many[requirement->operator]);
    for (uint32_t i = 0; i < requirement->value_count; i++) {
        used = strlen(buf);
        (void)snprintf(buf + used, size - used, "%s%s", i ? "," : "", requirement->values[i]);
    }
    used = strlen(buf);
    if (!single && requirement->value_count > 1) (void)snprintf(buf + used, size - used, ")");
    return buf;
}
