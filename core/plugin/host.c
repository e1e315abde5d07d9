/* SPDX-License-Identifier: Apache-2.0 */
/* A host that does nothing, and does it well: see host.h. */
#include "host.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/value/value.h"
#include "paddock/library.h"

static uint64_t default_now(const pdk_host *host) {
    (void)host;
    return pdk_clock_now();
}

static uint64_t default_unix(const pdk_host *host) {
    (void)host;
    return pdk_clock_unix();
}

static void default_log(const pdk_host *host, int32_t level, pdk_attempt attempt, const char *text) {
    (void)host, (void)level, (void)attempt, (void)text;
}

static void default_health(const pdk_host *host, int32_t state, const char *text) {
    const char *start = (const char *)host - offsetof(struct pdk_instance, host);
    struct pdk_instance *instance = (struct pdk_instance *)(uintptr_t)start;

    (void)text;
    atomic_store(&instance->health, state);
}

static void default_stopped(const pdk_host *host) {
    (void)host;
}

static int32_t default_done(const pdk_host *host, pdk_attempt attempt, const pdk_result *result) {
    (void)host, (void)attempt, (void)result;
    return -ENOTSUP;
}

static int32_t default_output(const pdk_host *host, pdk_attempt attempt, int32_t stream, const char *data,
                              size_t size) {
    (void)host, (void)attempt, (void)stream, (void)data, (void)size;
    return 0;
}

static int32_t default_progress(const pdk_host *host, pdk_attempt attempt, double fraction, const char *text) {
    (void)host, (void)attempt, (void)fraction, (void)text;
    return 0;
}

static int32_t default_ready(const pdk_host *host, pdk_attempt attempt) {
    (void)host, (void)attempt;
    return 0;
}

static const void *default_extension(const pdk_host *host, const char *id) {
    (void)host, (void)id;
    return NULL;
}

void pdk_host_fill(struct pdk_instance *instance, const pdk_host *given) {
    pdk_host *host = &instance->host;
    uint32_t roles = host->roles;
    size_t size = sizeof *host;

    memset(host, 0, sizeof *host);
    if (given && given->struct_size < size) size = given->struct_size;
    if (given) memcpy(host, given, size);
    host->struct_size = (uint32_t)sizeof *host;
    host->abi_version = PDK_ABI;
    host->instance = instance->name;
    host->roles = roles;
    host->values = pdk_values_get();
    if (!host->name) host->name = "paddock-router";
    if (!host->version) host->version = pdk_version();
    if (!host->now_ns) host->now_ns = default_now;
    if (!host->unix_ns) host->unix_ns = default_unix;
    if (!host->log) host->log = default_log;
    if (!host->health) host->health = default_health;
    if (!host->stopped) host->stopped = default_stopped;
    if (!host->done) host->done = default_done;
    if (!host->output) host->output = default_output;
    if (!host->progress) host->progress = default_progress;
    if (!host->ready) host->ready = default_ready;
    if (!host->get_extension) host->get_extension = default_extension;
}
