/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes together: who takes a request, who waits for one, and how the whole is.
 *
 * A request goes to the process that has the fewest in flight; among equals they take turns. One that has not yet
 * confirmed a cancel gets nothing: it may be stuck, and would take others with it. Attempts for which there is no room
 * wait here in order, which costs them their time but no attempt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drive.h"

uint64_t pdk_rrq_now(const struct pdk_rrq_pool *pool) {
    return pool->loop->now_ns(pool->loop);
}

/* ---- attempts ---- */

static struct pdk_rrq_worker *choose(const struct pdk_rrq_pool *pool) {
    struct pdk_rrq_worker *best = NULL;
    for (uint32_t i = 0; i < pool->drive.pool_size; i++) {
        struct pdk_rrq_worker *worker = &pool->workers[(pool->next + i) % pool->drive.pool_size];
        if (worker->state != PDK_RRQ_READY || worker->unconfirmed) continue;
        if (worker->in_flight >= pool->drive.max_in_flight) continue;
        if (!best || worker->in_flight < best->in_flight) best = worker;
    }
    return best;
}

void pdk_rrq_pool_leave(struct pdk_rrq_pool *pool, struct pdk_rrq_job *job) {
    TAILQ_REMOVE(&pool->waiting, job, line);
    pool->waiting_count--;
}

static void give(struct pdk_rrq_pool *pool, struct pdk_rrq_worker *worker, struct pdk_rrq_job *job) {
    pdk_error err = PDK_ERROR;
    int32_t rc;
    pdk_rrq_pool_leave(pool, job);
    pool->next = (worker->index + 1) % pool->drive.pool_size;
    job->state = PDK_RRQ_JOB_SENT;
    rc = pdk_rrq_worker_give(worker, job, &err);
    if (!rc && job->announced) (void)pool->host->progress(pool->host, job->attempt, -1, "sent");
    if (!rc) return;
    if (rc == -E2BIG)
        pdk_rrq_job_fail(job, PDK_FATAL, PDK_CAT_INPUT, "too_large", err.message);
    else
        pdk_rrq_job_fail(job, PDK_FAILURE, PDK_CAT_NETWORK, NULL, err.message[0] ? err.message : strerror(-rc));
}

void pdk_rrq_pool_pump(struct pdk_rrq_pool *pool) {
    struct pdk_rrq_worker *worker;
    while (!TAILQ_EMPTY(&pool->waiting) && (worker = choose(pool))) give(pool, worker, TAILQ_FIRST(&pool->waiting));
    pdk_rrq_meters_load(pool);
}

static uint32_t count(const struct pdk_rrq_pool *pool, enum pdk_rrq_worker_state state) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < pool->drive.pool_size; i++) n += pool->workers[i].state == state;
    return n;
}

/* Nobody is left, and nobody will come. */
static bool is_given_up(const struct pdk_rrq_pool *pool) {
    return count(pool, PDK_RRQ_GIVEN_UP) == pool->drive.pool_size;
}

static void end_given_up(struct pdk_rrq_pool *pool, struct pdk_rrq_job *job) {
    char text[PDK_RRQ_WHY + 64];
    (void)snprintf(text, sizeof text, "the runner was given up: %s", pool->workers[0].why);
    pdk_rrq_pool_leave(pool, job);
    pdk_rrq_job_fail(job, PDK_FATAL, PDK_CAT_PEER, "crash_loop", text);
}

static void announce(struct pdk_rrq_pool *pool, struct pdk_rrq_job *job) {
    char text[96];
    (void)snprintf(text, sizeof text, "waits for a free RRQ runner, %u before it", pool->waiting_count - 1);
    job->announced = true;
    (void)pool->host->progress(pool->host, job->attempt, -1, text);
}

int32_t pdk_rrq_pool_take(struct pdk_rrq_pool *pool, struct pdk_rrq_job *job, pdk_error *err) {
    bool full = pool->waiting_count >= pool->drive.queue && (!TAILQ_EMPTY(&pool->waiting) || !choose(pool));
    if (full && !is_given_up(pool))
        return pdk_failf(err, -EAGAIN, NULL, "%u attempts wait for a runner already", pool->waiting_count);
    job->state = PDK_RRQ_JOB_WAITING;
    TAILQ_INSERT_TAIL(&pool->waiting, job, line);
    pool->waiting_count++;
    if (is_given_up(pool)) {
        end_given_up(pool, job);
        return 0;
    }
    if (!choose(pool)) announce(pool, job);
    pdk_rrq_pool_pump(pool);
    return 0;
}

/* ---- how it is ---- */

static const char *last_why(const struct pdk_rrq_pool *pool) {
    for (uint32_t i = 0; i < pool->drive.pool_size; i++)
        if (pool->workers[i].state != PDK_RRQ_READY && pool->workers[i].why[0]) return pool->workers[i].why;
    return "";
}

