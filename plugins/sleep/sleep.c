/* SPDX-License-Identifier: Apache-2.0 */
/* Waits on a timer of the host's loop, then ends as it was told to. No thread, no descriptor, one timer. */
#include <stdlib.h>

#include "sleep.h"

enum { REPORTS = 50, REPORT_MIN_NS = 100000000 }; /* progress: at most so many, and so far apart */

struct sleeper {
    const pdk_host *host;
    const pdk_loop *loop;
};

struct nap {
    const struct sleeper *self;
    uint64_t length, retry_after;
    int64_t times; /* attempts that end as `status` says; 0: all */
    int32_t status, progress;
    /* of the attempt */
    pdk_attempt attempt; /* 0: none */
    pdk_watch watch;
    uint64_t began, step;
    uint32_t number;
};

static const char *const ends[] = {"success", "failure", "fatal", "retry", NULL}; /* by PDK_SUCCESS ... */

static const pdk_param params[] = {
    {"for", PDK_DURATION, 0, "1s", "How long to wait", NULL, 0.0, 315360000.0, NULL},
    {"then", PDK_STRING, 0, "success", "How to end", ends, 0.0, 0.0, NULL},
    {"times", PDK_INT, 0, NULL, "How many attempts end so; those after them succeed; default: all", NULL, 1.0, 1e6,
     NULL},
    {"retry_after", PDK_DURATION, 0, NULL, "With retry: not before that time has passed", NULL, 0.0, 86400.0, NULL},
    PDK_PARAM("progress", PDK_BOOL, 0, "true", "Report how far it is"),
    PDK_PARAM_END,
};

const pdk_schema pdk_sleep_kind = PDK_SCHEMA("sleep", "Wait, then succeed or fail as told", params);

int32_t pdk_sleep_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct sleeper *self = calloc(1, sizeof *self);
    (void)config;
    (void)err;
    if (!self) return -ENOMEM;
    self->host = host;
    self->loop = host->get_extension(host, PDK_LOOP_1);
    *ret = self;
    return 0;
}

static int32_t read_nap(struct nap *nap, const pdk_spec *spec, pdk_error *err) {
    const pdk_host *host = nap->self->host;
    const char *then = ends[PDK_SUCCESS];
    int32_t rc = pdk_take_duration(host, spec->with, "for", &nap->length, err);
    if (!rc) rc = pdk_take_string(host, spec->with, "then", &then, err);
    if (!rc) rc = pdk_take_integer(host, spec->with, "times", &nap->times, err);
    if (!rc) rc = pdk_take_duration(host, spec->with, "retry_after", &nap->retry_after, err);
    if (!rc) rc = pdk_take_boolean(host, spec->with, "progress", &nap->progress, err);
    if (rc) return rc;
    while (ends[nap->status] && strcmp(ends[nap->status], then) != 0) nap->status++;
    if (!ends[nap->status])
        return pdk_fail(err, -EINVAL, host->values->get(spec->with, "then"),
                        "success, failure, fatal or retry is wanted", NULL, NULL);
    if (nap->retry_after && nap->status != PDK_RETRY)
        return pdk_fail(err, -EINVAL, host->values->get(spec->with, "retry_after"), "retry_after goes with then: retry",
                        NULL, NULL);
    return 0;
}

int32_t pdk_sleep_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct nap *nap = calloc(1, sizeof *nap);
    int32_t rc;
    if (!nap) return -ENOMEM;
    nap->self = self;
    nap->length = 1000000000;
    nap->progress = 1;
    rc = read_nap(nap, spec, err);
    if (rc) {
        free(nap);
        return rc;
    }
    *ret = nap;
    return 0;
}

static void end(struct nap *nap, const pdk_result *result) {
    const struct sleeper *self = nap->self;
    pdk_attempt attempt = nap->attempt;
    nap->attempt = 0;
    self->loop->stop(self->loop, nap->watch);
    (void)self->host->done(self->host, attempt, result);
}

static void wake(struct nap *nap) {
    static const char *const words[] = {NULL, "failed as told", "failed for good as told", "asks for a retry as told"};
    int32_t status = nap->times && nap->number > nap->times ? PDK_SUCCESS : nap->status;
    pdk_result result = PDK_RESULT(status, status ? PDK_CAT_OTHER : PDK_CAT_NONE, words[status]);
    if (status == PDK_RETRY) result.retry_after_ns = nap->retry_after;
    end(nap, &result);
}

static void tick(void *arg) {
    struct nap *nap = arg;
    const struct sleeper *self = nap->self;
    uint64_t passed = self->loop->now_ns(self->loop) - nap->began;
    if (passed >= nap->length) {
        wake(nap);
        return;
    }
    (void)self->host->progress(self->host, nap->attempt, (double)passed / (double)nap->length, NULL);
    if (nap->length - passed >= nap->step) return;
    /* what is left is shorter than a step, or the clock is a little ahead of the timer */
    self->loop->stop(self->loop, nap->watch);
    if (self->loop->timer(self->loop, nap->length - passed, 0, tick, nap, &nap->watch)) wake(nap);
}

static uint64_t step_of(const struct nap *nap) {
    uint64_t steps = nap->length / REPORT_MIN_NS;
    if (!nap->progress || steps < 2) return nap->length;
    return (nap->length + (steps < REPORTS ? steps : REPORTS) - 1) / (steps < REPORTS ? steps : REPORTS);
}

static int32_t start(void *data, const pdk_start *how, pdk_error *err) {
    struct nap *nap = data;
    const pdk_loop *loop = nap->self->loop;
    int32_t rc;
    if (!loop) return pdk_fail(err, -ENOTSUP, NULL, "this host has no timers", NULL, NULL);
    nap->attempt = how->attempt;
    nap->number = how->number;
    nap->began = loop->now_ns(loop);
    nap->step = step_of(nap);
    rc = loop->timer(loop, nap->step, nap->step ? nap->step : 1, tick, nap, &nap->watch);
    if (rc) return pdk_fail(err, rc, NULL, "no timer can be had", NULL, NULL);
    return 0;
}

static void cancel(void *data, int32_t reason) {
    pdk_result result = PDK_RESULT(PDK_CANCELED, PDK_CAT_NONE, "woken up");
    struct nap *nap = data;
    (void)reason;
    if (nap->attempt) end(nap, &result);
}

const pdk_task_ops pdk_sleep_task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, NULL, NULL, free, NULL};
