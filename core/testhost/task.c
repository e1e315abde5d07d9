/* SPDX-License-Identifier: Apache-2.0 */
/* Runners: tasks and their attempts, as a host leads them through their states. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/testhost/internal.h"
#include "paddock/helpers.h"

static const pdk_runner_ops *runner(const pdk_test *t) {
    return t->self_made ? t->plugin->runner : NULL;
}

static struct attempt *private_of(pdk_test_attempt *attempt) {
    return (struct attempt *)attempt;
}

/* ---- specs ---- */

static const pdk_schema *kind_of(const pdk_test *t, const char *kind) {
    const pdk_schema *const *kinds = runner(t) ? runner(t)->kinds : NULL;
    for (; kinds && *kinds; kinds++)
        if (!strcmp((*kinds)->name, kind)) return *kinds;
    return NULL;
}

static int32_t make_spec(pdk_test *t, const char *kind, const char *with, pdk_spec *spec, pdk_error *why) {
    const pdk_schema *schema = kind_of(t, kind);
    const pdk_value *given = NULL;
    int32_t rc;
    if (!schema) return pdk_fail(why, -ENOENT, NULL, "the plugin serves no kind ", kind, NULL);
    rc = pdk_test_parse(t, with ? with : "{}", &given, why);
    if (rc == 0) rc = pdk_test_complete(t, schema, given, &spec->with, why);
    return rc;
}

static int32_t complete_spec(pdk_test *t, pdk_spec *spec, pdk_error *why) {
    int32_t rc = 0;
    spec->struct_size = (uint32_t)sizeof *spec;
    if (!spec->kind && runner(t)) spec->kind = runner(t)->kinds[0]->name;
    if (!spec->name) spec->name = "web";
    if (!spec->slot) spec->slot = "slot";
    if (!spec->with) rc = make_spec(t, spec->kind, NULL, spec, why);
    if (rc == 0 && !spec->labels) rc = pdk_test_parse(t, "{'paddock/replica': '3'}", &spec->labels, why);
    if (!spec->whole) spec->whole = spec->with;
    if (!spec->grace_ns) spec->grace_ns = 10 * PDK_SECOND;
    return rc;
}

/* ---- supports, build_task ---- */

/* What a refusal must say. */
static void check_refusal(pdk_test *t, const char *call, int32_t rc, const pdk_error *why) {
    if (rc > 0) pdk_test_break(t, PDK_TEST_RULE_RESULT, "%s returned %d", call, rc);
    if (!why->message[0] && rc != -ENOMEM)
        pdk_test_break(t, PDK_TEST_RULE_RESULT, "%s returned -%s and did not say why", call, strerrorname_np(-rc));
    if (strchr(why->message, '\n')) pdk_test_break(t, PDK_TEST_RULE_RESULT, "the message of %s has a newline", call);
}

int32_t pdk_test_supports(pdk_test *t, const char *kind, const char *with, pdk_error *err) {
    pdk_spec spec = {.kind = kind};
    pdk_error why = PDK_ERROR;
    struct footprint before;
    int32_t rc;
    if (!t || !kind || !runner(t)) return -EINVAL;
    rc = pdk_test_parse(t, with ? with : "{}", &spec.with, &why);
    if (rc == 0) rc = complete_spec(t, &spec, &why);
    if (rc) return pdk_test_failed(t, err, rc, &why, kind);
    if (!runner(t)->supports) return 1;
    pdk_test_footprint(t, &before);
    pdk_test_enter(t, "supports");
    rc = runner(t)->supports(t->self, &spec, &why);
    pdk_test_leave(t);
    pdk_test_note(t, "supports %s: %d", kind, rc);
    pdk_test_pure(t, &before, "supports");
    if (rc != 0 && rc != 1) pdk_test_break(t, PDK_TEST_RULE_RESULT, "supports answered %d", rc);
    return rc == 1 ? 1 : pdk_test_failed(t, err, 0, &why, kind);
}

