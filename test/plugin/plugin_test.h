/* SPDX-License-Identifier: Apache-2.0 */
/* The test host as cmocka wants it: what must go well and does not fails the test. */
#ifndef TEST_PLUGIN_TEST_H
#define TEST_PLUGIN_TEST_H

#include "support/unit.h"

#include <paddock/helpers.h>
#include <paddock/testhost.h>

#define SECONDS(n) ((n)*PDK_SECOND)

static inline void print_broken(void *arg, int32_t rule, const char *line) {
    (void)arg;
    print_error("rule %d: %s\n", rule, line);
}

/* One of our own plugins, or of another folder when that is not NULL. */
static inline pdk_test *try_load_plugin(const char *folder, const char *name, const char *config, uint32_t flags,
                                        pdk_error *err) {
    pdk_test_options options = PDK_TEST_OPTIONS(flags, config);
    char path[4096];
    options.broken = print_broken;
    (void)snprintf(path, sizeof path, "%s/%s.so", folder ? folder : PLUGIN_FOLDER, name);
    return pdk_test_load(path, &options, err);
}

static inline pdk_test *load_plugin(const char *name, const char *config, uint32_t flags) {
    pdk_error err = PDK_ERROR;
    pdk_test *t = try_load_plugin(NULL, name, config, flags, &err);
    if (!t) fail_msg("%s: %s", name, err.message);
    return t;
}

static inline void end_plugin(pdk_test *t) {
    int broken = pdk_test_end(t);
    if (broken) fail_msg("%d rules were broken", broken);
}

static inline pdk_test_task *build(pdk_test *t, const char *kind, const char *with) {
    pdk_error err = PDK_ERROR;
    pdk_test_task *task = pdk_test_build(t, kind, with, &err);
    if (!task) fail_msg("%.200s: %s", with, err.message);
    return task;
}

/* JSON of the payload; NULL: none. */
static inline pdk_test_task *build_with_input(pdk_test *t, const char *kind, const char *with, const char *input) {
    pdk_spec spec = {.struct_size = (uint32_t)sizeof spec, .kind = kind, .with = pdk_test_with(t, kind, with, NULL)};
    pdk_error err = PDK_ERROR;
    pdk_test_task *task;
    spec.input = pdk_test_value(t, input);
    task = pdk_test_build_spec(t, &spec, &err);
    if (!task) fail_msg("%.200s: %s", with, err.message);
    return task;
}

static inline pdk_test_attempt *start(pdk_test_task *task) {
    pdk_error err = PDK_ERROR;
    pdk_test_attempt *attempt = pdk_test_start(task, &err);
    if (!attempt) fail_msg("start: %s", err.message);
    return attempt;
}

/* What start says when it does not. */
static inline int32_t start_refused(pdk_test_task *task) {
    pdk_error err = PDK_ERROR;
    assert_null(pdk_test_start(task, &err));
    return err.code;
}

static inline void cancel(pdk_test_attempt *attempt) {
    pdk_test_cancel(attempt, PDK_CANCEL_USER);
}

static inline void wait_for(pdk_test_attempt *attempt) {
    assert_int_equal(pdk_test_wait(attempt), 0);
}

static inline void wait_for_output(pdk_test_attempt *attempt, const char *text) {
    assert_int_equal(pdk_test_wait_output(attempt, text), 0);
}

/* The message of building what cannot be built; and the JSON of what it points at, in *at unless that is NULL. */
static inline const char *refused(pdk_test *t, const char *kind, const char *with, const char **at) {
    static _Thread_local pdk_error err;
    err = (pdk_error)PDK_ERROR;
    if (pdk_test_build(t, kind, with, &err)) fail_msg("%.200s: was taken", with);
    assert_int_equal(err.code, -EINVAL);
    assert_true(err.message[0] != '\0');
    assert_non_null(err.at);
    if (at) *at = pdk_test_text(t, err.at);
    return err.message;
}

#endif
