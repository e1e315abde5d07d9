/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of paddock.queue/1: each is read here, run on the writer's thread in its batch, and answered here again. */
#include <errno.h>
#include <stdlib.h>

#include "answer.h"
#include "instance.h"
#include "params.h"

enum { ASKED_MOST = 100000, PAGE_OF_PURGE = 10000 };
#define BIT(name) (1u << QUEUE_P_##name)

struct ask {
    struct queue_call call;
    struct queue *queue;
    const struct verb *verb;
    const pdk_value *given; /* held: an error may point into it */
    const pdk_value *at;    /* of the error */
    pdk_queue_answer answer;
    void *arg;
    struct queue_params params;
    struct queue_receipt receipt;
    struct queue_claim_call *claim; /* of submit: what may claim it on the spot; NULL: nothing does */
    struct queue_answer making;     /* [writer] */
    bool attempts;                  /* of show: their list is open */
    const pdk_value *value;
    struct queue_backoff backoff;
    char *spec, *input; /* of submit: JSON, ours */
    const char *name, *kind;
};

struct verb {
    const char *name;
    uint32_t takes, needs;
    struct queue_call_type type;
    int32_t (*prepare)(struct ask *, pdk_error *); /* [main] NULL: nothing to prepare */
};

static const struct pdk_host *host_of(const struct ask *ask) {
    return ask->queue->host;
}

static struct ask *ask_of(struct queue_call *call) {
    return (void *)call;
}

static void undo(struct queue_call *call) {
    struct ask *ask = ask_of(call);
    host_of(ask)->values->drop(ask->value);
    ask->value = NULL;
}

/* ---- answers that are made in the batch ---- */

static void begin_answer(struct ask *ask) {
    undo(&ask->call);
    queue_answer_open(&ask->making, host_of(ask));
}

/* The answer, or the error that there was before. */
static int32_t end_answer(struct ask *ask, int32_t rc, pdk_error *err) {
    if (rc < 0) {
        (void)queue_answer_close(&ask->making, NULL, NULL);
        return rc;
    }
    return queue_answer_close(&ask->making, &ask->value, err);
}

static int32_t put_job(void *arg, const struct queue_job *job) {
    struct ask *ask = arg;
    queue_answer_job(&ask->making, job);
    return 0;
}

static int32_t put_listed(void *arg, const struct queue_job *job) {
    struct ask *ask = arg;
    ask->making.values->put_map(ask->making.writer);
    queue_answer_job(&ask->making, job);
    ask->making.values->end(ask->making.writer);
    return 0;
}

static int32_t put_attempt(void *arg, const struct queue_attempt *attempt) {
    struct ask *ask = arg;
    if (!ask->attempts) {
        queue_answer_key(&ask->making, "claims");
        ask->making.values->put_list(ask->making.writer);
        ask->attempts = true;
    }
    queue_answer_attempt(&ask->making, attempt);
    return 0;
}

static int32_t put_topic(void *arg, const struct queue_topic *topic) {
    struct ask *ask = arg;
    queue_answer_topic(&ask->making, topic);
    return 0;
}

static int32_t put_listed_topic(void *arg, const struct queue_topic *topic) {
    struct ask *ask = arg;
    ask->making.values->put_map(ask->making.writer);
    queue_answer_topic(&ask->making, topic);
    ask->making.values->end(ask->making.writer);
    return 0;
}

static int32_t make_job(struct queue_writer *writer, struct ask *ask, int64_t id, pdk_error *err) {
    begin_answer(ask);
    ask->attempts = false;
    int32_t rc = writer->ops->show(writer->store, id, put_job, put_attempt, ask, err);
    if (ask->attempts) ask->making.values->end(ask->making.writer);
    if (ask->receipt.id) queue_answer_bool(&ask->making, "duplicate", ask->receipt.duplicate);
    return end_answer(ask, rc, err);
}

static int32_t make_count(struct ask *ask, int32_t count, bool more, pdk_error *err) {
    if (count < 0) return count;
    begin_answer(ask);
    queue_answer_int(&ask->making, "count", count);
    queue_answer_bool(&ask->making, "more", more);
    return end_answer(ask, 0, err);
}

/* ---- submit ---- */

static int32_t print(struct ask *ask, const pdk_value *value, char **ret, pdk_error *err) {
    int32_t rc = queue_print(host_of(ask)->values, value, (size_t)ask->queue->max_spec, ret);
    if (rc == -E2BIG)
        return pdk_failf(err, -EINVAL, value, "it is larger than %lld bytes: limits.spec says so",
                         (long long)ask->queue->max_spec);
    return rc < 0 ? pdk_fail(err, rc, value, "it cannot be written as JSON", NULL, NULL) : 0;
}

