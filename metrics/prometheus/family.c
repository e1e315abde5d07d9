/* SPDX-License-Identifier: Apache-2.0 */
/* Families and their series: checked and copied when first asked for, found by the text of their labels. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "prometheus.h"

enum { FAMILIES_MAX = 10000, NAME_MAX_BYTES = 200 };

const double pdk_prom_buckets[] = {.005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600};
const uint32_t pdk_prom_bucket_count = sizeof pdk_prom_buckets / sizeof *pdk_prom_buckets;

static bool is_name(const char *name, bool colon) {
    size_t i = 0;
    for (; name[i]; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
        if (!letter && (i == 0 || c < '0' || c > '9')) return false;
    }
    return i > 0 && i <= NAME_MAX_BYTES;
}

static bool ends_in(const char *name, const char *end) {
    size_t n = strlen(name), k = strlen(end);
    return n > k && name[n - k - 1] == '_' && !strcmp(name + n - k, end);
}

/* http_request + seconds + _total: neither is added to a name that has it. */
static void full_name(const pdk_metric *metric, char *buf, size_t size) {
    const char *unit = metric->unit ? metric->unit : "";
    (void)snprintf(buf, size, "%s", metric->name);
    if (metric->type == PDK_COUNTER && ends_in(buf, "total")) buf[strlen(buf) - 6] = '\0';
    if (*unit && !ends_in(buf, unit)) {
        pdk_append(buf, size, "_");
        pdk_append(buf, size, unit);
    }
    if (metric->type == PDK_COUNTER) pdk_append(buf, size, "_total");
}

static uint32_t count_labels(const pdk_metric *metric) {
    uint32_t n = 0;
    while (metric->labels && metric->labels[n] && n <= PDK_PROM_LABELS_MAX) n++;
    return n;
}

/* What is wrong with a metric, or NULL. */
static const char *fault_of(const pdk_metric *metric, const char *name) {
    uint32_t labels = count_labels(metric);
    if (metric->type < PDK_COUNTER || metric->type > PDK_HISTOGRAM) return "its type is not known";
    if (!is_name(name, true)) return "its name is not one of Prometheus";
    if (labels > PDK_PROM_LABELS_MAX) return "it has more than 16 labels";
    for (uint32_t i = 0; i < labels; i++)
        if (!is_name(metric->labels[i], false) || !strncmp(metric->labels[i], "__", 2) ||
            !strcmp(metric->labels[i], "le"))
            return "the name of a label is not one of Prometheus";
    if (metric->type != PDK_HISTOGRAM || !metric->buckets) return NULL;
    if (metric->bucket_count > PDK_PROM_BUCKETS_MAX) return "it has more than 100 buckets";
    for (uint32_t i = 0; i < metric->bucket_count; i++)
        if (!isfinite(metric->buckets[i]) || (i && metric->buckets[i] <= metric->buckets[i - 1]))
            return "its buckets do not rise";
    return NULL;
}

static void family_free(struct pdk_prom_family *family) {
    struct pdk_prom_series *series = atomic_load_explicit(&family->first, memory_order_relaxed), *next;
    for (; series; series = next) {
        next = atomic_load_explicit(&series->next, memory_order_relaxed);
        free(series);
    }
    for (uint32_t i = 0; i < family->label_count; i++) free(family->labels[i]);
    free(family->buckets);
    free(family->table);
    free(family->name);
    free(family->help);
    free(family);
}

void pdk_prom_families_free(struct pdk_prom *self) {
    struct pdk_prom_family *family = atomic_load_explicit(&self->first, memory_order_relaxed), *next;
    for (; family; family = next) {
        next = atomic_load_explicit(&family->next, memory_order_relaxed);
        family_free(family);
    }
}

static bool copy_buckets(struct pdk_prom_family *family, const pdk_metric *metric) {
    const double *from = metric->buckets ? metric->buckets : pdk_prom_buckets;
    uint32_t count = metric->buckets ? metric->bucket_count : pdk_prom_bucket_count;
    if (family->type != PDK_HISTOGRAM) return true;
    family->buckets = calloc(count ? count : 1, sizeof *family->buckets);
    if (!family->buckets) return false;
    memcpy(family->buckets, from, count * sizeof *from);
    family->bucket_count = count;
    return true;
}

