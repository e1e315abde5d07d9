/* SPDX-License-Identifier: Apache-2.0 */
/* Routers in a process without a loop: two on a thread each, and one that leaves the process as it was. */
#include "process.h"
#include "support/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void same(char *before, char *after) {
    if (strcmp(before, after) != 0) fail_msg("--- before\n%s--- after\n%s", before, after);
    free(before);
    free(after);
}

/* Signals, limits, environment, fds, threads; and nothing is written to stdout or stderr. */
static void test_process_is_left_alone(void **state) {
    (void)state;
    char name[] = "mine";
    int file = memfd_create("stdout", MFD_CLOEXEC), kept[2];
    struct stat said;
    use(name); /* what the C library opens for ever it has opened now */
    for (int i = 0; i < 2; i++) {
        kept[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 10);
        dup2(file, i + 1);
    }
    char *before = process_state(), *things = process_things();
    use(name);
    (void)fflush(NULL);
    char *after = process_state(), *things_after = process_things();
    for (int i = 0; i < 2; i++) {
        dup2(kept[i], i + 1);
        close(kept[i]);
    }
    same(before, after);
    same(things, things_after);
    assert_int_equal(fstat(file, &said), 0);
    assert_int_equal(said.st_size, 0);
    close(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_process_is_left_alone),
                                       cmocka_unit_test(test_one_on_each_thread)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