/* What nobody could run is refused now, and not in an hour. */
static int32_t check(struct ask *ask, const pdk_value *spec, pdk_error *err) {
    struct queue *queue = ask->queue;
    const pdk_template *base;
    bool once;
    int32_t rc = queue_template_get(queue, ask->spec, spec, &base, &once, err);
    if (rc == 0 && once) queue->source->release(queue->source, base);
    return rc == -ENOENT ? -EINVAL : rc;
}

static const char *text_of(const struct ask *ask, const char *key) {
    const char *text = NULL;
    const pdk_values *values = host_of(ask)->values;
    return values->string(values->get(ask->params.spec, key), &text) == 0 ? text : NULL;
}

static int32_t submit_prepare(struct ask *ask, pdk_error *err) {
    const pdk_values *values = host_of(ask)->values;
    const pdk_value *spec = ask->params.spec, *stripped = NULL, *input = values->get(spec, "input");
    int64_t attempts = ask->queue->default_attempts;
    ask->backoff = queue_default_backoff;
    int32_t rc = queue_policy_read(host_of(ask), spec, &attempts, &ask->backoff, err);
    if (!ask->params.max_attempts) ask->params.max_attempts = attempts;
    if (rc == 0) rc = queue_policy_strip(host_of(ask), spec, &stripped, err);
    if (rc == 0) rc = print(ask, stripped ? stripped : spec, &ask->spec, err);
    if (rc == 0 && input) rc = print(ask, input, &ask->input, err);
    if (rc == 0) rc = check(ask, stripped ? stripped : spec, err);
    if (stripped && err->at == stripped) err->at = spec;
    values->drop(stripped); /* its parts are those of spec */
    ask->name = text_of(ask, "name");
    if (!ask->name) ask->name = text_of(ask, "task");
    ask->kind = text_of(ask, "kind");
    return rc;
}

static void describe(const struct ask *ask, struct queue_new *ret) {
    const struct queue_params *params = &ask->params;
    *ret = (struct queue_new){.topic = params->topic ? params->topic : "default",
                              .name = ask->name,
                              .kind = ask->kind,
                              .spec = ask->spec,
                              .input = ask->input,
                              .unique = params->unique,
                              .key = params->key,
                              .trace = params->trace,
                              .priority = params->priority,
                              .delay = params->delay,
                              .max_attempts = params->max_attempts,
                              .mode = (enum queue_unique)params->mode,
                              .backoff = ask->backoff};
}

static int32_t submit_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    struct ask *ask = ask_of(call);
    struct queue_new given;
    describe(ask, &given);
    int32_t rc = writer->ops->submit(writer->store, &given, ask->claim ? queue_deliver_take : NULL, ask->claim,
                                     &ask->receipt, err);
    if (rc < 0 || !ask->receipt.duplicate) return rc;
    rc = make_job(writer, ask, ask->receipt.id, err);
    return rc == -ENOENT ? 0 : rc; /* its key is remembered longer than it */
}

uint32_t queue_ask_submits(struct queue *queue) {
    const struct queue_call *call;
    uint32_t count = 0;
    TAILQ_FOREACH(call, &queue->writer.gathered, link) count += call->type->run == submit_run;
    return count;
}

void queue_ask_start(struct queue *queue, struct queue_claim_call *claim) {
    struct queue_call *call;
    TAILQ_FOREACH(call, &queue->writer.gathered, link) {
        if (call->type->run == submit_run) ask_of(call)->claim = claim;
    }
}

/* Of a new job the answer is made here, off the thread that has most to do. */
static void submit_answer(struct ask *ask) {
    struct queue_new given;
    struct queue_job job = {.state = ask->params.delay > 0 ? QUEUE_DELAYED : QUEUE_READY};
    if (ask->value) return;
    describe(ask, &given);
    job.id = ask->receipt.id;
    job.name = given.name;
    job.kind = given.kind;
    job.topic = given.topic;
    job.priority = given.priority;
    job.counts.max_attempts = given.max_attempts;
    queue_answer_open(&ask->making, host_of(ask));
    if (ask->receipt.duplicate)
        queue_answer_id(&ask->making, "job_id", job.id);
    else
        queue_answer_job(&ask->making, &job);
    queue_answer_bool(&ask->making, "duplicate", ask->receipt.duplicate);
    if (queue_answer_close(&ask->making, &ask->value, NULL) < 0) ask->value = NULL;
}

/* ---- the others ---- */

static int32_t list(struct queue_writer *writer, struct ask *ask, bool dead, pdk_error *err) {
    const struct queue_params *params = &ask->params;
    struct queue_filter filter = {.states = dead ? UINT32_C(1) << QUEUE_ENDED : params->states,
                                  .outcomes = params->outcomes,
                                  .dead = dead,
                                  .topic = params->topic,
                                  .name = params->task,
                                  .after = params->after,
                                  .limit = (uint32_t)params->limit};
    int64_t next = 0;
    begin_answer(ask);
    queue_answer_key(&ask->making, "jobs");
    ask->making.values->put_list(ask->making.writer);
    int32_t rc = writer->ops->list(writer->store, &filter, put_listed, ask, &next, err);
    ask->making.values->end(ask->making.writer);
    if (next) queue_answer_id(&ask->making, "next", next);
    return end_answer(ask, rc, err);
}

