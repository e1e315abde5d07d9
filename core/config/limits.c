/* SPDX-License-Identifier: Apache-2.0 */
/* The bounds of the supervisor, and how it ends. Each is given in one place of all files. */
#include <errno.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/config/load.h"
#include "core/spec/scalar.h"

void pdk_limits_default(struct pdk_limits *limits) {
    *limits = (struct pdk_limits){
        .running = 0,
        .queued = 100000,
        .slot_queue = 100,
        .history = 1000,
        .events = 1024,
        .history_age = PDK_DAY,
        .line = 16 << 10,
        .drain = 0,
        .grace = 30 * PDK_SECOND,
        .flush = 5 * PDK_SECOND,
    };
}

/* One map of the top level into the struct that its rows are of. */
static void load_map(struct pdk_loading *loading, const pdk_value *value, const char *name,
                     const struct pdk_field *rows, void *base, const char *folder, const pdk_value **first) {
    struct pdk_reading reading = {
        .arena = &loading->config->arena, .report = loading->report, .folder = folder, .trusted = true};
    if (pdk_value_is_null(value)) return;
    if (*first) {
        pdk_loading_twice(loading, pdk_scalar_key_place(value), "", name, pdk_scalar_key_place(*first));
        return;
    }
    *first = value;
    if (pdk_read_is_map(&reading, value, "a map")) pdk_fields_read(&reading, rows, value, base);
    pdk_loading_error(loading, reading.error);
}

void pdk_load_limits(struct pdk_loading *loading, const pdk_value *limits, const pdk_value *shutdown) {
    struct pdk_limits *ret = &loading->config->limits;
    load_map(loading, limits, "limits", pdk_limit_rows, ret, "/", &loading->limits);
    load_map(loading, shutdown, "shutdown", pdk_shutdown_rows, ret, "/", &loading->shutdown);
    if (!pdk_value_is_null(shutdown) && shutdown->type == PDK_MAP && pdk_values_get()->get(shutdown, "drain"))
        loading->config->has_drain = true;
    if (loading->config->limits.running == UINT32_MAX) loading->config->limits.running = 0;
}

void pdk_server_default(struct pdk_server *server) {
    *server = (struct pdk_server){.mode = 0600, .log = PDK_SERVER_LOG_INFO};
}

const char *const pdk_own_plugins[] = {"queue", "console", "archive", NULL};

static void check_without(struct pdk_loading *loading, const pdk_value *value) {
    const char *const *names = loading->config->server.without;
    for (size_t i = 0; names && names[i]; i++) {
        size_t k = 0;
        while (pdk_own_plugins[k] && strcmp(pdk_own_plugins[k], names[i]) != 0) k++;
        if (pdk_own_plugins[k]) continue;
        int32_t rc = pdk_value_fault(loading->report, -EINVAL, pdk_values_get()->get(value, "without"),
                                     "expected queue, console or archive", pdk_nearest(names[i], pdk_own_plugins),
                                     "\"%.60s\" is none that is loaded by itself", names[i]);
        pdk_loading_error(loading, rc);
    }
}

void pdk_load_server(struct pdk_loading *loading, const pdk_value *value, const char *folder) {
    struct pdk_server *server = &loading->config->server;
    load_map(loading, value, "server", pdk_server_rows, server, folder, &server->at);
    if (!pdk_value_is_null(value)) check_without(loading, value);
}
