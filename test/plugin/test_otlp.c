/* SPDX-License-Identifier: Apache-2.0 */
/* otlp without a collector: what it wants of traces, what it takes from its settings, and how it stops. What it sends is
 * looked at by test/func/test_otlp.py. */
#include <stdio.h>
#include <stdlib.h>

#include "plugin_test.h"

#define NOWHERE "'endpoint': 'http://127.0.0.1:1'"

static const pdk_metrics_ops *ops(const pdk_test *m) {
    return pdk_test_plugin(m)->metrics;
}

/* The last bytes of these decide: nothing, a quarter, a half, three quarters of all, and all. */
static const uint8_t ids[][16] = {
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 2},
    {0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0},
    {0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0},
    {0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0},
    {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
};

/* What each says of these five as new traces, and of the last and the first with a parent that is 0 and 1. */
static const struct {
    const char *config, *variable, *argument;
    const char *new_ones, *with_parent;
} samplers[] = {
    {"{}", NULL, NULL, "11111", "01"},
    {"{'sampler': 'always_on'}", NULL, NULL, "11111", "11"},
    {"{'sampler': 'always_off'}", NULL, NULL, "00000", "00"},
    {"{'sampler': 'parentbased_always_on'}", "always_off", NULL, "11111", "01"},
    {"{'sampler': 'parentbased_always_off'}", NULL, NULL, "00000", "01"},
    {"{'sampler': 'traceidratio', 'sampler_ratio': 0.5}", NULL, "1", "11000", "01"},
    {"{'sampler': 'traceidratio', 'sampler_ratio': 0}", NULL, "1", "00000", "00"},
    {"{'sampler': 'parentbased_traceidratio', 'sampler_ratio': 0.75}", NULL, NULL, "11100", "01"},
    {"{}", "always_off", NULL, "00000", "00"},
    {"{}", "traceidratio", NULL, "11111", "11"},
    {"{}", "traceidratio", "0.25", "10000", "01"},
    {"{}", "traceidratio", "0.5001", "11100", "01"},
    {"{}", "traceidratio", "1", "11111", "11"},
    {"{}", "traceidratio", "half", "11111", "11"},
    {"{}", "traceidratio", "1.1", "11111", "11"},
    {"{}", "traceidratio", "nan", "11111", "11"},
    {"{}", "jaeger_remote", NULL, "11111", "01"},
    {"{}", "", "", "11111", "01"},
};

static void set(const char *name, const char *value) {
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void which_traces(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof samplers / sizeof *samplers; i++) {
        set("OTEL_TRACES_SAMPLER", samplers[i].variable);
        set("OTEL_TRACES_SAMPLER_ARG", samplers[i].argument);
        pdk_test *m = load_plugin("otlp", samplers[i].config, 0);
        for (size_t k = 0; k < 5; k++)
            if (ops(m)->sample(pdk_test_self(m), ids[k], -1) != samplers[i].new_ones[k] - '0')
                fail_msg("row %zu, id %zu", i, k);
        for (int32_t parent = 0; parent < 2; parent++)
            if (ops(m)->sample(pdk_test_self(m), ids[parent ? 0 : 4], parent) != samplers[i].with_parent[parent] - '0')
                fail_msg("row %zu, parent %d", i, parent);
        end_plugin(m);
    }
    set("OTEL_TRACES_SAMPLER", NULL);
    set("OTEL_TRACES_SAMPLER_ARG", NULL);
}

static const char *const labels[] = {"a", NULL}, *const values[] = {"x", NULL};
static const pdk_metric counter = {(uint32_t)sizeof counter, PDK_COUNTER, "paddock_c", "", "", labels, NULL, 0, 0};

static void switched_off(void **state) {
    (void)state;
    pdk_test *m = load_plugin("otlp", "{'traces': false, 'metrics': false}", PDK_TEST_REAL);
    assert_true(ops(m)->sample(pdk_test_self(m), ids[0], -1) < 0);
    assert_null(ops(m)->series(pdk_test_self(m), &counter, values));
    end_plugin(m);
    set("OTEL_SDK_DISABLED", "TRUE");
    m = load_plugin("otlp", "{'endpoint': 'rubbish'}", PDK_TEST_REAL); /* nobody looks */
    assert_true(ops(m)->sample(pdk_test_self(m), ids[0], 1) < 0);
    assert_null(ops(m)->series(pdk_test_self(m), &counter, values));
    set("OTEL_SDK_DISABLED", NULL);
    end_plugin(m);
}

