/* SPDX-License-Identifier: Apache-2.0 */
/* Every plugin of the zoo gets the one line that it has earned, and the next one is none the worse for it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/plugin/router.h"
#include "support/fail_alloc.h"

struct animal {
    const char *name, *line;
    int32_t rc;
};

static const struct animal animals[] = {
    {"bad_magic", "not a plugin: its magic is 0x464c457f, wanted 0x314b4450", -EINVAL},
    {"bad_major", "ABI 2.0, this host has 1.x", -EINVAL},
    {"bad_min_host", "needs a host of ABI 1.9 or newer, this one has 1.0", -EINVAL},
    {"bad_size", "its entry is 24 bytes, of ABI 1.0 it is 136", -EINVAL},
    {"bad_flags", "flags 0x00010000 mean something this host does not know", -EINVAL},
    {"bad_name", "\"Bad?Name\" is not a plugin's name: wanted [a-z0-9][a-z0-9-]{0,62}", -EINVAL},
    {"bad_no_role", "it plays no role: runner, source and metrics are NULL", -EINVAL},
    {"bad_no_create", "it has no create", -EINVAL},
    {"bad_no_build", "its runner has no build_task", -EINVAL},
    {"bad_no_cancel", "its task has no cancel", -EINVAL},
    {"bad_small_ops", "its runner is 8 bytes, of ABI 1.0 it is 40", -EINVAL},
    {"bad_no_kinds", "its runner serves no kind", -EINVAL},
    {"bad_empty_kinds", "its runner serves no kind", -EINVAL},
    {"bad_kind", "\"two words\" is not a kind's name: wanted [A-Za-z0-9][A-Za-z0-9._-]{0,62}", -EINVAL},
    {"bad_no_entry", "not a plugin: it exports no pdk_plugin_entry", -EINVAL},
    {"bad_function", "its pdk_plugin_entry is not data", -EINVAL},
    {"bad_undefined", "undefined symbol: pdk_zoo_nobody_has_this", -EINVAL},
};

static void path_of(const char *name, char path[static 512]) {
    snprintf(path, 512, "%s/%s.so", ZOO, name);
}

static void each_gets_its_line(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof animals / sizeof animals[0]; i++) {
        struct pdk_library library = {NULL, NULL};
        pdk_error err = PDK_ERROR;
        char path[512], line[700];

        path_of(animals[i].name, path);
        snprintf(line, sizeof line, "%s: %s", path, animals[i].line);
        assert_int_equal(pdk_library_open(path, &library, &err), animals[i].rc);
        assert_string_equal(err.message, line);
        assert_int_equal(err.code, animals[i].rc);
        assert_null(library.plugin);
    }
}

/* Their sizes differ between a build with a sanitizer and one without, so the lines are checked in part. */
static void sizes_must_be_true(void **state) {
    static const struct animal liars[] = {
#ifndef PDK_SANITIZED
        {"bad_tiny", "its pdk_plugin_entry has 4 bytes: not a plugin", 0},
#endif
        {"bad_claim", "its entry says that it has 65536 bytes, but has ", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof liars / sizeof liars[0]; i++) {
        struct pdk_library library;
        pdk_error err = PDK_ERROR;
        char path[512];

        path_of(liars[i].name, path);
        assert_int_equal(pdk_library_open(path, &library, &err), -EINVAL);
        assert_non_null(strstr(err.message, liars[i].line));
    }
}

static void a_bad_schema_is_named(void **state) {
    struct pdk_library library;
    pdk_error err = PDK_ERROR;
    char path[512];

    (void)state;
    path_of("bad_schema", path);
    assert_int_equal(pdk_library_open(path, &library, &err), -EINVAL);
    assert_non_null(strstr(err.message, "bad_schema.so: kind \"zoo\": "));
    assert_non_null(strstr(err.message, "size"));
}

static void the_hint_says_what_to_do(void **state) {
    struct pdk_library library;
    pdk_error err = PDK_ERROR;
    char path[512];

    (void)state;
    path_of("bad_major", path);
    assert_int_equal(pdk_library_open(path, &library, &err), -EINVAL);
    assert_string_equal(err.hint, "rebuild it with the headers of this host");
}

static const pdk_value *parse(const char *json) {
    pdk_error err = PDK_ERROR;
    const pdk_value *value = NULL;

    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), json, strlen(json), "spec", &value, &err), 0);
    return value;
}

