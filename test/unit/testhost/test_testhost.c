/* SPDX-License-Identifier: Apache-2.0 */
/* The test host itself, on a plugin that lives in this file: what it keeps, and every rule that it must notice. */
#include "support/unit.h"

#include <pthread.h>

#include <paddock/helpers.h>
#include <paddock/testhost.h>

/* ---- a plugin that does what `do` says ---- */

struct one {
    const pdk_host *host;
    const pdk_loop *loop;
    const pdk_pool *pool;
    const pdk_source *source;
    const pdk_metrics *metrics;
    pdk_series *series;
    char task_of[32];
    pdk_attempt attempt;
    const pdk_value *with;
    pdk_job job;
    pdk_watch watch;
    int resumed, flushed, settled, worked;
    int32_t submitted, job_status;
};

static bool is(const struct one *one, const char *word) {
    return strcmp(one->task_of, word) == 0;
}

static void work(void *arg) {
    struct one *one = arg;
    one->worked++;
    if (is(one, "thread")) (void)one->loop->timer(one->loop, 0, 0, work, one, &one->watch);
    if (is(one, "cross")) (void)pdk_succeed(one->host, one->attempt, NULL);
}

static void job_done(void *arg, int32_t status) {
    struct one *one = arg;
    one->job_status = status;
    if (!is(one, "cross")) (void)pdk_succeed(one->host, one->attempt, NULL);
}

static void fired(void *arg) {
    struct one *one = arg;
    one->watch = 0;
    (void)pdk_succeed(one->host, one->attempt, NULL);
}

static int32_t task_start(void *task, const pdk_start *how, pdk_error *err) {
    struct one *one = task;
    const pdk_host *host = one->host;
    one->attempt = how->attempt;
    if (is(one, "hold")) (void)one->host->values->hold(one->with);
    if (is(one, "open")) (void)one->host->values->open(one->host->values);
    if (is(one, "drop")) one->host->values->drop(one->with);
    if (is(one, "parse")) (void)one->host->values->parse(one->host->values, "[1]", 3, "one", &one->with, err);
    if (is(one, "linger")) (void)one->loop->timer(one->loop, 3600 * PDK_SECOND, 0, fired, one, &one->watch);
    if (is(one, "refuse")) return pdk_fail(err, -EAGAIN, NULL, "not now", NULL, NULL);
    if (is(one, "never")) return 0;
    if (is(one, "timer")) return one->loop->timer(one->loop, 3 * PDK_SECOND, 0, fired, one, &one->watch);
    if (is(one, "job") || is(one, "thread") || is(one, "cross")) {
        one->job = (pdk_job){.struct_size = (uint32_t)sizeof one->job, .work = work, .done = job_done, .arg = one};
        return one->pool->submit(one->pool, &one->job);
    }
    if (is(one, "count")) pdk_count(one->metrics, one->series, 2);
    (void)host->progress(host, how->attempt, 0.5, "half");
    (void)host->output(host, how->attempt, PDK_STDERR, "x\n", 2);
    (void)pdk_succeed(host, how->attempt, NULL);
    if (is(one, "twice")) (void)pdk_succeed(host, how->attempt, NULL);
    if (is(one, "late")) (void)host->output(host, how->attempt, PDK_STDOUT, "y", 1);
    return 0;
}

static void task_cancel(void *task, int32_t reason) {
    struct one *one = task;
    (void)reason;
    if (is(one, "never")) (void)pdk_end(one->host, one->attempt, PDK_CANCELED, 0, NULL, "canceled");
}

static void task_destroy(void *task) {
    struct one *one = task;
    if (is(one, "thread")) one->loop->stop(one->loop, one->watch);
}

static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct one *one = self;
    const char *word = NULL;
    (void)pdk_need_string(one->host, spec->with, "do", &word, err);
    (void)snprintf(one->task_of, sizeof one->task_of, "%s", word);
    one->with = spec->with;
    if (is(one, "impure")) (void)one->loop->timer(one->loop, 1, 0, fired, one, &one->watch);
    if (is(one, "silent")) return -EINVAL;
    *ret = one;
    return 0;
}

static void settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    struct one *one = self;
    assert_int_equal(delivery, 7);
    one->settled = outcome->end + 1;
}

static void resume(void *self) {
    ((struct one *)self)->resumed++;
}

static void drain(void *self) {
    (void)self;
}

