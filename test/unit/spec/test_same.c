/* SPDX-License-Identifier: Apache-2.0 */
/* Two tasks are the same by what they say, not by how it is written. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/spec/spec.h"
#include "core/value/value.h"
#include "support/fail_alloc.h"

static const pdk_value *parse(const char *text) {
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    if (pdk_values_get()->parse(pdk_values_get(), text, strlen(text), "test", &value, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return value;
}

static struct pdk_task *read_task(const char *text, const char *defaults, const char *folder) {
    const pdk_value *value = parse(text), *below = defaults ? parse(defaults) : NULL;
    const struct pdk_task_options options = {.name = "a", .defaults = below, .folder = folder, .trusted = true};
    struct pdk_report report = {0};
    struct pdk_task *task = NULL;
    if (pdk_task_read(value, &options, &report, &task) < 0) fail_msg("%s: %s", text, report.faults[0].message);
    pdk_report_free(&report);
    pdk_values_get()->drop(value);
    pdk_values_get()->drop(below);
    return task;
}

static const struct {
    const char *left, *left_defaults, *right, *right_defaults;
    int32_t same;
} pairs[] = {
    {"\"x\"", NULL, "{\"command\": \"x\"}", NULL, 1},
    {"[\"x\"]", NULL, "{\"command\": \"x\"}", NULL, 0},
    {"{\"command\": \"x\", \"description\": \"one\"}", NULL, "{\"description\": \"two\", \"command\": \"x\"}", NULL, 1},
    {"{\"command\": \"x\", \"env\": {\"A\": \"1\", \"B\": \"2\"}}", NULL,
     "{\"env\": {\"B\": \"2\", \"A\": \"1\"}, \"command\": \"x\"}", NULL, 1},
    {"{\"command\": \"x\", \"env\": {\"A\": \"1\"}}", NULL, "{\"command\": \"x\", \"env\": {\"A\": \"2\"}}", NULL, 0},
    {"{\"command\": \"x\", \"env\": {\"A\": \"1\"}}", NULL, "\"x\"", NULL, 0},
    /* what defaults give is as good as what the task says itself */
    {"{\"command\": \"x\", \"timeout\": \"5s\"}", NULL, "\"x\"", "{\"timeout\": \"5s\"}", 1},
    {"{\"command\": \"x\", \"timeout\": \"5s\"}", "{\"timeout\": \"9s\"}", "{\"command\": \"x\", \"timeout\": \"5s\"}",
     "{\"timeout\": \"1s\"}", 1},
    {"\"x\"", "{\"timeout\": \"9s\"}", "\"x\"", "{\"timeout\": \"1s\"}", 0},
    {"{\"command\": \"x\", \"env\": {\"A\": \"1\"}}", "{\"env\": {\"B\": \"2\"}}",
     "{\"command\": \"x\", \"env\": {\"B\": \"2\"}}", "{\"env\": {\"A\": \"1\"}}", 1},
};

static void the_same_is_said_in_many_ways(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct pdk_task *left = read_task(pairs[i].left, pairs[i].left_defaults, "/");
        struct pdk_task *right = read_task(pairs[i].right, pairs[i].right_defaults, "/");
        if (pdk_task_same(left, right) != pairs[i].same || pdk_task_same(right, left) != pairs[i].same)
            fail_msg("%s and %s", pairs[i].left, pairs[i].right);
        pdk_task_drop(left);
        pdk_task_drop(right);
    }
}

/* Where relative paths start is part of what is said. */
static void folders_count(void **state) {
    struct pdk_task *left = read_task("\"./x\"", NULL, "/a"), *right = read_task("\"./x\"", NULL, "/b");
    (void)state;
    assert_int_equal(pdk_task_same(left, right), 0);
    assert_int_equal(pdk_task_same(left, left), 1);
    pdk_task_drop(left);
    pdk_task_drop(right);
}

static void differing(void **state) {
    struct pdk_task *task = read_task("\"x\"", "{\"timeout\": \"5s\"}", "/a"), *other = NULL;
    const pdk_value *fields = parse("{\"slot\": \"s\", \"timeout\": \"1s\"}"), *bad = parse("{\"slott\": \"s\"}");
    struct pdk_report report = {0};
    (void)state;
    assert_int_equal(pdk_task_differ(task, fields, &report, &other), 0);
    assert_string_equal(other->plugin.slot, "s");
    assert_string_equal(other->plugin.name, "a");
    assert_int_equal(pdk_task_same(task, other), 0);
    pdk_task_drop(other);
    assert_int_equal(pdk_task_differ(task, bad, &report, &other), -EINVAL);
    assert_string_equal(report.faults[0].message, "unknown field \"slott\"");
    pdk_report_free(&report);
    pdk_values_get()->drop(fields);
    pdk_values_get()->drop(bad);
    pdk_task_drop(task);
}

/* Without memory it is not known: it is neither yes nor no. */
static int32_t compare(void *arg) {
    struct pdk_task **tasks = arg;
    int32_t same = pdk_task_same(tasks[0], tasks[1]);
    return same == 1 ? 0 : same;
}

static void without_memory(void **state) {
    const char *text = "{\"command\": \"x\", \"env\": {\"A\": \"1\"}}", *defaults = "{\"env\": {\"B\": \"2\"}}";
    struct pdk_task *tasks[] = {read_task(text, defaults, "/"), read_task(text, defaults, "/")};
    (void)state;
    assert_true(pdk_fail_sweep(compare, tasks) > 2);
    pdk_task_drop(tasks[0]);
    pdk_task_drop(tasks[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_said_in_many_ways),
        cmocka_unit_test(folders_count),
        cmocka_unit_test(differing),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
