/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in and out. */
#include <locale.h>

#include "core/base/buffer.h"
#include "core/value/value.h"
#include "support/unit.h"

static const pdk_values *v(void) {
    return pdk_values_get();
}

static void assert_prints(const pdk_value *value, uint32_t flags, const char *wanted) {
    struct pdk_buffer out = PDK_BUFFER(1000000);
    assert_int_equal(v()->print(v(), value, flags, pdk_buffer_write, &out), 0);
    assert_string_equal(pdk_buffer_string(&out), wanted);
    pdk_buffer_free(&out);
}

static void check_round_trip(const char *json, const char *wanted) {
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    assert_int_equal(v()->parse(v(), json, strlen(json), NULL, &value, &err), 0);
    assert_prints(value, PDK_JSON_PLAIN, wanted);
    v()->drop(value);
}

static const struct {
    const char *json, *printed;
} good[] = {
    {"null", "null"},
    {" [ ] ", "[]"},
    {"{}", "{}"},
    {"[true,false,null]", "[true,false,null]"},
    {"[0,-0,7,-9223372036854775808,9223372036854775807]", "[0,0,7,-9223372036854775808,9223372036854775807]"},
    {"[1.0,0.1,-2.5e-7,1e300,3.0,0.30000000000000004]", "[1.0,0.1,-2.5e-07,1e+300,3.0,0.30000000000000004]"},
    {"\"\\u00e9\\ud83d\\ude00\\n\\t\\\"\\\\\\/\\u001b\"", "\"\xC3\xA9\xF0\x9F\x98\x80\\n\\t\\\"\\\\/\\u001b\""},
    {"{\"b\":1,\"a\":{\"\":[]}}", "{\"b\":1,\"a\":{\"\":[]}}"},
};

static void what_is_read_is_printed(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) check_round_trip(good[i].json, good[i].printed);
}

static void locales_change_nothing(void **state) {
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "pl_PL.UTF-8"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (setlocale(LC_NUMERIC, names[i])) break; /* if the machine has none of them, this repeats the test above */
    }
    what_is_read_is_printed(state);
    setlocale(LC_NUMERIC, "C");
}

static void printing_has_forms(void **state) {
    (void)state;
    const char *json = "{\"b\":[1,{\"x\":null}],\"a\":{},\"c\":[]}";
    const pdk_value *value = NULL;
    assert_int_equal(v()->parse(v(), json, strlen(json), "test", &value, NULL), 0);
    assert_prints(value, PDK_JSON_SORT, "{\"a\":{},\"b\":[1,{\"x\":null}],\"c\":[]}");
    assert_prints(value, PDK_JSON_INDENT,
                  "{\n  \"b\": [\n    1,\n    {\n      \"x\": null\n    }\n  ],\n  \"a\": {},\n  \"c\": []\n}");
    v()->drop(value);
}

static void long_strings_are_printed_whole(void **state) {
    (void)state;
    char json[5003], *end = json;
    *end++ = '"';
    for (int i = 0; i < 5000; i++) *end++ = (char)('a' + i % 26);
    memcpy(end, "\"", 2);
    check_round_trip(json, json);
}

/* Each byte, wherever it stands, for several are looked at together. */
static void each_byte_is_escaped_everywhere(void **state) {
    (void)state;
    static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    for (int c = 1; c < 0x80; c++) {
        const char *found = strchr(named, c);
        char as[8] = {(char)c};
        if (found)
            (void)snprintf(as, sizeof as, "\\%c", letters[found - named]);
        else if (c < 0x20)
            (void)snprintf(as, sizeof as, "\\u%04x", c);
        for (int before = 0; before < 9; before++) {
            char json[64];
            (void)snprintf(json, sizeof json, "\"%.*s%s%s\"", before, "!#[]~ ~]#", as, "\xC3\xA9 0123456789");
            check_round_trip(json, json);
        }
    }
}

static void faults_are_told(void **state) {
    (void)state;
    static const struct {
        const char *json, *message;
    } cases[] = {
        {"[1,2", "o:1:4: ']' expected near end of file"},
        {"", "o:1:0: unexpected token near end of file"},
        {"{\"a\":1,\n\"a\":2}", "o:2:3: duplicate object key near '\"a\"'"},
        {"99999999999999999999", "o:1:20: too big integer near '99999999999999999999'"},
        {"1e999", "o:1:5: real number overflow near '1e999'"},
        {"NaN", "o:1:3: invalid token near 'NaN'"},
        {"\"a\\u0000b\"", "o:1:10: a NUL in a string"},
        {"[1] x", "o:1:5: end of file expected near 'x'"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const pdk_value *value = NULL;
        pdk_error err = PDK_ERROR;
        assert_int_equal(v()->parse(v(), cases[i].json, strlen(cases[i].json), "o", &value, &err), -EINVAL);
        assert_string_equal(err.message, cases[i].message);
        assert_null(value);
    }
}

/* open/close: repeated around the middle. */
static int32_t parse_repeated(const char *open, const char *middle, const char *close, int times, const char *message) {
    struct pdk_buffer json = PDK_BUFFER(64 * 1024 * 1024);
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    for (int i = 0; i < times; i++) pdk_buffer_text(&json, open);
    pdk_buffer_text(&json, middle);
    for (int i = 0; i < times; i++) pdk_buffer_text(&json, close);
    int32_t rc = v()->parse(v(), json.data, json.size, "o", &value, &err);
    assert_string_equal(err.message, message);
    v()->drop(value);
    pdk_buffer_free(&json);
    return rc;
}

static void limits_are_kept(void **state) {
    (void)state;
    assert_int_equal(parse_repeated("[", "", "]", 64, ""), 0);
    assert_int_equal(parse_repeated("[", "", "]", 65, "o: nested more than 64 deep"), -E2BIG);
    assert_int_equal(parse_repeated("{\"a\":", "[\"[[[[\"]", "}", 63, ""), 0);
    assert_int_equal(parse_repeated("[0,", "0", "", 65, "o: nested more than 64 deep"), -E2BIG);
    assert_int_equal(parse_repeated(",[]", "", "", 1500000, "o: more than 1000000 values"), -E2BIG);
    assert_int_equal(parse_repeated("                ", "1", "", 1024 * 1024 + 1, "o: more than 16 MiB of JSON"),
                     -E2BIG);
}

static void values_are_counted_exactly(void **state) {
    (void)state;
    struct pdk_buffer json = PDK_BUFFER(64 * 1024 * 1024);
    for (int extra = 0; extra < 2; extra++) {
        const pdk_value *value = NULL;
        pdk_buffer_cut(&json, SIZE_MAX);
        pdk_buffer_text(&json, "[[]");
        for (int i = 0; i < PDK_VALUE_NODES_MAX - 2 + extra; i++) pdk_buffer_text(&json, ",[]");
        pdk_buffer_text(&json, "]");
        assert_int_equal(v()->parse(v(), json.data, json.size, "o", &value, NULL), extra ? -E2BIG : 0);
        v()->drop(value);
    }
    pdk_buffer_free(&json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_printed),
        cmocka_unit_test(locales_change_nothing),
        cmocka_unit_test(printing_has_forms),
        cmocka_unit_test(long_strings_are_printed_whole),
        cmocka_unit_test(each_byte_is_escaped_everywhere),
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(values_are_counted_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
