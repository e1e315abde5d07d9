/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of sources: those that bring something in by themselves, with the config they are given. */
#include <errno.h>
#include <string.h>

#include "core/verify/internal.h"

static const char nothing[] = "it brings nothing in: --config says where it finds something";

/* An instance that is open, and has brought `count` deliveries. NULL: there is a verdict. */
static pdk_test *open_source(struct pdk_verify *v, uint32_t count) {
    pdk_test *t = pdk_play_load(v, 0);
    pdk_error err = PDK_ERROR;
    if (!t) return NULL;
    if (pdk_test_open(t, &err) < 0)
        pdk_verify_skip(v, "the instance does not start: %s", err.message);
    else if (count && !pdk_test_wait_delivery(t, count))
        pdk_verify_skip(v, "%s", nothing);
    if (pdk_verify_is_open(v)) return t;
    pdk_play_end(v, t);
    return NULL;
}

void pdk_check_source_early(struct pdk_verify *v) {
    pdk_test *t = pdk_play_load(v, 0);
    if (!t) return;
    if (!v->plugin->start) pdk_verify_skip(v, "it has no start");
    for (int i = 0; i < 20; i++) (void)pdk_test_step(t);
    pdk_play_end(v, t);
}

static int32_t settle_all(pdk_test *t, int32_t end) {
    pdk_test_delivery *delivery;
    for (uint32_t i = 0; (delivery = pdk_test_delivery_at(t, i)); i++) {
        if (delivery->settled) continue;
        pdk_test_report(delivery, PDK_PHASE_RUNNING, 0.5, "half");
        pdk_test_settle(delivery, end > PDK_END_LOST ? PDK_END_LOST : end, NULL);
        end++;
    }
    return end;
}

void pdk_check_source_settled(struct pdk_verify *v) {
    pdk_test *t = open_source(v, 1);
    int32_t end = PDK_END_SUCCEEDED;
    if (!t) return;
    for (int i = 0; i < 200 && end <= PDK_END_LOST; i++) {
        end = settle_all(t, end);
        if (!pdk_test_step(t)) break;
    }
    (void)pdk_test_close(t);
    pdk_play_end(v, t);
}

static int has_asked(void *arg) {
    return pdk_test_struck(arg, PDK_TEST_FAULT_SUBMIT) > 0;
}

void pdk_check_source_busy(struct pdk_verify *v) {
    pdk_test *t = open_source(v, 1);
    uint32_t before;
    if (!t) return;
    (void)settle_all(t, PDK_END_SUCCEEDED);
    (void)pdk_test_fault(t, PDK_TEST_FAULT_SUBMIT, -EAGAIN, 0, UINT32_MAX);
    if (pdk_test_until(t, has_asked, t)) {
        pdk_verify_skip(v, "it brings in one delivery, and no second one");
    } else {
        for (int i = 0; i < 100; i++) (void)pdk_test_step(t);
        before = pdk_test_deliveries(t);
        (void)pdk_test_fault(t, PDK_TEST_FAULT_SUBMIT, 0, 0, 0);
        pdk_test_room(t, UINT32_MAX);
        if (!pdk_test_wait_delivery(t, before + 1)) pdk_verify_fail(v, "after resume nothing came any more");
    }
    (void)pdk_test_close(t);
    pdk_play_end(v, t);
}

void pdk_check_source_invalid(struct pdk_verify *v) {
    pdk_test *t = open_source(v, 0);
    if (!t) return;
    (void)pdk_test_fault(t, PDK_TEST_FAULT_SUBMIT, -EINVAL, 0, 1);
    if (pdk_test_until(t, has_asked, t))
        pdk_verify_skip(v, "%s", nothing);
    else if (!pdk_test_wait_delivery(t, 1))
        pdk_verify_fail(v, "after one that was refused nothing came any more");
    (void)pdk_test_close(t);
    pdk_play_end(v, t);
}

void pdk_check_source_drain(struct pdk_verify *v) {
    pdk_test *t = open_source(v, 0);
    if (!t) return;
    (void)pdk_test_wait_delivery(t, 1);
    pdk_test_drain(t);
    for (int i = 0; i < 100; i++) (void)pdk_test_step(t);
    (void)settle_all(t, PDK_END_SUCCEEDED);
    (void)pdk_test_close(t);
    for (int i = 0; i < 20; i++) (void)pdk_test_step(t);
    pdk_play_end(v, t);
}

static void live_once(struct pdk_verify *v) {
    pdk_test *t = open_source(v, 0);
    if (!t) return;
    (void)pdk_test_wait_delivery(t, 1);
    (void)settle_all(t, PDK_END_SUCCEEDED);
    (void)pdk_test_close(t);
    pdk_play_end(v, t);
}

void pdk_check_source_cycles(struct pdk_verify *v) {
    pdk_play_cycles(v, live_once);
}
