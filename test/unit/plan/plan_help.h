/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration from text, and a plan from that. */
#ifndef TEST_UNIT_PLAN_PLAN_HELP_H
#define TEST_UNIT_PLAN_PLAN_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/plan/internal.h"
#include "core/yaml/yaml.h"

static inline struct pdk_config *config_of(const char *text) {
    struct pdk_report report = {0};
    struct pdk_config *config = NULL;
    const pdk_value *value = NULL;
    assert_int_equal(pdk_yaml_parse("test", text, strlen(text), &report, &value), 0);
    if (pdk_config_read(value, "/", &report, &config) < 0) fail_msg("%s", report.faults[0].message);
    pdk_values_get()->drop(value);
    pdk_report_free(&report);
    return config;
}

static inline struct pdk_plan *plan_of(struct pdk_config *config, const char *const *names) {
    struct pdk_plan *plan = NULL;
    const struct pdk_selection selection = {.names = names};
    pdk_error err = PDK_ERROR;
    if (pdk_plan_select(config, &selection, &plan, &err) < 0) fail_msg("%s", err.message);
    return plan;
}

#endif
