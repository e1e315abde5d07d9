/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process of the pool, from its start to its restart.
 *
 *     STOPPED -> SPAWNING -> CONNECTING -> [PROBING] -> READY -.
 *                   ^            ^--- an idle connection is closed
 *                   |            |            |           |
 *                   |            '------------+-----------'- it ends, hangs, or talks nonsense
 *                   |                         v
 *                PAUSING <------ how -- [STOPPING: TERM, grace, KILL]
 *                                 '--> GIVEN_UP, after crash_limit of them in a row
 *
 * An external runner is the same without a process: it is connected to, and after a failure there is a pause.
 * What was sent to a process and not answered ends when the process has ended, so that nothing runs on unseen.
 */
#include <stdio.h>
#include <stdlib.h>

#include "drive.h"

#define MS UINT64_C(1000000)

enum { KNOCK_FIRST = 10, KNOCK_MAX = 200 }; /* ms between two attempts to connect */
enum { CLOSES_MAX = 5 };                    /* idle connections closed in a row */

static void on_timer(void *arg);
static void knock(struct pdk_rrq_worker *worker);
static void fell(struct pdk_rrq_worker *worker, const char *how);

static bool is_managed(const struct pdk_rrq_worker *worker) {
    return worker->pool->drive.argv != NULL;
}

__attribute__((format(printf, 3, 4))) static void say(const struct pdk_rrq_worker *worker, int32_t level,
                                                      const char *format, ...) {
    char text[PDK_RRQ_WHY];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pdk_logf(worker->pool->host, level, 0, "worker %u: %s", worker->index + 1, text);
}

static void set_why(struct pdk_rrq_worker *worker, const char *why) {
    if (why != worker->why) (void)snprintf(worker->why, sizeof worker->why, "%s", why);
}

static void stop_timer(struct pdk_rrq_worker *worker) {
    const pdk_loop *loop = worker->pool->loop;
    loop->stop(loop, worker->timer);
    worker->timer = 0;
}

/* A timer that cannot be had is as if it had fired: nothing waits for ever. */
static void set_timer(struct pdk_rrq_worker *worker, uint64_t delay) {
    const pdk_loop *loop = worker->pool->loop;
    stop_timer(worker);
    if (loop->timer(loop, delay, 0, on_timer, worker, &worker->timer))
        say(worker, PDK_LOG_ERROR, "no timer can be had");
}

static void enter(struct pdk_rrq_worker *worker, enum pdk_rrq_worker_state state) {
    stop_timer(worker);
    worker->state = state;
    pdk_rrq_pool_changed(worker->pool);
}

static void close_links(struct pdk_rrq_worker *worker) {
    while (!TAILQ_EMPTY(&worker->links)) pdk_rrq_link_close(TAILQ_FIRST(&worker->links));
    worker->link = NULL;
}

void pdk_rrq_worker_init(struct pdk_rrq_worker *worker, struct pdk_rrq_pool *pool, uint32_t index) {
    worker->pool = pool;
    worker->index = index;
    TAILQ_INIT(&worker->links);
    TAILQ_INIT(&worker->jobs);
}

/* ---- requests ---- */

void pdk_rrq_worker_release(struct pdk_rrq_job *job) {
    struct pdk_rrq_worker *worker = job->worker;
    pdk_rrq_link_remove(job);
    TAILQ_REMOVE(&worker->jobs, job, line);
    worker->in_flight--;
    if (job->asked) worker->unconfirmed--;
    job->worker = NULL;
}

static void fail(struct pdk_rrq_job *job, const char *code, const char *why) {
    char text[PDK_RRQ_WHY + 64];
    (void)snprintf(text, sizeof text, "worker %u: %s", job->worker->index + 1, why);
    pdk_rrq_worker_release(job);
    pdk_rrq_job_fail(job, PDK_FAILURE, PDK_CAT_NETWORK, code, text);
}

static void fail_all(struct pdk_rrq_worker *worker, const char *code, const char *why) {
    while (!TAILQ_EMPTY(&worker->jobs)) fail(TAILQ_FIRST(&worker->jobs), code, why);
}

