/* SPDX-License-Identifier: Apache-2.0 */
/* Who may go, who never can, and what is waited for. */
#include "plan_help.h"

static struct pdk_item *find(struct pdk_plan *plan, const char *name) {
    struct pdk_item *item = NULL;
    for (size_t i = 0; (item = pdk_plan_item(plan, i)); i++)
        if (strcmp(item->name, name) == 0) return item;
    fail_msg("no item %s", name);
    return NULL;
}

/* The next fate is this task's. */
static void next(struct pdk_plan *plan, const char *name, enum pdk_group_fate fate) {
    struct pdk_group *group = pdk_graph_take(plan);
    assert_non_null(group);
    assert_string_equal(group->task->plugin.name, name);
    assert_int_equal(group->fate, fate);
}

static void nothing(struct pdk_plan *plan) {
    assert_null(pdk_graph_take(plan));
}

static void end(struct pdk_plan *plan, const char *name, int32_t how) {
    struct pdk_item *item = find(plan, name);
    item->end = how;
    pdk_graph_ended(plan, item);
}

static void with(const char *text, void (*test)(struct pdk_plan *plan)) {
    struct pdk_config *config = config_of(text);
    struct pdk_plan *plan = plan_of(config, NULL);
    pdk_graph_begin(plan);
    test(plan);
    pdk_plan_free(plan);
    pdk_config_free(config);
}

static void check_needs(struct pdk_plan *plan) {
    char text[100];
    next(plan, "a", PDK_FATE_GO);
    next(plan, "b", PDK_FATE_GO);
    nothing(plan);
    assert_string_equal(pdk_item_waits_for(find(plan, "c"), text, sizeof text), "needs b, a");
    end(plan, "a", PDK_END_SUCCEEDED);
    nothing(plan);
    assert_string_equal(pdk_item_waits_for(find(plan, "c"), text, sizeof text), "needs b");
    pdk_graph_ready(plan, find(plan, "b"));
    nothing(plan);
    end(plan, "b", PDK_END_SUCCEEDED);
    next(plan, "c", PDK_FATE_GO);
    nothing(plan);
}

static void needs_want_success(void **state) {
    (void)state;
    with("tasks: {a: x, b: x, c: {command: x, needs: [a, b]}}", check_needs);
}

static void check_failed(struct pdk_plan *plan) {
    next(plan, "a", PDK_FATE_GO);
    end(plan, "a", PDK_END_FAILED);
    next(plan, "b", PDK_FATE_NEVER);
    next(plan, "c", PDK_FATE_NEVER);
    nothing(plan);
    assert_string_equal(find(plan, "b")->group->because->name, "a");
    end(plan, "b", PDK_END_REJECTED);
    next(plan, "d", PDK_FATE_NEVER);
    end(plan, "c", PDK_END_REJECTED);
    nothing(plan);
}

static void what_never_can_is_known_once(void **state) {
    (void)state;
    with("tasks: {a: x, c: {command: x, after: a}, b: {command: x, needs: a}, d: {command: x, needs: [b, c]}}",
         check_failed);
}

static void check_after(struct pdk_plan *plan) {
    next(plan, "a", PDK_FATE_GO);
    pdk_graph_ready(plan, find(plan, "a"));
    find(plan, "a")->ready = false; /* it went down again: who was let in stays */
    next(plan, "b", PDK_FATE_GO);
    end(plan, "a", PDK_END_FAILED);
    nothing(plan);
}

static void after_wants_ready_once(void **state) {
    (void)state;
    with("tasks: {a: x, b: {command: x, after: a}}", check_after);
}

static void check_quick(struct pdk_plan *plan) {
    next(plan, "a", PDK_FATE_GO);
    end(plan, "a", PDK_END_SUCCEEDED);
    next(plan, "b", PDK_FATE_GO);
}

static void success_is_as_good_as_ready(void **state) {
    (void)state;
    with("tasks: {a: x, b: {command: x, after: a}}", check_quick);
}

static void check_replicas(struct pdk_plan *plan) {
    next(plan, "a", PDK_FATE_GO);
    end(plan, "a.1", PDK_END_SUCCEEDED);
    end(plan, "a.3", PDK_END_SUCCEEDED);
    nothing(plan);
    end(plan, "a.2", PDK_END_SUCCEEDED);
    next(plan, "b", PDK_FATE_GO);
}

static void all_replicas_count(void **state) {
    (void)state;
    with("tasks: {a: {command: x, replicas: 3}, b: {command: x, needs: a}}", check_replicas);
}

static void check_both(struct pdk_plan *plan) {
    char text[100], small[8];
    next(plan, "a", PDK_FATE_GO);
    next(plan, "b", PDK_FATE_GO);
    assert_string_equal(pdk_item_waits_for(find(plan, "c"), text, sizeof text), "needs a; after b");
    assert_string_equal(pdk_item_waits_for(find(plan, "c"), small, sizeof small), "needs a");
}

static void waits_are_told(void **state) {
    (void)state;
    with("tasks: {a: x, b: x, c: {command: x, needs: a, after: b}}", check_both);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_want_success),     cmocka_unit_test(what_never_can_is_known_once),
        cmocka_unit_test(after_wants_ready_once), cmocka_unit_test(success_is_as_good_as_ready),
        cmocka_unit_test(all_replicas_count),     cmocka_unit_test(waits_are_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
