/* SPDX-License-Identifier: Apache-2.0 */
/* metrics/1 for plugins that count, and the calls for those that record. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/testhost/internal.h"

enum { SERIES_MAX = 100000 };

/* ---- the service ---- */

static bool is_metric(const pdk_metric *metric) {
    return metric->struct_size >= sizeof *metric && metric->type >= PDK_COUNTER && metric->type <= PDK_HISTOGRAM &&
           metric->name && metric->name[0] && metric->unit && metric->help;
}

/* The values of the labels, one behind the other. */
static char *join(const pdk_metric *metric, const char *const *values) {
    struct pdk_buffer text = PDK_BUFFER(TEXT_MAX);
    for (size_t i = 0; metric->labels && metric->labels[i] && values && values[i]; i++) {
        pdk_buffer_text(&text, values[i]);
        pdk_buffer_text(&text, "\n");
    }
    if (!text.data && !text.error) text.data = strdup("");
    return text.data;
}

static pdk_series *lookup(pdk_test *t, const pdk_metric *metric, const char *values) {
    pdk_series *series;
    LIST_FOREACH(series, &t->series, link) {
        if (series->metric == metric && !strcmp(series->values, values)) return series;
    }
    return NULL;
}

static pdk_series *metrics_series(const pdk_metrics *metrics, const pdk_metric *metric, const char *const *values) {
    pdk_test *t = metrics->data;
    pdk_series *series = NULL;
    char *text;
    int32_t rc;
    if (!is_metric(metric)) {
        pdk_test_break(t, PDK_TEST_RULE_RESULT, "a metric that its header does not allow");
        return NULL;
    }
    if (pdk_test_strikes(t, PDK_TEST_FAULT_SERIES, &rc)) return NULL;
    text = join(metric, values);
    if (!text) return NULL;
    (void)pthread_mutex_lock(&t->lock);
    series = lookup(t, metric, text);
    if (!series && (series = calloc(1, sizeof *series))) {
        series->metric = metric;
        series->values = text;
        text = NULL;
        LIST_INSERT_HEAD(&t->series, series, link);
    }
    (void)pthread_mutex_unlock(&t->lock);
    free(text);
    return series;
}

static void record(const pdk_metrics *metrics, pdk_series *series, int32_t types, const char *call, double n) {
    pdk_test *t = metrics->data;
    if (!series) {
        pdk_test_break(t, PDK_TEST_RULE_HANDLE, "metrics->%s without a series", call);
        return;
    }
    if (!(types & 1 << series->metric->type) || isnan(n) || (series->metric->type == PDK_COUNTER && n < 0))
        pdk_test_break(t, PDK_TEST_RULE_RESULT, "metrics->%s of %g to %s", call, n, series->metric->name);
    (void)pthread_mutex_lock(&t->lock);
    if (series->metric->type == PDK_HISTOGRAM) n = 1;
    series->value = strcmp(call, "set") ? series->value + n : n;
    (void)pthread_mutex_unlock(&t->lock);
}

static void metrics_add(const pdk_metrics *metrics, pdk_series *series, double n) {
    record(metrics, series, 1 << PDK_COUNTER | 1 << PDK_GAUGE, "add", n);
}

static void metrics_set(const pdk_metrics *metrics, pdk_series *series, double n) {
    record(metrics, series, 1 << PDK_GAUGE, "set", n);
}

static void metrics_observe(const pdk_metrics *metrics, pdk_series *series, double n) {
    record(metrics, series, 1 << PDK_HISTOGRAM, "observe", n);
}

void pdk_test_fill_metrics(pdk_test *t) {
    t->metrics = (pdk_metrics){PDK_HEAD(pdk_metrics), t, metrics_series, metrics_add, metrics_set, metrics_observe};
}

void pdk_test_free_metrics(pdk_test *t) {
    pdk_series *series;
    while ((series = LIST_FIRST(&t->series))) {
        LIST_REMOVE(series, link);
        free(series->values);
        free(series);
    }
}

double pdk_test_counted(pdk_test *t, const char *metric) {
    const pdk_series *series;
    double sum = 0;
    if (!t) return 0;
    (void)pthread_mutex_lock(&t->lock);
    LIST_FOREACH(series, &t->series, link) {
        if (!strcmp(series->metric->name, metric)) sum += series->value;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return sum;
}

/* ---- the role ---- */

static const pdk_metrics_ops *ops(const pdk_test *t) {
    return t && t->self_made ? t->plugin->metrics : NULL;
}

/* [any]: only those of the main thread are watched for how long they take. */
static void enter(pdk_test *t, const char *call) {
    if (pthread_equal(t->main, pthread_self())) pdk_test_enter(t, call);
}

static void leave(pdk_test *t) {
    if (pthread_equal(t->main, pthread_self())) pdk_test_leave(t);
}

pdk_series *pdk_test_series(pdk_test *t, const pdk_metric *metric, const char *const *values) {
    static const char *const none[] = {NULL};
    pdk_series *series;
    if (!ops(t)) return NULL;
    enter(t, "series");
    series = ops(t)->series(t->self, metric, values ? values : none);
    leave(t);
    return series;
}

void pdk_test_add(pdk_test *t, pdk_series *series, double n) {
    if (!ops(t) || !series) return;
    enter(t, "add");
    ops(t)->add(t->self, series, n);
    leave(t);
}

void pdk_test_set(pdk_test *t, pdk_series *series, double n) {
    if (!ops(t) || !series) return;
    enter(t, "set");
    ops(t)->set(t->self, series, n);
    leave(t);
}

void pdk_test_observe(pdk_test *t, pdk_series *series, double n) {
    if (!ops(t) || !series) return;
    enter(t, "observe");
    ops(t)->observe(t->self, series, n);
    leave(t);
}

const char *pdk_test_page(pdk_test *t) {
    int32_t rc;
    if (!ops(t) || !ops(t)->print) return NULL;
    pdk_buffer_cut(&t->page, t->page.size);
    pdk_test_enter(t, "print");
    rc = ops(t)->print(t->self, pdk_buffer_write, &t->page);
    pdk_test_leave(t);
    return rc ? NULL : pdk_buffer_string(&t->page);
}