static int32_t list_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    return list(writer, ask_of(call), false, err);
}

static int32_t dead_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    return list(writer, ask_of(call), true, err);
}

static int32_t show_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    return make_job(writer, ask_of(call), ask_of(call)->params.job_id, err);
}

static int32_t cancel_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    struct ask *ask = ask_of(call);
    const char *reason = ask->params.reason ? ask->params.reason : "canceled by the user";
    int32_t running = writer->ops->cancel(writer->store, ask->params.job_id, reason, err);
    if (running == -EALREADY) return -EBUSY;
    int32_t rc = running < 0 ? running : make_job(writer, ask, ask->params.job_id, err);
    return rc < 0 ? rc : running;
}

static int32_t retry_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    struct ask *ask = ask_of(call);
    struct queue_receipt made;
    int32_t rc = writer->ops->retry(writer->store, ask->params.job_id, &made, err);
    return rc < 0 ? rc : make_job(writer, ask, made.id, err);
}

static int32_t stats_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    struct ask *ask = ask_of(call);
    begin_answer(ask);
    queue_answer_key(&ask->making, "topics");
    ask->making.values->put_list(ask->making.writer);
    int32_t rc = writer->ops->topics(writer->store, NULL, put_listed_topic, ask, err);
    ask->making.values->end(ask->making.writer);
    queue_answer_totals(&ask->making);
    return end_answer(ask, rc, err);
}

static int32_t set_topic(struct queue_writer *writer, struct ask *ask, int32_t paused, int64_t limit, pdk_error *err) {
    struct queue_topic_setting setting = {"", limit, paused};
    queue_cut(setting.name, sizeof setting.name, ask->params.topic);
    int32_t rc = writer->ops->set_topic(writer->store, &setting, err);
    if (rc < 0) return rc;
    begin_answer(ask);
    rc = writer->ops->topics(writer->store, setting.name, put_topic, ask, err);
    return end_answer(ask, rc, err);
}

static int32_t pause_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    return set_topic(writer, ask_of(call), 1, -1, err);
}

static int32_t resume_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    return set_topic(writer, ask_of(call), 0, -1, err);
}

static int32_t limit_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    return set_topic(writer, ask_of(call), -1, ask_of(call)->params.running, err);
}

/* Either a job or a topic. */
static int32_t one_of_two(struct ask *ask, pdk_error *err) {
    const struct queue_params *params = &ask->params;
    if (!params->job_id == !params->topic)
        return pdk_failf(err, -EINVAL, ask->given, "%s wants job_id or topic", ask->verb->name);
    if (params->job_id && params->given & BIT(BEFORE))
        return pdk_failf(err, -EINVAL, ask->given, "'before' goes with topic");
    return 0;
}

static int32_t replay_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    struct ask *ask = ask_of(call);
    const struct queue_params *params = &ask->params;
    int32_t n = writer->ops->replay(writer->store, params->job_id, params->topic, PAGE_OF_PURGE, err);
    return make_count(ask, n, n == PAGE_OF_PURGE, err);
}

static int32_t purge_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    struct ask *ask = ask_of(call);
    const struct queue_params *params = &ask->params;
    int64_t before = params->given & BIT(BEFORE) ? params->before : INT64_MAX;
    int32_t n = writer->ops->purge(writer->store, params->job_id, params->topic, before, PAGE_OF_PURGE, err);
    return make_count(ask, n, n == PAGE_OF_PURGE, err);
}

/* Which run it is that is on, only we know; the answer was made on the other thread. */
static void show_run_that_is_on(struct ask *ask) {
    const pdk_values *values = host_of(ask)->values;
    const struct queue_claimed *claimed = queue_claimed_get(&ask->queue->claimed, ask->params.job_id);
    const pdk_value *value = NULL;
    if (!claimed || !claimed->run || !ask->value) return;
    pdk_writer *writer = values->open(values);
    values->put_map(writer);
    for (size_t i = 0; i < values->count(ask->value); i++) {
        values->key(writer, values->key_at(ask->value, i));
        values->put_value(writer, values->at(ask->value, i));
    }
    values->key(writer, "run");
    values->put_int(writer, (int64_t)claimed->run);
    values->end(writer);
    if (values->close(writer, &value, NULL) < 0) return;
    values->drop(ask->value);
    ask->value = value;
}

/* ---- between them and who asks ---- */

