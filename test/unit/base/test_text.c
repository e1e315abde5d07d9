/* SPDX-License-Identifier: Apache-2.0 */
/* Durations, sizes, signals, names, words, UTF-8. */
#include <signal.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "support/unit.h"

static void durations_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int32_t rc;
        uint64_t ns;
        const char *hint;
    } cases[] = {
        {"0", 0, 0, ""},
        {"0s", 0, 0, ""},
        {"250ms", 0, 250 * PDK_MILLISECOND, ""},
        {"1h30m", 0, PDK_HOUR + 30 * PDK_MINUTE, ""},
        {"1.5s", 0, 1500 * PDK_MILLISECOND, ""},
        {"0.5h", 0, 30 * PDK_MINUTE, ""},
        {"1d2h3m4s5ms6us7ns", 0, PDK_DAY + 2 * PDK_HOUR + 3 * PDK_MINUTE + 4 * PDK_SECOND + 5 * PDK_MILLISECOND + 6007,
         ""},
        {"2m05s", 0, 125 * PDK_SECOND, ""},
        {"90s", 0, 90 * PDK_SECOND, ""},
        {"3650d", 0, 3650 * PDK_DAY, ""},
        {"0.000000001s", 0, 1, ""},
        {"1.50000000000000000000000000s", 0, 1500 * PDK_MILLISECOND, ""},
        {"3651d", -ERANGE, 0, "at most 3650d"},
        {"3650d1ns", -ERANGE, 0, "at most 3650d"},
        {"99999999999999999999999d", -ERANGE, 0, "at most 3650d"},
        {"99999999999999999999999dx", -EINVAL, 0, ""},
        {"", -EINVAL, 0, ""},
        {"30", -EINVAL, 0, "write 30s or 30m"},
        {"1.5", -EINVAL, 0, "write 1.5s or 1.5m"},
        {"00", -EINVAL, 0, "write 00s or 00m"},
        {"30 s", -EINVAL, 0, "write 30s"},
        {" 5s", -EINVAL, 0, "write 5s"},
        {"5min", -EINVAL, 0, "write 5m"},
        {"1 hour 30 minutes", -EINVAL, 0, "write 1h30m"},
        {"2w", -EINVAL, 0, "write 14d"},
        {"10\xC2\xB5s", -EINVAL, 0, "write 10us"},
        {"1M", -EINVAL, 0, "write 1m"},
        {"30m1h", -EINVAL, 0, "write 1h30m"},
        {"1s1s", -EINVAL, 0, "write 2s"},
        {"0.1ns", -EINVAL, 0, ""},
        {"1.0000000001s", -EINVAL, 0, ""},
        {"-1s", -EINVAL, 0, ""},
        {"+1s", -EINVAL, 0, ""},
        {"1.s", -EINVAL, 0, ""},
        {".5s", -EINVAL, 0, ""},
        {"s", -EINVAL, 0, ""},
        {"1e3s", -EINVAL, 0, ""},
        {"1:30", -EINVAL, 0, ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char hint[64] = "old";
        uint64_t ns = 42;
        assert_int_equal(pdk_duration_parse(cases[i].text, &ns, hint, sizeof(hint)), cases[i].rc);
        assert_int_equal(ns, cases[i].rc ? 42 : cases[i].ns);
        assert_string_equal(hint, cases[i].hint);
        assert_int_equal(pdk_duration_parse(cases[i].text, &ns, NULL, 0), cases[i].rc);
    }
}

