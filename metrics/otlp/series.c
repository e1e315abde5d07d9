/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics in memory: families and their series, checked and copied when first asked for, and recording. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "otlp.h"

enum { FAMILIES_MAX = 10000, NAME_MAX_BYTES = 255 };

static const double default_buckets[] = {.005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600};

static bool ends_in(const char *name, size_t size, const char *end) {
    size_t n = strlen(end);
    return *end && size > n && name[size - n - 1] == '_' && !strncmp(name + size - n, end, n);
}

/* paddock_child_cpu of seconds is paddock.child.cpu in s: of the name's words the first two stand alone, and neither
 * the unit nor _total is part of it. */
static char *make_name(struct pdk_otlp_arena *arena, const pdk_metric *metric) {
    size_t size = strnlen(metric->name, NAME_MAX_BYTES);
    int dots = 0;
    if (metric->type == PDK_COUNTER && ends_in(metric->name, size, "total")) size -= sizeof "_total" - 1;
    if (metric->unit && ends_in(metric->name, size, metric->unit)) size -= strlen(metric->unit) + 1;
    char *name = pdk_otlp_text(arena, metric->name, size);
    for (char *at = name; at && *at && dots < 2; at++) {
        if (*at != '_') continue;
        *at = '.';
        dots++;
    }
    if (name) pdk_otlp_mend(name);
    return name;
}

static const char *make_unit(struct pdk_otlp_arena *arena, const char *unit) {
    if (!unit) return "";
    if (!strcmp(unit, "seconds")) return "s";
    if (!strcmp(unit, "bytes")) return "By";
    return pdk_otlp_text(arena, unit, strnlen(unit, NAME_MAX_BYTES));
}

static uint32_t count_labels(const pdk_metric *metric) {
    uint32_t n = 0;
    while (metric->labels && metric->labels[n] && n <= PDK_OTLP_LABELS_MAX) n++;
    return n;
}

static const char *fault_of(const pdk_metric *metric) {
    if (metric->type < PDK_COUNTER || metric->type > PDK_HISTOGRAM) return "its type is not known";
    if (!metric->name[0]) return "it has no name";
    if (count_labels(metric) > PDK_OTLP_LABELS_MAX) return "it has more than 16 labels";
    if (metric->type != PDK_HISTOGRAM || !metric->buckets) return NULL;
    if (metric->bucket_count > PDK_OTLP_BUCKETS_MAX) return "it has more than 100 buckets";
    for (uint32_t i = 0; i < metric->bucket_count; i++)
        if (!isfinite(metric->buckets[i]) || (i && metric->buckets[i] <= metric->buckets[i - 1]))
            return "its buckets do not rise";
    return NULL;
}

static char *copy_text(struct pdk_otlp_arena *arena, const char *text, size_t most) {
    char *copy = pdk_otlp_text(arena, text, strnlen(text, most));
    if (copy) pdk_otlp_mend(copy);
    return copy;
}

static void copy_buckets(struct pdk_otlp_arena *arena, struct pdk_otlp_family *family, const pdk_metric *metric) {
    const double *from = metric->buckets ? metric->buckets : default_buckets;
    uint32_t count =
        metric->buckets ? metric->bucket_count : (uint32_t)(sizeof default_buckets / sizeof *default_buckets);
    if (family->type != PDK_HISTOGRAM) return;
    double *buckets = pdk_otlp_take(arena, count, sizeof *buckets);
    if (!buckets) return;
    memcpy(buckets, from, count * sizeof *from);
    family->buckets = buckets;
    family->bucket_count = count;
}

static struct pdk_otlp_family *family_make(struct pdk_otlp_arena *arena, const pdk_metric *metric) {
    struct pdk_otlp_family *family = pdk_otlp_take(arena, 1, sizeof *family);
    if (!family) return NULL;
    family->type = metric->type;
    family->given = pdk_otlp_text(arena, metric->name, strlen(metric->name));
    family->name = make_name(arena, metric);
    family->unit = make_unit(arena, metric->unit);
    family->help = copy_text(arena, metric->help ? metric->help : "", PDK_OTLP_VALUE_MAX);
    copy_buckets(arena, family, metric);
    for (; family->label_count < count_labels(metric); family->label_count++)
        family->labels[family->label_count] = copy_text(arena, metric->labels[family->label_count], NAME_MAX_BYTES);
    return family;
}

