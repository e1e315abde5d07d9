/* SPDX-License-Identifier: Apache-2.0 */
/* A task that nobody takes, or whose runner finds fault with it, earns its lines in the file it was written in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/buffer.h"
#include "core/plugin/router.h"
#include "core/yaml/yaml.h"
#include "zoo.h"

static const char file[] = "tasks:\n"
                           "  job:\n"
                           "    kind: contaner\n"
                           "  gpu:\n"
                           "    kind: subprocess\n"
                           "    selector: {zone: gpu}\n"
                           "  resize:\n"
                           "    kind: container\n"
                           "    selector: {zone: gpu}\n"
                           "  picky:\n"
                           "    kind: picky\n"
                           "    with: {size: 12, color: blue}\n"
                           "  unsupported:\n"
                           "    kind: http\n"
                           "    selector: {zone: local}\n";

/* Runners of one kind each. */
#define KIND(name)                                                                                                    \
    static const pdk_schema name##_kind = PDK_SCHEMA(#name, "", NULL);                                                \
    static const pdk_schema *const name##_kinds[] = {&name##_kind, NULL};                                             \
    static const pdk_runner_ops name##_runner = {PDK_HEAD(pdk_runner_ops), name##_kinds, &zoo_task, NULL, zoo_build}; \
    static const pdk_plugin name##_plugin = {                                                                         \
        PDK_PLUGIN_HEAD, #name, "1",  "",          "",  NULL, NULL, &name##_runner, NULL, NULL,                       \
        zoo_create,      NULL,  NULL, zoo_destroy, NULL}
KIND(subprocess);
KIND(container);

/* supports says no, and why. */
static int32_t http_supports(void *self, const pdk_spec *spec, pdk_error *why) {
    (void)self, (void)spec;
    pdk_fail(why, 0, NULL, "has no network today", NULL, NULL);
    return 0;
}

static const pdk_schema http_kind = PDK_SCHEMA("http", "", NULL);
static const pdk_schema *const http_kinds[] = {&http_kind, NULL};
static const pdk_runner_ops http_runner = {PDK_HEAD(pdk_runner_ops), http_kinds, &zoo_task, http_supports, zoo_build};
static const pdk_plugin http_plugin = {
    PDK_PLUGIN_HEAD, "http", "1",  "",          "",  NULL, NULL, &http_runner, NULL, NULL,
    zoo_create,      NULL,   NULL, zoo_destroy, NULL};

/* build_task points at a value that its schema cannot judge. */
static int32_t picky_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    const pdk_host *host = self;

    (void)ret;
    strlcpy(err->hint, "red is in fashion", sizeof err->hint);
    return pdk_fail(err, -EINVAL, host->values->get(spec->with, "color"), "blue does not suit it", NULL, NULL);
}

static const pdk_param picky_params[] = {PDK_PARAM("size", PDK_INT, 0, "1", ""),
                                         PDK_PARAM("color", PDK_STRING, 0, "red", ""), PDK_PARAM_END};
static const pdk_schema picky_kind = PDK_SCHEMA("picky", "", picky_params);
static const pdk_schema *const picky_kinds[] = {&picky_kind, NULL};
static const pdk_runner_ops picky_runner = {PDK_HEAD(pdk_runner_ops), picky_kinds, &zoo_task, NULL, picky_build};
static const pdk_plugin picky_plugin = {
    PDK_PLUGIN_HEAD, "picky", "1",  "",          "",  NULL, NULL, &picky_runner, NULL, NULL,
    zoo_create,      NULL,    NULL, zoo_destroy, NULL};

struct world {
    pdk_router *router;
    const pdk_value *file;
};

static void add(pdk_router *router, const pdk_plugin *plugin, const char *name, const char *labels) {
    const pdk_values *v = pdk_values_get();
    pdk_router_entry entry = {.struct_size = sizeof entry, .name = name};
    pdk_error err = PDK_ERROR;

    assert_int_equal(v->parse(v, labels, strlen(labels), "labels", &entry.labels, &err), 0);
    if (pdk_router_add(router, plugin, &entry, &err)) fail_msg("%s", err.message);
    v->drop(entry.labels);
}

static int set_up(void **state) {
    static struct world world;
    struct pdk_report report = {0};
    pdk_error err = PDK_ERROR;

    assert_int_equal(pdk_router_create(NULL, &world.router, &err), 0);
    add(world.router, &subprocess_plugin, "subprocess", "{\"zone\": \"local\"}");
    add(world.router, &container_plugin, "container", "{\"zone\": \"sandbox\"}");
    add(world.router, &container_plugin, "container-gpu", "{\"zone\": \"gpu\"}");
    add(world.router, &container_plugin, "kubernetes", "{\"zone\": \"gpu\"}");
    add(world.router, &http_plugin, "http", "{\"zone\": \"local\"}");
    add(world.router, &picky_plugin, "picky", "{}");
    assert_int_equal(pdk_yaml_parse("a.yaml", file, strlen(file), &report, &world.file), 0);
    pdk_report_free(&report);
    *state = &world;
    return 0;
}

