/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails once: nothing leaks, nothing breaks, -ENOMEM comes back. */
#include "read.h"

#include "support/fail_alloc.h"

struct given {
    const pdk_value *value, *defaults, *with;
};

static int32_t live(void *arg) {
    const struct given *given = arg;
    struct pdk_task_options options = {.name = "t", .defaults = given->defaults, .folder = "/f", .trusted = true};
    struct pdk_report report = {.limit = 0};
    struct pdk_task *task = NULL, *copy = NULL, *complete = NULL;
    int32_t rc = pdk_task_read(given->value, &options, &report, &task);
    if (rc == 0) rc = pdk_task_vary(task, &(struct pdk_task_change){"t.1", "t.1", 1, given->with, given->with}, &copy);
    if (rc == 0) rc = pdk_task_complete(copy, &program, NULL, "p", &report, &complete);
    pdk_task_drop(task);
    pdk_task_drop(copy);
    pdk_task_drop(complete);
    pdk_report_free(&report);
    return rc;
}

static void a_life_of_a_task(void **state) {
    (void)state;
    struct given given = {
        json("{'command': ['x', 'y'], 'env': {'B': 1}, 'labels': {'y': 2}, 'stop': {'grace': '5s'}, 'retries': 3, "
             "'resources': {'pids': 1},"
             " 'ready': {'tcp': 'a:1'}, 'log': 'a.log', 'selector': {'a': 'b'}, 'input': [1], 'reload': ['x'], 'exit': "
             "{'fatal': 1}, 'cwd': 'x'}"),
        json("{'env': {'A': 'b'}, 'labels': {'x': '1'}, 'stop': 'QUIT', 'backoff': '5s', 'env_file': ['a', 'b']}"),
        json("{'nice': 1}")};
    assert_true(pdk_fail_sweep(live, &given) > 15);
    pdk_values_get()->drop(given.value);
    pdk_values_get()->drop(given.defaults);
    pdk_values_get()->drop(given.with);
}

static int32_t refuse(void *arg) {
    struct pdk_report report = {.limit = 0};
    struct pdk_task *task = NULL;
    int32_t rc = pdk_task_read(arg, &of_source, &report, &task);
    pdk_task_drop(task);
    pdk_report_free(&report);
    return rc == -EINVAL ? 0 : rc;
}

static void a_refused_task(void **state) {
    (void)state;
    const pdk_value *value = json("{'comand': 'x', 'labels': {'a b': 1}, 'selector': {'matchLabels': {'c d': 'e'}}, "
                                  "'exit': {'success': 1, 'fatal': 1}}");
    assert_true(pdk_fail_sweep(refuse, (void *)(uintptr_t)value) > 2);
    pdk_values_get()->drop(value);
}

static int32_t parse(void *arg) {
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    int32_t rc = pdk_selector_parse(arg, &arena, &selector, NULL);
    pdk_arena_free(&arena);
    return rc;
}

static void a_selector(void **state) {
    char text[] = "a=b,c!=d,e in (f,g),h,!i";
    (void)state;
    assert_true(pdk_fail_sweep(parse, text) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_life_of_a_task), cmocka_unit_test(a_refused_task),
                                       cmocka_unit_test(a_selector)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
