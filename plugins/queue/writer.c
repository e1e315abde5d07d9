/* SPDX-License-Identifier: Apache-2.0 */
#include "writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 8192, FIRST_PAUSE_MS = 200, LAST_PAUSE_MS = 5000 };

int64_t queue_writer_now(const struct queue_writer *writer) {
    return (int64_t)(writer->host->unix_ns(writer->host) / 1000000);
}

/* ---- main ---- */

static void kick(void *arg) {
    struct queue_writer *writer = arg;
    struct queue_call *last;
    writer->before(writer->arg);
    last = TAILQ_LAST(&writer->gathered, queue_calls);
    if (last) last->last = true;
    (void)pthread_mutex_lock(&writer->lock);
    writer->stop = writer->ending;
    TAILQ_CONCAT(&writer->incoming, &writer->gathered, link);
    (void)pthread_cond_signal(&writer->wake);
    (void)pthread_mutex_unlock(&writer->lock);
}

void queue_writer_add(struct queue_writer *writer, struct queue_call *call) {
    TAILQ_INSERT_TAIL(&writer->gathered, call, link);
    writer->loop->post(writer->loop, &writer->kick);
}

static void tell(struct queue_call *call) {
    char *message = call->message;
    call->type->done(call); /* it may be gone now */
    free(message);
}

static void answer(void *arg) {
    struct queue_writer *writer = arg;
    struct queue_calls calls = TAILQ_HEAD_INITIALIZER(calls);
    struct queue_call *call;
    (void)pthread_mutex_lock(&writer->lock);
    TAILQ_CONCAT(&calls, &writer->outgoing, link);
    (void)pthread_mutex_unlock(&writer->lock);
    while ((call = TAILQ_FIRST(&calls))) {
        TAILQ_REMOVE(&calls, call, link);
        tell(call);
    }
}

/* Posted behind the last answer, so that no call of ours is left in the loop. */
static void farewell(void *arg) {
    struct queue_writer *writer = arg;
    (void)pthread_join(writer->thread, NULL);
    (void)pthread_cond_destroy(&writer->wake);
    (void)pthread_mutex_destroy(&writer->lock);
    writer->stopped(writer->arg);
}

/* ---- writer ---- */

static void say(struct queue_writer *writer, int32_t health, const char *text) {
    if (writer->health == health && strcmp(writer->trouble, text) == 0) return;
    queue_cut(writer->trouble, sizeof writer->trouble, text);
    writer->health = health;
    if (*text) writer->host->log(writer->host, PDK_LOG_ERROR, 0, text);
    writer->host->health(writer->host, health, text);
}

static void hand_out(struct queue_writer *writer, struct queue_calls *batch) {
    if (TAILQ_EMPTY(batch)) return;
    (void)pthread_mutex_lock(&writer->lock);
    TAILQ_CONCAT(&writer->outgoing, batch, link);
    (void)pthread_mutex_unlock(&writer->lock);
    writer->loop->post(writer->loop, &writer->answer);
}

static void fail_all(struct queue_calls *batch, int32_t rc, const char *message) {
    struct queue_call *call;
    TAILQ_FOREACH(call, batch, link) {
        if (!call->failed) queue_call_fail(call, rc, message);
    }
}

static bool open_store(struct queue_writer *writer, struct queue_calls *batch) {
    pdk_error err = PDK_ERROR;
    int32_t rc = writer->store ? 0 : writer->ops->open(&writer->config, queue_writer_now(writer), &writer->store, &err);
    if (rc == 0) return true;
    say(writer, PDK_DOWN, err.message);
    fail_all(batch, rc, err.message);
    return false;
}

static uint64_t monotonic_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void longer_pause(struct queue_writer *writer) {
    writer->pause_ms = writer->pause_ms ? writer->pause_ms * 2 : FIRST_PAUSE_MS;
    if (writer->pause_ms > LAST_PAUSE_MS) writer->pause_ms = LAST_PAUSE_MS;
    writer->retry_ms = monotonic_ms() + writer->pause_ms;
}

static bool writes(const struct queue_calls *batch) {
    const struct queue_call *call;
    TAILQ_FOREACH(call, batch, link) {
        if (!call->type->looks) return true;
    }
    return false;
}

/* That a batch went well is no sign that the store can be written to again: it may only have looked, or found nothing to
 * claim. So that is tried. 1: it is not yet time. */
static int32_t probe(struct queue_writer *writer, bool wrote, pdk_error *err) {
    if (writer->health != PDK_DEGRADED) return 0;
    if (!wrote && monotonic_ms() < writer->retry_ms) return 1;
    int32_t rc = writer->ops->begin(writer->store, queue_writer_now(writer), err);
    if (rc < 0) return rc;
    rc = writer->ops->probe(writer->store, err);
    if (rc == 0) rc = writer->ops->commit(writer->store, err);
    if (rc < 0) writer->ops->rollback(writer->store);
    return rc;
}

