/* SPDX-License-Identifier: Apache-2.0 */
/*
 * @NAME@: a source. It brings work in: here from a timer, where yours has a socket or a queue, so that it is seen at
 * work without a peer. What a real one does on the way is marked by "the peer".
 *
 * All functions here run on the host's main thread, one at a time. <paddock/source.h> has the life of a delivery, the
 * heart of it: a message is acknowledged in `settled` and nowhere else, so that a crash loses nothing.
 */
#include <paddock/helpers.h>
#include <paddock/loop.h>
#include <stdlib.h>

/* ---- 1. what its `config:` may say. The host checks it before any code here runs, and fills in what is absent */

static const pdk_param params[] = {
    PDK_PARAM("task", PDK_MAP, 0, "{name: hello, command: echo hello}", "What is run for each message"),
    {"every", PDK_DURATION, 0, "200ms", "Time before each message", .min = 0.001, .max = 86400},
    {"count", PDK_INT, 0, "3", "How many messages there are", .min = 1, .max = 1e6},
    PDK_PARAM_END,
};
static const pdk_schema config_schema = PDK_SCHEMA("", "Messages from a timer", params);

/* ---- 2. an instance: made, started, drained, stopped, destroyed */

struct instance {
    const pdk_host *host;
    const pdk_loop *loop;
    const pdk_source *source;
    const pdk_value *task; /* a part of the config, which lives as long as the instance */
    uint64_t every_ns;
    int64_t count;

    const pdk_template *prepared; /* the task, read, checked and routed once */
    pdk_watch timer;
    pdk_delivery next; /* the number of the next message, from 1 */
    int waits;         /* for room */
};

/* Start nothing: `paddock check` calls this too, in a host without services. */
static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct instance *instance = calloc(1, sizeof *instance);
    int32_t rc;
    if (!instance) return -ENOMEM;
    instance->host = host;
    instance->loop = host->get_extension(host, PDK_LOOP_1);
    instance->source = host->get_extension(host, PDK_SOURCE_1);
    instance->task = host->values->get(config, "task");
    instance->next = 1;
    rc = pdk_need_duration(host, config, "every", &instance->every_ns, err);
    if (rc == 0) rc = pdk_need_integer(host, config, "count", &instance->count, err);
    if (rc < 0) {
        free(instance);
        return rc;
    }
    *ret = instance;
    return 0;
}

static void stop_taking(struct instance *instance) {
    instance->loop->stop(instance->loop, instance->timer);
    instance->timer = 0;
    instance->waits = 0;
}

/* A message of the peer has come. What is not accepted stays ours, and the peer's. */
static void take(struct instance *instance) {
    const pdk_host *host = instance->host;
    pdk_error err = PDK_ERROR;
    const pdk_submission message = {PDK_HEAD(pdk_submission), .delivery = instance->next, .base = instance->prepared};
    int32_t rc = instance->source->submit(instance->source, &message, NULL, &err);
    if (rc == -EAGAIN) { /* no room: take nothing from the peer until resume */
        stop_taking(instance);
        instance->waits = 1;
        return;
    }
    if (rc < 0) /* the peer is told that its message is wrong */
        pdk_logf(host, PDK_LOG_ERROR, 0, "message %llu: %s", (unsigned long long)instance->next, err.message);
    if (instance->next++ == (uint64_t)instance->count) stop_taking(instance);
}

static void tick(void *arg) {
    take(arg);
}

static int32_t watch(struct instance *instance) {
    const pdk_loop *loop = instance->loop;
    return loop->timer(loop, instance->every_ns, instance->every_ns, tick, instance, &instance->timer);
}

/* Connect, and return at once. Health is said when it is known: with a real peer, later. */
static int32_t start(void *self, pdk_error *err) {
    struct instance *instance = self;
    int32_t rc = instance->source->prepare(instance->source, instance->task, &instance->prepared, err);
    if (rc < 0) return rc;
    rc = watch(instance);
    if (rc < 0) return pdk_fail(err, rc, NULL, "no timer can be had", NULL, NULL);
    instance->host->health(instance->host, PDK_UP, "the timer runs");
    return 0;
}

/* Everything has settled: close everything, and say so, last. */
static void stop(void *self) {
    struct instance *instance = self;
    stop_taking(instance);
    if (instance->prepared) instance->source->release(instance->source, instance->prepared);
    instance->prepared = NULL;
    instance->host->stopped(instance->host);
}

/* ---- 3. deliveries */

/* The one place where a message is acknowledged, or handed back when it was only the host that went down. */
static void settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    const struct instance *instance = self;
    int back = outcome->reason == PDK_CANCEL_SHUTDOWN || strcmp(outcome->last->code, "shutting_down") == 0;
    const char *what = back ? "is handed back" : outcome->end == PDK_END_SUCCEEDED ? "is done" : "has failed";
    pdk_logf(instance->host, PDK_LOG_INFO, 0, "message %llu %s", (unsigned long long)delivery, what);
}

/* There is room again. */
static void resume(void *self) {
    struct instance *instance = self;
    if (!instance->waits) return;
    instance->waits = 0;
    if (watch(instance) < 0) instance->host->health(instance->host, PDK_DOWN, "no timer can be had");
}

/* Take nothing new in; what was taken still settles. */
static void drain(void *self) {
    stop_taking(self);
}

/* ---- 4. the tables, and the one symbol that is exported */

static const pdk_source_ops source = {PDK_HEAD(pdk_source_ops), .settled = settled, .resume = resume, .drain = drain};
static const char *const needs[] = {PDK_LOOP_1, PDK_SOURCE_1, NULL}; /* without them nothing is started here */

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    .name = "@NAME@",
    .version = "0.1.0",
    .author = "",
    .description = "Messages from a timer",
    .needs = needs,
    .config = &config_schema,
    .source = &source,
    .create = create,
    .start = start,
    .stop = stop,
    .destroy = free,
};
