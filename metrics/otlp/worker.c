/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread: waits until there is something to send, sends it, and sends what is left when it is asked to stop.
 * It sleeps in curl_multi_poll, whether or not a transfer is on, so one wake serves for everything.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "otlp.h"

uint64_t pdk_otlp_now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * PDK_OTLP_SECOND + (uint64_t)t.tv_nsec;
}

void pdk_otlp_worker_wake(struct pdk_otlp *self) {
    if (self->multi) (void)curl_multi_wakeup(self->multi);
}

static bool stops(const struct pdk_otlp *self) {
    return atomic_load(&self->stop_by) != 0;
}

static bool late(const struct pdk_otlp *self) {
    uint64_t stop = atomic_load(&self->stop_by);
    return stop && pdk_otlp_now() >= stop;
}

static void lose(struct pdk_otlp *self, uint32_t count) {
    if (self->service) pdk_count(self->service, self->spans_lost[1], count);
}

static bool deliver(struct pdk_otlp *self, enum pdk_otlp_kind kind, struct pdk_otlp_bytes body, uint64_t count,
                    struct pdk_otlp_arena *arena) {
    struct pdk_otlp_bytes packed;
    if (!body.data || !self->signals[kind].gzip) return body.data && pdk_otlp_send(self, kind, &body, count);
    return pdk_otlp_gzip(arena, &body, &packed) == 0 && pdk_otlp_send(self, kind, &packed, count);
}

/* Returns how many there were. */
static uint32_t send_spans(struct pdk_otlp *self) {
    struct pdk_otlp_arena arena = {0};
    struct pdk_otlp_entries entries;
    uint32_t count = pdk_otlp_queue_take(&self->queue, &entries);
    if (count) {
        struct pdk_otlp_bytes body = pdk_otlp_encode_spans(self, &entries, count, &arena);
        if (!deliver(self, PDK_OTLP_TRACES, body, count, &arena)) lose(self, count);
    }
    pdk_otlp_entries_free(&entries);
    pdk_otlp_arena_free(&arena);
    return count;
}

static void send_metrics(struct pdk_otlp *self) {
    struct pdk_otlp_arena arena = {0};
    if (self->signals[PDK_OTLP_METRICS].on)
        (void)deliver(self, PDK_OTLP_METRICS, pdk_otlp_encode_metrics(self, &arena), 1, &arena);
    pdk_otlp_arena_free(&arena);
}

/* When the next spans go: now, if there are enough of them. */
static uint64_t spans_due(struct pdk_otlp *self) {
    struct pdk_otlp_queue *queue = &self->queue;
    (void)pthread_mutex_lock(&queue->lock);
    uint64_t due = queue->count == 0 ? UINT64_MAX : queue->count >= queue->batch ? 0 : queue->first_at + self->delay;
    (void)pthread_mutex_unlock(&queue->lock);
    return due;
}

static void sleep_until(struct pdk_otlp *self, uint64_t due) {
    uint64_t now = pdk_otlp_now(), left = due > now ? (due - now + 999999) / 1000000 : 0;
    if (left && !stops(self)) (void)curl_multi_poll(self->multi, NULL, 0, left > 60000 ? 60000 : (int)left, NULL);
}

/* All that is left, as far as the time goes. Spans first: metrics have been sent before. */
static void flush(struct pdk_otlp *self) {
    while (!late(self) && send_spans(self)) {}
    if (!late(self)) send_metrics(self);
    (void)pthread_mutex_lock(&self->queue.lock);
    uint64_t rest = self->queue.count;
    (void)pthread_mutex_unlock(&self->queue.lock);
    uint64_t lost = self->signals[PDK_OTLP_TRACES].lost + rest;
    lose(self, (uint32_t)rest);
    if (lost) /* a warning, unless it has been one */
        pdk_logf(self->host, self->signals[PDK_OTLP_TRACES].down ? PDK_LOG_INFO : PDK_LOG_WARN, 0,
                 "%" PRIu64 " spans were not sent", lost);
}

static void *work(void *arg) {
    struct pdk_otlp *self = arg;
    uint64_t metrics_due = pdk_otlp_now() + self->interval;
    while (!stops(self)) {
        uint64_t spans = spans_due(self);
        sleep_until(self, spans < metrics_due ? spans : metrics_due);
        if (!stops(self) && spans_due(self) <= pdk_otlp_now()) (void)send_spans(self);
        if (stops(self) || metrics_due > pdk_otlp_now()) continue;
        send_metrics(self);
        metrics_due += self->interval;
        if (metrics_due <= pdk_otlp_now()) metrics_due = pdk_otlp_now() + self->interval;
    }
    if (!atomic_load(&self->silent)) flush(self);
    if (!atomic_load(&self->silent)) self->loop->post(self->loop, &self->over);
    return NULL;
}

static void join(struct pdk_otlp *self) {
    if (self->running) (void)pthread_join(self->thread, NULL);
    self->running = false;
}

/* On the main thread, posted as the thread's last deed. */
static void over(void *arg) {
    struct pdk_otlp *self = arg;
    join(self);
    self->ended = true;
    self->host->stopped(self->host);
}

int32_t pdk_otlp_worker_start(struct pdk_otlp *self, pdk_error *err) {
    sigset_t all, old;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return pdk_fail(err, -ENOMEM, NULL, "libcurl does not start", NULL, NULL);
    self->curl = true;
    self->multi = curl_multi_init();
    if (!self->multi) return pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    self->over = (pdk_call){.run = over, .arg = self};
    (void)sigfillset(&all); /* signals are for the loop */
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&self->thread, NULL, work, self);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (error) return pdk_fail(err, -error, NULL, "cannot start a thread: ", strerror(error), NULL);
    self->running = true;
    return 0;
}

void pdk_otlp_worker_stop(struct pdk_otlp *self, uint64_t within) {
    if (!self->running) {
        self->ended = true;
        self->host->stopped(self->host);
        return;
    }
    atomic_store(&self->stop_by, pdk_otlp_now() + within);
    pdk_otlp_worker_wake(self);
}

/* Also of one that did not stop in time, or was never told to. */
void pdk_otlp_worker_free(struct pdk_otlp *self) {
    if (self->running) {
        atomic_store(&self->silent, true);
        atomic_store(&self->stop_by, 1);
        pdk_otlp_worker_wake(self);
        join(self);
    }
    for (int i = 0; i < PDK_OTLP_SIGNALS; i++) {
        curl_easy_cleanup(self->signals[i].easy);
        curl_slist_free_all(self->signals[i].lines);
    }
    (void)curl_multi_cleanup(self->multi);
    if (self->curl) curl_global_cleanup();
}
