/* SPDX-License-Identifier: Apache-2.0 */
/* Records, names, and files of records. */
#include <errno.h>
#include <stdbool.h>

#include "file.h"
#include "names.h"
#include "paddock/host.h"
#include "place.h"

#define AT "2026-01-02T03:04:05.123456789Z"

enum { LEAP_DAY = 951782400 }; /* 2000-02-29 */

static const uint64_t at_ns = UINT64_C(1767323045123456789);

static struct arc_record parsed(const char *line) {
    struct arc_record record;
    assert_true(arc_record_parse(line, strlen(line), &record));
    return record;
}

static void test_record(void **state) {
    (void)state;
    struct arc_record r = parsed(AT " stdout F hello\n");
    assert_int_equal(r.unix_ns, at_ns);
    assert_true(r.stream == PDK_STDOUT && r.whole && r.size == 6 && !memcmp(r.data, "hello\n", 6));
    r = parsed(AT " stderr P par\r\t t\n");
    assert_true(r.stream == PDK_STDERR && !r.whole && r.size == 7);
    r = parsed(AT " stdout F \n");
    assert_true(r.whole && r.size == 1);
    r = parsed(AT " - L 42\n");
    assert_true(r.lost == 42 && !r.size && !r.stream);
}

static void test_not_a_record(void **state) {
    static const char *const bad[] = {"",
                                      "\n",
                                      "hello\n",
                                      AT "\n",
                                      AT " stdout F hello",
                                      AT " stdout X hello\n",
                                      AT " stdin  F hello\n",
                                      AT " stdout Fhello\n",
                                      AT " stdout P \n",
                                      AT " - L 0\n",
                                      AT " - L \n",
                                      AT " - L x\n",
                                      AT " - L 1 \n",
                                      AT " - L 99999999999999999999\n",
                                      "2026-13-02T03:04:05.123456789Z stdout F x\n",
                                      "2026-01-32T03:04:05.123456789Z stdout F x\n",
                                      "2026-01-02 03:04:05.123456789Z stdout F x\n",
                                      "2026-01-02T03:04:05.12345678xZ stdout F x\n",
                                      "1969-01-02T03:04:05.123456789Z stdout F x\n"};
    struct arc_record record;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (arc_record_parse(bad[i], strlen(bad[i]), &record)) fail_msg("taken for a record: %s", bad[i]);
}

/* What is written is read as the same. */
static void test_round(void **state) {
    static const uint64_t times[] = {0, LEAP_DAY * UINT64_C(1000000000), at_ns, UINT64_C(4102444799999999999)};
    char buf[ARC_HEAD_MAX + 64];
    size_t tag;
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        size_t size = arc_record_head(buf, times[i], PDK_STDERR, &tag);
        buf[tag] = 'F';
        (void)snprintf(buf + size, sizeof buf - size, "x\n");
        assert_int_equal(parsed(buf).unix_ns, times[i]);
        assert_int_equal(parsed(buf).stream, PDK_STDERR);
        buf[arc_record_lost(buf, sizeof buf, times[i], 7)] = '\0';
        assert_true(parsed(buf).lost == 7 && parsed(buf).unix_ns == times[i]);
    }
}

static void test_names(void **state) {
    char buf[ARC_NAME_MAX], long_word[600];
    (void)state;
    arc_name(buf, "subprocess-web.1_x-12");
    assert_string_equal(buf, "subprocess-web.1_x-12");
    arc_name(buf, "../a/b c");
    assert_string_equal(buf, "%2E.%2Fa%2Fb%20c");
    arc_name(buf, "");
    assert_true(buf[0] == '~');
    memset(long_word, 'a', sizeof long_word);
    long_word[sizeof long_word - 1] = '\0';
    arc_name(buf, long_word);
    assert_true(strlen(buf) < ARC_NAME_MAX && strchr(buf, '~'));
    assert_int_equal(arc_seq("subprocess-web-12"), 12);
    assert_int_equal(arc_seq("web"), 0);
}

