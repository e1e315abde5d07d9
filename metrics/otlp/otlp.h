/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A metrics backend that sends metrics and spans to an OpenTelemetry collector: OTLP over HTTP, as protobuf.
 *
 *   any thread:    series.c records: an atomic each            queue.c copies spans, up to a limit
 *                        |                                          |
 *   one of ours:   worker.c, when it is time, or the queue is full enough
 *                        |-- encode_metrics.c, encode_spans.c: protobuf by protobuf-c
 *                        '-- send.c: HTTP by libcurl, gzip by zlib, tried again while that makes sense
 *
 * A thread of its own, and no job of the pool: it waits for a peer for as long as half a minute at a time. It is the
 * only one that waits for anything.
 */
#ifndef OTLP_H
#define OTLP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <curl/curl.h>

#include <paddock/helpers.h>
#include <paddock/loop.h>

#define PDK_OTLP_SECOND UINT64_C(1000000000)

enum {
    PDK_OTLP_LABELS_MAX = 16,
    PDK_OTLP_BUCKETS_MAX = 100,
    PDK_OTLP_VALUE_MAX = 1024, /* bytes of an attribute's value; what is beyond is cut */
    PDK_OTLP_PAIRS_MAX = 128,  /* of the resource, and of headers */
    PDK_OTLP_ANSWER_MAX = 65536
};

enum pdk_otlp_kind { PDK_OTLP_TRACES, PDK_OTLP_METRICS, PDK_OTLP_SIGNALS };

/* ---- arena.c: memory that goes all at once */
struct pdk_otlp_block;
struct pdk_otlp_arena {
    struct pdk_otlp_block *blocks;
    bool failed; /* something was not to be had */
};
void *pdk_otlp_take(struct pdk_otlp_arena *arena, size_t count, size_t size); /* zeroed; NULL: no memory */
char *pdk_otlp_text(struct pdk_otlp_arena *arena, const char *text, size_t size);
void pdk_otlp_arena_free(struct pdk_otlp_arena *arena);

/* ---- utf8.c */
void pdk_otlp_mend(char *text); /* bytes that are not UTF-8 become ? */

/* ---- pairs.c: "a=b,c=d%20e" of OTEL_RESOURCE_ATTRIBUTES and of headers */
struct pdk_otlp_pair {
    const char *key, *value;
};
struct pdk_otlp_pairs {
    struct pdk_otlp_pair list[PDK_OTLP_PAIRS_MAX];
    uint32_t count;
};
/* -EINVAL: none of it is taken. -E2BIG: too many; -ENOMEM. */
int32_t pdk_otlp_pairs_read(struct pdk_otlp_arena *arena, struct pdk_otlp_pairs *pairs, const char *text);
/* Replaces one of that key, whose capitals count if `exact`. */
int32_t pdk_otlp_pairs_set(struct pdk_otlp_pairs *pairs, const char *key, const char *value, bool exact);
const char *pdk_otlp_pairs_get(const struct pdk_otlp_pairs *pairs, const char *key);

/* ---- sampler.c */
struct pdk_otlp_sampler {
    bool by_parent; /* as who came before says; the rest is for new traces */
    uint64_t below; /* of 2^63: those whose id is */
};
bool pdk_otlp_sampler_read(const char *name, const char *ratio, struct pdk_otlp_sampler *ret, const char **ret_fault);
int32_t pdk_otlp_sample(void *data, const uint8_t *trace_id, int32_t parent);

/* Where one signal goes, and how that is going. The worker's, but for what settings.c writes. */
struct pdk_otlp_signal {
    const char *word; /* "spans" */
    bool on;
    const char *url, *certificate, *client_certificate, *client_key;
    struct pdk_otlp_pairs headers;
    struct curl_slist *lines;
    uint64_t timeout;        /* of a request, ns */
    uint64_t export_timeout; /* of all tries of one batch */
    bool gzip;
    CURL *easy;
    bool down;     /* it was told that nothing gets through */
    uint64_t lost; /* since then */
    uint64_t partial;
    pdk_series *sent, *failed;
};

