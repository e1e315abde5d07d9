/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin as it was written for ABI 1.0, and is never changed: it must load and run in every host of this major.
 * It uses what it can of what 1.0 had, and plays all roles, so that a host reads all of its tables.
 */
#include <stdlib.h>

#include <paddock/control.h>
#include <paddock/helpers.h>
#include <paddock/loop.h>
#include <paddock/process.h>

struct frozen {
    const pdk_host *host;
    const pdk_metrics *metrics;
    pdk_series *started;
};

struct task {
    struct frozen *frozen;
    const char *name;
    int64_t times;
};

struct pdk_series {
    double value;
};

static const char *const choices[] = {"old", "older", NULL};
static const pdk_param nested[] = {PDK_PARAM("deep", PDK_BOOL, 0, "true", "A map within"), PDK_PARAM_END};
static const pdk_param params[] = {
    {"name", PDK_STRING, PDK_REQUIRED, NULL, "One of its choices", choices, 0.0, 0.0, NULL},
    {"times", PDK_INT, 0, "2", "Within limits", NULL, 1.0, 9.0, NULL},
    PDK_PARAM("wait", PDK_DURATION, 0, "30s", "Not used"),
    PDK_PARAM("room", PDK_SIZE, 0, "1MiB", "Not used"),
    PDK_PARAM("words", PDK_STRINGS, 0, "[a, b]", "Not used"),
    PDK_PARAM("env", PDK_STRING_MAP, PDK_SECRET, NULL, "Not used"),
    PDK_PARAM("free", PDK_ANY, PDK_DEPRECATED, NULL, "Not used"),
    {"more", PDK_MAP, 0, NULL, "Not used", NULL, 0.0, 0.0, nested},
    PDK_PARAM_END};
static const pdk_schema kind = PDK_SCHEMA("frozen", "Says its name", params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_schema config = PDK_SCHEMA("", "Takes anything it knows", nested);

static const char *const metric_labels[] = {"name", NULL};
static const pdk_metric metric = {
    (uint32_t)sizeof(pdk_metric), PDK_COUNTER, "frozen_started", "", "Starts", metric_labels, NULL, 0, 0};

static int32_t supports(void *self, const pdk_spec *spec, pdk_error *why) {
    (void)self;
    if (strcmp(spec->kind, "frozen") == 0) return 1;
    pdk_fail(why, 0, spec->whole, "only frozen", NULL, NULL);
    return 0;
}

static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct frozen *frozen = self;
    struct task *task = calloc(1, sizeof *task);
    int32_t rc;

    if (!task) return -ENOMEM;
    task->frozen = frozen;
    task->times = 2;
    rc = pdk_need_string(frozen->host, spec->with, "name", &task->name, err);
    if (rc == 0) rc = pdk_take_integer(frozen->host, spec->with, "times", &task->times, err);
    if (rc == 0)
        *ret = task;
    else
        free(task);
    return rc;
}

static const pdk_value *make_output(const struct task *task, uint32_t number) {
    const pdk_values *v = task->frozen->host->values;
    const pdk_value *output = NULL;
    pdk_error err = PDK_ERROR;
    pdk_writer *w = v->open(v);

    v->put_map(w);
    v->key(w, "name");
    v->put_string(w, task->name, strlen(task->name));
    v->key(w, "number");
    v->put_int(w, number);
    v->key(w, "list");
    v->put_list(w);
    v->put_bool(w, 1);
    v->put_number(w, 0.5);
    v->put_null(w);
    v->end(w);
    v->end(w);
    return v->close(w, &output, &err) == 0 ? output : NULL;
}

static int32_t start(void *arg, const pdk_start *start, pdk_error *err) {
    struct task *task = arg;
    const pdk_host *host = task->frozen->host;
    pdk_result result = PDK_RESULT(PDK_SUCCESS, PDK_CAT_NONE, "frozen, and well");
    pdk_usage usage;
    char text[64];
    int64_t i;

    (void)err;
    memset(&usage, 0, sizeof usage);
    usage.struct_size = (uint32_t)sizeof usage;
    usage.user_ns = 1;
    if (host->now_ns(host) > host->now_ns(host) || host->unix_ns(host) == 0) return -EIO;
    pdk_logf(host, PDK_LOG_INFO, start->attempt, "attempt %u of %s", start->number, start->run_id);
    for (i = 0; i < task->times; i++) {
        snprintf(text, sizeof text, "%s\n", task->name);
        host->output(host, start->attempt, PDK_STDOUT, text, strlen(text));
    }
    host->progress(host, start->attempt, 0.5, "half");
    host->ready(host, start->attempt);
    pdk_count(task->frozen->metrics, task->frozen->started, 1);
    result.usage = &usage;
    result.output = make_output(task, start->number);
    host->done(host, start->attempt, &result);
    host->values->drop(result.output);
    return 0;
}

static void nothing(void *any) {
    (void)any;
}
static void cancel(void *task, int32_t reason) {
    (void)task;
    (void)reason;
}
static int32_t reload(void *task) {
    (void)task;
    return -ENOTSUP;
}

static void settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    (void)self;
    (void)delivery;
    (void)outcome;
}
static void progress(void *self, pdk_delivery delivery, const pdk_progress *progress) {
    (void)self;
    (void)delivery;
    (void)progress;
}

static pdk_series *series(void *self, const pdk_metric *m, const char *const *values) {
    (void)self;
    (void)m;
    (void)values;
    return NULL;
}
static void record(void *self, pdk_series *s, double value) {
    (void)self;
    s->value = value;
}
static int32_t print(void *self, pdk_write write, void *arg) {
    (void)self;
    write(arg, "", 0);
    return 0;
}

static int32_t create(const pdk_host *host, const pdk_value *with, void **ret, pdk_error *err) {
    static const char *const names[] = {"old", NULL};
    struct frozen *frozen = calloc(1, sizeof *frozen);

    (void)with;
    (void)err;
    if (!frozen) return -ENOMEM;
    frozen->host = host;
    frozen->metrics = host->get_extension(host, PDK_METRICS_1);
    if (frozen->metrics) frozen->started = frozen->metrics->series(frozen->metrics, &metric, names);
    *ret = frozen;
    return 0;
}

static int32_t begin(void *self, pdk_error *err) {
    struct frozen *frozen = self;
    (void)err;
    frozen->host->health(frozen->host, PDK_UP, "as ever");
    return 0;
}

static void span(void *self, const pdk_span *over) {
    (void)self;
    (void)over;
}

static int32_t sample(void *self, const uint8_t *trace_id, int32_t parent) {
    (void)self;
    (void)trace_id;
    return parent != 0;
}

static void stop(void *self) {
    struct frozen *frozen = self;
    frozen->host->stopped(frozen->host);
}

static const void *extension(void *self, const char *id) {
    (void)self;
    (void)id;
    return NULL;
}

static const pdk_task_ops task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, nothing, nothing, free, reload};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &task_ops, supports, build};
static const pdk_source_ops source = {PDK_HEAD(pdk_source_ops), settled, nothing, nothing, nothing, progress};
static const pdk_metrics_ops metrics = {PDK_HEAD(pdk_metrics_ops), series, record, record, record, print, span, sample};
const pdk_plugin pdk_plugin_entry = {PDK_PLUGIN_HEAD,
                                     "frozen",
                                     "1.0.0",
                                     "Paddock",
                                     "As it was in ABI 1.0",
                                     NULL,
                                     &config,
                                     &runner,
                                     &source,
                                     &metrics,
                                     create,
                                     begin,
                                     stop,
                                     free,
                                     extension};
