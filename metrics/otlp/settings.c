/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wanted: a key of `config:`, else the variable of the signal, else the one of all signals, else the default.
 * A variable that is empty is not set, and one that makes no sense is warned of and passed over: both as OpenTelemetry
 * says. What would send things elsewhere than was meant is an error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "otlp.h"

static const char *const parts[PDK_OTLP_SIGNALS] = {"TRACES_", "METRICS_"};
static const char *const paths[PDK_OTLP_SIGNALS] = {"v1/traces", "v1/metrics"};

struct reading {
    struct pdk_otlp *self;
    const pdk_value *config;
    pdk_error *err;
    int32_t rc; /* the first fault */
};

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void warn(const struct reading *r, const char *name, const char *value, const char *what) {
    pdk_logf(r->self->host, PDK_LOG_WARN, 0, "%s=%.200s %s", name, value, what);
}

/* The variable of OTEL_EXPORTER_OTLP_ for this signal, or for all. ret_name: which one it was. */
static const char *exporter(enum pdk_otlp_kind kind, const char *end, char *ret_name, size_t size) {
    (void)snprintf(ret_name, size, "OTEL_EXPORTER_OTLP_%s%s", parts[kind], end);
    const char *value = variable(ret_name);
    if (value) return value;
    (void)snprintf(ret_name, size, "OTEL_EXPORTER_OTLP_%s", end);
    return variable(ret_name);
}

static const char *key_text(struct reading *r, const char *key) {
    const char *text = NULL;
    int32_t rc = pdk_take_string(r->self->host, r->config, key, &text, r->err);
    if (rc && !r->rc) r->rc = rc;
    return text && *text ? text : NULL;
}

static const char *keep(struct reading *r, const char *text) {
    const char *copy = text ? pdk_otlp_text(&r->self->arena, text, strlen(text)) : NULL;
    if (text && !copy) r->rc = -ENOMEM;
    return copy;
}

static const char *text_of(struct reading *r, enum pdk_otlp_kind kind, const char *key, const char *end) {
    char name[64];
    const char *text = key_text(r, key);
    return keep(r, text ? text : exporter(kind, end, name, sizeof name));
}

/* Of a variable: whole milliseconds. */
static void time_of(struct reading *r, const char *key, const char *name, const char *value, uint64_t *ret) {
    uint64_t given = 0;
    int32_t rc = pdk_take_duration(r->self->host, r->config, key, &given, r->err);
    if (rc && !r->rc) r->rc = rc;
    if (given || !value) {
        if (given) *ret = given;
        return;
    }
    char *end;
    errno = 0;
    unsigned long long ms = strtoull(value, &end, 10);
    if (*end || errno || *value < '0' || *value > '9' || ms == 0 || ms > 86400000)
        warn(r, name, value, "is not a number of milliseconds, and is passed over");
    else
        *ret = ms * 1000000;
}

static void time_named(struct reading *r, const char *key, const char *name, uint64_t *ret) {
    time_of(r, key, name, variable(name), ret);
}

static void count_of(struct reading *r, const char *key, const char *name, uint32_t *ret) {
    int64_t given = 0;
    const char *value = variable(name);
    int32_t rc = pdk_take_integer(r->self->host, r->config, key, &given, r->err);
    if (rc && !r->rc) r->rc = rc;
    if (given > 0) *ret = (uint32_t)given;
    if (given || !value) return;
    char *end;
    unsigned long long count = strtoull(value, &end, 10);
    if (*end || *value < '0' || *value > '9' || count == 0 || count > 1000000)
        warn(r, name, value, "is not a number from 1 to 1000000, and is passed over");
    else
        *ret = (uint32_t)count;
}

/* ---- where to */

static void fault(struct reading *r, const pdk_value *at, const char *what, const char *found, const char *why) {
    if (r->rc) return;
    /* The host says where a value stands; a variable must be named. */
    r->rc = at ? pdk_failf(r->err, -EINVAL, at, "%.200s %s", found, why)
               : pdk_failf(r->err, -EINVAL, NULL, "%s: %.200s %s", what, found, why);
}

static int32_t check_url(const char *text) {
    if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0) return -EINVAL;
    CURLU *url = curl_url();
    CURLUcode rc = url ? curl_url_set(url, CURLUPART_URL, text, 0) : CURLUE_OUT_OF_MEMORY;
    curl_url_cleanup(url);
    return rc == CURLUE_OK ? 0 : rc == CURLUE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
}

