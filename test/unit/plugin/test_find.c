/* SPDX-License-Identifier: Apache-2.0 */
/* Files by name, in folders; none of them is opened, so they may as well be empty. */
#include "support/unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/instance.h"
#include "support/fail_alloc.h"

static char one[] = "/tmp/paddock-find-XXXXXX", two[] = "/tmp/paddock-find-XXXXXX", both[128];
static const char *const files[][2] = {{one, "http.so"}, {one, "zebra.so"},  {one, "lib.so.1"}, {one, ".hidden.so"},
                                       {two, "http.so"}, {two, "alpaca.so"}, {two, ".so"},      {two, "README"}};

static void in(char path[static 128], const char *folder, const char *name) {
    snprintf(path, 128, "%s/%s", folder, name);
}

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(one) || !mkdtemp(two)) return -1;
    snprintf(both, sizeof both, ":%s:/nowhere/at/all::%s:", one, two);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        char path[128];
        FILE *file;
        in(path, files[i][0], files[i][1]);
        file = fopen(path, "we");
        if (!file || fclose(file)) return -1;
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        char path[128];
        in(path, files[i][0], files[i][1]);
        unlink(path);
    }
    rmdir(one);
    rmdir(two);
    return 0;
}

static void finds(const char *use, const char *folder, const char *name) {
    char path[128], *file = NULL;
    pdk_error err = PDK_ERROR;

    in(path, folder, name);
    assert_int_equal(pdk_library_find(use, both, &file, &err), 0);
    assert_string_equal(file, path);
    free(file);
}

static void the_first_folder_wins(void **state) {
    (void)state;
    finds("http", one, "http.so");
    finds("alpaca", two, "alpaca.so");
}

static void a_path_is_taken_as_it_is(void **state) {
    char path[128], *file = NULL;
    pdk_error err = PDK_ERROR;

    (void)state;
    in(path, two, "README");
    assert_int_equal(pdk_library_find(path, "", &file, &err), 0);
    assert_string_equal(file, path);
    free(file);
    assert_int_equal(pdk_library_find("./no/such.so", both, &file, &err), -ENOENT);
    assert_string_equal(err.message, "there is no file ./no/such.so");
}

static void says_where_it_looked(void **state) {
    char *file = NULL, line[256];
    pdk_error err = PDK_ERROR;

    (void)state;
    snprintf(line, sizeof line, "there is no plugin \"zerba\" in %s", both);
    assert_int_equal(pdk_library_find("zerba", both, &file, &err), -ENOENT);
    assert_string_equal(err.message, line);
    assert_string_equal(err.hint, "did you mean \"zebra\"?");
    assert_int_equal(pdk_library_find("zerba", "", &file, &err), -ENOENT);
    assert_string_equal(err.message, "there is no plugin \"zerba\" in the plugin path, which is empty");
    assert_int_equal(pdk_library_find("zerba", both, &file, NULL), -ENOENT);
    assert_null(file);
}

static int32_t note(void *arg, const char *name, const char *file) {
    strlcat(arg, name, 256);
    strlcat(arg, strncmp(file, one, strlen(one)) == 0 ? " 1 " : " 2 ", 256);
    return 0;
}

static int32_t stop_at_once(void *arg, const char *name, const char *file) {
    note(arg, name, file);
    return 7;
}

static void scans_by_name(void **state) {
    char said[256] = "";

    (void)state;
    assert_int_equal(pdk_library_scan(both, note, said), 0);
    assert_string_equal(said, "alpaca 2 http 1 zebra 1 ");
    said[0] = '\0';
    assert_int_equal(pdk_library_scan(both, stop_at_once, said), 7);
    assert_string_equal(said, "alpaca 2 ");
    assert_int_equal(pdk_library_scan("", note, said), 0);
}

static int32_t scan(void *arg) {
    char said[256] = "";
    (void)arg;
    return pdk_library_scan(both, note, said);
}

static void memory_may_run_out(void **state) {
    (void)state;
    assert_in_range(pdk_fail_sweep(scan, NULL), 3, 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_folder_wins), cmocka_unit_test(a_path_is_taken_as_it_is),
        cmocka_unit_test(says_where_it_looked),  cmocka_unit_test(scans_by_name),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
