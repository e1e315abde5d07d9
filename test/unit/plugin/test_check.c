/* SPDX-License-Identifier: Apache-2.0 */
/* Entries from memory: what a host must put up with, and what it need not. The rest is in test/zoo. */
#include "fake.h"

#include "core/plugin/instance.h"

static void refuses(const pdk_plugin *plugin, const char *line) {
    pdk_error err = PDK_ERROR;

    assert_int_equal(pdk_plugin_check(plugin, &err), -EINVAL);
    assert_string_equal(err.message, line);
    assert_int_equal(pdk_plugin_check(plugin, NULL), -EINVAL); /* err may be NULL */
}

static void a_good_one_passes(void **state) {
    pdk_error err = PDK_ERROR;

    (void)state;
    assert_int_equal(pdk_plugin_check(&fake_plugin, &err), 0);
    assert_string_equal(err.message, "");
}

static void names_have_limits(void **state) {
    char name[80] = "";
    pdk_plugin plugin = fake_plugin;

    (void)state;
    plugin.name = name;
    memset(name, 'a', 63);
    assert_int_equal(pdk_plugin_check(&plugin, NULL), 0);
    name[63] = 'a';
    assert_int_equal(pdk_plugin_check(&plugin, NULL), -EINVAL);
    memcpy(name, "-a", 3);
    refuses(&plugin, "\"-a\" is not a plugin's name: wanted [a-z0-9][a-z0-9-]{0,62}");
    memcpy(name, "", 1);
    refuses(&plugin, "\"\" is not a plugin's name: wanted [a-z0-9][a-z0-9-]{0,62}");
    memset(name, '\t', 70);
    assert_int_equal(pdk_plugin_check(&plugin, NULL), -EINVAL);
    plugin.name = NULL;
    refuses(&plugin, "it has no name");
}

static void texts_may_be_empty_but_are_there(void **state) {
    pdk_plugin plugin = fake_plugin;

    (void)state;
    plugin.author = NULL;
    refuses(&plugin, "it has no author");
    plugin.author = "";
    plugin.version = NULL;
    refuses(&plugin, "it has no version");
}

static void settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    (void)self, (void)delivery, (void)outcome;
}

static void nothing(void *self) {
    (void)self;
}

static void every_role_is_looked_at(void **state) {
    pdk_source_ops source = {PDK_HEAD(pdk_source_ops), settled, nothing, nothing, NULL, NULL};
    pdk_metrics_ops metrics = {PDK_HEAD(pdk_metrics_ops), NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    pdk_plugin plugin = fake_plugin;

    (void)state;
    plugin.runner = NULL;
    plugin.source = &source;
    assert_int_equal(pdk_plugin_check(&plugin, NULL), 0);
    source.drain = NULL;
    refuses(&plugin, "its source has no drain");
    source.drain = nothing;
    source.struct_size = 40;
    refuses(&plugin, "its source is 40 bytes, of ABI 1.0 it is 48");
    plugin.source = NULL;
    plugin.metrics = &metrics;
    refuses(&plugin, "its metrics backend has no series");
}

static void a_kind_is_named_once(void **state) {
    static const pdk_schema *const twice[] = {&fake_kind, &other_kind, &fake_kind, NULL};
    pdk_runner_ops runner = fake_runner;
    pdk_plugin plugin = fake_plugin;

    (void)state;
    runner.kinds = twice;
    plugin.runner = &runner;
    refuses(&plugin, "its runner names kind \"fake\" twice");
}

static void a_runner_has_tasks(void **state) {
    pdk_runner_ops runner = fake_runner;
    pdk_plugin plugin = fake_plugin;

    (void)state;
    plugin.runner = &runner;
    runner.task = NULL;
    refuses(&plugin, "its runner has no task");
}

static void a_schema_has_a_size(void **state) {
    pdk_schema config = fake_config_schema;
    pdk_plugin plugin = fake_plugin;

    (void)state;
    plugin.config = &config;
    config.struct_size = 16;
    refuses(&plugin, "its config is 16 bytes, of ABI 1.0 it is 32");
    config = fake_config_schema;
    config.param_size = 8;
    assert_int_equal(pdk_plugin_check(&plugin, NULL), -EINVAL);
}

static void old_minors_and_low_flags_are_fine(void **state) {
    pdk_plugin plugin = fake_plugin;

    (void)state;
    plugin.flags = 0xffff;
    plugin.abi_version = PDK_ABI_MAKE(1, 77);
    plugin.struct_size = 4096;
    plugin.reserved = 5;
    assert_int_equal(pdk_plugin_check(&plugin, NULL), 0);
    plugin.abi_version = PDK_ABI_MAKE(0, 9);
    refuses(&plugin, "ABI 0.9, this host has 1.x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_one_passes),
        cmocka_unit_test(names_have_limits),
        cmocka_unit_test(texts_may_be_empty_but_are_there),
        cmocka_unit_test(every_role_is_looked_at),
        cmocka_unit_test(a_kind_is_named_once),
        cmocka_unit_test(a_runner_has_tasks),
        cmocka_unit_test(a_schema_has_a_size),
        cmocka_unit_test(old_minors_and_low_flags_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