static void series_are_found_again(void **state) {
    static const double wrong[] = {2, 1};
    static const pdk_metric gauge = {(uint32_t)sizeof gauge, PDK_GAUGE, "paddock_c", "", "", labels, NULL, 0, 0},
                            bad = {(uint32_t)sizeof bad, PDK_HISTOGRAM, "paddock_h", "", "", NULL, wrong, 2, 0};
    pdk_test *m = load_plugin("otlp", "{'max_series': 200}", PDK_TEST_REAL);
    (void)state;
    pdk_series *first = ops(m)->series(pdk_test_self(m), &counter, values), *all[200];
    assert_non_null(first);
    for (int i = 0; i < 200; i++) {
        char text[8];
        const char *const given[] = {text, NULL};
        (void)snprintf(text, sizeof text, "%d", i);
        all[i] = ops(m)->series(pdk_test_self(m), &counter, given);
        if (i < 199) assert_non_null(all[i]);
        for (int k = 0; k < i; k++) assert_ptr_not_equal(all[i], all[k]);
    }
    assert_null(all[199]);
    assert_ptr_equal(ops(m)->series(pdk_test_self(m), &counter, values), first);
    assert_null(ops(m)->series(pdk_test_self(m), &gauge, values));
    assert_null(ops(m)->series(pdk_test_self(m), &bad, NULL));
    assert_non_null(strstr(pdk_test_log(m), "it has max_series series"));
    assert_non_null(strstr(pdk_test_log(m), "its buckets do not rise"));
    end_plugin(m);
}

static void told_of_faults(void **state) {
    static const struct {
        const char *config, *message;
    } cases[] = {
        {"{'endpoint': 'collector:4318'}", "collector:4318 is not a URL such as http://localhost:4318"},
        {"{'traces_endpoint': 'http://'}", "http:// is not a URL such as http://localhost:4318"},
        {"{'headers': {'a': 'b\\nc: d'}}", "headers: a and its value are not a header of HTTP"},
        {"{'headers': {'': 'x'}}", "headers:  and its value are not a header of HTTP"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pdk_error err = PDK_ERROR;
        assert_null(try_load_plugin(NULL, "otlp", cases[i].config, 0, &err));
        assert_int_equal(err.code, -EINVAL);
        assert_string_equal(err.message, cases[i].message);
    }
}

/* ---- the thread */

static void begin(pdk_test *m) {
    pdk_error err = PDK_ERROR;
    if (pdk_test_open(m, &err)) fail_msg("%s", err.message);
}

static void end(pdk_test *m) {
    assert_int_equal(pdk_test_close(m), 0);
    end_plugin(m);
}

static void send_span(pdk_test *m) {
    static const char bad[] = "\xff\xc3\x28 caf\xc3\xa9";
    static const pdk_attribute list[] = {{"text", bad, 0, 0, PDK_STRING, 0},
                                         {"number", NULL, 1.5, 0, PDK_NUMBER, 0},
                                         {"integer", NULL, 0, 7, PDK_INT, 0},
                                         {"boolean", NULL, 0, 1, PDK_BOOL, 0}};
    static const pdk_moment moment = {1, "queued", list, 4, 0};
    const pdk_span span = {.struct_size = sizeof span,
                           .kind = PDK_SPAN_INTERNAL,
                           .name = "paddock.run",
                           .trace_id = {1},
                           .span_id = {2},
                           .trace_state = "",
                           .start_ns = 1,
                           .end_ns = 2,
                           .status = PDK_SPAN_ERROR,
                           .message = bad,
                           .attributes = list,
                           .attribute_count = 4,
                           .moments = &moment,
                           .moment_count = 1};
    ops(m)->span(pdk_test_self(m), &span);
}

static void nothing_is_held_for_ever(void **state) {
    pdk_test *m = load_plugin("otlp", "{" NOWHERE ", 'queue': 4, 'batch': 4, 'delay': '1h'}", PDK_TEST_REAL);
    (void)state;
    /* before it has started, so that nobody takes them away */
    for (int i = 0; i < 10000; i++) send_span(m);
    begin(m);
    end(m);
    m = load_plugin("otlp", "{" NOWHERE ", 'queue': 100}", PDK_TEST_REAL);
    begin(m);
    for (int i = 0; i < 10000; i++) send_span(m);
    end(m);
}

static void ends_at_once(void **state) {
    pdk_test *m = load_plugin("otlp", "{'traces': false, 'metrics': false}", PDK_TEST_REAL);
    (void)state;
    begin(m);
    end(m);
    m = load_plugin("otlp", "{" NOWHERE "}", PDK_TEST_REAL);
    begin(m);
    end(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(which_traces),   cmocka_unit_test(switched_off),
                                       cmocka_unit_test(told_of_faults), cmocka_unit_test(series_are_found_again),
                                       cmocka_unit_test(ends_at_once),   cmocka_unit_test(nothing_is_held_for_ever)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
