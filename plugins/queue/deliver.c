/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From READY to RUNNING and back. One claim is under way at a time; it asks for as many jobs as the host has room for,
 * in the batch that also has what was submitted and what has ended in this turn. It is asked again after anything that
 * may have made more ready, or when something that is delayed is due: nobody polls, unless memory is short.
 */
#include <errno.h>
#include <stdlib.h>

#include "instance.h"

enum { CLAIM_MOST = 4096, SWEEP_MOST = 500, MAX_OUTPUT = 65536, LOOK_AGAIN_MS = 1000, STARVED_MS = 100 };
#define SWEEP_NS (UINT64_C(600) * 1000000000)

/* ---- how it ends ---- */

static int32_t settle_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    const struct queue_claimed *claimed = (const void *)call;
    return writer->ops->settle(writer->store, &claimed->settle, err);
}

static void settle_done(struct queue_call *call) {
    struct queue_claimed *claimed = (void *)call;
    if (call->rc < 0)
        pdk_logf(claimed->queue->host, PDK_LOG_ERROR, 0, "the end of job %lld is not recorded: %s",
                 (long long)claimed->settle.id, call->message ? call->message : strerror(-call->rc));
    queue_meter_stir(claimed->queue);
    queue_claimed_free(claimed);
}

static const struct queue_call_type settle_type = {settle_run, NULL, settle_done, true, false, true};

static void settle(struct queue_claimed *claimed) {
    struct queue *queue = claimed->queue;
    queue_claimed_remove(&queue->claimed, claimed);
    if (claimed->settle.verdict.state == QUEUE_RUNNING) {
        queue_claimed_free(claimed);
        return;
    }
    claimed->settle.code = claimed->code[0] ? claimed->code : NULL;
    claimed->settle.message = claimed->message[0] ? claimed->message : NULL;
    claimed->settle.run_id = claimed->run_id[0] ? claimed->run_id : NULL;
    claimed->settle.output = claimed->output;
    claimed->call.type = &settle_type;
    queue_writer_add(&queue->writer, &claimed->call);
}

static void settle_as(struct queue_claimed *claimed, int32_t end, const char *code, const char *message) {
    struct queue_end how = {end, 0, 0, code, 0};
    claimed->settle.verdict = queue_life_ended(&claimed->job.counts, &claimed->job.backoff, &how, 0);
    queue_cut(claimed->code, sizeof claimed->code, code);
    queue_cut(claimed->message, sizeof claimed->message, message);
    settle(claimed);
}

static void on_settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    struct queue *queue = self;
    struct queue_claimed *claimed = (struct queue_claimed *)(uintptr_t)delivery;
    const pdk_result *last = outcome->last;
    struct queue_end end = {outcome->end, outcome->reason, last->status, last->code, last->retry_after_ns};
    uint64_t random =
        queue_mix(queue_mix(queue->seed + (uint64_t)claimed->settle.id) + (uint64_t)claimed->settle.fence);
    claimed->settle.verdict = queue_life_ended(&claimed->job.counts, &claimed->job.backoff, &end, random);
    claimed->settle.exit_code = last->exit_code;
    claimed->settle.signal = last->signal;
    queue_cut(claimed->code, sizeof claimed->code, last->code);
    queue_cut(claimed->message, sizeof claimed->message, last->message);
    queue_cut(claimed->run_id, sizeof claimed->run_id, outcome->run_id);
    if (last->output) /* what is too large is left out: a queue is no place for it */
        (void)queue_print(queue->host->values, last->output, MAX_OUTPUT, &claimed->output);
    settle(claimed);
}

/* ---- how it starts ---- */

static int32_t submit_with(struct queue_claimed *claimed, const pdk_template *base, pdk_error *err) {
    struct queue *queue = claimed->queue;
    const pdk_values *values = queue->host->values;
    const pdk_value *input = NULL;
    pdk_submission given = {.struct_size = (uint32_t)sizeof given};
    int32_t rc = 0;
    if (claimed->job.input)
        rc = values->parse(values, claimed->job.input, strlen(claimed->job.input), "input", &input, err);
    given.delivery = (pdk_delivery)(uintptr_t)claimed;
    given.base = base;
    given.input = input;
    given.trace = claimed->job.trace;
    if (rc == 0) rc = queue->source->submit(queue->source, &given, &claimed->run, err);
    values->drop(input);
    return rc;
}

/* -EAGAIN: it is to be held. Else it runs, or its end is on the way. */
static int32_t submit(struct queue_claimed *claimed) {
    struct queue *queue = claimed->queue;
    pdk_error err = PDK_ERROR;
    const pdk_template *base = NULL;
    bool once = false;
    int32_t rc = queue_template_get(queue, claimed->job.spec ? claimed->job.spec : "", NULL, &base, &once, &err);
    if (rc == 0) rc = submit_with(claimed, base, &err);
    if (once) queue->source->release(queue->source, base);
    /* that the host is busy while it has room is want of memory as well: nothing need ever settle, so no resume follows */
    if (rc == -ENOMEM || (rc == -EAGAIN && queue->source->room(queue->source) > 0)) queue->starved = true;
    if (rc == -EAGAIN || rc == -ENOMEM) return -EAGAIN;
    if (rc == -ESHUTDOWN)
        settle_as(claimed, PDK_END_REJECTED, "shutting_down", "");
    else if (rc < 0)
        settle_as(claimed, PDK_END_FATAL, "invalid", err.message);
    else
        queue_meter_waited(queue, claimed);
    return 0;
}