static int32_t load(pdk_router *router, const char *name, pdk_error *err) {
    char path[512];

    path_of(name, path);
    return pdk_router_load(router, path, NULL, err);
}

/* All of them into one router, with a good one last: it works. */
static void one_does_not_harm_the_next(void **state) {
    const pdk_value *spec = parse("{\"name\": \"t\", \"kind\": \"zoo\"}");
    pdk_router_task task = {.struct_size = sizeof task};
    pdk_router *router;
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(pdk_router_create(NULL, &router, &err), 0);
    for (size_t i = 0; i < sizeof animals / sizeof animals[0]; i++)
        assert_int_equal(load(router, animals[i].name, &err), animals[i].rc);
    assert_int_equal(load(router, "bad_create", &err), -EINVAL);
    assert_null(pdk_router_instance(router, 0));
    assert_int_equal(load(router, "good_minor", &err), 0);
    assert_int_equal(pdk_router_build(router, spec, &task, &err), 0);
    assert_string_equal(task.runner, "zoo"); /* the entry's name, not the file's */
    pdk_router_task_free(&task);
    assert_int_equal(load(router, "good_console", &err),
                     -EEXIST); /* it has the other's name, and else nothing is wrong */
    pdk_router_destroy(router);
    pdk_values_get()->drop(spec);
}

static void create_may_fail(void **state) {
    pdk_router *router;
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(pdk_router_create(NULL, &router, &err), 0);
    assert_int_equal(load(router, "bad_create", &err), -EINVAL);
    assert_string_equal(err.message, "the moon is in the wrong phase");
    pdk_router_destroy(router);
}

static void build_task_may_fail(void **state) {
    static const struct animal builders[] = {
        {"bad_build", "build_task failed: Operation not permitted", -EINVAL},
        {"bad_positive", "build_task returned 7, which is neither 0 nor a negative errno", -EINVAL}};
    const pdk_value *spec = parse("{\"name\": \"t\", \"kind\": \"zoo\"}");

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        pdk_router_task task = {.struct_size = sizeof task};
        pdk_router *router;
        pdk_error err = PDK_ERROR;

        assert_int_equal(pdk_router_create(NULL, &router, &err), 0);
        assert_int_equal(load(router, builders[i].name, &err), 0);
        assert_int_equal(pdk_router_build(router, spec, &task, &err), builders[i].rc);
        assert_non_null(strstr(err.message, builders[i].line));
        assert_null(task.task);
        assert_null(task.data);
        pdk_router_destroy(router);
    }
    pdk_values_get()->drop(spec);
}

static void a_constructor_runs_when_it_is_loaded(void **state) {
    struct pdk_library library;
    pdk_error err = PDK_ERROR;
    char path[512];

    (void)state;
    unsetenv("PDK_ZOO_CONSTRUCTOR");
    path_of("bad_constructor", path);
    assert_int_equal(pdk_library_open(path, &library, &err), 0);
    assert_string_equal(getenv("PDK_ZOO_CONSTRUCTOR"), "ran"); /* test_file.c: not when the file is not trusted */
    pdk_library_free(&library);
}

static int32_t load_and_destroy(void *arg) {
    pdk_router *router;
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_router_create(NULL, &router, &err);

    (void)arg;
    if (rc < 0) return rc;
    rc = load(router, "good_minor", &err);
    pdk_router_destroy(router);
    return rc;
}

static void memory_may_run_out(void **state) {
    (void)state;
    assert_in_range(pdk_fail_sweep(load_and_destroy, NULL), 8, 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_gets_its_line),
        cmocka_unit_test(sizes_must_be_true),
        cmocka_unit_test(a_bad_schema_is_named),
        cmocka_unit_test(the_hint_says_what_to_do),
        cmocka_unit_test(create_may_fail),
        cmocka_unit_test(build_task_may_fail),
        cmocka_unit_test(one_does_not_harm_the_next),
        cmocka_unit_test(a_constructor_runs_when_it_is_loaded),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