static void test_segments(void **state) {
    static const char *const bad[] = {"",
                                      "1",
                                      "1.log",
                                      "0.0.log",
                                      "1.0.log.new",
                                      "1.0.log.gz.new",
                                      "01.0.log",
                                      "1.00.log",
                                      "x.0.log",
                                      "1.99999999999999999999.log",
                                      "4294967296.0.log"};
    struct arc_segment segment;
    char buf[ARC_SEGMENT_MAX];
    (void)state;
    assert_true(arc_segment_parse("3.4096.log.gz", &segment));
    assert_true(segment.attempt == 3 && segment.start == 4096 && segment.cold);
    arc_segment_name(buf, &segment);
    assert_string_equal(buf, "3.4096.log.gz");
    assert_true(arc_segment_parse("1.0.log", &segment) && !segment.cold);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (arc_segment_parse(bad[i], &segment)) fail_msg("taken for a segment: %s", bad[i]);
}

/* ---- files ---- */

static int opened(const char *name) {
    int fd = open(in_place(name), O_RDONLY);
    assert_true(fd >= 0);
    return fd;
}

static void test_a_torn_end_is_cut(void **state) {
    static struct arc_file file;
    struct arc_record record;
    (void)state;
    write_text("f", AT " stdout F one\n" AT " stdout F tw");
    assert_int_equal(arc_file_open(&file, opened("f")), 0);
    assert_int_equal(arc_file_next(&file, &record), 1);
    assert_int_equal(arc_file_next(&file, &record), 0);
    int fd = open(in_place("f"), O_WRONLY | O_APPEND); /* it was being written */
    assert_int_equal(write(fd, "o\n", 2), 2);
    (void)close(fd);
    assert_int_equal(arc_file_next(&file, &record), 1);
    assert_memory_equal(record.data, "two\n", 4);
    assert_int_equal(arc_file_next(&file, &record), 0);
    arc_file_close(&file);
}

static void test_what_is_no_record_is_an_error(void **state) {
    static struct arc_file file;
    static char endless[4 * ARC_LINE_MAX];
    struct arc_record record;
    (void)state;
    write_text("f", AT " stdout F one\nnonsense\n" AT " stdout F two\n");
    assert_int_equal(arc_file_open(&file, opened("f")), 0);
    assert_int_equal(arc_file_next(&file, &record), 1);
    assert_int_equal(arc_file_next(&file, &record), -EILSEQ);
    assert_int_equal(file.line, 2);
    arc_file_close(&file);
    memset(endless, 'x', sizeof endless);
    write_bytes("f", endless, sizeof endless);
    assert_int_equal(arc_file_open(&file, opened("f")), 0);
    assert_int_equal(arc_file_next(&file, &record), -EILSEQ);
    arc_file_close(&file);
}

static void pack(const char *from, const char *to) {
    int in = opened(from), out = open(in_place(to), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(arc_gzip_pack(in, out), 0);
    (void)close(in);
    (void)close(out);
}

static void test_packed(void **state) {
    static struct arc_file file;
    static char text[1 << 20];
    struct arc_record record;
    size_t size = 0, count = 0;
    struct stat status;
    int32_t rc;
    (void)state;
    while (size < sizeof text - 64) size += (size_t)snprintf(text + size, 64, AT " stdout F line %zu\n", count++);
    write_bytes("f", text, size);
    pack("f", "f.gz");
    assert_int_equal(stat(in_place("f.gz"), &status), 0);
    assert_true((size_t)status.st_size < size / 4);
    assert_int_equal(arc_file_open(&file, opened("f.gz")), 0);
    size_t found = 0;
    while ((rc = arc_file_next(&file, &record)) == 1) found++;
    assert_true(rc == 0 && found == count);
    arc_file_close(&file);
    assert_int_equal(truncate(in_place("f.gz"), status.st_size / 2), 0); /* it was whole when it got its name */
    assert_int_equal(arc_file_open(&file, opened("f.gz")), 0);
    while ((rc = arc_file_next(&file, &record)) == 1) {}
    assert_int_equal(rc, -EBADMSG);
    arc_file_close(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record),
        cmocka_unit_test(test_not_a_record),
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_segments),
        cmocka_unit_test_setup_teardown(test_a_torn_end_is_cut, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_what_is_no_record_is_an_error, make_place, remove_place),
        cmocka_unit_test_setup_teardown(test_packed, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
