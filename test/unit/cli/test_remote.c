/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs that ask a server read and show: options, parameters as YAML, times, cells, addresses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/cli/options.h"
#include "core/cli/remote.h"
#include "core/cli/submit.h"
#include "support/fail_alloc.h"

#define NOW (UINT64_C(1767323045) * PDK_SECOND) /* 2026-01-02T03:04:05Z */

static int read_words(struct pdk_arguments *a, const char *const *words) {
    static char *argv[32];
    static char texts[32][128];
    int argc = 0;
    for (; words[argc]; argc++) {
        (void)strlcpy(texts[argc], words[argc], sizeof texts[argc]);
        argv[argc] = texts[argc];
    }
    argv[argc] = NULL;
    return pdk_arguments_read(a, pdk_verb_find(words[0]), argc, argv);
}
#define READ(a, ...) read_words(a, (const char *const[]){__VA_ARGS__, NULL})

/* The fields of a submission as JSON; "" and *code when they are refused. */
static const char *fields(int *code, const char *const *words) {
    static char text[1024];
    struct pdk_arguments a;
    struct pdk_buffer json = PDK_BUFFER(sizeof text);
    const pdk_value *value = NULL;
    *code = read_words(&a, words);
    struct pdk_setup setup = {.arguments = &a};
    if (*code == 0) *code = pdk_submit_fields(&setup, &value);
    if (value) (void)pdk_values_get()->print(pdk_values_get(), value, PDK_JSON_SORT, pdk_buffer_write, &json);
    (void)strlcpy(text, pdk_buffer_string(&json), sizeof text);
    pdk_buffer_free(&json);
    pdk_values_get()->drop(value);
    pdk_setup_free(&setup);
    pdk_arguments_free(&a);
    return text;
}
#define FIELDS(...) fields(&code, (const char *const[]){"submit", __VA_ARGS__, NULL})

static void every_option_is_read(void **state) {
    const struct pdk_verb *verb;
    (void)state;
    for (size_t i = 0; (verb = pdk_verb_at(i)); i++) {
        const struct pdk_option *option;
        for (size_t k = 0; (option = pdk_option_at(verb, k)); k++) {
            struct pdk_arguments a;
            char word[64];
            (void)snprintf(word, sizeof word, "--%s%s", option->name, option->argument ? "=1" : "");
            int code = READ(&a, verb->name, word);
            assert_true(code == 0 || code == PDK_EXIT_USAGE);
            pdk_arguments_free(&a);
        }
    }
}

static void options_have_ranges(void **state) {
    struct pdk_arguments a;
    (void)state;
    assert_int_equal(READ(&a, "submit", "x", "--priority=-100", "--delay", "1h30m", "--label", "a=1", "--label=b=2"),
                     0);
    assert_true(a.remote.has_priority);
    assert_int_equal(a.remote.priority, -100);
    assert_true(a.remote.delay_ns == 90 * PDK_MINUTE);
    assert_int_equal(a.remote.labels.count, 2);
    assert_string_equal(a.remote.labels.items[1], "b=2");
    pdk_arguments_free(&a);
    assert_int_equal(READ(&a, "logs", "x"), 0);
    assert_int_equal(a.remote.tail, -1);
    pdk_arguments_free(&a);
    assert_int_equal(READ(&a, "logs", "-fn0", "--attempt", "2", "x"), 0);
    assert_true(a.remote.follow && a.remote.tail == 0 && a.remote.attempt == 2);
    pdk_arguments_free(&a);
    assert_int_equal(READ(&a, "submit", "--priority", "101"), PDK_EXIT_USAGE);
    pdk_arguments_free(&a);
    assert_int_equal(READ(&a, "logs", "-n", "-1"), PDK_EXIT_USAGE);
    pdk_arguments_free(&a);
    assert_int_equal(READ(&a, "top", "--interval", "soon"), PDK_EXIT_USAGE);
    pdk_arguments_free(&a);
}

