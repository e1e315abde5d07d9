/* SPDX-License-Identifier: Apache-2.0 */
/* echo: what comes back, what is printed. */
#include "mock_host.h"

static const char *echo(struct mock *m, const char *with, const char *input, struct mock_attempt **ret) {
    pdk_error err = PDK_ERROR;
    struct mock_task *task;
    assert_int_equal(mock_try_build(m, "echo", with, input, &task, &err), 0);
    *ret = mock_start(task);
    assert_int_equal((*ret)->done, 1);
    assert_int_equal((*ret)->status, PDK_SUCCESS);
    return mock_print(m, (*ret)->output_value);
}

static void gives_back_the_message(void **state) {
    struct mock *m = mock_load("echo", NULL, NULL);
    struct mock_attempt *attempt;
    (void)state;
    assert_string_equal(echo(m, "{'message': {'a': [1, true, null]}}", NULL, &attempt), "{\"a\":[1,true,null]}");
    assert_null(attempt->output[PDK_STDOUT]);
    mock_free(m);
}

static void gives_back_the_input_when_there_is_no_message(void **state) {
    struct mock *m = mock_load("echo", NULL, NULL);
    struct mock_attempt *attempt;
    (void)state;
    assert_string_equal(echo(m, "{'input': [1]}", NULL, &attempt), "[1]");
    assert_string_equal(echo(m, "{}", "{'b': 2}", &attempt), "{\"b\":2}");
    assert_string_equal(echo(m, "{'message': 'm', 'input': 1}", NULL, &attempt), "\"m\"");
    assert_string_equal(echo(m, "{}", NULL, &attempt), "null");
    mock_free(m);
}

static void prints_text_as_it_is_and_the_rest_as_json(void **state) {
    struct mock *m = mock_load("echo", NULL, NULL);
    struct mock_attempt *attempt;
    (void)state;
    (void)echo(m, "{'message': 'two\\nlines', 'print': true}", NULL, &attempt);
    assert_string_equal(attempt->output[PDK_STDOUT], "two\nlines\n");
    (void)echo(m, "{'message': {'k': 'v'}, 'print': true}", NULL, &attempt);
    assert_string_equal(attempt->output[PDK_STDOUT], "{\"k\":\"v\"}\n");
    (void)echo(m, "{'print': true}", NULL, &attempt);
    assert_string_equal(attempt->output[PDK_STDOUT], "null\n");
    mock_free(m);
}

static void can_be_started_again(void **state) {
    struct mock *m = mock_load("echo", NULL, NULL);
    struct mock_task *task = mock_build(m, "echo", "{'message': 1}");
    (void)state;
    for (int i = 0; i < 3; i++) assert_int_equal(mock_start(task)->done, 1);
    mock_free(m);
}

static void needs_no_services(void **state) {
    const struct mock_options alone = {.no_services = true};
    struct mock *m = mock_load("echo", NULL, &alone);
    (void)state;
    assert_int_equal(mock_start(mock_build(m, "echo", "{'message': 1, 'print': true}"))->status, PDK_SUCCESS);
    mock_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_the_message),
        cmocka_unit_test(gives_back_the_input_when_there_is_no_message),
        cmocka_unit_test(prints_text_as_it_is_and_the_rest_as_json),
        cmocka_unit_test(can_be_started_again),
        cmocka_unit_test(needs_no_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
