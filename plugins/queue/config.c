/* SPDX-License-Identifier: Apache-2.0 */
/* `config:` of the queue, and where its file is when that is not said. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "instance.h"
#include "params.h"

static const char *const durabilities[] = {"full", "relaxed", NULL};

static const pdk_param retention[] = {
    {"ended", PDK_DURATION, 0, "7d", "How long jobs that have ended are kept", NULL, 0.0, 315360000.0, NULL},
    {"dead", PDK_DURATION, 0, "30d", "How long dead letters are kept", NULL, 0.0, 315360000.0, NULL},
    PDK_PARAM_END,
};
static const pdk_param limits[] = {
    {"jobs", PDK_INT, 0, "10000000", "Jobs that have not ended; beyond, none is taken", NULL, 1.0, 1e9, NULL},
    {"topics", PDK_INT, 0, "1000", "Topics there may be", NULL, 1.0, 10000.0, NULL},
    {"spec", PDK_SIZE, 0, "1MiB", "Bytes of a spec, and of its input, as JSON", NULL, 1024.0, 67108864.0, NULL},
    PDK_PARAM_END,
};
static const pdk_param params[] = {
    PDK_PARAM(
        "path", PDK_STRING, 0, NULL,
        "The file; default: queue.db in $STATE_DIRECTORY, /var/lib/paddock for root, else $XDG_STATE_HOME/paddock"),
    {"durability", PDK_STRING, 0, "full",
     "full: what was accepted survives a power cut; relaxed: the last moments may be lost, and it is faster",
     durabilities, 0.0, 0.0, NULL},
    {"max_attempts", PDK_INT, 0, "1", "Attempts of a job that does not say itself", NULL, 1.0, 1000.0, NULL},
    {"max_rescues", PDK_INT, 0, "3",
     "How often a job may be found running after Paddock was killed; once more, and it is a dead letter", NULL, 0.0,
     1000000.0, NULL},
    {"retention", PDK_MAP, 0, NULL, "How long what has ended is kept", NULL, 0.0, 0.0, retention},
    {"limits", PDK_MAP, 0, NULL, "How much is taken", NULL, 0.0, 0.0, limits},
    PDK_PARAM("topics", PDK_MAP, 0, NULL,
              "By name: {limit: jobs that run at once, 0: any number; paused: true or false}"),
    PDK_PARAM_END,
};
const pdk_schema queue_config = PDK_SCHEMA("", "A durable queue in a file", params);

/* ---- the file ---- */

