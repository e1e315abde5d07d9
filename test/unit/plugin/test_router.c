/* SPDX-License-Identifier: Apache-2.0 */
/* The router as an embedder has it. */
#include "fake.h"

#include "core/plugin/router.h"
#include "support/fail_alloc.h"

static pdk_router *make_router(void) {
    pdk_router *router = NULL;
    pdk_error err = PDK_ERROR;

    assert_int_equal(pdk_router_create(NULL, &router, &err), 0);
    return router;
}

static int32_t add(pdk_router *router, const char *name, const char *labels, const char *config, pdk_error *err) {
    pdk_router_entry entry = {.struct_size = sizeof entry, .name = name};
    int32_t rc;

    if (labels) entry.labels = fake_json(labels);
    if (config) entry.config = fake_json(config);
    rc = pdk_router_add(router, &fake_plugin, &entry, err);
    pdk_values_get()->drop(entry.labels);
    pdk_values_get()->drop(entry.config);
    return rc;
}

static int32_t route(pdk_router *router, const char *spec, const char **runner, pdk_error *err) {
    const pdk_value *value = fake_json(spec);
    int32_t rc = pdk_router_route(router, value, runner, err);

    pdk_values_get()->drop(value);
    return rc;
}

static void routes_to_the_first(void **state) {
    pdk_router *router = make_router();
    const char *runner = NULL;
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(add(router, "a", "{\"zone\": \"far\"}", NULL, &err), 0);
    assert_int_equal(add(router, "b", "{\"zone\": \"near\"}", "{\"supports\": 0}", &err), 0);
    assert_int_equal(add(router, "c", "{\"zone\": \"near\"}", "{\"supports\": -22}", &err), 0);
    assert_int_equal(add(router, "d", "{\"zone\": \"near\"}", NULL, &err), 0);
    assert_int_equal(route(router, "{\"name\": \"t\", \"kind\": \"fake\"}", &runner, &err), 0);
    assert_string_equal(runner, "a");
    assert_int_equal(
        route(router, "{\"name\": \"t\", \"kind\": \"fake\", \"selector\": {\"zone\": \"near\"}}", &runner, &err), 0);
    assert_string_equal(runner, "d");
    assert_int_equal(
        route(router, "{\"name\": \"t\", \"kind\": \"fake\", \"selector\": {\"paddock/name\": \"d\"}}", &runner, &err),
        0);
    assert_string_equal(runner, "d");
    pdk_router_destroy(router);
    assert_int_equal(fake_alive, 0);
}

static void says_why_nobody_takes_it(void **state) {
    pdk_router *router = make_router();
    const char *runner = "untouched";
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(route(router, "{\"name\": \"t\", \"kind\": \"fake\"}", &runner, &err), -ENOENT);
    assert_non_null(strstr(err.message, "kind: no runner serves \"fake\""));
    assert_string_equal(err.hint, "no runner is loaded");
    for (int i = 0; i < 5; i++) {
        char name[8];
        snprintf(name, sizeof name, "r%d", i);
        assert_int_equal(add(router, name, i ? "{\"zone\": \"far\"}" : NULL, NULL, &err), 0);
    }
    assert_int_equal(route(router, "{\"name\": \"t\", \"kind\": \"faek\"}", &runner, &err), -ENOENT);
    assert_non_null(strstr(err.message, "kind: no runner serves \"faek\""));
    assert_string_equal(err.hint, "loaded: fake, other; did you mean \"fake\"?");
    assert_int_equal(err.code, -ENOENT);
    assert_int_equal(
        route(router, "{\"name\": \"t\", \"kind\": \"fake\", \"selector\": {\"zone\": \"near\"}}", &runner, &err),
        -ENOENT);
    assert_non_null(strstr(err.message, "selector: no runner of kind \"fake\" matches"));
    assert_string_equal(err.hint, "r0 has no zone, r1 has zone=far, r2 has zone=far, and 2 more no; "
                                  "\"paddock route t\" shows every no");
    assert_string_equal(runner, "untouched");
    pdk_router_destroy(router);
}

