/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong because the test says so. */
#include <errno.h>

#include "core/testhost/heap.h"
#include "core/testhost/internal.h"

/* What each ends in when the test does not say. */
static const int32_t usual[FAULTS] = {
    [PDK_TEST_FAULT_SUBMIT_JOB] = -EAGAIN, [PDK_TEST_FAULT_JOB] = -ECANCELED, [PDK_TEST_FAULT_SPAWN] = -EAGAIN,
    [PDK_TEST_FAULT_CHILD] = -ENOENT,      [PDK_TEST_FAULT_IO] = -EMFILE,     [PDK_TEST_FAULT_TIMER] = -ENOMEM,
    [PDK_TEST_FAULT_OUTPUT] = PDK_PAUSE,   [PDK_TEST_FAULT_SUBMIT] = -EAGAIN, [PDK_TEST_FAULT_PREPARE] = -EINVAL,
};

int32_t pdk_test_fault(pdk_test *t, int32_t fault, int32_t answer, uint32_t after, uint32_t times) {
    if (fault == PDK_TEST_FAULT_ALLOCATION) {
        if (t && !t->library.plugin) return -ENOTSUP;
        pdk_heap_fail(false, after, times);
        return 0;
    }
    if (!t || fault < PDK_TEST_FAULT_ALLOCATION || fault >= FAULTS) return -EINVAL;
    (void)pthread_mutex_lock(&t->lock);
    t->faults[fault] = (struct fault){answer ? answer : usual[fault], after, times, 0};
    (void)pthread_mutex_unlock(&t->lock);
    return 0;
}

uint32_t pdk_test_struck(const pdk_test *t, int32_t fault) {
    if (fault == PDK_TEST_FAULT_ALLOCATION) return pdk_heap_struck();
    return t && fault > PDK_TEST_FAULT_ALLOCATION && fault < FAULTS ? t->faults[fault].struck : 0;
}

bool pdk_test_strikes(pdk_test *t, int32_t fault, int32_t *ret) {
    struct fault *f = &t->faults[fault];
    bool struck = false;
    (void)pthread_mutex_lock(&t->lock);
    if (f->times && f->after) {
        f->after--;
    } else if (f->times) {
        if (f->times != UINT32_MAX) f->times--;
        f->struck++;
        *ret = f->answer;
        struck = true;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return struck;
}
