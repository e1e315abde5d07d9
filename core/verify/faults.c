/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of runners whose world is in bad shape: nothing may crash, hang, or end well that did not. */
#include <errno.h>
#include <string.h>

#include "core/testhost/heap.h"
#include "core/verify/internal.h"

/* Start refuses, or the attempt ends; then, without the fault, the task works as if nothing had been. */
static bool survive(struct pdk_verify *v, pdk_test *t, pdk_test_task *task) {
    pdk_error err = PDK_ERROR;
    pdk_test_attempt *attempt = pdk_test_start(task, &err);
    const char *line;
    int32_t rule;
    if (attempt && !pdk_play_finish(v, attempt)) return false;
    if (attempt) return true;
    if (err.code >= 0) pdk_verify_fail(v, "start returned %d", err.code);
    for (uint32_t i = 0; (line = pdk_test_broken_line(t, i, &rule)); i++)
        if (rule == PDK_TEST_RULE_DONE) pdk_verify_fail(v, "%s", line);
    return true;
}

static void with_fault(struct pdk_verify *v, pdk_test *t, int32_t fault, int32_t answer, uint32_t *struck) {
    pdk_test_task *task = pdk_play_build(v, t);
    bool ended;
    if (!task) return;
    (void)pdk_test_fault(t, fault, answer, 0, UINT32_MAX);
    ended = survive(v, t, task);
    *struck += pdk_test_struck(t, fault);
    (void)pdk_test_fault(t, fault, 0, 0, 0);
    if (ended && *struck) ended = survive(v, t, task);
    if (ended) pdk_test_destroy(task);
}

static void none(struct pdk_verify *v, uint32_t struck, const char *what) {
    if (struck == 0) pdk_verify_skip(v, "kind %s %s", v->kind, what);
}

static void pool_busy(struct pdk_verify *v, pdk_test *t) {
    uint32_t struck = 0;
    with_fault(v, t, PDK_TEST_FAULT_SUBMIT_JOB, -EAGAIN, &struck);
    none(v, struck, "submits no jobs with these parameters");
}

void pdk_check_pool_busy(struct pdk_verify *v) {
    pdk_play_kinds(v, pool_busy);
}

static void job_canceled(struct pdk_verify *v, pdk_test *t) {
    uint32_t struck = 0;
    with_fault(v, t, PDK_TEST_FAULT_JOB, -ECANCELED, &struck);
    none(v, struck, "submits no jobs with these parameters");
}

void pdk_check_job_canceled(struct pdk_verify *v) {
    pdk_play_kinds(v, job_canceled);
}

static void spawn_fails(struct pdk_verify *v, pdk_test *t) {
    uint32_t struck = 0;
    with_fault(v, t, PDK_TEST_FAULT_SPAWN, -EAGAIN, &struck);
    if (struck) with_fault(v, t, PDK_TEST_FAULT_SPAWN, -EINVAL, &struck);
    if (struck) with_fault(v, t, PDK_TEST_FAULT_CHILD, -ENOENT, &struck);
    none(v, struck, "starts no children with these parameters");
}

void pdk_check_spawn_fails(struct pdk_verify *v) {
    pdk_play_kinds(v, spawn_fails);
}

static void loop_fails(struct pdk_verify *v, pdk_test *t) {
    uint32_t timers = 0, descriptors = 0;
    with_fault(v, t, PDK_TEST_FAULT_TIMER, -ENOMEM, &timers);
    with_fault(v, t, PDK_TEST_FAULT_IO, -EMFILE, &descriptors);
    none(v, timers + descriptors, "watches nothing with these parameters");
}

void pdk_check_loop_fails(struct pdk_verify *v) {
    pdk_play_kinds(v, loop_fails);
}

/* ---- memory ---- */

/* The parameters were found before, with memory. */
static void play_without(struct pdk_verify *v, pdk_test *t) {
    pdk_error err = PDK_ERROR;
    const char *with = v->subject->with ? v->subject->with : v->sampled;
    pdk_test_task *task = v->allocation ? pdk_test_build(t, v->kind, with, &err) : pdk_play_build(v, t);
    if (!task && v->allocation && err.code != -ENOMEM && pdk_heap_struck())
        pdk_verify_fail(v, "build_task answered %s, not -ENOMEM", strerror(-err.code));
    if (!task || !survive(v, t, task)) return;
    pdk_play_heal();
    if (pdk_heap_struck() && !survive(v, t, task)) return;
    pdk_test_destroy(task);
}

static void play_kind_without(struct pdk_verify *v) {
    pdk_error err = PDK_ERROR;
    pdk_test *t = pdk_play_load(v, 0);
    v->kind = v->subject->kind ? v->subject->kind : v->plugin->runner->kinds[v->kind_index]->name;
    if (!t && pdk_heap_struck()) v->verdict = 0; /* of create there is a check of its own */
    if (!t) return;
    if (pdk_test_open(t, &err) == 0) {
        if (v->plugin->start) (void)pdk_test_wait_health(t, PDK_UP);
        play_without(v, t);
    }
    pdk_play_heal();
    pdk_play_end(v, t);
}

void pdk_check_task_memory(struct pdk_verify *v) {
    const pdk_schema *const *kinds = v->plugin->runner->kinds;
    for (v->kind_index = 0; kinds[v->kind_index] && pdk_verify_is_open(v); v->kind_index++) {
        v->allocation = 0;
        pdk_play_memory(v, play_kind_without);
        if (v->subject->kind) return;
    }
}