static bool is_same(const struct pdk_otlp_family *family, const pdk_metric *metric) {
    if (family->type != metric->type || family->label_count != count_labels(metric)) return false;
    for (uint32_t i = 0; i < family->label_count; i++)
        if (strcmp(family->labels[i], metric->labels[i]) != 0) return false;
    return true;
}

/* Under the lock; *ret_why says what to complain of. */
static struct pdk_otlp_family *family_get(struct pdk_otlp_store *store, const pdk_metric *metric,
                                          const char **ret_why) {
    struct pdk_otlp_family *family = atomic_load_explicit(&store->first, memory_order_relaxed);
    for (; family; family = atomic_load_explicit(&family->next, memory_order_relaxed)) {
        if (strcmp(family->given, metric->name) != 0) continue;
        if (is_same(family, metric)) return family;
        if (!family->warned) *ret_why = "another of this name has other labels or another type";
        family->warned = true;
        return NULL;
    }
    *ret_why = store->families < FAMILIES_MAX ? fault_of(metric) : "there are 10000 metrics";
    if (*ret_why) return NULL;
    store->arena.failed = false;
    family = family_make(&store->arena, metric);
    if (!family || store->arena.failed) return NULL; /* what there is of it goes with the arena */
    if (store->last)
        atomic_store_explicit(&store->last->next, family, memory_order_release);
    else
        atomic_store_explicit(&store->first, family, memory_order_release);
    store->last = family;
    store->families++;
    return family;
}

