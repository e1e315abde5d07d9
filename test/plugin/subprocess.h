/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of subprocess with scripted children share. */
#ifndef TEST_PLUGIN_SUBPROCESS_H
#define TEST_PLUGIN_SUBPROCESS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugin_test.h"

static inline pdk_test_attempt *begin(pdk_test *m, const char *with) {
    pdk_test_attempt *attempt = start(build(m, "subprocess", with));
    pdk_test_run_jobs(m);
    return attempt;
}

/* Begin, and let the child say that it runs. */
static inline pdk_test_child *run(pdk_test *m, const char *with, pdk_test_attempt **ret) {
    pdk_test_child *child;
    *ret = begin(m, with);
    child = pdk_test_last_child(m);
    pdk_test_child_started(child, 4242);
    return child;
}

static inline void expect(const pdk_test_attempt *attempt, int32_t status, int32_t category, const char *message) {
    assert_int_equal(attempt->done, 1);
    if (attempt->status != status || attempt->category != category || !strstr(attempt->message, message))
        fail_msg("status %d, category %d, \"%s\"", attempt->status, attempt->category, attempt->message);
}

static inline char *temporary(char *name) {
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    return name;
}

static inline void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

#endif
