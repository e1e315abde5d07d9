/* SPDX-License-Identifier: Apache-2.0 */
/* Out of memory at every place in turn: one clear end, nothing left behind, and the next attempt works. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "plugin_test.h"

struct scenario {
    const char *plugin, *config, *kind, *with;
    void (*play)(pdk_test *m, const struct scenario *scenario, bool *failed);
    uint32_t flags;
};

/* From here on there is memory again. */
static void heal(bool *failed) {
    *failed = *failed || pdk_test_struck(NULL, PDK_TEST_FAULT_ALLOCATION) > 0;
    (void)pdk_test_fault(NULL, PDK_TEST_FAULT_ALLOCATION, 0, 0, 0);
}

/* Both ways to say it are good: start's answer, or a done that may be tried again. */
static void check_end(const pdk_test_attempt *attempt, int32_t rc) {
    if (!attempt) {
        assert_int_equal(rc, -ENOMEM);
        return;
    }
    assert_int_equal(attempt->done, 1);
    if (attempt->status == PDK_SUCCESS) return;
    assert_int_equal(attempt->status, PDK_FAILURE);
    if (attempt->category != PDK_CAT_MEMORY && attempt->category != PDK_CAT_PEER)
        fail_msg("category %d: %s", attempt->category, attempt->message);
}

static void finish_children(pdk_test *m, const char *result) {
    pdk_test_child *child;
    for (uint32_t i = 0; (child = pdk_test_child_at(m, i)); i++) {
        const char *path = pdk_test_child_env(child, "PADDOCK_OUTPUT");
        FILE *file;
        if (child->over) continue;
        file = path && result ? fopen(path, "we") : NULL;
        if (file) {
            (void)fputs(result, file);
            (void)fclose(file);
        }
        pdk_test_child_started(child, 77);
        pdk_test_child_ended(child, 0, 0);
    }
}

static void play_task(pdk_test *m, const struct scenario *s, bool *failed) {
    pdk_test_task *task;
    pdk_test_attempt *attempt;
    pdk_error err = PDK_ERROR;
    task = pdk_test_build(m, s->kind, s->with, &err);
    if (!task) {
        assert_int_equal(err.code, -ENOMEM);
        heal(failed);
        return;
    }
    attempt = pdk_test_start(task, &err);
    pdk_test_run_jobs(m);
    if (attempt && !attempt->done && strstr(s->with, "stop")) cancel(attempt); /* a stop command takes memory too */
    finish_children(m, "{\"a\": 1}");
    finish_children(m, NULL);
    pdk_test_run_jobs(m);
    pdk_test_advance(m, SECONDS(10));
    if (!attempt || attempt->status != PDK_CANCELED) check_end(attempt, err.code);
    heal(failed);
    attempt = start(task);
    pdk_test_run_jobs(m);
    finish_children(m, "a=1");
    pdk_test_run_jobs(m);
    pdk_test_advance(m, SECONDS(10));
    if (attempt->status != PDK_SUCCESS) fail_msg("%s: and then: %s", s->with, attempt->message);
}

static void discard(void *arg, const char *data, size_t size) {
    (void)arg, (void)data, (void)size;
}

static void play_metrics(pdk_test *m, const struct scenario *s, bool *failed) {
    static const char *const labels[] = {"a", "b", NULL}, *const values[] = {"x", "y", NULL};
    static const pdk_metric metrics[] = {
        {(uint32_t)sizeof(pdk_metric), PDK_COUNTER, "c", "", "", labels, NULL, 0, 0},
        {(uint32_t)sizeof(pdk_metric), PDK_HISTOGRAM, "h", "", "", NULL, NULL, 0, 0},
    };
    const pdk_metrics_ops *ops = pdk_test_plugin(m)->metrics;
    (void)s;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 2; i++) {
            pdk_series *series = ops->series(pdk_test_self(m), &metrics[i], values);
            if (round) assert_non_null(series);
            ops->add(pdk_test_self(m), series, 1);
            ops->observe(pdk_test_self(m), series, 1);
        }
        (void)ops->print(pdk_test_self(m), discard, NULL);
        heal(failed);
    }
}

