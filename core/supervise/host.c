/* SPDX-License-Identifier: Apache-2.0 */
/* What every instance is given: the functions of paddock/host.h. Any thread may call them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/supervise/internal.h"
#include "paddock/library.h"

/* The host is the first member of its instance. */
static struct pdk_instance *instance_of(const pdk_host *host) {
    union {
        const pdk_host *host;
        struct pdk_instance *instance;
    } both = {host};
    return both.instance;
}

static struct pdk_member *member_of(const pdk_host *host) {
    return pdk_member_of(host->data, instance_of(host));
}

static uint64_t now_ns(const pdk_host *host) {
    const struct pdk_supervisor *s = host->data;
    return s->loop->now_ns(s->loop);
}

static uint64_t unix_ns(const pdk_host *host) {
    (void)host;
    return pdk_clock_unix();
}

static void log_text(const pdk_host *host, int32_t level, pdk_attempt attempt, const char *text) {
    const struct pdk_supervisor *s = host->data;
    char run_id[PDK_RUN_ID_WORDS * 8] = "";
    struct pdk_cell *cell = attempt ? pdk_cell_lookup(s, attempt) : NULL;
    if (cell && pdk_cell_is_open(cell, attempt)) pdk_cell_run_id(cell, run_id, sizeof run_id);
    if (level < PDK_LOG_DEBUG) level = PDK_LOG_DEBUG;
    if (level > PDK_LOG_ERROR) level = PDK_LOG_ERROR; /* BUG is for us to say */
    pdk_log_line(&s->log, level, host->instance, run_id, "%s", text ? text : "");
}

static void health(const pdk_host *host, int32_t state, const char *text) {
    struct pdk_member *member = member_of(host);
    if (member) pdk_member_health(member, state, text);
}

static void stopped(const pdk_host *host) {
    struct pdk_supervisor *s = host->data;
    struct pdk_member *member = member_of(host);
    if (!member) return;
    if (atomic_exchange(&member->stopped, 1)) {
        pdk_member_misbehaves(member, "stopped twice");
        return;
    }
    atomic_store(&s->health_new, 1); /* so that a turn that is on looks again */
    pdk_poke(s);
}

/* "web-12/3": without the name of its runner, which is ours. */
static void name_attempt(const pdk_host *host, const struct pdk_cell *cell, char *buf, size_t size) {
    char run_id[PDK_RUN_ID_WORDS * 8];
    pdk_cell_run_id(cell, run_id, sizeof run_id);
    size_t skip = strlen(host->instance) + 1;
    (void)snprintf(buf, size, "%s/%u", strlen(run_id) > skip ? run_id + skip : run_id,
                   atomic_load_explicit(&cell->number, memory_order_relaxed));
}

/* A second done, or one that comes when the attempt is over. The first result stands. */
PDK_APART static void done_in_vain(const pdk_host *host, pdk_attempt attempt, int32_t rc) {
    char name[PDK_RUN_ID_WORDS * 8 + 16];
    struct pdk_member *member = member_of(host);
    if (member && rc == -EALREADY) {
        name_attempt(host, pdk_cell_lookup(host->data, attempt), name, sizeof name);
        pdk_member_misbehaves(member, "done twice for %s", name);
    } else if (member) {
        pdk_member_misbehaves(member, "done for an attempt that is not on (%llx)", (unsigned long long)attempt);
    }
}

static int32_t done(const pdk_host *host, pdk_attempt attempt, const pdk_result *result) {
    int32_t rc = pdk_cell_done(host->data, attempt, result);
    if (rc < 0) done_in_vain(host, attempt, rc);
    return rc;
}

static int32_t output(const pdk_host *host, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    return pdk_output_take(host->data, attempt, stream, data, size);
}

static int32_t progress(const pdk_host *host, pdk_attempt attempt, double fraction, const char *text) {
    return pdk_news_progress(host->data, attempt, fraction, text);
}

static int32_t ready(const pdk_host *host, pdk_attempt attempt) {
    return pdk_news_ready(host->data, attempt);
}

static const void *get_extension(const pdk_host *host, const char *id) {
    const struct pdk_supervisor *s = host->data;
    struct pdk_member *member = member_of(host);
    if (!member || !id) return NULL;
    const struct {
        const char *id;
        const void *service;
    } services[] = {
        {PDK_LOOP_1, s->loop},
        {PDK_POOL_1, s->pool},
        {PDK_PROCESS_1, s->process},
        {PDK_METRICS_1, &member->metrics},
        {PDK_SOURCE_1, pdk_member_is_source(member) ? &member->source : NULL},
        {PDK_CONTROL_1, member->limits.control ? &member->control : NULL},
    };
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        if (!strcmp(id, services[i].id)) return services[i].service;
    }
    return NULL;
}

void pdk_host_pattern(struct pdk_supervisor *s) {
    s->host = (pdk_host){.struct_size = (uint32_t)sizeof s->host,
                         .abi_version = PDK_ABI,
                         .name = s->options.name ? s->options.name : "paddock",
                         .version = s->options.version ? s->options.version : pdk_version(),
                         .data = s,
                         .values = pdk_values_get(),
                         .now_ns = now_ns,
                         .unix_ns = unix_ns,
                         .log = log_text,
                         .health = health,
                         .stopped = stopped,
                         .done = done,
                         .output = output,
                         .progress = progress,
                         .ready = ready,
                         .get_extension = get_extension};
}
