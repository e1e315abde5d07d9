/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: a metrics backend. It keeps what Paddock and its plugins count, and prints it, one series a line, where
 * yours sends it somewhere.
 *
 * All functions of the table but print come from every thread, several at once: so there is a lock.
 * <paddock/metrics.h> has the role.
 */
#include <paddock/helpers.h>
#include <pthread.h>
#include <stdlib.h>

enum { MOST_SERIES = 10000, KEY = 512 }; /* what grows from outside has an end */

/* ---- 1. an instance, with its series. A series lives as long as the instance */

struct series { /* what the host knows as pdk_series */
    struct series *next;
    int32_t type;  /* PDK_COUNTER ... */
    double value;  /* of a histogram: the sum */
    double count;  /* of a histogram: how many */
    char key[KEY]; /* runs_total{outcome="succeeded"} */
};

struct instance {
    pthread_mutex_t lock;
    struct series *first, *last;
    size_t count;
};

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct instance *instance = calloc(1, sizeof *instance);
    (void)host;
    (void)config;
    (void)err;
    if (!instance) return -ENOMEM;
    if (pthread_mutex_init(&instance->lock, NULL) != 0) {
        free(instance);
        return -ENOMEM;
    }
    *ret = instance;
    return 0;
}

static void destroy(void *self) {
    struct instance *instance = self;
    struct series *series = instance->first, *next;
    for (; series; series = next) {
        next = series->next;
        free(series);
    }
    (void)pthread_mutex_destroy(&instance->lock);
    free(instance);
}

/* ---- 2. series */

/* name{label="value",...}; cut when it is too long. */
static void make_key(char key[KEY], const pdk_metric *metric, const char *const *values) {
    key[0] = '\0';
    pdk_append(key, KEY, metric->name);
    for (size_t i = 0; metric->labels && metric->labels[i]; i++) {
        pdk_append(key, KEY, i ? "\"," : "{");
        pdk_append(key, KEY, metric->labels[i]);
        pdk_append(key, KEY, "=\"");
        pdk_append(key, KEY, values[i]);
    }
    if (metric->labels && metric->labels[0]) pdk_append(key, KEY, "\"}");
}

static struct series *find(const struct instance *instance, const char *key) {
    struct series *series = instance->first;
    while (series && strcmp(series->key, key) != 0) series = series->next;
    return series;
}

static struct series *append(struct instance *instance, const char *key, int32_t type) {
    struct series *series = instance->count < MOST_SERIES ? calloc(1, sizeof *series) : NULL;
    if (!series) return NULL;
    memcpy(series->key, key, strlen(key) + 1);
    series->type = type;
    if (instance->last)
        instance->last->next = series;
    else
        instance->first = series;
    instance->last = series;
    instance->count++;
    return series;
}

/* Asked once for each series, so this may be slow; the same values get the same series. NULL: it is not recorded. */
static pdk_series *get_series(void *self, const pdk_metric *metric, const char *const *values) {
    struct instance *instance = self;
    struct series *series;
    char key[KEY];
    make_key(key, metric, values);
    (void)pthread_mutex_lock(&instance->lock);
    series = find(instance, key);
    if (!series) series = append(instance, key, metric->type);
    (void)pthread_mutex_unlock(&instance->lock);
    return (pdk_series *)series;
}

/* ---- 3. recording: often, so quick. NaN would spoil a series for ever */

static void add(void *self, pdk_series *handle, double n) {
    struct instance *instance = self;
    struct series *series = (struct series *)handle;
    (void)pthread_mutex_lock(&instance->lock);
    if (n == n) series->value += n;
    (void)pthread_mutex_unlock(&instance->lock);
}

static void set(void *self, pdk_series *handle, double n) {
    struct instance *instance = self;
    struct series *series = (struct series *)handle;
    (void)pthread_mutex_lock(&instance->lock);
    if (n == n) series->value = n;
    (void)pthread_mutex_unlock(&instance->lock);
}

static void observe(void *self, pdk_series *handle, double n) {
    struct instance *instance = self;
    struct series *series = (struct series *)handle;
    (void)pthread_mutex_lock(&instance->lock);
    if (n == n) {
        series->value += n;
        series->count += 1;
    }
    (void)pthread_mutex_unlock(&instance->lock);
}

/* ---- 4. printing, for `paddock run --metrics-file`. Not under the lock: write is foreign code */

static int32_t print(void *self, pdk_write write, void *arg) {
    struct instance *instance = self;
    struct series *at, copy;
    char line[KEY + 128];
    int size;
    (void)pthread_mutex_lock(&instance->lock);
    for (at = instance->first; at; at = copy.next) {
        copy = *at;
        (void)pthread_mutex_unlock(&instance->lock);
        if (copy.type == PDK_HISTOGRAM)
            size = snprintf(line, sizeof line, "%s %.17g in %.17g\n", copy.key, copy.value, copy.count);
        else
            size = snprintf(line, sizeof line, "%s %.17g\n", copy.key, copy.value);
        write(arg, line, (size_t)size);
        (void)pthread_mutex_lock(&instance->lock);
    }
    (void)pthread_mutex_unlock(&instance->lock);
    return 0;
}

/* ---- 5. the tables, and the one symbol that is exported */

static const pdk_metrics_ops metrics = {PDK_HEAD(pdk_metrics_ops), .series = get_series, .add = add, .set = set,
                                        .observe = observe,        .print = print};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    .name = "@NAME@",
    .version = "0.1.0",
    .author = "",
    .description = "Keeps metrics, and prints them",
    .metrics = &metrics,
    .create = create,
    .destroy = destroy,
};
