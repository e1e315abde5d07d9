/* SPDX-License-Identifier: Apache-2.0 */
/* What of the runner role is counted. */
#include "drive.h"

static const char *const state_names[] = {"stopped", "spawning", "connecting", "probing",
                                          "ready",   "stopping", "pausing",    "given_up"};
static const char *const by_runner[] = {"runner", NULL}, *const by_state[] = {"runner", "state", NULL};

#define ROW(type, name, help, labels) \
    { sizeof(pdk_metric), type, name, "", help, labels, NULL, 0, 0 }

static const pdk_metric workers = ROW(PDK_GAUGE, "rrq_workers", "Processes of RRQ runners by state.", by_state);
static const pdk_metric in_flight = ROW(PDK_GAUGE, "rrq_in_flight", "Requests sent and not answered.", by_runner);
static const pdk_metric waiting = ROW(PDK_GAUGE, "rrq_waiting", "Attempts that wait for a process.", by_runner);
static const pdk_metric crashes = ROW(PDK_COUNTER, "rrq_crashes", "Processes that ended unasked.", by_runner);
static const pdk_metric restarts = ROW(PDK_COUNTER, "rrq_restarts", "Processes started again.", by_runner);

void pdk_rrq_meters_make(struct pdk_rrq_pool *pool) {
    struct pdk_rrq_meters *m = &pool->meters;
    const pdk_metrics *metrics = pool->host->get_extension(pool->host, PDK_METRICS_1);
    const char *values[] = {pool->host->instance, NULL};
    if (!metrics) return;
    m->metrics = metrics;
    m->in_flight = metrics->series(metrics, &in_flight, values);
    m->waiting = metrics->series(metrics, &waiting, values);
    m->crashes = metrics->series(metrics, &crashes, values);
    m->restarts = metrics->series(metrics, &restarts, values);
    for (size_t i = 0; i < sizeof state_names / sizeof *state_names; i++) {
        values[1] = state_names[i];
        m->workers[i] = metrics->series(metrics, &workers, values);
    }
}

void pdk_rrq_meters_states(const struct pdk_rrq_pool *pool) {
    uint32_t counts[PDK_RRQ_GIVEN_UP + 1] = {0};
    for (uint32_t i = 0; i < pool->drive.pool_size; i++) counts[pool->workers[i].state]++;
    for (size_t i = 0; i <= PDK_RRQ_GIVEN_UP; i++) pdk_gauge(pool->meters.metrics, pool->meters.workers[i], counts[i]);
}

void pdk_rrq_meters_load(const struct pdk_rrq_pool *pool) {
    uint32_t n = 0;
    if (!pool->meters.metrics) return;
    for (uint32_t i = 0; i < pool->drive.pool_size; i++) n += pool->workers[i].in_flight;
    pdk_gauge(pool->meters.metrics, pool->meters.in_flight, n);
    pdk_gauge(pool->meters.metrics, pool->meters.waiting, pool->waiting_count);
}