/* Of all signals: below it each has a path of its own. */
static const char *below(struct reading *r, const char *base, const char *path) {
    size_t size = strlen(base), whole = size + strlen(path) + 2;
    char *url = pdk_otlp_take(&r->self->arena, whole, 1);
    if (url) (void)snprintf(url, whole, "%s%s%s", base, size && base[size - 1] == '/' ? "" : "/", path);
    if (!url) r->rc = -ENOMEM;
    return url;
}

static void read_url(struct reading *r, enum pdk_otlp_kind kind) {
    static const char *const keys[] = {"traces_endpoint", "metrics_endpoint"};
    const pdk_values *values = r->self->host->values;
    struct pdk_otlp_signal *signal = &r->self->signals[kind];
    char name[64];
    const char *own = key_text(r, keys[kind]), *all = key_text(r, "endpoint"), *from = own ? keys[kind] : "endpoint";
    const pdk_value *at = own || all ? values->get(r->config, from) : NULL;
    if (!own && !all) {
        (void)snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_%sENDPOINT", parts[kind]);
        own = variable(name);
        if (!own) (void)snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_ENDPOINT");
        if (!own) all = variable(name);
        from = name;
    }
    if (!own && !all) all = "http://localhost:4318";
    signal->url = own ? keep(r, own) : below(r, all, paths[kind]);
    int32_t rc = signal->url ? check_url(signal->url) : -ENOMEM;
    if (rc == -ENOMEM) r->rc = rc;
    if (rc == -EINVAL) fault(r, at, from, own ? own : all, "is not a URL such as http://localhost:4318");
}

static void read_protocol(struct reading *r, enum pdk_otlp_kind kind) {
    char name[64];
    const char *protocol = exporter(kind, "PROTOCOL", name, sizeof name);
    if (protocol && strcmp(protocol, "http/protobuf") != 0)
        fault(r, NULL, name, protocol, "is not spoken here, only http/protobuf, most often on port 4318");
}

static void read_compression(struct reading *r, enum pdk_otlp_kind kind) {
    char name[64];
    const char *key = key_text(r, "compression"), *value = exporter(kind, "COMPRESSION", name, sizeof name);
    const char *wanted = key ? key : value ? value : "none";
    r->self->signals[kind].gzip = !strcmp(wanted, "gzip");
    if (strcmp(wanted, "gzip") != 0 && strcmp(wanted, "none") != 0) warn(r, name, wanted, "is not gzip: none is used");
}

/* ---- pairs */

static void read_list(struct reading *r, struct pdk_otlp_pairs *pairs, const char *name) {
    const char *value = variable(name);
    int32_t rc = value ? pdk_otlp_pairs_read(&r->self->arena, pairs, value) : 0;
    /* The value is not said: headers hold secrets. */
    if (rc == -ENOMEM)
        r->rc = rc;
    else if (rc < 0)
        pdk_logf(r->self->host, PDK_LOG_WARN, 0, "%s is %s, and is passed over", name,
                 rc == -E2BIG ? "of more than 128 pairs" : "not a list such as a=b,c=d%20e");
}

static void read_map(struct reading *r, struct pdk_otlp_pairs *pairs, const char *key, bool exact) {
    const pdk_values *values = r->self->host->values;
    const pdk_value *map = values->get(r->config, key);
    for (size_t i = 0; i < values->count(map); i++) {
        const char *text = "";
        if (pdk_text(r->self->host, values->at(map, i), &text)) {
            fault(r, values->at(map, i), key, values->key_at(map, i), "wants a plain string");
        } else if (pdk_otlp_pairs_set(pairs, keep(r, values->key_at(map, i)), keep(r, text), exact) < 0) {
            fault(r, map, key, values->key_at(map, i), "is one too many: 128 are the most");
            return;
        }
    }
}

/* A line of HTTP, and nothing more than one. */
static bool is_header(const struct pdk_otlp_pair *pair) {
    if (!pair->key[0] || strpbrk(pair->key, " \t\r\n:()<>@,;\\\"/[]?={}")) return false;
    for (const char *at = pair->value; *at; at++)
        if ((unsigned char)*at < ' ' && *at != '\t') return false;
    return true;
}

