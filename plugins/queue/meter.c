/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics. Gauges of each topic are brought up to date a second after something has changed, and each second while a job
 * waits, since it grows older; otherwise nothing wakes. */
#include <errno.h>
#include <stdlib.h>

#include "instance.h"

#define SECOND UINT64_C(1000000000)

static const char *const by_topic[] = {"queue", NULL};
static const char *const by_state[] = {"queue", "state", NULL};

static const pdk_metric jobs = {sizeof(pdk_metric),
                                PDK_GAUGE,
                                "queue_jobs",
                                "",
                                "Jobs of a topic by state; dead: dead letters",
                                by_state,
                                NULL,
                                0,
                                0};
static const pdk_metric oldest = {sizeof(pdk_metric),
                                  PDK_GAUGE,
                                  "queue_oldest_age",
                                  "seconds",
                                  "How long the oldest job that is ready has been due",
                                  by_topic,
                                  NULL,
                                  0,
                                  0};
static const pdk_metric waits = {sizeof(pdk_metric),
                                 PDK_HISTOGRAM,
                                 "queue_wait",
                                 "seconds",
                                 "From when a job was due until it was started",
                                 by_topic,
                                 NULL,
                                 0,
                                 0};

struct topic {
    char name[QUEUE_TOPIC_SIZE];
    pdk_series *jobs[QUEUE_STATES], *oldest, *waits;
};

struct queue_stats_call {
    struct queue_call call;
    struct queue *queue;
    bool busy, dirty;
    struct queue_topic *found; /* [writer] */
    size_t found_count, found_room;
    struct topic *topics; /* by name */
    size_t count;
};

static struct topic *find(const struct queue_stats_call *stats, const char *name, size_t *ret_place) {
    size_t low = 0, high = stats->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(stats->topics[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_place = low;
    return low < stats->count && strcmp(stats->topics[low].name, name) == 0 ? &stats->topics[low] : NULL;
}

static void ask_series(const struct queue *queue, struct topic *topic) {
    const pdk_metrics *metrics = queue->metrics;
    const char *values[] = {topic->name, NULL};
    for (size_t i = 0; i < QUEUE_STATES; i++) {
        values[1] = queue_counted[i];
        topic->jobs[i] = metrics->series(metrics, &jobs, values);
    }
    topic->oldest = metrics->series(metrics, &oldest, values);
    topic->waits = metrics->series(metrics, &waits, values);
}

/* NULL: no memory, and then it is not recorded. */
static struct topic *topic_of(struct queue *queue, const char *name) {
    struct queue_stats_call *stats = queue->stats;
    size_t at;
    struct topic *topic = find(stats, name, &at), *grown;
    if (topic) return topic;
    grown = reallocarray(stats->topics, stats->count + 1, sizeof *grown);
    if (!grown) return NULL;
    memmove(grown + at + 1, grown + at, (stats->count - at) * sizeof *grown);
    memset(&grown[at], 0, sizeof *grown);
    queue_cut(grown[at].name, sizeof grown[at].name, name);
    stats->topics = grown;
    stats->count++;
    ask_series(queue, &grown[at]);
    return &grown[at];
}

static int32_t take(void *arg, const struct queue_topic *topic) {
    struct queue_stats_call *stats = arg;
    if (stats->found_count == stats->found_room) {
        size_t room = stats->found_room ? stats->found_room * 2 : 16;
        struct queue_topic *grown = reallocarray(stats->found, room, sizeof *grown);
        if (!grown) return -ENOMEM;
        stats->found = grown;
        stats->found_room = room;
    }
    stats->found[stats->found_count++] = *topic;
    return 0;
}

static int32_t stats_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    struct queue_stats_call *stats = (void *)call;
    stats->found_count = 0;
    return writer->ops->topics(writer->store, NULL, take, stats, err);
}

/* Has it anything that grows older, or will? */
static bool record(struct queue *queue, const struct queue_topic *found) {
    struct topic *topic = topic_of(queue, found->name);
    int64_t now = queue_writer_now(&queue->writer);
    if (!topic) return false;
    for (size_t i = 0; i < QUEUE_STATES; i++) pdk_gauge(queue->metrics, topic->jobs[i], (double)found->jobs[i]);
    pdk_gauge(queue->metrics, topic->oldest,
              found->oldest && now > found->oldest ? (double)(now - found->oldest) / 1000 : 0);
    return found->jobs[QUEUE_READY] > 0;
}

static void stats_done(struct queue_call *call) {
    struct queue_stats_call *stats = (void *)call;
    bool again = stats->dirty;
    stats->busy = false;
    for (size_t i = 0; call->rc >= 0 && i < stats->found_count; i++) again |= record(stats->queue, &stats->found[i]);
    if (again) queue_meter_stir(stats->queue);
}

static const struct queue_call_type stats_type = {stats_run, NULL, stats_done, false, true, false};

static void fire(void *arg) {
    struct queue *queue = arg;
    struct queue_stats_call *stats = queue->stats;
    queue->stats_watch = 0;
    stats->busy = true;
    stats->dirty = false;
    stats->call = (struct queue_call){.type = &stats_type};
    queue_writer_add(&queue->writer, &stats->call);
}

void queue_meter_stir(struct queue *queue) {
    struct queue_stats_call *stats = queue->stats;
    if (!stats || queue->stopping) return;
    if (stats->busy) stats->dirty = true;
    if (stats->busy || queue->stats_watch) return;
    if (queue->loop->timer(queue->loop, SECOND, 0, fire, queue, &queue->stats_watch) < 0) queue->stats_watch = 0;
}

void queue_meter_waited(struct queue *queue, const struct queue_claimed *claimed) {
    struct topic *topic = queue->stats ? topic_of(queue, claimed->job.topic) : NULL;
    int64_t waited = topic && topic->waits ? queue_writer_now(&queue->writer) - claimed->job.due : 0;
    if (topic) pdk_observe(queue->metrics, topic->waits, waited > 0 ? (double)waited / 1000 : 0);
}

/* Without a service there is nothing to do, and all of the above does nothing. */
int32_t queue_meter_create(struct queue *queue) {
    if (!queue->metrics) return 0;
    queue->stats = calloc(1, sizeof *queue->stats);
    if (!queue->stats) return -ENOMEM;
    queue->stats->queue = queue;
    return 0;
}

void queue_meter_end(struct queue *queue) {
    queue->loop->stop(queue->loop, queue->stats_watch);
    queue->stats_watch = 0;
}

void queue_meter_free(struct queue *queue) {
    if (!queue->stats) return;
    free(queue->stats->found);
    free(queue->stats->topics);
    free(queue->stats);
}