/* Those whose connection is gone. */
static void fail_lost(struct pdk_rrq_worker *worker, const char *why) {
    struct pdk_rrq_job *job, *next;
    for (job = TAILQ_FIRST(&worker->jobs); job; job = next) {
        next = TAILQ_NEXT(job, line);
        if (!job->link) fail(job, "connection_lost", why);
    }
}

static struct pdk_rrq_link *link_for(struct pdk_rrq_worker *worker, int32_t *error) {
    if (worker->pool->drive.shared) return worker->link;
    return pdk_rrq_link_open(worker, PDK_RRQ_LINK_ONE_JOB, error);
}

int32_t pdk_rrq_worker_give(struct pdk_rrq_worker *worker, struct pdk_rrq_job *job, pdk_error *err) {
    int32_t rc = 0;
    struct pdk_rrq_link *link = link_for(worker, &rc);
    if (!link)
        return pdk_failf(err, rc, NULL, "worker %u cannot be connected to: %s", worker->index + 1, strerror(-rc));
    rc = pdk_rrq_request_write(job, pdk_rrq_link_out(link), err);
    if (rc) {
        if (link != worker->link) pdk_rrq_link_close(link);
        if (rc == -E2BIG) (void)pdk_fail(err, rc, NULL, "the request is larger than the 16 MiB of a frame", NULL, NULL);
        return rc;
    }
    job->worker = worker;
    pdk_rrq_link_add(link, job);
    TAILQ_INSERT_TAIL(&worker->jobs, job, line);
    worker->in_flight++;
    pdk_rrq_link_flush(link);
    return 0;
}

/* On a connection of its own where each request has one: nobody may be reading on the other. */
static int32_t send_cancel(struct pdk_rrq_worker *worker, struct pdk_rrq_job *job) {
    struct pdk_rrq_link *link = job->link;
    int32_t rc = 0;
    if (pdk_rrq_link_use(link) == PDK_RRQ_LINK_ONE_JOB) link = pdk_rrq_link_open(worker, PDK_RRQ_LINK_CANCEL, &rc);
    if (!link) return rc;
    rc = pdk_rrq_cancel_write(job, pdk_rrq_link_out(link));
    if (!rc)
        pdk_rrq_link_flush(link);
    else if (link != job->link)
        pdk_rrq_link_close(link);
    return rc;
}

void pdk_rrq_worker_cancel(struct pdk_rrq_worker *worker, struct pdk_rrq_job *job) {
    struct pdk_rrq_link *link = job->link;
    int32_t rc;
    job->asked = true;
    worker->unconfirmed++;
    if (!link) return;                      /* its process is being stopped already */
    if (!pdk_rrq_link_is_connected(link)) { /* nothing has been sent */
        pdk_rrq_worker_release(job);
        pdk_rrq_link_close(link);
        pdk_rrq_job_fail(job, PDK_CANCELED, PDK_CAT_NONE, NULL, "canceled before it was sent");
        pdk_rrq_pool_pump(worker->pool);
        return;
    }
    rc = send_cancel(worker, job);
    if (rc) say(worker, PDK_LOG_WARN, "a cancel cannot be sent: %s", strerror(-rc));
}

/* ---- readiness ---- */

static void ready(struct pdk_rrq_worker *worker) {
    worker->ready_since = pdk_rrq_now(worker->pool);
    worker->why[0] = '\0';
    if (!worker->pool->drive.shared) close_links(worker); /* it was for knocking alone */
    enter(worker, PDK_RRQ_READY);
    pdk_rrq_pool_pump(worker->pool);
}

/* TERM, and KILL after the grace; what follows comes when it has ended. */
static void end_process(struct pdk_rrq_worker *worker, const char *why) {
    const struct pdk_rrq_pool *pool = worker->pool;
    set_why(worker, why);
    close_links(worker);
    enter(worker, PDK_RRQ_STOPPING);
    (void)pool->process->signal(pool->process, worker->child, pool->drive.signal, 0);
    set_timer(worker, pool->drive.grace);
}

static void not_ready(struct pdk_rrq_worker *worker, const char *why) {
    if (is_managed(worker))
        end_process(worker, why);
    else
        fell(worker, why);
}

