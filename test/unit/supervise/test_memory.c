/* SPDX-License-Identifier: Apache-2.0 */
/* Out of memory at every single allocation: a submission is refused cleanly, or it has its one outcome. */
#include "support/unit.h"

#include "core/supervise/internal.h"
#include "paddock/helpers.h"
#include "support/fail_alloc.h"

/* A loop that posts and never waits; timers are not needed here. */
static pdk_call *posted;
static uint64_t now = 1;
static uint64_t loop_now(const pdk_loop *loop) {
    (void)loop;
    return now++;
}
static int32_t loop_timer(const pdk_loop *loop, uint64_t delay, uint64_t repeat, void (*fire)(void *), void *arg,
                          pdk_watch *ret) {
    (void)loop, (void)delay, (void)repeat, (void)fire, (void)arg;
    *ret = 1;
    return 0;
}
static void loop_stop(const pdk_loop *loop, pdk_watch watch) {
    (void)loop, (void)watch;
}
static void loop_post(const pdk_loop *loop, pdk_call *call) {
    (void)loop;
    posted = call;
}
static const pdk_loop loop = {sizeof loop, 0, NULL, NULL, NULL, loop_timer, NULL, loop_stop, loop_post, loop_now};
static const pdk_pool pool = {sizeof pool, 0, NULL, NULL, NULL};
static const pdk_process process = {sizeof process, 0, NULL, NULL, NULL, NULL, NULL};

static void turn(void) {
    while (posted) {
        pdk_call *call = posted;
        posted = NULL;
        call->run(call->arg);
    }
}

/* ---- a runner whose attempts write, say something, and fail once */
static const pdk_host *host;
static int32_t create(const pdk_host *given, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    host = given;
    *ret = &host;
    return 0;
}
static void nothing(void *self) {
    (void)self;
}
static int32_t start(void *task, const pdk_start *info, pdk_error *err) {
    pdk_result result = PDK_RESULT(PDK_RETRY, PDK_CAT_EXIT, "a message that has to be copied");
    (void)task, (void)err;
    if (info->number > 1) result.status = PDK_SUCCESS;
    (void)host->output(host, info->attempt, PDK_STDOUT, "half a line", 11);
    (void)host->progress(host, info->attempt, 0.5, "half way");
    return host->done(host, info->attempt, &result);
}
static void cancel(void *task, int32_t reason) {
    (void)task, (void)reason;
}
static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    (void)spec, (void)err;
    *ret = self;
    return 0;
}
static const pdk_param params[] = {PDK_PARAM_END};
static const pdk_schema kind = PDK_SCHEMA("poor", "Has no memory", params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_task_ops task_ops = {sizeof task_ops, 0, start, cancel, NULL, NULL, nothing, NULL};
static const pdk_runner_ops runner = {sizeof runner, 0, kinds, &task_ops, NULL, build};
/* It takes spans as well. */
static uint32_t runs_told;
static pdk_series *series(void *self, const pdk_metric *metric, const char *const *values) {
    (void)self, (void)metric, (void)values;
    return NULL;
}
static void record(void *self, pdk_series *given, double n) {
    (void)self, (void)given, (void)n;
}
static void span(void *self, const pdk_span *over) {
    (void)self;
    runs_told += strcmp(over->name, "paddock.run") == 0;
}
static const pdk_metrics_ops metrics_ops = {sizeof metrics_ops, 0, series, record, record, record, NULL, span, NULL};
static const pdk_plugin plugin = {PDK_PLUGIN_HEAD, "poor", "1",  "",   "",      NULL, NULL, &runner, NULL,
                                  &metrics_ops,    create, NULL, NULL, nothing, NULL};

static uint32_t told, accepted;
static void settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    (void)arg, (void)run;
    assert_non_null(outcome->last->code);
    assert_non_null(outcome->last->message);
    told++;
}
static void event(void *arg, const pdk_event *e) {
    (void)arg;
    assert_non_null(e->text);
}

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static int32_t submit(pdk_supervisor *s, const char *name) {
    char text[256];
    const pdk_values *v = pdk_values_get();
    const pdk_value *spec = NULL;
    pdk_submit_options options = {sizeof options, 0, settled, NULL, TRACE, 0, "a=b"};
    (void)snprintf(
        text, sizeof text,
        "{\"name\":\"%s\",\"kind\":\"poor\",\"restart\":\"on-failure\",\"slot\":\"x\",\"when_busy\":\"queue\"}", name);
    int32_t rc = v->parse(v, text, strlen(text), "memory", &spec, NULL);
    if (rc < 0) return rc;
    rc = pdk_supervisor_submit(s, spec, &options, NULL, NULL);
    v->drop(spec);
    if (rc == 0) accepted++;
    return rc;
}

static int32_t use(pdk_supervisor *s) {
    const pdk_control *control = pdk_supervisor_control(s);
    pdk_watch watch;
    int32_t rc = pdk_supervisor_add(s, &plugin, NULL, NULL);
    if (rc == 0) rc = pdk_supervisor_start(s, NULL);
    if (rc == 0) rc = control->subscribe(control, NULL, event, NULL, &watch);
    for (int i = 0; rc == 0 && i < 3; i++) rc = submit(s, i ? "second" : "first");
    turn();
    now += 10 * PDK_SECOND;
    if (rc == 0) rc = control->pause(control, 0);
    if (rc == 0) rc = control->resume(control, 0);
    pdk_wake(s);
    turn();
    (void)pdk_supervisor_shutdown(s);
    turn();
    for (int i = 0; i < 8 && !pdk_supervisor_stopped(s, NULL); i++) {
        now += 10 * PDK_SECOND;
        pdk_wake(s);
        turn();
    }
    assert_int_equal(pdk_supervisor_stopped(s, NULL), 1);
    return rc;
}

static int32_t live(void *arg) {
    pdk_supervisor_options options = {
        .struct_size = sizeof options, .loop = &loop, .pool = &pool, .process = &process, .seed = 1};
    pdk_supervisor *s = NULL;
    (void)arg;
    told = accepted = runs_told = 0;
    posted = NULL;
    int32_t rc = pdk_supervisor_create(&options, &s, NULL);
    if (rc < 0) return rc;
    rc = use(s);
    assert_int_equal(told, accepted);
    assert_int_equal(runs_told, accepted);
    pdk_supervisor_destroy(s);
    return rc;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    long failed = pdk_fail_sweep(live, NULL);
    assert_true(failed > 50);
    print_message("%ld allocations failed, one by one\n", failed);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
