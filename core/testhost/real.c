/* SPDX-License-Identifier: Apache-2.0 */
/* The loop, the pool and the processes of the core, for tests of what really happens. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/testhost/internal.h"

struct real {
    struct pdk_ev *ev;
    struct pdk_threads *threads;
    struct pdk_spawner *spawner;
    uint32_t watches; /* that are not of the plugin */
    pdk_call wake;
};

static void woken(void *arg) {
    pdk_ev_break(((struct real *)arg)->ev);
}

static int32_t take_output(void *arg, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    pdk_test *t = arg;
    int32_t rc = pdk_test_take_output(t, attempt, stream, data, size), answer = PDK_PAUSE;
    if (rc == 0 && pdk_test_strikes(t, PDK_TEST_FAULT_OUTPUT, &answer)) return answer;
    return rc;
}

int32_t pdk_test_make_real(pdk_test *t, pdk_error *err) {
    struct real *real = calloc(1, sizeof *real);
    struct pdk_spawner_options options = {.cgroups = 0, .output = take_output, .arg = t};
    int32_t rc;
    if (!real) return -ENOMEM;
    t->services = real;
    real->wake = (pdk_call){woken, real, {NULL, NULL}};
    rc = pdk_ev_create(&real->ev);
    if (rc == 0) rc = pdk_threads_create(pdk_ev_loop(real->ev), 2, 0, &real->threads);
    if (rc == 0) options.loop = pdk_ev_loop(real->ev);
    if (rc == 0) real->watches = pdk_ev_watches(real->ev);
    if (rc == 0) rc = pdk_spawner_create(&options, &real->spawner, err);
    if (rc) pdk_test_free_real(t);
    return rc;
}

static void left(pdk_test *t, uint32_t count, const char *one, const char *more) {
    if (count) pdk_test_break(t, PDK_TEST_RULE_LEFT, "%u %s left", count, count == 1 ? one : more);
}

void pdk_test_free_real(pdk_test *t) {
    struct real *real = t->services;
    struct pdk_spawner_stats stats = {0};
    if (!real) return;
    if (real->spawner) pdk_spawner_stats(real->spawner, &stats);
    left(t, stats.children, "child was", "children were");
    if (real->threads) left(t, pdk_threads_jobs(real->threads), "job was", "jobs were");
    pdk_spawner_free(real->spawner); /* with the watches of its own */
    if (real->ev && real->threads) left(t, pdk_ev_watches(real->ev) - real->watches, "watch was", "watches were");
    pdk_threads_free(real->threads);
    if (real->ev) pdk_ev_once(real->ev); /* what they posted */
    pdk_ev_free(real->ev);
    free(real);
    t->services = NULL;
}

const void *pdk_test_real_service(const pdk_test *t, const char *id) {
    const struct real *real = t->services;
    if (!strcmp(id, PDK_LOOP_1)) return pdk_ev_loop(real->ev);
    if (!strcmp(id, PDK_POOL_1)) return pdk_threads_pool(real->threads);
    if (!strcmp(id, PDK_PROCESS_1)) return pdk_spawner_service(real->spawner);
    return NULL;
}

uint64_t pdk_test_real_now(const pdk_test *t) {
    const pdk_loop *loop = pdk_ev_loop(t->services->ev);
    return loop->now_ns(loop);
}

void pdk_test_real_wake(pdk_test *t) {
    const pdk_loop *loop = t->services ? pdk_ev_loop(t->services->ev) : NULL;
    if (loop) loop->post(loop, &t->services->wake);
}

void pdk_test_real_run(pdk_test *t, uint64_t ns) {
    const pdk_loop *loop = pdk_ev_loop(t->services->ev);
    pdk_watch watch = 0;
    if (ns == 0) {
        pdk_ev_once(t->services->ev);
        return;
    }
    if (loop->timer(loop, ns, 0, woken, t->services, &watch)) return;
    pdk_ev_run(t->services->ev);
    loop->stop(loop, watch);
}
