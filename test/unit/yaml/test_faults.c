/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused, and in which words. */
#include "core/base/buffer.h"
#include "core/yaml/yaml.h"
#include "support/unit.h"

/* The first fault as it is shown, without its source line; and nothing but a null remains. */
static void assert_refused(const char *yaml, size_t size, const char *headline, const char *advice) {
    const pdk_value *value = NULL;
    struct pdk_report report = {0};
    struct pdk_buffer out = PDK_BUFFER(100000);
    assert_int_equal(pdk_yaml_parse("f", yaml, size, &report, &value), -EINVAL);
    assert_true(report.count > 0);
    assert_int_equal(pdk_values_get()->type(value), PDK_NULL);
    struct pdk_fault fault = report.faults[0];
    fault.place.text = NULL;
    pdk_fault_print(&fault, false, pdk_buffer_write, &out);
    struct pdk_buffer wanted = PDK_BUFFER(100000);
    pdk_buffer_format(&wanted, "f%s\n%s%s%s", headline, *advice ? "    " : "", advice, *advice ? "\n" : "");
    assert_string_equal(pdk_buffer_string(&out), pdk_buffer_string(&wanted));
    pdk_buffer_cut(&out, SIZE_MAX);
    pdk_report_print(&report, true, pdk_buffer_write, &out); /* with its line: must not fail */
    pdk_buffer_free(&wanted);
    pdk_buffer_free(&out);
    pdk_report_free(&report);
    pdk_values_get()->drop(value);
}

