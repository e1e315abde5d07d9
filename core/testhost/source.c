/* SPDX-License-Identifier: Apache-2.0 */
/* source/1: what the plugin brings in is kept, and the test says how it ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/testhost/internal.h"
#include "paddock/helpers.h"

struct pdk_template {
    const pdk_value *spec; /* held */
};

static const pdk_source_ops *ops(const pdk_test *t) {
    return t && t->self_made ? t->plugin->source : NULL;
}

/* ---- the service ---- */

/* Is this the time to submit? */
static void check_time(pdk_test *t) {
    if (t->phase < PHASE_OPEN) pdk_test_break(t, PDK_TEST_RULE_PURE, "source->submit before start");
    if (t->phase > PHASE_OPEN) pdk_test_break(t, PDK_TEST_RULE_AFTER, "source->submit after drain");
    if (t->pressed && t->phase == PHASE_OPEN)
        pdk_test_break(t, PDK_TEST_RULE_AFTER, "source->submit after -EAGAIN and before resume");
}

static int32_t answer(pdk_test *t, const pdk_submission *s, pdk_error *err) {
    int32_t rc = 0;
    if (t->phase > PHASE_OPEN) return -ESHUTDOWN;
    if (!s->spec == !s->base) {
        pdk_test_break(t, PDK_TEST_RULE_RESULT, "a submission has either spec or base");
        return pdk_fail(err, -EINVAL, NULL, "either spec or base is wanted", NULL, NULL);
    }
    if (pdk_test_strikes(t, PDK_TEST_FAULT_SUBMIT, &rc)) {
        if (rc == -EAGAIN) t->pressed = true;
        return rc == -EINVAL ? pdk_fail(err, rc, s->spec, "the test host says that it is invalid", NULL, NULL) : rc;
    }
    if (t->room == 0) {
        t->pressed = true;
        return -EAGAIN;
    }
    if (t->room != UINT32_MAX) t->room--;
    return 0;
}

static const char *copy(pdk_test *t, const char *text) {
    const char *made = text ? pdk_arena_text(&t->arena, text, strlen(text)) : NULL;
    return made ? made : "";
}

static const pdk_value *hold(pdk_test *t, const pdk_value *value) {
    return value ? pdk_test_keep(t, pdk_values_get()->hold(value)) : NULL;
}

static int32_t source_submit(const pdk_source *source, const pdk_submission *s, pdk_run *ret_run, pdk_error *err) {
    pdk_test *t = source->data;
    struct delivery *delivery;
    int32_t rc;
    pdk_test_check_main(t, "source->submit");
    check_time(t);
    rc = answer(t, s, err);
    pdk_test_note(t, "source->submit %llu: %d", (unsigned long long)s->delivery, rc);
    if (rc) return rc;
    delivery = pdk_arena_alloc(&t->arena, sizeof *delivery);
    if (!delivery) return -EAGAIN;
    delivery->public = (pdk_test_delivery){.struct_size = (uint32_t)sizeof delivery->public,
                                           .test = t,
                                           .delivery = s->delivery,
                                           .run = t->next_handle++,
                                           .spec = hold(t, s->spec ? s->spec : s->base->spec),
                                           .with = hold(t, s->with),
                                           .name = copy(t, s->name),
                                           .slot = copy(t, s->slot),
                                           .trace = copy(t, s->trace),
                                           .deadline_ns = s->deadline_ns,
                                           .trace_state = copy(t, PDK_REACHES(s, trace_state) ? s->trace_state : NULL)};
    TAILQ_INSERT_TAIL(&t->deliveries, delivery, link);
    t->delivery_count++;
    if (ret_run) *ret_run = delivery->public.run;
    return 0;
}

static uint32_t source_room(const pdk_source *source) {
    pdk_test *t = source->data;
    pdk_test_check_main(t, "source->room");
    if (t->room == 0) t->pressed = true;
    return t->room;
}