/* FNV-1a, over all values and what separates them. */
static uint32_t hash_of(uint32_t seed, const char *const *values, uint32_t count) {
    uint32_t hash = 2166136261U ^ seed;
    for (uint32_t i = 0; i < count; i++) {
        for (const char *at = values[i]; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619U;
        hash = (hash ^ 0xff) * 16777619U;
    }
    return hash;
}

static struct pdk_otlp_series **place_of(const struct pdk_otlp_family *family, uint32_t hash,
                                         const char *const *values) {
    uint32_t i = hash & (family->room - 1);
    for (; family->table[i]; i = (i + 1) & (family->room - 1)) {
        const struct pdk_otlp_series *series = family->table[i];
        uint32_t same = 0;
        while (series->hash == hash && same < family->label_count && !strcmp(series->values[same], values[same]))
            same++;
        if (series->hash == hash && same == family->label_count) break;
    }
    return &family->table[i];
}

/* At most half full. */
static bool make_room(struct pdk_otlp_family *family) {
    uint32_t old_room = family->room, room = old_room ? old_room * 2 : 16;
    struct pdk_otlp_series **old = family->table, **table;
    if (atomic_load_explicit(&family->count, memory_order_relaxed) * 2 < old_room) return true;
    table = calloc(room, sizeof(*table));
    if (!table) return false;
    family->table = table;
    family->room = room;
    for (uint32_t i = 0; i < old_room; i++)
        if (old[i]) *place_of(family, old[i]->hash, old[i]->values) = old[i];
    free(old);
    return true;
}

static struct pdk_otlp_series *series_make(struct pdk_otlp *self, struct pdk_otlp_family *family, uint32_t hash,
                                           const char *const *values) {
    struct pdk_otlp_arena *arena = &self->store.arena;
    size_t counts = family->type == PDK_HISTOGRAM ? (size_t)family->bucket_count + 1 : 0;
    struct pdk_otlp_series *series = pdk_otlp_take(arena, 1, sizeof *series + counts * sizeof(_Atomic uint64_t));
    const char **copies = pdk_otlp_take(arena, family->label_count, 2 * sizeof *copies);
    if (!series || !copies) return NULL;
    const char **shown = copies + family->label_count;
    for (uint32_t i = 0; i < family->label_count; i++) {
        copies[i] = pdk_otlp_text(arena, values[i], strlen(values[i]));
        shown[i] = copy_text(arena, values[i], PDK_OTLP_VALUE_MAX);
        if (!copies[i] || !shown[i]) return NULL;
    }
    series->family = family;
    series->values = copies;
    series->shown = shown;
    series->hash = hash;
    series->since = self->host->unix_ns(self->host);
    return series;
}

static struct pdk_otlp_series *series_add(struct pdk_otlp *self, struct pdk_otlp_family *family,
                                          const char *const *values, const char **ret_why) {
    uint32_t hash = hash_of(self->store.seed, values, family->label_count);
    if (!make_room(family)) return NULL;
    struct pdk_otlp_series **place = place_of(family, hash, values);
    if (*place) return *place;
    if (atomic_load_explicit(&family->count, memory_order_relaxed) >= self->store.max_series) {
        if (!family->warned) *ret_why = "it has max_series series; those beyond are not recorded";
        family->warned = true;
        return NULL;
    }
    struct pdk_otlp_series *series = series_make(self, family, hash, values);
    if (!series) return NULL;
    if (family->last)
        atomic_store_explicit(&family->last->next, series, memory_order_release);
    else
        atomic_store_explicit(&family->first, series, memory_order_release);
    family->last = *place = series;
    atomic_fetch_add_explicit(&family->count, 1, memory_order_release);
    return series;
}

pdk_series *pdk_otlp_series_get(void *data, const pdk_metric *metric, const char *const *values) {
    struct pdk_otlp *self = data;
    struct pdk_otlp_series *series = NULL;
    const char *why = NULL;
    if (self->disabled || !self->signals[PDK_OTLP_METRICS].on) return NULL;
    (void)pthread_mutex_lock(&self->store.lock);
    struct pdk_otlp_family *family = family_get(&self->store, metric, &why);
    if (family) series = series_add(self, family, values, &why);
    (void)pthread_mutex_unlock(&self->store.lock);
    if (why) pdk_logf(self->host, PDK_LOG_WARN, 0, "the metric %.200s is not recorded: %s", metric->name, why);
    return (pdk_series *)(void *)series;
}

void pdk_otlp_store_free(struct pdk_otlp_store *store) {
    struct pdk_otlp_family *family = atomic_load_explicit(&store->first, memory_order_relaxed);
    for (; family; family = atomic_load_explicit(&family->next, memory_order_relaxed)) free(family->table);
    pdk_otlp_arena_free(&store->arena);
}

/* ---- recording ---- */

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
void pdk_otlp_add(void *self, pdk_series *handle, double by) {
    struct pdk_otlp_series *series = (void *)handle;
    (void)self;
    if (!series || isnan(by)) return;
    if (series->family->type == PDK_GAUGE || (series->family->type == PDK_COUNTER && by >= 0))
        increase(&series->value, by);
}

void pdk_otlp_set(void *self, pdk_series *handle, double value) {
    struct pdk_otlp_series *series = (void *)handle;
    uint64_t raw;
    (void)self;
    if (!series || series->family->type != PDK_GAUGE) return;
    memcpy(&raw, &value, sizeof raw);
    atomic_store_explicit(&series->value, raw, memory_order_relaxed);
}

void pdk_otlp_observe(void *self, pdk_series *handle, double value) {
    struct pdk_otlp_series *series = (void *)handle;
    uint32_t low = 0;
    (void)self;
    if (!series || series->family->type != PDK_HISTOGRAM || isnan(value)) return;
    for (uint32_t high = series->family->bucket_count; low < high;) { /* the first bound that is not below the value */
        uint32_t middle = (low + high) / 2;
        if (value <= series->family->buckets[middle])
            high = middle;
        else
            low = middle + 1;
    }
    atomic_fetch_add_explicit(&series->buckets[low], 1, memory_order_relaxed);
    increase(&series->value, value);
}
