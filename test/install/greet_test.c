/* SPDX-License-Identifier: Apache-2.0 */
/* A test of the smallest runner, as its author may write one: plain C, which is plain C++ too, and no framework. */
#include <stdio.h>
#include <string.h>

#include <paddock/testhost.h>

int main(int argc, char **argv) {
    pdk_test *t = argc > 1 ? pdk_test_load(argv[1], NULL, NULL) : NULL;
    pdk_test_attempt *attempt = pdk_test_start(pdk_test_build(t, "greet", "{'name': 'you'}", NULL), NULL);
    if (!attempt) return 1;
    pdk_test_wait(attempt);
    PDK_TEST(t, attempt->status == PDK_SUCCESS);
    PDK_TEST(t, strstr(attempt->output[PDK_STDOUT], "you") != NULL);
    printf("it says %s", attempt->output[PDK_STDOUT]);
    return pdk_test_end(t);
}
