/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/queue.h - what a durable queue offers to a console: paddock.queue/1, found by control->find.
 *
 * A job is a task that was accepted for good: it outlives us, and ends in exactly one outcome.
 *
 *                due               claimed              succeeded, canceled, or dead: fatal, or failed too often
 *   DELAYED ------------> READY ------------> RUNNING -----------------------------------------------------> ENDED
 *      ^                    ^                    |                                                              |
 *      |                    '--- shutdown,       |                                                              |
 *      |                         rescue (+1) ----|                                                              |
 *      '------ retry (attempts + 1), snooze (+1)-'             dead letters: READY once more, when replayed <---'
 *
 * A paused topic, or one at its limit, keeps its jobs READY. Everything is asked by one call, with a map, and answered
 * later with a value: a store may be a file, or far away. Ids of jobs are numbers written as text, times RFC 3339.
 */
#ifndef PADDOCK_QUEUE_H
#define PADDOCK_QUEUE_H

#include "host.h"

PDK_BEGIN

#define PDK_QUEUE_1 "paddock.queue/1"

/* rc 0: value is the answer, yours during the call, hold it to keep it; err is NULL. Negative: value is NULL and err
 * says why: -ENOENT no such job or topic, -EINVAL wrong params (err->at is in them), -ENOTSUP no such verb, -EEXIST a job
 * with its unique key is alive, -EBUSY not in a state for that, -ENOSPC as many as there may be, or a full disk, -EROFS,
 * -EIO, -ENOMEM: the store. [main] */
typedef void (*pdk_queue_answer)(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err);

typedef struct pdk_queue pdk_queue;
struct pdk_queue {
    uint32_t struct_size, reserved;
    void *data; /* the queue's */

    /*
     * [main] Ask; the answer comes once, never inside this call, and always before the instance has stopped. params is held
     * as long as it is needed; NULL is {}. 0, -EAGAIN (too many questions: later), -ESHUTDOWN (not started, or it stops:
     * no answer will come), -ENOMEM.
     *
     *   verb      params                                          answer
     *   submit    {spec, topic, priority, delay_seconds, unique: {key, mode: keep|replace|debounce}, key, max_attempts,
     *             traceparent}
     *                                                             job and `duplicate`; told once it is on the disk
     *   list      {state, topic, task, outcome, after, limit}     {jobs: [job...], next}, by id. A page may be short and
     *                                                             yet have a next; without `next` it was the last.
     *                                                             state, outcome: a word, or a list of words
     *   show      {job_id}                                        job with spec, input, output and claims
     *   cancel    {job_id, reason}                                job; one that runs is asked to end
     *   retry     {job_id}                                        job: a new one, as the ended one was
     *   stats     {}                                              {topics: [topic...], totals}
     *   pause     {topic}, resume {topic}, limit {topic, running} topic; running 0: no limit
     *   dead      {topic, after, limit}                           {jobs, next}: the dead letters
     *   replay    {job_id} or {topic}                             {count, more}: more: ask again
     *   purge     {job_id} or {topic, before}                     {count, more}; before: Unix time in seconds
     *
     * job: {job_id, task, kind, topic, state, priority, attempts, max_attempts, rescues, snoozes, submitted_at, due_at,
     * run_id (of the last claim that ended), run (of show: the number of the run that is on), traceparent (of show: all its
     * attempts are of that trace), started_at, ended_at, outcome, dead, exit_code, signal, code, message};
     * claim: {claim, fate: retried|snoozed|rescued, started_at, ended_at, run_id, code, message}; topic: {topic, paused,
     * limit, delayed, ready, running, dead, oldest_age_seconds}. What is unknown is left out.
     */
    int32_t (*ask)(const pdk_queue *, const char *verb, const pdk_value *params, pdk_queue_answer answer, void *arg);
};

PDK_END
#endif