static void parameters_are_typed(void **state) {
    static const char *const cases[][2] = {{"x=5", "{\"with\":{\"x\":5}}"},
                                           {"x=\"5\"", "{\"with\":{\"x\":\"5\"}}"},
                                           {"x=true", "{\"with\":{\"x\":true}}"},
                                           {"x=no", "{\"with\":{\"x\":\"no\"}}"},
                                           {"x=1.5", "{\"with\":{\"x\":1.5}}"},
                                           {"x=", "{\"with\":{\"x\":null}}"},
                                           {"x=null", "{\"with\":{\"x\":null}}"},
                                           {"x=5s", "{\"with\":{\"x\":\"5s\"}}"},
                                           {"x=[1, a]", "{\"with\":{\"x\":[1,\"a\"]}}"},
                                           {"x=a=b", "{\"with\":{\"x\":\"a=b\"}}"},
                                           {"x.y=1", "{\"with\":{\"x.y\":1}}"},
                                           {"{\"a\": 1, \"b\": [true]}", "{\"with\":{\"a\":1,\"b\":[true]}}"},
                                           {"x=http://h/?a=b", "{\"with\":{\"x\":\"http://h/?a=b\"}}"}};
    int code;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(FIELDS("--with", cases[i][0]), cases[i][1]);
        assert_int_equal(code, 0);
    }
}

static void parameters_come_together(void **state) {
    int code;
    (void)state;
    assert_string_equal(FIELDS("--with", "a=1", "--with", "b=2", "--with", "a=3"), "{\"with\":{\"a\":3,\"b\":2}}");
    assert_string_equal(
        FIELDS("-s", "timeout=5s", "-s", "with.a=1", "--with", "b=2", "--label", "t=1", "--input", "[1]"),
        "{\"input\":[1],\"labels\":{\"t\":\"1\"},\"timeout\":\"5s\",\"with\":{\"a\":1,\"b\":2}}");
    assert_string_equal(FIELDS("--label", "a.b/c=", "--label", "n=007"), "{\"labels\":{\"a.b/c\":\"\",\"n\":\"007\"}}");
    assert_string_equal(FIELDS("x"), "");
    assert_int_equal(code, 0);
}

static void bad_parameters(void **state) {
    static const char *const words[][2] = {{"--with", "x"},       {"--with", "=1"},     {"--with", "x=[1"},
                                           {"--with", "{\"a\":"}, {"--label", "x"},     {"--label", "=x"},
                                           {"--input", "{"},      {"--with", "x=&a *b"}};
    int code;
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_string_equal(FIELDS(words[i][0], words[i][1]), "");
        assert_int_equal(code, PDK_EXIT_USAGE);
    }
    (void)FIELDS("--with", "@/nope/nope");
    assert_int_equal(code, PDK_EXIT_FILE);
}

static int32_t make_fields(void *arg) {
    int code;
    (void)arg;
    (void)FIELDS("--with", "a=1", "--with", "{\"b\": [2]}", "--label", "c=d", "-s", "timeout=5s", "--input", "[1]");
    return code == 0 ? 0 : code == PDK_EXIT_BUG ? -ENOMEM : -EINVAL;
}

static void memory_runs_out(void **state) {
    (void)state;
    assert_true(pdk_fail_sweep(make_fields, NULL) > 10);
}

