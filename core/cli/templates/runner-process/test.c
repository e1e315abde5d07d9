/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of @NAME@ in a host of their own: <paddock/testhost.h>. Children are simulated there: the test says what
 * becomes of them; `make run` shows the real program. Beside what is asked for here, every rule of the plugin's headers
 * is watched, and what is broken makes pdk_test_end answer how often.
 *
 *     plugin-test PLUGIN.so
 */
#include <errno.h>
#include <paddock/testhost.h>
#include <signal.h>
#include <string.h>

#define DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static pdk_test_attempt *begin(pdk_test *t) {
    return pdk_test_start(pdk_test_build(t, "@NAME@", "{'file': 'a file'}", NULL), NULL);
}

static void test_keeps_the_digest(pdk_test *t) {
    pdk_test_attempt *attempt = begin(t);
    pdk_test_child *child = pdk_test_last_child(t);
    if (!attempt || !child) return;
    PDK_TEST(t, strcmp(child->command.argv[0], "sha256sum") == 0);
    PDK_TEST(t, strcmp(child->command.argv[3], "a file") == 0);
    (void)pdk_test_child_writes(child, PDK_STDOUT, DIGEST "  a file\n");
    pdk_test_child_ended(child, 0, 0);
    if (pdk_test_wait(attempt) < 0) return;
    PDK_TEST(t, attempt->status == PDK_SUCCESS);
    PDK_TEST(t, strcmp(pdk_test_text(t, attempt->output_value), "{\"sha256\":\"" DIGEST "\"}") == 0);
}

static void test_fails_as_the_program_does(pdk_test *t) {
    pdk_test_attempt *attempt = begin(t);
    pdk_test_child *child = pdk_test_last_child(t);
    if (!attempt || !child) return;
    (void)pdk_test_child_writes(child, PDK_STDERR, "sha256sum: a file: No such file or directory\n");
    pdk_test_child_ended(child, 1, 0);
    if (pdk_test_wait(attempt) < 0) return;
    PDK_TEST(t, attempt->status == PDK_FAILURE && attempt->category == PDK_CAT_EXIT && attempt->exit_code == 1);
    PDK_TEST(t, strstr(attempt->output[PDK_STDERR], "No such file") != NULL);
}

static void test_has_no_program(pdk_test *t) {
    pdk_test_attempt *attempt = begin(t);
    pdk_test_child *child = pdk_test_last_child(t);
    if (!attempt || !child) return;
    pdk_test_child_failed(child, -ENOENT, "sha256sum: no such program");
    if (pdk_test_wait(attempt) < 0) return;
    PDK_TEST(t, attempt->status == PDK_FATAL && attempt->category == PDK_CAT_MISSING);
}

static void test_asks_then_insists(pdk_test *t) {
    pdk_test_attempt *attempt = begin(t);
    pdk_test_child *child = pdk_test_last_child(t);
    if (!attempt || !child) return;
    pdk_test_cancel(attempt, PDK_CANCEL_TIMEOUT);
    PDK_TEST(t, child->signal_count == 1 && child->signals[0] == SIGTERM);
    pdk_test_kill(attempt);
    PDK_TEST(t, child->killed == 1);
    pdk_test_child_ended(child, 0, SIGKILL);
    if (pdk_test_wait(attempt) < 0) return;
    PDK_TEST(t, attempt->status == PDK_CANCELED);
}

int main(int argc, char **argv) {
    pdk_test *t = pdk_test_load(argc > 1 ? argv[1] : "build/@NAME@.so", NULL, NULL);
    test_keeps_the_digest(t);
    test_fails_as_the_program_does(t);
    test_has_no_program(t);
    test_asks_then_insists(t);
    return pdk_test_end(t);
}
