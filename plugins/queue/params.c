/* SPDX-License-Identifier: Apache-2.0 */
#include "params.h"

#include <errno.h>
#include <stdlib.h>

typedef int32_t (*reader)(const pdk_host *, const pdk_value *, const char *key, struct queue_params *, pdk_error *);

bool queue_topic_is_name(const char *text) {
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t size = strlen(text);
    return size > 0 && size < QUEUE_TOPIC_SIZE && strspn(text, good) == size;
}

/* ---- values ---- */

static int32_t read_text(const pdk_host *host, const pdk_value *value, const char *key, size_t max, const char **ret,
                         pdk_error *err) {
    int32_t rc = pdk_text(host, value, ret);
    if (rc < 0) return pdk_wrong(host, value, key, "a plain string", err);
    if (!**ret || strlen(*ret) >= max) return pdk_failf(err, -EINVAL, value, "'%s' wants 1 to %zu bytes", key, max - 1);
    return 0;
}

static int32_t read_int(const pdk_host *host, const pdk_value *value, const char *key, int64_t min, int64_t max,
                        int64_t *ret, pdk_error *err) {
    int64_t number;
    if (host->values->integer(value, &number) < 0) return pdk_wrong(host, value, key, "an integer", err);
    if (number < min || number > max)
        return pdk_failf(err, -EINVAL, value, "'%s' wants %lld to %lld", key, (long long)min, (long long)max);
    *ret = number;
    return 0;
}

/* Ids are strings to whom numbers of 64 bits mean nothing, as in JavaScript; numbers will do. */
static int32_t read_id(const pdk_host *host, const pdk_value *value, const char *key, int64_t min, int64_t *ret,
                       pdk_error *err) {
    const char *text = "", *digit;
    char *end;
    if (pdk_text(host, value, &text) < 0) return read_int(host, value, key, min, INT64_MAX, ret, err);
    for (digit = text; *digit >= '0' && *digit <= '9'; digit++) continue;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    if (!*text || *digit || errno || *ret < min)
        return pdk_failf(err, -EINVAL, value, "'%s' wants the id of a job, a number", key);
    return 0;
}

static int32_t read_word(const pdk_host *host, const pdk_value *value, const char *key, const char *const *words,
                         int32_t *ret, pdk_error *err) {
    char list[256] = "";
    const char *text;
    if (pdk_text(host, value, &text) == 0 && (*ret = queue_index(words, text)) >= 0) return 0;
    for (size_t i = 0; words[i]; i++) {
        if (i) pdk_append(list, sizeof list, words[i + 1] ? ", " : " or ");
        pdk_append(list, sizeof list, words[i]);
    }
    return pdk_failf(err, -EINVAL, value, "'%s' wants %s", key, list);
}

/* One of the words, or a list of such: bits of 1 << index. */
static int32_t read_words(const pdk_host *host, const pdk_value *value, const char *key, const char *const *words,
                          uint32_t *ret, pdk_error *err) {
    const pdk_values *v = host->values;
    size_t count = v->type(value) == PDK_LIST ? v->count(value) : 0, i = 0;
    do {
        int32_t index = 0, rc = read_word(host, count ? v->at(value, i) : value, key, words, &index, err);
        if (rc < 0) return rc;
        *ret |= UINT32_C(1) << index;
    } while (++i < count);
    return 0;
}

static int32_t read_seconds(const pdk_host *host, const pdk_value *value, const char *key, double max, int64_t *ret_ms,
                            pdk_error *err) {
    double number;
    if (host->values->number(value, &number) < 0) return pdk_wrong(host, value, key, "a number of seconds", err);
    if (!(number >= 0 && number <= max))
        return pdk_failf(err, -EINVAL, value, "'%s' wants 0 to %.0f seconds", key, max);
    *ret_ms = (int64_t)(number * 1000 + 0.5);
    return 0;
}

/* ---- parameters ---- */

