/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an instance, its labels, its config and the host it gets. */
#include "fake.h"

#include <sys/utsname.h>

#include "core/plugin/instance.h"
#include "support/fail_alloc.h"

static struct pdk_instance *make(const pdk_plugin *plugin, const struct pdk_instance_options *options) {
    struct pdk_instance *instance = NULL;
    struct pdk_report report = {0};
    int32_t rc = pdk_instance_create(plugin, options, &report, &instance);

    if (rc < 0) fail_msg("%d: %s", rc, report.count ? report.faults[0].message : "");
    pdk_report_free(&report);
    return instance;
}

static void fails(const pdk_plugin *plugin, const struct pdk_instance_options *options, int32_t rc,
                  const char *message) {
    struct pdk_instance *instance = NULL;
    struct pdk_report report = {0};

    assert_int_equal(pdk_instance_create(plugin, options, &report, &instance), rc);
    assert_null(instance);
    assert_int_equal(report.count, 1);
    assert_string_equal(report.faults[0].message, message);
    pdk_report_free(&report);
}

static const char *label(const struct pdk_instance *instance, const char *key) {
    const char *text = NULL;

    pdk_values_get()->string(pdk_values_get()->get(instance->labels, key), &text);
    return text;
}

static void gets_built_in_labels(void **state) {
    const pdk_value *labels = fake_json("{\"zone\": \"gpu\"}");
    struct pdk_instance_options options = {.name = "one", .labels = labels};
    struct pdk_instance *instance = make(&fake_plugin, &options);
    struct utsname system;

    (void)state;
    assert_int_equal(uname(&system), 0);
    assert_string_equal(label(instance, "zone"), "gpu");
    assert_string_equal(label(instance, "paddock/plugin"), "fake");
    assert_string_equal(label(instance, "paddock/name"), "one");
    assert_string_equal(label(instance, "paddock/arch"), system.machine);
    assert_non_null(label(instance, "paddock/host"));
    pdk_values_get()->drop(labels); /* the instance holds what it needs */
    assert_string_equal(label(instance, "zone"), "gpu");
    pdk_instance_free(instance);
    pdk_instance_free(NULL);
}

static void labels_of_ours_cannot_be_configured(void **state) {
    struct pdk_instance_options options = {.labels = fake_json("{\"paddock/host\": \"mine\"}")};

    (void)state;
    fails(&fake_plugin, &options, -EINVAL, "labels under paddock/ are Paddock's own");
    pdk_values_get()->drop(options.labels);
}

static void config_is_checked_and_completed(void **state) {
    struct pdk_instance_options options = {.config = fake_json("{\"supprts\": 1}")};
    struct pdk_instance *instance;
    struct pdk_report report = {0};
    int64_t supports = 0;

    (void)state;
    assert_int_equal(pdk_instance_create(&fake_plugin, &options, &report, &instance), -EINVAL);
    assert_non_null(strstr(report.faults[0].message, "supprts"));
    assert_string_equal(report.faults[0].plugin, "fake");
    pdk_report_free(&report);
    pdk_values_get()->drop(options.config);

    options.config = NULL;
    instance = make(&fake_plugin, &options);
    assert_int_equal(pdk_values_get()->integer(pdk_values_get()->get(instance->config, "supports"), &supports), 0);
    assert_int_equal(supports, 1);
    pdk_instance_free(instance);
    assert_int_equal(fake_alive, 0);
}

static void names_and_roles_are_checked(void **state) {
    struct pdk_instance_options bad_name = {.name = "a/b"}, empty = {.name = ""};
    struct pdk_instance_options source = {.roles = PDK_ROLE_RUNNER | PDK_ROLE_SOURCE};
    struct pdk_instance *instance;
    struct pdk_report report = {0};

    (void)state;
    assert_int_equal(pdk_instance_create(&fake_plugin, &bad_name, &report, &instance), -EINVAL);
    pdk_report_free(&report);
    fails(&fake_plugin, &empty, -EINVAL, "\"\" cannot be a plugin's name here: it is empty");
    fails(&fake_plugin, &source, -EINVAL, "plugin \"fake\" is no source");
}

/* A host of nothing: every function is there, and none does harm. */
static void the_host_is_complete(void **state) {
    struct pdk_instance *instance = make(&fake_plugin, &(struct pdk_instance_options){0});
    const pdk_host *host = &instance->host;
    pdk_result result = PDK_RESULT(PDK_SUCCESS, PDK_CAT_NONE, NULL);

    (void)state;
    assert_string_equal(host->instance, "fake");
    assert_int_equal(host->roles, PDK_ROLE_RUNNER);
    assert_int_equal(host->struct_size, sizeof *host);
    assert_int_equal(host->abi_version, PDK_ABI);
    assert_ptr_equal(host->values, pdk_values_get());
    assert_true(host->now_ns(host) <= host->now_ns(host));
    assert_true(host->unix_ns(host) > UINT64_C(1600000000000000000));
    host->log(host, PDK_LOG_INFO, 0, "nobody hears this");
    host->stopped(host);
    assert_int_equal(host->done(host, 1, &result), -ENOTSUP);
    assert_int_equal(host->output(host, 1, PDK_STDOUT, "x", 1), 0);
    assert_int_equal(host->progress(host, 1, 0.5, NULL), 0);
    assert_int_equal(host->ready(host, 1), 0);
    assert_null(host->get_extension(host, "paddock.loop/1"));
    assert_int_equal(instance->health, PDK_UP);
    host->health(host, PDK_DEGRADED, "tired");
    assert_int_equal(instance->health, PDK_DEGRADED);
    pdk_instance_free(instance);
}