static int32_t build(pdk_test *t, const pdk_spec *spec, struct task **ret, pdk_error *why) {
    struct task *task = calloc(1, sizeof *task);
    struct footprint before;
    int32_t rc;
    if (!task) return -ENOMEM;
    task->public.struct_size = (uint32_t)sizeof task->public;
    task->public.test = t;
    task->public.spec = *spec;
    pdk_test_footprint(t, &before);
    pdk_test_enter(t, "build_task");
    rc = runner(t)->build_task(t->self, &task->public.spec, &task->public.task, why);
    pdk_test_leave(t);
    pdk_test_note(t, "build_task %s: %d %s", spec->kind, rc, rc ? why->message : "");
    pdk_test_pure(t, &before, "build_task");
    if (rc) {
        check_refusal(t, "build_task", rc, why);
        if (task->public.task) pdk_test_break(t, PDK_TEST_RULE_RESULT, "build_task failed and stored a task");
        free(task);
        return rc < 0 ? rc : -EINVAL;
    }
    TAILQ_INSERT_TAIL(&t->tasks, task, link);
    *ret = task;
    return 0;
}

static pdk_test_task *build_or_tell(pdk_test *t, pdk_spec *spec, int32_t rc, pdk_error *why, pdk_error *err) {
    struct task *task = NULL;
    if (rc == 0) rc = complete_spec(t, spec, why);
    if (rc == 0) rc = build(t, spec, &task, why);
    if (rc) (void)pdk_test_failed(t, err, rc, why, spec->kind);
    return task ? &task->public : NULL;
}

pdk_test_task *pdk_test_build(pdk_test *t, const char *kind, const char *with, pdk_error *err) {
    pdk_spec spec = {.kind = kind};
    pdk_error why = PDK_ERROR;
    if (!t || !kind) return NULL;
    return build_or_tell(t, &spec, make_spec(t, kind, with, &spec, &why), &why, err);
}

const pdk_value *pdk_test_with(pdk_test *t, const char *kind, const char *with, pdk_error *err) {
    pdk_spec spec = {0};
    pdk_error why = PDK_ERROR;
    int32_t rc;
    if (!t || !kind) return NULL;
    rc = make_spec(t, kind, with, &spec, &why);
    if (rc) (void)pdk_test_failed(t, err, rc, &why, kind);
    return rc ? NULL : spec.with;
}

pdk_test_task *pdk_test_build_spec(pdk_test *t, const pdk_spec *given, pdk_error *err) {
    pdk_error why = PDK_ERROR;
    pdk_spec spec = {0};
    if (!t || !given || !runner(t)) return NULL;
    memcpy(&spec, given, given->struct_size && given->struct_size < sizeof spec ? given->struct_size : sizeof spec);
    return build_or_tell(t, &spec, 0, &why, err);
}

void pdk_test_destroy(pdk_test_task *public) {
    struct task *task = (struct task *)public;
    struct attempt *attempt;
    pdk_test *t;
    if (!task) return;
    t = public->test;
    if (task->last && task->last->running) {
        pdk_test_break(t, PDK_TEST_RULE_EXPECTED, "the test destroys a task that runs");
        return;
    }
    pdk_test_note(t, "destroy of a task");
    pdk_test_enter(t, "destroy of a task");
    runner(t)->task->destroy(public->task);
    pdk_test_leave(t);
    TAILQ_REMOVE(&t->tasks, task, link);
    TAILQ_FOREACH(attempt, &t->attempts, link) {
        if (attempt->public.task == public) attempt->gone = true;
    }
    TAILQ_INSERT_TAIL(&t->gone, task, link); /* attempts point to it */
}

/* ---- attempts ---- */

