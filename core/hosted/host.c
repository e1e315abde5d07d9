/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin is given here: the functions of paddock/host.h, most of which write a message. Any thread may call them. */
#include <errno.h>
#include <string.h>

#include "core/base/clock.h"
#include "hosted.h"

enum { LINE_MAX_BYTES = 16 * 1024, OUTPUT_PART = 64 * 1024 };

static uint64_t now_ns(const pdk_host *host) {
    (void)host;
    return pdk_clock_now();
}

static uint64_t unix_ns(const pdk_host *host) {
    (void)host;
    return pdk_clock_unix();
}

static void send_line(struct pdk_hosted *hosted, enum pdk_message type, uint64_t id, int32_t number, const char *text) {
    if (!text) text = "";
    pdk_hosted_send(hosted, type, id, &number, sizeof number, text, strnlen(text, LINE_MAX_BYTES));
}

static void log_text(const pdk_host *host, int32_t level, pdk_attempt attempt, const char *text) {
    send_line(host->data, PDK_MESSAGE_LOG, attempt, level, text);
}

static void health(const pdk_host *host, int32_t state, const char *text) {
    send_line(host->data, PDK_MESSAGE_HEALTH, 0, state, text);
}

static void stopped(const pdk_host *host) {
    pdk_hosted_send(host->data, PDK_MESSAGE_STOPPED, 0, NULL, 0, NULL, 0);
}

/* Whoever is too fast waits here, in its own process, for paddock to have read. */
static int32_t output(const pdk_host *host, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    struct pdk_hosted *hosted = host->data;
    pthread_mutex_lock(&hosted->lock);
    struct pdk_hosted_task *task = pdk_hosted_on(hosted, attempt);
    if (task) task->unread += size;
    bool paused = task && task->unread > PDK_WIRE_WINDOW;
    if (paused) task->paused = true;
    pthread_mutex_unlock(&hosted->lock);
    if (!task) return -ESTALE;
    for (size_t part; size; data += part, size -= part) {
        part = size < OUTPUT_PART ? size : OUTPUT_PART;
        pdk_hosted_send(hosted, PDK_MESSAGE_OUTPUT, attempt, &stream, sizeof stream, data, part);
    }
    return paused ? PDK_PAUSE : 0;
}

static bool is_on(struct pdk_hosted *hosted, pdk_attempt attempt) {
    pthread_mutex_lock(&hosted->lock);
    bool on = pdk_hosted_on(hosted, attempt) != NULL;
    pthread_mutex_unlock(&hosted->lock);
    return on;
}

static int32_t progress(const pdk_host *host, pdk_attempt attempt, double fraction, const char *text) {
    const struct pdk_wire_progress numbers = {fraction, text != NULL, 0};
    if (!is_on(host->data, attempt)) return -ESTALE;
    pdk_hosted_send(host->data, PDK_MESSAGE_PROGRESS, attempt, &numbers, sizeof numbers, text,
                    text ? strnlen(text, LINE_MAX_BYTES) : 0);
    return 0;
}

static int32_t ready(const pdk_host *host, pdk_attempt attempt) {
    if (!is_on(host->data, attempt)) return -ESTALE;
    pdk_hosted_send(host->data, PDK_MESSAGE_READY, attempt, NULL, 0, NULL, 0);
    return 0;
}

static const void *get_extension(const pdk_host *host, const char *id) {
    const struct pdk_hosted *hosted = host->data;
    const struct {
        const char *id;
        const void *service;
    } services[] = {
        {PDK_LOOP_1, hosted->loop},
        {PDK_POOL_1, pdk_threads_pool(hosted->pool)},
        {PDK_PROCESS_1, pdk_spawner_service(hosted->spawner)},
        {PDK_METRICS_1, &hosted->metrics},
    };
    for (size_t i = 0; id && i < sizeof services / sizeof *services; i++)
        if (strcmp(id, services[i].id) == 0) return services[i].service;
    return NULL;
}

void pdk_hosted_host(struct pdk_hosted *hosted) {
    hosted->host = (pdk_host){.struct_size = (uint32_t)sizeof hosted->host,
                              .abi_version = PDK_ABI,
                              .data = hosted,
                              .values = pdk_values_get(),
                              .now_ns = now_ns,
                              .unix_ns = unix_ns,
                              .log = log_text,
                              .health = health,
                              .stopped = stopped,
                              .done = pdk_hosted_done,
                              .output = output,
                              .progress = progress,
                              .ready = ready,
                              .get_extension = get_extension};
    pdk_hosted_metrics(hosted);
}