static void knock_again(struct pdk_rrq_worker *worker, const char *why) {
    uint64_t now = pdk_rrq_now(worker->pool), delay = worker->knock_delay;
    char text[PDK_RRQ_WHY];
    if (worker->link) pdk_rrq_link_close(worker->link);
    worker->link = NULL;
    if (now >= worker->knock_until) {
        (void)snprintf(text, sizeof text, "not ready within %.3g s: %.160s",
                       (double)worker->pool->drive.connect_timeout / 1e9, why);
        not_ready(worker, text);
        return;
    }
    worker->knock_delay = delay * 2 < KNOCK_MAX * MS ? delay * 2 : KNOCK_MAX * MS;
    if (delay > worker->knock_until - now) delay = worker->knock_until - now; /* the last one, right at the end */
    worker->state = PDK_RRQ_CONNECTING;
    set_timer(worker, delay);
}

/* Until it has to be ready; the last knock, too, gets a moment. */
static uint64_t time_left(const struct pdk_rrq_worker *worker) {
    uint64_t now = pdk_rrq_now(worker->pool), least = KNOCK_FIRST * MS;
    return worker->knock_until > now + least ? worker->knock_until - now : least;
}

static void knock(struct pdk_rrq_worker *worker) {
    int32_t error = 0;
    if (worker->link) {
        knock_again(worker, "the connection is not taken");
        return;
    }
    worker->link = pdk_rrq_link_open(worker, PDK_RRQ_LINK_SHARED, &error);
    if (worker->link)
        set_timer(worker, time_left(worker));
    else
        knock_again(worker, strerror(-error));
}

static void begin_knocking(struct pdk_rrq_worker *worker, uint64_t delay) {
    worker->knock_delay = KNOCK_FIRST * MS;
    worker->knock_until = pdk_rrq_now(worker->pool) + worker->pool->drive.connect_timeout;
    enter(worker, PDK_RRQ_CONNECTING);
    if (delay)
        set_timer(worker, delay);
    else
        knock(worker);
}

static void probe(struct pdk_rrq_worker *worker) {
    int32_t rc;
    pdk_rrq_uuid(worker->probe);
    rc = pdk_rrq_probe_write(worker->pool, worker->probe, pdk_rrq_link_out(worker->link));
    if (rc) {
        knock_again(worker, strerror(-rc));
        return;
    }
    pdk_rrq_link_flush(worker->link);
    worker->state = PDK_RRQ_PROBING;
    set_timer(worker, time_left(worker));
}

static void take_probe(struct pdk_rrq_worker *worker, const struct pdk_rrq_reply *outcome) {
    char text[PDK_RRQ_WHY];
    if (!outcome->request_id || strcmp(outcome->request_id, worker->probe) != 0) return;
    if (!outcome->wrong && outcome->type && !strcmp(outcome->type, "handler_not_found")) {
        ready(worker);
        return;
    }
    (void)snprintf(text, sizeof text, "it answered the probe otherwise than with handler_not_found: %.120s",
                   outcome->wrong     ? outcome->wrong
                   : outcome->message ? outcome->message
                                      : outcome->status);
    not_ready(worker, text);
}

/* ---- what links tell ---- */

void pdk_rrq_worker_connected(struct pdk_rrq_worker *worker, struct pdk_rrq_link *link, int32_t error) {
    if (link == worker->link && worker->state == PDK_RRQ_CONNECTING) {
        if (error)
            knock_again(worker, strerror(-error));
        else if (worker->pool->drive.probe)
            probe(worker);
        else
            ready(worker);
    } else if (error) {
        pdk_rrq_worker_lost(worker, link, strerror(-error));
    }
}

/* Nothing was in flight, so connecting again is all; but not for ever with one that hangs up each time, and not at
 * once, for a process that dies may hang up before it stops listening. */
static void reconnect(struct pdk_rrq_worker *worker, const char *why) {
    if (++worker->closes < CLOSES_MAX) {
        say(worker, PDK_LOG_INFO, "%s; connecting again", why);
        begin_knocking(worker, KNOCK_FIRST * MS);
    } else {
        worker->closes = 0;
        not_ready(worker, why);
    }
}

