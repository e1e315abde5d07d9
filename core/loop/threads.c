/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of threads: jobs wait in a queue, threads take them in order, and what is done goes back to the main
 * thread in batches.
 *
 * A job's host_use: [0], [1] its neighbours in the list it is in, [2] its state, [3] the pool. The way back is an
 * eventfd watched as io and not a posted call: a call that waits cannot be taken back, and would be left dangling
 * when the pool is freed.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/loop/loop.h"

enum { DEFAULT_THREADS = 4, MAX_THREADS = 256, DEFAULT_QUEUE = 4096 };

enum { NEXT, PREVIOUS, STATE, POOL };

/* Addresses that mean something, since host_use holds pointers; NULL is a job that is not ours. */
static const char WAITING, RUNNING, DONE, CANCELED;

struct list {
    pdk_job *first, *last;
};

struct pdk_threads {
    pdk_pool table;
    const pdk_loop *loop;
    pdk_watch watch;
    int event_fd;
    uint32_t limit, thread_limit;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work_came;
    struct list waiting, finished;
    uint32_t waiting_count, undone, idle, thread_count;
    bool closing;
    pthread_t threads[MAX_THREADS];
};

static void set_state(pdk_job *job, const char *state) {
    job->host_use[STATE] = (void *)(uintptr_t)state;
}

static void append(struct list *list, pdk_job *job) {
    job->host_use[NEXT] = NULL;
    job->host_use[PREVIOUS] = list->last;
    if (list->last)
        list->last->host_use[NEXT] = job;
    else
        list->first = job;
    list->last = job;
}

static void detach(struct list *list, pdk_job *job) {
    pdk_job *next = job->host_use[NEXT], *previous = job->host_use[PREVIOUS];
    if (next)
        next->host_use[PREVIOUS] = previous;
    else
        list->last = previous;
    if (previous)
        previous->host_use[NEXT] = next;
    else
        list->first = next;
}

/* With the lock held. Only the first of a batch has to wake the main thread. */
static void finish(struct pdk_threads *pool, pdk_job *job, const char *state) {
    bool first = !pool->finished.first;
    set_state(job, state);
    append(&pool->finished, job);
    if (first) eventfd_write(pool->event_fd, 1);
}

static void *thread_main(void *arg) {
    struct pdk_threads *pool = arg;
    pthread_mutex_lock(&pool->lock);
    while (!pool->closing) {
        pdk_job *job = pool->waiting.first;
        if (!job) {
            pool->idle++;
            pthread_cond_wait(&pool->work_came, &pool->lock);
            pool->idle--;
            continue;
        }
        detach(&pool->waiting, job);
        pool->waiting_count--;
        set_state(job, &RUNNING);
        pthread_mutex_unlock(&pool->lock);
        job->work(job->arg);
        pthread_mutex_lock(&pool->lock);
        finish(pool, job, &DONE);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void run_done(struct pdk_threads *pool) {
    pthread_mutex_lock(&pool->lock);
    pdk_job *job = pool->finished.first;
    pool->finished = (struct list){NULL, NULL};
    for (const pdk_job *each = job; each; each = each->host_use[NEXT]) pool->undone--;
    pthread_mutex_unlock(&pool->lock);
    while (job) {
        pdk_job *next = job->host_use[NEXT];
        int32_t status = job->host_use[STATE] == &CANCELED ? -ECANCELED : 0;
        for (int i = 0; i <= POOL; i++) job->host_use[i] = NULL;
        job->done(job->arg, status);
        job = next;
    }
}

static void on_event(void *arg, uint32_t events) {
    (void)events;
    struct pdk_threads *pool = arg;
    eventfd_t count;
    eventfd_read(pool->event_fd, &count);
    run_done(pool);
}

/* Signals are the program's: its threads must not take them. With the lock held. */
static int32_t add_thread(struct pdk_threads *pool) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&pool->threads[pool->thread_count], NULL, thread_main, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0) pool->thread_count++;
    return -r;
}

static int32_t pool_submit(const pdk_pool *table, pdk_job *job) {
    struct pdk_threads *pool = table->data;
    int32_t r = 0;
    pthread_mutex_lock(&pool->lock);
    if (job->host_use[STATE])
        r = -EBUSY;
    else if (pool->closing || pool->waiting_count == pool->limit)
        r = -EAGAIN;
    else if (pool->idle <= pool->waiting_count && pool->thread_count < pool->thread_limit)
        r = add_thread(pool);
    if (r == -EAGAIN && pool->thread_count > 0 && !pool->closing && pool->waiting_count < pool->limit)
        r = 0; /* no more threads to be had: those there are will do it */
    if (r == 0) {
        set_state(job, &WAITING);
        job->host_use[POOL] = pool;
        append(&pool->waiting, job);
        pool->waiting_count++;
        pool->undone++;
        pthread_cond_signal(&pool->work_came);
    }
    pthread_mutex_unlock(&pool->lock);
    return r;
}

static int32_t pool_cancel(const pdk_pool *table, pdk_job *job) {
    struct pdk_threads *pool = table->data;
    int32_t r = -EBUSY;
    pthread_mutex_lock(&pool->lock);
    if (job->host_use[STATE] == &WAITING && job->host_use[POOL] == pool) {
        detach(&pool->waiting, job);
        pool->waiting_count--;
        finish(pool, job, &CANCELED);
        r = 0;
    }
    pthread_mutex_unlock(&pool->lock);
    return r;
}

int32_t pdk_threads_create(const pdk_loop *loop, uint32_t threads, uint32_t queue, struct pdk_threads **ret) {
    struct pdk_threads *pool = calloc(1, sizeof *pool);
    if (!pool) return -ENOMEM;
    pool->table =
        (pdk_pool){.struct_size = sizeof(pdk_pool), .data = pool, .submit = pool_submit, .cancel = pool_cancel};
    pool->loop = loop;
    pool->limit = queue ? queue : DEFAULT_QUEUE;
    pool->thread_limit = threads ? threads : DEFAULT_THREADS;
    if (pool->thread_limit > MAX_THREADS) pool->thread_limit = MAX_THREADS;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work_came, NULL);
    pool->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int32_t r = pool->event_fd < 0 ? -errno : loop->io(loop, pool->event_fd, PDK_READ, on_event, pool, &pool->watch);
    if (r < 0) {
        pdk_threads_free(pool);
        return r;
    }
    *ret = pool;
    return 0;
}

const pdk_pool *pdk_threads_pool(struct pdk_threads *threads) {
    return &threads->table;
}

uint32_t pdk_threads_jobs(struct pdk_threads *threads) {
    pthread_mutex_lock(&threads->lock);
    uint32_t undone = threads->undone;
    pthread_mutex_unlock(&threads->lock);
    return undone;
}

void pdk_threads_free(struct pdk_threads *threads) {
    if (!threads) return;
    pthread_mutex_lock(&threads->lock);
    threads->closing = true;
    for (pdk_job *job; (job = threads->waiting.first);) {
        detach(&threads->waiting, job);
        finish(threads, job, &CANCELED);
    }
    threads->waiting_count = 0;
    pthread_cond_broadcast(&threads->work_came);
    pthread_mutex_unlock(&threads->lock);
    for (uint32_t i = 0; i < threads->thread_count; i++) pthread_join(threads->threads[i], NULL);
    run_done(threads);
    threads->loop->stop(threads->loop, threads->watch);
    if (threads->event_fd >= 0) close(threads->event_fd);
    pthread_cond_destroy(&threads->work_came);
    pthread_mutex_destroy(&threads->lock);
    free(threads);
}