/* ---- claims ---- */

static int32_t take(void *arg, const struct queue_job *job) {
    struct queue_claim_call *claim = arg;
    struct queue_claimed *claimed = queue_claimed_make(claim->queue, job);
    if (!claimed) return -ENOMEM;
    TAILQ_INSERT_TAIL(&claim->claimed, claimed, link);
    return 0;
}

/* Submitted with a claim behind it that has room for it: there is no need to wait for that. */
int32_t queue_deliver_take(void *arg, const struct queue_job *job) {
    struct queue_claim_call *claim = arg;
    claim->taken++;
    return take(arg, job);
}

static int32_t claim_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    struct queue_claim_call *claim = (void *)call;
    uint32_t left = claim->limit > claim->taken ? claim->limit - claim->taken : 0;
    return writer->ops->claim(writer->store, left, take, claim, &claim->due, err);
}

static void claim_undo(struct queue_call *call) {
    struct queue_claim_call *claim = (void *)call;
    struct queue_claimed *claimed;
    claim->taken = 0;
    while ((claimed = TAILQ_FIRST(&claim->claimed))) {
        TAILQ_REMOVE(&claim->claimed, claimed, link);
        queue_claimed_free(claimed);
    }
}

static void stir(struct queue *queue) {
    queue->claim_again = true;
    queue->writer.loop->post(queue->loop, &queue->writer.kick);
}

static void due(void *arg);

/* Of what waits for memory no resume tells. */
static void watch_due(struct queue *queue, int64_t when) {
    int64_t now = queue_writer_now(&queue->writer), left = when > now ? when - now : 0;
    queue->loop->stop(queue->loop, queue->due_watch);
    queue->due_watch = 0;
    if (!(when || queue->starved) || queue->draining) return;
    if (left > 3600000) left = 3600000; /* the clock of the wall may be set meanwhile */
    if (queue->starved && (!when || left > STARVED_MS)) left = STARVED_MS;
    if (queue->loop->timer(queue->loop, (uint64_t)left * 1000000 + 1000000, 0, due, queue, &queue->due_watch) < 0)
        queue->due_watch = 0;
}

static void submit_held(struct queue *queue) {
    struct queue_claimed *claimed;
    queue->starved = false;
    while ((claimed = TAILQ_FIRST(&queue->held))) {
        TAILQ_REMOVE(&queue->held, claimed, link);
        if (submit(claimed) == 0) continue;
        TAILQ_INSERT_HEAD(&queue->held, claimed, link);
        return;
    }
}

static void go_on(struct queue *queue) {
    submit_held(queue);
    if (queue->starved) watch_due(queue, 0);
    stir(queue);
}

static void due(void *arg) {
    struct queue *queue = arg;
    queue->due_watch = 0;
    go_on(queue);
}

static void begin_job(struct queue *queue, struct queue_claimed *claimed) {
    if (queue_claimed_room(&queue->claimed) < 0) { /* the very first, and no memory: as if it had never been claimed */
        settle_as(claimed, PDK_END_REJECTED, "shutting_down", "");
        return;
    }
    queue_claimed_put(&queue->claimed, claimed);
    if (queue->draining)
        settle_as(claimed, PDK_END_REJECTED, "shutting_down", "");
    else if (!TAILQ_EMPTY(&queue->held) || submit(claimed) < 0)
        TAILQ_INSERT_TAIL(&queue->held, claimed, link);
}

/* The store gives them topic by topic. */
static int before(const void *a, const void *b) {
    const struct queue_claimed *x = *(struct queue_claimed *const *)a, *y = *(struct queue_claimed *const *)b;
    if (x->job.priority != y->job.priority) return x->job.priority > y->job.priority ? -1 : 1;
    if (x->job.due != y->job.due) return x->job.due < y->job.due ? -1 : 1;
    return x->settle.id < y->settle.id ? -1 : x->settle.id > y->settle.id;
}

static void begin_jobs(struct queue *queue, struct queue_claimed_list *list) {
    struct queue_claimed *claimed, **sorted;
    size_t count = 0, i = 0;
    TAILQ_FOREACH(claimed, list, link) count++;
    sorted = count > 1 ? calloc(count, sizeof *sorted) : NULL; /* without memory: in the order they came */
    while ((claimed = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, claimed, link);
        if (sorted)
            sorted[i++] = claimed;
        else
            begin_job(queue, claimed);
    }
    if (sorted) qsort(sorted, count, sizeof *sorted, before);
    for (i = 0; sorted && i < count; i++) begin_job(queue, sorted[i]);
    free(sorted);
}