static void a_wrong_spec_is_refused(void **state) {
    pdk_router *router = make_router();
    const char *runner = NULL;
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(add(router, NULL, NULL, NULL, &err), 0);
    assert_int_equal(route(router, "{\"name\": \"t\", \"kind\": \"fake\", \"timout\": \"3s\"}", &runner, &err),
                     -EINVAL);
    assert_non_null(strstr(err.message, "unknown field \"timout\""));
    assert_string_equal(err.hint, "did you mean \"timeout\"?");
    assert_int_equal(route(router, "{\"name\": \"t\", \"kind\": \"fake\", \"x\": 1, \"y\": 2}", &runner, &err),
                     -EINVAL);
    assert_non_null(strstr(err.message, "(and 1 more)"));
    assert_int_equal(route(router, "{\"name\": \"t\", \"kind\": \"fake\", \"x\": 1}", &runner, NULL), -EINVAL);
    pdk_router_destroy(router);
}

static void builds_and_frees(void **state) {
    const pdk_value *spec = fake_json("{\"name\": \"t\", \"kind\": \"fake\", \"with\": {\"size\": \"2KiB\"}}");
    pdk_router *router = make_router();
    pdk_router_task task = {.struct_size = sizeof task};
    pdk_start start = {.struct_size = sizeof start, .number = 1, .attempt = 1, .run_id = "", .trace = ""};
    pdk_error err = PDK_ERROR;
    uint64_t size = 0;

    (void)state;
    assert_int_equal(add(router, NULL, NULL, NULL, &err), 0);
    if (pdk_router_build(router, spec, &task, &err)) fail_msg("%s", err.message);
    pdk_values_get()->drop(spec);
    assert_string_equal(task.runner, "fake");
    assert_string_equal(task.spec->name, "t");
    assert_string_equal(task.spec->kind, "fake");
    assert_int_equal(pdk_values_get()->size(pdk_values_get()->get(task.spec->with, "size"), &size), 0);
    assert_int_equal(size, 2048);
    assert_int_equal(task.ops->start(task.task, &start, &err), -ENOTSUP); /* nobody gave a done */
    assert_int_equal(fake_alive, 2);
    pdk_router_task_free(&task);
    pdk_router_task_free(&task); /* harmless */
    assert_int_equal(fake_alive, 1);
    pdk_router_destroy(router);
    assert_int_equal(fake_alive, 0);
}

static void build_shows_what_is_wrong(void **state) {
    static const char *const specs[][2] = {
        {"{\"name\": \"t\", \"kind\": \"fake\", \"with\": {\"fails\": 1}}", "as you wish"},
        {"{\"name\": \"t\", \"kind\": \"fake\", \"with\": {\"fails\": \"one\"}}", "fails"},
        {"{\"name\": \"t\", \"kind\": \"other\", \"with\": {\"size\": 1}}", "size"},
        {"{\"name\": \"t\", \"kind\": \"fake\", \"command\": \"true\"}", "runs no program"}};
    pdk_router *router = make_router();
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(add(router, NULL, NULL, NULL, &err), 0);
    for (size_t i = 0; i < COUNT_OF(specs); i++) {
        const pdk_value *spec = fake_json(specs[i][0]);
        pdk_router_task task = {.struct_size = sizeof task};
        assert_int_equal(pdk_router_build(router, spec, &task, &err), -EINVAL);
        if (!strstr(err.message, specs[i][1])) fail_msg("\"%s\" does not say \"%s\"", err.message, specs[i][1]);
        assert_null(task.data);
        pdk_values_get()->drop(spec);
    }
    pdk_router_destroy(router);
    assert_int_equal(fake_alive, 0);
}

static void build_wants_a_size(void **state) {
    const pdk_value *spec = fake_json("{\"name\": \"t\", \"kind\": \"fake\"}");
    pdk_router *router = make_router();
    pdk_router_task task = {0};
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(pdk_router_build(router, spec, &task, &err), -EINVAL);
    assert_string_equal(err.message, "set ret->struct_size before");
    pdk_router_destroy(router);
    pdk_values_get()->drop(spec);
}

static void names_are_unique(void **state) {
    pdk_router *router = make_router();
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(add(router, "a", NULL, NULL, &err), 0);
    assert_int_equal(add(router, "a", NULL, NULL, &err), -EEXIST);
    assert_string_equal(err.message, "there is already a plugin named \"a\"");
    assert_string_equal(err.hint, "give it a name of its own");
    assert_int_equal(fake_alive, 1);
    assert_string_equal(pdk_router_instance(router, 0)->name, "a");
    assert_null(pdk_router_instance(router, 1));
    assert_int_equal(add(router, "b", "{\"paddock/x\": \"y\"}", NULL, &err), -EINVAL);
    assert_int_equal(add(router, "b", NULL, "{\"supports\": \"no\"}", &err), -EINVAL);
    assert_int_equal(fake_alive, 1);
    pdk_router_destroy(router);
}

