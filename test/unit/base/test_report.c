/* SPDX-License-Identifier: Apache-2.0 */
/* How faults look. The texts are those that the documentation shows. */
#include "core/base/buffer.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/report.h"
#include "paddock/host.h"
#include "support/fail_alloc.h"
#include "support/unit.h"

static const char text[] = "tasks:\n"
                           "  web: ./server\n"
                           "    restrat: always\n"
                           "    restart: allways\n"
                           "    timeout: 30\n"
                           "    resources: {memory: 512M}\n"
                           "    manual: yes\n"
                           "\n"
                           "  web: ./other\n"
                           "\ta: 1\r\n"
                           "  \xC3\xA9t\xC3\xA9: \xE2\x82\xAC x\n"
                           "env: {PASSWORD: hunter2, A: b}\n"
                           "last: x";

static struct pdk_place at(uint32_t line, uint32_t column, uint32_t span) {
    return (struct pdk_place){"a.yaml", text, line, column, span};
}

static void assert_prints(const struct pdk_fault *fault, const char *wanted) {
    struct pdk_buffer out = PDK_BUFFER(100000);
    pdk_fault_print(fault, false, pdk_buffer_write, &out);
    assert_string_equal(pdk_buffer_string(&out), wanted);
    pdk_buffer_free(&out);
}