/* ---- series.c: metrics in memory. Families and series are only added, so a reader needs no lock. */
struct pdk_otlp_family;
struct pdk_otlp_series {
    struct pdk_otlp_family *family;
    _Atomic(struct pdk_otlp_series *) next;
    const char *const *values, *const *shown; /* shown: cut and mended */
    uint64_t since;                           /* Unix time */
    uint32_t hash;
    _Atomic uint64_t value;     /* a double by its bits: of a histogram the sum */
    _Atomic uint64_t buckets[]; /* of a histogram: those of its family, and one for all beyond */
};
struct pdk_otlp_family {
    _Atomic(struct pdk_otlp_family *) next;
    int32_t type;
    const char *given, *name, *unit, *help; /* given: as the host calls it */
    uint32_t label_count, bucket_count;
    const char *labels[PDK_OTLP_LABELS_MAX];
    const double *buckets;
    _Atomic(struct pdk_otlp_series *) first;
    atomic_uint count;
    /* under the lock */
    struct pdk_otlp_series *last;
    struct pdk_otlp_series **table; /* open addressing, a power of two */
    uint32_t room;
    bool warned;
};
struct pdk_otlp_store {
    pthread_mutex_t lock;
    struct pdk_otlp_arena arena;
    _Atomic(struct pdk_otlp_family *) first;
    struct pdk_otlp_family *last;
    uint32_t families, seed;
    int64_t max_series; /* of a metric */
};
pdk_series *pdk_otlp_series_get(void *data, const pdk_metric *metric, const char *const *values);
void pdk_otlp_add(void *self, pdk_series *handle, double by);
void pdk_otlp_set(void *self, pdk_series *handle, double value);
void pdk_otlp_observe(void *self, pdk_series *handle, double value);
void pdk_otlp_store_free(struct pdk_otlp_store *store);

/* ---- queue.c: spans on their way to the worker */
struct pdk_otlp_entry {
    STAILQ_ENTRY(pdk_otlp_entry) next;
    pdk_span span; /* with all it points to behind it */
};
STAILQ_HEAD(pdk_otlp_entries, pdk_otlp_entry);
struct pdk_otlp_queue {
    pthread_mutex_t lock;
    struct pdk_otlp_entries entries;
    uint32_t count, limit, batch; /* batch: so many are enough to send them */
    uint64_t lost;                /* found no room */
    uint64_t first_at;            /* when the oldest came, CLOCK_MONOTONIC */
};
void pdk_otlp_span(void *data, const pdk_span *span);
uint32_t pdk_otlp_queue_take(struct pdk_otlp_queue *queue, struct pdk_otlp_entries *ret); /* a batch, or less */
void pdk_otlp_entries_free(struct pdk_otlp_entries *entries);

struct pdk_otlp {
    const pdk_host *host;
    const pdk_loop *loop;
    const pdk_metrics *service;
    struct pdk_otlp_arena arena; /* of the settings */
    bool disabled;
    struct pdk_otlp_pairs resource;
    struct pdk_otlp_sampler sampler;
    struct pdk_otlp_signal signals[PDK_OTLP_SIGNALS];
    uint64_t delay, interval, flush;
    struct pdk_otlp_store store;
    struct pdk_otlp_queue queue;
    pdk_series *spans_lost[2]; /* there was no room; they were not sent */
    /* the worker */
    pthread_t thread;
    bool running, curl, ended; /* ended: `over` has run */
    CURLM *multi;
    _Atomic uint64_t stop_by; /* CLOCK_MONOTONIC; 0: go on */
    atomic_bool silent;       /* it is taken away: nobody is told */
    pdk_call over;
};

/* ---- settings.c: from `config:` and the variables of OpenTelemetry */
int32_t pdk_otlp_settings(struct pdk_otlp *self, const pdk_value *config, pdk_error *err);

/* ---- encode.c, encode_spans.c, encode_metrics.c. The bytes are the arena's. NULL: no memory, or nothing there. */
struct pdk_otlp_bytes {
    uint8_t *data;
    size_t size;
};
struct pdk_otlp_bytes pdk_otlp_encode_spans(const struct pdk_otlp *self, const struct pdk_otlp_entries *entries,
                                            uint32_t count, struct pdk_otlp_arena *arena);
struct pdk_otlp_bytes pdk_otlp_encode_metrics(struct pdk_otlp *self, struct pdk_otlp_arena *arena);
/* What an answer says was not taken, and why; 0 and "": all was. */
int64_t pdk_otlp_decode_answer(enum pdk_otlp_kind kind, const struct pdk_otlp_bytes *answer, char *buf, size_t size);

/* ---- send.c, by the worker alone. Until it is taken, refused, or time is up; true: taken. */
bool pdk_otlp_send(struct pdk_otlp *self, enum pdk_otlp_kind kind, const struct pdk_otlp_bytes *body, uint64_t count);
int32_t pdk_otlp_gzip(struct pdk_otlp_arena *arena, const struct pdk_otlp_bytes *from, struct pdk_otlp_bytes *ret);

/* ---- worker.c */
uint64_t pdk_otlp_now(void); /* CLOCK_MONOTONIC, whatever the host's clock does */
int32_t pdk_otlp_worker_start(struct pdk_otlp *self, pdk_error *err);
void pdk_otlp_worker_stop(struct pdk_otlp *self, uint64_t within); /* host->stopped follows */
void pdk_otlp_worker_free(struct pdk_otlp *self);
void pdk_otlp_worker_wake(struct pdk_otlp *self); /* [any] */

#endif
