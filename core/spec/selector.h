/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and selectors, as Kubernetes has them. */
#ifndef CORE_SPEC_SELECTOR_H
#define CORE_SPEC_SELECTOR_H

#include "core/base/arena.h"
#include "core/value/value.h"

enum pdk_operator { PDK_OPERATOR_IN, PDK_OPERATOR_NOT_IN, PDK_OPERATOR_EXISTS, PDK_OPERATOR_DOES_NOT_EXIST };

struct pdk_requirement {
    const char *key;
    const char *const *values; /* NULL-ended */
    enum pdk_operator operator;
    uint32_t value_count;
    const pdk_value *at; /* where it was written; NULL: on a command line */
};

/* All of them must hold; none: everything matches. Lives in the arena it was read into. */
struct pdk_selector {
    const struct pdk_requirement *requirements;
    uint32_t count;
    const pdk_value *at;
};

/* From a value: {zone: local}, or {matchLabels, matchExpressions}. */
int32_t pdk_selector_read(const pdk_value *value, struct pdk_arena *arena, struct pdk_report *report,
                          struct pdk_selector *ret);

/* From kubectl's text: a=b,c!=d,e in (f,g),h,!i. err says where it went wrong. */
int32_t pdk_selector_parse(const char *text, struct pdk_arena *arena, struct pdk_selector *ret, pdk_error *err);

/* Do these labels (a map of strings, or NULL) match? If not, *ret_failed is the first requirement that fails. */
bool pdk_selector_matches(const struct pdk_selector *selector, const pdk_value *labels,
                          const struct pdk_requirement **ret_failed);

/* "zone=gpu", "zone in (a,b)", "!old". Returns buf. */
const char *pdk_requirement_print(const struct pdk_requirement *requirement, char *buf, size_t size);

/* Check a map of labels. */
int32_t pdk_labels_check(const pdk_value *labels, struct pdk_report *report);

#endif
