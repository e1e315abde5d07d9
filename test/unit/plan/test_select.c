/* SPDX-License-Identifier: Apache-2.0 */
/* Who is in a plan. */
#include "plan_help.h"

#include <errno.h>

#include "core/base/buffer.h"

static const char file[] = "tasks:\n"
                           "  build: x\n"
                           "  test: {command: x, needs: build, labels: {stage: check}}\n"
                           "  lint: {command: x, labels: {stage: check}}\n"
                           "  db: {command: x, manual: true}\n"
                           "  web: {command: x, replicas: 3, slot: www, after: [db, test], manual: true}\n";

/* "build test": the names of the items in order. */
static const char *names_of(const struct pdk_plan *plan, char *buf, size_t size) {
    const struct pdk_item *item;
    buf[0] = '\0';
    for (size_t i = 0; (item = pdk_plan_item(plan, i)); i++) {
        if (i) (void)strlcat(buf, " ", size);
        (void)strlcat(buf, item->name, size);
    }
    return buf;
}

static void expect(const struct pdk_selection *selection, const char *wanted) {
    struct pdk_config *config = config_of(file);
    struct pdk_plan *plan = NULL;
    pdk_error err = PDK_ERROR;
    char names[200];
    assert_int_equal(pdk_plan_select(config, selection, &plan, &err), 0);
    assert_string_equal(names_of(plan, names, sizeof names), wanted);
    pdk_plan_free(plan);
    pdk_config_free(config);
}

static void all_but_manual(void **state) {
    (void)state;
    expect(&(struct pdk_selection){0}, "build test lint");
}

static void named_with_what_they_need(void **state) {
    (void)state;
    expect(&(struct pdk_selection){.names = (const char *const[]){"test", NULL}}, "build test");
    expect(&(struct pdk_selection){.names = (const char *const[]){"web", NULL}}, "build test db web.1 web.2 web.3");
    expect(&(struct pdk_selection){.names = (const char *const[]){"web", NULL}, .only = true}, "web.1 web.2 web.3");
}

static void by_label(void **state) {
    struct pdk_arena arena = {0};
    struct pdk_selector selector;
    pdk_error err = PDK_ERROR;
    (void)state;
    assert_int_equal(pdk_selector_parse("stage=check", &arena, &selector, &err), 0);
    expect(&(struct pdk_selection){.selector = &selector}, "build test lint");
    expect(&(struct pdk_selection){.selector = &selector, .only = true}, "test lint");
    pdk_arena_free(&arena);
}

static void nobody_of_that_name(void **state) {
    struct pdk_config *config = config_of(file);
    struct pdk_plan *plan = NULL;
    pdk_error err = PDK_ERROR;
    (void)state;
    const struct pdk_selection selection = {.names = (const char *const[]){"biuld", NULL}};
    assert_int_equal(pdk_plan_select(config, &selection, &plan, &err), -ENOENT);
    assert_string_equal(err.message, "there is no task \"biuld\"");
    assert_string_equal(err.hint, "did you mean \"build\"?");
    assert_null(plan);
    pdk_config_free(config);
}

static void replicas_have_names_slots_and_labels(void **state) {
    struct pdk_config *config = config_of(file);
    struct pdk_plan *plan = plan_of(config, (const char *const[]){"web", NULL});
    const struct pdk_item *item = pdk_plan_item(plan, 4);
    (void)state;
    assert_string_equal(item->name, "web.2");
    assert_string_equal(item->task->plugin.slot, "www.2");
    assert_string_equal(pdk_value_text(pdk_values_get()->get(item->task->plugin.labels, "paddock/replica")), "2");
    pdk_plan_free(plan);
    pdk_config_free(config);
}

static void too_many(void **state) {
    struct pdk_buffer text = PDK_BUFFER(1u << 20);
    (void)state;
    pdk_buffer_text(&text, "tasks:\n");
    for (int i = 0; i < 101; i++) pdk_buffer_format(&text, "  t%d: {command: x, replicas: 1000}\n", i);
    struct pdk_config *config = config_of(text.data);
    struct pdk_plan *plan = NULL;
    pdk_error err = PDK_ERROR;
    assert_int_equal(pdk_plan_select(config, &(struct pdk_selection){0}, &plan, &err), -E2BIG);
    pdk_config_free(config);
    pdk_buffer_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_but_manual),
                                       cmocka_unit_test(named_with_what_they_need),
                                       cmocka_unit_test(by_label),
                                       cmocka_unit_test(nobody_of_that_name),
                                       cmocka_unit_test(replicas_have_names_slots_and_labels),
                                       cmocka_unit_test(too_many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