static int32_t source_cancel(const pdk_source *source, pdk_run run) {
    pdk_test *t = source->data;
    struct delivery *delivery;
    pdk_test_check_main(t, "source->cancel");
    TAILQ_FOREACH(delivery, &t->deliveries, link) {
        if (delivery->public.run != run) continue;
        if (delivery->public.settled) return -ESTALE;
        delivery->public.canceled++;
        return 0;
    }
    pdk_test_break(t, PDK_TEST_RULE_HANDLE, "source->cancel of a run that never was");
    return -ESTALE;
}

static int32_t source_prepare(const pdk_source *source, const pdk_value *spec, const pdk_template **ret,
                              pdk_error *err) {
    pdk_test *t = source->data;
    pdk_template *made;
    int32_t rc = 0;
    pdk_test_check_main(t, "source->prepare");
    if (pdk_test_strikes(t, PDK_TEST_FAULT_PREPARE, &rc))
        return pdk_fail(err, rc, spec, "the test host says that it is invalid", NULL, NULL);
    made = malloc(sizeof *made);
    if (!made) return -ENOMEM;
    made->spec = pdk_values_get()->hold(spec);
    t->templates++;
    *ret = made;
    return 0;
}

static void source_release(const pdk_source *source, const pdk_template *template) {
    pdk_test *t = source->data;
    pdk_test_check_main(t, "source->release");
    if (!template) return;
    t->templates--;
    pdk_values_get()->drop(template->spec);
    free((void *)(uintptr_t) template);
}

void pdk_test_fill_source(pdk_test *t) {
    t->room = UINT32_MAX;
    t->source = (pdk_source){PDK_HEAD(pdk_source), t, source_submit, source_room, source_cancel, source_prepare,
                             source_release};
}

void pdk_test_free_source(pdk_test *t) {
    if (t->templates) pdk_test_break(t, PDK_TEST_RULE_LEFT, "%d templates were not released", t->templates);
}

/* ---- for the test ---- */

uint32_t pdk_test_deliveries(const pdk_test *t) {
    return t ? t->delivery_count : 0;
}

pdk_test_delivery *pdk_test_delivery_at(pdk_test *t, uint32_t i) {
    struct delivery *delivery = t ? TAILQ_FIRST(&t->deliveries) : NULL;
    while (delivery && i--) delivery = TAILQ_NEXT(delivery, link);
    return delivery ? &delivery->public : NULL;
}

struct wanted {
    const pdk_test *test;
    uint32_t count;
};

static int are_there(void *arg) {
    const struct wanted *wanted = arg;
    return wanted->test->delivery_count >= wanted->count;
}

pdk_test_delivery *pdk_test_wait_delivery(pdk_test *t, uint32_t count) {
    struct wanted wanted = {t, count};
    if (!t || count == 0 || pdk_test_until(t, are_there, &wanted)) return NULL;
    return pdk_test_delivery_at(t, count - 1);
}

void pdk_test_room(pdk_test *t, uint32_t room) {
    if (!t) return;
    t->room = room;
    if (!room || !t->pressed || !ops(t)) return;
    t->pressed = false;
    pdk_test_note(t, "resume of the source");
    pdk_test_enter(t, "resume of the source");
    ops(t)->resume(t->self);
    pdk_test_leave(t);
}

void pdk_test_report(pdk_test_delivery *delivery, int32_t phase, double fraction, const char *text) {
    pdk_progress progress = {.struct_size = (uint32_t)sizeof progress,
                             .phase = phase,
                             .attempt = phase == PDK_PHASE_QUEUED ? 0 : 1,
                             .fraction = fraction,
                             .text = text ? text : ""};
    if (!delivery || delivery->settled || !ops(delivery->test) || !ops(delivery->test)->progress) return;
    pdk_test_enter(delivery->test, "progress of the source");
    ops(delivery->test)->progress(delivery->test->self, delivery->delivery, &progress);
    pdk_test_leave(delivery->test);
}

