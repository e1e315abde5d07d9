/* SPDX-License-Identifier: Apache-2.0 */
/* What is written: files of attempts, the history, the journal; and what a disk that fails does to them. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "keeping.h"
#include "tree.h"

/* ---- output ---- */

#define LINE "2026-01-02T03:04:05.000000000Z stdout "

static void test_it_is_written_as_it_came(void **state) {
    (void)state;
    make_attempt();
    print("one\ntwo\nthr", 0);
    print("ee\n", 0);
    print("four", 42);
    arc_output_close(a, &one);
    assert_string_equal(read_text("output/web/run-1/1.0.log"),
                        LINE "F one\n" LINE "F two\n" LINE "P thr\n" LINE "F ee\n"
                             "2026-01-02T03:04:05.000000000Z - L 42\n" LINE "P four\n");
    assert_int_equal(one.offset, 14 + 42 + 4);
    assert_string_equal(TAILQ_FIRST(&a->keeper.fresh)->path, "output/web/run-1/1.0.log");
}

static void test_what_is_lost_at_the_end_is_told(void **state) {
    (void)state;
    make_attempt();
    print("one\n", 0);
    one.unsaid = 42;
    arc_output_close(a, &one);
    assert_string_equal(read_text("output/web/run-1/1.0.log"), LINE "F one\n"
                                                                    "2026-01-02T03:04:05.000000000Z - L 42\n");
    assert_int_equal(one.offset, 4 + 42);
}

static void test_long_lines_are_parted(void **state) {
    static char line[40000];
    (void)state;
    make_attempt();
    a->options.segment = 1 << 20;
    memset(line, 'x', sizeof line - 2);
    line[sizeof line - 2] = '\n';
    print(line, 0);
    arc_output_close(a, &one);
    const char *text = read_text("output/web/run-1/1.0.log");
    assert_int_equal(strlen(text), 39999 + 3 * strlen(LINE "F ") + 2);
    assert_non_null(strstr(text, "P xxx"));
}

static void test_files_are_rotated_and_trimmed(void **state) {
    struct arc_tree_run left;
    char name[64];
    (void)state;
    make_attempt();
    for (int i = 0; i < 1000; i++) print("a line that is long enough to fill it\n", 0);
    arc_output_close(a, &one);
    uint64_t count = 0;
    for (const struct arc_item *item = TAILQ_FIRST(&a->keeper.fresh); item; item = TAILQ_NEXT(item, all)) count++;
    assert_in_range(count, 15, 25);
    assert_true(arc_tree_trim(in_place("output/web/run-1"), 1, a->options.attempt, &left) > 0);
    assert_true(left.bytes <= a->options.attempt);
    assert_false(exists("output/web/run-1/1.0.log"));
    const struct arc_item *last = TAILQ_LAST(&a->keeper.fresh, arc_items);
    (void)snprintf(name, sizeof name, "%s", last->path);
    assert_true(exists(name));
}

/* What the main thread would tell. */
static const char *news(void) {
    static char text[4096];
    (void)snprintf(text, sizeof text, "%s", a->writer.news ? a->writer.news : "");
    free(a->writer.news);
    a->writer.news = NULL;
    return text;
}

