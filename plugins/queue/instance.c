/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an instance. Nothing is touched before start, so that `paddock check` changes no file. */
#include "instance.h"

#include <errno.h>
#include <stdlib.h>

static void note(void *arg, int32_t level, const char *text) {
    const struct queue *queue = arg;
    queue->host->log(queue->host, level, 0, text);
}

static void stopped(void *arg) {
    struct queue *queue = arg;
    queue->started = false;
    queue_templates_free(queue);
    queue->host->stopped(queue->host);
}

int32_t queue_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct queue *queue = calloc(1, sizeof *queue);
    if (!queue) return -ENOMEM;
    queue->service = (pdk_queue){(uint32_t)sizeof queue->service, 0, queue, queue_ask};
    queue->host = host;
    queue->loop = host->get_extension(host, PDK_LOOP_1);
    queue->source = host->get_extension(host, PDK_SOURCE_1);
    queue->metrics = host->get_extension(host, PDK_METRICS_1);
    TAILQ_INIT(&queue->held);
    int32_t rc = queue_config_read(queue, config, err);
    if (rc == 0) rc = queue_meter_create(queue);
    if (rc < 0)
        queue_destroy(queue);
    else
        *ret = queue;
    return rc;
}

int32_t queue_start(void *self, pdk_error *err) {
    struct queue *queue = self;
    struct queue_writer *writer = &queue->writer;
    if (!queue->loop || !queue->source) return pdk_fail(err, -ENOTSUP, NULL, "this host takes no source", NULL, NULL);
    writer->host = queue->host;
    writer->loop = queue->loop;
    writer->ops = &queue_sqlite;
    writer->config.note = note;
    writer->config.arg = queue;
    writer->before = queue_deliver_gather;
    writer->stopped = stopped;
    writer->arg = queue;
    queue->seed = queue->host->unix_ns(queue->host);
    int32_t rc = queue_writer_start(writer, err);
    if (rc < 0) return rc;
    queue->started = true;
    queue_deliver_begin(queue);
    return 0;
}

void queue_stop(void *self) {
    struct queue *queue = self;
    queue->draining = queue->stopping = true;
    if (!queue->started) {
        queue->host->stopped(queue->host);
        return;
    }
    queue_meter_end(queue);
    queue_deliver_end(queue);
}

void queue_destroy(void *self) {
    struct queue *queue = self;
    queue_meter_free(queue);
    free(queue->claimed.buckets);
    free(queue->topics);
    free(queue);
}

const void *queue_extension(void *self, const char *id) {
    const struct queue *queue = self;
    return strcmp(id, PDK_QUEUE_1) == 0 ? &queue->service : NULL;
}