static const struct {
    const char *yaml, *headline, *advice;
} cases[] = {
    /* double keys, anchors, merges */
    {"tasks:\n  web: a\n  b: {A: 1, A: 2}\n", ":3:13: error: tasks.b: \"A\" is here twice",
     "every name once; f:3:7: note: the first is here"},
    {"a: *x\n", ":1:4: error: a: there is no anchor \"&x\" before this", "define it above, or put the text in quotes"},
    {"a: &a [1, *a]\n", ":1:11: error: a[1]: the alias \"*a\" is inside its own anchor",
     "break the circle; f:1:4: note: the anchor is here"},
    {"a: &a {<<: *a}\n", ":1:12: error: a: the alias \"*a\" is inside its own anchor",
     "break the circle; f:1:4: note: the anchor is here"},
    {"a: {<<: {b: c}}\n", ":1:9: error: a: \"<<\" merges anchored maps only", "write <<: *name or <<: [*a, *b]"},
    {"a: {<<: b}\n", ":1:9: error: a: \"<<\" merges anchored maps only", "write <<: *name or <<: [*a, *b]"},
    {"x: &x 1\na: {<<: *x}\n", ":2:9: error: a: \"<<\" merges anchored maps only",
     "a map; f:1:4: note: this is what it names"},
    {"x: &x {}\na: {<<: *x, <<: *x}\n", ":2:13: error: a: \"<<\" is here twice", "write <<: [*a, *b]"},
    {"x: &x a\n*x : b\n", ":2:1: error: an alias cannot be a key", "write NAME: VALUE"},
    {"&x a: b\n", ":1:1: error: an anchor cannot stand at a key", "put it before the value"},
    /* what we do not take */
    {"a: !!int 1\n", ":1:4: error: a: tags are not supported", "leave it out; the field decides the type"},
    {"a: !Ref b\n", ":1:4: error: a: tags are not supported", "leave it out; the field decides the type"},
    {"a: !x!y 1\n", ":1:4: error: tags are not supported", "leave it out, or put the text in quotes"},
    {"%TAG ! tag:x,2000:\n---\na: 1\n", ":1:1: error: %TAG is not supported", "leave it out"},
    {"%YAML 2.0\n---\na: 1\n", ":1:1: error: only YAML 1.1 and 1.2 are supported", "leave it out"},
    {"%FOO x\n---\na: 1\n", ":1:1: error: only %YAML 1.1 or %YAML 1.2 may stand here", "leave it out"},
    {"? a\n: b\n", ":1:3: error: keys with \"? \" are not supported", "write NAME: VALUE"},
    {"[a]: b\n", ":1:1: error: a list cannot be a key", "write NAME: VALUE"},
    {"{a: b}: c\n", ":1:1: error: a map cannot be a key", "write NAME: VALUE"},
    {"?\n: b\n", ":1:2: error: keys with \"? \" are not supported", "write NAME: VALUE"},
    {": b\n", ":1:1: error: there is no key before the colon", "write NAME: VALUE"},
    {"a: 1\n---\nb: 2\n", ":2:1: error: a second document begins here", "one document per file; use include"},
    {"a: \"x\\0\"\n", ":1:4: error: a: a NUL in a text", "no program could be given it"},
    {"\"\\0\": x\n", ":1:1: error: a NUL in a key", ""},
    /* slips of the hand */
    {"a:\n\tb: 1\n", ":2:1: error: a tab cannot indent YAML", "use spaces"},
    {"a:\n  \tb: 1\n", ":2:3: error: a tab cannot indent YAML", "use spaces"},
    {"a:\n  b: x\n\tc: y\n", ":3:1: error: a tab cannot indent YAML", "use spaces"},
    {"a: |\n\tx\n", ":2:1: error: a tab cannot indent YAML", "use spaces"},
    {"a: \"x\nb: 1\n", ":1:4: error: this quote is never closed", "write the same quote at its end"},
    {"a: 'x\n---\n", ":1:4: error: this quote is not closed before the document ends",
     "write the same quote at its end"},
    {"a: [1, 2", ":1:4: error: this list is never closed", "write ] at its end"},
    {"a: {b: [1]\n", ":1:4: error: this map is never closed", "write } at its end"},
    {"a: [\"x\" y]\n", ":1:9: error: a comma or ] is missing before this",
     "write , between items; f:1:4: note: the list begins here"},
    {"a: {b: \"x\" y: z}\n", ":1:12: error: a comma or } is missing before this",
     "write , between fields; f:1:4: note: the map begins here"},
    {"a: b: c\n", ":1:5: error: a second \": \" in one value", "put the whole value in quotes"},
    {"a: 1\n  b: 2\n", ":2:3: error: a key cannot stand here",
     "indent it like its neighbours, or put the text above in quotes"},
    {"a: - b\n", ":1:4: error: a list with dashes cannot begin behind a key",
     "begin it on the next line, or write [a, b]"},
    {"a: @x\n", ":1:4: error: a text without quotes cannot begin with this", "put the whole text in quotes"},
    {"a: `x`\n", ":1:4: error: a text without quotes cannot begin with this", "put the whole text in quotes"},
    {"a: %x\n", ":1:4: error: a text without quotes cannot begin with this", "put the whole text in quotes"},
    {"cron: * * * * *\n", ":1:7: error: \"*\" begins the name of an anchor", "put the whole text in quotes"},
    {"cron: */5 * * * *\n", ":1:7: error: \"*\" begins the name of an anchor", "put the whole text in quotes"},
    {"a: & b\n", ":1:4: error: \"&\" begins the name of an anchor", "put the whole text in quotes"},
    {"a:\n    b: 1\n  c: 2\n", ":3:3: error: this line is indented like none above it",
     "indent it like its neighbours; f:1:1: note: the fields begin here"},
    {"a: 1\n- b\n", ":2:1: error: a list item where a field should be",
     "indent the list below its key; f:1:1: note: the fields begin here"},
    {"a:\n - x\n b: 1\n", ":3:2: error: this line is no item of the list above",
     "begin it with \"- \", or indent it like its neighbours; f:2:2: note: the list begins here"},
    {"a: \"x\" y\n", ":1:8: error: the value has ended before this", "put the whole value in quotes"},
    {"  a: 1\nb: 2\n", ":2:1: error: the document has ended before this line",
     "indent it like the first line; one document per file"},
    {"{a: b} c\n", ":1:8: error: the document has ended before this", "put the whole value in quotes"},
    {"a: b\nc\nd: e\n", ":2:1: error: a key needs a colon and a blank behind it", "write NAME: VALUE"},
    {"a: |x\n b\n", ":1:5: error: no text may stand behind | or >", "begin the text on the next line"},
    {"a: |0\n b\n", ":1:5: error: this is no way to begin a text block", "write | or >, and the text below"},
    {"a: \"C:\\dir\"\n", ":1:7: error: there is no such escape", "write \\\\ for a backslash, or use 'single quotes'"},
    {"a: \"\\xZZ\"\n", ":1:7: error: hexadecimal digits are missing", "\\x takes two, \\u four, \\U eight"},
    {"a: \"\\ud800\"\n", ":1:7: error: there is no such character", ""},
    {"a: [b,, c]\n", ":1:7: error: a value is missing before this", "write one, or \"\""},
    {"a: !<x y\n", ":1:4: error: tags are not supported", "leave it out, or put the text in quotes"},
    /* bytes */
    {"a: \xE9\n", ":1:4: error: this is not UTF-8: byte 0xE9", "save the file as UTF-8"},
    {"\xC3\xA9: \x1B\n", ":1:4: error: a control character (U+001B)", "in \"double quotes\" write it as \\xNN"},
    {"a: \x7F\n", ":1:4: error: a control character (U+007F)", "in \"double quotes\" write it as \\xNN"},
    {"a: b\rc: d\n", ":1:5: error: a carriage return that does not end a line (U+000D)", "end lines with LF or CR LF"},
    {"a: b\r", ":1:5: error: a carriage return that does not end a line (U+000D)", "end lines with LF or CR LF"},
    {"a: \xC2\x85\n", ":1:4: error: a line break that editors do not show (U+0085)",
     "in \"double quotes\" write it as \\N"},
    {"a: 1\nb: \xE2\x80\xA8\n", ":2:4: error: a line break that editors do not show (U+2028)",
     "in \"double quotes\" write it as \\L"},
    {"a: \xE2\x80\xA9\n", ":1:4: error: a line break that editors do not show (U+2029)",
     "in \"double quotes\" write it as \\P"},
    {"a: \xEF\xBB\xBF\n", ":1:4: error: a byte order mark in the middle of the text (U+FEFF)", "remove it"},
    {"a: \xEF\xBF\xBF\n", ":1:4: error: what is no character (U+FFFF)", "remove it"},
    {"\xFF\xFE", ": error: the file is UTF-16", "save it as UTF-8"},
};

