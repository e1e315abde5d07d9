/* SPDX-License-Identifier: Apache-2.0 */
/* Two routers in one process, on a thread each; both in a process with no other thread and no loop. */
#include "support/unit.h"

#include <pthread.h>

#include "paddock/helpers.h"
#include "paddock/router.h"

static const char SPEC[] = "{\"name\": \"a\", \"command\": [\"true\"], \"selector\": {\"zone\": \"local\"}}";

static void enter(pdk_router *router, const char *name, const char *zone) {
    const pdk_values *v = pdk_values_get();
    pdk_router_entry entry = {.struct_size = sizeof entry, .name = name};
    pdk_error err = PDK_ERROR;
    char json[64];
    (void)snprintf(json, sizeof json, "{\"zone\": \"%s\"}", zone);
    assert_int_equal(v->parse(v, json, strlen(json), "labels", &entry.labels, &err), 0);
    if (pdk_router_load(router, SUBPROCESS, &entry, &err) < 0) fail_msg("%s", err.message);
    v->drop(entry.labels);
}

static void *use(void *arg) {
    const pdk_values *v = pdk_values_get();
    const char *mine = arg, *runner = NULL;
    pdk_router *router;
    pdk_error err = PDK_ERROR;
    const pdk_value *spec;
    assert_int_equal(pdk_router_create(NULL, &router, &err), 0);
    enter(router, "other", "far");
    enter(router, mine, "local");
    assert_int_equal(v->parse(v, SPEC, sizeof SPEC - 1, "spec", &spec, &err), 0);
    for (int i = 0; i < 200; i++) {
        pdk_router_task task = {.struct_size = sizeof task};
        assert_int_equal(pdk_router_route(router, spec, &runner, &err), 0);
        assert_string_equal(runner, mine);
        assert_int_equal(pdk_router_build(router, spec, &task, &err), 0);
        assert_string_equal(task.runner, mine);
        pdk_router_task_free(&task);
    }
    v->drop(spec);
    pdk_router_destroy(router);
    return NULL;
}

static void test_one_on_each_thread(void **state) {
    (void)state;
    pthread_t other;
    char first[] = "first", second[] = "second";
    assert_int_equal(pthread_create(&other, NULL, use, first), 0);
    use(second);
    pthread_join(other, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_on_each_thread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
