/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rrq: the source that serves an RRQ orchestrator, and the runner that drives RRQ runners. An instance plays one of the
 * two. The ABI tables; README.md has the keys.
 */
#include <stdlib.h>

#include "drive.h"
#include "rrq.h"

static void resume(void *self) {
    pdk_rrq_input_resume(self);
    pdk_rrq_output_flush(self);
    pdk_rrq_meters_now(self);
}

/* Who waits for memory goes on when half of it is free: after outcomes, and after a large frame that became no run. */
static void relieve(void *self) {
    struct pdk_rrq *rrq = self;
    if (!rrq->starved || rrq->memory > rrq->memory_max / 2) return;
    rrq->starved = false;
    resume(rrq);
}

static int32_t start(void *self, pdk_error *err) {
    struct pdk_rrq *rrq = self;
    if (rrq->pool) return pdk_rrq_pool_start(rrq->pool, err);
    if (!rrq->source) return pdk_fail(err, -ENOTSUP, NULL, "it needs ", PDK_SOURCE_1, ", which it is not given");
    if (!rrq->read_buffer) rrq->read_buffer = malloc(PDK_RRQ_READ);
    if (!rrq->read_buffer) return pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    rrq->parses.over = relieve;
    rrq->parses.arg = rrq;
    pdk_rrq_source_meters_make(rrq);
    int32_t rc = pdk_rrq_functions_start(rrq, err);
    return rc == 0 ? pdk_rrq_listen(rrq, err) : rc;
}

/* Who asks later is told to ask again; who has been accepted is answered. */
static void drain(void *self) {
    struct pdk_rrq *rrq = self;
    struct pdk_rrq_connection *connection;
    rrq->draining = true;
    pdk_rrq_listen_no_more(rrq);
    TAILQ_FOREACH(connection, &rrq->all, all) pdk_rrq_deliveries_drain(connection);
    pdk_rrq_input_resume(rrq);
    pdk_rrq_output_flush(rrq);
}

static void over(void *self) {
    struct pdk_rrq *rrq = self;
    if (!rrq->parses.count) rrq->host->stopped(rrq->host);
}

static void end(struct pdk_rrq *rrq) {
    rrq->loop->stop(rrq->loop, rrq->goodbye);
    rrq->loop->stop(rrq->loop, rrq->timer);
    pdk_rrq_connections_close(rrq);
    pdk_rrq_functions_free(rrq);
    rrq->parses.over = over;
    over(rrq);
}

static bool is_all_sent(const struct pdk_rrq *rrq) {
    const struct pdk_rrq_connection *connection;
    TAILQ_FOREACH(connection, &rrq->all, all) {
        if (connection->out.size) return false;
    }
    return true;
}

static void look(void *self) {
    struct pdk_rrq *rrq = self;
    if (is_all_sent(rrq) || rrq->loop->now_ns(rrq->loop) >= rrq->goodbye_due) end(rrq);
}

static void pool_stopped(void *arg) {
    struct pdk_rrq *rrq = arg;
    rrq->host->stopped(rrq->host);
}

/* The last answers get a moment to be read. */
static void stop(void *self) {
    struct pdk_rrq *rrq = self;
    if (rrq->pool) {
        pdk_rrq_pool_stop(rrq->pool, pool_stopped, rrq);
        return;
    }
    rrq->stopping = rrq->draining = true;
    pdk_rrq_listen_no_more(rrq);
    pdk_rrq_output_flush(rrq);
    rrq->loop->stop(rrq->loop, rrq->timer);
    rrq->timer = 0;
    rrq->goodbye_due = rrq->loop->now_ns(rrq->loop) + PDK_RRQ_GOODBYE_SECONDS * PDK_RRQ_SECOND;
    if (is_all_sent(rrq) ||
        rrq->loop->timer(rrq->loop, PDK_RRQ_SECOND / 100, PDK_RRQ_SECOND / 100, look, rrq, &rrq->goodbye) < 0)
        end(rrq);
}

static void flush(void *self) {
    pdk_rrq_output_flush(self);
    pdk_rrq_meters_now(self);
    relieve(self);
}

/* Where nobody said which role it is to play, it serves. */
static int32_t serves(pdk_error *err) {
    return pdk_fail(err, -EINVAL, NULL, "this instance serves an orchestrator, and drives no runners", NULL, NULL);
}

static int32_t supports(void *self, const pdk_spec *spec, pdk_error *why) {
    const struct pdk_rrq *rrq = self;
    (void)spec;
    if (rrq->pool) return pdk_rrq_pool_supports(rrq->pool, why);
    if (why) (void)serves(why);
    return 0;
}

static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    const struct pdk_rrq *rrq = self;
    return rrq->pool ? pdk_rrq_build(rrq->pool, spec, ret, err) : serves(err);
}

static const char *const needs[] = {PDK_LOOP_1, NULL}; /* each role needs one more, and looks for it when it starts */
static const pdk_schema *const kinds[] = {&pdk_rrq_kind, NULL};
static const pdk_runner_ops runner = {PDK_HEAD(pdk_runner_ops), kinds, &pdk_rrq_task_ops, supports, build};
static const pdk_source_ops source = {PDK_HEAD(pdk_source_ops), pdk_rrq_delivery_settled, resume, drain, flush, NULL};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    "rrq",
    "0.1.0",
    "",
    "Drives RRQ runners; serves RRQ orchestrators, whose jobs become runs",
    needs,
    &pdk_rrq_config,
    &runner,
    &source,
    NULL,
    pdk_rrq_create,
    start,
    stop,
    pdk_rrq_destroy,
    NULL,
};