static void make_lines(struct reading *r, struct pdk_otlp_signal *signal) {
    char line[4096];
    for (uint32_t i = 0; i < signal->headers.count && !r->rc; i++) {
        const struct pdk_otlp_pair *pair = &signal->headers.list[i];
        if (!is_header(pair) || strlen(pair->key) + strlen(pair->value) + 3 > sizeof line) {
            fault(r, NULL, "headers", pair->key, "and its value are not a header of HTTP");
            return;
        }
        /* One without a value is written so that it is sent all the same. */
        (void)snprintf(line, sizeof line, *pair->value ? "%s: %s" : "%s;", pair->key, pair->value);
        struct curl_slist *lines = curl_slist_append(signal->lines, line);
        if (!lines) r->rc = -ENOMEM;
        if (lines) signal->lines = lines;
    }
}

static void read_headers(struct reading *r, enum pdk_otlp_kind kind) {
    struct pdk_otlp_signal *signal = &r->self->signals[kind];
    char name[64];
    (void)snprintf(name, sizeof name, "OTEL_EXPORTER_OTLP_%sHEADERS", parts[kind]);
    read_list(r, &signal->headers, "OTEL_EXPORTER_OTLP_HEADERS");
    read_list(r, &signal->headers, name);
    read_map(r, &signal->headers, "headers", false);
    struct curl_slist *lines = curl_slist_append(NULL, "Content-Type: application/x-protobuf");
    signal->lines = lines;
    lines = lines ? curl_slist_append(lines, "Expect:") : NULL; /* no question before the body */
    if (lines && signal->gzip) lines = curl_slist_append(lines, "Content-Encoding: gzip");
    if (!lines) r->rc = -ENOMEM;
    make_lines(r, signal);
}

/* ---- the resource: who we are */

static const char *instance_id(struct reading *r) {
    char text[37];
    FILE *random = fopen("/proc/sys/kernel/random/uuid", "re");
    bool good = random && fgets(text, sizeof text, random);
    if (random) (void)fclose(random);
    return good ? keep(r, text) : NULL;
}

static void set_default(struct reading *r, const char *key, const char *value) {
    if (value && !pdk_otlp_pairs_get(&r->self->resource, key))
        (void)pdk_otlp_pairs_set(&r->self->resource, key, value, true);
}

static void read_resource(struct reading *r) {
    struct pdk_otlp_pairs *resource = &r->self->resource;
    const pdk_host *host = r->self->host;
    const char *service = key_text(r, "service_name");
    const char *named = variable("OTEL_SERVICE_NAME");
    char name[256] = "";
    read_list(r, resource, "OTEL_RESOURCE_ATTRIBUTES");
    if (named) (void)pdk_otlp_pairs_set(resource, "service.name", keep(r, named), true);
    read_map(r, resource, "resource", true);
    if (service) (void)pdk_otlp_pairs_set(resource, "service.name", keep(r, service), true);
    if (gethostname(name, sizeof name - 1) == 0 && *name) set_default(r, "host.name", keep(r, name));
    set_default(r, "service.name", keep(r, host->name));
    set_default(r, "service.version", keep(r, host->version));
    set_default(r, "service.instance.id", instance_id(r));
    set_default(r, "telemetry.sdk.name", "paddock");
    set_default(r, "telemetry.sdk.language", "c");
    set_default(r, "telemetry.sdk.version", keep(r, host->version));
}

/* ---- what is sent at all */

/* A list of exporters, of which we are one. */
static bool is_listed(const char *list, const char *word) {
    size_t n = strlen(word);
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        while (*at == ' ') at++;
        if (!strncmp(at, word, n) && (at[n] == '\0' || at[n] == ',' || at[n] == ' ')) return true;
    }
    return false;
}

static void read_on(struct reading *r, enum pdk_otlp_kind kind) {
    static const char *const keys[] = {"traces", "metrics"}, *const names[] = {"OTEL_TRACES_EXPORTER",
                                                                               "OTEL_METRICS_EXPORTER"};
    struct pdk_otlp_signal *signal = &r->self->signals[kind];
    const char *value = variable(names[kind]);
    int32_t on = -1, rc = pdk_take_boolean(r->self->host, r->config, keys[kind], &on, r->err);
    if (rc && !r->rc) r->rc = rc;
    signal->on = on < 0 ? !value || is_listed(value, "otlp") : on;
    if (on < 0 && value && !signal->on && strcmp(value, "none") != 0)
        warn(r, names[kind], value, "has no otlp, so nothing is sent");
}

