/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frozen plugin in the host of today: all of its roles are read, one is run.
 *     test_old_plugin PLUGIN.so SIZE_OF_ITS_PDK_RESULT(0: any)
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "paddock/helpers.h"
#include "paddock/router.h"

static const char *plugin_file;
static unsigned long result_size; /* as its headers had it; 0: any */

struct heard {
    char text[512];
    int done;
};

static void hear(const pdk_host *host, const char *text) {
    struct heard *heard = host->data;

    pdk_append(heard->text, sizeof heard->text, text);
}

static void on_log(const pdk_host *host, int32_t level, pdk_attempt attempt, const char *text) {
    (void)level, (void)attempt;
    hear(host, text);
    hear(host, "; ");
}

static int32_t on_output(const pdk_host *host, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    char text[64];

    (void)attempt, (void)stream;
    snprintf(text, sizeof text, "%.*s", (int)size, data);
    hear(host, text);
    return 0;
}

static int32_t on_done(const pdk_host *host, pdk_attempt attempt, const pdk_result *result) {
    struct heard *heard = host->data;
    const char *name = NULL;
    int64_t number = 0;

    heard->done++;
    assert_int_equal(attempt, 9);
    if (result_size) assert_int_equal(result->struct_size, result_size);
    assert_string_equal(result->message, "frozen, and well");
    assert_int_equal(result->usage->user_ns, 1);
    assert_int_equal(host->values->string(host->values->get(result->output, "name"), &name), 0);
    assert_string_equal(name, "older");
    assert_int_equal(host->values->integer(host->values->get(result->output, "number"), &number), 0);
    assert_int_equal(number, 3);
    assert_int_equal(host->values->count(host->values->get(result->output, "list")), 3);
    return 0;
}

static const pdk_value *parse(const char *json) {
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;

    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), json, strlen(json), "test", &value, &err), 0);
    return value;
}

static void loads_and_runs(void **state) {
    const pdk_value *spec =
        parse("{\"name\": \"t\", \"kind\": \"frozen\", \"with\": {\"name\": \"older\", \"times\": 3}}");
    pdk_start start = {.struct_size = sizeof start, .number = 3, .attempt = 9, .run_id = "frozen-t-1", .trace = ""};
    pdk_router_task task = {.struct_size = sizeof task};
    struct heard heard = {"", 0};
    pdk_host host = {.struct_size = sizeof host, .data = &heard, .log = on_log, .output = on_output, .done = on_done};
    pdk_router_options options = {.struct_size = sizeof options, .host = &host};
    pdk_router *router = NULL;
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(pdk_router_create(&options, &router, &err), 0);
    if (pdk_router_load(router, plugin_file, NULL, &err)) fail_msg("%s", err.message);
    if (pdk_router_build(router, spec, &task, &err)) fail_msg("%s", err.message);
    assert_string_equal(task.runner, "frozen");
    assert_int_equal(task.ops->start(task.task, &start, &err), 0);
    assert_int_equal(heard.done, 1);
    assert_string_equal(heard.text, "attempt 3 of frozen-t-1; older\nolder\nolder\n");
    pdk_router_task_free(&task);
    pdk_router_destroy(router);
    pdk_values_get()->drop(spec);
}

static void its_schema_is_read_to_the_end(void **state) {
    static const char *const specs[][2] = {
        {"{\"name\": \"t\", \"kind\": \"frozen\"}", "name"},
        {"{\"name\": \"t\", \"kind\": \"frozen\", \"with\": {\"name\": \"new\"}}", "\"new\""},
        {"{\"name\": \"t\", \"kind\": \"frozen\", \"with\": {\"name\": \"old\", \"times\": 10}}", "10"},
        {"{\"name\": \"t\", \"kind\": \"frozen\", \"with\": {\"name\": \"old\", \"more\": {\"shallow\": 1}}}",
         "shallow"}};
    pdk_router *router = NULL;
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(pdk_router_create(NULL, &router, &err), 0);
    assert_int_equal(pdk_router_load(router, plugin_file, NULL, &err), 0);
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        const pdk_value *spec = parse(specs[i][0]);
        pdk_router_task task = {.struct_size = sizeof task};
        assert_int_equal(pdk_router_build(router, spec, &task, &err), -EINVAL);
        if (!strstr(err.message, specs[i][1])) fail_msg("\"%s\" does not say %s", err.message, specs[i][1]);
        pdk_values_get()->drop(spec);
    }
    pdk_router_destroy(router);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(loads_and_runs),
                                       cmocka_unit_test(its_schema_is_read_to_the_end)};
    if (argc != 3) return 2;
    plugin_file = argv[1];
    result_size = strtoul(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
