/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of @NAME@ in a host of their own: <paddock/testhost.h>. Jobs wait there until the test lets them work, each in
 * a thread that is not the main one. Beside what is asked for here, every rule of the plugin's headers is watched,
 * and what is broken makes pdk_test_end answer how often.
 *
 *     plugin-test PLUGIN.so
 */
#include <errno.h>
#include <paddock/testhost.h>
#include <string.h>

static pdk_test_attempt *begin(pdk_test *t, const char *with) {
    return pdk_test_start(pdk_test_build(t, "@NAME@", with, NULL), NULL);
}

static void test_counts(pdk_test *t) {
    pdk_test_attempt *attempt = begin(t, "{'file': '/dev/null'}");
    if (pdk_test_wait(attempt) < 0) return;
    PDK_TEST(t, attempt->status == PDK_SUCCESS);
    PDK_TEST(t, strcmp(attempt->output[PDK_STDOUT], "0 lines\n") == 0);
}

static void test_has_no_file(pdk_test *t) {
    pdk_test_attempt *attempt = begin(t, "{'file': '/no/such/file'}");
    if (pdk_test_wait(attempt) < 0) return;
    PDK_TEST(t, attempt->status == PDK_FAILURE && attempt->category == PDK_CAT_MISSING);
    PDK_TEST(t, strcmp(attempt->message, "No such file or directory") == 0);
}

/* A task may be started again and again; /dev/zero would never end. */
static void test_ends_when_asked(pdk_test *t) {
    pdk_test_task *task = pdk_test_build(t, "@NAME@", "{'file': '/dev/zero'}", NULL);
    for (int i = 0; i < 2; i++) {
        pdk_test_attempt *attempt = pdk_test_start(task, NULL);
        pdk_test_cancel(attempt, PDK_CANCEL_USER);
        if (pdk_test_wait(attempt) < 0) return;
        PDK_TEST(t, attempt->status == PDK_CANCELED);
    }
}

/* The work is over, but nobody has heard of it yet. */
static void test_is_asked_too_late(pdk_test *t) {
    pdk_test_attempt *attempt = begin(t, "{'file': '/dev/null'}");
    PDK_TEST(t, pdk_test_work_job(t) == 0);
    pdk_test_cancel(attempt, PDK_CANCEL_USER);
    if (pdk_test_wait(attempt) < 0) return;
    PDK_TEST(t, attempt->status == PDK_CANCELED);
}

static void test_has_no_room(pdk_test *t) {
    pdk_error err = PDK_ERROR;
    PDK_TEST(t, pdk_test_fault(t, PDK_TEST_FAULT_SUBMIT_JOB, -EAGAIN, 0, 1) == 0);
    PDK_TEST(t, !pdk_test_start(pdk_test_build(t, "@NAME@", "{'file': '/dev/null'}", NULL), &err));
    PDK_TEST(t, strcmp(err.message, "too many jobs are waiting") == 0);
}

int main(int argc, char **argv) {
    pdk_test *t = pdk_test_load(argc > 1 ? argv[1] : "build/@NAME@.so", NULL, NULL);
    test_counts(t);
    test_has_no_file(t);
    test_ends_when_asked(t);
    test_is_asked_too_late(t);
    test_has_no_room(t);
    return pdk_test_end(t);
}
