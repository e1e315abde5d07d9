/* SPDX-License-Identifier: Apache-2.0 */
/* What YAML becomes. */
#include "core/base/buffer.h"
#include "core/yaml/yaml.h"
#include "support/fail_alloc.h"
#include "support/unit.h"

static const pdk_values *v(void) {
    return pdk_values_get();
}

static void assert_becomes(const char *yaml, size_t size, const char *json) {
    const pdk_value *value = NULL;
    struct pdk_report report = {0};
    struct pdk_buffer out = PDK_BUFFER(1000000);
    int32_t rc = pdk_yaml_parse("a.yaml", yaml, size, &report, &value);
    if (rc) pdk_report_print(&report, false, pdk_buffer_write, &out);
    if (!rc) assert_int_equal(v()->print(v(), value, PDK_JSON_PLAIN, pdk_buffer_write, &out), 0);
    assert_string_equal(pdk_buffer_string(&out), json);
    pdk_buffer_free(&out);
    pdk_report_free(&report);
    v()->drop(value);
}

static void texts_become_values(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *json;
    } cases[] = {
        {"", "null"},
        {"# nothing\n", "null"},
        {"---\n", "null"},
        {"a: b", "{\"a\":\"b\"}"},
        {"a: 1\r\nb: [x, y]\r\n", "{\"a\":1,\"b\":[\"x\",\"y\"]}"},
        {"\xEF\xBB\xBF"
         "a: 1\n",
         "{\"a\":1}"},
        {"%YAML 1.1\n---\na: 1\n...\n", "{\"a\":1}"},
        {"%YAML 1.2\n---\na: 1\n", "{\"a\":1}"},
        {"a: |\n  one\n  two\nb: >-\n  one\n  two\n", "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\"}"},
        {"on: x\nno: y\n1: z\n", "{\"on\":\"x\",\"no\":\"y\",\"1\":\"z\"}"},
        {"{a: {b}, \"\": [], ? c: d}", "a.yaml:1:20: error: keys with \"? \" are not supported\n"
                                       "  1 | {a: {b}, \"\": [], ? c: d}\n"
                                       "    |                    ^ write NAME: VALUE\n1 error in 1 file\n"},
        {"{a: {b}, \"\": []}", "{\"a\":{\"b\":null},\"\":[]}"},
        {"a: what?\nb: why ?\nc: 1\n", "{\"a\":\"what?\",\"b\":\"why ?\",\"c\":1}"},
        {"\xC3\xA9: \xF0\x9F\x98\x80\n", "{\"\xC3\xA9\":\"\xF0\x9F\x98\x80\"}"},
        {"a: \"\\x1b\\N\\u2028\"\n", "{\"a\":\"\\u001b\xC2\x85\xE2\x80\xA8\"}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) assert_becomes(cases[i].yaml, strlen(cases[i].yaml), cases[i].json);
}

static void plain_scalars_have_types(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int32_t type;
    } cases[] = {
        {"null", PDK_NULL},
        {"~", PDK_NULL},
        {"Null", PDK_STRING},
        {"NULL", PDK_STRING},
        {"true", PDK_BOOL},
        {"false", PDK_BOOL},
        {"True", PDK_STRING},
        {"yes", PDK_STRING},
        {"0", PDK_INT},
        {"-7", PDK_INT},
        {"010", PDK_STRING},
        {"0x1f", PDK_STRING},
        {"0o17", PDK_STRING},
        {"+1", PDK_STRING},
        {"1_000", PDK_STRING},
        {"1:30", PDK_STRING},
        {"1.10", PDK_NUMBER},
        {".5", PDK_NUMBER},
        {"-.5e-3", PDK_NUMBER},
        {"1.", PDK_NUMBER},
        {"1e3", PDK_NUMBER},
        {"1e", PDK_STRING},
        {"1e999", PDK_STRING},
        {".inf", PDK_STRING},
        {".nan", PDK_STRING},
        {".", PDK_STRING},
        {"-", PDK_NULL},
        {"1.2.3", PDK_STRING},
        {"2024-01-01", PDK_STRING},
        {"9223372036854775807", PDK_INT},
        {"-9223372036854775808", PDK_INT},
        {"9223372036854775808", PDK_STRING},
        {"-9223372036854775809", PDK_STRING},
        {"'1'", PDK_STRING},
        {"\"true\"", PDK_STRING},
        {"''", PDK_STRING},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char yaml[64];
        const pdk_value *list = NULL;
        snprintf(yaml, sizeof(yaml), "- %s\n", cases[i].text);
        assert_int_equal(pdk_yaml_parse("a.yaml", yaml, strlen(yaml), NULL, &list), 0);
        const pdk_value *value = v()->at(list, 0);
        if (strcmp(cases[i].text, "-") == 0) value = v()->at(value, 0); /* a list in a list */
        assert_int_equal(v()->type(value), cases[i].type);
        bool quoted = cases[i].text[0] == '\'' || cases[i].text[0] == '"';
        assert_int_equal(value->flags, quoted ? PDK_VALUE_QUOTED : 0);
        if (!quoted && cases[i].type != PDK_NULL) assert_string_equal(pdk_value_text(value), cases[i].text);
        v()->drop(list);
    }
}

