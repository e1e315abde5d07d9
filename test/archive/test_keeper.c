/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper counts, removes and leaves alone. Its thread is not there: its turns are taken one by one. */
#include <errno.h>
#include <time.h>

#include "keeping.h"
#include "tree.h"

static void make_run(const char *task, int number, time_t changed) {
    static char bytes[5000];
    char name[128];
    (void)snprintf(name, sizeof name, "output/%s", task);
    (void)mkdir(in_place(name), 0700);
    (void)snprintf(name, sizeof name, "output/%s/run-%d", task, number);
    assert_int_equal(mkdir(in_place(name), 0700), 0);
    (void)snprintf(name, sizeof name, "output/%s/run-%d/1.0.log", task, number);
    write_bytes(name, bytes, sizeof bytes);
    set_age(name, changed);
}

static uint64_t on_disk(const char *name) {
    struct arc_tree_run run;
    arc_tree_look(in_place(name), &run);
    return run.bytes;
}

static void print_and_close(const char *data) {
    print(data, 0);
    arc_output_close(a, &one);
}

/* ---- counting ---- */

static void test_one_that_ends_during_the_first_sweep_is_counted_once(void **state) {
    (void)state;
    make_run("db", 1, 100);
    a->options.output_age = UINT64_MAX;
    make_attempt();
    print_and_close("one\n");
    uint64_t size = on_disk("output/web/run-1");
    a->options.task = size * 3 / 2;
    arc_keeper_sweep(a, true);
    arc_keeper_turn(a);
    assert_int_equal(a->keeper.total, size + on_disk("output/db/run-1"));
    assert_int_equal(a->keeper.open_bytes, 0);
    assert_true(exists("output/web/run-1/1.0.log"));
}

static void test_a_folder_counts_once_for_all_attempts(void **state) {
    (void)state;
    arc_keeper_sweep(a, true);
    for (uint32_t number = 1; number <= 3; number++) {
        make_attempt();
        one.number = number;
        print_and_close("one\n");
        arc_keeper_turn(a);
    }
    assert_int_equal(a->keeper.total, on_disk("output/web/run-1"));
}

static void test_what_is_removed_was_counted(void **state) {
    (void)state;
    make_run("db", 1, (time_t)(now_ns / SECOND));
    arc_keeper_sweep(a, true);
    make_attempt();
    a->options.attempt = 1;
    a->options.task = 1;
    for (int i = 0; i < 1000; i++) print("a line that is long enough to fill it\n", 0);
    arc_output_close(a, &one);
    arc_keeper_turn(a);
    assert_false(exists("output/web"));
    assert_int_equal(a->keeper.total, on_disk("output/db/run-1"));
}

static void test_tasks_without_runs_are_forgotten(void **state) {
    (void)state;
    make_run("web", 1, 100);
    make_run("web", 2, (time_t)(now_ns / SECOND));
    make_run("db", 3, 100);
    arc_keeper_sweep(a, true); /* what is too old goes at once */
    assert_false(exists("output/db") || exists("output/web/run-1"));
    assert_int_equal(a->keeper.total, on_disk("output/web/run-2"));
    assert_non_null(a->keeper.tasks);
    a->options.total = 1;
    arc_keeper_sweep(a, false);
    assert_null(a->keeper.tasks);
    assert_int_equal(a->keeper.total, 0);
    make_attempt();
    print_and_close("one\n"); /* counted, and too much */
    arc_keeper_turn(a);
    assert_null(a->keeper.tasks);
    assert_false(exists("output/web"));
}

/* ---- removing ---- */

static bool is_not_web_2(void *arg, const char *task, const char *run) {
    (void)arg;
    return strcmp(task, "web") != 0 || strcmp(run, "run-2") != 0;
}

static void count_removed(void *arg, const char *task, const char *run, uint64_t bytes) {
    (void)task, (void)run, (void)bytes;
    ++*(int *)arg;
}

static void test_the_oldest_go_first(void **state) {
    int removed = 0;
    const struct arc_tree_ops ops = {is_not_web_2, count_removed, &removed};
    (void)state;
    make_run("web", 2, 100);
    make_run("web", 4, 300);
    make_run("db", 3, 200);
    char output[512];
    (void)snprintf(output, sizeof output, "%s", in_place("output"));
    assert_true(arc_tree_remove(output, NULL, 1, &ops) > 0);
    assert_int_equal(removed, 1);
    assert_false(exists("output/db")); /* the oldest that nobody uses, and it was the last of its task */
    assert_true(exists("output/web/run-2/1.0.log") && exists("output/web/run-4/1.0.log"));
    assert_true(arc_tree_remove(output, "web", UINT64_MAX, &ops) > 0);
    assert_true(exists("output/web/run-2/1.0.log") && !exists("output/web/run-4"));
}

