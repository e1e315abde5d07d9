/* SPDX-License-Identifier: Apache-2.0 */
/* pool/1: jobs wait until the test says that they run. */
#include <errno.h>
#include <stdlib.h>

#include "core/testhost/internal.h"
#include "core/testhost/slots.h"

static int32_t pool_submit(const pdk_pool *pool, pdk_job *given) {
    pdk_test *t = pool->data;
    struct job *job;
    int32_t rc = 0;
    pdk_test_check_main(t, "pool->submit");
    pdk_test_note(t, "pool->submit");
    if (pdk_test_strikes(t, PDK_TEST_FAULT_SUBMIT_JOB, &rc)) return rc;
    job = calloc(1, sizeof *job);
    if (!job) return -ENOMEM;
    job->job = given;
    job->caller = PDK_CALLER;
    TAILQ_INSERT_TAIL(&t->jobs, job, link);
    return 0;
}

/* The done of a job that is cancelled follows later, as the real one's does. */
static int32_t pool_cancel(const pdk_pool *pool, pdk_job *given) {
    pdk_test *t = pool->data;
    struct job *job;
    pdk_test_check_main(t, "pool->cancel");
    TAILQ_FOREACH(job, &t->jobs, link) {
        if (job->job != given) continue;
        TAILQ_REMOVE(&t->jobs, job, link);
        job->status = -ECANCELED;
        TAILQ_INSERT_TAIL(&t->worked, job, link);
        pdk_test_wake(t);
        return 0;
    }
    return -EBUSY;
}

void pdk_test_fill_pool(pdk_test *t) {
    t->pool = (pdk_pool){PDK_HEAD(pdk_pool), t, pool_submit, pool_cancel};
}

static void *work(void *arg) {
    pdk_job *job = arg;
    job->work(job->arg);
    return NULL;
}

/* On a thread of its own, that is gone when this returns. */
static int32_t run(pdk_test *t, struct job *job) {
    pthread_t thread;
    if (pdk_test_strikes(t, PDK_TEST_FAULT_JOB, &job->status)) return 0;
    if (pthread_create(&thread, NULL, work, job->job)) return -EAGAIN;
    (void)pthread_join(thread, NULL);
    return 0;
}

int32_t pdk_test_work_job(pdk_test *t) {
    struct job *job = t ? TAILQ_FIRST(&t->jobs) : NULL;
    int32_t rc;
    if (!job) return -ENOENT;
    TAILQ_REMOVE(&t->jobs, job, link);
    TAILQ_INSERT_TAIL(&t->worked, job, link);
    pdk_test_note(t, "a job works");
    rc = run(t, job);
    if (rc) job->status = -ECANCELED;
    return rc;
}

bool pdk_test_end_jobs(pdk_test *t) {
    struct job *job;
    bool any = false;
    while ((job = TAILQ_FIRST(&t->worked))) {
        pdk_job *given = job->job;
        int32_t status = job->status;
        TAILQ_REMOVE(&t->worked, job, link);
        free(job);
        any = true;
        pdk_test_note(t, "a job is done: %d", status);
        pdk_test_enter(t, "the done of a job");
        given->done(given->arg, status);
        pdk_test_leave(t);
    }
    return any;
}

uint32_t pdk_test_run_jobs(pdk_test *t) {
    uint32_t n = 0;
    if (!t) return 0;
    for (; pdk_test_work_job(t) == 0; n++) (void)pdk_test_end_jobs(t);
    return n;
}

uint32_t pdk_test_jobs(const pdk_test *t) {
    const struct job *job;
    uint32_t n = 0;
    if (!t) return 0;
    TAILQ_FOREACH(job, &t->jobs, link) n++;
    return n;
}

/* What has begun is ended; the rest would touch memory that is gone. */
void pdk_test_free_pool(pdk_test *t) {
    char place[PDK_PLACE_MAX];
    struct job *job;
    while ((job = TAILQ_FIRST(&t->jobs)) || (job = TAILQ_FIRST(&t->worked))) {
        bool waits = job == TAILQ_FIRST(&t->jobs);
        pdk_test_break(t, PDK_TEST_RULE_LEFT, "a job was left %s; it was submitted at %s",
                       waits ? "waiting" : "before its done", pdk_place(job->caller, place, sizeof place));
        if (waits)
            TAILQ_REMOVE(&t->jobs, job, link);
        else
            TAILQ_REMOVE(&t->worked, job, link);
        free(job);
    }
}
