/* SPDX-License-Identifier: Apache-2.0 */
/* What tests share that ask a plugin in a supervisor. */
#ifndef TEST_SUPPORT_ASKING_H
#define TEST_SUPPORT_ASKING_H

#include "core/value/value.h"
#include "support/unit.h"

/* To be dropped. */
static inline const pdk_value *parse(const char *text) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *value = NULL;
    assert_int_equal(values->parse(values, text, strlen(text), "test", &value, NULL), 0);
    return value;
}

/* As `log` of a supervisor: it may say what it likes, but not that there is a bug. */
static inline void quiet(void *arg, int32_t level, const char *part, const char *run_id, const char *text) {
    (void)arg, (void)part, (void)run_id;
    if (level == PDK_LOG_BUG) fail_msg("%s", text);
}

#endif