static void several_live_side_by_side(void **state) {
    pdk_router *one = make_router(), *two = make_router();
    const char *runner = NULL;
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(add(one, "of-one", NULL, NULL, &err), 0);
    assert_int_equal(add(two, "of-two", NULL, NULL, &err), 0);
    assert_int_equal(route(one, "{\"name\": \"t\", \"kind\": \"fake\"}", &runner, &err), 0);
    assert_string_equal(runner, "of-one");
    pdk_router_destroy(one);
    assert_int_equal(route(two, "{\"name\": \"t\", \"kind\": \"fake\"}", &runner, &err), 0);
    assert_string_equal(runner, "of-two");
    pdk_router_destroy(two);
    pdk_router_destroy(NULL);
    assert_int_equal(fake_alive, 0);
}

/* A source takes its turn, but no task. */
static void settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    (void)self, (void)delivery, (void)outcome;
}

static void nothing(void *self) {
    (void)self;
}

static void count_verdict(void *arg, const char *runner, const char *verdict, const char *text) {
    (void)runner, (void)text;
    strlcat(arg, verdict, 64);
    strlcat(arg, " ", 64);
}

static void what_is_no_runner_takes_nothing(void **state) {
    static const pdk_source_ops source = {PDK_HEAD(pdk_source_ops), settled, nothing, nothing, NULL, NULL};
    const pdk_value *spec = fake_json("{\"name\": \"t\", \"kind\": \"fake\"}");
    pdk_plugin plugin = fake_plugin;
    pdk_router *router = make_router();
    pdk_error err = PDK_ERROR;
    char verdicts[64] = "";

    (void)state;
    plugin.name = "source";
    plugin.runner = NULL;
    plugin.source = &source;
    assert_int_equal(pdk_router_add(router, &plugin, NULL, &err), 0);
    assert_int_equal(pdk_router_add(router, &fake_plugin, NULL, &err), 0);
    assert_int_equal(pdk_router_explain(router, spec, count_verdict, verdicts, &err), 0);
    assert_string_equal(verdicts, "taken ");
    pdk_router_destroy(router);
    pdk_values_get()->drop(spec);
}

static int32_t all_of_it(void *arg) {
    const pdk_value *const *values = arg;
    pdk_router_entry entry = {.struct_size = sizeof entry, .name = "one", .labels = values[0], .config = values[1]};
    pdk_router_task task = {.struct_size = sizeof task};
    pdk_router *router = NULL;
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_router_create(NULL, &router, &err);

    if (rc < 0) return rc;
    rc = pdk_router_add(router, &fake_plugin, &entry, &err);
    if (rc == -ENOMEM)
        assert_int_equal(pdk_router_add(router, &fake_plugin, &entry, &err), 0); /* nothing is left of it */
    if (rc == 0) rc = pdk_router_build(router, values[2], &task, &err);
    if (rc == 0) pdk_router_task_free(&task);
    pdk_router_destroy(router);
    return rc;
}

static void memory_may_run_out(void **state) {
    const pdk_value *values[] = {fake_json("{\"zone\": \"near\"}"), fake_json("{\"supports\": 1}"),
                                 fake_json("{\"name\": \"t\", \"kind\": \"fake\", \"selector\": {\"zone\": \"near\"}, "
                                           "\"with\": {\"size\": \"2KiB\"}}")};

    (void)state;
    assert_in_range(pdk_fail_sweep(all_of_it, values), 20, 1000);
    assert_int_equal(fake_alive, 0);
    for (size_t i = 0; i < COUNT_OF(values); i++) pdk_values_get()->drop(values[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_to_the_first),
        cmocka_unit_test(says_why_nobody_takes_it),
        cmocka_unit_test(a_wrong_spec_is_refused),
        cmocka_unit_test(builds_and_frees),
        cmocka_unit_test(build_shows_what_is_wrong),
        cmocka_unit_test(build_wants_a_size),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(several_live_side_by_side),
        cmocka_unit_test(what_is_no_runner_takes_nothing),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