/* It has waited for its next attempt, and that begins when another is already being removed. */
static bool begin_with_another(void *arg, const char *task, const char *run) {
    char folder[64];
    bool *held = arg;
    if (!*held) *held = arc_keeper_hold(a, "web/run-4");
    (void)snprintf(folder, sizeof folder, "%s/%s", task, run);
    return arc_keeper_claim(a, folder);
}

static void end_with_another(void *arg, const char *task, const char *run, uint64_t bytes) {
    char folder[64];
    (void)arg, (void)bytes;
    (void)snprintf(folder, sizeof folder, "%s/%s", task, run);
    arc_keeper_give_back(a, folder);
}

static void test_one_that_begins_meanwhile_stays(void **state) {
    bool held = false;
    const struct arc_tree_ops ops = {begin_with_another, end_with_another, &held};
    char output[512];
    (void)state;
    make_run("web", 3, 100);
    make_run("web", 4, 200);
    (void)snprintf(output, sizeof output, "%s", in_place("output"));
    assert_true(arc_tree_remove(output, NULL, UINT64_MAX, &ops) > 0);
    assert_true(held && exists("output/web/run-4/1.0.log") && !exists("output/web/run-3"));
}

static void test_what_is_in_use_stays(void **state) {
    (void)state;
    make_attempt();
    a->options.total = 1;
    print("one\n", 0);
    set_age("output/web/run-1/1.0.log", 100);
    arc_keeper_sweep(a, true);
    assert_true(exists("output/web/run-1/1.0.log"));
    arc_output_close(a, &one);
    now_ns += 60 * SECOND;
    arc_keeper_turn(a);
    assert_false(exists("output/web"));
}

/* ---- while the other thread is at it ---- */

static struct {
    bool on, early; /* early: it did not wait */
    pthread_t thread;
    char folder[512];
    bool gone; /* the folder, when it was held */
} other;

static void *hold(void *arg) {
    (void)arg;
    if (!arc_keeper_hold(a, "web/run-1")) return NULL;
    other.gone = access(other.folder, F_OK) < 0;
    return NULL;
}

static bool ends_with(const char *path, const char *end) {
    size_t size = strlen(path);
    return size >= strlen(end) && !strcmp(path + size - strlen(end), end);
}

int __real_rmdir(const char *path);
int __wrap_rmdir(const char *path);
int __wrap_rmdir(const char *path) {
    struct timespec until;
    if (other.on && ends_with(path, "/web/run-1")) {
        other.on = false;
        assert_int_equal(pthread_create(&other.thread, NULL, hold, NULL), 0);
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++; /* so long it has time to go wrong */
        other.early = pthread_timedjoin_np(other.thread, NULL, &until) == 0;
    }
    return __real_rmdir(path);
}

static void test_who_writes_waits_until_it_is_gone(void **state) {
    (void)state;
    make_run("web", 1, 100);
    (void)snprintf(other.folder, sizeof other.folder, "%s", in_place("output/web/run-1"));
    other.on = true;
    arc_keeper_sweep(a, true);
    assert_false(other.on || other.early);
    assert_int_equal(pthread_join(other.thread, NULL), 0);
    assert_true(other.gone);
    arc_keeper_release(a, "web/run-1");
}

static bool task_goes; /* as soon as it is made, with the run that was the last */

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode) {
    int rc = __real_mkdir(path, mode);
    if (!task_goes || !ends_with(path, "output/web")) return rc;
    task_goes = false;
    assert_int_equal(__real_rmdir(path), 0);
    return rc;
}

static void test_a_task_that_goes_when_it_begins_again(void **state) {
    (void)state;
    make_attempt();
    task_goes = true;
    print_and_close("one\n");
    assert_false(task_goes);
    assert_int_equal(atomic_load(&of.dropped), 0);
    assert_true(exists("output/web/run-1/1.0.log"));
}

#define KEEPER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        KEEPER(test_one_that_ends_during_the_first_sweep_is_counted_once),
        KEEPER(test_a_folder_counts_once_for_all_attempts),
        KEEPER(test_what_is_removed_was_counted),
        KEEPER(test_tasks_without_runs_are_forgotten),
        KEEPER(test_the_oldest_go_first),
        KEEPER(test_one_that_begins_meanwhile_stays),
        KEEPER(test_what_is_in_use_stays),
        KEEPER(test_who_writes_waits_until_it_is_gone),
        KEEPER(test_a_task_that_goes_when_it_begins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
