/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <stdio.h>
#include <time.h>

void queue_answer_open(struct queue_answer *answer, const pdk_host *host) {
    memset(answer, 0, sizeof *answer);
    answer->values = host->values;
    answer->writer = host->values->open(host->values);
    answer->now = (int64_t)(host->unix_ns(host) / 1000000);
    answer->values->put_map(answer->writer);
}

int32_t queue_answer_close(struct queue_answer *answer, const pdk_value **ret, pdk_error *err) {
    answer->values->end(answer->writer);
    return answer->values->close(answer->writer, ret, err);
}

void queue_answer_key(struct queue_answer *answer, const char *key) {
    answer->values->key(answer->writer, key);
}

void queue_answer_int(struct queue_answer *answer, const char *key, int64_t number) {
    queue_answer_key(answer, key);
    answer->values->put_int(answer->writer, number);
}

void queue_answer_bool(struct queue_answer *answer, const char *key, bool value) {
    queue_answer_key(answer, key);
    answer->values->put_bool(answer->writer, value);
}

static void put_text(struct queue_answer *answer, const char *key, const char *text) {
    if (!text || !*text) return;
    queue_answer_key(answer, key);
    answer->values->put_string(answer->writer, text, strlen(text));
}

void queue_answer_id(struct queue_answer *answer, const char *key, int64_t id) {
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)id);
    put_text(answer, key, text);
}

static void put_time(struct queue_answer *answer, const char *key, int64_t ms) {
    time_t seconds = (time_t)(ms / 1000);
    char day[32], text[64];
    struct tm tm;
    if (ms <= 0 || !gmtime_r(&seconds, &tm) || !strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm)) return;
    (void)snprintf(text, sizeof text, "%s.%03dZ", day, (int)(ms % 1000));
    put_text(answer, key, text);
}

/* What was stored as JSON. It was ours, so it reads; if it does not, it is shown as it is. */
static void put_json(struct queue_answer *answer, const char *key, const char *json) {
    const pdk_value *value = NULL;
    if (!json) return;
    if (answer->values->parse(answer->values, json, strlen(json), key, &value, NULL) < 0) {
        put_text(answer, key, json);
        return;
    }
    queue_answer_key(answer, key);
    answer->values->put_value(answer->writer, value);
    answer->values->drop(value);
}

static void put_end(struct queue_answer *answer, const struct queue_job *job) {
    put_text(answer, "outcome", queue_outcomes[job->outcome]);
    queue_answer_bool(answer, "dead", job->dead);
    if (job->exit_code) queue_answer_int(answer, "exit_code", job->exit_code);
    if (job->signal) queue_answer_int(answer, "signal", job->signal);
}

void queue_answer_job(struct queue_answer *answer, const struct queue_job *job) {
    queue_answer_id(answer, "job_id", job->id);
    put_text(answer, "task", job->name);
    put_text(answer, "kind", job->kind);
    put_text(answer, "topic", job->topic);
    put_text(answer, "state", queue_states[job->state]);
    queue_answer_int(answer, "priority", job->priority);
    queue_answer_int(answer, "attempts", job->counts.attempts);
    queue_answer_int(answer, "max_attempts", job->counts.max_attempts);
    queue_answer_int(answer, "rescues", job->counts.rescues);
    queue_answer_int(answer, "snoozes", job->counts.snoozes);
    put_text(answer, "run_id", job->run_id);
    put_text(answer, "traceparent", job->trace);
    if (job->state == QUEUE_ENDED) put_end(answer, job);
    put_text(answer, "code", job->code);
    put_text(answer, "message", job->message);
    put_time(answer, "submitted_at", job->submitted);
    put_time(answer, "due_at", job->due);
    put_time(answer, "started_at", job->started);
    put_time(answer, "ended_at", job->ended);
    put_json(answer, "spec", job->spec);
    put_json(answer, "input", job->input);
    put_json(answer, "output", job->output);
}

void queue_answer_attempt(struct queue_answer *answer, const struct queue_attempt *attempt) {
    answer->values->put_map(answer->writer);
    queue_answer_int(answer, "claim", attempt->number);
    put_text(answer, "fate", queue_fates[attempt->fate]);
    put_time(answer, "started_at", attempt->started);
    put_time(answer, "ended_at", attempt->ended);
    put_text(answer, "run_id", attempt->run_id);
    put_text(answer, "code", attempt->code);
    put_text(answer, "message", attempt->message);
    answer->values->end(answer->writer);
}

static void put_counts(struct queue_answer *answer, const int64_t *jobs, int64_t oldest) {
    int64_t age = oldest && answer->now > oldest ? answer->now - oldest : 0;
    for (size_t i = 0; i < QUEUE_STATES; i++) queue_answer_int(answer, queue_counted[i], jobs[i]);
    queue_answer_key(answer, "oldest_age_seconds");
    answer->values->put_number(answer->writer, (double)age / 1000);
}

void queue_answer_topic(struct queue_answer *answer, const struct queue_topic *topic) {
    put_text(answer, "topic", topic->name);
    queue_answer_bool(answer, "paused", topic->paused);
    queue_answer_int(answer, "limit", topic->limit);
    put_counts(answer, topic->jobs, topic->oldest);
    for (size_t i = 0; i < QUEUE_STATES; i++) answer->totals[i] += topic->jobs[i];
    if (topic->oldest && (!answer->oldest || topic->oldest < answer->oldest)) answer->oldest = topic->oldest;
}

void queue_answer_totals(struct queue_answer *answer) {
    queue_answer_key(answer, "totals");
    answer->values->put_map(answer->writer);
    put_counts(answer, answer->totals, answer->oldest);
    answer->values->end(answer->writer);
}
