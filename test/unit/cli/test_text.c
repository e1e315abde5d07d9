/* SPDX-License-Identifier: Apache-2.0 */
/* What is written: JSON, cut and padded text, control characters made visible. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/cli/console.h"
#include "core/cli/json.h"
#include "core/cli/run.h"

static void json(void **state) {
    struct pdk_buffer line = PDK_BUFFER(10000);
    (void)state;
    pdk_json_open(&line, NULL, '{');
    pdk_json_text(&line, "a", "quote \" backslash \\ newline \n bell \a é");
    pdk_json_text(&line, "none", NULL);
    pdk_json_integer(&line, "b", -5);
    pdk_json_open(&line, "c", '[');
    pdk_json_text(&line, NULL, "x");
    pdk_json_text(&line, NULL, "y");
    pdk_json_close(&line, ']');
    pdk_json_seconds(&line, "d", UINT64_C(3200000000));
    pdk_json_seconds(&line, "e", 0);
    pdk_json_time(&line, "f", UINT64_C(1767323045678901234));
    pdk_json_close(&line, '}');
    assert_string_equal(line.data, "{\"a\":\"quote \\\" backslash \\\\ newline \\n bell \\u0007 é\",\"b\":-5,"
                                   "\"c\":[\"x\",\"y\"],\"d\":3.2,\"e\":0.0,\"f\":\"2026-01-02T03:04:05.678901234Z\"}");
    pdk_buffer_free(&line);
}

static void fits(const char *text, size_t cells, bool pad, const char *wanted) {
    struct pdk_buffer to = PDK_BUFFER(1000);
    pdk_text_fit(&to, text, cells, pad);
    assert_string_equal(pdk_buffer_string(&to), wanted);
    pdk_buffer_free(&to);
}

static void cut_and_padded(void **state) {
    (void)state;
    fits("abc", 5, true, "abc  ");
    fits("abc", 5, false, "abc");
    fits("abcdef", 4, true, "abc…");
    fits("日本語", 5, true, "日本…");
    fits("日本語", 4, true, "日… ");
    fits("abc", 0, true, "");
    fits("\x1b[31mred\x1b[0m", 3, true, "\x1b[31mred\x1b[0m");
    fits("\xff\xfe", 2, true, "\xff\xfe");
    assert_int_equal(pdk_text_width("é日\x1b[31mx"), 4);
}

static void visible(const char *data, size_t size, bool keep_return, const char *wanted) {
    struct pdk_buffer to = PDK_BUFFER(1000);
    pdk_run_visible(&to, data, size, keep_return);
    assert_string_equal(pdk_buffer_string(&to), wanted);
    pdk_buffer_free(&to);
}

static void control_characters(void **state) {
    (void)state;
    visible("plain\ttext\n", 11, false, "plain\ttext\n");
    visible("a\rb", 3, false, "a^Mb");
    visible("a\rb", 3, true, "a\rb");
    visible("dos\r", 4, false, "dos");
    visible("\0\a\x7f", 3, false, "^@^G^?");
    visible("\x1b[31;1mred\x1b[m", 13, false, "\x1b[31;1mred\x1b[m");
    visible("\x1b[2J\x1b]0;title\a", 14, false, "^[[2J^[]0;title^G");
    visible("\x1b[", 2, false, "^[[");
    visible("\xc2\x9b", 2, false, "\\x9b");
    visible("é\xc2\xa0", 4, false, "é\xc2\xa0");
}

static void grids(void **state) {
    struct pdk_grid grid;
    struct pdk_console console = {.tty = true, .columns = 12};
    char text[200] = "";
    (void)state;
    FILE *file = fmemopen(text, sizeof text, "w");
    pdk_grid_begin(&grid, 3);
    for (int i = 0; i < 2; i++) {
        pdk_grid_cell(&grid, "%s", i ? "long" : "a");
        pdk_grid_cell(&grid, "b");
        pdk_grid_cell(&grid, "the end");
    }
    pdk_grid_print(&grid, &console, "", file);
    console.tty = false;
    pdk_grid_print(&grid, &console, "", file);
    (void)fclose(file);
    assert_string_equal(text, "a     b  th…\nlong  b  th…\na\tb\tthe end\nlong\tb\tthe end\n");
    pdk_grid_free(&grid);
}

static int begin(void **state) {
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(json), cmocka_unit_test(cut_and_padded),
                                       cmocka_unit_test(control_characters), cmocka_unit_test(grids)};
    return cmocka_run_group_tests(tests, begin, NULL);
}
