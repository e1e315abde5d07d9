/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of runners whose world is in good shape. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/spec/schema.h"
#include "core/verify/internal.h"

static const uint64_t hour = 3600 * PDK_SECOND;

/* ---- before the start ---- */

static void supports_twice(struct pdk_verify *v, pdk_test *t) {
    const char *with = v->subject->with;
    pdk_error err = PDK_ERROR;
    int32_t first;
    if (!with) {
        pdk_test_task *task = pdk_play_build(v, t);
        pdk_test_destroy(task);
        with = v->sampled;
        if (!task) return;
    }
    first = pdk_test_supports(t, v->kind, with, &err);
    if (pdk_test_supports(t, v->kind, with, &err) != first)
        pdk_verify_fail(v, "supports answered %d, and then something else", first);
}

void pdk_check_supports(struct pdk_verify *v) {
    if (!v->plugin->runner->supports)
        pdk_verify_skip(v, "it has no supports, which counts as 1");
    else
        pdk_play_kinds(v, supports_twice);
}

static void build_twice(struct pdk_verify *v, pdk_test *t) {
    pdk_test_task *first = pdk_play_build(v, t), *second = NULL;
    pdk_error err = PDK_ERROR;
    if (!first) return;
    second = pdk_test_build(t, v->kind, v->subject->with ? v->subject->with : v->sampled, &err);
    if (!second) pdk_verify_fail(v, "build_task took it the first time, and the second time said %s", err.message);
    if (second && second->task && second->task == first->task)
        pdk_verify_fail(v, "build_task gave the same task twice");
    pdk_test_destroy(first);
    if (second && second->task != first->task) pdk_test_destroy(second);
}

void pdk_check_build(struct pdk_verify *v) {
    pdk_play_kinds(v, build_twice);
}

/* Is this value a part of that one? */
static bool is_part(const pdk_values *values, const pdk_value *whole, const pdk_value *part) {
    bool found = whole == part;
    for (size_t i = 0; !found && whole && i < values->count(whole); i++)
        found = values->type(whole) != PDK_STRING && is_part(values, values->at(whole, i), part);
    return found;
}

/* The parameters that are taken, with another value for one field. */
static const pdk_value *with_field(struct pdk_verify *v, pdk_test *t, const char *name, const char *value) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *base = pdk_test_value(t, v->subject->with ? v->subject->with : v->sampled);
    struct pdk_buffer json = PDK_BUFFER(1u << 16);
    const pdk_value *made = NULL;
    pdk_error err = PDK_ERROR;
    pdk_buffer_format(&json, "{\"%s\": %s", name, value);
    for (size_t i = 0; i < values->count(base); i++) {
        if (!strcmp(values->key_at(base, i), name)) continue;
        pdk_buffer_format(&json, ", \"%s\": %s", values->key_at(base, i), pdk_test_text(t, values->at(base, i)));
    }
    pdk_buffer_text(&json, "}");
    if (!json.error) made = pdk_test_with(t, v->kind, pdk_buffer_string(&json), &err);
    pdk_buffer_free(&json);
    return made;
}

static void try_field(struct pdk_verify *v, pdk_test *t, const pdk_param *row, const char *value) {
    pdk_spec spec = {.struct_size = (uint32_t)sizeof spec, .kind = v->kind};
    pdk_error err = PDK_ERROR;
    pdk_test_task *task;
    spec.with = with_field(v, t, row->name, value);
    if (!spec.with) return; /* the schema refuses it, so the plugin never sees it */
    task = pdk_test_build_spec(t, &spec, &err);
    if (!task && err.at && !is_part(pdk_values_get(), spec.with, err.at))
        pdk_verify_fail(v, "build_task refuses %s: %s, and points at what it was not given", row->name, value);
    pdk_test_destroy(task);
}

static void refusals(struct pdk_verify *v, pdk_test *t) {
    const pdk_schema *const *kinds = v->plugin->runner->kinds;
    pdk_test_task *task = pdk_play_build(v, t);
    const pdk_param *row;
    const char *value;
    char buf[256];
    for (; strcmp((*kinds)->name, v->kind) != 0; kinds++) {}
    pdk_test_destroy(task);
    for (size_t i = 0; task && (*kinds)->params && (row = pdk_param_at((*kinds)->params, (*kinds)->param_size, i)); i++)
        for (unsigned k = 0; (value = pdk_sample_value(row, (*kinds)->param_size, k, buf, sizeof buf)); k++)
            try_field(v, t, row, value);
}