#ifdef HAVE_OTLP
/* All that it allocates while it sends is its thread's; we wait for that meanwhile. */
static void play_otlp(pdk_test *m, const struct scenario *s, bool *failed) {
    static const char *const labels[] = {"a", NULL}, *const values[] = {"x", NULL};
    static const pdk_metric metrics[] = {
        {(uint32_t)sizeof(pdk_metric), PDK_COUNTER, "c", "", "", labels, NULL, 0, 0},
        {(uint32_t)sizeof(pdk_metric), PDK_GAUGE, "g", "", "", labels, NULL, 0, 0},
        {(uint32_t)sizeof(pdk_metric), PDK_HISTOGRAM, "h", "seconds", "", NULL, NULL, 0, 0},
    };
    static const pdk_attribute attribute = {"text", "value", 0, 0, PDK_STRING, 0};
    static const pdk_moment moment = {1, "queued", &attribute, 1, 0};
    const pdk_span span = {.struct_size = sizeof span,
                           .name = "s",
                           .trace_id = {1},
                           .span_id = {2},
                           .status = 2,
                           .message = "",
                           .trace_state = "",
                           .attributes = &attribute,
                           .attribute_count = 1,
                           .moments = &moment,
                           .moment_count = 1};
    const pdk_metrics_ops *ops = pdk_test_plugin(m)->metrics;
    pdk_error err = PDK_ERROR;
    (void)s;
    for (size_t i = 0; i < 3; i++)
        ops->observe(pdk_test_self(m), ops->series(pdk_test_self(m), &metrics[i], values), 1);
    ops->span(pdk_test_self(m), &span);
    if (pdk_test_open(m, &err) == 0) assert_int_equal(pdk_test_close(m), 0);
    if (err.code) assert_int_equal(err.code, -ENOMEM);
    heal(failed);
}
#endif

static const struct scenario scenarios[] = {
    {"echo", NULL, "echo", "{'message': {'a': 'b'}, 'print': true}", play_task, 0},
    {"sleep", NULL, "sleep", "{'for': '1s'}", play_task, 0},
    {"subprocess", NULL, "subprocess", "{'command': ['x', 'y'], 'env': {'A': 'b'}, 'pass_fds': [], 'cwd': '/'}",
     play_task, 0},
    {"subprocess", NULL, "subprocess",
     "{'script': {'base64': 'YQ==', 'args': ['b']}, 'env': {'A': {'file': '/proc/sys/kernel/ostype'}},"
     "'input': {'a': [1, 2]}, 'seccomp': 'default', 'user': 'nobody', 'groups': ['adm'], 'cwd': '/',"
     "'stop': {'command': ['s']}, 'reload': {'command': ['r']}, 'notify': true}",
     play_task, 0},
    {"subprocess", NULL, "subprocess",
     "{'command': ['x'], 'env_file': [{'path': '/etc/os-release', 'optional': true}], 'stdin': 'text', 'user': 'root'}",
     play_task, 0},
    {"prometheus", "{'process': false}", NULL, NULL, play_metrics, 0},
#ifdef HAVE_OTLP
    {"otlp", "{'endpoint': 'http://127.0.0.1:1', 'compression': 'gzip', 'headers': {'a': 'b'}, 'resource': {'c': 'd'}}",
     NULL, NULL, play_otlp, PDK_TEST_REAL},
#endif
};

/* Returns how many allocations there were to fail. */
static long sweep(const struct scenario *s) {
    uint32_t n = 0;
    for (bool failed = true; failed; n++) {
        pdk_error err = PDK_ERROR;
        pdk_test *m;
        failed = false;
        end_plugin(
            load_plugin(s->plugin, s->config, s->flags)); /* a file that was never loaded cannot be reached yet */
        (void)pdk_test_fault(NULL, PDK_TEST_FAULT_ALLOCATION, 0, n, 1);
        m = try_load_plugin(NULL, s->plugin, s->config, s->flags, &err);
        if (m)
            s->play(m, s, &failed);
        else
            assert_int_equal(err.code, -ENOMEM);
        heal(&failed);
        if (m) end_plugin(m);
    }
    return n - 1;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++) {
        bool others = scenarios[i].with && strstr(scenarios[i].with, "'user'");
        if (!others || geteuid() == 0) assert_true(sweep(&scenarios[i]) > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
