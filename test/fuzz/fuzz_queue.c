/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON as what a verb of the queue is given: refused with words, or read into numbers that are within their bounds. */
#include <string.h>

#include "core/value/value.h"
#include "fuzz.h"
#include "params.h"

static void check(const struct queue_params *params) {
    MUST(params->priority >= -QUEUE_MAX_PRIORITY && params->priority <= QUEUE_MAX_PRIORITY);
    MUST(params->delay >= 0 && params->delay <= QUEUE_MAX_DELAY);
    MUST(params->max_attempts >= 0 && params->max_attempts <= QUEUE_MAX_ATTEMPTS);
    MUST(params->limit >= 1 && params->limit <= 1000 && params->job_id >= 0 && params->after >= 0);
    MUST(!params->topic || queue_topic_is_name(params->topic));
    MUST(!params->key || strlen(params->key) < QUEUE_KEY_SIZE);
    MUST(params->mode >= 0 && params->mode <= QUEUE_DEBOUNCE);
}

static void check_policy(const pdk_host *host, const pdk_value *spec) {
    struct queue_backoff backoff = queue_default_backoff;
    pdk_error err = PDK_ERROR;
    const pdk_value *stripped = NULL, *again = NULL;
    int64_t attempts = 1;
    if (queue_policy_read(host, spec, &attempts, &backoff, &err) < 0) {
        MUST(err.message[0]);
        return;
    }
    MUST(attempts >= 1 && attempts <= QUEUE_MAX_ATTEMPTS);
    for (int64_t attempt = 1; attempt < 80; attempt++) {
        int64_t pause = queue_life_backoff(&backoff, attempt, (uint64_t)attempt * 0x9E3779B97F4A7C15u);
        MUST(pause >= 0 && pause <= backoff.max);
    }
    MUST(queue_policy_strip(host, spec, &stripped, &err) == 0);
    if (!stripped) return;
    MUST(!host->values->get(stripped, "input"));
    MUST(queue_policy_strip(host, stripped, &again, &err) == 0 && !again);
    host->values->drop(stripped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const pdk_values *values = pdk_values_get();
    const pdk_host host = {.struct_size = sizeof host, .values = values};
    const pdk_value *given = NULL;
    struct queue_params params;
    pdk_error err = PDK_ERROR;
    if (values->parse(values, (const char *)data, size, "fuzz", &given, &err) < 0) return 0;
    if (queue_params_read(&host, "submit", UINT32_MAX, 0, given, &params, &err) < 0) {
        MUST(err.message[0]);
    } else {
        check(&params);
        if (params.spec) check_policy(&host, params.spec);
    }
    values->drop(given);
    return 0;
}
