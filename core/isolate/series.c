/* SPDX-License-Identifier: Apache-2.0 */
/* What the plugin counts, recorded here. A process that comes back meets the series of the one before it. */
#include <stdlib.h>
#include <string.h>

#include "core/isolate/proxy.h"

enum { SERIES_MAX = 10000, LABELS_MAX = 16, BUCKETS_MAX = 64 };

struct pdk_proxy_series {
    struct pdk_proxy_series *next;
    const pdk_value *key; /* what was said of it; holds its texts */
    pdk_series *series;   /* NULL: nobody records it */
    pdk_metric metric;
    const char *labels[LABELS_MAX + 1], *values[LABELS_MAX + 1];
    double buckets[BUCKETS_MAX];
};

static const char *text_of(const pdk_value *map, const char *key) {
    const char *text = "";
    (void)pdk_values_get()->string(pdk_values_get()->get(map, key), &text);
    return text;
}

static bool is_name(const char *name) {
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return size > 0 && size < 128 && !name[size] && (name[0] < '0' || name[0] > '9');
}

static bool read_texts(const pdk_value *list, const char **to) {
    const pdk_values *v = pdk_values_get();
    size_t count = v->count(list);
    if (count > LABELS_MAX) return false;
    for (size_t i = 0; i < count; i++)
        if (v->string(v->at(list, i), &to[i]) < 0) return false;
    return true;
}

/* It comes from a process that may have gone wrong, and goes to a backend that may rely on it. */
static bool read_metric(struct pdk_proxy_series *series) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *buckets = v->get(series->key, "buckets");
    int64_t type = 0;
    size_t count = v->count(buckets);
    if (v->integer(v->get(series->key, "type"), &type) < 0 || type < PDK_COUNTER || type > PDK_HISTOGRAM) return false;
    if (!read_texts(v->get(series->key, "labels"), series->labels) ||
        !read_texts(v->get(series->key, "values"), series->values) || count > BUCKETS_MAX)
        return false;
    for (size_t i = 0; i <= LABELS_MAX; i++)
        if (!series->labels[i] != !series->values[i] || (series->labels[i] && !is_name(series->labels[i])))
            return false;
    for (size_t i = 0; i < count; i++)
        if (v->number(v->at(buckets, i), &series->buckets[i]) < 0 ||
            (i && !(series->buckets[i] > series->buckets[i - 1])))
            return false;
    series->metric = (pdk_metric){.struct_size = (uint32_t)sizeof series->metric,
                                  .type = (int32_t)type,
                                  .name = text_of(series->key, "name"),
                                  .unit = text_of(series->key, "unit"),
                                  .help = text_of(series->key, "help"),
                                  .labels = series->labels[0] ? series->labels : NULL,
                                  .buckets = count ? series->buckets : NULL,
                                  .bucket_count = (uint32_t)count};
    return is_name(series->metric.name);
}

/* Lives as long as the instance, like the metric of any plugin. */
static struct pdk_proxy_series *make(struct pdk_proxy *proxy, const pdk_value *key) {
    struct pdk_proxy_series *series = calloc(1, sizeof *series);
    if (!series) return NULL;
    series->key = pdk_values_get()->hold(key);
    if (read_metric(series)) series->series = proxy->metrics->series(proxy->metrics, &series->metric, series->values);
    series->next = proxy->series;
    proxy->series = series;
    return series;
}

static struct pdk_proxy_series *find(const struct pdk_proxy *proxy, const pdk_value *key) {
    struct pdk_proxy_series *series = proxy->series;
    while (series && !pdk_value_equal(series->key, key)) series = series->next;
    return series;
}

void pdk_proxy_meet_series(struct pdk_proxy *proxy, const struct pdk_frame *frame) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *key = NULL;
    if (!proxy->metrics || frame->id != proxy->number_count || frame->id >= SERIES_MAX) return;
    struct pdk_proxy_series **numbers =
        reallocarray(proxy->numbers, proxy->number_count + 1, sizeof *numbers); /* few, and seldom */
    if (!numbers) return;
    proxy->numbers = numbers;
    numbers[proxy->number_count++] = NULL;
    if (v->parse(v, frame->data, frame->size, proxy->instance->name, &key, NULL) < 0) return;
    struct pdk_proxy_series *series = find(proxy, key);
    numbers[frame->id] = series ? series : make(proxy, key);
    v->drop(key);
}

void pdk_proxy_record(struct pdk_proxy *proxy, const struct pdk_frame *frame) {
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    struct pdk_wire_record numbers;
    const struct pdk_proxy_series *series = frame->id < proxy->number_count ? proxy->numbers[frame->id] : NULL;
    const pdk_metrics *m = proxy->metrics;
    pdk_rest_take(&rest, &numbers, sizeof numbers);
    if (!series || !series->series) return;
    switch (numbers.what) {
    case PDK_WIRE_ADD:
        if (series->metric.type == PDK_GAUGE || numbers.number >= 0) m->add(m, series->series, numbers.number);
        break;
    case PDK_WIRE_SET: m->set(m, series->series, numbers.number); break;
    case PDK_WIRE_OBSERVE: m->observe(m, series->series, numbers.number); break;
    default: break;
    }
}

void pdk_proxy_forget_numbers(struct pdk_proxy *proxy) {
    free(proxy->numbers);
    proxy->numbers = NULL;
    proxy->number_count = 0;
}

void pdk_proxy_free_series(struct pdk_proxy *proxy) {
    pdk_proxy_forget_numbers(proxy);
    for (struct pdk_proxy_series *at = proxy->series, *next; at; at = next) {
        next = at->next;
        pdk_values_get()->drop(at->key);
        free(at);
    }
}
