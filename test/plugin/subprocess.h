/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of subprocess with scripted children share. */
#ifndef TEST_PLUGIN_SUBPROCESS_H
#define TEST_PLUGIN_SUBPROCESS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mock_host.h"

static inline struct mock_attempt *begin(struct mock *m, const char *with) {
    struct mock_attempt *attempt = mock_start(mock_build(m, "subprocess", with));
    mock_run_jobs(m);
    return attempt;
}

/* Begin, and let the child say that it runs. */
static inline struct mock_child *run(struct mock *m, const char *with, struct mock_attempt **ret) {
    struct mock_child *child;
    *ret = begin(m, with);
    child = mock_last_child(m);
    mock_child_started(child, 4242);
    return child;
}

static inline void expect(const struct mock_attempt *attempt, int32_t status, int32_t category, const char *message) {
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