/* The code and the status that a host would say for this end. */
static pdk_result usual(int32_t end) {
    static const struct {
        int32_t status, category;
        const char *code, *message;
    } table[] = {
        [PDK_END_SUCCEEDED] = {PDK_SUCCESS, PDK_CAT_NONE, "", ""},
        [PDK_END_FAILED] = {PDK_FAILURE, PDK_CAT_OTHER, "", "it failed"},
        [PDK_END_FATAL] = {PDK_FATAL, PDK_CAT_OTHER, "", "it cannot work"},
        [PDK_END_CANCELED] = {PDK_CANCELED, PDK_CAT_NONE, "", "canceled"},
        [PDK_END_TIMED_OUT] = {PDK_CANCELED, PDK_CAT_TIMEOUT, "", "timed out"},
        [PDK_END_REJECTED] = {PDK_FAILURE, PDK_CAT_BUSY, "slot_busy", "the slot is busy"},
        [PDK_END_LOST] = {PDK_FAILURE, PDK_CAT_INTERNAL, "", "it does not stop"},
    };
    pdk_result result = PDK_RESULT(PDK_FAILURE, PDK_CAT_OTHER, "");
    result.code = "";
    if (end < 0 || end > PDK_END_LOST) return result;
    result.status = table[end].status;
    result.category = table[end].category;
    result.code = table[end].code;
    result.message = table[end].message;
    return result;
}

void pdk_test_settle_as(pdk_test_delivery *delivery, const pdk_outcome *outcome) {
    pdk_test *t = delivery ? delivery->test : NULL;
    if (!ops(t)) return;
    if (delivery->settled) {
        pdk_test_break(t, PDK_TEST_RULE_EXPECTED, "the test settles a delivery twice");
        return;
    }
    delivery->settled++;
    pdk_test_note(t, "settled %llu: %d", (unsigned long long)delivery->delivery, outcome->end);
    pdk_test_enter(t, "settled");
    ops(t)->settled(t->self, delivery->delivery, outcome);
    pdk_test_leave(t);
    if (!ops(t)->flush) return;
    pdk_test_enter(t, "flush");
    ops(t)->flush(t->self);
    pdk_test_leave(t);
}

static void settle(pdk_test_delivery *delivery, int32_t end, int32_t reason, const pdk_result *result) {
    pdk_result last = usual(end);
    pdk_outcome outcome = {.struct_size = (uint32_t)sizeof outcome,
                           .end = end,
                           .attempts = end == PDK_END_REJECTED ? 0 : 1,
                           .reason = reason,
                           .run = delivery->run,
                           .run_id = "runner-slot-7",
                           .runner = "runner",
                           .last = result ? result : &last};
    outcome.submitted_ns = outcome.ended_ns = (uint64_t)1700000000 * PDK_SECOND + pdk_test_now(delivery->test);
    outcome.started_ns = outcome.attempts ? outcome.submitted_ns : 0;
    pdk_test_settle_as(delivery, &outcome);
}

void pdk_test_settle(pdk_test_delivery *delivery, int32_t end, const pdk_result *result) {
    if (delivery) settle(delivery, end, end == PDK_END_CANCELED ? PDK_CANCEL_USER : 0, result);
}

void pdk_test_drain(pdk_test *t) {
    if (!ops(t) || t->phase != PHASE_OPEN) return;
    pdk_test_note(t, "drain");
    pdk_test_enter(t, "drain");
    ops(t)->drain(t->self);
    pdk_test_leave(t);
    t->phase = PHASE_DRAINING;
}

/* What is not settled when the host shuts down. */
void pdk_test_settle_rest(pdk_test *t) {
    struct delivery *delivery;
    TAILQ_FOREACH(delivery, &t->deliveries, link) {
        if (!delivery->public.settled) settle(&delivery->public, PDK_END_CANCELED, PDK_CANCEL_SHUTDOWN, NULL);
    }
}
