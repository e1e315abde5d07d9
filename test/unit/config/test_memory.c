/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails once: nothing leaks, nothing breaks, -ENOMEM comes back. */
#include "load.h"

#include "support/fail_alloc.h"

static const char good[] =
    "defaults: {env: {A: b}, labels: {x: 1}, stop: QUIT, backoff: {reset: 5m}}\n"
    "plugins: [subprocess, {use: ./a.so, labels: {a: b}}]\n"
    "metrics: prometheus\n"
    "limits: {running: 4}\n"
    "tasks:\n"
    "  a: {command: [x, y], env: {B: 1}, labels: {y: 2}, stop: {grace: 5s}, needs: b, retries: 3}\n"
    "  b: {command: x y, ready: {command: z}, log: a.log, env_file: [a, b], exit: {fatal: 1-3}, backoff: 5s}\n"
    "  c: {kind: k, with: {a: {b: c}}, selector: {matchExpressions: [{key: a, operator: In, values: [b, c]}]}}\n";

static const char bad[] = "tasks:\n"
                          "  a: {command: x, needs: [a, bb], timeout: 5, restrat: x}\n"
                          "  b: {command: x, after: c, slot: s}\n"
                          "  c: {command: x, slot: s}\n"
                          "limits: {runing: 1}\n";

static int32_t load(void *arg) {
    struct loaded loaded = {.config = NULL};
    const pdk_value *value = NULL;
    const char *text = arg;
    int32_t rc = pdk_yaml_parse("t.yaml", text, strlen(text), &loaded.report, &value);
    if (rc == 0) rc = pdk_config_read(value, "/f", &loaded.report, &loaded.config);
    pdk_values_get()->drop(value);
    pdk_report_free(&loaded.report);
    pdk_config_free(loaded.config);
    return rc == -EINVAL && text == bad ? 0 : rc;
}

static void loading(void **state) {
    (void)state;
    assert_true(pdk_fail_sweep(load, (void *)(uintptr_t)good) > 40);
    assert_true(pdk_fail_sweep(load, (void *)(uintptr_t)bad) > 10);
}

static int32_t load_disk(void *arg) {
    struct pdk_report report = {.limit = 0};
    struct pdk_config *config = NULL;
    int32_t rc = pdk_config_load(arg, &report, &config);
    pdk_report_free(&report);
    pdk_config_free(config);
    return rc;
}

static void loading_files(void **state) {
    const char *files[] = {"unit/config/data/include/main.yaml", NULL};
    (void)state;
    assert_int_equal(setenv("PDK_A", "a", 1), 0);
    assert_true(pdk_fail_sweep(load_disk, files) > 40);
}

static int32_t describe(void *arg) {
    const pdk_value *schema = NULL;
    int32_t rc = pdk_config_schema(NULL, &schema);
    (void)arg;
    pdk_values_get()->drop(schema);
    return rc;
}

static void describing(void **state) {
    (void)state;
    assert_true(pdk_fail_sweep(describe, NULL) > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(loading), cmocka_unit_test(loading_files),
                                       cmocka_unit_test(describing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