static void faults_look_as_documented(void **state) {
    (void)state;
    const struct {
        struct pdk_fault fault;
        const char *wanted;
    } cases[] = {
        {{.place = at(3, 5, 7), .path = "tasks.web", .message = "unknown field \"restrat\"", .suggestion = "restart"},
         "a.yaml:3:5: error: tasks.web: unknown field \"restrat\"\n"
         "  3 |     restrat: always\n"
         "    |     ^~~~~~~ did you mean \"restart\"?\n"},
        {{.place = at(4, 14, 7),
          .path = "tasks.web.restart",
          .message = "\"allways\" is not one of its values",
          .expected = "expected never, on-failure or always",
          .suggestion = "always"},
         "a.yaml:4:14: error: tasks.web.restart: \"allways\" is not one of its values\n"
         "  4 |     restart: allways\n"
         "    |              ^~~~~~~ expected never, on-failure or always; did you mean \"always\"?\n"},
        {{.place = at(5, 14, 2),
          .path = "tasks.web.timeout",
          .message = "a duration needs a unit",
          .expected = "write 30s or 30m"},
         "a.yaml:5:14: error: tasks.web.timeout: a duration needs a unit\n"
         "  5 |     timeout: 30\n"
         "    |              ^~ write 30s or 30m\n"},
        {{.place = at(9, 3, 3),
          .path = "tasks",
          .message = "\"web\" is here twice",
          .expected = "every name once",
          .note = at(2, 3, 3),
          .note_text = "the first is here"},
         "a.yaml:9:3: error: tasks: \"web\" is here twice\n"
         "  9 |   web: ./other\n"
         "    |   ^~~ every name once; a.yaml:2:3: note: the first is here\n"},
        {{.place = at(7, 13, 3), .path = "x", .message = "m", .plugin = "http", .severity = PDK_SEVERITY_WARNING},
         "a.yaml:7:13: warning: x: m  [plugin http]\n"
         "  7 |     manual: yes\n"
         "    |             ^~~\n"},
        {{.place = at(10, 1, 1), .message = "a tab cannot indent YAML", .expected = "use spaces"},
         "a.yaml:10:1: error: a tab cannot indent YAML\n"
         "  10 | \xE2\x86\x92"
         "a: 1\n"
         "     | ^ use spaces\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) assert_prints(&cases[i].fault, cases[i].wanted);
}

static void places_may_be_odd(void **state) {
    (void)state;
    const struct {
        struct pdk_fault fault;
        const char *wanted;
    } cases[] = {
        /* characters, not bytes */
        {{.place = at(11, 8, 1), .message = "m"},
         "a.yaml:11:8: error: m\n"
         "  11 |   \xC3\xA9t\xC3\xA9: \xE2\x82\xAC x\n"
         "     |        ^\n"},
        /* a tab that is not at fault keeps the caret in line */
        {{.place = at(10, 5, 1), .message = "m"},
         "a.yaml:10:5: error: m\n"
         "  10 | \ta: 1\n"
         "     | \t   ^\n"},
        /* a span never leaves its line */
        {{.place = at(13, 7, UINT32_MAX), .message = "m"},
         "a.yaml:13:7: error: m\n"
         "  13 | last: x\n"
         "     |       ^\n"},
        {{.place = at(12, 6, UINT32_MAX), .message = "m"},
         "a.yaml:12:6: error: m\n"
         "  12 | env: {PASSWORD: hunter2, A: b}\n"
         "     |      ^~~~~~~~~~~~~~~~~~~~~~~~~\n"},
        /* behind the end of a line or of the text */
        {{.place = at(8, 1, 1), .message = "m"}, "a.yaml:8:1: error: m\n  8 | \n    | ^\n"},
        {{.place = at(13, 99, 1), .message = "m"}, "a.yaml:13:99: error: m\n  13 | last: x\n     |        ^\n"},
        {{.place = at(99, 1, 1), .message = "m", .expected = "e"}, "a.yaml:99:1: error: m\n    e\n"},
        /* a secret is not shown, nor how long it is */
        {{.place = at(12, 17, 7), .message = "m", .secret = true},
         "a.yaml:12:17: error: m\n"
         "  12 | env: {PASSWORD: ***, A: b}\n"
         "     |                 ^~~\n"},
        /* nothing to quote */
        {{.place = {"nats:x", NULL, 0, 0, 0}, .path = "/tasks/web", .message = "m", .expected = "e", .suggestion = "s"},
         "nats:x: error: /tasks/web: m\n    e; did you mean \"s\"?\n"},
        {{.message = "m"}, "error: m\n"},
        /* what would give the terminal orders */
        {{.message = "a\x1B[2Jb\nc\xC2\x9B\xE2\x80\xAE\xFF"},
         "error: a\xEF\xBF\xBD[2Jb\xEF\xBF\xBD"
         "c\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) assert_prints(&cases[i].fault, cases[i].wanted);
}

static void wide_lines_are_shown_in_part(void **state) {
    (void)state;
    char line[301], wanted[512];
    for (int i = 0; i < 300; i++) line[i] = (char)('a' + i % 26);
    line[300] = '\0';
    struct pdk_fault fault = {.place = {"w", line, 1, 201, 4}, .message = "m"};
    snprintf(wanted, sizeof(wanted), "w:1:201: error: m\n  1 | \xE2\x80\xA6%.120s\xE2\x80\xA6\n    | %41s^~~~\n",
             line + 160, "");
    assert_prints(&fault, wanted);
    fault.place.column = 1;
    snprintf(wanted, sizeof(wanted), "w:1:1: error: m\n  1 | %.120s\xE2\x80\xA6\n    | ^~~~\n", line);
    assert_prints(&fault, wanted);
    fault.place.column = 299;
    snprintf(wanted, sizeof(wanted), "w:1:299: error: m\n  1 | \xE2\x80\xA6%s\n    | %41s^~\n", line + 258, "");
    assert_prints(&fault, wanted);
    assert_prints(&fault, wanted);
    fault.place = (struct pdk_place){"w", line, 1, 101, 300}; /* the underlined part is cut with its line */
    snprintf(wanted, sizeof(wanted), "w:1:101: error: m\n  1 | \xE2\x80\xA6%.120s\xE2\x80\xA6\n    | %41s^", line + 60,
             "");
    for (int i = 1; i < 80; i++) strlcat(wanted, "~", sizeof(wanted));
    strlcat(wanted, "\n", sizeof(wanted));
    assert_prints(&fault, wanted);
}

static void add(struct pdk_report *report, const char *file, uint32_t line, const char *message, bool warning) {
    struct pdk_fault fault = {.code = -EINVAL, .place = {file, NULL, line, 1, 1}, .message = message};
    fault.severity = warning ? PDK_SEVERITY_WARNING : PDK_SEVERITY_ERROR;
    assert_int_equal(pdk_report_add(report, &fault), -EINVAL);
}

static void reports_are_sorted_and_counted(void **state) {
    (void)state;
    struct pdk_report report = {0};
    struct pdk_buffer out = PDK_BUFFER(100000);
    pdk_report_print(&report, false, pdk_buffer_write, &out);
    assert_string_equal(pdk_buffer_string(&out), "");
    add(&report, "b", 1, "three", false);
    add(&report, "a", 9, "two", true);
    add(&report, "c", 1, "four", false);
    add(&report, "a", 2, "one", false);
    add(&report, "c", 1, "five", false);
    pdk_report_sort(&report);
    pdk_report_print(&report, false, pdk_buffer_write, &out);
    assert_string_equal(pdk_buffer_string(&out), "a:2:1: error: one\na:9:1: warning: two\nb:1:1: error: three\n"
                                                 "c:1:1: error: four\nc:1:1: error: five\n"
                                                 "4 errors, 1 warning in 3 files\n");
    pdk_buffer_free(&out);
    pdk_report_free(&report);
    assert_int_equal(report.count, 0);
}

static void too_many_faults_are_only_counted(void **state) {
    (void)state;
    struct pdk_report report = {.limit = 2};
    struct pdk_buffer out = PDK_BUFFER(100000);
    for (uint32_t i = 0; i < 5; i++) add(&report, "a", 1 + i, "m", i == 4);
    pdk_report_print(&report, false, pdk_buffer_write, &out);
    assert_string_equal(pdk_buffer_string(&out), "a:1:1: error: m\na:2:1: error: m\nand 3 more that are not shown\n"
                                                 "4 errors, 1 warning in 1 file\n");
    pdk_buffer_free(&out);
    pdk_report_free(&report);
    struct pdk_fault fault = {.code = -ENOENT};
    assert_int_equal(pdk_report_add(NULL, &fault), -ENOENT);
}

static void texts_are_copied(void **state) {
    (void)state;
    char message[] = "mine", file[] = "f";
    struct pdk_report report = {0};
    add(&report, file, 1, message, false);
    message[0] = file[0] = 'X';
    assert_string_equal(report.faults[0].message, "mine");
    assert_string_equal(report.faults[0].place.file, "f");
    pdk_report_free(&report);
}

static void the_same_is_told_once(void **state) {
    (void)state;
    struct pdk_report report = {.limit = 4};
    struct pdk_fault fault = {.code = -EINVAL, .place = at(5, 14, 2), .path = "tasks.a", .message = "m"};
    assert_int_equal(pdk_report_add(&report, &fault), -EINVAL);
    fault.path = "tasks.b"; /* which has it from the same line */
    assert_int_equal(pdk_report_add(&report, &fault), -EINVAL);
    assert_int_equal(report.errors, 1);
    assert_string_equal(report.faults[0].path, "tasks.a");
    fault.plugin = "p";
    pdk_report_add(&report, &fault);
    fault.message = "n";
    pdk_report_add(&report, &fault);
    fault.place.column++;
    pdk_report_add(&report, &fault);
    assert_int_equal(report.errors, 4);
    pdk_report_add(&report, &fault); /* it is full, and yet this is known */
    assert_int_equal(report.errors, 4);
    pdk_report_free(&report);
    fault.place = (struct pdk_place){"f", NULL, 0, 0, 0}; /* without a line nobody can tell */
    pdk_report_add(&report, &fault);
    pdk_report_add(&report, &fault);
    assert_int_equal(report.errors, 2);
    pdk_report_free(&report);
}

static int32_t report_much(void *arg) {
    (void)arg;
    struct pdk_report report = {0};
    for (uint32_t i = 0; i < 30; i++) add(&report, "file", 1 + i, "a message that takes some room in the arena", false);
    assert_int_equal(report.errors, 30);
    int32_t rc = report.out_of_memory ? -ENOMEM : 0;
    pdk_report_free(&report);
    return rc;
}

static void lack_of_memory_is_noted(void **state) {
    (void)state;
    assert_true(pdk_fail_sweep(report_much, NULL) > 3);
}

static void colors_end_where_they_began(void **state) {
    (void)state;
    struct pdk_fault fault = {.place = at(5, 14, 2), .message = "m"};
    struct pdk_buffer out = PDK_BUFFER(1000);
    pdk_fault_print(&fault, true, pdk_buffer_write, &out);
    assert_string_equal(pdk_buffer_string(&out), "\033[1ma.yaml:5:14: \033[0m\033[31merror:\033[0m m\n"
                                                 "  5 |     timeout: 30\n    |              \033[31m^~\033[0m\n");
    pdk_buffer_free(&out);
}

static void long_errors_are_cut_between_characters(void **state) {
    (void)state;
    char words[1200];
    for (size_t i = 0; i + 2 < sizeof(words); i += 2) memcpy(words + i, "\xC3\xA9", 3);
    pdk_error err = PDK_ERROR;
    assert_int_equal(pdk_error_set(&err, -EINVAL, NULL, words, "x%s", words), -EINVAL);
    assert_int_equal(strlen(err.message), 511);
    assert_int_equal(strlen(err.hint), 254);
    assert_int_equal(pdk_error_set(NULL, -EINVAL, NULL, NULL, "m"), -EINVAL);
}

static void keep_line(void *arg, int32_t level, const char *part, const char *run_id, const char *line) {
    snprintf(arg, 100, "%d|%s|%s|%s", (int)level, part, run_id, line);
}

static void the_log_drops_what_is_not_wanted(void **state) {
    (void)state;
    char seen[100] = "";
    struct pdk_log log = {keep_line, seen, PDK_LOG_WARN};
    pdk_log_line(&log, PDK_LOG_INFO, "loop", "", "quiet");
    assert_string_equal(seen, "");
    pdk_log_line(&log, PDK_LOG_ERROR, "loop", NULL, "loud %d", 7);
    assert_string_equal(seen, "3|loop||loud 7");
    pdk_log_line(NULL, PDK_LOG_ERROR, "loop", "", "nowhere");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_look_as_documented),
        cmocka_unit_test(places_may_be_odd),
        cmocka_unit_test(wide_lines_are_shown_in_part),
        cmocka_unit_test(reports_are_sorted_and_counted),
        cmocka_unit_test(too_many_faults_are_only_counted),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(the_same_is_told_once),
        cmocka_unit_test(lack_of_memory_is_noted),
        cmocka_unit_test(colors_end_where_they_began),
        cmocka_unit_test(long_errors_are_cut_between_characters),
        cmocka_unit_test(the_log_drops_what_is_not_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
