/* SPDX-License-Identifier: Apache-2.0 */
/* The text format 0.0.4. No lock: lists only grow at their ends. */
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "prometheus.h"

static void flush(struct pdk_prom_page *page) {
    if (page->used) page->write(page->arg, page->buffer, page->used);
    page->used = 0;
}

static void put_text(struct pdk_prom_page *page, const char *text) {
    size_t left = strlen(text);
    while (left > 0) {
        size_t room = sizeof page->buffer - page->used, n = left < room ? left : room;
        memcpy(page->buffer + page->used, text, n);
        page->used += n;
        text += n;
        left -= n;
        if (page->used == sizeof page->buffer) flush(page);
    }
}

void pdk_prom_put(struct pdk_prom_page *page, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_text(page, text);
}

/* The shortest text that reads back as the same number. */
static void number_text(double value, char *buf, size_t size) {
    if (isnan(value) || isinf(value)) {
        (void)snprintf(buf, size, "%s", isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    if (fabs(value) < 1e15 && trunc(value) == value) { /* most are counts, and this is quick */
        (void)snprintf(buf, size, "%lld", (long long)value);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(buf, size, "%.*g", digits, value);
        if (strtod(buf, NULL) == value) return;
    }
}

void pdk_prom_put_sample(struct pdk_prom_page *page, const char *name, const char *suffix, const char *labels,
                         double value) {
    char text[40];
    number_text(value, text, sizeof text);
    put_text(page, name);
    put_text(page, suffix);
    if (*labels) {
        put_text(page, "{");
        put_text(page, labels);
        put_text(page, "}");
    }
    put_text(page, " ");
    put_text(page, text);
    put_text(page, "\n");
}

static void put_help(struct pdk_prom_page *page, const char *help) {
    for (; *help; help++) {
        char one[] = {*help, '\0'};
        put_text(page, *help == '\n' ? "\\n" : *help == '\\' ? "\\\\" : one);
    }
}

void pdk_prom_put_head(struct pdk_prom_page *page, const char *name, const char *type, const char *help) {
    pdk_prom_put(page, "# HELP %s ", name);
    put_help(page, help);
    pdk_prom_put(page, "\n# TYPE %s %s\n", name, type);
}

static void put_bucket(struct pdk_prom_page *page, const struct pdk_prom_series *series, const char *bound,
                       uint64_t count) {
    put_text(page, series->family->name);
    put_text(page, "_bucket{");
    put_text(page, series->labels);
    pdk_prom_put(page, "%sle=\"%s\"} %llu\n", *series->labels ? "," : "", bound, (unsigned long long)count);
}

/* The count is the sum of what was read, so that all the lines agree while others go on recording. */
static void put_histogram(struct pdk_prom_page *page, struct pdk_prom_series *series) {
    const struct pdk_prom_family *family = series->family;
    double sum = pdk_prom_load(&series->value);
    uint64_t count = 0;
    for (uint32_t i = 0; i <= family->bucket_count; i++) {
        char bound[40];
        number_text(i < family->bucket_count ? family->buckets[i] : INFINITY, bound, sizeof bound);
        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        put_bucket(page, series, bound, count);
    }
    pdk_prom_put_sample(page, family->name, "_sum", series->labels, sum);
    pdk_prom_put_sample(page, family->name, "_count", series->labels, (double)count);
}

static void put_family(struct pdk_prom_page *page, struct pdk_prom_family *family) {
    static const char *const types[] = {"untyped", "counter", "gauge", "histogram"};
    struct pdk_prom_series *series = atomic_load_explicit(&family->first, memory_order_acquire);
    if (!series) return;
    pdk_prom_put_head(page, family->name, types[family->type], family->help);
    for (; series; series = atomic_load_explicit(&series->next, memory_order_acquire)) {
        if (family->type == PDK_HISTOGRAM)
            put_histogram(page, series);
        else
            pdk_prom_put_sample(page, family->name, "", series->labels, pdk_prom_load(&series->value));
    }
}

static struct pdk_prom_family *next_of(struct pdk_prom_family *family) {
    return atomic_load_explicit(&family->next, memory_order_acquire);
}

static void put_refused(struct pdk_prom_page *page, struct pdk_prom *self) {
    static const char name[] = "paddock_metrics_series_refused_total";
    struct pdk_prom_family *family = atomic_load_explicit(&self->first, memory_order_acquire);
    bool headed = false;
    for (; family; family = next_of(family)) {
        uint64_t refused = atomic_load_explicit(&family->refused, memory_order_relaxed);
        if (!refused) continue;
        if (!headed) pdk_prom_put_head(page, name, "counter", "Times a metric asked for a series beyond max_series");
        headed = true;
        pdk_prom_put(page, "%s{metric=\"%.250s\"} %llu\n", name, family->name, (unsigned long long)refused);
    }
}

int32_t pdk_prom_print(void *data, pdk_write write, void *arg) {
    struct pdk_prom *self = data;
    struct pdk_prom_family *family = atomic_load_explicit(&self->first, memory_order_acquire);
    struct pdk_prom_page page;
    /* points are points here, whatever the program around us has set */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
    if (plain == (locale_t)0) return -ENOMEM;
    before = uselocale(plain);
    page.write = write;
    page.arg = arg;
    page.used = 0;
    for (; family; family = next_of(family)) put_family(&page, family);
    put_refused(&page, self);
    if (self->process) pdk_prom_put_process(&page);
    flush(&page);
    (void)uselocale(before);
    freelocale(plain);
    return 0;
}