static void read_signal(struct reading *r, enum pdk_otlp_kind kind) {
    struct pdk_otlp_signal *signal = &r->self->signals[kind];
    char name[64];
    const char *timeout;
    read_on(r, kind);
    if (!signal->on) return;
    read_protocol(r, kind);
    read_url(r, kind);
    read_compression(r, kind);
    read_headers(r, kind);
    timeout = exporter(kind, "TIMEOUT", name, sizeof name);
    signal->timeout = 10 * PDK_OTLP_SECOND;
    time_of(r, "timeout", name, timeout, &signal->timeout);
    signal->export_timeout = 30 * PDK_OTLP_SECOND;
    time_named(r, "export_timeout", kind == PDK_OTLP_TRACES ? "OTEL_BSP_EXPORT_TIMEOUT" : "OTEL_METRIC_EXPORT_TIMEOUT",
               &signal->export_timeout);
    signal->certificate = text_of(r, kind, "certificate", "CERTIFICATE");
    signal->client_certificate = text_of(r, kind, "client_certificate", "CLIENT_CERTIFICATE");
    signal->client_key = text_of(r, kind, "client_key", "CLIENT_KEY");
}

static void read_sampler(struct reading *r) {
    const char *name = key_text(r, "sampler"), *given = variable("OTEL_TRACES_SAMPLER"), *why;
    const char *argument = variable("OTEL_TRACES_SAMPLER_ARG");
    double ratio = -1;
    char text[32];
    int32_t rc = pdk_take_number(r->self->host, r->config, "sampler_ratio", &ratio, r->err);
    if (rc && !r->rc) r->rc = rc;
    (void)snprintf(text, sizeof text, "%.17g", ratio);
    if (ratio >= 0) argument = text;
    if (!name) name = given ? given : "parentbased_always_on";
    if (!pdk_otlp_sampler_read(name, argument, &r->self->sampler, &why))
        warn(r, strstr(why, "ratio") ? "OTEL_TRACES_SAMPLER_ARG" : "OTEL_TRACES_SAMPLER",
             strstr(why, "ratio") ? argument : name, why);
}

static void read_sizes(struct reading *r) {
    struct pdk_otlp_queue *queue = &r->self->queue;
    queue->limit = 2048;
    queue->batch = 512;
    r->self->delay = 5 * PDK_OTLP_SECOND;
    r->self->interval = 60 * PDK_OTLP_SECOND;
    r->self->flush = 3 * PDK_OTLP_SECOND;
    r->self->store.max_series = 10000;
    count_of(r, "queue", "OTEL_BSP_MAX_QUEUE_SIZE", &queue->limit);
    count_of(r, "batch", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", &queue->batch);
    if (queue->batch > queue->limit) queue->batch = queue->limit;
    time_named(r, "delay", "OTEL_BSP_SCHEDULE_DELAY", &r->self->delay);
    time_named(r, "interval", "OTEL_METRIC_EXPORT_INTERVAL", &r->self->interval);
    int32_t rc = pdk_take_duration(r->self->host, r->config, "flush", &r->self->flush, r->err);
    if (!rc) rc = pdk_take_integer(r->self->host, r->config, "max_series", &r->self->store.max_series, r->err);
    if (rc && !r->rc) r->rc = rc;
}

int32_t pdk_otlp_settings(struct pdk_otlp *self, const pdk_value *config, pdk_error *err) {
    struct reading r = {self, config, err, 0};
    const char *disabled = variable("OTEL_SDK_DISABLED");
    self->disabled = disabled && !strcasecmp(disabled, "true");
    if (self->disabled) return 0;
    self->signals[PDK_OTLP_TRACES].word = "spans";
    self->signals[PDK_OTLP_METRICS].word = "metrics";
    for (int kind = 0; kind < PDK_OTLP_SIGNALS && !r.rc; kind++) read_signal(&r, (enum pdk_otlp_kind)kind);
    if (!r.rc) read_sampler(&r);
    if (!r.rc) read_sizes(&r);
    if (!r.rc) read_resource(&r);
    if (!r.rc && self->arena.failed) r.rc = -ENOMEM;
    return r.rc;
}