static int32_t run_calls(struct queue_writer *writer, struct queue_calls *batch, pdk_error *err) {
    struct queue_calls all = TAILQ_HEAD_INITIALIZER(all);
    TAILQ_CONCAT(&all, &writer->again, link);
    TAILQ_CONCAT(&all, batch, link);
    bool wrote = writes(&all);
    int32_t rc = TAILQ_EMPTY(&all) ? 0 : queue_batch_run(writer, &all, err);
    TAILQ_CONCAT(batch, &all, link);
    if (rc == 0) rc = probe(writer, wrote, err);
    if (rc <= 0) say(writer, rc < 0 ? PDK_DEGRADED : PDK_UP, rc < 0 ? err->message : "");
    return rc;
}

static void run_batch(struct queue_writer *writer, struct queue_calls *batch) {
    pdk_error err = PDK_ERROR;
    int32_t rc = open_store(writer, batch) ? run_calls(writer, batch, &err) : -EIO;
    if (rc < 0) longer_pause(writer);
    if (rc == 0) writer->pause_ms = 0;
    hand_out(writer, batch);
}

static void wait_for(struct queue_writer *writer) {
    const struct timespec until = {(time_t)(writer->retry_ms / 1000), (long)(writer->retry_ms % 1000) * 1000000};
    while (!writer->stop && TAILQ_EMPTY(&writer->incoming)) {
        int rc = writer->pause_ms ? pthread_cond_timedwait(&writer->wake, &writer->lock, &until)
                                  : pthread_cond_wait(&writer->wake, &writer->lock);
        if (rc == ETIMEDOUT) break;
    }
}

/* With the lock held. false: nothing more will come. */
static bool take(struct queue_writer *writer, struct queue_calls *batch) {
    wait_for(writer);
    bool last = true;
    for (int i = 0; (i < BATCH || !last) && !TAILQ_EMPTY(&writer->incoming); i++) {
        struct queue_call *call = TAILQ_FIRST(&writer->incoming);
        last = call->last;
        TAILQ_REMOVE(&writer->incoming, call, link);
        TAILQ_INSERT_TAIL(batch, call, link);
    }
    return !writer->stop || !TAILQ_EMPTY(batch);
}

/* What could not be written stays RUNNING in the store, and is rescued by the next process. */
static void finish(struct queue_writer *writer) {
    struct queue_calls rest = TAILQ_HEAD_INITIALIZER(rest);
    if (writer->store) run_batch(writer, &rest);
    TAILQ_CONCAT(&rest, &writer->again, link);
    fail_all(&rest, -EIO, writer->trouble);
    if (writer->store) writer->ops->close(writer->store);
    writer->store = NULL;
    (void)pthread_mutex_lock(&writer->lock);
    TAILQ_CONCAT(&writer->outgoing, &rest, link);
    (void)pthread_mutex_unlock(&writer->lock);
    writer->loop->post(writer->loop, &writer->answer);
    writer->loop->post(writer->loop, &writer->farewell);
}

static void *work(void *arg) {
    struct queue_writer *writer = arg;
    struct queue_calls batch = TAILQ_HEAD_INITIALIZER(batch);
    bool more;
    run_batch(writer, &batch); /* opens it */
    do {
        (void)pthread_mutex_lock(&writer->lock);
        more = take(writer, &batch);
        (void)pthread_mutex_unlock(&writer->lock);
        if (more) run_batch(writer, &batch);
    } while (more);
    finish(writer);
    return NULL;
}

/* ---- main ---- */

/* Signals are for the host's thread. */
static int create_thread(struct queue_writer *writer) {
    sigset_t all, before;
    int rc;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&writer->thread, NULL, work, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) (void)pthread_setname_np(writer->thread, "paddock-queue");
    return rc;
}

static int init_wake(struct queue_writer *writer) {
    pthread_condattr_t clock;
    int rc = pthread_condattr_init(&clock);
    if (rc) return rc;
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    rc = pthread_cond_init(&writer->wake, &clock);
    (void)pthread_condattr_destroy(&clock);
    return rc;
}

int32_t queue_writer_start(struct queue_writer *writer, pdk_error *err) {
    int rc;
    TAILQ_INIT(&writer->gathered);
    TAILQ_INIT(&writer->incoming);
    TAILQ_INIT(&writer->outgoing);
    TAILQ_INIT(&writer->again);
    writer->kick = (pdk_call){kick, writer, {NULL, NULL}};
    writer->answer = (pdk_call){answer, writer, {NULL, NULL}};
    writer->farewell = (pdk_call){farewell, writer, {NULL, NULL}};
    writer->health = PDK_DOWN;
    rc = pthread_mutex_init(&writer->lock, NULL);
    if (rc) return pdk_fail(err, -rc, NULL, "no lock: ", strerror(rc), NULL);
    rc = init_wake(writer);
    if (rc == 0 && (rc = create_thread(writer)) != 0) (void)pthread_cond_destroy(&writer->wake);
    if (rc) (void)pthread_mutex_destroy(&writer->lock);
    if (rc) return pdk_fail(err, -rc, NULL, "no thread: ", strerror(rc), NULL);
    return 0;
}

/* The kick may be waiting in the loop already: it is the one that stops. */
void queue_writer_stop(struct queue_writer *writer) {
    writer->ending = true;
    writer->loop->post(writer->loop, &writer->kick);
}
