/* SPDX-License-Identifier: Apache-2.0 */
/* echo: what comes back, what is printed. */
#include "plugin_test.h"

static const char *echo(pdk_test *m, const char *with, const char *input, pdk_test_attempt **ret) {
    *ret = start(build_with_input(m, "echo", with, input));
    assert_int_equal((*ret)->done, 1);
    assert_int_equal((*ret)->status, PDK_SUCCESS);
    return pdk_test_text(m, (*ret)->output_value);
}

static void gives_back_the_message(void **state) {
    pdk_test *m = load_plugin("echo", NULL, 0);
    pdk_test_attempt *attempt;
    (void)state;
    assert_string_equal(echo(m, "{'message': {'a': [1, true, null]}}", NULL, &attempt), "{\"a\":[1,true,null]}");
    assert_string_equal(attempt->output[PDK_STDOUT], "");
    end_plugin(m);
}

static void gives_back_the_input_when_there_is_no_message(void **state) {
    pdk_test *m = load_plugin("echo", NULL, 0);
    pdk_test_attempt *attempt;
    (void)state;
    assert_string_equal(echo(m, "{'input': [1]}", NULL, &attempt), "[1]");
    assert_string_equal(echo(m, "{}", "{'b': 2}", &attempt), "{\"b\":2}");
    assert_string_equal(echo(m, "{'message': 'm', 'input': 1}", NULL, &attempt), "\"m\"");
    assert_string_equal(echo(m, "{}", NULL, &attempt), "null");
    end_plugin(m);
}

static void prints_text_as_it_is_and_the_rest_as_json(void **state) {
    pdk_test *m = load_plugin("echo", NULL, 0);
    pdk_test_attempt *attempt;
    (void)state;
    (void)echo(m, "{'message': 'two\\nlines', 'print': true}", NULL, &attempt);
    assert_string_equal(attempt->output[PDK_STDOUT], "two\nlines\n");
    (void)echo(m, "{'message': {'k': 'v'}, 'print': true}", NULL, &attempt);
    assert_string_equal(attempt->output[PDK_STDOUT], "{\"k\":\"v\"}\n");
    (void)echo(m, "{'print': true}", NULL, &attempt);
    assert_string_equal(attempt->output[PDK_STDOUT], "null\n");
    end_plugin(m);
}

static void can_be_started_again(void **state) {
    pdk_test *m = load_plugin("echo", NULL, 0);
    pdk_test_task *task = build(m, "echo", "{'message': 1}");
    (void)state;
    for (int i = 0; i < 3; i++) assert_int_equal(start(task)->done, 1);
    end_plugin(m);
}

static void needs_no_services(void **state) {
    pdk_test *m = load_plugin("echo", NULL, PDK_TEST_NO_SERVICES);
    (void)state;
    assert_int_equal(start(build(m, "echo", "{'message': 1, 'print': true}"))->status, PDK_SUCCESS);
    end_plugin(m);
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
