/* SPDX-License-Identifier: Apache-2.0 */
/* A metrics backend that adds up; see bad.h for what is wrong with it. */
#include <math.h>
#include <pthread.h>

#include "bad.h"

struct pdk_series {
    struct pdk_series *next;
    char *name, *value;
    double sum;
};

struct tally {
    pthread_mutex_t lock;
    pthread_t first;
    struct pdk_series *list;
};

static void check_thread(const struct tally *tally) {
    if (BAD(720) && !pthread_equal(tally->first, pthread_self())) abort();
}

static struct pdk_series *find(struct tally *tally, const char *name, const char *value) {
    struct pdk_series *s = tally->list;
    if (BAD(700)) return NULL;
    if (BAD(701)) return s;
    while (s && (strcmp(s->name, name) != 0 || strcmp(s->value, value) != 0)) s = s->next;
    return s;
}

static struct pdk_series *make(struct tally *tally, const char *name, const char *value) {
    struct pdk_series *s = calloc(1, sizeof *s);
    if (!s && !BAD(750)) return NULL;
    s->name = strdup(name);
    s->value = strdup(value);
    if (!s->name || !s->value) {
        free(s->name);
        free(s->value);
        free(s);
        return NULL;
    }
    s->next = tally->list;
    return tally->list = s;
}

static pdk_series *series(void *self, const pdk_metric *metric, const char *const *values) {
    struct tally *tally = self;
    const char *value = metric->labels && metric->labels[0] ? values[0] : "";
    struct pdk_series *s;
    check_thread(tally);
    (void)pthread_mutex_lock(&tally->lock);
    s = find(tally, metric->name, value);
    if (!s) s = make(tally, metric->name, value);
    (void)pthread_mutex_unlock(&tally->lock);
    return s;
}

static void add(void *self, pdk_series *s, double n) {
    struct tally *tally = self;
    check_thread(tally);
    if (BAD(710) && isnan(n)) abort();
    (void)pthread_mutex_lock(&tally->lock);
    if (!isnan(n)) s->sum += n;
    (void)pthread_mutex_unlock(&tally->lock);
}

static int32_t print(void *self, pdk_write write, void *arg) {
    struct tally *tally = self;
    char line[64];
    int size;
    if (BAD(730)) return -EIO;
    (void)pthread_mutex_lock(&tally->lock);
    for (struct pdk_series *s = tally->list; s; s = s->next) {
        size = snprintf(line, sizeof line, "%g\n", s->sum);
        if (size > 0) write(arg, BAD(732) ? "\xff\n" : line, BAD(732) ? 2 : (size_t)size);
    }
    (void)pthread_mutex_unlock(&tally->lock);
    return 0;
}

static const pdk_metrics_ops metrics = {PDK_HEAD(pdk_metrics_ops), series, add, add, add, print, NULL, NULL};

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct tally *tally = calloc(1, sizeof *tally);
    (void)host, (void)config, (void)err;
    if (!tally) return -ENOMEM;
    (void)pthread_mutex_init(&tally->lock, NULL);
    tally->first = pthread_self();
    *ret = tally;
    return 0;
}

static void destroy(void *self) {
    struct tally *tally = self;
    while (tally->list && !BAD(740)) {
        struct pdk_series *s = tally->list;
        tally->list = s->next;
        free(s->name);
        free(s->value);
        free(s);
    }
    (void)pthread_mutex_destroy(&tally->lock);
    free(tally);
}

const pdk_plugin pdk_plugin_entry = {PDK_PLUGIN_HEAD, "tally", "1",  "",   "Adds up", NULL, NULL, NULL, NULL,
                                     &metrics,        create,  NULL, NULL, destroy,   NULL};
