/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of @NAME@ in a host of their own: <paddock/testhost.h>. Beside what is asked for here, every rule of the
 * plugin's headers is watched, and what is broken makes pdk_test_end answer how often.
 *
 *     plugin-test PLUGIN.so
 */
#include <paddock/testhost.h>
#include <string.h>

static void test_greets(pdk_test *t) {
    pdk_test_task *task = pdk_test_build(t, "@NAME@", "{'name': 'you', 'times': 2}", NULL);
    pdk_test_attempt *attempt = pdk_test_start(task, NULL);
    if (pdk_test_wait(attempt) < 0) return;
    PDK_TEST(t, attempt->status == PDK_SUCCESS);
    PDK_TEST(t, strcmp(attempt->output[PDK_STDOUT], "hello, you\nhello, you\n") == 0);
    PDK_TEST(t, strcmp(pdk_test_text(t, attempt->output_value), "{\"greeted\":\"you\"}") == 0);
}

/* What is wrong is found before anything runs. */
static void test_refuses(pdk_test *t) {
    pdk_error err = PDK_ERROR;
    PDK_TEST(t, !pdk_test_build(t, "@NAME@", "{}", &err));
    PDK_TEST(t, !pdk_test_build(t, "@NAME@", "{'name': 'you', 'times': 11}", &err));
    PDK_TEST(t, !pdk_test_build(t, "@NAME@", "{'name': 'two\\nlines'}", &err));
    PDK_TEST(t, err.at && strcmp(err.message, "a name is one line") == 0);
}

int main(int argc, char **argv) {
    pdk_test *t = pdk_test_load(argc > 1 ? argv[1] : "build/@NAME@.so", NULL, NULL);
    test_greets(t);
    test_refuses(t);
    return pdk_test_end(t);
}
