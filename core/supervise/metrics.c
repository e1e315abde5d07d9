/* SPDX-License-Identifier: Apache-2.0 */
/* The service paddock.metrics/1: one series of ours for those of all backends. Without a backend there are none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"

enum { SERIES_MAX = 100000, PREFIX_SIZE = sizeof "paddock_" };

struct part {
    const pdk_metrics_ops *ops;
    void *self;
    pdk_series *series; /* the backend's */
};

struct pdk_series {
    struct pdk_series *next;
    uint32_t count;
    struct part parts[];
};

/* A metric as backends see it, with our name before its own. They may keep it, so it is made once. */
struct pdk_metric_copy {
    struct pdk_metric_copy *next;
    const pdk_metric *given;
    pdk_metric metric;
    char name[];
};

static const pdk_metric *copy_of(struct pdk_supervisor *s, const pdk_metric *metric) {
    for (struct pdk_metric_copy *copy = s->metric_copies; copy; copy = copy->next) {
        if (copy->given == metric) return &copy->metric;
    }
    size_t size = PREFIX_SIZE + strlen(metric->name);
    struct pdk_metric_copy *copy = calloc(1, sizeof *copy + size);
    if (!copy) return NULL;
    size_t known = metric->struct_size < sizeof *metric ? metric->struct_size : sizeof *metric;
    memcpy(&copy->metric, metric, known);
    copy->metric.struct_size = (uint32_t)sizeof copy->metric;
    (void)snprintf(copy->name, size, "paddock_%s", metric->name);
    copy->metric.name = copy->name;
    copy->given = metric;
    copy->next = s->metric_copies;
    s->metric_copies = copy;
    return &copy->metric;
}

static const pdk_metrics_ops *backend(const struct pdk_member *member) {
    return member->instance->host.roles & PDK_ROLE_METRICS ? member->instance->plugin->metrics : NULL;
}

static pdk_series *make(struct pdk_supervisor *s, const pdk_metric *metric, const char *const *values) {
    const pdk_metric *copy = copy_of(s, metric);
    struct pdk_series *made = calloc(1, sizeof *made + s->backends * sizeof *made->parts);
    struct pdk_member *member;
    TAILQ_FOREACH(member, &s->members, all) {
        const pdk_metrics_ops *ops = backend(member);
        if (!copy || !made || !ops || made->count == s->backends) continue;
        pdk_series *series = ops->series(member->instance->self, copy, values);
        if (series) made->parts[made->count++] = (struct part){ops, member->instance->self, series};
    }
    if (!made || !made->count) {
        free(made);
        return NULL;
    }
    made->next = s->series;
    s->series = made;
    s->series_count++;
    return made;
}

pdk_series *pdk_metrics_series(struct pdk_supervisor *s, const pdk_metric *metric, const char *const *values) {
    if (!s->backends) return NULL;
    pthread_mutex_lock(&s->series_lock);
    pdk_series *series = s->series_count < SERIES_MAX ? make(s, metric, values) : NULL;
    pthread_mutex_unlock(&s->series_lock);
    return series;
}

void pdk_metrics_free(struct pdk_supervisor *s) {
    for (struct pdk_series *series = s->series, *next; series; series = next) {
        next = series->next;
        free(series);
    }
    for (struct pdk_metric_copy *copy = s->metric_copies, *next; copy; copy = next) {
        next = copy->next;
        free(copy);
    }
}

static pdk_series *series(const pdk_metrics *metrics, const pdk_metric *metric, const char *const *values) {
    const struct pdk_member *member = metrics->data;
    return pdk_metrics_series(member->supervisor, metric, values);
}

static void add(const pdk_metrics *metrics, pdk_series *series, double n) {
    (void)metrics;
    for (uint32_t i = 0; series && i < series->count; i++)
        series->parts[i].ops->add(series->parts[i].self, series->parts[i].series, n);
}

static void set(const pdk_metrics *metrics, pdk_series *series, double n) {
    (void)metrics;
    for (uint32_t i = 0; series && i < series->count; i++)
        series->parts[i].ops->set(series->parts[i].self, series->parts[i].series, n);
}

static void observe(const pdk_metrics *metrics, pdk_series *series, double n) {
    (void)metrics;
    for (uint32_t i = 0; series && i < series->count; i++)
        series->parts[i].ops->observe(series->parts[i].self, series->parts[i].series, n);
}

void pdk_series_add(pdk_series *series, double n) {
    add(NULL, series, n);
}

void pdk_meter_set(pdk_series *series, double n) {
    set(NULL, series, n);
}

void pdk_meter_observe(pdk_series *series, double n) {
    observe(NULL, series, n);
}

void pdk_metrics_table(struct pdk_member *member) {
    member->metrics = (pdk_metrics){(uint32_t)sizeof member->metrics, 0, member, series, add, set, observe};
}
