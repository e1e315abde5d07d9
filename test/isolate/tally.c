/* SPDX-License-Identifier: Apache-2.0 */
/* A runner that counts what it does, and says in its result what it was told. */
#include <stdlib.h>

#include <paddock/helpers.h>

struct tally {
    const pdk_host *host;
    const pdk_metrics *metrics;
    pdk_series *started;
};

struct task {
    struct tally *tally;
    const pdk_spec *spec;
    pdk_attempt attempt;
};

static const char *const labels[] = {"where", NULL};
static const pdk_metric started = {sizeof started, PDK_COUNTER, "tally_started", "", "Attempts", labels, NULL, 0, 0};

static void put(const pdk_values *v, pdk_writer *w, const char *key, const char *text) {
    v->key(w, key);
    v->put_string(w, text, strlen(text));
}

static int32_t start(void *arg, const pdk_start *start, pdk_error *err) {
    struct task *task = arg;
    const pdk_host *host = task->tally->host;
    const pdk_values *v = host->values;
    const pdk_value *output = NULL;
    pdk_result result = PDK_RESULT(PDK_SUCCESS, PDK_CAT_NONE, "counted");
    pdk_usage usage = {sizeof usage, 0, 1, 2, 3, 4, 5};
    pdk_writer *w = v->open(v);

    (void)err;
    pdk_count(task->tally->metrics, task->tally->started, 2);
    v->put_map(w);
    put(v, w, "run", start->run_id);
    put(v, w, "trace", start->trace);
    put(v, w, "name", task->spec->name);
    put(v, w, "host", host->name);
    put(v, w, "instance", host->instance);
    v->key(w, "number");
    v->put_int(w, start->number);
    v->key(w, "in_time");
    v->put_bool(w, start->deadline_ns > host->now_ns(host) && start->deadline_ns < host->now_ns(host) + 60000000000u);
    v->key(w, "with");
    v->put_value(w, task->spec->with);
    v->key(w, "input");
    v->put_value(w, task->spec->input);
    v->end(w);
    if (v->close(w, &output, NULL) < 0) return -ENOMEM;
    result.output = output;
    result.code = "TALLY";
    result.usage = &usage;
    host->progress(host, start->attempt, 0.5, "half");
    host->ready(host, start->attempt);
    host->log(host, PDK_LOG_WARN, start->attempt, "counting");
    host->done(host, start->attempt, &result);
    v->drop(output);
    return 0;
}

static void cancel(void *task, int32_t reason) {
    (void)task, (void)reason;
}

static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct task *task = calloc(1, sizeof *task);
    const pdk_value *odd = spec->with ? ((struct tally *)self)->host->values->get(spec->with, "odd") : NULL;

    if (!task) return -ENOMEM;
    if (odd) {
        free(task);
        return pdk_fail(err, -EINVAL, odd, "this is too odd", NULL, NULL);
    }
    task->tally = self;
    task->spec = spec;
    *ret = task;
    return 0;
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    static const char *const values[] = {"there", NULL};
    struct tally *tally = calloc(1, sizeof *tally);
    const pdk_value *bad = host->values->get(config, "bad");

    if (!tally) return -ENOMEM;
    if (bad) {
        free(tally);
        return pdk_fail(err, -EINVAL, bad, "it is bad indeed", NULL, NULL);
    }
    tally->host = host;
    tally->metrics = host->get_extension(host, PDK_METRICS_1);
    if (tally->metrics) tally->started = tally->metrics->series(tally->metrics, &started, values);
    *ret = tally;
    return 0;
}

static const pdk_param params[] = {PDK_PARAM("n", PDK_INT, 0, "7", "A number"),
                                   PDK_PARAM("odd", PDK_STRING, 0, NULL, "Refused"), PDK_PARAM_END};
static const pdk_param config_params[] = {PDK_PARAM("bad", PDK_STRING, 0, NULL, "Refused"), PDK_PARAM_END};
static const pdk_schema kind = PDK_SCHEMA("tally", "Counts", params);
static const pdk_schema config = PDK_SCHEMA("", "", config_params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, NULL, NULL, free, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &task_ops, NULL, build};
static const char *const needs[] = {PDK_METRICS_1, NULL};
const pdk_plugin pdk_plugin_entry = {PDK_PLUGIN_HEAD, "tally", "1",     "",   "Counts, for tests",
                                     needs,           &config, &runner, NULL, NULL,
                                     create,          NULL,    NULL,    free, NULL};