static int32_t spec(const pdk_host *h, const pdk_value *v, const char *key, struct queue_params *p, pdk_error *err) {
    if (h->values->type(v) != PDK_MAP) return pdk_wrong(h, v, key, "a map, as a task in YAML", err);
    p->spec = v;
    return 0;
}
static int32_t topic(const pdk_host *h, const pdk_value *v, const char *key, struct queue_params *p, pdk_error *err) {
    int32_t rc = read_text(h, v, key, QUEUE_TOPIC_SIZE, &p->topic, err);
    if (rc < 0 || queue_topic_is_name(p->topic)) return rc;
    return pdk_failf(err, -EINVAL, v, "'%s' wants letters, digits, '.', '_' and '-'", key);
}
static int32_t priority(const pdk_host *h, const pdk_value *v, const char *key, struct queue_params *p,
                        pdk_error *err) {
    return read_int(h, v, key, -QUEUE_MAX_PRIORITY, QUEUE_MAX_PRIORITY, &p->priority, err);
}
static int32_t delay(const pdk_host *h, const pdk_value *v, const char *key, struct queue_params *p, pdk_error *err) {
    return read_seconds(h, v, key, (double)QUEUE_MAX_DELAY / 1000, &p->delay, err);
}
static int32_t unique(const pdk_host *h, const pdk_value *v, const char *key, struct queue_params *p, pdk_error *err) {
    static const char *const modes[] = {"keep", "replace", "debounce", NULL};
    const pdk_values *values = h->values;
    if (values->type(v) != PDK_MAP) return pdk_wrong(h, v, key, "a map with key and mode", err);
    for (size_t i = 0; i < values->count(v); i++) {
        const char *name = values->key_at(v, i);
        const pdk_value *at = values->at(v, i);
        int32_t rc;
        if (strcmp(name, "key") == 0)
            rc = read_text(h, at, name, QUEUE_KEY_SIZE, &p->unique, err);
        else if (strcmp(name, "mode") == 0)
            rc = read_word(h, at, name, modes, &p->mode, err);
        else
            rc = pdk_failf(err, -EINVAL, at, "'unique' has no '%.60s': it takes key and mode", name);
        if (rc < 0) return rc;
    }
    return p->unique ? 0 : pdk_failf(err, -EINVAL, v, "'unique' wants a key");
}
static int32_t key(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p, pdk_error *err) {
    return read_text(h, v, name, QUEUE_KEY_SIZE, &p->key, err);
}
static int32_t max_attempts(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p,
                            pdk_error *err) {
    return read_int(h, v, name, 1, QUEUE_MAX_ATTEMPTS, &p->max_attempts, err);
}
static int32_t job_id(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p, pdk_error *err) {
    return read_id(h, v, name, 1, &p->job_id, err);
}
static int32_t state(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p, pdk_error *err) {
    return read_words(h, v, name, queue_states, &p->states, err);
}
static int32_t outcome(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p,
                       pdk_error *err) {
    return read_words(h, v, name, queue_outcomes, &p->outcomes, err);
}
static int32_t task(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p, pdk_error *err) {
    return read_text(h, v, name, 254, &p->task, err);
}
static int32_t after(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p, pdk_error *err) {
    return read_id(h, v, name, 0, &p->after, err);
}
static int32_t limit(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p, pdk_error *err) {
    return read_int(h, v, name, 1, 1000, &p->limit, err);
}
static int32_t reason(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p, pdk_error *err) {
    return read_text(h, v, name, 1001, &p->reason, err);
}
static int32_t running(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p,
                       pdk_error *err) {
    return read_int(h, v, name, 0, QUEUE_MAX_RUNNING, &p->running, err);
}
static int32_t before(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p, pdk_error *err) {
    return read_seconds(h, v, name, 1e11, &p->before, err);
}
static int32_t trace(const pdk_host *h, const pdk_value *v, const char *name, struct queue_params *p, pdk_error *err) {
    int32_t rc = read_text(h, v, name, (size_t)2 * QUEUE_TRACE_SIZE, &p->trace, err);
    if (rc < 0 || queue_trace_is(p->trace)) return rc;
    return pdk_failf(err, -EINVAL, v, "'%s' wants 00-, 32, 16 and 2 hex digits with - between, as W3C says", name);
}

static const struct {
    const char *name;
    reader read;
} rows[] = {
    [QUEUE_P_SPEC] = {"spec", spec},
    [QUEUE_P_TOPIC] = {"topic", topic},
    [QUEUE_P_PRIORITY] = {"priority", priority},
    [QUEUE_P_DELAY] = {"delay_seconds", delay},
    [QUEUE_P_UNIQUE] = {"unique", unique},
    [QUEUE_P_KEY] = {"key", key},
    [QUEUE_P_MAX_ATTEMPTS] = {"max_attempts", max_attempts},
    [QUEUE_P_JOB] = {"job_id", job_id},
    [QUEUE_P_STATE] = {"state", state},
    [QUEUE_P_OUTCOME] = {"outcome", outcome},
    [QUEUE_P_TASK] = {"task", task},
    [QUEUE_P_AFTER] = {"after", after},
    [QUEUE_P_LIMIT] = {"limit", limit},
    [QUEUE_P_REASON] = {"reason", reason},
    [QUEUE_P_RUNNING] = {"running", running},
    [QUEUE_P_BEFORE] = {"before", before},
    [QUEUE_P_TRACE] = {"traceparent", trace},
};
enum { ROWS = sizeof rows / sizeof *rows };

static size_t row_of(const char *name) {
    size_t i = 0;
    while (i < ROWS && strcmp(rows[i].name, name) != 0) i++;
    return i;
}

static int32_t unknown(const char *verb, const char *name, uint32_t takes, const pdk_value *at, pdk_error *err) {
    char list[256] = "";
    for (size_t i = 0; i < ROWS; i++) {
        if (!(takes & 1u << i)) continue;
        if (*list) pdk_append(list, sizeof list, ", ");
        pdk_append(list, sizeof list, rows[i].name);
    }
    return pdk_failf(err, -EINVAL, at, "%s has no '%.60s': it takes %s", verb, name, *list ? list : "nothing");
}

int32_t queue_params_read(const pdk_host *host, const char *verb, uint32_t takes, uint32_t needs,
                          const pdk_value *params, struct queue_params *ret, pdk_error *err) {
    const pdk_values *values = host->values;
    *ret = (struct queue_params){.limit = 100, .running = -1};
    if (values->type(params) != PDK_MAP && values->type(params) != PDK_NULL)
        return pdk_failf(err, -EINVAL, params, "%s wants a map", verb);
    for (size_t i = 0; i < values->count(params); i++) {
        const char *name = values->key_at(params, i);
        const pdk_value *value = values->at(params, i);
        size_t row = row_of(name);
        if (row == ROWS || !(takes & 1u << row)) return unknown(verb, name, takes, value, err);
        if (values->type(value) == PDK_NULL) continue;
        int32_t rc = rows[row].read(host, value, name, ret, err);
        if (rc < 0) return rc;
        ret->given |= 1u << row;
    }
    for (size_t i = 0; i < ROWS; i++) {
        if (needs & ~ret->given & 1u << i) return pdk_failf(err, -EINVAL, params, "'%s' is missing", rows[i].name);
    }
    return 0;
}
