/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors: both ways of writing them, what they match, how they are printed. */
#include "read.h"

static void assert_matches(const char *text, const char *labels, bool wanted) {
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    const struct pdk_requirement *failed = NULL;
    pdk_error err = PDK_ERROR;
    const pdk_value *map = labels ? json(labels) : NULL;
    assert_int_equal(pdk_selector_parse(text, &arena, &selector, &err), 0);
    assert_int_equal(pdk_selector_matches(&selector, map, &failed), wanted);
    assert_int_equal(failed == NULL, wanted);
    pdk_values_get()->drop(map);
    pdk_arena_free(&arena);
}

static void each_operator_matches_as_in_kubernetes(void **state) {
    (void)state;
    assert_matches("", "{'a': 'b'}", true);
    assert_matches("", NULL, true);
    assert_matches("a=b", "{'a': 'b'}", true);
    assert_matches("a==b", "{'a': 'c'}", false);
    assert_matches("a=", "{'a': ''}", true);
    assert_matches("a=b", NULL, false);
    assert_matches("a!=b", "{'a': 'b'}", false);
    assert_matches("a!=b", "{'c': 'b'}", true); /* absent */
    assert_matches("a in (b,c)", "{'a': 'c'}", true);
    assert_matches("a in (b,c)", "{}", false);
    assert_matches("a notin (b,c)", "{'a': 'd'}", true);
    assert_matches("a notin (b,c)", "{'a': 'b'}", false);
    assert_matches("a notin (b,c)", "{}", true);
    assert_matches("a", "{'a': ''}", true);
    assert_matches("a", "{'b': 'a'}", false);
    assert_matches("!a", "{'b': 'a'}", true);
    assert_matches("!a", "{'a': 'a'}", false);
    assert_matches("a=b,c=d", "{'a': 'b'}", false);
    assert_matches(" a = b , ! c , d in ( e , f ) ", "{'a': 'b', 'd': 'f'}", true);
    assert_matches("example.com/a=b", "{'example.com/a': 'b'}", true);
    assert_matches("in in (in)", "{'in': 'in'}", true);
    assert_matches("n=1", "{'n': 1}", true);
}

static void assert_wrong(const char *text, const char *message) {
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    pdk_error err = PDK_ERROR;
    assert_int_equal(pdk_selector_parse(text, &arena, &selector, &err), -EINVAL);
    assert_string_equal(err.message, message);
    pdk_arena_free(&arena);
}

static void a_bad_text_says_where(void **state) {
    (void)state;
    assert_wrong("=b", "selector \"=b\", character 1: expected a label");
    assert_wrong("a,", "selector \"a,\", character 3: expected a label");
    assert_wrong(",a", "selector \",a\", character 1: expected a label");
    assert_wrong("a b", "selector \"a b\", character 3: expected a comma");
    assert_wrong("a in b", "selector \"a in b\", character 6: expected ( after in or notin");
    assert_wrong("a in (b", "selector \"a in (b\", character 8: expected , or )");
    assert_wrong("a=b=c", "selector \"a=b=c\", character 4: expected a comma");
    assert_wrong("!", "selector \"!\", character 2: expected a label");
    assert_wrong("-a", "selector \"-a\", character 1: it must begin and end with a letter or digit");
    assert_wrong("a=-", "selector \"a=-\", character 3: it must begin and end with a letter or digit");
    assert_wrong("a=\xc3\xa4", "selector \"a=\xc3\xa4\", character 3: expected a comma");
    char *text = calloc(1, 6000);
    assert_non_null(text);
    memset(text, 'a', 5000);
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    assert_int_equal(pdk_selector_parse(text, &arena, &selector, NULL), -EINVAL);
    for (size_t i = 1; i < 5000; i += 2) text[i] = ',';
    text[4000] = '\0';
    assert_int_equal(pdk_selector_parse(text, &arena, &selector, NULL), -EINVAL); /* too many */
    pdk_arena_free(&arena);
    free(text);
}

static void assert_prints(const char *text, const char *wanted) {
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    char buf[128];
    assert_int_equal(pdk_selector_parse(text, &arena, &selector, NULL), 0);
    assert_string_equal(pdk_requirement_print(&selector.requirements[0], buf, sizeof buf), wanted);
    assert_true(strlen(pdk_requirement_print(&selector.requirements[0], buf, 4)) <= 3);
    pdk_arena_free(&arena);
}

static void requirements_print_as_they_are_written(void **state) {
    (void)state;
    assert_prints("zone=gpu", "zone=gpu");
    assert_prints("zone!=gpu", "zone!=gpu");
    assert_prints("zone in (a, b)", "zone in (a,b)");
    assert_prints("zone notin (a,b)", "zone notin (a,b)");
    assert_prints("zone in (a)", "zone=a");
    assert_prints("zone", "zone");
    assert_prints("!zone", "!zone");
}

static void values_have_two_forms(void **state) {
    (void)state;
    const pdk_value *value =
        json("{'matchLabels': {'a': 1}, 'matchExpressions': [{'key': 'b', 'operator': 'NotIn', 'values': ['x', 'y']},"
             " {'key': 'c', 'operator': 'Exists'}]}");
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    char buf[64];
    assert_int_equal(pdk_selector_read(value, &arena, NULL, &selector), 0);
    assert_int_equal(selector.count, 3);
    assert_string_equal(pdk_requirement_print(&selector.requirements[0], buf, sizeof buf), "a=1");
    assert_string_equal(pdk_requirement_print(&selector.requirements[1], buf, sizeof buf), "b notin (x,y)");
    assert_string_equal(pdk_requirement_print(&selector.requirements[2], buf, sizeof buf), "c");
    assert_ptr_equal(selector.at, value);
    pdk_arena_free(&arena);
    pdk_values_get()->drop(value);
}

static void labels_are_checked(void **state) {
    (void)state;
    const pdk_value *good = json("{'a': '', 'x.io/b': '1'}"), *bad = json("{'a': 'x y', 'paddock/x': 'y'}");
    struct pdk_report report = {.limit = 0};
    assert_int_equal(pdk_labels_check(good, &report), 0);
    assert_int_equal(pdk_labels_check(NULL, &report), 0);
    assert_int_equal(pdk_labels_check(bad, &report), -EINVAL);
    assert_int_equal(report.errors, 2);
    pdk_report_free(&report);
    pdk_values_get()->drop(good);
    pdk_values_get()->drop(bad);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operator_matches_as_in_kubernetes),
        cmocka_unit_test(a_bad_text_says_where),
        cmocka_unit_test(requirements_print_as_they_are_written),
        cmocka_unit_test(values_have_two_forms),
        cmocka_unit_test(labels_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
