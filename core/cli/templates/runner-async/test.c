/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of @NAME@ in a host of their own: <paddock/testhost.h>. Its time stands still until it is moved, so nothing
 * here waits. Beside what is asked for, every rule of the plugin's headers is watched, and what is broken makes
 * pdk_test_end answer how often.
 *
 *     plugin-test PLUGIN.so
 */
#include <errno.h>
#include <paddock/testhost.h>
#include <string.h>

static void test_ticks(pdk_test *t) {
    pdk_test_task *task = pdk_test_build(t, "@NAME@", "{'ticks': 2, 'every': '1h'}", NULL);
    pdk_test_attempt *attempt = pdk_test_start(task, NULL);
    if (!attempt) return;
    pdk_test_advance(t, 3600 * PDK_SECOND);
    PDK_TEST(t, strcmp(attempt->output[PDK_STDOUT], "tick 1\n") == 0);
    PDK_TEST(t, attempt->fraction == 0.5 && !attempt->done);
    pdk_test_advance(t, 3600 * PDK_SECOND);
    PDK_TEST(t, attempt->status == PDK_SUCCESS);
    PDK_TEST(t, pdk_test_timers(t) == 0);
}

/* A task may be started again and again, and each attempt begins from nothing. */
static void test_ends_when_asked(pdk_test *t) {
    pdk_test_task *task = pdk_test_build(t, "@NAME@", NULL, NULL);
    for (int i = 0; i < 2; i++) {
        pdk_test_attempt *attempt = pdk_test_start(task, NULL);
        if (!attempt) return;
        pdk_test_advance(t, 100 * PDK_MILLISECOND);
        pdk_test_cancel(attempt, PDK_CANCEL_USER);
        PDK_TEST(t, attempt->status == PDK_CANCELED);
        PDK_TEST(t, strcmp(attempt->output[PDK_STDOUT], "tick 1\n") == 0);
        PDK_TEST(t, pdk_test_timers(t) == 0);
    }
}

static void test_has_no_timer(pdk_test *t) {
    pdk_error err = PDK_ERROR;
    PDK_TEST(t, pdk_test_fault(t, PDK_TEST_FAULT_TIMER, -ENOMEM, 0, 1) == 0);
    PDK_TEST(t, !pdk_test_start(pdk_test_build(t, "@NAME@", NULL, NULL), &err));
    PDK_TEST(t, strcmp(err.message, "no timer can be had") == 0);
}

int main(int argc, char **argv) {
    pdk_test *t = pdk_test_load(argc > 1 ? argv[1] : "build/@NAME@.so", NULL, NULL);
    test_ticks(t);
    test_ends_when_asked(t);
    test_has_no_timer(t);
    return pdk_test_end(t);
}