static void faults_are_explained(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_refused(cases[i].yaml, strlen(cases[i].yaml), cases[i].headline, cases[i].advice);
    }
    assert_refused("a: \0b", 5, ":1:4: error: a NUL byte (U+0000)", "YAML is text; is this the right file?");
    assert_refused("a\0:\0 \0b\0", 8, ": error: the file is UTF-16", "save it as UTF-8");
}

/* Bytes are looked at in blocks: each place in one, and the rest behind the last. */
static void odd_bytes_are_found_anywhere(void **state) {
    (void)state;
    for (int at = 3; at < 100; at++) {
        char yaml[128] = "a: ", headline[64];
        memset(yaml + 3, 'x', 100);
        yaml[at] = '\x01';
        snprintf(headline, sizeof(headline), ":1:%d: error: a control character (U+0001)", at + 1);
        assert_refused(yaml, strlen(yaml), headline, "in \"double quotes\" write it as \\xNN");
        memcpy(yaml + at, "\xC3\xA9\t\xE9", 4); /* a good character across the border, and a bad one */
        snprintf(headline, sizeof(headline), ":1:%d: error: this is not UTF-8: byte 0xE9", at + 3);
        assert_refused(yaml, strlen(yaml), headline, "save the file as UTF-8");
    }
}

static void all_double_keys_are_found(void **state) {
    (void)state;
    static const char yaml[] = "a: {x: 1, x: 2}\nb: 1\na: 2\nb: 3\n";
    struct pdk_report report = {0};
    const pdk_value *value;
    assert_int_equal(pdk_yaml_parse("f", yaml, strlen(yaml), &report, &value), -EINVAL);
    assert_int_equal(report.errors, 3);
    pdk_report_free(&report);
    pdk_values_get()->drop(value);
}

/* start, then times the unit, then end. */
static void check_limit(const char *start, const char *unit, int times, const char *end, const char *headline,
                        const char *advice) {
    struct pdk_buffer yaml = PDK_BUFFER(64 * 1024 * 1024);
    pdk_buffer_text(&yaml, start);
    for (int i = 0; i < times; i++) pdk_buffer_text(&yaml, unit);
    pdk_buffer_text(&yaml, end);
    if (headline) {
        assert_refused(yaml.data, yaml.size, headline, advice);
    } else {
        const pdk_value *value;
        assert_int_equal(pdk_yaml_parse("f", yaml.data, yaml.size, NULL, &value), 0);
        pdk_values_get()->drop(value);
    }
    pdk_buffer_free(&yaml);
}

static void limits_are_kept(void **state) {
    (void)state;
    check_limit("", "k", 253, ": v\n", NULL, "");
    check_limit("", "k", 254, ": v\n", ":1:1: error: a key of 254 bytes", "at most 253 bytes");
    check_limit("a: ", "x", 1024 * 1024, "\n", NULL, "");
    check_limit("a: ", "x", 1024 * 1024 + 1, "\n", ":1:4: error: a: a text of more than 1 MiB", "put it in a file");
    check_limit("", "#23456\n", 4 * 1024 * 1024 / 7, "", NULL, "");
    check_limit("", "#23456\n", 4 * 1024 * 1024 / 7 + 1, "", ": error: the file is larger than 4 MiB", "");
    check_limit("", "- ", 64, "x\n", NULL, "");
    check_limit(
        "", "- ", 65, "x\n",
        ":1:129: error: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
        "[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: "
        "nested more than 64 deep",
        "");
    check_limit("", "- x\n", 999999, "", NULL, "");
    check_limit("", "- x\n", 1000000, "", ":1000000:3: error: [999999]: more than 1000000 values", "");
    check_limit("- &a x\n", "- *a\n", 1000, "", NULL, "");
    check_limit("- &a x\n", "- *a\n", 1001, "", ":1002:3: error: [1001]: more than 1000 aliases", "");
}

static void a_billion_laughs_are_cheap(void **state) {
    (void)state;
    static const char yaml[] = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
                               "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
                               "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\n"
                               "d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n"
                               "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\n"
                               "f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\n";
    assert_refused(yaml, strlen(yaml), ":6:36: error: f[7]: with its aliases the file has more than 1000000 values",
                   "use fewer aliases");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_explained),       cmocka_unit_test(odd_bytes_are_found_anywhere),
        cmocka_unit_test(all_double_keys_are_found),  cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(a_billion_laughs_are_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
