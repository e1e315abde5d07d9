/* SPDX-License-Identifier: Apache-2.0 */
/* Everything else one may want to know, as values. */
#include <errno.h>
#include <string.h>

#include "core/base/text.h"
#include "core/supervise/internal.h"
#include "paddock/helpers.h"

struct question {
    struct pdk_supervisor *s;
    struct pdk_record *run;
    const pdk_value *spec;
    const pdk_values *values;
    pdk_writer *writer;
};

/* What is no text, which a plugin may have said, is left out. */
static void put_text(struct question *q, const char *key, const char *text) {
    if (!pdk_utf8_valid(text, strlen(text))) text = "";
    q->values->key(q->writer, key);
    q->values->put_string(q->writer, text, strlen(text));
}

static void put_number(struct question *q, const char *key, uint64_t number) {
    q->values->key(q->writer, key);
    q->values->put_int(q->writer, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

static void put_bool(struct question *q, const char *key, bool value) {
    q->values->key(q->writer, key);
    q->values->put_bool(q->writer, value);
}

/* How many runs are in each, of those that have not ended. */
static void put_states(struct question *q) {
    uint32_t counts[PDK_RUN_STUCK + 1] = {0};
    for (int i = 0; i < PDK_STATES; i++) counts[pdk_public_state((enum pdk_state)i)] += q->s->in_state[i];
    q->values->put_map(q->writer);
    for (int i = 0; i <= PDK_RUN_STUCK; i++)
        if (i != PDK_RUN_ENDED) put_number(q, pdk_public_word(i), counts[i]);
    q->values->end(q->writer);
}

static int32_t status(struct question *q, pdk_error *err) {
    static const char *const lives[] = {"up", "draining", "stopping", "killing", "flushing", "stopped"};
    const struct pdk_supervisor *s = q->s;
    (void)err;
    q->values->put_map(q->writer);
    put_text(q, "state", lives[s->life]);
    put_number(q, "accepted", s->accepted);
    put_number(q, "running", s->running);
    put_number(q, "limit", s->options.running);
    put_number(q, "ready", s->ready);
    put_number(q, "stuck", s->in_state[PDK_STATE_STUCK]);
    put_number(q, "slots", s->slots.count);
    put_number(q, "timers", s->timers.count);
    put_number(q, "remembered", s->remembered);
    put_number(q, "events", s->events);
    put_number(q, "room", pdk_room(s, NULL));
    put_bool(q, "paused", s->paused);
    q->values->key(q->writer, "states");
    put_states(q);
    q->values->end(q->writer);
    return 0;
}

static void put_roles(struct question *q, uint32_t roles) {
    static const char *const words[] = {"runner", "source", "metrics"}; /* by the bits of PDK_ROLE_... */
    q->values->key(q->writer, "roles");
    q->values->put_list(q->writer);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (roles >> i & 1) q->values->put_string(q->writer, words[i], strlen(words[i]));
    q->values->end(q->writer);
}

static void put_kinds(struct question *q, const pdk_runner_ops *runner) {
    q->values->key(q->writer, "kinds");
    q->values->put_list(q->writer);
    for (size_t i = 0; runner && runner->kinds[i]; i++)
        q->values->put_string(q->writer, runner->kinds[i]->name, strlen(runner->kinds[i]->name));
    q->values->end(q->writer);
}

static void plugin(struct question *q, struct pdk_member *member) {
    static const char *const healths[] = {"up", "degraded", "down"};
    const struct pdk_instance *instance = member->instance;
    q->values->put_map(q->writer);
    put_text(q, "name", instance->name);
    put_text(q, "plugin", instance->plugin->name);
    put_text(q, "version", instance->plugin->version ? instance->plugin->version : "");
    put_text(q, "file", instance->file ? instance->file : "");
    put_text(q, "health", healths[atomic_load(&instance->health)]);
    put_text(q, "text", member->health_text);
    put_roles(q, instance->host.roles);
    put_kinds(q, instance->plugin->runner);
    put_number(q, "running", member->running);
    put_number(q, "limit", member->limits.running);
    put_number(q, "stuck", member->stuck);
    put_number(q, "pending", member->pending);
    put_number(q, "misbehaved", atomic_load(&member->misbehaved));
    q->values->key(q->writer, "labels");
    q->values->put_value(q->writer, instance->labels);
    q->values->end(q->writer);
}

static int32_t plugins(struct question *q, pdk_error *err) {
    struct pdk_member *member;
    (void)err;
    q->values->put_list(q->writer);
    pthread_mutex_lock(&q->s->health_lock);
    TAILQ_FOREACH(member, &q->s->members, all) plugin(q, member);
    pthread_mutex_unlock(&q->s->health_lock);
    q->values->end(q->writer);
    return 0;
}

/* One that is paused and that nobody owns. */
static void free_slot(void *arg, const char *name) {
    struct question *q = arg;
    uint64_t hash;
    if (pdk_slot_find(&q->s->slots, name, strlen(name), &hash)) return;
    q->values->put_map(q->writer);
    put_text(q, "slot", name);
    put_number(q, "waiting", 0);
    put_bool(q, "paused", true);
    q->values->end(q->writer);
}

static int32_t slots(struct question *q, pdk_error *err) {
    const struct pdk_record *run;
    (void)err;
    q->values->put_list(q->writer);
    TAILQ_FOREACH(run, &q->s->all, all) {
        if (!run->slot || run->slot->owner != run) continue;
        q->values->put_map(q->writer);
        put_text(q, "slot", run->slot_name);
        put_text(q, "owner", run->run_id);
        put_text(q, "state", pdk_state_name(run->state));
        put_number(q, "waiting", run->slot->waiting);
        put_text(q, "replacement", run->slot->head ? run->slot->head->run_id : "");
        put_bool(q, "paused", pdk_slot_is_held(q->s, run->slot_name));
        q->values->end(q->writer);
    }
    pdk_holds_each(q->s, free_slot, q);
    q->values->end(q->writer);
    return 0;
}

/* What there is in the text form of the first backend that has one. */
static int32_t metrics(struct question *q, pdk_error *err) {
    struct pdk_buffer text = PDK_BUFFER((size_t)256 << 20);
    const struct pdk_member *member;
    int32_t rc = -ENOENT;
    TAILQ_FOREACH(member, &q->s->members, all) {
        const pdk_metrics_ops *ops = member->instance->plugin->metrics;
        if (ops && PDK_HAS(ops, print)) break;
    }
    if (!member) return pdk_fail(err, rc, NULL, "there is no metrics backend that prints", NULL, NULL);
    rc = member->instance->plugin->metrics->print(member->instance->self, pdk_buffer_write, &text);
    if (rc == 0) rc = text.error;
    if (rc == 0 && !pdk_utf8_valid(pdk_buffer_string(&text), text.size)) rc = -EILSEQ;
    if (rc == 0) q->values->put_string(q->writer, pdk_buffer_string(&text), text.size);
    pdk_buffer_free(&text);
    return rc ? pdk_fail(err, rc, NULL, "metrics backend ", member->instance->name, " does not print") : 0;
}

static int32_t spec(struct question *q, pdk_error *err) {
    if (!q->run) return pdk_fail(err, -ENOENT, NULL, "no such run", NULL, NULL);
    pdk_show_spec(q->values, q->writer, q->run->view);
    return 0;
}

/* One that can be submitted: with its name, which a declared task has outside of itself, and as a map. */
static int32_t whole_spec(struct question *q, pdk_error *err) {
    if (!q->run) return pdk_fail(err, -ENOENT, NULL, "no such run", NULL, NULL);
    const pdk_value *whole = q->run->view->whole;
    bool is_map = q->values->type(whole) == PDK_MAP;
    q->values->put_map(q->writer);
    if (!is_map || !q->values->get(whole, "name")) put_text(q, "name", q->run->view->name);
    for (size_t i = 0; i < (is_map ? q->values->count(whole) : 0); i++) {
        q->values->key(q->writer, q->values->key_at(whole, i));
        q->values->put_value(q->writer, q->values->at(whole, i));
    }
    if (!is_map) {
        q->values->key(q->writer, "command");
        q->values->put_value(q->writer, whole);
    }
    q->values->end(q->writer);
    return 0;
}

/* What is not text is shown as text that says so. */
static int32_t output(struct question *q, pdk_error *err) {
    if (!q->run) return pdk_fail(err, -ENOENT, NULL, "no such run", NULL, NULL);
    struct pdk_buffer text = PDK_BUFFER((size_t)128 * 1024);
    const struct pdk_buffer *tail = q->run->tail;
    for (size_t i = 0; tail && i < tail->size; i++) {
        size_t left = tail->size - i;
        int64_t fault = pdk_utf8_fault(tail->data + i, left);
        size_t good = fault < 0 ? left : (size_t)fault;
        pdk_buffer_add(&text, tail->data + i, good);
        if (fault >= 0) pdk_buffer_text(&text, "\xEF\xBF\xBD");
        i += good;
    }
    q->values->put_string(q->writer, pdk_buffer_string(&text), text.size);
    int32_t rc = text.error;
    pdk_buffer_free(&text);
    return rc == -ENOMEM ? pdk_fail(err, rc, NULL, "out of memory", NULL, NULL) : 0;
}

static void verdict(void *arg, const char *runner, const char *word, const char *text) {
    struct question *q = arg;
    q->values->put_map(q->writer);
    put_text(q, "runner", runner);
    put_text(q, "verdict", word);
    put_text(q, "text", text);
    q->values->end(q->writer);
}

static int32_t route(struct question *q, pdk_error *err) {
    q->values->put_list(q->writer);
    int32_t rc = pdk_router_explain(q->s->router, q->spec, verdict, q, err);
    q->values->end(q->writer);
    return rc < 0 && rc != -ENOENT ? rc : 0; /* that nobody takes it is what was asked */
}

static int32_t check(struct question *q, pdk_error *err) {
    pdk_router_task task = {.struct_size = (uint32_t)sizeof task};
    int32_t rc = pdk_router_build(q->s->router, q->spec, &task, err);
    if (rc < 0) return rc;
    q->values->put_map(q->writer);
    put_text(q, "runner", task.runner);
    q->values->end(q->writer);
    pdk_router_task_free(&task);
    return 0;
}

/* Do the labels of the run match {selector: text}? Of no run it is read alone. */
static int32_t selected(struct question *q, pdk_error *err) {
    const struct pdk_requirement *failed;
    struct pdk_selector selector = {0};
    struct pdk_arena arena = {0};
    const char *text = NULL;
    int32_t rc = q->values->string(q->values->get(q->spec, "selector"), &text);
    rc = rc < 0 ? pdk_fail(err, -EINVAL, q->spec, "wants {selector: text}", NULL, NULL)
                : pdk_selector_parse(text, &arena, &selector, err);
    if (rc == 0)
        q->values->put_bool(q->writer, q->run && pdk_selector_matches(&selector, q->run->view->labels, &failed));
    pdk_arena_free(&arena);
    return rc;
}

static const struct {
    const char *subject;
    int32_t (*answer)(struct question *, pdk_error *);
} subjects[] = {{"status", status}, {"plugins", plugins},       {"slots", slots},   {"metrics", metrics},
                {"spec", spec},     {"whole_spec", whole_spec}, {"output", output}, {"route", route},
                {"check", check},   {"selected", selected}};

static int32_t ask_program(struct question *q, const char *subject, const pdk_value **ret, pdk_error *err) {
    int32_t rc = -ENOENT;
    q->writer = q->values->open(q->values);
    if (q->s->program) rc = q->s->program->inspect(q->s->program_arg, subject, q->spec, q->writer, err);
    if (rc == 0) return q->values->close(q->writer, ret, err);
    (void)q->values->close(q->writer, NULL, NULL);
    return rc == -ENOENT ? pdk_fail(err, rc, NULL, "there is no subject \"", subject, "\"") : rc;
}

int32_t pdk_inspect_subject(const pdk_control *control, const char *subject, pdk_run run, const pdk_value *given,
                            const pdk_value **ret, pdk_error *err) {
    struct question q = {.s = control->data, .spec = given, .values = pdk_values_get()};
    size_t i = 0, count = sizeof subjects / sizeof *subjects;
    while (i < count && strcmp(subject, subjects[i].subject) != 0) i++;
    if (i == count) return ask_program(&q, subject, ret, err);
    q.run = pdk_record_find(q.s, run);
    q.writer = q.values->open(q.values);
    int32_t rc = subjects[i].answer(&q, err);
    if (rc == 0) return q.values->close(q.writer, ret, err);
    (void)q.values->close(q.writer, NULL, NULL);
    return rc;
}