static void durations_are_written(void **state) {
    (void)state;
    static const struct {
        uint64_t ns;
        const char *exact, *about;
    } cases[] = {
        {0, "0s", "0s"},
        {1, "1ns", "1ns"},
        {412 * PDK_MILLISECOND, "412ms", "412ms"},
        {3200 * PDK_MILLISECOND, "3.2s", "3.2s"},
        {3 * PDK_SECOND, "3s", "3s"},
        {45100 * PDK_MILLISECOND, "45.1s", "45s"},
        {125 * PDK_SECOND, "2m5s", "2m05s"},
        {3 * PDK_HOUR + 12 * PDK_MINUTE + 5, "3h12m5ns", "3h12m"},
        {4 * PDK_DAY + 2 * PDK_HOUR, "4d2h", "4d02h"},
        {1500 * PDK_MICROSECOND, "1.5ms", "1.5ms"},
        {PDK_SECOND + 1, "1.000000001s", "1s"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[64];
        uint64_t ns;
        assert_string_equal(pdk_duration_about(cases[i].ns, text, sizeof(text)), cases[i].about);
        assert_string_equal(pdk_duration_format(cases[i].ns, text, sizeof(text)), cases[i].exact);
        assert_int_equal(pdk_duration_parse(text, &ns, NULL, 0), 0);
        assert_int_equal(ns, cases[i].ns);
    }
    char small[4];
    assert_string_equal(pdk_duration_format(412 * PDK_MILLISECOND, small, sizeof(small)), "412");
    char large[96];
    pdk_duration_format(UINT64_MAX, large, sizeof(large));
}

static void sizes_are_read(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int32_t rc;
        uint64_t bytes;
        const char *hint;
    } cases[] = {
        {"0B", 0, 0, ""},
        {"512B", 0, 512, ""},
        {"64KiB", 0, 65536, ""},
        {"10MB", 0, 10000000, ""},
        {"1.5KiB", 0, 1536, ""},
        {"2TiB", 0, UINT64_C(2) << 40, ""},
        {"1kB", 0, 1000, ""},
        {"8388608TiB", -ERANGE, 0, "at most 8388607TiB"},
        {"512M", -EINVAL, 0, "write 512MiB (1024) or 512MB (1000)"},
        {"512Mi", -EINVAL, 0, "write 512MiB (1024) or 512MB (1000)"},
        {"1g", -EINVAL, 0, "write 1GiB (1024) or 1GB (1000)"},
        {"1KB", -EINVAL, 0, "write 1KiB (1024) or 1kB (1000)"},
        {"10 MiB", -EINVAL, 0, "write 10MiB"},
        {"10mib", -EINVAL, 0, "write 10MiB"},
        {"512", -EINVAL, 0, "write 512B, 512KiB or 512MiB"},
        {"7 bytes", -EINVAL, 0, "write 7B"},
        {"0.1B", -EINVAL, 0, ""},
        {"", -EINVAL, 0, ""},
        {"-1B", -EINVAL, 0, ""},
        {"1X", -EINVAL, 0, ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char hint[96] = "old";
        uint64_t bytes = 42;
        assert_int_equal(pdk_size_parse(cases[i].text, &bytes, hint, sizeof(hint)), cases[i].rc);
        assert_int_equal(bytes, cases[i].rc ? 42 : cases[i].bytes);
        assert_string_equal(hint, cases[i].hint);
    }
}

static void sizes_are_written(void **state) {
    (void)state;
    char text[32];
    assert_string_equal(pdk_size_format(0, text, sizeof(text)), "0B");
    assert_string_equal(pdk_size_format(16384, text, sizeof(text)), "16KiB");
    assert_string_equal(pdk_size_format(10000000, text, sizeof(text)), "10MB");
    assert_string_equal(pdk_size_format(1025, text, sizeof(text)), "1025B");
}

static void signals_have_names(void **state) {
    (void)state;
    int32_t number = 0;
    assert_int_equal(pdk_signal_parse("TERM", &number), 0);
    assert_int_equal(number, SIGTERM);
    assert_int_equal(pdk_signal_parse("SIGUSR1", &number), 0);
    assert_int_equal(number, SIGUSR1);
    assert_int_equal(pdk_signal_parse("RTMIN+3", &number), 0);
    assert_int_equal(number, SIGRTMIN + 3);
    assert_string_equal(pdk_signal_name(number), "RTMIN+3");
    assert_int_equal(pdk_signal_parse("SIGRTMIN", &number), 0);
    assert_int_equal(number, SIGRTMIN);
    static const char *const wrong[] = {"15", "term", "", "SIG", "SIGSIGTERM", "RTMIN+31", "RTMIN+03", "RTMIN-1"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) assert_int_equal(pdk_signal_parse(wrong[i], &number), -EINVAL);
    assert_string_equal(pdk_signal_name(SIGSEGV), "SEGV");
    assert_null(pdk_signal_name(0));
    assert_null(pdk_signal_name(1000));
}

static void check_all(int32_t (*check)(const char *, const char **), const char *const *good, const char *const *bad) {
    for (; *good; good++) {
        const char *why = NULL;
        assert_int_equal(check(*good, &why), 0);
        assert_null(why);
    }
    for (; *bad; bad++) {
        const char *why = NULL;
        assert_int_equal(check(*bad, &why), -EINVAL);
        assert_non_null(why);
        assert_int_equal(check(*bad, NULL), -EINVAL);
    }
}

#define TEN   "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void names_are_checked(void **state) {
    (void)state;
    static const char *const good_keys[] = {"a", "A-b_c.d9", "example.com/name", SIXTY "abc", "x.y-z/N", NULL};
    static const char *const bad_keys[] = {"",    "/a",  "a/",   "a/b/c", "-a",     "a-",         ".a",
                                           "a b", "A/b", "-x/b", "x-/b",  "a..b/c", SIXTY "abcd", NULL};
    check_all(pdk_label_key_check, good_keys, bad_keys);
    static const char *const good_values[] = {"", "a", "1.10", "A_b-c", NULL};
    static const char *const bad_values[] = {"-a", "a.", "a/b", "a b", "\xC3\xA9", SIXTY "abcd", NULL};
    check_all(pdk_label_value_check, good_values, bad_values);
    static const char *const good_tasks[] = {"web", "_x", "9", "web.1", "a.yaml.x", SIXTY "abc", NULL};
    static const char *const bad_tasks[] = {"",     ".a",     "-a",     "a/b",        "a b", "x.yml",
                                            ".yml", "a.yaml", "a.json", SIXTY "abcd", NULL};
    check_all(pdk_task_name_check, good_tasks, bad_tasks);
    static const char *const good_slots[] = {"a", "-", "...", ".a", SIXTY "abcd", NULL};
    static const char *const bad_slots[] = {"", ".", "..", "a/b", "a b", SIXTY "abcde", NULL};
    check_all(pdk_slot_name_check, good_slots, bad_slots);
    static const char *const good_plugins[] = {"a", "9", "greet-2", "a-", SIXTY "abc", NULL};
    static const char *const bad_plugins[] = {"",    "-a",  "A",        "a_b",        "a.b",
                                              "a/b", "a b", "\xC3\xA9", SIXTY "abcd", NULL};
    check_all(pdk_plugin_name_check, good_plugins, bad_plugins);
}

