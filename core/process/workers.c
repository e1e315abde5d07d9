/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that start children. They block all signals (but SIGCHLD, where nobody handles it; see launch.c), and
 * they live as long as the service: the kernel kills a child with PR_SET_PDEATHSIG when the thread that made it ends,
 * not when the process does.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "core/process/cgroup.h"
#include "core/process/request.h"

enum { BATCH = 16 };

struct worker {
    struct pdk_workers *workers;
    struct pdk_launcher launcher;
    pthread_t thread;
};

struct pdk_workers {
    pthread_mutex_t lock, users;
    pthread_cond_t work_came;
    struct pdk_request_list asked, answered;
    uint32_t asked_count, idle, count, limit;
    bool closing;
    int event_fd, null_fd;
    struct pdk_cgroups *cgroups;
    struct worker worker[PDK_WORKERS_MAX];
};

/* With the lock held: a fair part of what waits, so that the others get some too. */
static struct pdk_request_list take_batch(struct pdk_workers *workers) {
    struct pdk_request_list batch = STAILQ_HEAD_INITIALIZER(batch);
    uint32_t count = (workers->asked_count + workers->count - 1) / workers->count;
    for (uint32_t i = 0; i < count && i < BATCH; i++) {
        struct pdk_request *request = STAILQ_FIRST(&workers->asked);
        STAILQ_REMOVE_HEAD(&workers->asked, link);
        STAILQ_INSERT_TAIL(&batch, request, link);
        workers->asked_count--;
    }
    return batch;
}

/* Told one by one, for a child that runs must not wait for its neighbours; but only the first wakes. */
static void answer(struct pdk_workers *workers, struct pdk_request *request) {
    pthread_mutex_lock(&workers->lock);
    bool first = STAILQ_EMPTY(&workers->answered);
    STAILQ_INSERT_TAIL(&workers->answered, request, link);
    pthread_mutex_unlock(&workers->lock);
    if (first) eventfd_write(workers->event_fd, 1);
}

static void run_batch(struct worker *worker, struct pdk_request_list *batch) {
    pdk_launcher_refresh(&worker->launcher);
    while (!STAILQ_EMPTY(batch)) {
        struct pdk_request *request = STAILQ_FIRST(batch);
        STAILQ_REMOVE_HEAD(batch, link);
        if (request->kind == PDK_REQUEST_LAUNCH)
            pdk_launch(&worker->launcher, request);
        else
            pdk_cgroups_clear(worker->workers->cgroups, request);
        answer(worker->workers, request);
    }
}

static void *worker_main(void *arg) {
    struct worker *worker = arg;
    struct pdk_workers *workers = worker->workers;
    pthread_mutex_lock(&workers->lock);
    while (!workers->closing) {
        if (STAILQ_EMPTY(&workers->asked)) {
            workers->idle++;
            pthread_cond_wait(&workers->work_came, &workers->lock);
            workers->idle--;
            continue;
        }
        struct pdk_request_list batch = take_batch(workers);
        pthread_mutex_unlock(&workers->lock);
        run_batch(worker, &batch);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

/* With the lock held. */
static int32_t add_worker(struct pdk_workers *workers) {
    struct worker *worker = &workers->worker[workers->count];
    *worker = (struct worker){
        .workers = workers,
        .launcher = {.null_fd = workers->null_fd, .cgroups = workers->cgroups, .users = &workers->users}};
    int32_t r = pdk_launcher_init(&worker->launcher);
    if (r < 0) return r;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r = -pthread_create(&worker->thread, NULL, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r < 0)
        pdk_launcher_finish(&worker->launcher);
    else
        workers->count++;
    return r;
}

int32_t pdk_workers_create(uint32_t threads, int event_fd, int null_fd, struct pdk_cgroups *cgroups,
                           struct pdk_workers **ret) {
    struct pdk_workers *workers = calloc(1, sizeof *workers);
    if (!workers) return -ENOMEM;
    workers->limit = threads < PDK_WORKERS_MAX ? threads : PDK_WORKERS_MAX;
    workers->event_fd = event_fd;
    workers->null_fd = null_fd;
    workers->cgroups = cgroups;
    STAILQ_INIT(&workers->asked);
    STAILQ_INIT(&workers->answered);
    pthread_mutex_init(&workers->lock, NULL);
    pthread_mutex_init(&workers->users, NULL);
    pthread_cond_init(&workers->work_came, NULL);
    *ret = workers;
    return 0;
}

int32_t pdk_workers_push(struct pdk_workers *workers, struct pdk_request *request) {
    int32_t r = 0;
    pthread_mutex_lock(&workers->lock);
    if (workers->idle <= workers->asked_count && workers->count < workers->limit) r = add_worker(workers);
    if (workers->count > 0) r = 0; /* one more would have been nice, no more than that */
    if (r == 0) {
        STAILQ_INSERT_TAIL(&workers->asked, request, link);
        workers->asked_count++;
    }
    bool wake = workers->idle > 0;
    pthread_mutex_unlock(&workers->lock);
    if (r == 0 && wake) pthread_cond_signal(&workers->work_came);
    return r;
}

struct pdk_request_list pdk_workers_take(struct pdk_workers *workers) {
    struct pdk_request_list list = STAILQ_HEAD_INITIALIZER(list);
    pthread_mutex_lock(&workers->lock);
    STAILQ_CONCAT(&list, &workers->answered);
    pthread_mutex_unlock(&workers->lock);
    return list;
}

void pdk_workers_stop(struct pdk_workers *workers, struct pdk_request_list *ret_left) {
    STAILQ_INIT(ret_left);
    pthread_mutex_lock(&workers->lock);
    workers->closing = true;
    STAILQ_CONCAT(ret_left, &workers->asked);
    workers->asked_count = 0;
    pthread_cond_broadcast(&workers->work_came);
    pthread_mutex_unlock(&workers->lock);
    for (uint32_t i = 0; i < workers->count; i++) {
        pthread_join(workers->worker[i].thread, NULL);
        pdk_launcher_finish(&workers->worker[i].launcher);
    }
    workers->count = 0;
}

void pdk_workers_free(struct pdk_workers *workers) {
    if (!workers) return;
    pthread_cond_destroy(&workers->work_came);
    pthread_mutex_destroy(&workers->users);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}