static void free_ask(struct ask *ask) {
    host_of(ask)->values->drop(ask->value);
    host_of(ask)->values->drop(ask->given);
    free(ask->spec);
    free(ask->input);
    free(ask);
}

static void done(struct queue_call *call) {
    struct ask *ask = ask_of(call);
    struct queue *queue = ask->queue;
    pdk_error err = PDK_ERROR;
    queue->asked--;
    if (call->rc >= 0 && ask->verb->prepare == submit_prepare) submit_answer(ask);
    if (call->rc >= 0 && ask->verb->type.run == show_run) show_run_that_is_on(ask);
    if (call->rc > 0 && ask->verb->type.run == cancel_run) (void)queue_deliver_cancel(queue, ask->params.job_id);
    if (call->rc >= 0 && !ask->value) call->rc = -ENOMEM;
    if (ask->verb->type.stirs) queue_meter_stir(queue);
    err.at = ask->at;
    if (call->rc < 0)
        (void)pdk_fail(&err, call->rc, ask->at, call->message ? call->message : strerror(-call->rc), NULL, NULL);
    ask->answer(ask->arg, call->rc < 0 ? call->rc : 0, ask->value, call->rc < 0 ? &err : NULL);
    free_ask(ask);
}

#define CHANGES(run, stirs) \
    { run, undo, done, false, false, stirs }
#define LOOKS(run) \
    { run, undo, done, false, true, false }

static const struct verb verbs[] = {
    {"submit",
     BIT(SPEC) | BIT(TOPIC) | BIT(PRIORITY) | BIT(DELAY) | BIT(UNIQUE) | BIT(KEY) | BIT(MAX_ATTEMPTS) | BIT(TRACE),
     BIT(SPEC), CHANGES(submit_run, true), submit_prepare},
    {"list", BIT(STATE) | BIT(TOPIC) | BIT(TASK) | BIT(OUTCOME) | BIT(AFTER) | BIT(LIMIT), 0, LOOKS(list_run), NULL},
    {"show", BIT(JOB), BIT(JOB), LOOKS(show_run), NULL},
    {"cancel", BIT(JOB) | BIT(REASON), BIT(JOB), CHANGES(cancel_run, true), NULL},
    {"retry", BIT(JOB), BIT(JOB), CHANGES(retry_run, true), NULL},
    {"stats", 0, 0, LOOKS(stats_run), NULL},
    {"pause", BIT(TOPIC), BIT(TOPIC), CHANGES(pause_run, false), NULL},
    {"resume", BIT(TOPIC), BIT(TOPIC), CHANGES(resume_run, true), NULL},
    {"limit", BIT(TOPIC) | BIT(RUNNING), BIT(TOPIC) | BIT(RUNNING), CHANGES(limit_run, true), NULL},
    {"dead", BIT(TOPIC) | BIT(AFTER) | BIT(LIMIT), 0, LOOKS(dead_run), NULL},
    {"replay", BIT(JOB) | BIT(TOPIC), 0, CHANGES(replay_run, true), one_of_two},
    {"purge", BIT(JOB) | BIT(TOPIC) | BIT(BEFORE), 0, CHANGES(purge_run, true), one_of_two},
};

static const struct verb *find_verb(const char *name) {
    static const struct verb none = {"", 0, 0, LOOKS(NULL), NULL};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    return &none;
}

static int32_t prepare(struct ask *ask, const char *name, pdk_error *err) {
    const struct verb *verb = ask->verb;
    if (!*verb->name) return pdk_failf(err, -ENOTSUP, NULL, "a queue cannot be asked for \"%.60s\"", name);
    int32_t rc = queue_params_read(host_of(ask), verb->name, verb->takes, verb->needs, ask->given, &ask->params, err);
    return rc == 0 && verb->prepare ? verb->prepare(ask, err) : rc;
}

int32_t queue_ask(const pdk_queue *service, const char *name, const pdk_value *params, pdk_queue_answer answer,
                  void *arg) {
    struct queue *queue = service->data;
    pdk_error err = PDK_ERROR;
    struct ask *ask;
    int32_t rc;
    if (!queue->started || queue->stopping) return -ESHUTDOWN;
    if (queue->asked >= ASKED_MOST) return -EAGAIN;
    ask = calloc(1, sizeof *ask);
    if (!ask) return -ENOMEM;
    ask->queue = queue;
    ask->verb = find_verb(name);
    ask->call.type = &ask->verb->type;
    ask->given = queue->host->values->hold(params);
    ask->answer = answer;
    ask->arg = arg;
    queue->asked++;
    rc = prepare(ask, name, &err);
    if (rc < 0) queue_call_fail(&ask->call, rc, err.message);
    if (rc < 0) ask->at = err.at;
    queue_writer_add(&queue->writer, &ask->call);
    return 0;
}