/* A copy, for the host may have made the metric for this call. */
static struct pdk_prom_family *family_make(const pdk_metric *metric, const char *name) {
    struct pdk_prom_family *family = calloc(1, sizeof *family);
    uint32_t labels = count_labels(metric);
    bool good;
    if (!family) return NULL;
    family->type = metric->type;
    family->name = strdup(name);
    family->help = strdup(metric->help && *metric->help ? metric->help : name);
    good = family->name && family->help && copy_buckets(family, metric);
    while (good && family->label_count < labels) {
        family->labels[family->label_count] = strdup(metric->labels[family->label_count]);
        good = family->labels[family->label_count++] != NULL;
    }
    if (good) return family;
    family_free(family);
    return NULL;
}

static bool is_same(const struct pdk_prom_family *family, const pdk_metric *metric) {
    if (family->type != metric->type || family->label_count != count_labels(metric)) return false;
    for (uint32_t i = 0; i < family->label_count; i++)
        if (strcmp(family->labels[i], metric->labels[i]) != 0) return false;
    return true;
}

static void complain(const struct pdk_prom *self, const char *name, const char *why) {
    pdk_logf(self->host, PDK_LOG_WARN, 0, "the metric %.200s is not recorded: %s", name, why);
}

/* Under the lock; *ret_why says what to complain of. */
static struct pdk_prom_family *family_get(struct pdk_prom *self, const pdk_metric *metric, const char *name,
                                          const char **ret_why) {
    struct pdk_prom_family *family = atomic_load_explicit(&self->first, memory_order_relaxed);
    for (; family; family = atomic_load_explicit(&family->next, memory_order_relaxed)) {
        if (strcmp(family->name, name) != 0) continue;
        if (is_same(family, metric)) return family;
        if (!family->warned) *ret_why = "another of this name has other labels or another type";
        family->warned = true;
        return NULL;
    }
    *ret_why = self->families < FAMILIES_MAX ? fault_of(metric, name) : "there are 10000 metrics";
    family = *ret_why ? NULL : family_make(metric, name);
    if (!family) return NULL;
    if (self->last)
        atomic_store_explicit(&self->last->next, family, memory_order_release);
    else
        atomic_store_explicit(&self->first, family, memory_order_release);
    self->last = family;
    self->families++;
    return family;
}

/* ---- the text of labels ---- */

static size_t utf8_length(const unsigned char *s, size_t left) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = s[0];
    size_t n = code < 0x80 ? 1 : code < 0xc2 ? 0 : code < 0xe0 ? 2 : code < 0xf0 ? 3 : code < 0xf5 ? 4 : 0;
    if (n < 2 || n > left) return n == 1;
    code &= 0x7fU >> n;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

/* The worst byte becomes three. */
static size_t escape(char *out, const char *value) {
    static const char replacement[] = {'\xef', '\xbf', '\xbd'}; /* of what is not UTF-8 */
    size_t left = strnlen(value, PDK_PROM_VALUE_MAX), used = 0;
    const char *s = value;
    while (left > 0) {
        size_t n = utf8_length((const unsigned char *)s, left);
        if (n == 0) {
            memcpy(out + used, replacement, sizeof replacement);
            used += sizeof replacement;
            n = 1;
        } else if (*s == '\\' || *s == '"' || *s == '\n') {
            out[used++] = '\\';
            out[used++] = *s == '\n' ? 'n' : *s;
        } else {
            memcpy(out + used, s, n);
            used += n;
        }
        s += n;
        left -= n;
    }
    return used;
}

