/* SPDX-License-Identifier: Apache-2.0 */
/* Labels: keys and values by Kubernetes' rules. */
#include <errno.h>
#include <string.h>

#include "core/base/text.h"
#include "core/spec/selector.h"

static int32_t check_label(const pdk_value *labels, uint32_t i, struct pdk_report *report) {
    const struct pdk_value_entry *entry = &labels->as.map.entries[i];
    const char *why = "", *text = pdk_value_text(entry->value);
    int32_t rc = 0;
    if (pdk_label_key_check(entry->key, &why) < 0)
        rc = pdk_value_key_fault(report, -EINVAL, labels, i, why, NULL, "\"%.80s\" is not a label", entry->key);
    else if (strncmp(entry->key, "paddock/", 8) == 0)
        rc = pdk_value_key_fault(report, -EINVAL, labels, i, "use another prefix", NULL,
                                 "labels under paddock/ are Paddock's own");
    if (!text)
        return pdk_value_fault(report, -EINVAL, entry->value, "write text, or \"\"", NULL, "a label cannot be %s",
                               entry->value->type == PDK_LIST  ? "a list"
                               : entry->value->type == PDK_MAP ? "a map"
                                                               : "nothing");
    if (pdk_label_value_check(text, &why) < 0)
        rc = pdk_value_fault(report, -EINVAL, entry->value, why, NULL, "\"%.80s\" is not a value of a label", text);
    return rc;
}

int32_t pdk_labels_check(const pdk_value *labels, struct pdk_report *report) {
    int32_t rc = 0, one;
    if (pdk_value_is_null(labels)) return 0;
    if (labels->type != PDK_MAP)
        return pdk_value_fault(report, -EINVAL, labels, "write {name: value}", NULL, "labels are a map");
    for (uint32_t i = 0; i < labels->size; i++) {
        one = check_label(labels, i, report);
        if (one < 0) rc = one;
    }
    return rc;
}