static void places_are_kept(void **state) {
    (void)state;
    static const char yaml[] = "tasks: &y\n"
                               "  \"w\xC3\xA9\": {cmd: [a, \"b c\"], e: {f: g}}\n"
                               "  more: |\n"
                               "    text\n";
    const pdk_value *value = NULL;
    struct pdk_report report = {0};
    assert_int_equal(pdk_yaml_parse("a.yaml", yaml, strlen(yaml), &report, &value), 0);
    const pdk_value *tasks = v()->get(value, "tasks"), *web = v()->at(tasks, 0);
    const pdk_value *text = v()->at(v()->get(web, "cmd"), 1);
    assert_int_equal(text->line, 2);
    assert_int_equal(text->column, 19);
    assert_int_equal(text->span, 5);
    assert_int_equal(v()->get(web, "cmd")->span, 10); /* the whole list */
    assert_int_equal(v()->get(web, "e")->span, 6);
    assert_int_equal(v()->get(tasks, "more")->span, UINT32_MAX); /* to the end of the line */
    struct pdk_place key = pdk_value_key_place(tasks, 0);
    assert_int_equal(key.line, 2);
    assert_int_equal(key.column, 3);
    assert_int_equal(key.span, 4);
    assert_string_equal(key.file, "a.yaml");
    char where[64];
    v()->where(text, where, sizeof(where));
    assert_string_equal(where, "a.yaml:2:19 tasks[\"w\xC3\xA9\"].cmd[1]");
    v()->drop(value);
}