static void claim_done(struct queue_call *call) {
    struct queue_claim_call *claim = (void *)call;
    struct queue *queue = claim->queue;
    bool any = !TAILQ_EMPTY(&claim->claimed);
    queue->claims--;
    queue->claiming -= claim->limit;
    if (any) begin_jobs(queue, &claim->claimed);
    if (any || queue->claim_again) stir(queue); /* there may be more */
    if (call->rc >= 0)
        watch_due(queue, claim->due);
    else
        watch_due(queue, queue_writer_now(&queue->writer) + LOOK_AGAIN_MS); /* the store has trouble: look again */
    free(claim);
    if (queue->stopping && !queue->claims) queue_writer_stop(&queue->writer);
}

static const struct queue_call_type claim_type = {claim_run, claim_undo, claim_done, false, false, false};

static bool stirred(const struct queue *queue) {
    const struct queue_call *call;
    TAILQ_FOREACH(call, &queue->writer.gathered, link) {
        if (call->type->stirs) return true;
    }
    return queue->claim_again;
}

/* While a claim is under way another is of use only to what is submitted in this turn. */
static uint32_t wanted(const struct queue *queue, uint32_t submits) {
    uint32_t room = queue->source->room(queue->source); /* 0: resume follows */
    uint32_t left = room > queue->claiming ? room - queue->claiming : 0;
    uint32_t most = queue->claims ? submits : CLAIM_MOST;
    return left < most ? left : most;
}

/* At the end of each turn in which something was asked of the store. */
void queue_deliver_gather(void *arg) {
    struct queue *queue = arg;
    struct queue_claim_call *claim;
    uint32_t submits, limit;
    if (!stirred(queue) || queue->draining) return;
    submits = queue_ask_submits(queue);
    queue->claim_again = true;
    limit = TAILQ_EMPTY(&queue->held) ? wanted(queue, submits) : 0;
    claim = limit ? calloc(1, sizeof *claim) : NULL;
    if (!claim) {
        if (limit && !queue->claims)
            watch_due(queue, queue_writer_now(&queue->writer) + LOOK_AGAIN_MS); /* no memory: later */
        return;
    }
    queue->claim_again = queue->claims > 0;
    queue->claims++;
    queue->claiming += limit;
    claim->call.type = &claim_type;
    claim->queue = queue;
    claim->limit = limit;
    TAILQ_INIT(&claim->claimed);
    if (submits <= limit) queue_ask_start(queue, claim);
    queue_writer_add(&queue->writer, &claim->call);
}

static void on_resume(void *self) {
    go_on(self);
}

static void on_drain(void *self) {
    struct queue *queue = self;
    struct queue_claimed *claimed;
    queue->draining = true;
    watch_due(queue, 0);
    while ((claimed = TAILQ_FIRST(&queue->held))) {
        TAILQ_REMOVE(&queue->held, claimed, link);
        settle_as(claimed, PDK_END_REJECTED, "shutting_down", "");
    }
}

const pdk_source_ops queue_source = {PDK_HEAD(pdk_source_ops), on_settled, on_resume, on_drain, NULL, NULL};

int32_t queue_deliver_cancel(struct queue *queue, int64_t id) {
    struct queue_claimed *claimed = queue_claimed_get(&queue->claimed, id);
    if (!claimed) return -ESTALE;
    if (claimed->run) return queue->source->cancel(queue->source, claimed->run);
    TAILQ_REMOVE(&queue->held, claimed, link);
    settle_as(claimed, PDK_END_REJECTED, "canceled", "");
    return 0;
}

/* ---- retention ---- */

static int32_t sweep_run(struct queue_writer *writer, struct queue_call *call, pdk_error *err) {
    (void)call;
    return writer->ops->sweep(writer->store, SWEEP_MOST, err);
}

static struct queue *queue_of_sweep(struct queue_call *call) {
    return (struct queue *)(void *)((char *)call - offsetof(struct queue, sweep));
}

static void sweep_again(struct queue *queue);

static void sweep_done(struct queue_call *call) {
    struct queue *queue = queue_of_sweep(call);
    queue->sweeping = false;
    if (call->rc >= SWEEP_MOST && !queue->stopping) sweep_again(queue);
}

static const struct queue_call_type sweep_type = {sweep_run, NULL, sweep_done, false, false, false};

static void sweep_again(struct queue *queue) {
    if (queue->sweeping) return;
    queue->sweeping = true;
    queue->sweep = (struct queue_call){.type = &sweep_type};
    queue_writer_add(&queue->writer, &queue->sweep);
}

static void sweep(void *arg) {
    sweep_again(arg);
}

void queue_deliver_begin(struct queue *queue) {
    if (queue->loop->timer(queue->loop, SWEEP_NS, SWEEP_NS, sweep, queue, &queue->sweep_watch) < 0)
        queue->host->log(queue->host, PDK_LOG_WARN, 0, "no timer can be had: old jobs are kept until the next start");
    sweep_again(queue);
    stir(queue);
}

void queue_deliver_end(struct queue *queue) {
    queue->loop->stop(queue->loop, queue->sweep_watch);
    queue->loop->stop(queue->loop, queue->due_watch);
    if (!queue->claims) queue_writer_stop(&queue->writer);
}
