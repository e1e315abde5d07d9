/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus: records in memory, printed for Prometheus. The ABI tables and recording; README.md has the keys. */
#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

#include "prometheus.h"

static void store(_Atomic uint64_t *bits, double value) {
    uint64_t raw;
    memcpy(&raw, &value, sizeof raw);
    atomic_store_explicit(bits, raw, memory_order_relaxed);
}

static void increase(_Atomic uint64_t *bits, double by) {
    uint64_t seen = atomic_load_explicit(bits, memory_order_relaxed), wanted;
    double value;
    do {
        memcpy(&value, &seen, sizeof value);
        value += by;
        memcpy(&wanted, &value, sizeof wanted);
    } while (!atomic_compare_exchange_weak_explicit(bits, &seen, wanted, memory_order_relaxed, memory_order_relaxed));
}

/* What would spoil a series for ever is not recorded: counters do not fall, sums are numbers. */
static void add(void *self, pdk_series *handle, double by) {
    struct pdk_prom_series *series = (void *)handle;
    (void)self;
    if (!series || isnan(by)) return;
    if (series->family->type == PDK_GAUGE || (series->family->type == PDK_COUNTER && by >= 0))
        increase(&series->value, by);
}

static void set(void *self, pdk_series *handle, double value) {
    struct pdk_prom_series *series = (void *)handle;
    (void)self;
    if (series && series->family->type == PDK_GAUGE) store(&series->value, value);
}

static void observe(void *self, pdk_series *handle, double value) {
    struct pdk_prom_series *series = (void *)handle;
    const struct pdk_prom_family *family;
    uint32_t low = 0, high;
    (void)self;
    if (!series || series->family->type != PDK_HISTOGRAM || isnan(value)) return;
    family = series->family;
    high = family->bucket_count;
    while (low < high) { /* the first bound that is not below the value */
        uint32_t middle = (low + high) / 2;
        if (value <= family->buckets[middle])
            high = middle;
        else
            low = middle + 1;
    }
    atomic_fetch_add_explicit(&series->buckets[low], 1, memory_order_relaxed);
    increase(&series->value, value);
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct pdk_prom *self = calloc(1, sizeof *self);
    int32_t rc;
    if (!self) return -ENOMEM;
    self->host = host;
    self->max_series = 10000;
    self->process = 1;
    rc = pdk_take_integer(host, config, "max_series", &self->max_series, err);
    if (!rc) rc = pdk_take_boolean(host, config, "process", &self->process, err);
    if (!rc) rc = -pthread_mutex_init(&self->lock, NULL);
    if (rc) {
        free(self);
        return rc;
    }
    if (getrandom(&self->seed, sizeof self->seed, GRND_NONBLOCK) < 0) self->seed = 0;
    *ret = self;
    return 0;
}

static void destroy(void *data) {
    struct pdk_prom *self = data;
    pdk_prom_families_free(self);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
}

static const pdk_param params[] = {
    {"max_series", PDK_INT, 0, "10000", "How many series a metric may have; those beyond are counted, not kept", NULL,
     1.0, 10000000.0, NULL},
    PDK_PARAM("process", PDK_BOOL, 0, "true", "Print process_cpu_seconds_total and its like as well"),
    PDK_PARAM_END,
};

static const pdk_schema config = PDK_SCHEMA("", "Metrics for Prometheus", params);
static const pdk_metrics_ops metrics = {
    PDK_HEAD(pdk_metrics_ops), pdk_prom_series_get, add, set, observe, pdk_prom_print, NULL, NULL};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    "prometheus",
    "0.1.0",
    "",
    "Keeps metrics for Prometheus",
    NULL,
    &config,
    NULL,
    NULL,
    &metrics,
    create,
    NULL,
    NULL,
    destroy,
    NULL,
};
