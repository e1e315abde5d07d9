/* SPDX-License-Identifier: Apache-2.0 */
/* paddock.metrics/1 here: a series is a number that paddock was told the meaning of, once. */
#include <stdlib.h>
#include <string.h>

#include "hosted.h"

enum { SERIES_MAX = 10000, LABELS_MAX = 16, BUCKETS_MAX = 64 };

struct pdk_hosted_series {
    struct pdk_hosted_series *next;
    const pdk_metric *metric; /* the plugin's, as are no values: they are copied */
    uint32_t number, value_count;
    char *values[LABELS_MAX];
};

static uint32_t label_count(const pdk_metric *metric) {
    uint32_t count = 0;
    while (metric->labels && count < LABELS_MAX && metric->labels[count]) count++;
    return count;
}

static bool is_it(const struct pdk_hosted_series *series, const pdk_metric *metric, const char *const *values) {
    if (series->metric != metric) return false;
    for (uint32_t i = 0; i < series->value_count; i++)
        if (strcmp(series->values[i], values[i]) != 0) return false;
    return true;
}

static void free_series(struct pdk_hosted_series *series) {
    for (uint32_t i = 0; i < series->value_count; i++) free(series->values[i]);
    free(series);
}

static void put_texts(pdk_writer *w, const char *key, const char *const *texts, uint32_t count) {
    const pdk_values *v = pdk_values_get();
    v->key(w, key);
    v->put_list(w);
    for (uint32_t i = 0; i < count; i++) v->put_string(w, texts[i], strlen(texts[i]));
    v->end(w);
}

static void put_text(pdk_writer *w, const char *key, const char *text) {
    pdk_values_get()->key(w, key);
    pdk_values_get()->put_string(w, text ? text : "", text ? strlen(text) : 0);
}

static int32_t describe(const pdk_metric *metric, const char *const *values, const pdk_value **ret) {
    const pdk_values *v = pdk_values_get();
    uint32_t count = label_count(metric);
    pdk_writer *w = v->open(v);
    v->put_map(w);
    v->key(w, "type");
    v->put_int(w, metric->type);
    put_text(w, "name", metric->name);
    put_text(w, "unit", metric->unit);
    put_text(w, "help", metric->help);
    put_texts(w, "labels", metric->labels, count);
    put_texts(w, "values", values, count);
    v->key(w, "buckets");
    v->put_list(w);
    for (uint32_t i = 0; metric->buckets && i < metric->bucket_count && i < BUCKETS_MAX; i++)
        v->put_number(w, metric->buckets[i]);
    v->end(w);
    v->end(w);
    return v->close(w, ret, NULL);
}

static bool announce(struct pdk_hosted *hosted, const struct pdk_hosted_series *series, const char *const *values) {
    const pdk_value *value = NULL;
    struct pdk_buffer json = PDK_BUFFER(65536);
    bool well = describe(series->metric, values, &value) == 0;
    if (well) (void)pdk_values_get()->print(pdk_values_get(), value, PDK_JSON_PLAIN, pdk_buffer_write, &json);
    well = well && !json.error;
    if (well) pdk_hosted_send(hosted, PDK_MESSAGE_SERIES, series->number, NULL, 0, json.data, json.size);
    pdk_values_get()->drop(value);
    pdk_buffer_free(&json);
    return well;
}

static struct pdk_hosted_series *make(struct pdk_hosted *hosted, const pdk_metric *metric, const char *const *values) {
    struct pdk_hosted_series *series = calloc(1, sizeof *series);
    uint32_t count = label_count(metric);
    if (!series) return NULL;
    series->metric = metric;
    series->number = hosted->series_count;
    for (uint32_t i = 0; i < count; i++) {
        series->values[i] = strdup(values[i]);
        if (!series->values[i]) break;
        series->value_count++;
    }
    if (series->value_count != count || !announce(hosted, series, values)) {
        free_series(series);
        return NULL;
    }
    series->next = hosted->series;
    hosted->series = series;
    hosted->series_count++;
    return series;
}

static pdk_series *series(const pdk_metrics *metrics, const pdk_metric *metric, const char *const *values) {
    struct pdk_hosted *hosted = metrics->data;
    if (!hosted->measured) return NULL;
    pthread_mutex_lock(&hosted->lock);
    struct pdk_hosted_series *at = hosted->series;
    while (at && !is_it(at, metric, values)) at = at->next;
    if (!at && hosted->series_count < SERIES_MAX) at = make(hosted, metric, values);
    pthread_mutex_unlock(&hosted->lock);
    return (pdk_series *)at;
}

static void record(const pdk_metrics *metrics, pdk_series *series, uint32_t what, double number) {
    const struct pdk_wire_record numbers = {what, 0, number};
    const struct pdk_hosted_series *own = (const struct pdk_hosted_series *)series;
    if (own) pdk_hosted_send(metrics->data, PDK_MESSAGE_RECORD, own->number, &numbers, sizeof numbers, NULL, 0);
}

static void add(const pdk_metrics *metrics, pdk_series *series, double number) {
    record(metrics, series, PDK_WIRE_ADD, number);
}

static void set(const pdk_metrics *metrics, pdk_series *series, double number) {
    record(metrics, series, PDK_WIRE_SET, number);
}

static void observe(const pdk_metrics *metrics, pdk_series *series, double number) {
    record(metrics, series, PDK_WIRE_OBSERVE, number);
}

void pdk_hosted_metrics(struct pdk_hosted *hosted) {
    hosted->metrics = (pdk_metrics){(uint32_t)sizeof hosted->metrics, 0, hosted, series, add, set, observe};
}
