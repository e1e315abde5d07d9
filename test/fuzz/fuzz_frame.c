/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a plugin's process sends: refused in words, or taken for what they are, and no attempt but its own is
 * touched. */
#include <string.h>

#include "core/isolate/proxy.h"
#include "fuzz.h"

enum { MINE = 1001 };

static int32_t done(const pdk_host *host, pdk_attempt attempt, const pdk_result *result) {
    (void)host;
    MUST(attempt == 0 || attempt == MINE);
    MUST(!result->message || strlen(result->message) < 8192);
    return 0;
}

static int32_t output(const pdk_host *host, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    volatile char last = size ? data[size - 1] : 0;
    (void)host, (void)stream, (void)last;
    MUST(attempt == MINE);
    return PDK_PAUSE;
}

static int32_t progress(const pdk_host *host, pdk_attempt attempt, double fraction, const char *text) {
    (void)host, (void)fraction;
    MUST(attempt == MINE && (!text || strlen(text) < 65536));
    return 0;
}

static int32_t ready(const pdk_host *host, pdk_attempt attempt) {
    (void)host;
    MUST(attempt == MINE);
    return 0;
}

static void log_text(const pdk_host *host, int32_t level, pdk_attempt attempt, const char *text) {
    (void)host, (void)level;
    MUST((attempt == 0 || attempt == MINE) && strlen(text) < 65536);
}

static pdk_series *series(const pdk_metrics *metrics, const pdk_metric *metric, const char *const *values) {
    (void)metrics;
    MUST(*metric->name && (!metric->labels || *values));
    return (pdk_series *)1;
}

static void record(const pdk_metrics *metrics, pdk_series *at, double number) {
    (void)metrics, (void)number;
    MUST(at == (pdk_series *)1);
}

static void hear(struct pdk_proxy *proxy, const struct pdk_frame *frame) {
    struct pdk_remote_error error;
    switch ((int)frame->type) {
    case PDK_MESSAGE_SERIES: pdk_proxy_meet_series(proxy, frame); break;
    case PDK_MESSAGE_RECORD: pdk_proxy_record(proxy, frame); break;
    case PDK_MESSAGE_CREATED:
        if (pdk_remote_error_read(frame, &error)) (void)pdk_pointer_follow(&pdk_value_empty_map, error.at);
        break;
    default: pdk_proxy_hear(proxy, frame);
    }
}

/* A task that has an attempt on, and one that has none. */
static void set_up(struct pdk_proxy *proxy, struct pdk_proxy_task *tasks, const pdk_spec *spec) {
    for (uint32_t i = 0; i < 2; i++) {
        tasks[i] = (struct pdk_proxy_task){.proxy = proxy, .spec = spec, .number = i, .process = 1};
        proxy->tasks[i] = &tasks[i];
    }
    tasks[0].attempt = MINE;
    tasks[0].remote = UINT64_C(1) << PDK_WIRE_TASK_BITS;
    tasks[0].running = true;
    tasks[0].kept = PDK_BUFFER(1 << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const pdk_host host = {.struct_size = sizeof host,
                           .values = pdk_values_get(),
                           .log = log_text,
                           .done = done,
                           .output = output,
                           .progress = progress,
                           .ready = ready};
    const pdk_metrics metrics = {sizeof metrics, 0, NULL, series, record, record, record};
    const pdk_spec spec = {.struct_size = sizeof spec,
                           .kind = "k",
                           .name = "n",
                           .slot = "s",
                           .with = &pdk_value_empty_map,
                           .labels = &pdk_value_empty_map,
                           .whole = &pdk_value_empty_map};
    char name[] = "fuzz";
    struct pdk_instance instance = {.name = name};
    struct pdk_proxy_task tasks[2], *table[2];
    struct pdk_proxy proxy = {.host = &host,
                              .instance = &instance,
                              .metrics = &metrics,
                              .tasks = table,
                              .task_count = 2,
                              .processes = 1,
                              .running = 1};
    const char *at = (const char *)data, *why = NULL;
    size_t wanted;
    int64_t took;
    struct pdk_frame frame;
    set_up(&proxy, tasks, &spec);
    while ((took = pdk_frame_next(at, size, PDK_TO_PADDOCK, &frame, &wanted, &why)) > 0) {
        MUST((size_t)took <= size && frame.data + frame.size == at + took);
        hear(&proxy, &frame);
        at += took;
        size -= (size_t)took;
    }
    MUST(took == 0 ? wanted > size : why != NULL);
    pdk_proxy_hear_all(&proxy);
    for (int i = 0; i < 2; i++) pdk_buffer_free(&tasks[i].kept);
    pdk_proxy_free_series(&proxy);
    return 0;
}
