/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outcomes that come: whose is it, and when is it told?
 *
 * What a process writes comes by a pipe and its outcome by a socket. Where a process has one request at a time its
 * words are that request's, so the outcome waits until the pipe, too, has had its turn.
 */
#include <stdlib.h>

#include "drive.h"

enum { TURNS = 2 }; /* of the loop: after the second all has been read that was written before the outcome */

static struct pdk_rrq_job *find_job(struct pdk_rrq_link *link, const char *id) {
    struct pdk_rrq_job *job;
    TAILQ_FOREACH(job, pdk_rrq_link_jobs(link), on_link) {
        if (!strcmp(job->id, id)) break;
    }
    return job;
}

/* Without an id: whose is it? One that waits alone fails for it; with several there is no telling. */
static int32_t take_nameless(struct pdk_rrq_link *link, struct pdk_rrq_reply *outcome, struct pdk_rrq_job **ret,
                             const char **why) {
    struct pdk_rrq_job *job = TAILQ_FIRST(pdk_rrq_link_jobs(link));
    if (job && TAILQ_NEXT(job, on_link)) {
        *why = "it sent an outcome without a request_id while several requests were in flight";
        return -EPROTO;
    }
    outcome->wrong = "it has no request_id";
    *ret = job;
    return 0;
}

static void check_job_id(const struct pdk_rrq_job *job, struct pdk_rrq_reply *outcome) {
    const char *id = job->job_id ? job->job_id : job->run_id;
    if (!outcome->wrong && (!outcome->job_id || strcmp(outcome->job_id, id) != 0))
        outcome->wrong = "its job_id is not that of the request";
}

static void tell(struct pdk_rrq_job *job, const struct pdk_rrq_reply *outcome) {
    struct pdk_rrq_pool *pool = job->pool;
    pdk_rrq_worker_release(job);
    pdk_rrq_job_answer(job, outcome);
    pdk_rrq_pool_pump(pool);
}

void pdk_rrq_reply_now(struct pdk_rrq_worker *worker) {
    struct pdk_rrq_job *job = worker->answered;
    struct pdk_rrq_reply outcome = worker->answer;
    if (!job) return;
    worker->answered = NULL;
    tell(job, &outcome);
    worker->pool->host->values->drop(outcome.payload);
}

static void turn(void *arg) {
    struct pdk_rrq_worker *worker = arg;
    const pdk_loop *loop = worker->pool->loop;
    if (worker->answered && ++worker->turns < TURNS) {
        loop->post(loop, &worker->call);
        return;
    }
    worker->called = false;
    pdk_rrq_reply_now(worker);
    if (worker->pool->stopping) pdk_rrq_pool_changed(worker->pool);
}

static void answer_soon(struct pdk_rrq_worker *worker, struct pdk_rrq_job *job, const struct pdk_rrq_reply *outcome) {
    const pdk_loop *loop = worker->pool->loop;
    worker->answered = job;
    worker->answer = *outcome;
    (void)worker->pool->host->values->hold(outcome->payload);
    worker->turns = 0;
    if (worker->called) return;
    worker->called = true;
    worker->call = (pdk_call){turn, worker, {0}};
    loop->post(loop, &worker->call);
}

int32_t pdk_rrq_reply_take(struct pdk_rrq_worker *worker, struct pdk_rrq_link *link,
                           const struct pdk_rrq_reply *outcome, const char **why) {
    const struct pdk_rrq_drive *drive = &worker->pool->drive;
    struct pdk_rrq_reply copy = *outcome;
    struct pdk_rrq_job *job = NULL;
    int32_t rc = 0;
    if (outcome->request_id)
        job = find_job(link, outcome->request_id);
    else
        rc = take_nameless(link, &copy, &job, why);
    if (!job) {
        if (!rc)
            pdk_logf(worker->pool->host, PDK_LOG_DEBUG, 0, "worker %u: an outcome that nobody waits for, of %.40s",
                     worker->index + 1, outcome->request_id ? outcome->request_id : "no request");
        return rc;
    }
    check_job_id(job, &copy);
    worker->closes = 0;
    pdk_rrq_link_remove(job);
    if (pdk_rrq_link_use(link) == PDK_RRQ_LINK_ONE_JOB) pdk_rrq_link_close(link);
    if (drive->argv && drive->max_in_flight == 1)
        answer_soon(worker, job, &copy);
    else
        tell(job, &copy);
    return 0;
}