static void the_nearest_word_is_found(void **state) {
    (void)state;
    static const char *const words[] = {"never", "on-failure", "always", "restart", "GET", "PUT", "PATCH", NULL};
    static const struct {
        const char *text, *nearest;
    } cases[] = {{"allways", "always"}, {"restrat", "restart"},
                 {"GTE", "GET"},        {"nevre", "never"},
                 {"xyz", NULL},         {"", NULL},
                 {"G", NULL},           {"on-falure", "on-failure"},
                 {"alwaysxyz", NULL},   {"GT", NULL},
                 {"PUTS", "PUT"},       {"paatch", NULL}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *found = pdk_nearest(cases[i].text, words);
        if (cases[i].nearest) {
            assert_non_null(found);
            assert_string_equal(found, cases[i].nearest);
        } else {
            assert_null(found);
        }
    }
    assert_null(pdk_nearest(SIXTY TEN, words));
}

static void utf8_is_checked(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        int64_t fault;
        int32_t valid;
    } cases[] = {
        {"plain\ttext\r\n", 12, -1, 1},
        {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9, -1, 1},
        {"a\0b", 3, 1, 0},
        {"a\x1B", 2, 1, 1},
        {"ab\xFF", 3, 2, 0},
        {"\xC0\x80", 2, 0, 0},         /* a NUL in two bytes */
        {"\xE0\x80\xAF", 3, 0, 0},     /* a slash in three */
        {"\xED\xA0\x80", 3, 0, 0},     /* half a surrogate */
        {"\xF4\x90\x80\x80", 4, 0, 0}, /* beyond U+10FFFF */
        {"a\xE2\x82", 3, 1, 0},        /* cut */
        {"\x80", 1, 0, 0},
        {"", 0, -1, 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(pdk_utf8_fault(cases[i].text, cases[i].size), cases[i].fault);
        assert_int_equal(pdk_utf8_valid(cases[i].text, cases[i].size), cases[i].valid);
    }
    assert_int_equal(pdk_utf8_count("\xC3\xA9\xE2\x82\xAC!", 6), 3);
}

/* Wherever it stands, for several bytes are looked at together. */
static void utf8_is_checked_everywhere(void **state) {
    (void)state;
    for (size_t i = 0; i < 20; i++) {
        char text[] = "\x01\x7F-------- 20 \x01\x7F\x01\x7F..";
        assert_int_equal(pdk_utf8_valid(text, 20), 1);
        text[i] = '\0';
        assert_int_equal(pdk_utf8_valid(text, 20), 0);
        text[i] = (char)0x80;
        assert_int_equal(pdk_utf8_valid(text, 20), 0);
        assert_int_equal(pdk_utf8_valid(text, i), 1);
    }
}

static void times_are_written(void **state) {
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000000Z"},
        {1, "1970-01-01T00:00:00.000000001Z"},
        {UINT64_C(951827696123456789), "2000-02-29T12:34:56.123456789Z"},
        {UINT64_C(1798761599999999999), "2026-12-31T23:59:59.999999999Z"},
        {UINT64_MAX, "2554-07-21T23:34:33.709551615Z"},
    };
    char buf[64];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(pdk_time_text(cases[i].ns, buf, sizeof buf), cases[i].text);
    assert_string_equal(pdk_time_text(0, buf, 11), "1970-01-01");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read), cmocka_unit_test(durations_are_written),
        cmocka_unit_test(sizes_are_read),     cmocka_unit_test(sizes_are_written),
        cmocka_unit_test(signals_have_names), cmocka_unit_test(names_are_checked),
        cmocka_unit_test(utf8_is_checked),    cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(times_are_written),  cmocka_unit_test(utf8_is_checked_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
