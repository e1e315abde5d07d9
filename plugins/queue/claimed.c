/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs between claim and settle, by their id. */
#include <errno.h>
#include <stdlib.h>

#include "instance.h"

static char *put(char *at, const char *text, const char **ret) {
    size_t size = text ? strlen(text) + 1 : 0;
    *ret = text ? at : NULL;
    if (text) memcpy(at, text, size);
    return at + size;
}

static size_t size_of(const char *text) {
    return text ? strlen(text) + 1 : 0;
}

struct queue_claimed *queue_claimed_make(struct queue *queue, const struct queue_job *job) {
    size_t texts = size_of(job->topic) + size_of(job->name) + size_of(job->kind) + size_of(job->spec) +
                   size_of(job->input) + size_of(job->trace);
    struct queue_claimed *claimed = malloc(sizeof *claimed + texts);
    char *at;
    if (!claimed) return NULL;
    memset(claimed, 0, sizeof *claimed);
    claimed->job = *job;
    at = put(claimed->texts, job->topic, &claimed->job.topic);
    at = put(at, job->name, &claimed->job.name);
    at = put(at, job->kind, &claimed->job.kind);
    at = put(at, job->spec, &claimed->job.spec);
    at = put(at, job->input, &claimed->job.input);
    (void)put(at, job->trace, &claimed->job.trace);
    claimed->queue = queue;
    claimed->settle.id = job->id;
    claimed->settle.fence = job->fence;
    claimed->settle.claimed = &claimed->job;
    return claimed;
}

void queue_claimed_free(struct queue_claimed *claimed) {
    if (!claimed) return;
    free(claimed->output);
    free(claimed);
}

static struct queue_claimed **bucket(const struct queue_claimed_map *map, int64_t id) {
    return &map->buckets[(size_t)((uint64_t)id & (map->size - 1))];
}

int32_t queue_claimed_room(struct queue_claimed_map *map) {
    struct queue_claimed_map grown = {NULL, map->size ? map->size * 2 : 64, 0};
    if (map->count < map->size) return 0;
    grown.buckets = calloc(grown.size, sizeof *grown.buckets);
    if (!grown.buckets) return map->size ? 0 : -ENOMEM; /* longer chains will do */
    for (size_t i = 0; i < map->size; i++) {
        struct queue_claimed *claimed, *next;
        for (claimed = map->buckets[i]; claimed; claimed = next) {
            next = claimed->next;
            queue_claimed_put(&grown, claimed);
        }
    }
    free(map->buckets);
    *map = grown;
    return 0;
}

void queue_claimed_put(struct queue_claimed_map *map, struct queue_claimed *claimed) {
    struct queue_claimed **at = bucket(map, claimed->settle.id);
    claimed->next = *at;
    *at = claimed;
    map->count++;
}

struct queue_claimed *queue_claimed_get(const struct queue_claimed_map *map, int64_t id) {
    struct queue_claimed *claimed = map->size ? *bucket(map, id) : NULL;
    while (claimed && claimed->settle.id != id) claimed = claimed->next;
    return claimed;
}

void queue_claimed_remove(struct queue_claimed_map *map, struct queue_claimed *claimed) {
    struct queue_claimed **at;
    if (!map->size) return;
    at = bucket(map, claimed->settle.id);
    while (*at && *at != claimed) at = &(*at)->next;
    if (!*at) return;
    *at = claimed->next;
    map->count--;
}