static void test_what_cannot_be_written_is_counted(void **state) {
    const struct rlimit small = {8192, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    static char much[9000];
    (void)state;
    make_attempt();
    a->options.segment = 1 << 20;
    (void)signal(SIGXFSZ, SIG_IGN);
    memset(much, 'x', sizeof much - 1);
    print("before\n", 0);
    assert_non_null(strstr(news(), "it writes to"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    print(much, 0);
    assert_non_null(strstr(news(), "/output/web/run-1/1.0.log: File too large"));
    print(much, 0);
    assert_string_equal(news(), ""); /* once is enough */
    assert_int_equal(a->writer.news_state, PDK_DEGRADED);
    assert_int_equal(atomic_load(&of.dropped), 2 * (sizeof much - 1));
    assert_string_equal(read_text("output/web/run-1/1.0.log"), LINE "F before\n");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    now_ns += 6 * SECOND;
    print("after\n", 0);
    arc_output_close(a, &one);
    assert_true(strstr(news(), "again") && a->writer.news_state == PDK_UP);
    assert_non_null(strstr(read_text("output/web/run-1/1.0.log"), " - L 17998\n"));
    assert_non_null(strstr(read_text("output/web/run-1/1.0.log"), "stdout F after\n"));
}

/* ---- history ---- */

static const pdk_value *parse(const char *json) {
    const pdk_value *value = NULL;
    assert_int_equal(a->values->parse(a->values, json, strlen(json), "test", &value, NULL), 0);
    return value;
}

static int32_t add_later(uint64_t seq, const char *outcome, const char *task) {
    char json[256];
    (void)snprintf(json, sizeof json, "{\"run_id\":\"r-%s-%d\",\"task\":\"%s\",\"pad\":\"%0100d\"}", task, (int)seq,
                   task, 0);
    const pdk_value *run = parse(json);
    int32_t rc = arc_history_add(a, seq, now_ns, outcome, task, run);
    a->values->drop(run);
    return rc;
}

static int32_t add(uint64_t seq, const char *outcome, const char *task) {
    int32_t rc = add_later(seq, outcome, task);
    return rc < 0 ? rc : arc_history_flush(a);
}

static void check_run(const struct arc_entry *entry, const char *run_id) {
    struct arc_text cache = {0};
    uint32_t cached = 0;
    const pdk_value *run = NULL;
    const char *text = "";
    pdk_error err = PDK_ERROR;
    assert_int_equal(arc_history_read(a, entry, &cache, &cached, &run, &err), 0);
    (void)a->values->string(a->values->get(run, "run_id"), &text);
    assert_string_equal(text, run_id);
    a->values->drop(run);
    arc_text_free(&cache);
}

static void again(void) {
    end();
    begin();
    assert_int_equal(arc_history_open(a), 0);
}

static void check_three(void) {
    struct arc_entry found[8];
    const uint32_t failed = arc_outcome_hash("failed");
    assert_int_equal(arc_history_select(a, 0, 0, NULL, 0, found, 8), 3);
    assert_true(found[0].seq == 9 && found[1].seq == 7 && found[2].seq == 3);
    check_run(&found[0], "r-web-9");
    check_run(&found[2], "r-db-3");
    assert_int_equal(arc_history_select(a, 9, 0, NULL, 0, found, 8), 2);
    assert_int_equal(arc_history_select(a, 0, arc_hash("web", 3), NULL, 0, found, 8), 2);
    assert_int_equal(arc_history_select(a, 0, 0, &failed, 1, found, 8), 1);
    assert_int_equal(found[0].seq, 7);
    assert_true(arc_history_find(a, 3, found) && !arc_history_find(a, 4, found));
}

static void test_runs_are_found_again(void **state) {
    (void)state;
    assert_int_equal(arc_history_open(a), 0);
    assert_int_equal(add(7, "failed", "web"), 0);
    assert_int_equal(add(3, "succeeded", "db"), 0);
    assert_int_equal(add(9, "succeeded", "web"), 0);
    check_three();
    again();
    check_three();
    assert_string_equal(TAILQ_FIRST(&a->keeper.fresh)->path,
                        "runs/00000001.jsonl"); /* to be packed, which that life did not */
    assert_string_equal(said, "");
}

static void test_a_damaged_line_and_a_torn_end_are_left_out(void **state) {
    (void)state;
    assert_int_equal(arc_history_open(a), 0);
    assert_int_equal(add(7, "failed", "web"), 0);
    assert_int_equal(add(3, "succeeded", "db"), 0);
    int fd = open(in_place("runs/00000001.jsonl"), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "rubbish\n{\"seq\":8", 16), 16);
    (void)close(fd);
    again();
    assert_non_null(strstr(said, "runs/00000001.jsonl, line 3: a run is wanted there"));
    assert_int_equal(add(9, "succeeded", "web"), 0);
    assert_true(exists("runs/00000002.jsonl"));
    check_three();
}

static void test_old_runs_go(void **state) {
    struct arc_entry found[4];
    (void)state;
    assert_int_equal(arc_history_open(a), 0);
    for (uint64_t seq = 1; seq <= 12000; seq++) assert_int_equal(add(seq, "succeeded", "web"), 0);
    assert_true(exists("runs/00000002.jsonl"));
    arc_history_trim(a); /* 10 are to be kept: those of the last volume are more */
    assert_false(exists("runs/00000001.jsonl"));
    assert_true(arc_history_find(a, 12000, found) && !arc_history_find(a, 1, found));
    again();
    assert_true(arc_history_find(a, 12000, found) && !arc_history_find(a, 1, found));
    assert_int_equal(add(12001, "succeeded", "web"), 0); /* in a volume of its own */
    a->options.runs = 1000000;
    now_ns += 2000 * SECOND;
    arc_history_trim(a);
    assert_true(arc_history_find(a, 12001, found) && !arc_history_find(a, 12000, found));
}

static void test_volumes_that_nobody_can_read_age_as_others(void **state) {
    struct arc_entry found[4];
    (void)state;
    write_text("runs/00000001.jsonl", "rubbish\n");
    write_text("runs/00000002.jsonl", "");
    write_text("runs/00000003.jsonl.gz", "\x1f\x8b\b\x01 damaged");
    write_text("runs/00000004.jsonl", "rubbish\n");
    set_age("runs/00000001.jsonl", 100);
    set_age("runs/00000002.jsonl", 100);
    set_age("runs/00000003.jsonl.gz", 100);
    set_age("runs/00000004.jsonl", (time_t)(now_ns / SECOND));
    assert_int_equal(arc_history_open(a), 0);
    assert_int_equal(add(7, "succeeded", "web"), 0);
    arc_history_trim(a);
    assert_false(exists("runs/00000001.jsonl") || exists("runs/00000002.jsonl") || exists("runs/00000003.jsonl.gz"));
    assert_true(exists("runs/00000004.jsonl"));
    now_ns += 2000 * SECOND;
    arc_history_trim(a);
    assert_false(exists("runs/00000004.jsonl"));
    assert_true(arc_history_find(a, 7, found));
}

static void test_a_full_disk_leaves_whole_lines(void **state) {
    const struct rlimit small = {300, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    struct arc_entry found[4];
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(arc_history_open(a), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(add(1, "succeeded", "web"), 0);
    assert_true(add(2, "succeeded", "web") < 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_equal(add(3, "succeeded", "web"), 0);
    again();
    assert_string_equal(said, "");
    assert_int_equal(arc_history_select(a, 0, 0, NULL, 0, found, 4), 2);
}

static void test_of_a_batch_what_fits_is_kept(void **state) {
    const struct rlimit small = {500, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
    struct arc_entry found[4];
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(arc_history_open(a), 0);
    for (uint64_t seq = 1; seq <= 4; seq++) assert_int_equal(add_later(seq, "succeeded", "web"), 0);
    assert_int_equal(arc_history_select(a, 0, 0, NULL, 0, found, 4), 0); /* not before it is written */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_true(arc_history_flush(a) < 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_equal(arc_history_select(a, 0, 0, NULL, 0, found, 4), 2);
    assert_int_equal(add(9, "succeeded", "web"), 0);
    check_run(&found[0], "r-web-2");
    again();
    assert_string_equal(said, "");
    assert_int_equal(arc_history_select(a, 0, 0, NULL, 0, found, 4), 3);
    check_run(&found[0], "r-web-9");
}

/* ---- journal ---- */

static int32_t describe(const pdk_control *control, const pdk_run_info *info, const pdk_value **ret) {
    char json[256];
    (void)control;
    (void)snprintf(json, sizeof json, "{\"run_id\":\"%s\",\"task\":\"%s\",\"state\":\"running\",\"ready\":true}",
                   info->run_id, info->name);
    *ret = parse(json);
    return 0;
}

static const pdk_control control = {.struct_size = sizeof control, .describe_run = describe};

static void begin_run(const char *run_id, const char *task) {
    const pdk_run_info info = {.struct_size = sizeof info, .run_id = run_id, .name = task};
    a->control = &control;
    arc_journal_begin(a, &info);
    assert_int_equal(arc_journal_flush(a), 0);
}

static void test_runs_of_a_killed_program_are_lost(void **state) {
    struct arc_entry found[4];
    const uint32_t lost = arc_outcome_hash("lost");
    (void)state;
    assert_int_equal(arc_history_open(a), 0);
    assert_int_equal(arc_journal_open(a), 0);
    begin_run("r-web-1", "web");
    begin_run("r-db-2", "db");
    begin_run("r-web-3", "web");
    arc_journal_ended(a, 2);
    assert_int_equal(add(1, "succeeded", "web"), 0); /* its end was kept, and the journal does not know */
    assert_int_equal(arc_journal_flush(a), 0);
    int fd = open(in_place("running.jsonl"), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "{\"seq\":9,\"ta", 12), 12);
    (void)close(fd);
    again();
    assert_int_equal(arc_journal_open(a), 0);
    assert_int_equal(arc_history_select(a, 0, 0, NULL, 0, found, 4), 2);
    assert_int_equal(arc_history_select(a, 0, 0, &lost, 1, found, 4), 1);
    check_run(&found[0], "r-web-3");
    assert_string_equal(read_text("running.jsonl"), "");
    again();
    assert_int_equal(arc_journal_open(a), 0);
    assert_int_equal(arc_history_select(a, 0, 0, NULL, 0, found, 4), 2);
}

static size_t bad_place = SIZE_MAX; /* a sector that cannot be read, so far from where reading begins */

ssize_t __real_read(int fd, void *buf, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t size) {
    if (!bad_place) {
        errno = EIO;
        return -1;
    }
    ssize_t got = __real_read(fd, buf, size < bad_place ? size : bad_place);
    if (got > 0 && bad_place != SIZE_MAX) bad_place -= (size_t)got;
    return got;
}

static void test_a_journal_that_cannot_be_read_stays(void **state) {
    struct arc_entry found[4];
    char whole[1024], wanted[600];
    (void)state;
    assert_int_equal(arc_history_open(a), 0);
    assert_int_equal(arc_journal_open(a), 0);
    begin_run("r-web-1", "web");
    begin_run("r-web-2", "web");
    (void)snprintf(whole, sizeof whole, "%s", read_text("running.jsonl"));
    again();
    bad_place = strcspn(whole, "\n") + 1;
    assert_int_equal(arc_journal_open(a), -EIO);
    bad_place = SIZE_MAX;
    (void)snprintf(wanted, sizeof wanted, "cannot read %s: Input/output error;", in_place("running.jsonl"));
    assert_non_null(strstr(news(), wanted));
    assert_string_equal(read_text("running.jsonl"), whole);
    assert_int_equal(arc_history_select(a, 0, 0, NULL, 0, found, 4), 0);
    assert_int_equal(arc_journal_open(a), 0); /* another try, which works */
    assert_int_equal(arc_history_select(a, 0, 0, NULL, 0, found, 4), 2);
}

static void test_the_journal_stays_small(void **state) {
    struct stat status;
    char run_id[32];
    (void)state;
    assert_int_equal(arc_history_open(a), 0);
    assert_int_equal(arc_journal_open(a), 0);
    begin_run("r-web-1", "web");
    for (int i = 2; i < 30000; i++) {
        (void)snprintf(run_id, sizeof run_id, "r-web-%d", i);
        begin_run(run_id, "web");
        arc_journal_ended(a, (uint64_t)i);
    }
    assert_int_equal(arc_journal_flush(a), 0);
    assert_int_equal(stat(in_place("running.jsonl"), &status), 0);
    assert_true(status.st_size < 1200 << 10);
    again();
    a->control = &control;
    assert_int_equal(arc_journal_open(a), 0);
    struct arc_entry found[4];
    assert_int_equal(arc_history_select(a, 0, 0, NULL, 0, found, 4), 1);
    check_run(&found[0], "r-web-1");
}

#define KEEP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        KEEP(test_it_is_written_as_it_came),
        KEEP(test_what_is_lost_at_the_end_is_told),
        KEEP(test_long_lines_are_parted),
        KEEP(test_files_are_rotated_and_trimmed),
        KEEP(test_what_cannot_be_written_is_counted),
        KEEP(test_runs_are_found_again),
        KEEP(test_a_damaged_line_and_a_torn_end_are_left_out),
        KEEP(test_old_runs_go),
        KEEP(test_volumes_that_nobody_can_read_age_as_others),
        KEEP(test_a_full_disk_leaves_whole_lines),
        KEEP(test_of_a_batch_what_fits_is_kept),
        KEEP(test_runs_of_a_killed_program_are_lost),
        KEEP(test_a_journal_that_cannot_be_read_stays),
        KEEP(test_the_journal_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