static void flush(void *self) {
    ((struct one *)self)->flushed++;
}

static void bring(void *arg) {
    struct one *one = arg;
    pdk_submission s = {.struct_size = (uint32_t)sizeof s, .delivery = 7};
    pdk_error err = PDK_ERROR;
    const pdk_values *values = one->host->values;
    pdk_writer *w = values->open(values);
    const pdk_value *spec = NULL;
    values->put_map(w);
    values->end(w);
    assert_int_equal(values->close(w, &spec, NULL), 0);
    s.spec = spec;
    one->submitted = one->source->submit(one->source, &s, NULL, &err);
    values->drop(spec);
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    static const pdk_metric metric = {
        (uint32_t)sizeof(pdk_metric), PDK_COUNTER, "things", "", "Things", NULL, NULL, 0, 0};
    static const char *const none[] = {NULL};
    int64_t fail = 0;
    struct one *one;
    (void)pdk_take_integer(host, config, "fail", &fail, err);
    if (fail) return pdk_fail(err, -EIO, NULL, "as you wish", NULL, NULL);
    one = calloc(1, sizeof *one);
    one->host = host;
    one->loop = host->get_extension(host, PDK_LOOP_1);
    one->pool = host->get_extension(host, PDK_POOL_1);
    one->source = host->get_extension(host, PDK_SOURCE_1);
    one->metrics = host->get_extension(host, PDK_METRICS_1);
    if (one->metrics) one->series = one->metrics->series(one->metrics, &metric, none);
    *ret = one;
    return 0;
}

static int32_t start(void *self, pdk_error *err) {
    struct one *one = self;
    (void)err;
    one->host->health(one->host, PDK_UP, "here");
    return 0;
}

static void stop(void *self) {
    struct one *one = self;
    one->host->stopped(one->host);
}

static const pdk_param params[] = {PDK_PARAM("do", PDK_STRING, PDK_REQUIRED, NULL, "What"), PDK_PARAM_END};
static const pdk_param config_params[] = {PDK_PARAM("fail", PDK_INT, 0, "0", "Whether"), PDK_PARAM_END};
static const pdk_schema kind = PDK_SCHEMA("one", "Does it", params), config = PDK_SCHEMA("", "", config_params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), task_start, task_cancel, NULL, NULL, task_destroy, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &task_ops, NULL, build};
static const pdk_source_ops source = {PDK_HEAD(pdk_source_ops), settled, resume, drain, flush, NULL};
static const pdk_plugin plugin = {PDK_PLUGIN_HEAD, "one", "1",    "",    "",   NULL, &config, &runner,
                                  &source,         NULL,  create, start, stop, free, NULL};

/* ---- what is heard ---- */

static char heard[512];
static int32_t heard_rule;

static void hear(void *arg, int32_t rule, const char *line) {
    assert_ptr_equal(arg, heard);
    heard_rule = rule;
    (void)snprintf(heard, sizeof heard, "%s", line);
}

static pdk_test *make(uint32_t flags) {
    pdk_test_options options = PDK_TEST_OPTIONS(flags, NULL);
    pdk_test *t;
    options.broken = hear;
    options.arg = heard;
    heard[0] = '\0';
    heard_rule = -1;
    t = pdk_test_make(&plugin, &options, NULL);
    assert_non_null(t);
    assert_int_equal(pdk_test_open(t, NULL), 0);
    return t;
}

static pdk_test_attempt *begin(pdk_test *t, const char *word) {
    char with[64];
    (void)snprintf(with, sizeof with, "{'do': '%s'}", word);
    return pdk_test_start(pdk_test_build(t, "one", with, NULL), NULL);
}

static struct one *self(const pdk_test *t) {
    return pdk_test_self(t);
}

static void an_attempt_is_kept(void **state) {
    pdk_test *t = make(0);
    pdk_test_attempt *attempt = begin(t, "count");
    (void)state;
    assert_int_equal(attempt->done, 1);
    assert_int_equal(attempt->status, PDK_SUCCESS);
    assert_string_equal(attempt->output[PDK_STDERR], "x\n");
    assert_string_equal(attempt->output[PDK_STDOUT], "");
    assert_string_equal(attempt->text, "half");
    assert_true(pdk_test_counted(t, "things") == 2);
    assert_non_null(strstr(pdk_test_record(t), "done "));
    assert_int_equal(pdk_test_health(t, NULL), PDK_UP);
    assert_int_equal(pdk_test_end(t), 0);
    assert_string_equal(heard, "");
}