/* -1: it has no room. */
static int32_t render(const struct pdk_prom_family *family, const char *const *values, char *text) {
    size_t used = 0;
    for (uint32_t i = 0; i < family->label_count; i++) {
        const char *value = values && values[i] ? values[i] : "";
        size_t worst = 3 * strnlen(value, PDK_PROM_VALUE_MAX) + strlen(family->labels[i]) + 5;
        if (worst > PDK_PROM_TEXT_MAX - used) return -1;
        used += (size_t)snprintf(text + used, PDK_PROM_TEXT_MAX - used, "%s%s=\"", i ? "," : "", family->labels[i]);
        used += escape(text + used, value);
        text[used++] = '"';
    }
    text[used] = '\0';
    return (int32_t)used;
}

static uint32_t hash_of(uint32_t seed, const char *text) {
    uint32_t hash = 2166136261U ^ seed;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 16777619U;
    return hash ^ hash >> 15;
}

/* ---- the table ---- */

/* Where it is, or where it would go. There is always a free place. */
static struct pdk_prom_series **place_of(const struct pdk_prom_family *family, uint32_t hash, const char *text) {
    uint32_t i = hash & (family->room - 1);
    while (family->table[i] && (family->table[i]->hash != hash || strcmp(family->table[i]->labels, text) != 0))
        i = (i + 1) & (family->room - 1);
    return &family->table[i];
}

static bool make_room(struct pdk_prom_family *family) {
    uint32_t old_room = family->room;
    struct pdk_prom_series **old = family->table, **table;
    if ((uint64_t)family->count * 4 < (uint64_t)old_room * 3) return true;
    table = calloc(old_room ? (size_t)old_room * 2 : 8, sizeof(*table));
    if (!table) return false;
    family->table = table;
    family->room = old_room ? old_room * 2 : 8;
    for (uint32_t i = 0; i < old_room; i++)
        if (old[i]) *place_of(family, old[i]->hash, old[i]->labels) = old[i];
    free(old);
    return true;
}

/* Its labels lie behind it. */
static struct pdk_prom_series *series_make(struct pdk_prom_family *family, uint32_t hash, const char *text) {
    size_t counts = family->type == PDK_HISTOGRAM ? (size_t)family->bucket_count + 1 : 0;
    size_t size = sizeof(struct pdk_prom_series) + counts * sizeof(_Atomic uint64_t), length = strlen(text) + 1;
    struct pdk_prom_series *series = calloc(1, size + length);
    if (!series) return NULL;
    memcpy((char *)series + size, text, length);
    series->labels = (char *)series + size;
    series->family = family;
    series->hash = hash;
    return series;
}

static struct pdk_prom_series *series_add(struct pdk_prom *self, struct pdk_prom_family *family, const char *text,
                                          const char **ret_why) {
    struct pdk_prom_series *series, **place;
    uint32_t hash = hash_of(self->seed, text);
    if (!make_room(family)) return NULL;
    place = place_of(family, hash, text);
    if (*place) return *place;
    if (family->count >= self->max_series) {
        atomic_fetch_add_explicit(&family->refused, 1, memory_order_relaxed);
        if (!family->warned) *ret_why = "it has max_series series; those beyond are counted only";
        family->warned = true;
        return NULL;
    }
    series = series_make(family, hash, text);
    if (!series) return NULL;
    if (family->last)
        atomic_store_explicit(&family->last->next, series, memory_order_release);
    else
        atomic_store_explicit(&family->first, series, memory_order_release);
    family->last = *place = series;
    family->count++;
    return series;
}

pdk_series *pdk_prom_series_get(void *data, const pdk_metric *metric, const char *const *values) {
    struct pdk_prom *self = data;
    struct pdk_prom_family *family;
    struct pdk_prom_series *series = NULL;
    char name[NAME_MAX_BYTES + 64], text[PDK_PROM_TEXT_MAX];
    const char *why = NULL;
    full_name(metric, name, sizeof name);
    (void)pthread_mutex_lock(&self->lock);
    family = family_get(self, metric, name, &why);
    if (family && render(family, values, text) < 0)
        why = "its labels are longer than 16 KiB";
    else if (family)
        series = series_add(self, family, text, &why);
    (void)pthread_mutex_unlock(&self->lock);
    if (why) complain(self, name, why);
    return (pdk_series *)(void *)series;
}