/* Requests are left without a reply. If the process is at nothing else it ends, and they with it. */
static void lost_with_jobs(struct pdk_rrq_worker *worker, uint32_t count, bool was_shared, const char *why) {
    if (is_managed(worker) && count == worker->in_flight) {
        end_process(worker, why);
        return;
    }
    fail_lost(worker, why);
    if (was_shared) reconnect(worker, why);
    pdk_rrq_pool_pump(worker->pool);
}

void pdk_rrq_worker_lost(struct pdk_rrq_worker *worker, struct pdk_rrq_link *link, const char *why) {
    bool was_shared = link == worker->link;
    const struct pdk_rrq_job *job;
    uint32_t count = 0;
    TAILQ_FOREACH(job, pdk_rrq_link_jobs(link), on_link) count++;
    pdk_rrq_link_close(link); /* `why` may be in it, and lives until its call is over */
    if (was_shared) worker->link = NULL;
    if (worker->state == PDK_RRQ_CONNECTING || worker->state == PDK_RRQ_PROBING) {
        if (was_shared) knock_again(worker, why);
    } else if (worker->state == PDK_RRQ_READY) {
        if (count)
            lost_with_jobs(worker, count, was_shared, why);
        else if (was_shared)
            reconnect(worker, why);
    }
}

int32_t pdk_rrq_worker_outcome(struct pdk_rrq_worker *worker, struct pdk_rrq_link *link,
                               const struct pdk_rrq_reply *outcome, const char **why) {
    if (worker->state != PDK_RRQ_PROBING) return pdk_rrq_reply_take(worker, link, outcome, why);
    take_probe(worker, outcome);
    return 0;
}

/* ---- the end of a process, and what follows ---- */

static uint64_t next_pause(struct pdk_rrq_worker *worker) {
    const struct pdk_rrq_backoff *backoff = &worker->pool->drive.backoff;
    uint64_t lived = worker->ready_since ? pdk_rrq_now(worker->pool) - worker->ready_since : 0;
    double next = (double)worker->pause * backoff->factor;
    if (lived >= backoff->reset && worker->ready_since) worker->crashes = 0;
    worker->ready_since = 0;
    if (worker->crashes++ == 0)
        worker->pause = backoff->first;
    else
        worker->pause = next < (double)backoff->max ? (uint64_t)next : backoff->max;
    if (!backoff->jitter) return worker->pause;
    return worker->pause / 2 + pdk_rrq_random() % (worker->pause / 2 + 1);
}

/* It is gone: by itself, or because it was of no use. */
static void fell(struct pdk_rrq_worker *worker, const char *how) {
    uint64_t pause = next_pause(worker);
    uint32_t limit = is_managed(worker) ? worker->pool->drive.crash_limit : 0;
    set_why(worker, how);
    close_links(worker);
    pdk_count(worker->pool->meters.metrics, worker->pool->meters.crashes, 1);
    if (limit && worker->crashes >= limit) {
        say(worker, PDK_LOG_ERROR, "%s; given up after %u times in a row", worker->why, worker->crashes);
        enter(worker, PDK_RRQ_GIVEN_UP);
        return;
    }
    say(worker, PDK_LOG_WARN, "%s; again in %.3g s", worker->why, (double)pause / 1e9);
    enter(worker, PDK_RRQ_PAUSING);
    set_timer(worker, pause);
}

/* Why it was to end, if it was, and how it did: it may have done so before it was told. */
static void say_end(const struct pdk_rrq_worker *worker, const char *how, char *buf, size_t size) {
    if (worker->state == PDK_RRQ_STOPPING && worker->why[0])
        (void)snprintf(buf, size, "%.170s; %.80s", worker->why, how);
    else
        (void)snprintf(buf, size, "%s", how);
}

static void process_over(struct pdk_rrq_worker *worker, const char *how) {
    bool wanted = worker->wanted;
    char text[PDK_RRQ_WHY];
    say_end(worker, how, text, sizeof text);
    worker->child = 0;
    worker->pid = 0;
    worker->wanted = false;
    pdk_rrq_worker_flush(worker);
    close_links(worker);
    worker->state = PDK_RRQ_STOPPED; /* nothing is given to it while its requests end */
    pdk_rrq_reply_now(worker);
    fail_all(worker, "runner_exited", text);
    worker->why[0] = '\0';
    if (worker->pool->stopping)
        enter(worker, PDK_RRQ_STOPPED);
    else if (wanted)
        pdk_rrq_worker_start(worker);
    else
        fell(worker, text);
    pdk_rrq_pool_pump(worker->pool);
}

