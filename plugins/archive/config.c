/* SPDX-License-Identifier: Apache-2.0 */
/* `config:` of the archive, and where its folder is when that is not said. */
#include <errno.h>
#include <unistd.h>

#include "instance.h"

#define YEARS 315360000.0
#define TEBI  1099511627776.0

static const pdk_param output[] = {
    {"attempt", PDK_SIZE, 0, "64MiB", "Of one attempt; beyond, its oldest output goes", NULL, 65536.0, TEBI, NULL},
    {"task", PDK_SIZE, 0, "256MiB", "Of all runs of one task; beyond, the oldest go", NULL, 65536.0, TEBI, NULL},
    {"total", PDK_SIZE, 0, "1GiB", "Of everything; beyond, the oldest runs go", NULL, 65536.0, TEBI, NULL},
    {"age", PDK_DURATION, 0, "30d", "How long it is kept", NULL, 1.0, YEARS, NULL},
    {"segment", PDK_SIZE, 0, "4MiB", "Of one file, before it is packed; then a new one begins", NULL, 4096.0,
     1073741824.0, NULL},
    {"buffer", PDK_SIZE, 0, "32MiB", "What may wait for a slow disk; beyond, output is lost, and counted", NULL,
     65536.0, 4294967296.0, NULL},
    {"compress", PDK_BOOL, 0, "true", "Pack files that are not written any more with gzip", NULL, 0.0, 0.0, NULL},
    {"compress_after", PDK_DURATION, 0, "10m", "How long the last file of an attempt stays as it is", NULL, 0.0, YEARS,
     NULL},
    PDK_PARAM_END,
};
static const pdk_param history[] = {
    {"runs", PDK_INT, 0, "100000", "How many that have ended are kept", NULL, 1.0, 1e7, NULL},
    {"age", PDK_DURATION, 0, "90d", "How long they are kept", NULL, 1.0, YEARS, NULL},
    PDK_PARAM_END,
};
static const pdk_param params[] = {
    PDK_PARAM(
        "path", PDK_STRING, 0, NULL,
        "The folder; default: archive in $STATE_DIRECTORY, /var/lib/paddock for root, else $XDG_STATE_HOME/paddock"),
    {"output", PDK_MAP, 0, NULL, "How much of what runs print is kept", NULL, 0.0, 0.0, output},
    {"history", PDK_MAP, 0, NULL, "How much of what became of runs is kept", NULL, 0.0, 0.0, history},
    PDK_PARAM_END,
};
const pdk_schema arc_config = PDK_SCHEMA("", "Keeps the output and the history of runs in files", params);

static int32_t join(struct arc_options *o, const char *folder, size_t size, const char *name, pdk_error *err) {
    int n = snprintf(o->root, sizeof o->root, "%.*s/%s", (int)size, folder, name);
    return n > 0 && (size_t)n < sizeof o->root ? 0
                                               : pdk_fail(err, -ENAMETOOLONG, NULL, "its path is too long", NULL, NULL);
}

static int32_t default_root(struct arc_options *o, pdk_error *err) {
    const char *state = getenv("STATE_DIRECTORY"), *home = getenv("HOME"), *xdg = getenv("XDG_STATE_HOME");
    if (state && *state == '/') return join(o, state, strcspn(state, ":"), "archive", err);
    if (geteuid() == 0) return join(o, "/var/lib/paddock", 16, "archive", err);
    if (xdg && *xdg == '/') return join(o, xdg, strlen(xdg), "paddock/archive", err);
    if (home && *home == '/') return join(o, home, strlen(home), ".local/state/paddock/archive", err);
    return pdk_fail(err, -EINVAL, NULL, "there is no folder for it: write path", NULL, NULL);
}

static int32_t read_root(const pdk_host *host, const pdk_value *config, struct arc_options *o, pdk_error *err) {
    const char *path = NULL;
    int32_t rc = pdk_take_string(host, config, "path", &path, err);
    if (rc < 0) return rc;
    if (!path) return default_root(o, err);
    if (!*path || strlen(path) >= sizeof o->root)
        return pdk_fail(err, -EINVAL, host->values->get(config, "path"), "the name of a folder is wanted", NULL, NULL);
    (void)snprintf(o->root, sizeof o->root, "%s", path);
    return 0;
}

static int32_t read_output(const pdk_host *host, const pdk_value *map, struct arc_options *o, pdk_error *err) {
    const struct {
        const char *key;
        uint64_t *to;
    } sizes[] = {{"attempt", &o->attempt},
                 {"task", &o->task},
                 {"total", &o->total},
                 {"segment", &o->segment},
                 {"buffer", &o->buffer}};
    int32_t rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof sizes / sizeof *sizes; i++)
        rc = pdk_take_size(host, map, sizes[i].key, sizes[i].to, err);
    if (rc == 0) rc = pdk_take_duration(host, map, "age", &o->output_age, err);
    if (rc == 0) rc = pdk_take_boolean(host, map, "compress", &o->compress, err);
    if (rc == 0) rc = pdk_take_duration(host, map, "compress_after", &o->compress_after, err);
    return rc;
}

int32_t arc_options_read(const pdk_host *host, const pdk_value *config, struct arc_options *o, pdk_error *err) {
    const pdk_value *kept = host->values->get(config, "history");
    *o = (struct arc_options){.segment = 4 << 20,
                              .attempt = 64 << 20,
                              .task = 256 << 20,
                              .total = 1 << 30,
                              .buffer = 32 << 20,
                              .output_age = SECOND * 86400 * 30,
                              .compress_after = 600 * SECOND,
                              .compress = 1,
                              .runs = 100000,
                              .history_age = SECOND * 86400 * 90};
    int32_t rc = read_root(host, config, o, err);
    if (rc == 0) rc = read_output(host, host->values->get(config, "output"), o, err);
    if (rc == 0) rc = pdk_take_integer(host, kept, "runs", &o->runs, err);
    if (rc == 0) rc = pdk_take_duration(host, kept, "age", &o->history_age, err);
    return rc;
}