void pdk_check_refusals(struct pdk_verify *v) {
    pdk_play_kinds(v, refusals);
}

static void build_only(struct pdk_verify *v, pdk_test *t) {
    pdk_test_destroy(pdk_play_build(v, t));
}

static void build_once(struct pdk_verify *v) {
    pdk_play_kinds(v, build_only);
}

void pdk_check_build_cycles(struct pdk_verify *v) {
    pdk_play_cycles(v, build_once);
}

/* ---- from start to done ---- */

void pdk_check_slow(struct pdk_verify *v) {
    pdk_play_kinds(v, pdk_play_task);
}

void pdk_check_one_done(struct pdk_verify *v) {
    pdk_play_kinds(v, pdk_play_task);
}

static void wait_after_done(struct pdk_verify *v, pdk_test *t) {
    pdk_test_task *task = pdk_play_build(v, t);
    pdk_test_attempt *attempt = pdk_play_start(v, task);
    if (attempt && !pdk_play_finish(v, attempt)) return;
    for (int i = 0; i < 50 && pdk_test_step(t); i++) {}
    pdk_test_advance(t, hour);
    pdk_test_destroy(task);
}

void pdk_check_after_done(struct pdk_verify *v) {
    pdk_play_kinds(v, wait_after_done);
}

static void play_again(struct pdk_verify *v, pdk_test *t) {
    pdk_test_task *task = pdk_play_build(v, t);
    for (int i = 0; task && i < 3; i++) {
        pdk_error err = PDK_ERROR;
        pdk_test_attempt *attempt = pdk_test_start(task, &err);
        if (!attempt && i == 0) pdk_verify_skip(v, "kind %s does not start: %s", v->kind, err.message);
        if (!attempt && i > 0) pdk_verify_fail(v, "attempt %d does not start: %s", i + 1, err.message);
        if (!attempt) break;
        if (!pdk_play_finish(v, attempt)) return;
    }
    pdk_test_destroy(task);
}

void pdk_check_again(struct pdk_verify *v) {
    pdk_play_kinds(v, play_again);
}

/* The first is cancelled: that is nothing to the second. */
static void play_two(struct pdk_verify *v, pdk_test *t) {
    pdk_test_task *a = pdk_play_build(v, t), *b = a ? pdk_play_build(v, t) : NULL;
    pdk_test_attempt *first = pdk_play_start(v, a), *second = first ? pdk_play_start(v, b) : NULL;
    bool ended = first && first->done;
    if (second) {
        pdk_test_cancel(first, PDK_CANCEL_USER);
        if (!pdk_play_finish(v, second) || !pdk_play_finish(v, first)) return;
        if (!ended && second->status == PDK_CANCELED && pdk_test_now(t) < 100 * PDK_SECOND + hour)
            pdk_verify_fail(v, "the cancel of one task ended another");
    } else if (first && !pdk_play_finish(v, first)) {
        return;
    }
    pdk_test_destroy(a);
    pdk_test_destroy(b);
}

void pdk_check_two_tasks(struct pdk_verify *v) {
    pdk_play_kinds(v, play_two);
}

/* ---- asked to end ---- */

/* Right after start, and again once it is at work. Children end when they are told to. */
static void cancel_it(struct pdk_verify *v, pdk_test *t) {
    pdk_test_task *task = pdk_play_build(v, t);
    uint64_t grace = task ? task->spec.grace_ns : 0;
    for (int at_work = 0; task && at_work < 2; at_work++) {
        pdk_test_attempt *attempt = pdk_play_start(v, task);
        if (!attempt) return;
        v->ending = PDK_END_SIGNALED;
        if (at_work) pdk_play_begin(v, attempt);
        pdk_test_cancel(attempt, PDK_CANCEL_TIMEOUT);
        if (!pdk_play_run(v, attempt, grace)) {
            pdk_verify_fail(v, "%llu seconds after a cancel %s there was no done",
                            (unsigned long long)(grace / PDK_SECOND), at_work ? "of an attempt at work" : "at once");
            return;
        }
        v->ending = PDK_END_ALONE;
    }
    pdk_test_destroy(task);
}

void pdk_check_cancel(struct pdk_verify *v) {
    pdk_play_kinds(v, cancel_it);
}

