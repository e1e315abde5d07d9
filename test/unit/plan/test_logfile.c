/* SPDX-License-Identifier: Apache-2.0 */
/* Log files: nothing is lost that there is room for, files are turned over at lines, and errors are told once. */
#include "plan_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/loop/loop.h"

struct bench {
    struct pdk_ev *ev;
    struct pdk_plan plan;
    char folder[32];
    char warning[300];
    unsigned warnings;
};

static void warn(void *arg, const char *text) {
    struct bench *bench = arg;
    bench->warnings++;
    (void)strlcpy(bench->warning, text, sizeof bench->warning);
}

static int begin(void **state) {
    struct bench *bench = calloc(1, sizeof *bench);
    pdk_error err = PDK_ERROR;
    pdk_supervisor_options options = {.struct_size = sizeof options};
    (void)strlcpy(bench->folder, "/tmp/paddock-test-XXXXXX", sizeof bench->folder);
    if (!mkdtemp(bench->folder) || pdk_ev_create(&bench->ev) < 0) return -1;
    options.loop = pdk_ev_loop(bench->ev);
    bench->plan.loop = options.loop;
    bench->plan.open = 1;
    bench->plan.options.warn = warn;
    bench->plan.options.arg = bench;
    *state = bench;
    return pdk_supervisor_create(&options, &bench->plan.options.supervisor, &err);
}

static int end(void **state) {
    struct bench *bench = *state;
    pdk_supervisor_destroy(bench->plan.options.supervisor);
    pdk_log_files_free(&bench->plan);
    pdk_ev_free(bench->ev);
    for (int i = 0; i < 4; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, i ? "%s/log.%d" : "%s/log", bench->folder, i);
        (void)unlink(path);
    }
    (void)rmdir(bench->folder);
    free(bench);
    return 0;
}

static struct pdk_log_file *get(struct bench *bench, uint64_t max_size, uint32_t keep) {
    struct pdk_log_file *log = NULL;
    char path[64];
    (void)snprintf(path, sizeof path, "%s/log", bench->folder);
    assert_int_equal(pdk_log_file_get(&bench->plan, path, max_size, keep, &log), 0);
    return log;
}

static void look(void *arg) {
    struct bench *bench = arg;
    if (pdk_log_files_idle(&bench->plan)) pdk_ev_break(bench->ev);
}

static void settle(struct bench *bench) {
    pdk_watch watch;
    assert_int_equal(bench->plan.loop->timer(bench->plan.loop, 1, 100000, look, bench, &watch), 0);
    pdk_ev_run(bench->ev);
    bench->plan.loop->stop(bench->plan.loop, watch);
}

static char *content(struct bench *bench, const char *name, char *buf, size_t size) {
    char path[64];
    (void)snprintf(path, sizeof path, "%s/%s", bench->folder, name);
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(buf, 1, size - 1, file) : 0;
    buf[n] = '\0';
    if (file) (void)fclose(file);
    return buf;
}

static void bytes_get_there(void **state) {
    struct bench *bench = *state;
    struct pdk_log_file *log = get(bench, 0, 0);
    char text[100];
    pdk_log_file_add(log, "one", 3, true);
    pdk_log_file_add(log, "two", 3, false);
    pdk_log_file_add(log, "\0\xff", 2, true);
    settle(bench);
    assert_memory_equal(content(bench, "log", text, sizeof text), "one\ntwo\0\xff\n", 10);
    assert_ptr_equal(log, get(bench, 0, 0)); /* one path, one file */
    assert_int_equal(bench->warnings, 0);
}

static void it_is_turned_over_at_lines(void **state) {
    struct bench *bench = *state;
    struct pdk_log_file *log = get(bench, 8, 2);
    char text[100];
    for (int i = 0; i < 7; i++) {
        char line[4] = {(char)('a' + i), (char)('a' + i), (char)('a' + i), '\0'};
        pdk_log_file_add(log, line, 3, true);
    }
    settle(bench);
    assert_string_equal(content(bench, "log", text, sizeof text), "ggg\n");
    assert_string_equal(content(bench, "log.1", text, sizeof text), "eee\nfff\n");
    assert_string_equal(content(bench, "log.2", text, sizeof text), "ccc\nddd\n");
    assert_string_equal(content(bench, "log.3", text, sizeof text), "");
}

static void without_any_to_keep_it_begins_anew(void **state) {
    struct bench *bench = *state;
    struct pdk_log_file *log = get(bench, 4, 0);
    char text[100];
    pdk_log_file_add(log, "abcdefghij", 10, true); /* longer than a file: in pieces */
    settle(bench);
    assert_string_equal(content(bench, "log", text, sizeof text), "ij\n");
    assert_string_equal(content(bench, "log.1", text, sizeof text), "");
}

static void errors_are_told_once_and_so_is_their_end(void **state) {
    struct bench *bench = *state;
    struct pdk_log_file *log = NULL;
    char path[64], text[100];
    (void)snprintf(path, sizeof path, "%s/no/log", bench->folder);
    assert_int_equal(pdk_log_file_get(&bench->plan, path, 0, 0, &log), 0);
    for (int i = 0; i < 3; i++) {
        pdk_log_file_add(log, "lost", 4, true);
        settle(bench);
    }
    assert_int_equal(bench->warnings, 1);
    assert_non_null(strstr(bench->warning, "No such file or directory"));
    (void)snprintf(path, sizeof path, "%s/no", bench->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    pdk_log_file_add(log, "kept", 4, true);
    settle(bench);
    assert_int_equal(bench->warnings, 2);
    assert_non_null(strstr(bench->warning, "15 bytes were lost"));
    assert_string_equal(content(bench, "no/log", text, sizeof text), "kept\n");
    (void)snprintf(path, sizeof path, "%s/no/log", bench->folder);
    (void)unlink(path);
    path[strlen(path) - 4] = '\0';
    (void)rmdir(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_get_there, begin, end),
        cmocka_unit_test_setup_teardown(it_is_turned_over_at_lines, begin, end),
        cmocka_unit_test_setup_teardown(without_any_to_keep_it_begins_anew, begin, end),
        cmocka_unit_test_setup_teardown(errors_are_told_once_and_so_is_their_end, begin, end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
