/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A metrics backend in memory, printed in the Prometheus text format 0.0.4.
 *
 * Recording takes no lock: a value is an atomic. Making a series takes the one lock. Families and series are only
 * ever added, at the end of lists that a reader may walk at any time, and freed with the instance.
 */
#ifndef PROMETHEUS_H
#define PROMETHEUS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <paddock/helpers.h>

enum {
    PDK_PROM_LABELS_MAX = 16,
    PDK_PROM_BUCKETS_MAX = 100,
    PDK_PROM_VALUE_MAX = 512, /* bytes of a label's value; what is beyond is cut */
    PDK_PROM_TEXT_MAX = 16384 /* bytes of all labels of a series, escaped */
};

struct pdk_prom_family;

/* A pdk_series to others. */
struct pdk_prom_series {
    struct pdk_prom_family *family;
    _Atomic(struct pdk_prom_series *) next;
    const char *labels; /* a="b",c="d"; "" without labels */
    uint32_t hash;
    _Atomic uint64_t value;     /* a double by its bits: of a histogram the sum */
    _Atomic uint64_t buckets[]; /* of a histogram: those of its family, and one for all beyond */
};

struct pdk_prom_family {
    _Atomic(struct pdk_prom_family *) next;
    int32_t type;
    char *name; /* with unit and _total */
    char *help;
    uint32_t label_count, bucket_count;
    char *labels[PDK_PROM_LABELS_MAX];
    double *buckets;
    _Atomic(struct pdk_prom_series *) first;
    _Atomic uint64_t refused; /* series that found no room */
    /* under the lock */
    struct pdk_prom_series *last;
    struct pdk_prom_series **table; /* open addressing, a power of two */
    uint32_t count, room;
    bool warned;
};

struct pdk_prom {
    const pdk_host *host;
    int64_t max_series; /* of a metric */
    int32_t process;    /* print process_ too */
    uint32_t seed;      /* of the hash, so that nobody can choose labels that collide */
    pthread_mutex_t lock;
    _Atomic(struct pdk_prom_family *) first;
    struct pdk_prom_family *last; /* under the lock */
    uint32_t families;
};

/* family.c */
extern const double pdk_prom_buckets[]; /* of who names none */
extern const uint32_t pdk_prom_bucket_count;
pdk_series *pdk_prom_series_get(void *data, const pdk_metric *metric, const char *const *values);
void pdk_prom_families_free(struct pdk_prom *self);

/* print.c */
struct pdk_prom_page {
    pdk_write write;
    void *arg;
    size_t used;
    char buffer[4096];
};
int32_t pdk_prom_print(void *data, pdk_write write, void *arg);
__attribute__((format(printf, 2, 3))) void pdk_prom_put(struct pdk_prom_page *page, const char *format, ...);
void pdk_prom_put_sample(struct pdk_prom_page *page, const char *name, const char *suffix, const char *labels,
                         double value);
void pdk_prom_put_head(struct pdk_prom_page *page, const char *name, const char *type, const char *help);

/* process.c */
void pdk_prom_put_process(struct pdk_prom_page *page);

static inline double pdk_prom_load(_Atomic uint64_t *bits) {
    uint64_t raw = atomic_load_explicit(bits, memory_order_relaxed);
    double value;
    memcpy(&value, &raw, sizeof value);
    return value;
}

#endif
