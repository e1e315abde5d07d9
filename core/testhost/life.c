/* SPDX-License-Identifier: Apache-2.0 */
/* An instance is started, becomes well, drains and stops. */
#include <errno.h>

#include "core/testhost/internal.h"
#include "paddock/helpers.h"

int32_t pdk_test_open(pdk_test *t, pdk_error *err) {
    pdk_error why = PDK_ERROR;
    int32_t rc;
    if (!t) return -EINVAL;
    if (!t->plugin->start || t->phase != PHASE_MADE) return 0;
    t->phase = PHASE_OPEN;
    pdk_test_note(t, "start of the instance");
    pdk_test_enter(t, "start of the instance");
    rc = t->plugin->start(t->self, &why);
    pdk_test_leave(t);
    pdk_test_note(t, "start of the instance: %d %s", rc, rc ? why.message : "");
    if (rc == 0) return 0;
    t->phase = PHASE_MADE;
    if (!why.message[0])
        pdk_test_break(t, PDK_TEST_RULE_RESULT, "start of the instance returned %d and did not say why", rc);
    return pdk_test_failed(t, err, rc, &why, "start of the instance");
}

struct wanted {
    pdk_test *test;
    int32_t state;
};

static int is_well(void *arg) {
    const struct wanted *wanted = arg;
    int32_t state;
    (void)pthread_mutex_lock(&wanted->test->lock);
    state = wanted->test->health;
    (void)pthread_mutex_unlock(&wanted->test->lock);
    return state == wanted->state;
}

int32_t pdk_test_wait_health(pdk_test *t, int32_t state) {
    struct wanted wanted = {t, state};
    return t ? pdk_test_until(t, is_well, &wanted) : -EINVAL;
}

static int is_stopped(void *arg) {
    pdk_test *t = arg;
    int stopped;
    (void)pthread_mutex_lock(&t->lock);
    stopped = t->stopped;
    (void)pthread_mutex_unlock(&t->lock);
    return stopped;
}

int32_t pdk_test_close(pdk_test *t) {
    int32_t rc;
    if (!t) return -EINVAL;
    if (t->phase == PHASE_MADE || t->phase >= PHASE_STOPPING) return 0;
    pdk_test_drain(t);
    if (t->plugin->source) pdk_test_settle_rest(t);
    t->phase = PHASE_STOPPING;
    if (!t->plugin->stop) {
        t->phase = PHASE_STOPPED;
        return 0;
    }
    pdk_test_note(t, "stop");
    pdk_test_enter(t, "stop");
    t->plugin->stop(t->self);
    pdk_test_leave(t);
    rc = pdk_test_until(t, is_stopped, t);
    if (rc) pdk_test_break(t, PDK_TEST_RULE_STOP, "stop was called, and stopped was never said");
    t->phase = PHASE_STOPPED;
    return rc;
}