static void times(void **state) {
    static const char *const relative[][2] = {{"2026-01-02T03:04:05Z", "now"},
                                              {"2026-01-02T03:04:04.500Z", "500ms ago"},
                                              {"2026-01-02T03:01:05Z", "3m00s ago"},
                                              {"2026-01-02T03:04:16.9Z", "in 11s"},
                                              {"2025-12-31T03:04:05Z", "2d00h ago"},
                                              {"", "-"},
                                              {"2026-01-02", "-"},
                                              {"2026-01-02T03:04:05+01:00", "-"},
                                              {"2026-01-02T03:04:05.123456789x", "-"}};
    char text[64];
    uint64_t unix_ns = 0;
    (void)state;
    assert_int_equal(pdk_time_read("2026-01-02T03:04:05.000000678Z", &unix_ns), 0);
    assert_true(unix_ns == NOW + 678);
    for (size_t i = 0; i < sizeof relative / sizeof *relative; i++)
        assert_string_equal(pdk_time_relative(relative[i][0], NOW, text, sizeof text), relative[i][1]);
    assert_string_equal(pdk_time_span("2026-01-02T03:04:00Z", "2026-01-02T03:04:03.2Z", NOW, text, sizeof text),
                        "3.2s");
    assert_string_equal(pdk_time_span("2026-01-02T03:04:00Z", "", NOW, text, sizeof text), "5s");
    assert_string_equal(pdk_time_span("2026-01-02T03:04:09Z", "", NOW, text, sizeof text), "0s");
    assert_string_equal(pdk_time_span("", "", NOW, text, sizeof text), "-");
}

static void cells_steer_nothing(void **state) {
    struct pdk_arena arena = {0};
    (void)state;
    assert_string_equal(pdk_cell(&arena, "plain \xc3\xa4\xe2\x82\xac"), "plain \xc3\xa4\xe2\x82\xac");
    assert_string_equal(pdk_cell(&arena, "a\x1b[2J\x1b[31mb\x07\x7f"), "a^[[2J^[[31mb^G^?");
    assert_string_equal(pdk_cell(&arena, "a\nb\tc\rd"), "a b c d");
    assert_string_equal(pdk_cell(&arena, "\xc2\x9b"
                                         "A\xc2"),
                        "\\x9bA\xc2");
    assert_string_equal(pdk_cell(&arena, ""), "");
    pdk_arena_free(&arena);
}

static void addresses(void **state) {
    PDK_PATH(path);
    (void)state;
    pdk_buffer_text(&path, "/v1/runs/");
    pdk_url_add(&path, "a b/../?\xc3\xa4");
    pdk_url_query(&path, "state", "running,ended");
    pdk_url_query(&path, "task", NULL);
    pdk_url_number(&path, "limit", 5);
    pdk_url_number(&path, "attempt", 0);
    assert_string_equal(pdk_buffer_string(&path), "/v1/runs/a%20b%2F..%2F%3F%C3%A4?state=running%2Cended&limit=5");
    pdk_buffer_free(&path);
}

static void bytes_of_base64(void **state) {
    static const char *const bad[] = {"a", "ab", "abc", "ab=c", "a===", "====", "ab!d", "abcd\n", "=abc", "abcd=abc"};
    (void)state;
    for (size_t size = 0; size < 70; size++) {
        char bytes[70];
        struct pdk_buffer text = PDK_BUFFER(1000), back = PDK_BUFFER(1000);
        for (size_t i = 0; i < size; i++) bytes[i] = (char)(i * 37 + size);
        pdk_base64_add(&text, bytes, size);
        assert_int_equal(pdk_base64_read(&back, pdk_buffer_string(&text), text.size), 0);
        assert_int_equal(back.size, size);
        assert_memory_equal(pdk_buffer_string(&back), bytes, size);
        pdk_buffer_free(&text);
        pdk_buffer_free(&back);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pdk_buffer back = PDK_BUFFER(1000);
        assert_int_equal(pdk_base64_read(&back, bad[i], strlen(bad[i])), -EINVAL);
        pdk_buffer_free(&back);
    }
}

static void what_is_a_job(void **state) {
    (void)state;
    assert_true(pdk_is_job("1042"));
    assert_false(pdk_is_job("") || pdk_is_job("web") || pdk_is_job("1a") || pdk_is_job("-1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_read),
        cmocka_unit_test(options_have_ranges),
        cmocka_unit_test(parameters_are_typed),
        cmocka_unit_test(parameters_come_together),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(bad_parameters),
        cmocka_unit_test(times),
        cmocka_unit_test(cells_steer_nothing),
        cmocka_unit_test(addresses),
        cmocka_unit_test(bytes_of_base64),
        cmocka_unit_test(what_is_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
