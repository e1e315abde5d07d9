/* SPDX-License-Identifier: Apache-2.0 */
/* Row 7: calls posted from another thread, against the same list with ev_async by hand. Without a floor: the pool. */
#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>

#include "bench.h"
#include "core/loop/loop.h"

enum { POSTS = 2000000, CALLS = 4096, JOBS = 200000 };

struct ours {
    struct pdk_ev *ev;
    const pdk_loop *loop;
    pdk_call calls[CALLS];
    atomic_uint free[CALLS]; /* 1: it has run */
    uint32_t index[CALLS];
    uint32_t ran;
};

static struct ours *ours_now; /* a benchmark has one */

static void ours_run(void *arg) {
    uint32_t i = *(uint32_t *)arg;
    atomic_store_explicit(&ours_now->free[i], 1, memory_order_release);
    if (++ours_now->ran == POSTS) pdk_ev_break(ours_now->ev);
}

static void *ours_producer(void *arg) {
    struct ours *ours = arg;
    for (uint32_t n = 0; n < POSTS; n++) {
        uint32_t i = n % CALLS;
        while (!atomic_load_explicit(&ours->free[i], memory_order_acquire)) {}
        atomic_store_explicit(&ours->free[i], 0, memory_order_relaxed);
        ours->loop->post(ours->loop, &ours->calls[i]);
    }
    return NULL;
}

static double ours_post(void *arg) {
    pthread_t thread;
    (void)arg;
    struct ours *ours = ours_now = calloc(1, sizeof *ours);
    if (!ours || pdk_ev_create(&ours->ev) < 0) exit(1);
    ours->loop = pdk_ev_loop(ours->ev);
    for (uint32_t i = 0; i < CALLS; i++) {
        ours->index[i] = i;
        ours->calls[i] = (pdk_call){.run = ours_run, .arg = &ours->index[i]};
        ours->free[i] = 1;
    }
    uint64_t from = pdk_clock_now();
    pthread_create(&thread, NULL, ours_producer, ours);
    pdk_ev_run(ours->ev);
    double result = (double)(pdk_clock_now() - from) / POSTS;
    pthread_join(thread, NULL);
    pdk_ev_free(ours->ev);
    free(ours);
    return result;
}

/* ---- the floor: a list, and a wake when it was empty ---- */

struct node {
    struct node *next;
    atomic_uint free;
};

struct raw {
    struct ev_loop *loop;
    struct ev_async wake;
    _Atomic(struct node *) head;
    struct node nodes[CALLS];
    uint32_t ran;
};

static void raw_wake(struct ev_loop *loop, struct ev_async *wake, int events) {
    struct raw *raw = wake->data;
    (void)events;
    struct node *node = atomic_exchange_explicit(&raw->head, NULL, memory_order_acquire);
    while (node) {
        struct node *next = node->next;
        atomic_store_explicit(&node->free, 1, memory_order_release);
        if (++raw->ran == POSTS) ev_break(loop, EVBREAK_ONE);
        node = next;
    }
}

static void *raw_producer(void *arg) {
    struct raw *raw = arg;
    for (uint32_t n = 0; n < POSTS; n++) {
        struct node *node = &raw->nodes[n % CALLS];
        while (!atomic_load_explicit(&node->free, memory_order_acquire)) {}
        atomic_store_explicit(&node->free, 0, memory_order_relaxed);
        struct node *before = atomic_load_explicit(&raw->head, memory_order_relaxed);
        do node->next = before;
        while (!atomic_compare_exchange_weak_explicit(&raw->head, &before, node, memory_order_release,
                                                      memory_order_relaxed));
        if (!before) ev_async_send(raw->loop, &raw->wake);
    }
    return NULL;
}

static double raw_post(void *arg) {
    pthread_t thread;
    (void)arg;
    struct raw *raw = calloc(1, sizeof *raw);
    if (!raw) exit(1);
    raw->loop = ev_loop_new(EVBACKEND_EPOLL);
    ev_async_init(&raw->wake, raw_wake);
    raw->wake.data = raw;
    ev_async_start(raw->loop, &raw->wake);
    for (uint32_t i = 0; i < CALLS; i++) raw->nodes[i].free = 1;
    uint64_t from = pdk_clock_now();
    pthread_create(&thread, NULL, raw_producer, raw);
    ev_run(raw->loop, 0);
    double result = (double)(pdk_clock_now() - from) / POSTS;
    pthread_join(thread, NULL);
    ev_loop_destroy(raw->loop);
    free(raw);
    return result;
}

/* ---- the pool ---- */

struct jobs {
    struct pdk_ev *ev;
    const pdk_pool *pool;
    uint32_t submitted, done;
    pdk_job jobs[256];
};

static void no_work(void *arg) {
    (void)arg;
}

static struct jobs jobs_now;

static void job_done(void *arg, int32_t status) {
    pdk_job *job = arg;
    (void)status;
    if (++jobs_now.done == JOBS) pdk_ev_break(jobs_now.ev);
    if (jobs_now.submitted < JOBS && jobs_now.pool->submit(jobs_now.pool, job) == 0) jobs_now.submitted++;
}

static double pool_ns(void) {
    struct pdk_threads *threads;
    jobs_now = (struct jobs){0};
    if (pdk_ev_create(&jobs_now.ev) < 0 || pdk_threads_create(pdk_ev_loop(jobs_now.ev), 2, 0, &threads) < 0) exit(1);
    jobs_now.pool = pdk_threads_pool(threads);
    uint64_t from = pdk_clock_now();
    for (int i = 0; i < 256; i++) {
        jobs_now.jobs[i] = (pdk_job){.struct_size = sizeof(pdk_job), .work = no_work, .done = job_done};
        jobs_now.jobs[i].arg = &jobs_now.jobs[i];
        if (jobs_now.pool->submit(jobs_now.pool, &jobs_now.jobs[i]) == 0) jobs_now.submitted++;
    }
    pdk_ev_run(jobs_now.ev);
    double result = (double)(pdk_clock_now() - from) / JOBS;
    pdk_threads_free(threads);
    pdk_ev_free(jobs_now.ev);
    return result;
}

int main(void) {
    bench_head();
    struct bench_pair post = bench_both(ours_post, raw_post, NULL);
    bench_row("7", "call posted from another thread, ns", post, 2.5, 0);
    printf("     %-52s %12.1f %12s\n", "of which the goal is 150 ns", post.ours, post.ours <= 150 ? "ok" : "missed");
    printf("     %-52s %12.1f\n", "pool job there and back, 256 in flight, ns", pool_ns());
    return 0;
}