static void anchors_are_expanded(void **state) {
    (void)state;
    static const struct {
        const char *yaml, *json;
    } cases[] = {
        {"a: &x [1, {b: c}]\nd: *x\n", "{\"a\":[1,{\"b\":\"c\"}],\"d\":[1,{\"b\":\"c\"}]}"},
        {"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"},
        {"a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3, m: 4}\n", "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"l\":3,\"m\":4,\"k\":1}}"},
        {"a: &x {k: 1}\nb: &y {k: 2, z: 3}\nc: {<<: [*y, *x]}\nd: {<<: [*x, *y]}\n",
         "{\"a\":{\"k\":1},\"b\":{\"k\":2,\"z\":3},\"c\":{\"k\":2,\"z\":3},\"d\":{\"k\":1,\"z\":3}}"},
        {"a: {\"<<\": 1}\n", "{\"a\":{\"<<\":1}}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) assert_becomes(cases[i].yaml, strlen(cases[i].yaml), cases[i].json);
}

static void faults_in_aliases_show_both_places(void **state) {
    (void)state;
    static const char yaml[] = "x-a: &a\n  restart: allways\nb:\n  <<: *a\n  c: *a\n";
    const pdk_value *value = NULL;
    struct pdk_report report = {0};
    struct pdk_buffer out = PDK_BUFFER(10000);
    assert_int_equal(pdk_yaml_parse("a.yaml", yaml, strlen(yaml), &report, &value), 0);
    const pdk_value *b = v()->get(value, "b");
    pdk_value_fault(&report, -EINVAL, v()->get(v()->get(b, "c"), "restart"), "e", "always", "m");
    pdk_value_key_fault(&report, -EINVAL, b, 1, NULL, NULL, "k");
    pdk_report_print(&report, false, pdk_buffer_write, &out);
    assert_string_equal(pdk_buffer_string(&out),
                        "a.yaml:5:6: error: b.c.restart: m\n"
                        "  5 |   c: *a\n"
                        "    |      ^~ e; did you mean \"always\"?; a.yaml:2:12: note: it comes from here\n"
                        "a.yaml:4:7: error: b: k\n"
                        "  4 |   <<: *a\n"
                        "    |       ^~ a.yaml:2:12: note: it comes from here\n"
                        "2 errors in 1 file\n");
    pdk_buffer_free(&out);
    pdk_report_free(&report);
    v()->drop(value);
}

static void secrets_are_masked(void **state) {
    (void)state;
    static const char yaml[] = "env: {PASSWORD: hunter2, A: b}\n";
    const pdk_value *value = NULL, *marked;
    struct pdk_report report = {0};
    struct pdk_buffer out = PDK_BUFFER(10000);
    assert_int_equal(pdk_yaml_parse("a.yaml", yaml, strlen(yaml), &report, &value), 0);
    pdk_writer *w = v()->open(v());
    pdk_writer_like(w, v()->at(v()->at(value, 0), 0));
    pdk_writer_flags(w, PDK_VALUE_SECRET);
    v()->put_string(w, "hunter2", 7);
    assert_int_equal(v()->close(w, &marked, NULL), 0);
    pdk_value_fault(&report, -EINVAL, marked, "longer", NULL, "too short");
    v()->drop(value); /* the text is kept by what took its place from it */
    pdk_report_print(&report, false, pdk_buffer_write, &out);
    assert_string_equal(pdk_buffer_string(&out), "a.yaml:1:17: error: env.PASSWORD: too short\n"
                                                 "  1 | env: {PASSWORD: ***, A: b}\n"
                                                 "    |                 ^~~ longer\n1 error in 1 file\n");
    pdk_buffer_free(&out);
    pdk_report_free(&report);
    v()->drop(marked);
}

static int32_t parse_much(void *arg) {
    const char *yaml = arg;
    struct pdk_report report = {0};
    const pdk_value *value = NULL;
    int32_t rc = pdk_yaml_parse("a.yaml", yaml, strlen(yaml), &report, &value);
    struct pdk_buffer out = PDK_BUFFER(100000);
    pdk_report_print(&report, false, pdk_buffer_write, &out); /* what it quotes must still be there */
    pdk_buffer_free(&out);
    pdk_report_free(&report);
    v()->drop(value);
    return rc;
}

static void lack_of_memory_is_an_error(void **state) {
    (void)state;
    struct pdk_buffer yaml = PDK_BUFFER(100000);
    pdk_buffer_text(&yaml, "a: &a {b: [1, 2], c: {d: e}}\nf: {<<: *a, g: *a}\nlarge: &l\n");
    for (int i = 0; i < 100; i++) pdk_buffer_format(&yaml, "  key%d: some text\n", i);
    pdk_buffer_text(&yaml, "copy: *l\n");
    assert_true(pdk_fail_sweep(parse_much, yaml.data) > 10);
    pdk_buffer_free(&yaml);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_values),
        cmocka_unit_test(plain_scalars_have_types),
        cmocka_unit_test(places_are_kept),
        cmocka_unit_test(anchors_are_expanded),
        cmocka_unit_test(faults_in_aliases_show_both_places),
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(lack_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