static void each_broken_rule_is_a_line(void **state) {
    static const struct {
        const char *word;
        int32_t rule;
        const char *line;
    } cases[] = {
        {"twice", PDK_TEST_RULE_DONE, "done was said again"},
        {"late", PDK_TEST_RULE_AFTER, "output after done"},
        {"thread", PDK_TEST_RULE_THREAD, "loop->timer is for the main thread"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        pdk_test *t = make(0);
        pdk_test_attempt *attempt = begin(t, cases[i].word);
        (void)pdk_test_wait(attempt);
        assert_int_equal(heard_rule, cases[i].rule);
        assert_non_null(strstr(heard, cases[i].line));
        assert_int_equal(pdk_test_broken(t), 1);
        assert_string_equal(pdk_test_broken_line(t, 0, NULL), heard);
        if (i == 0) pdk_test_forgive(t);
        assert_int_equal(pdk_test_end(t) != 0, i != 0);
    }
}

/* What was left is given back by the host: the leak checker of a sanitizer has nothing to say. */
static void what_is_owned_is_watched(void **state) {
    static const struct {
        const char *word;
        uint32_t flags;
        int32_t rule;
        const char *line;
    } cases[] = {
        {"hold", 0, PDK_TEST_RULE_OWNED, "1 value was not dropped; the first, {\"do\":\"hold\"}, was got at "},
        {"parse", 0, PDK_TEST_RULE_OWNED, "1 value was not dropped; the first, [1], was got at "},
        {"open", 0, PDK_TEST_RULE_OWNED, "1 writer was not closed; the first was opened at "},
        {"drop", 0, PDK_TEST_RULE_OWNED, "drop of a value that it does not own, at "},
        {"hold", PDK_TEST_REAL, PDK_TEST_RULE_OWNED, "1 value was not dropped"},
        {"linger", 0, PDK_TEST_RULE_LEFT, "a timer was left; it was begun at "},
        {"linger", PDK_TEST_REAL, PDK_TEST_RULE_LEFT, "1 watch was left"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        pdk_test *t = make(cases[i].flags);
        (void)begin(t, cases[i].word);
        assert_int_equal(pdk_test_end(t), 1);
        assert_int_equal(heard_rule, cases[i].rule);
        if (!strstr(heard, cases[i].line)) fail_msg("%s: %s", cases[i].word, heard);
    }
}

/* Each host has functions of its own, as long as there are some: the last of many is not watched. */
static void owners_are_told_apart(void **state) {
    pdk_test *tests[20];
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT_OF(tests); i++) tests[i] = make(0);
        (void)begin(tests[3], "hold");
        (void)begin(tests[19], "hold");
        pdk_values_get()->drop(self(tests[19])->with);
        for (size_t i = COUNT_OF(tests); i-- > 0;)
            if (pdk_test_end(tests[i]) != (i == 3)) fail_msg("host %zu: %s", i, heard);
    }
}

static void build_task_is_watched(void **state) {
    pdk_test *t = make(0);
    pdk_error err = PDK_ERROR;
    (void)state;
    pdk_test_destroy(pdk_test_build(t, "one", "{'do': 'impure'}", NULL));
    assert_int_equal(heard_rule, PDK_TEST_RULE_PURE);
    assert_null(pdk_test_build(t, "one", "{'do': 'silent'}", &err));
    assert_int_equal(heard_rule, PDK_TEST_RULE_RESULT);
    assert_int_equal(err.code, -EINVAL);
    assert_null(pdk_test_build(t, "one", "{'od': 'x'}", &err)); /* the schema */
    assert_non_null(strstr(err.message, "od"));
    assert_null(pdk_test_build(t, "two", NULL, &err));
    assert_int_equal(err.code, -ENOENT);
    assert_int_equal(pdk_test_timers(t), 1);
    assert_int_not_equal(pdk_test_end(t), 0); /* the timer is left */
    assert_non_null(strstr(heard, "a timer was left"));
}