static void say_health(struct pdk_rrq_pool *pool) {
    uint32_t ready = count(pool, PDK_RRQ_READY), given_up = count(pool, PDK_RRQ_GIVEN_UP), all = pool->drive.pool_size;
    int32_t state = ready == all ? PDK_UP : ready || given_up == all ? PDK_DEGRADED : PDK_DOWN;
    const char *why = last_why(pool);
    char text[PDK_RRQ_WHY] = "", lost[32] = "";
    if (given_up) (void)snprintf(lost, sizeof lost, ", %u given up", given_up);
    if (ready < all)
        (void)snprintf(text, sizeof text, "%u of %u workers ready%s%s%.180s", ready, all, lost, *why ? ": " : "", why);
    if (state == pool->health && !strcmp(text, pool->health_text)) return;
    pool->health = state;
    (void)memcpy(pool->health_text, text, sizeof text);
    pool->host->health(pool->host, state, text);
}

/* The loop may still have a call of a worker, and a thread a reply: they must not find us gone. */
static bool is_at_rest(const struct pdk_rrq_pool *pool) {
    for (uint32_t i = 0; i < pool->drive.pool_size; i++)
        if (pool->workers[i].state != PDK_RRQ_STOPPED || pool->workers[i].called) return false;
    return !pool->parses.count;
}

void pdk_rrq_pool_changed(struct pdk_rrq_pool *pool) {
    void (*stopped)(void *arg) = pool->stopped;
    pdk_rrq_meters_states(pool);
    if (!pool->stopping) {
        say_health(pool);
        while (is_given_up(pool) && !TAILQ_EMPTY(&pool->waiting)) end_given_up(pool, TAILQ_FIRST(&pool->waiting));
    } else if (stopped && is_at_rest(pool)) {
        pool->stopped = NULL;
        stopped(pool->stopped_arg);
    }
}

static void parse_over(void *arg) {
    struct pdk_rrq_pool *pool = arg;
    if (pool->stopping) pdk_rrq_pool_changed(pool);
}

/* ---- its life ---- */

int32_t pdk_rrq_pool_create(const pdk_host *host, const pdk_value *config, struct pdk_rrq_pool **ret, pdk_error *err) {
    struct pdk_rrq_pool *pool = calloc(1, sizeof *pool);
    int32_t rc;
    if (!pool) return -ENOMEM;
    pool->host = host;
    pool->loop = host->get_extension(host, PDK_LOOP_1);
    pool->process = host->get_extension(host, PDK_PROCESS_1);
    pool->parses = (struct pdk_rrq_parses){
        .host = host, .pool = host->get_extension(host, PDK_POOL_1), .over = parse_over, .arg = pool};
    pool->health = -1;
    TAILQ_INIT(&pool->waiting);
    rc = pdk_rrq_drive_read(host, config, &pool->drive, err);
    if (!rc) {
        pool->workers = calloc(pool->drive.pool_size, sizeof *pool->workers);
        if (!pool->workers) rc = -ENOMEM;
    }
    if (rc) {
        pdk_rrq_pool_free(pool);
        return rc;
    }
    for (uint32_t i = 0; i < pool->drive.pool_size; i++) pdk_rrq_worker_init(&pool->workers[i], pool, i);
    *ret = pool;
    return 0;
}

int32_t pdk_rrq_pool_start(struct pdk_rrq_pool *pool, pdk_error *err) {
    if (!pdk_rrq_drive_is_set(&pool->drive)) {
        pool->host->health(pool->host, PDK_UP, "");
        return 0;
    }
    if (pool->drive.argv && !pool->process)
        return pdk_fail(err, -ENOTSUP, NULL, "it needs ", PDK_PROCESS_1, ", which it is not given");
    (void)snprintf(pool->worker_id, sizeof pool->worker_id, "rrq_worker_%d_%06x", (int)getpid(),
                   (unsigned)(pdk_rrq_random() & 0xffffff));
    pdk_rrq_meters_make(pool);
    for (uint32_t i = 0; i < pool->drive.pool_size; i++) pdk_rrq_worker_start(&pool->workers[i]);
    return 0;
}

void pdk_rrq_pool_stop(struct pdk_rrq_pool *pool, void (*stopped)(void *arg), void *arg) {
    pool->stopping = true;
    pool->stopped = stopped;
    pool->stopped_arg = arg;
    for (uint32_t i = 0; i < pool->drive.pool_size; i++) pdk_rrq_worker_stop(&pool->workers[i]);
}

void pdk_rrq_pool_free(struct pdk_rrq_pool *pool) {
    if (!pool) return;
    pdk_rrq_drive_free(&pool->drive);
    free(pool->workers);
    free(pool);
}

int32_t pdk_rrq_pool_supports(const struct pdk_rrq_pool *pool, pdk_error *why) {
    if (pdk_rrq_drive_is_set(&pool->drive)) return 1;
    (void)pdk_fail(why, -ENOTSUP, NULL, "its config has neither a command nor an external runner", NULL, NULL);
    return 0;
}