static void cancel_late(struct pdk_verify *v, pdk_test *t) {
    pdk_test_task *task = pdk_play_build(v, t);
    pdk_test_attempt *attempt = pdk_play_start(v, task);
    if (!attempt || !pdk_play_finish(v, attempt)) return;
    pdk_test_cancel_late(attempt, PDK_CANCEL_USER);
    for (int i = 0; i < 20 && pdk_test_step(t); i++) {}
    attempt = pdk_play_start(v, task); /* and it harms no later one */
    if (attempt && !pdk_play_finish(v, attempt)) return;
    pdk_test_destroy(task);
}

void pdk_check_cancel_late(struct pdk_verify *v) {
    pdk_play_kinds(v, cancel_late);
}

/* Children end when they are killed. */
static void kill_it(struct pdk_verify *v, pdk_test *t) {
    pdk_test_task *task = pdk_play_build(v, t);
    uint64_t grace = task ? task->spec.grace_ns : 0;
    for (int at_work = 0; task && at_work < 2; at_work++) {
        pdk_test_attempt *attempt = pdk_play_start(v, task);
        if (!attempt) return;
        v->ending = PDK_END_KILLED;
        if (at_work) pdk_play_begin(v, attempt);
        pdk_test_cancel(attempt, PDK_CANCEL_USER);
        if (!pdk_play_run(v, attempt, grace)) pdk_test_kill(attempt);
        if (!pdk_play_run(v, attempt, grace)) {
            pdk_verify_fail(v, "%llu seconds after a kill %s there was no done",
                            (unsigned long long)(grace / PDK_SECOND), at_work ? "of an attempt at work" : "at once");
            return;
        }
        v->ending = PDK_END_ALONE;
    }
    pdk_test_destroy(task);
}

void pdk_check_kill(struct pdk_verify *v) {
    pdk_play_kinds(v, kill_it);
}

/* All output says that it is to pause, and no resume comes. */
static void cancel_paused(struct pdk_verify *v, pdk_test *t) {
    pdk_test_task *task = pdk_play_build(v, t);
    pdk_test_attempt *attempt = NULL;
    if (!task) return;
    (void)pdk_test_fault(t, PDK_TEST_FAULT_OUTPUT, PDK_PAUSE, 0, UINT32_MAX);
    attempt = pdk_play_start(v, task);
    if (!attempt) return;
    v->ending = PDK_END_SIGNALED;
    for (int i = 0; i < 20 && !attempt->done && pdk_test_struck(t, PDK_TEST_FAULT_OUTPUT) == 0; i++)
        pdk_play_begin(v, attempt);
    pdk_test_cancel(attempt, PDK_CANCEL_USER);
    if (!pdk_play_run(v, attempt, task->spec.grace_ns)) {
        pdk_verify_fail(v, "paused and cancelled, there was no done");
        return;
    }
    v->ending = PDK_END_ALONE;
    (void)pdk_test_fault(t, PDK_TEST_FAULT_OUTPUT, 0, 0, 0);
    pdk_test_destroy(task);
}

void pdk_check_paused(struct pdk_verify *v) {
    pdk_play_kinds(v, cancel_paused);
}

static void reload_it(struct pdk_verify *v, pdk_test *t) {
    pdk_test_task *task = pdk_play_build(v, t);
    pdk_test_attempt *attempt = pdk_play_start(v, task);
    int32_t rc;
    if (!attempt) return;
    rc = attempt->done ? 0 : pdk_test_reload(attempt);
    if (rc > 0) pdk_verify_fail(v, "reload returned %d", rc);
    if (!pdk_play_finish(v, attempt)) return;
    pdk_test_destroy(task);
}

void pdk_check_reload(struct pdk_verify *v) {
    if (v->plugin->runner->task->reload)
        pdk_play_kinds(v, reload_it);
    else
        pdk_verify_skip(v, "it has no reload");
}

/* ---- what is left ---- */

static void play_kinds_once(struct pdk_verify *v) {
    pdk_play_kinds(v, pdk_play_task);
}

void pdk_check_left(struct pdk_verify *v) {
    pdk_play_kinds(v, pdk_play_task);
    if (pdk_verify_is_open(v)) pdk_play_kinds(v, cancel_it);
}

void pdk_check_task_cycles(struct pdk_verify *v) {
    pdk_play_cycles(v, play_kinds_once);
}
