/* SPDX-License-Identifier: Apache-2.0 */
/* Time passes when the test says so, and everything that waits for it happens in order. */
#include <errno.h>
#include <string.h>

#include "core/testhost/internal.h"

uint64_t pdk_test_now(const pdk_test *t) {
    if (!t) return 0;
    return t->services ? pdk_test_real_now(t) : atomic_load(&t->now);
}

/* Everything that is due without time. */
static bool settle(pdk_test *t, int timeout_ms) {
    bool any = pdk_test_posts(t);
    any = pdk_test_end_jobs(t) || any;
    any = pdk_test_fail_children(t) || any;
    return pdk_test_poll(t, any ? 0 : timeout_ms) || any;
}

void pdk_test_turn(pdk_test *t) {
    if (!t) return;
    if (t->real)
        pdk_test_real_run(t, 0);
    else
        (void)settle(t, 0);
}

void pdk_test_advance(pdk_test *t, uint64_t ns) {
    uint64_t until;
    struct watch *watch;
    if (!t) return;
    until = pdk_test_now(t) + ns;
    if (t->real) {
        while (pdk_test_now(t) < until) pdk_test_real_run(t, until - pdk_test_now(t));
        return;
    }
    (void)settle(t, 0);
    while ((watch = pdk_test_next_timer(t, until))) {
        pdk_test_fire(t, watch);
        (void)pdk_test_posts(t);
    }
    atomic_store(&t->now, until);
    (void)settle(t, 0);
}

/* ---- until something is so ---- */

enum { GLANCE_MS = 20 };

/* Is somebody at work whom only the wall's time brings on: a peer behind a descriptor, a thread of the plugin's? */
static bool others_work(const pdk_test *t) {
    return pdk_test_descriptors(t) || pdk_test_threads() > t->begin.threads;
}

/* Beside others time goes as fast as theirs; alone it jumps to the next timer. False: nothing is left to happen. */
static bool go_on(pdk_test *t) {
    struct watch *watch;
    uint64_t before = pdk_test_wall(), now = pdk_test_now(t);
    if (settle(t, 0)) return true;
    if (pdk_test_run_jobs(t)) return true;
    watch = pdk_test_next_timer(t, UINT64_MAX);
    if (others_work(t)) {
        uint64_t wait =
            watch && watch->due < now + GLANCE_MS * PDK_MILLISECOND ? watch->due - now : GLANCE_MS * PDK_MILLISECOND;
        (void)settle(t, watch && watch->due <= now ? 0 : (int)(wait / PDK_MILLISECOND) + 1);
        pdk_test_advance(t, pdk_test_wall() - before);
        return true;
    }
    if (watch) pdk_test_fire(t, watch);
    return watch != NULL;
}

bool pdk_test_step(pdk_test *t) {
    if (!t->real) return go_on(t);
    pdk_test_real_run(t, GLANCE_MS * PDK_MILLISECOND);
    return true;
}

int32_t pdk_test_until(pdk_test *t, int (*is_so)(void *arg), void *arg) {
    uint64_t end;
    if (!t) return -EINVAL;
    end = pdk_test_wall() + t->tuning.patience_ns;
    while (!is_so(arg)) {
        bool goes_on = pdk_test_step(t);
        if (is_so(arg)) break;
        if (goes_on && pdk_test_wall() < end) continue;
        if (!t->tuning.quiet)
            pdk_test_break(t, PDK_TEST_RULE_EXPECTED, "waited in vain: %s",
                           goes_on ? "it takes too long" : "nothing is left that could happen");
        return -ETIMEDOUT;
    }
    return 0;
}

/* done and output come from any thread. */
static int is_done(void *arg) {
    const pdk_test_attempt *attempt = arg;
    int done;
    (void)pthread_mutex_lock(&attempt->task->test->lock);
    done = attempt->done > 0;
    (void)pthread_mutex_unlock(&attempt->task->test->lock);
    return done;
}

int32_t pdk_test_wait(pdk_test_attempt *attempt) {
    return attempt ? pdk_test_until(attempt->task->test, is_done, attempt) : -EINVAL;
}

struct saying {
    const pdk_test_attempt *attempt;
    const char *text;
};

static int has_said(void *arg) {
    const struct saying *saying = arg;
    pdk_test *t = saying->attempt->task->test;
    int said;
    (void)pthread_mutex_lock(&t->lock);
    said = saying->attempt->done || strstr(saying->attempt->output[PDK_STDOUT], saying->text);
    (void)pthread_mutex_unlock(&t->lock);
    return said;
}

int32_t pdk_test_wait_output(pdk_test_attempt *attempt, const char *text) {
    struct saying saying = {attempt, text};
    return attempt ? pdk_test_until(attempt->task->test, has_said, &saying) : -EINVAL;
}