static void time_stands_still_and_jumps(void **state) {
    pdk_test *t = make(0);
    pdk_test_attempt *attempt = begin(t, "timer");
    uint64_t began = pdk_test_now(t);
    (void)state;
    pdk_test_advance(t, 3 * PDK_SECOND - 1);
    assert_int_equal(attempt->done, 0);
    assert_int_equal(pdk_test_wait(attempt), 0);
    assert_int_equal(pdk_test_now(t) - began, 3 * PDK_SECOND);
    assert_int_equal(pdk_test_end(t), 0);
}

static void a_wait_in_vain_fails(void **state) {
    pdk_test *t = make(0);
    pdk_test_attempt *attempt = begin(t, "never");
    (void)state;
    assert_int_equal(pdk_test_wait(attempt), -ETIMEDOUT);
    assert_int_equal(heard_rule, PDK_TEST_RULE_EXPECTED);
    pdk_test_cancel(attempt, PDK_CANCEL_USER);
    assert_int_equal(attempt->status, PDK_CANCELED);
    assert_int_equal(pdk_test_end(t), 1);
}

static void what_runs_at_the_end_is_ended(void **state) {
    pdk_test *t = make(0);
    (void)state;
    assert_non_null(begin(t, "never"));
    assert_int_equal(pdk_test_end(t), 1);
    assert_non_null(strstr(heard, "runs at the end of the test"));
}

static void faults_strike_when_they_are_told(void **state) {
    pdk_test *t = make(0);
    pdk_error err = PDK_ERROR;
    pdk_test_task *task = pdk_test_build(t, "one", "{'do': 'job'}", NULL);
    (void)state;
    assert_int_equal(pdk_test_fault(t, PDK_TEST_FAULT_SUBMIT_JOB, 0, 1, 1), 0);
    for (int i = 0; i < 3; i++) { /* the second of them */
        pdk_test_attempt *attempt = pdk_test_start(task, &err);
        assert_int_equal(attempt == NULL, i == 1);
        if (attempt) assert_int_equal(pdk_test_wait(attempt), 0);
    }
    assert_int_equal(pdk_test_struck(t, PDK_TEST_FAULT_SUBMIT_JOB), 1);
    assert_int_equal(err.code, -EAGAIN);
    assert_int_equal(pdk_test_fault(t, PDK_TEST_FAULT_JOB, 0, 0, 1), 0);
    assert_int_equal(pdk_test_wait(pdk_test_start(task, NULL)), 0);
    assert_int_equal(self(t)->job_status, -ECANCELED);
    assert_int_equal(self(t)->worked, 2);
    assert_int_equal(pdk_test_fault(t, PDK_TEST_FAULT_ALLOCATION, 0, 0, 1), -ENOTSUP); /* it is not a file */
    assert_int_equal(pdk_test_fault(t, 99, 0, 0, 1), -EINVAL);
    pdk_test_forgive(t); /* start said -EAGAIN and no word */
    assert_int_equal(pdk_test_end(t), 0);
}

static void a_cancel_may_cross_done(void **state) {
    pdk_test *t = make(0);
    pdk_test_attempt *attempt = begin(t, "cross");
    (void)state;
    assert_int_equal(pdk_test_jobs(t), 1);
    assert_int_equal(pdk_test_work_job(t), 0);
    assert_int_equal(attempt->done, 1);
    pdk_test_cancel_late(attempt, PDK_CANCEL_USER);
    pdk_test_turn(t);
    assert_int_equal(attempt->done, 1);
    assert_int_equal(pdk_test_end(t), 0);
}

static void deliveries_are_taken_and_settled(void **state) {
    pdk_test *t = make(0);
    pdk_call call = {bring, pdk_test_self(t), {NULL, NULL}};
    pdk_test_delivery *delivery;
    (void)state;
    self(t)->loop->post(self(t)->loop, &call);
    delivery = pdk_test_wait_delivery(t, 1);
    assert_non_null(delivery);
    assert_int_equal(delivery->delivery, 7);
    assert_string_equal(pdk_test_text(t, delivery->spec), "{}");
    pdk_test_settle(delivery, PDK_END_FAILED, NULL);
    assert_int_equal(self(t)->settled, PDK_END_FAILED + 1);
    assert_int_equal(self(t)->flushed, 1);
    pdk_test_room(t, 0);
    bring(self(t));
    assert_int_equal(self(t)->submitted, -EAGAIN);
    assert_int_equal(pdk_test_broken(t), 0);
    bring(self(t)); /* it was told to wait */
    assert_int_equal(heard_rule, PDK_TEST_RULE_AFTER);
    pdk_test_room(t, 1);
    assert_int_equal(self(t)->resumed, 1);
    bring(self(t));
    assert_int_equal(self(t)->submitted, 0);
    pdk_test_drain(t);
    pdk_test_forgive(t);
    bring(self(t));
    assert_int_equal(self(t)->submitted, -ESHUTDOWN);
    assert_int_equal(pdk_test_broken(t), 1);
    assert_int_equal(pdk_test_close(t), 0);
    assert_int_equal(self(t)->settled, PDK_END_CANCELED + 1); /* by the shutdown */
    assert_int_equal(pdk_test_end(t), 1);
}

