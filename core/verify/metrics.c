/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of metrics backends. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/verify/internal.h"

enum { THREADS = 4, TIMES = 2000 };

#define METRIC(type, name, labels) \
    { (uint32_t)sizeof(pdk_metric), type, name, "", "For a check", labels, NULL, 0, 0 }

static const char *const label[] = {"which", NULL};
static const pdk_metric counter = METRIC(PDK_COUNTER, "verify_things", label);
static const pdk_metric gauge = METRIC(PDK_GAUGE, "verify_level", label);
static const pdk_metric histogram = METRIC(PDK_HISTOGRAM, "verify_lengths", NULL);

static pdk_series *ask(pdk_test *t, const pdk_metric *metric, const char *value) {
    const char *values[] = {value, NULL};
    return pdk_test_series(t, metric, metric->labels ? values : NULL);
}

static pdk_test *load(struct pdk_verify *v) {
    pdk_test *t = pdk_play_load(v, 0);
    pdk_error err = PDK_ERROR;
    if (t && pdk_test_open(t, &err) < 0) pdk_verify_skip(v, "the instance does not start: %s", err.message);
    return t;
}

void pdk_check_series(struct pdk_verify *v) {
    const pdk_metric *const metrics[] = {&counter, &gauge, &histogram};
    pdk_test *t = load(v);
    for (size_t i = 0; t && i < 3; i++) {
        pdk_series *a = ask(t, metrics[i], "a"), *b = ask(t, metrics[i], "b");
        if (ask(t, metrics[i], "a") != a) pdk_verify_fail(v, "the same values gave another series");
        if (metrics[i]->labels && a && a == b) pdk_verify_fail(v, "other values gave the same series");
    }
    if (t) pdk_play_end(v, t);
}

void pdk_check_values(struct pdk_verify *v) {
    static const double numbers[] = {0, 1, -1, 1e300, -1e300, 1e-300, HUGE_VAL, -HUGE_VAL, NAN};
    static const char *const texts[] = {"", " ", "a\nb", "a\"b\\c{}=,", "caf\xc3\xa9", "\xff\xfe", "\x01"};
    char longest[10000];
    pdk_test *t = load(v);
    if (!t) return;
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        pdk_test_add(t, ask(t, &counter, "n"), numbers[i]);
        pdk_test_add(t, ask(t, &gauge, "n"), numbers[i]);
        pdk_test_set(t, ask(t, &gauge, "n"), numbers[i]);
        pdk_test_observe(t, ask(t, &histogram, NULL), numbers[i]);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) pdk_test_add(t, ask(t, &counter, texts[i]), 1);
    pdk_test_add(t, ask(t, &counter, longest), 1);
    (void)pdk_test_page(t);
    pdk_play_end(v, t);
}

static void *record(void *arg) {
    pdk_test *t = arg;
    for (int i = 0; i < TIMES; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i % 50);
        pdk_test_add(t, ask(t, &counter, name), 1);
        pdk_test_set(t, ask(t, &gauge, name), i);
        pdk_test_observe(t, ask(t, &histogram, NULL), i);
    }
    return NULL;
}

void pdk_check_threads(struct pdk_verify *v) {
    pdk_test *t = load(v);
    pthread_t threads[THREADS];
    int begun = 0;
    if (!t) return;
    (void)strlcpy(v->result->where, "a call of another thread", sizeof v->result->where);
    while (begun < THREADS && !pthread_create(&threads[begun], NULL, record, t)) begun++;
    for (int i = 0; i < begun; i++) (void)pthread_join(threads[i], NULL);
    (void)pdk_test_page(t);
    pdk_play_end(v, t);
}

void pdk_check_page(struct pdk_verify *v) {
    pdk_test *t = load(v);
    const char *page;
    if (!t) return;
    if (!v->plugin->metrics->print) pdk_verify_skip(v, "it has no print");
    pdk_test_add(t, ask(t, &counter, "a"), 1);
    page = pdk_test_page(t);
    if (!page)
        pdk_verify_fail(v, "print did not answer 0");
    else if (!pdk_utf8_valid(page, strlen(page)))
        pdk_verify_fail(v, "print wrote something that is not UTF-8");
    pdk_play_end(v, t);
}

static void record_once(struct pdk_verify *v) {
    pdk_test *t = load(v);
    if (!t) return;
    (void)record(t);
    (void)pdk_test_page(t);
    pdk_play_end(v, t);
}

void pdk_check_series_cycles(struct pdk_verify *v) {
    pdk_play_cycles(v, record_once);
}

static void record_without(struct pdk_verify *v) {
    pdk_test *t = pdk_play_load(v, 0);
    if (!t && v->allocation) v->verdict = 0; /* of create there is a check of its own */
    if (!t) return;
    pdk_test_add(t, ask(t, &counter, "a"), 1);
    pdk_test_set(t, ask(t, &gauge, "a"), 1);
    pdk_test_observe(t, ask(t, &histogram, NULL), 1);
    (void)pdk_test_page(t);
    pdk_play_heal();
    pdk_play_end(v, t);
}

void pdk_check_series_memory(struct pdk_verify *v) {
    pdk_play_memory(v, record_without);
}
