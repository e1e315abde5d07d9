/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retries of a job outlive us, so the queue does what the spec says of them, and its run has none of its own. A declared
 * task keeps its own: to the queue all of them together are one attempt.
 */
#include <errno.h>

#include "params.h"

static const struct queue_backoff of_spec = {200, 30000, 2000, 2}; /* what the fields of a spec fall back to */

static const char *const own[] = {"input", "retries", "backoff", "restart", NULL};

static int32_t read_ms(const pdk_host *host, const pdk_value *map, const char *key, int64_t *ret, pdk_error *err) {
    uint64_t ns = 0;
    const pdk_value *value = host->values->get(map, key);
    int32_t rc = pdk_take_duration(host, map, key, &ns, err);
    if (rc < 0 || host->values->type(value) == PDK_NULL) return rc;
    if (ns < 1000000 || ns / 1000000 > (uint64_t)QUEUE_MAX_DELAY)
        return pdk_failf(err, -EINVAL, value, "'%s' wants 1ms to 365d", key);
    *ret = (int64_t)(ns / 1000000);
    return 0;
}

static int32_t read_factor(const pdk_host *host, const pdk_value *map, int64_t *ret, pdk_error *err) {
    double factor = (double)*ret / 1000;
    int32_t rc = pdk_take_number(host, map, "factor", &factor, err);
    if (rc < 0) return rc;
    if (!(factor >= 1 && factor <= 100))
        return pdk_failf(err, -EINVAL, host->values->get(map, "factor"), "'factor' wants 1 to 100");
    *ret = (int64_t)(factor * 1000 + 0.5);
    return 0;
}

static int32_t read_jitter(const pdk_host *host, const pdk_value *map, int64_t *ret, pdk_error *err) {
    const char *word = queue_jitters[*ret];
    int32_t rc = pdk_take_string(host, map, "jitter", &word, err);
    int index = rc < 0 ? 0 : queue_index(queue_jitters, word);
    if (index < 0)
        return pdk_failf(err, -EINVAL, host->values->get(map, "jitter"),
                         "'jitter' wants none, full, equal or decorrelated");
    *ret = index;
    return rc;
}

static int32_t read_backoff(const pdk_host *host, const pdk_value *value, struct queue_backoff *ret, pdk_error *err) {
    static const char *const keys[] = {"first", "max", "factor", "jitter", "reset", NULL};
    const pdk_values *values = host->values;
    uint64_t ns;
    *ret = of_spec;
    if (values->duration(value, &ns) == 0 && ns / 1000000 <= (uint64_t)QUEUE_MAX_DELAY) {
        int64_t pause = (int64_t)(ns / 1000000);
        *ret = (struct queue_backoff){pause, pause, 1000, 0};
        return 0;
    }
    if (values->type(value) != PDK_MAP) return pdk_wrong(host, value, "backoff", "a duration or a map", err);
    for (size_t i = 0; i < values->count(value); i++) {
        if (queue_index(keys, values->key_at(value, i)) < 0)
            return pdk_failf(err, -EINVAL, values->at(value, i), "'backoff' has no '%.60s'", values->key_at(value, i));
    }
    int32_t rc = read_ms(host, value, "first", &ret->first, err);
    if (rc == 0) rc = read_ms(host, value, "max", &ret->max, err);
    if (rc == 0) rc = read_factor(host, value, &ret->factor, err);
    if (rc == 0) rc = read_jitter(host, value, &ret->jitter, err);
    if (rc == 0 && ret->first > ret->max) ret->max = ret->first;
    return rc;
}

/* A number, or a map with `limit`. */
static int32_t read_retries(const pdk_host *host, const pdk_value *value, int64_t *max_attempts, pdk_error *err) {
    const pdk_values *values = host->values;
    const pdk_value *limit = values->type(value) == PDK_MAP ? values->get(value, "limit") : value;
    const char *word;
    int64_t number = 0;
    if (values->string(limit, &word) == 0 && strcmp(word, "unlimited") == 0)
        number = QUEUE_MAX_ATTEMPTS - 1;
    else if (values->integer(limit, &number) < 0 || number < 0)
        return pdk_wrong(host, value, "retries", "a number, or unlimited", err);
    *max_attempts = number < QUEUE_MAX_ATTEMPTS ? number + 1 : QUEUE_MAX_ATTEMPTS;
    return 0;
}

static bool is_own(const pdk_host *host, const pdk_value *spec) {
    return host->values->get(spec, "task") == NULL;
}

int32_t queue_policy_read(const pdk_host *host, const pdk_value *spec, int64_t *max_attempts,
                          struct queue_backoff *backoff, pdk_error *err) {
    const pdk_values *values = host->values;
    const pdk_value *retries = values->get(spec, "retries"), *pauses = values->get(spec, "backoff");
    const char *restart = "";
    int32_t rc = 0;
    if (!is_own(host, spec)) return 0;
    if (values->string(values->get(spec, "restart"), &restart) < 0) restart = "";
    if (strcmp(restart, "never") == 0 && (retries || pauses))
        return pdk_failf(err, -EINVAL, values->get(spec, "restart"), "restart: never contradicts %s",
                         retries ? "retries" : "backoff");
    if (retries)
        rc = read_retries(host, retries, max_attempts, err);
    else if (strcmp(restart, "on-failure") == 0 || pauses)
        *max_attempts = QUEUE_MAX_ATTEMPTS;
    if (rc == 0 && pauses) rc = read_backoff(host, pauses, backoff, err);
    return rc;
}

/* restart: always stays, so that it is refused where all of its kind are. */
static bool is_kept_apart(const pdk_host *host, const pdk_value *spec, size_t i) {
    const pdk_values *values = host->values;
    const char *key = values->key_at(spec, i), *restart;
    int at = queue_index(own, key);
    if (at < 0 || (at > 0 && !is_own(host, spec))) return false;
    if (strcmp(key, "restart") != 0) return true;
    return values->string(values->at(spec, i), &restart) == 0 &&
           (strcmp(restart, "never") == 0 || strcmp(restart, "on-failure") == 0);
}

int32_t queue_policy_strip(const pdk_host *host, const pdk_value *spec, const pdk_value **ret, pdk_error *err) {
    const pdk_values *values = host->values;
    size_t count = values->count(spec), i = 0;
    pdk_writer *writer;
    *ret = NULL;
    while (i < count && !is_kept_apart(host, spec, i)) i++;
    if (i == count) return 0;
    writer = values->open(values);
    values->put_map(writer);
    for (i = 0; i < count; i++) {
        if (is_kept_apart(host, spec, i)) continue;
        values->key(writer, values->key_at(spec, i));
        values->put_value(writer, values->at(spec, i));
    }
    values->end(writer);
    return values->close(writer, ret, err);
}