static int32_t join(struct queue *queue, const char *folder, const char *name, pdk_error *err) {
    int n = snprintf(queue->path, sizeof queue->path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof queue->path
               ? 0
               : pdk_fail(err, -ENAMETOOLONG, NULL, "its path is too long", NULL, NULL);
}

/* The first of a list, as systemd gives it. */
static int32_t in_state_directory(struct queue *queue, const char *list, pdk_error *err) {
    char folder[PATH_MAX];
    size_t size = strcspn(list, ":");
    if (size >= sizeof folder) return pdk_fail(err, -ENAMETOOLONG, NULL, "STATE_DIRECTORY is too long", NULL, NULL);
    memcpy(folder, list, size);
    folder[size] = '\0';
    return join(queue, folder, "queue.db", err);
}

static int32_t default_path(struct queue *queue, pdk_error *err) {
    const char *state = getenv("STATE_DIRECTORY"), *home = getenv("HOME"), *xdg = getenv("XDG_STATE_HOME");
    if (state && *state == '/') return in_state_directory(queue, state, err);
    if (geteuid() == 0) return join(queue, "/var/lib/paddock", "queue.db", err);
    if (xdg && *xdg == '/') return join(queue, xdg, "paddock/queue.db", err);
    if (home && *home == '/') return join(queue, home, ".local/state/paddock/queue.db", err);
    return pdk_fail(err, -EINVAL, NULL, "there is no folder for it: write path", NULL, NULL);
}

static int32_t read_path(struct queue *queue, const pdk_value *config, pdk_error *err) {
    const char *path = NULL;
    int32_t rc = pdk_take_string(queue->host, config, "path", &path, err);
    if (rc < 0) return rc;
    queue->writer.config.make_folder = !path;
    if (!path) return default_path(queue, err);
    if (!*path || strlen(path) >= sizeof queue->path)
        return pdk_fail(err, -EINVAL, queue->host->values->get(config, "path"), "the name of a file is wanted", NULL,
                        NULL);
    queue_cut(queue->path, sizeof queue->path, path);
    return 0;
}

/* ---- numbers ---- */

static int32_t take_ms(const pdk_host *host, const pdk_value *map, const char *key, int64_t *ret, pdk_error *err) {
    uint64_t ns = (uint64_t)*ret * 1000000;
    int32_t rc = pdk_take_duration(host, map, key, &ns, err);
    if (rc == 0) *ret = (int64_t)(ns / 1000000);
    return rc;
}

static int32_t read_limits(struct queue *queue, const pdk_value *config, pdk_error *err) {
    const pdk_host *host = queue->host;
    const pdk_value *most = host->values->get(config, "limits"), *kept = host->values->get(config, "retention");
    struct queue_store_config *store = &queue->writer.config;
    uint64_t spec = 1048576;
    store->max_jobs = 10000000;
    store->max_topics = 1000;
    store->max_rescues = QUEUE_RESCUES;
    store->keep_ended = 7 * QUEUE_DAY_MS;
    store->keep_dead = 30 * QUEUE_DAY_MS;
    queue->default_attempts = 1;
    int32_t rc = pdk_take_integer(host, most, "jobs", &store->max_jobs, err);
    if (rc == 0) rc = pdk_take_integer(host, most, "topics", &store->max_topics, err);
    if (rc == 0) rc = pdk_take_size(host, most, "spec", &spec, err);
    if (rc == 0) rc = take_ms(host, kept, "ended", &store->keep_ended, err);
    if (rc == 0) rc = take_ms(host, kept, "dead", &store->keep_dead, err);
    if (rc == 0) rc = pdk_take_integer(host, config, "max_attempts", &queue->default_attempts, err);
    if (rc == 0) rc = pdk_take_integer(host, config, "max_rescues", &store->max_rescues, err);
    queue->max_spec = (int64_t)spec;
    return rc;
}

/* ---- topics ---- */

static int32_t read_topic(const pdk_host *host, const char *name, const pdk_value *map, struct queue_topic_setting *ret,
                          pdk_error *err) {
    const pdk_values *values = host->values;
    if (!queue_topic_is_name(name))
        return pdk_failf(err, -EINVAL, map,
                         "\"%.80s\" cannot be the name of a topic: letters, digits, '.', '_' and '-'", name);
    if (values->type(map) != PDK_MAP) return pdk_wrong(host, map, name, "a map with limit and paused", err);
    *ret = (struct queue_topic_setting){"", -1, -1};
    queue_cut(ret->name, sizeof ret->name, name);
    for (size_t i = 0; i < values->count(map); i++) {
        const char *key = values->key_at(map, i);
        if (strcmp(key, "limit") != 0 && strcmp(key, "paused") != 0)
            return pdk_failf(err, -EINVAL, values->at(map, i), "a topic has no '%.60s': it takes limit and paused",
                             key);
    }
    int32_t rc = pdk_take_integer(host, map, "limit", &ret->limit, err);
    if (rc == 0) rc = pdk_take_boolean(host, map, "paused", &ret->paused, err);
    bool says = values->type(values->get(map, "limit")) != PDK_NULL;
    if (rc == 0 && says && (ret->limit < 0 || ret->limit > QUEUE_MAX_RUNNING))
        return pdk_fail(err, -EINVAL, values->get(map, "limit"), "'limit' wants 0 to 1000000", NULL, NULL);
    return rc;
}

static int32_t read_topics(struct queue *queue, const pdk_value *config, pdk_error *err) {
    const pdk_values *values = queue->host->values;
    const pdk_value *map = values->get(config, "topics");
    size_t count = values->count(map);
    int32_t rc = 0;
    if (!count) return 0;
    if (count > (size_t)queue->writer.config.max_topics)
        return pdk_fail(err, -EINVAL, map, "more topics than limits.topics says", NULL, NULL);
    queue->topics = calloc(count, sizeof *queue->topics);
    if (!queue->topics) return -ENOMEM;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = read_topic(queue->host, values->key_at(map, i), values->at(map, i), &queue->topics[i], err);
    queue->writer.config.topics = queue->topics;
    queue->writer.config.topic_count = count;
    return rc;
}

int32_t queue_config_read(struct queue *queue, const pdk_value *config, pdk_error *err) {
    const char *durability = "full";
    int32_t rc = read_path(queue, config, err);
    if (rc == 0) rc = pdk_take_string(queue->host, config, "durability", &durability, err);
    if (rc == 0) rc = read_limits(queue, config, err);
    if (rc == 0) rc = read_topics(queue, config, err);
    queue->writer.config.relaxed = strcmp(durability, "relaxed") == 0;
    queue->writer.config.path = queue->path;
    return rc;
}