static int tear_down(void **state) {
    struct world *world = *state;

    pdk_router_destroy(world->router);
    pdk_values_get()->drop(world->file);
    return 0;
}

static struct pdk_task *read_task(const struct world *world, const char *name) {
    const pdk_values *v = pdk_values_get();
    struct pdk_task_options options = {.name = name};
    struct pdk_report report = {0};
    struct pdk_task *task = NULL;

    assert_int_equal(pdk_task_read(v->get(v->get(world->file, "tasks"), name), &options, &report, &task), 0);
    pdk_report_free(&report);
    return task;
}

/* Build the task and compare what is said. */
static void says(struct world *world, const char *name, int32_t rc, const char *wanted) {
    struct pdk_buffer text = PDK_BUFFER(4096);
    struct pdk_task *task = read_task(world, name);
    struct pdk_report report = {0};
    struct pdk_built built = {0};

    assert_int_equal(pdk_router_build_task(world->router, task, &report, &built), rc);
    assert_int_equal(report.errors, 1);
    pdk_task_drop(task); /* before it is printed: a fault must not depend on the task */
    pdk_fault_print(&report.faults[0], false, pdk_buffer_write, &text);
    assert_string_equal(pdk_buffer_string(&text), wanted);
    assert_null(built.task);
    pdk_buffer_free(&text);
    pdk_report_free(&report);
}

static void no_such_kind(void **state) {
    says(*state, "job", -ENOENT,
         "a.yaml:3:11: error: tasks.job.kind: no runner serves \"contaner\"\n"
         "  3 |     kind: contaner\n"
         "    |           ^~~~~~~~ loaded: subprocess, container, http, picky; did you mean \"container\"?\n");
}

static void no_match(void **state) {
    says(*state, "gpu", -ENOENT,
         "a.yaml:6:15: error: tasks.gpu.selector: no runner of kind \"subprocess\" matches\n"
         "  6 |     selector: {zone: gpu}\n"
         "    |               ^~~~~~~~~~~ subprocess has zone=local; \"paddock route gpu\" shows every no\n");
}

static void refused(void **state) {
    says(*state, "unsupported", -ENOENT,
         "a.yaml:15:15: error: tasks.unsupported.selector: no runner of kind \"http\" matches\n"
         "  15 |     selector: {zone: local}\n"
         "     |               ^~~~~~~~~~~~~ http: has no network today; \"paddock route unsupported\" shows every "
         "no\n");
}

static void found_by_the_plugin(void **state) {
    says(*state, "picky", -EINVAL,
         "a.yaml:12:29: error: tasks.picky.with.color: blue does not suit it  [plugin picky]\n"
         "  12 |     with: {size: 12, color: blue}\n"
         "     |                             ^~~~ red is in fashion\n");
}

static void tell(void *arg, struct pdk_instance *instance, enum pdk_verdict verdict, const char *text) {
    pdk_buffer_format(arg, "%s %s: %s\n", instance->name, pdk_verdict_word(verdict), text);
}

static void route_explains(struct world *world, const char *name, const char *wanted) {
    struct pdk_buffer text = PDK_BUFFER(4096);
    struct pdk_task *task = read_task(world, name);

    pdk_router_explain_task(world->router, task, tell, &text);
    assert_string_equal(pdk_buffer_string(&text), wanted);
    pdk_task_drop(task);
    pdk_buffer_free(&text);
}

static void explained(void **state) {
    route_explains(*state, "resize",
                   "subprocess kind: serves subprocess, not container\n"
                   "container label: zone=sandbox, wanted zone=gpu\n"
                   "container-gpu taken: zone=gpu\n"
                   "kubernetes shadowed: would also match; order decides\n"
                   "http kind: serves http, not container\n"
                   "picky kind: serves picky, not container\n");
    route_explains(*state, "picky",
                   "subprocess kind: serves subprocess, not picky\n"
                   "container kind: serves container, not picky\n"
                   "container-gpu kind: serves container, not picky\n"
                   "kubernetes kind: serves container, not picky\n"
                   "http kind: serves http, not picky\n"
                   "picky taken: the first that serves picky\n");
    route_explains(*state, "unsupported",
                   "subprocess kind: serves subprocess, not http\n"
                   "container kind: serves container, not http\n"
                   "container-gpu kind: serves container, not http\n"
                   "kubernetes kind: serves container, not http\n"
                   "http refused: has no network today\n"
                   "picky kind: serves picky, not http\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_such_kind),        cmocka_unit_test(no_match),  cmocka_unit_test(refused),
        cmocka_unit_test(found_by_the_plugin), cmocka_unit_test(explained),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
