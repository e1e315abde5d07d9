/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of sources: what they say, and what they do not. Their faults are in data/faults/sources.yaml. */
#include "load.h"

static void a_source_names_what_it_may_run(void **state) {
    (void)state;
    struct loaded loaded =
        load_good("tasks: {a: x, b: {kind: echo, manual: true}}\n"
                  "sources:\n"
                  "  - {use: rrq, tasks: [a, b], kinds: echo, defaults: {timeout: 5s}, config: {k: v}, pending: 7}\n"
                  "  - {use: ./p/far.so, tasks: b, optional: true}\n");
    const struct pdk_plugin_entry_config *near = &loaded.config->sources[0], *far = &loaded.config->sources[1];
    assert_int_equal(loaded.config->source_count, 2);
    assert_string_equal(near->name, "rrq");
    assert_string_equal(near->tasks[0], "a");
    assert_string_equal(near->tasks[1], "b");
    assert_null(near->tasks[2]);
    assert_string_equal(near->kinds[0], "echo");
    assert_null(near->kinds[1]);
    assert_non_null(near->defaults);
    assert_int_equal(near->pending, 7);
    assert_string_equal(far->use, "/f/p/far.so");
    assert_string_equal(far->name, "far");
    assert_string_equal(far->tasks[0], "b");
    assert_null(far->kinds[0]);
    assert_null(far->defaults);
    assert_int_equal(far->pending, 1000);
    assert_true(far->optional);
    unload(&loaded);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_source_names_what_it_may_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