static void quiet(const pdk_host *host, int32_t level, pdk_attempt attempt, const char *text) {
    (void)level, (void)attempt, (void)text;
    ++*(int *)host->data;
}

/* Of an embedder that was built when pdk_host ended behind `log`, nothing behind it is read. */
static void an_older_host_is_filled_up(void **state) {
    int heard = 0;
    pdk_host given = {.name = "old", .version = "0", .data = &heard, .log = quiet};
    struct pdk_instance_options options = {.host = &given};
    struct pdk_instance *instance;

    (void)state;
    given.struct_size = offsetof(pdk_host, health);
    memset((char *)&given + given.struct_size, 0x5a, sizeof given - given.struct_size);
    instance = make(&fake_plugin, &options);
    assert_string_equal(instance->host.name, "old");
    instance->host.log(&instance->host, PDK_LOG_INFO, 0, "heard");
    assert_int_equal(heard, 1);
    instance->host.health(&instance->host, PDK_DOWN, "not a wild pointer");
    assert_int_equal(instance->health, PDK_DOWN);
    pdk_instance_free(instance);
}

static int started, stopped;

static int32_t start(void *self, pdk_error *err) {
    (void)self, (void)err;
    return ++started == 1 ? -EAGAIN : 0;
}

static void stop(void *self) {
    const struct fake *fake = self;

    fake->host->stopped(fake->host);
}

static void on_stopped(const pdk_host *host) {
    (void)host;
    stopped++;
}

static void starts_and_stops(void **state) {
    pdk_host given = {.struct_size = sizeof given, .stopped = on_stopped};
    struct pdk_instance_options options = {.host = &given};
    pdk_plugin plugin = fake_plugin;
    struct pdk_instance *instance;
    pdk_error err = PDK_ERROR;

    (void)state;
    plugin.start = start;
    plugin.stop = stop;
    instance = make(&plugin, &options);
    assert_int_equal(instance->life, PDK_INSTANCE_MADE);
    assert_int_equal(instance->health, PDK_DOWN);
    assert_int_equal(pdk_instance_start(instance, &err), -EAGAIN);
    assert_string_equal(err.message, "start failed: Resource temporarily unavailable");
    assert_int_equal(instance->life, PDK_INSTANCE_MADE);
    assert_int_equal(pdk_instance_start(instance, NULL), 0);
    assert_int_equal(instance->life, PDK_INSTANCE_STARTED);
    pdk_instance_stop(instance);
    assert_int_equal(instance->life, PDK_INSTANCE_STOPPING);
    assert_int_equal(stopped, 1);
    pdk_instance_free(instance);

    instance = make(&fake_plugin, &options); /* neither start nor stop: it is as if they had been called */
    assert_int_equal(pdk_instance_start(instance, &err), 0);
    pdk_instance_stop(instance);
    assert_int_equal(stopped, 2);
    pdk_instance_free(instance);
    assert_int_equal(fake_alive, 0);
}

static void kinds_are_found(void **state) {
    struct pdk_instance *instance = make(&fake_plugin, &(struct pdk_instance_options){0});

    (void)state;
    assert_ptr_equal(pdk_instance_kind(instance, "other"), &other_kind);
    assert_null(pdk_instance_kind(instance, "fak"));
    pdk_instance_free(instance);
}

static int32_t make_and_free(void *arg) {
    struct pdk_report report = {0};
    struct pdk_instance *instance;
    int32_t rc = pdk_instance_create(&fake_plugin, arg, &report, &instance);

    if (rc == 0) pdk_instance_free(instance);
    pdk_report_free(&report);
    return rc;
}

static void memory_may_run_out(void **state) {
    struct pdk_instance_options options = {.labels = fake_json("{\"zone\": \"gpu\"}"),
                                           .config = fake_json("{\"supports\": 1}")};

    (void)state;
    assert_in_range(pdk_fail_sweep(make_and_free, &options), 5, 1000);
    assert_int_equal(fake_alive, 0);
    pdk_values_get()->drop(options.labels);
    pdk_values_get()->drop(options.config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gets_built_in_labels),
        cmocka_unit_test(labels_of_ours_cannot_be_configured),
        cmocka_unit_test(config_is_checked_and_completed),
        cmocka_unit_test(names_and_roles_are_checked),
        cmocka_unit_test(the_host_is_complete),
        cmocka_unit_test(an_older_host_is_filled_up),
        cmocka_unit_test(starts_and_stops),
        cmocka_unit_test(kinds_are_found),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