static struct attempt *add_attempt(struct task *task) {
    pdk_test *t = task->public.test;
    struct attempt *attempt = calloc(1, sizeof *attempt);
    if (!attempt) return NULL;
    for (int i = 0; i < 3; i++) attempt->out[i] = PDK_BUFFER(OUTPUT_MAX);
    attempt->public = (pdk_test_attempt){.struct_size = (uint32_t)sizeof attempt->public,
                                         .number = ++task->attempts,
                                         .attempt = t->next_handle++,
                                         .task = &task->public,
                                         .status = -1,
                                         .code = attempt->code,
                                         .message = attempt->message,
                                         .output = {"", "", ""},
                                         .fraction = -2,
                                         .text = attempt->text};
    attempt->running = true;
    (void)pthread_mutex_lock(&t->lock);
    TAILQ_INSERT_TAIL(&t->attempts, attempt, link);
    (void)pthread_mutex_unlock(&t->lock);
    return attempt;
}

static void free_attempt(pdk_test *t, struct attempt *attempt) {
    (void)pthread_mutex_lock(&t->lock);
    TAILQ_REMOVE(&t->attempts, attempt, link);
    (void)pthread_mutex_unlock(&t->lock);
    pdk_values_get()->drop(attempt->public.output_value);
    for (int i = 0; i < 3; i++) pdk_buffer_free(&attempt->out[i]);
    free(attempt);
}

pdk_test_attempt *pdk_test_start_as(pdk_test_task *public, const pdk_start *how, pdk_error *err) {
    struct task *task = (struct task *)public;
    pdk_start start = {.run_id = "runner-slot-7", .trace = "", .trace_state = ""};
    pdk_error why = PDK_ERROR;
    struct attempt *attempt;
    pdk_test *t;
    int32_t rc;
    if (!task) return NULL;
    t = public->test;
    if (task->last && task->last->running) {
        pdk_test_break(t, PDK_TEST_RULE_EXPECTED, "the test starts a task that runs");
        return NULL;
    }
    attempt = add_attempt(task);
    if (!attempt) return NULL;
    if (how) memcpy(&start, how, how->struct_size < sizeof start ? how->struct_size : sizeof start);
    if (!start.trace_state) start.trace_state = "";
    start.struct_size = (uint32_t)sizeof start;
    start.number = attempt->public.number;
    start.attempt = attempt->public.attempt;
    task->last = attempt;
    pdk_test_note(t, "start %llu", (unsigned long long)start.attempt);
    pdk_test_enter(t, "start");
    rc = runner(t)->task->start(public->task, &start, &why);
    pdk_test_leave(t);
    if (rc == 0) return &attempt->public;
    pdk_test_note(t, "start %llu: %d %s", (unsigned long long)start.attempt, rc, why.message);
    check_refusal(t, "start", rc, &why);
    if (attempt->public.done)
        pdk_test_break(t, PDK_TEST_RULE_DONE, "start returned -%s, and there was a done", strerrorname_np(-rc));
    task->last = NULL;
    free_attempt(t, attempt);
    (void)pdk_test_failed(t, err, rc, &why, "start");
    return NULL;
}

pdk_test_attempt *pdk_test_start(pdk_test_task *task, pdk_error *err) {
    return pdk_test_start_as(task, NULL, err);
}

static const pdk_task_ops *ops_of(const pdk_test_attempt *attempt) {
    return runner(attempt->task->test)->task;
}

static void call_cancel(pdk_test_attempt *attempt, int32_t reason) {
    pdk_test *t = attempt->task->test;
    private_of(attempt)->asked = true;
    pdk_test_note(t, "cancel %llu: %d", (unsigned long long)attempt->attempt, reason);
    pdk_test_enter(t, "cancel");
    ops_of(attempt)->cancel(attempt->task->task, reason);
    pdk_test_leave(t);
}

void pdk_test_cancel(pdk_test_attempt *attempt, int32_t reason) {
    if (attempt && private_of(attempt)->running && !private_of(attempt)->asked) call_cancel(attempt, reason);
}

