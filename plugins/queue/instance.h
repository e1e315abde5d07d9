/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source `queue`, inside. Who does what:
 *
 *     instance.c  create, start, drain, stop     config.c    its `config:`
 *     ask.c       the verbs of paddock.queue/1   params.c    what they are given    answer.c   what they give
 *     deliver.c   claims, submits, settles       claimed.c   jobs that run here     template.c specs that were routed
 *     writer.c    the thread with the store      batch.c     one transaction        life.c     what follows from an end
 *     meter.c     metrics                        store.h     what a store is        sqlite/    one of them
 */
#ifndef QUEUE_INSTANCE_H
#define QUEUE_INSTANCE_H

#include <paddock/queue.h>

#include "writer.h"

struct queue;

/* ---- claimed.c: a job between claim and settle ---- */

struct queue_claimed {
    struct queue_call call; /* its settle */
    struct queue *queue;
    TAILQ_ENTRY(queue_claimed) link; /* in a claim, or held for want of room */
    struct queue_claimed *next;      /* in the same bucket */
    pdk_run run;                     /* 0: not submitted yet */
    struct queue_job job;
    struct queue_settle settle;
    char code[64], message[256], run_id[160];
    char *output; /* ours */
    char texts[]; /* of the job */
};
TAILQ_HEAD(queue_claimed_list, queue_claimed);

struct queue_claimed *queue_claimed_make(struct queue *, const struct queue_job *); /* [writer]; NULL: no memory */
void queue_claimed_free(struct queue_claimed *);

struct queue_claimed_map {
    struct queue_claimed **buckets;
    size_t size; /* a power of two, or 0 */
    size_t count;
};
int32_t queue_claimed_room(struct queue_claimed_map *); /* for one more; -ENOMEM */
void queue_claimed_put(struct queue_claimed_map *, struct queue_claimed *);
struct queue_claimed *queue_claimed_get(const struct queue_claimed_map *, int64_t id);
void queue_claimed_remove(struct queue_claimed_map *, struct queue_claimed *);

/* ---- template.c ---- */

enum { QUEUE_TEMPLATES = 256, QUEUE_TEMPLATE_SIZE = 16384 };

struct queue_template {
    char *text; /* NULL: free */
    const pdk_template *base;
};

/* spec: as text says, or NULL: read it. *ret_once: release it yourself, it was too large to keep. */
int32_t queue_template_get(struct queue *, const char *text, const pdk_value *spec, const pdk_template **ret,
                           bool *ret_once, pdk_error *);
void queue_templates_free(struct queue *);

/* ---- */

struct queue_claim_call {
    struct queue_call call;
    struct queue *queue;
    uint32_t limit;
    uint32_t taken; /* on the spot, by submit */
    int64_t due;
    struct queue_claimed_list claimed;
};

struct queue_stats_call;

struct queue {
    pdk_queue service;
    const pdk_host *host;
    const pdk_loop *loop;
    const pdk_source *source;
    const pdk_metrics *metrics;
    struct queue_writer writer;
    bool started, draining, stopping;

    /* config.c */
    char path[1024];
    int64_t max_spec, default_attempts;
    struct queue_topic_setting *topics;

    /* deliver.c */
    uint32_t claims, claiming; /* under way, and for how many jobs together */
    bool claim_again;
    bool starved; /* something is held for want of memory */
    struct queue_claimed_list held;
    struct queue_claimed_map claimed;
    struct queue_template templates[QUEUE_TEMPLATES];
    pdk_watch due_watch, sweep_watch;
    struct queue_call sweep;
    bool sweeping;
    uint64_t seed;

    /* ask.c */
    uint32_t asked;

    /* meter.c */
    struct queue_stats_call *stats;
    pdk_watch stats_watch;
};

/* config.c */
extern const pdk_schema queue_config;
int32_t queue_config_read(struct queue *, const pdk_value *config, pdk_error *);

/* instance.c */
int32_t queue_create(const pdk_host *, const pdk_value *config, void **ret, pdk_error *);
int32_t queue_start(void *self, pdk_error *);
void queue_stop(void *self);
void queue_destroy(void *self);
const void *queue_extension(void *self, const char *id);

/* deliver.c */
extern const pdk_source_ops queue_source;
void queue_deliver_begin(struct queue *);
void queue_deliver_gather(void *arg); /* as writer.before */
/* No timer of ours is left; and the writer stops, as soon as what a claim under way brings is handed back. */
void queue_deliver_end(struct queue *);
int32_t queue_deliver_cancel(struct queue *, int64_t id); /* -ESTALE: it does not run here */

/* ask.c */
int32_t queue_ask(const pdk_queue *service, const char *name, const pdk_value *params, pdk_queue_answer answer,
                  void *arg);

/* Of this turn: how many submits there are; and give them a claim of the same batch, so that they may start at once. */
uint32_t queue_ask_submits(struct queue *);
void queue_ask_start(struct queue *, struct queue_claim_call *);
int32_t queue_deliver_take(void *arg, const struct queue_job *job); /* [writer] as queue_each_job, by submit */

/* meter.c: gauges are brought up to date once a second while there is anything to say */
int32_t queue_meter_create(struct queue *);
void queue_meter_stir(struct queue *);
void queue_meter_waited(struct queue *, const struct queue_claimed *);
void queue_meter_end(struct queue *);
void queue_meter_free(struct queue *);

#endif