static void child_started(void *arg, int32_t pid) {
    struct pdk_rrq_worker *worker = arg;
    worker->pid = pid;
    if (worker->state == PDK_RRQ_SPAWNING) begin_knocking(worker, 0);
}

static void child_failed(void *arg, const pdk_error *err) {
    process_over(arg, err->message);
}

static void child_ended(void *arg, const pdk_exit *how) {
    struct pdk_rrq_worker *worker = arg;
    char text[96];
    if (how->signal)
        (void)snprintf(text, sizeof text, "its process %d was killed by signal %d", worker->pid, how->signal);
    else
        (void)snprintf(text, sizeof text, "its process %d ended with exit code %d", worker->pid, how->exit_code);
    process_over(worker, text);
}

static void child_lost(void *arg, int32_t stream, uint64_t bytes) {
    say(arg, PDK_LOG_WARN, "%llu bytes of %s are lost", (unsigned long long)bytes,
        stream == PDK_STDERR ? "stderr" : "stdout");
}

static void child_limited(void *arg, uint32_t limits) {
    say(arg, PDK_LOG_WARN, "it ran into its limit of %s", limits & PDK_LIMIT_MEMORY ? "memory" : "processes");
}

static const pdk_child_ops child_ops = {
    PDK_HEAD(pdk_child_ops), child_started, child_failed, pdk_rrq_worker_output, child_ended, child_lost, child_limited,
};

void pdk_rrq_worker_start(struct pdk_rrq_worker *worker) {
    const struct pdk_rrq_drive *drive = &worker->pool->drive;
    pdk_error err = PDK_ERROR;
    int32_t rc;
    worker->closes = 0;
    if (!is_managed(worker)) {
        worker->address = drive->address;
        worker->address_size = drive->address_size;
        begin_knocking(worker, 0);
        return;
    }
    if (worker->starts++) pdk_count(worker->pool->meters.metrics, worker->pool->meters.restarts, 1);
    rc = pdk_rrq_spawn(worker, &child_ops, &err);
    if (rc)
        fell(worker, err.message[0] ? err.message : strerror(-rc));
    else
        enter(worker, PDK_RRQ_SPAWNING);
}

void pdk_rrq_worker_stop(struct pdk_rrq_worker *worker) {
    close_links(worker);
    worker->wanted = true;
    if (!worker->child)
        enter(worker, PDK_RRQ_STOPPED);
    else if (worker->state != PDK_RRQ_STOPPING)
        end_process(worker, "");
}

void pdk_rrq_worker_kill(struct pdk_rrq_worker *worker, struct pdk_rrq_job *job) {
    const struct pdk_rrq_pool *pool = worker->pool;
    if (worker->child) {
        if (worker->state != PDK_RRQ_STOPPING) {
            worker->wanted = true; /* it is not its process that failed */
            set_why(worker, "it was killed, because a request did not end when it was canceled");
            say(worker, PDK_LOG_WARN, "%s", worker->why);
            close_links(worker);
            enter(worker, PDK_RRQ_STOPPING);
        }
        (void)pool->process->kill(pool->process, worker->child);
    } else if (job->link) { /* the protocol has runners end what came on a connection that is closed */
        pdk_rrq_worker_lost(worker, job->link,
                            "the connection was closed, because a request did not end when it was canceled");
    }
}

static void on_timer(void *arg) {
    struct pdk_rrq_worker *worker = arg;
    const struct pdk_rrq_pool *pool = worker->pool;
    worker->timer = 0;
    switch (worker->state) {
    case PDK_RRQ_CONNECTING: knock(worker); break;
    case PDK_RRQ_PROBING: not_ready(worker, "it does not answer the probe"); break;
    case PDK_RRQ_STOPPING: (void)pool->process->kill(pool->process, worker->child); break;
    case PDK_RRQ_PAUSING: pdk_rrq_worker_start(worker); break;
    case PDK_RRQ_STOPPED:
    case PDK_RRQ_SPAWNING:
    case PDK_RRQ_READY:
    case PDK_RRQ_GIVEN_UP:
    default: break;
    }
}
