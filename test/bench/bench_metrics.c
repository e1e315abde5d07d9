/* SPDX-License-Identifier: Apache-2.0 */
/* What recording costs: without a backend, and with prometheus; alone and with other threads at the same series. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/value/value.h"
#include "paddock/helpers.h"

enum { TIMES = 5000000, THREADS = 4, SERIES = 10000 };

static const char *const labels[] = {"runner", "outcome", NULL};
static const pdk_metric runs = {(uint32_t)sizeof runs, PDK_COUNTER, "runs", "", "Runs", labels, NULL, 0, 0};
static const pdk_metric took = {(uint32_t)sizeof took, PDK_HISTOGRAM, "took", "seconds", "Time", labels, NULL, 0, 0};

struct bench {
    pdk_host host;
    const pdk_plugin *plugin;
    void *self;
    pdk_series *counter, *histogram;
    pdk_metrics service; /* a host that hands on and does nothing else */
    size_t printed;
};

static uint64_t now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void be_silent(const pdk_host *host, int32_t level, pdk_attempt attempt, const char *text) {
    (void)host, (void)level, (void)attempt, (void)text;
}

static void hand_on_add(const pdk_metrics *service, pdk_series *series, double n) {
    struct bench *b = service->data;
    b->plugin->metrics->add(b->self, series, n);
}

static void hand_on_observe(const pdk_metrics *service, pdk_series *series, double n) {
    struct bench *b = service->data;
    b->plugin->metrics->observe(b->self, series, n);
}

static pdk_series *series_of(struct bench *b, const pdk_metric *metric, uint32_t number) {
    char name[16];
    const char *values[] = {name, "succeeded", NULL};
    (void)snprintf(name, sizeof name, "%u", number);
    return b->plugin->metrics->series(b->self, metric, values);
}

static void count(void *arg, const char *data, size_t size) {
    (void)data;
    *(size_t *)arg += size;
}

/* ---- what is measured ---- */

static void no_backend(struct bench *b, uint32_t times) {
    pdk_series *volatile none = NULL;
    for (uint32_t i = 0; i < times; i++) pdk_count(&b->service, none, 1);
}

static void add(struct bench *b, uint32_t times) {
    for (uint32_t i = 0; i < times; i++) pdk_count(&b->service, b->counter, 1);
}

static void observe(struct bench *b, uint32_t times) {
    for (uint32_t i = 0; i < times; i++) pdk_observe(&b->service, b->histogram, (double)(i & 1023));
}

static void read_clock(struct bench *b, uint32_t times) {
    (void)b;
    for (uint32_t i = 0; i < times; i++) (void)now();
}

static void find(struct bench *b, uint32_t times) {
    for (uint32_t i = 0; i < times; i++) (void)series_of(b, &runs, i % SERIES);
}

typedef void (*measured)(struct bench *, uint32_t);

struct share {
    pthread_t thread;
    struct bench *bench;
    measured what;
};

static void *run_share(void *arg) {
    struct share *share = arg;
    share->what(share->bench, TIMES / THREADS);
    return NULL;
}

/* The best of five, for the others were disturbed. */
static double best_of(struct bench *b, measured what, uint32_t times) {
    double best = 1e18;
    for (int round = 0; round < 5; round++) {
        uint64_t begin = now();
        double each;
        what(b, times);
        each = (double)(now() - begin) / times;
        if (each < best) best = each;
    }
    return best;
}

static double threads_of(struct bench *b, measured what) {
    struct share shares[THREADS];
    uint64_t begin = now();
    for (int i = 0; i < THREADS; i++) {
        shares[i].bench = b;
        shares[i].what = what;
        if (pthread_create(&shares[i].thread, NULL, run_share, &shares[i])) exit(1);
    }
    for (int i = 0; i < THREADS; i++) (void)pthread_join(shares[i].thread, NULL);
    return (double)(now() - begin) / TIMES;
}

static void load(struct bench *b) {
    pdk_error err = PDK_ERROR;
    const pdk_value *config = NULL;
    void *library = dlopen(PROMETHEUS, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        (void)fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    b->plugin = dlsym(library, "pdk_plugin_entry");
    b->host = (pdk_host){.struct_size = sizeof b->host, .abi_version = PDK_ABI, .log = be_silent};
    b->host.values = pdk_values_get();
    b->service =
        (pdk_metrics){.struct_size = sizeof b->service, .data = b, .add = hand_on_add, .observe = hand_on_observe};
    if (b->host.values->parse(b->host.values, "{}", 2, "bench", &config, &err) ||
        b->plugin->create(&b->host, config, &b->self, &err))
        exit(1);
    b->host.values->drop(config);
}

int main(void) {
    static struct bench b;
    double clock;
    uint64_t begin;
    load(&b);
    b.counter = series_of(&b, &runs, 0);
    b.histogram = series_of(&b, &took, 0);
    clock = best_of(&b, read_clock, TIMES);
    printf("reading the clock            %8.1f ns\n", clock);
    printf("count without a backend      %8.1f ns   %.2f clocks\n", best_of(&b, no_backend, TIMES),
           best_of(&b, no_backend, TIMES) / clock);
    printf("prometheus add               %8.1f ns   %.2f clocks\n", best_of(&b, add, TIMES),
           best_of(&b, add, TIMES) / clock);
    printf("  %d threads, one series      %8.1f ns\n", THREADS, threads_of(&b, add));
    printf("prometheus observe           %8.1f ns\n", best_of(&b, observe, TIMES));
    printf("  %d threads, one series      %8.1f ns\n", THREADS, threads_of(&b, observe));
    begin = now();
    for (uint32_t i = 0; i < SERIES; i++) (void)series_of(&b, &runs, i);
    printf("make one of %d series     %8.1f ns\n", SERIES, (double)(now() - begin) / SERIES);
    printf("find one of %d series     %8.1f ns\n", SERIES, best_of(&b, find, SERIES * 10));
    begin = now();
    (void)b.plugin->metrics->print(b.self, count, &b.printed);
    printf("print %d series           %8.1f us   %zu KiB\n", SERIES, (double)(now() - begin) / 1000, b.printed / 1024);
    b.plugin->destroy(b.self);
    return 0;
}