static void services_are_those_of_the_test(void **state) {
    static const int mine = 5;
    const pdk_test_service services[] = {{"mine/1", &mine}, {PDK_POOL_1, NULL}, {NULL, NULL}};
    pdk_test_options options = PDK_TEST_OPTIONS(0, NULL);
    const pdk_host *host;
    pdk_test *t;
    (void)state;
    options.services = services;
    t = pdk_test_make(&plugin, &options, NULL);
    host = pdk_test_host(t);
    assert_ptr_equal(host->get_extension(host, "mine/1"), &mine);
    assert_null(host->get_extension(host, PDK_POOL_1));
    assert_non_null(host->get_extension(host, PDK_LOOP_1));
    assert_null(host->get_extension(host, "theirs/1"));
    assert_int_equal(pdk_test_end(t), 0);
    t = make(PDK_TEST_NO_SERVICES);
    assert_null(self(t)->loop);
    assert_int_equal(pdk_test_end(t), 0);
}

static void create_may_fail(void **state) {
    pdk_test_options options = PDK_TEST_OPTIONS(0, "{'fail': 1}");
    pdk_error err = PDK_ERROR;
    (void)state;
    assert_null(pdk_test_make(&plugin, &options, &err));
    assert_int_equal(err.code, -EIO);
    assert_string_equal(err.message, "as you wish");
    options.config = "{'fail': 'x'}";
    assert_null(pdk_test_make(&plugin, &options, &err));
    assert_int_equal(err.code, -EINVAL);
    assert_null(pdk_test_load("/nowhere/x.so", NULL, &err));
    assert_int_equal(err.code, -ENOENT);
}

static void nothing_comes_of_nothing(void **state) {
    (void)state;
    assert_null(pdk_test_start(pdk_test_build(NULL, "one", NULL, NULL), NULL));
    assert_int_equal(pdk_test_wait(NULL), -EINVAL);
    pdk_test_cancel(NULL, PDK_CANCEL_USER);
    pdk_test_kill(NULL);
    pdk_test_destroy(NULL);
    pdk_test_settle(NULL, PDK_END_FAILED, NULL);
    pdk_test_advance(NULL, 1);
    assert_int_equal(pdk_test_end(NULL), 1);
}

static void time_may_be_real(void **state) {
    pdk_test *t = make(PDK_TEST_REAL);
    pdk_test_attempt *attempt = begin(t, "job");
    uint64_t began = pdk_test_now(t);
    (void)state;
    assert_int_equal(pdk_test_wait(attempt), 0);
    assert_int_equal(self(t)->worked, 1);
    pdk_test_advance(t, 5 * PDK_MILLISECOND);
    assert_true(pdk_test_now(t) - began >= 5 * PDK_MILLISECOND);
    assert_int_equal(pdk_test_end(t), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attempt_is_kept),
        cmocka_unit_test(each_broken_rule_is_a_line),
        cmocka_unit_test(what_is_owned_is_watched),
        cmocka_unit_test(owners_are_told_apart),
        cmocka_unit_test(build_task_is_watched),
        cmocka_unit_test(time_stands_still_and_jumps),
        cmocka_unit_test(a_wait_in_vain_fails),
        cmocka_unit_test(what_runs_at_the_end_is_ended),
        cmocka_unit_test(faults_strike_when_they_are_told),
        cmocka_unit_test(a_cancel_may_cross_done),
        cmocka_unit_test(deliveries_are_taken_and_settled),
        cmocka_unit_test(services_are_those_of_the_test),
        cmocka_unit_test(create_may_fail),
        cmocka_unit_test(nothing_comes_of_nothing),
        cmocka_unit_test(time_may_be_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
