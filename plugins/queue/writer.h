/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that owns the store. What the loop's thread asks of it in one turn, and what gathers while it is busy, is
 * one batch: one transaction, one sync of the disk. An answer is given when its batch is on the disk, never before.
 *
 *     main                                    writer
 *     add, add, add -> (end of turn) ------->  begin, run, run, run, commit
 *     done, done, done  <---- loop->post ----  next batch ...
 */
#ifndef QUEUE_WRITER_H
#define QUEUE_WRITER_H

#include <pthread.h>
#include <sys/queue.h>

#include <paddock/loop.h>

#include "store.h"

struct queue_call;
struct queue_writer;

struct queue_call_type {
    /* [writer] In a batch. 0 or more, or negative with *err; perhaps several times, with undo between them. */
    int32_t (*run)(struct queue_writer *, struct queue_call *, pdk_error *);
    /* [writer] Forget what run has made; the batch is rolled back. NULL: nothing to forget. */
    void (*undo)(struct queue_call *);
    /* [main] Once, in the order of add. */
    void (*done)(struct queue_call *);
    bool keep;  /* it must not be lost: tried again until the store can */
    bool looks; /* it changes nothing: it works when nothing can be written */
    bool stirs; /* there may be more to claim after it */
};

struct queue_call {
    TAILQ_ENTRY(queue_call) link;
    const struct queue_call_type *type;
    int32_t rc;    /* for done */
    bool failed;   /* not to be run, or not again */
    bool last;     /* of its turn: what one turn asks is never in two batches */
    char *message; /* with a negative rc; NULL: none. Freed by the writer's side of done */
};
TAILQ_HEAD(queue_calls, queue_call);

struct queue_writer {
    /* set before start */
    const pdk_host *host;
    const pdk_loop *loop;
    const struct queue_store_ops *ops;
    struct queue_store_config config;
    void (*before)(void *arg);  /* [main] at the end of a turn in which something was added: the last chance to add */
    void (*stopped)(void *arg); /* [main] after stop */
    void *arg;

    /* main */
    struct queue_calls gathered;
    pdk_call kick;
    pthread_t thread;
    bool ending;

    /* both, by the lock */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct queue_calls incoming, outgoing;
    pdk_call answer, farewell;
    bool stop;

    /* writer */
    struct queue_store *store;
    struct queue_calls again; /* those to keep, of a batch that failed */
    int32_t health;
    char trouble[600]; /* what was last said of it */
    uint64_t pause_ms; /* until the store is tried again; 0: it works */
    uint64_t retry_ms; /* when, by the monotonic clock */
};

int32_t queue_writer_start(struct queue_writer *, pdk_error *);
void queue_writer_add(struct queue_writer *, struct queue_call *); /* [main] */
/* What was added is run, what cannot be is given up; then `stopped`. */
void queue_writer_stop(struct queue_writer *);
int64_t queue_writer_now(const struct queue_writer *);

/* batch.c [writer]: run all in one transaction; each then has its rc. Those that are to be kept and could not be are
 * left in writer->again, in order. 0, or the fault of the store. */
int32_t queue_batch_run(struct queue_writer *, struct queue_calls *batch, pdk_error *);
void queue_call_fail(struct queue_call *, int32_t rc, const char *message);

#endif