void pdk_test_cancel_late(pdk_test_attempt *attempt, int32_t reason) {
    struct attempt *private = private_of(attempt);
    if (!attempt || private->gone || ((struct task *)attempt->task)->last != private) return;
    call_cancel(attempt, reason);
}

void pdk_test_kill(pdk_test_attempt *attempt) {
    struct attempt *private = private_of(attempt);
    if (!attempt) return;
    pdk_test_cancel(attempt, PDK_CANCEL_USER);
    if (!private->running || private->killed || !PDK_HAS(ops_of(attempt), kill)) return;
    private->killed = true;
    pdk_test_note(attempt->task->test, "kill %llu", (unsigned long long)attempt->attempt);
    pdk_test_enter(attempt->task->test, "kill");
    ops_of(attempt)->kill(attempt->task->task);
    pdk_test_leave(attempt->task->test);
}

void pdk_test_resume(pdk_test_attempt *attempt) {
    if (!attempt || !private_of(attempt)->running || !PDK_HAS(ops_of(attempt), resume)) return;
    pdk_test_note(attempt->task->test, "resume %llu", (unsigned long long)attempt->attempt);
    pdk_test_enter(attempt->task->test, "resume");
    ops_of(attempt)->resume(attempt->task->task);
    pdk_test_leave(attempt->task->test);
}

int32_t pdk_test_reload(pdk_test_attempt *attempt) {
    int32_t rc;
    if (!attempt) return -EINVAL;
    if (!PDK_HAS(ops_of(attempt), reload)) return -ENOTSUP;
    if (private_of(attempt)->gone || ((struct task *)attempt->task)->last != private_of(attempt)) return -ESTALE;
    pdk_test_enter(attempt->task->test, "reload");
    rc = ops_of(attempt)->reload(attempt->task->task);
    pdk_test_leave(attempt->task->test);
    pdk_test_note(attempt->task->test, "reload %llu: %d", (unsigned long long)attempt->attempt, rc);
    return rc;
}

/* ---- the end ---- */

/* Whoever runs is asked, then made to end; children that are simulated end as if killed. */
static void end_attempt(pdk_test *t, struct attempt *attempt) {
    struct child *child;
    pdk_test_break(t, PDK_TEST_RULE_EXPECTED, "attempt %u of %s runs at the end of the test", attempt->public.number,
                   attempt->public.task->spec.kind);
    pdk_test_kill(&attempt->public);
    TAILQ_FOREACH(child, &t->children, link) {
        if (!child->public.over) pdk_test_child_ended(&child->public, 0, 9);
    }
    t->tuning.quiet = true;
    t->tuning.patience_ns = PDK_SECOND;
    if (attempt->running) (void)pdk_test_wait(&attempt->public);
}

void pdk_test_end_tasks(pdk_test *t) {
    struct task *task, *next;
    for (task = TAILQ_FIRST(&t->tasks); task; task = next) {
        next = TAILQ_NEXT(task, link);
        if (task->last && task->last->running) end_attempt(t, task->last);
        if (!task->last || !task->last->running) pdk_test_destroy(&task->public);
    }
    if (!TAILQ_EMPTY(&t->tasks)) pdk_test_break(t, PDK_TEST_RULE_LEFT, "a task does not end, and is left as it is");
}

void pdk_test_free_attempts(pdk_test *t) {
    struct attempt *attempt;
    struct task *task;
    while ((attempt = TAILQ_FIRST(&t->attempts))) {
        if (attempt->public.done == 0) /* of a second one was told when it came */
            pdk_test_break(t, PDK_TEST_RULE_DONE, "attempt %u of %s was never done", attempt->public.number,
                           attempt->public.task->spec.kind);
        free_attempt(t, attempt);
    }
    while ((task = TAILQ_FIRST(&t->gone))) {
        TAILQ_REMOVE(&t->gone, task, link);
        free(task);
    }
}
