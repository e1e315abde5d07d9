/* SPDX-License-Identifier: Apache-2.0 */
/* Output over several files: from an offset, to an offset, the last lines, one stream, what is missing. */
#include <errno.h>

#include "find.h"
#include "paddock/host.h"
#include "place.h"
#include "stretch.h"

#define O "2026-01-02T03:04:05.123456789Z stdout F "
#define E "2026-01-02T03:04:05.123456789Z stderr F "
#define P "2026-01-02T03:04:05.123456789Z stdout P "
#define L "2026-01-02T03:04:05.123456789Z - L "

static struct arc_stretch s;
static char got[8192];

/* All of it as text; what is missing as "<n>". Returns the last answer. */
static int32_t read_all(void) {
    int32_t rc;
    size_t used = 0;
    got[0] = '\0';
    do {
        rc = arc_stretch_read(&s);
        for (size_t i = 0; rc >= 0 && i < s.count; i++) {
            const struct arc_bit *bit = &s.bits[i];
            if (bit->lost) used += (size_t)snprintf(got + used, sizeof got - used, "<%d>", (int)bit->lost);
            used += (size_t)snprintf(got + used, sizeof got - used, "%.*s", (int)bit->size,
                                     bit->size ? s.text.data + bit->place : "");
        }
    } while (rc == 1);
    return rc;
}

static const char *with(struct arc_stretch wanted) {
    arc_stretch_close(&s);
    s = wanted;
    s.folder = place;
    if (!s.attempt) s.attempt = 1;
    int32_t rc = read_all();
    if (rc < 0) (void)snprintf(got, sizeof got, "%d %s", (int)rc, s.fault);
    return got;
}

#define WITH(...) with((struct arc_stretch){__VA_ARGS__})

static void make_files(void) {
    write_text("1.0.log", O "one\n" E "two\n" O "three\n"); /* 0 4 8 */
    write_text("1.14.log", O "four\n" E "five\n" P "si\n"); /* 14 19 24 */
    write_text("2.0.log", O "again\n");
}

static void test_ranges(void **state) {
    (void)state;
    make_files();
    assert_string_equal(WITH(.from = 0), "one\ntwo\nthree\nfour\nfive\nsi");
    assert_string_equal(WITH(.from = 5), "wo\nthree\nfour\nfive\nsi");
    assert_string_equal(WITH(.from = 14), "four\nfive\nsi");
    assert_string_equal(WITH(.from = 20, .to = 25), "ive\ns");
    assert_string_equal(WITH(.from = 2, .to = 6), "e\ntw");
    assert_string_equal(WITH(.from = 1000), "");
    assert_string_equal(WITH(.stream = PDK_STDERR), "two\nfive\n");
    assert_string_equal(WITH(.attempt = 2), "again\n");
    assert_string_equal(WITH(.attempt = 3), "-2 ");
    assert_int_equal(arc_find_attempt(place, 0), 2);
    assert_int_equal(arc_find_attempt(place, 1), 2);
    assert_int_equal(arc_find_attempt(place, 2), 0);
}

static void test_tails(void **state) {
    (void)state;
    make_files();
    assert_string_equal(WITH(.tail = 1), "si");
    assert_string_equal(WITH(.tail = 2), "five\nsi");
    assert_string_equal(WITH(.tail = 4), "three\nfour\nfive\nsi");
    assert_string_equal(WITH(.tail = 99), "one\ntwo\nthree\nfour\nfive\nsi");
    assert_string_equal(WITH(.tail = 1, .stream = PDK_STDERR), "five\n");
    assert_string_equal(WITH(.tail = 2, .stream = PDK_STDERR), "two\nfive\n");
    assert_string_equal(WITH(.tail = UINT64_MAX), "");
}

static void append(const char *name, const char *text) {
    int fd = open(in_place(name), O_WRONLY | O_APPEND | O_CREAT, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

/* Whoever has read all of it reads on: what comes into the same file, what came before the next was begun, and the next. */
static void test_growing(void **state) {
    (void)state;
    make_files();
    assert_string_equal(WITH(.tail = UINT64_MAX), "");
    append("1.14.log", O "x\n");
    assert_int_equal(read_all(), 0);
    assert_string_equal(got, "x\n");
    append("1.14.log", O "late\n" O "torn");
    append("1.33.log", O "next\n");
    assert_int_equal(read_all(), 0);
    assert_string_equal(got, "late\nnext\n");
}

static void test_gaps(void **state) {
    (void)state;
    write_text("1.100.log", O "one\n" L "10\n" O "two\n");
    write_text("1.123.log", L "7\n");
    assert_string_equal(WITH(.from = 0), "<100>one\n<10>two\n<12>");
    assert_string_equal(WITH(.from = 106), "<10>two\n<12>");
    assert_string_equal(WITH(.tail = 1), "<10>two\n<12>");
}

static void test_damage(void **state) {
    (void)state;
    write_text("1.0.log", O "one\n");
    write_text("1.4.log", O "two\nrubbish\n");
    write_text("1.8.log", O "three\n");
    assert_string_equal(WITH(.tail = 1), "three\n");
    assert_string_equal(WITH(.to = 4), "one\n");
    const char *text = WITH(.from = 0);
    assert_int_equal(strncmp(text, "-5 ", 3), 0);
    assert_non_null(strstr(text, "/1.4.log, line 2: a record of output is wanted there"));
}

static void test_finding_a_run(void **state) {
    char path[4096];
    (void)state;
    assert_false(arc_find_run(place, "subprocess-web-2", path, sizeof path));
    static const char *const folders[] = {"web", "web/subprocess-web-2", "web/subprocess-web-11", "db",
                                          "db/subprocess-db-3"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_int_equal(mkdir(in_place(folders[i]), 0700), 0);
    assert_true(arc_find_run(place, "subprocess-web-2", path, sizeof path));
    assert_string_equal(path, in_place("web/subprocess-web-2"));
    assert_true(arc_find_run(place, "web", path, sizeof path));
    assert_string_equal(path, in_place("web/subprocess-web-11"));
    assert_false(arc_find_run(place, "..", path, sizeof path));
    assert_false(arc_find_run(place, "../web", path, sizeof path));
}

static int close_all(void **state) {
    arc_stretch_close(&s);
    return remove_place(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ranges, make_place, close_all),
        cmocka_unit_test_setup_teardown(test_tails, make_place, close_all),
        cmocka_unit_test_setup_teardown(test_growing, make_place, close_all),
        cmocka_unit_test_setup_teardown(test_gaps, make_place, close_all),
        cmocka_unit_test_setup_teardown(test_damage, make_place, close_all),
        cmocka_unit_test_setup_teardown(test_finding_a_run, make_place, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
