/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps jobs. Whoever fills in this table passes test/queue/conformance.c, and the rest of the queue does not know
 * the difference.
 *
 *     open -> (begin -> submit, claim, settle, ... -> commit or rollback)* -> close
 *
 * One thread at a time. Everything between begin and commit is kept together or not at all, and is on the disk when
 * commit returns 0 (with durability: full). What the calls below give back is only true after that.
 *
 * A negative answer is a refusal (no such job, not in a state for that) and leaves the batch as it was, unless `fault`
 * says otherwise:
 *
 *   QUEUE_FAULT_CALL   this call cannot be carried out, others may: roll back, and do the batch again without it
 *   QUEUE_FAULT_STORE  the store is not able to: no disk space, read only, no memory. Roll back and try again later
 *
 * Every claim has a fence, a number of its own. settle changes a job only while that claim holds.
 */
#ifndef QUEUE_STORE_H
#define QUEUE_STORE_H

#include "job.h"

enum { QUEUE_FAULT_NONE, QUEUE_FAULT_CALL, QUEUE_FAULT_STORE };

struct queue_topic_setting {
    char name[QUEUE_TOPIC_SIZE];
    int64_t limit;  /* -1: as it is; 0: none */
    int32_t paused; /* -1: as it is */
};

/* Lives as long as the store. */
struct queue_store_config {
    const char *path;
    bool make_folder; /* and those above it, when they are missing */
    bool relaxed;     /* a power cut may undo the last commits; nothing is ever damaged */
    int64_t max_jobs, max_topics, max_rescues;
    int64_t keep_ended, keep_dead; /* ms */
    const struct queue_topic_setting *topics;
    size_t topic_count;
    void (*note)(void *arg, int32_t level, const char *text); /* what is to be logged */
    void *arg;
};

struct queue_receipt {
    int64_t id;
    bool duplicate;
};

/* The end of a claim. Texts may be NULL. */
struct queue_settle {
    int64_t id, fence;
    const struct queue_job *claimed; /* as the claim brought it, which saves reading it again; NULL: not known */
    struct queue_verdict verdict;
    const char *code, *message, *run_id, *output;
    int64_t exit_code, signal;
};

struct queue_topic {
    char name[QUEUE_TOPIC_SIZE];
    bool paused;
    int64_t limit;              /* of RUNNING; 0: none */
    int64_t jobs[QUEUE_STATES]; /* by state; ENDED: the dead letters */
    int64_t oldest;             /* when the oldest that is READY was due; 0: none */
};

struct queue_filter {
    uint32_t states, outcomes; /* bits 1 << queue_state, 1 << PDK_END_...; 0: any */
    bool dead;                 /* dead letters only */
    const char *topic, *name;  /* NULL: any */
    int64_t after, before;     /* ids above; ended before that time, 0: any */
    uint32_t limit;
};

/* One claim of a job that has ended, or of one that goes on. */
struct queue_attempt {
    int64_t number, started, ended;
    enum queue_fate fate;
    const char *code, *message, *run_id;
};

typedef int32_t (*queue_each_job)(void *arg, const struct queue_job *); /* negative: stop, and give that back */
typedef int32_t (*queue_each_attempt)(void *arg, const struct queue_attempt *);
typedef int32_t (*queue_each_topic)(void *arg, const struct queue_topic *);

struct queue_store;

struct queue_store_ops {
    /* Finds or makes it, and rescues what was RUNNING under a host that is gone. -EBUSY: another host lives in it. */
    int32_t (*open)(const struct queue_store_config *, int64_t now, struct queue_store **ret, pdk_error *);
    void (*close)(struct queue_store *);

    int32_t (*begin)(struct queue_store *, int64_t now, pdk_error *);
    int32_t (*commit)(struct queue_store *, pdk_error *);
    void (*rollback)(struct queue_store *);
    int32_t (*fault)(const struct queue_store *); /* of the last call that gave a negative answer */

    /* Write a little that means nothing, to see whether it can be written. */
    int32_t (*probe)(struct queue_store *, pdk_error *);

    /* -ENOSPC: as many jobs or topics as there may be. start, if not NULL: when no job at all is READY and this one may
     * run, it is claimed on the spot and brought by start, as claim would bring it. */
    int32_t (*submit)(struct queue_store *, const struct queue_new *, queue_each_job start, void *arg,
                      struct queue_receipt *, pdk_error *);

    /* Up to limit jobs that are due, in turn over the topics that may run, and within each by priority, then by when
     * they were due. ret_due: when the next one is, 0: none. */
    int32_t (*claim)(struct queue_store *, uint32_t limit, queue_each_job, void *arg, int64_t *ret_due, pdk_error *);

    /* -ESTALE: that claim does not hold any more, and nothing was changed. */
    int32_t (*settle)(struct queue_store *, const struct queue_settle *, pdk_error *);

    /* 0: ended. 1: it runs, and what it was asked for is kept. -EALREADY: it had ended. -ENOENT. */
    int32_t (*cancel)(struct queue_store *, int64_t id, const char *reason, pdk_error *);

    /* A new job as an ended one was. -EBUSY: it has not ended; -EEXIST: one with its unique key is alive. */
    int32_t (*retry)(struct queue_store *, int64_t id, struct queue_receipt *, pdk_error *);

    /* Dead letters become READY, under their ids, with all their attempts before them: this one, or with id 0 up to
     * limit of a topic. Those whose unique key is taken stay. Returns how many. */
    int32_t (*replay)(struct queue_store *, int64_t id, const char *topic, uint32_t limit, pdk_error *);

    /* Forget ended jobs: this one, or with id 0 up to limit of a topic that ended before. Returns how many. */
    int32_t (*purge)(struct queue_store *, int64_t id, const char *topic, int64_t before, uint32_t limit, pdk_error *);

    /* Forget what is older than it is to be kept, at most limit of each. Returns how many. */
    int32_t (*sweep)(struct queue_store *, uint32_t limit, pdk_error *);

    /* Makes the topic if there is none. */
    int32_t (*set_topic)(struct queue_store *, const struct queue_topic_setting *, pdk_error *);

    /* By id, without spec, input and output. ret_next: what `after` the next page has, 0: that was all. A page may be
     * short, even empty, and yet not the last: how much is looked through at once is limited. */
    int32_t (*list)(struct queue_store *, const struct queue_filter *, queue_each_job, void *arg, int64_t *ret_next,
                    pdk_error *);
    /* attempts oldest first; -ENOENT. */
    int32_t (*show)(struct queue_store *, int64_t id, queue_each_job, queue_each_attempt, void *arg, pdk_error *);
    /* One (name not NULL) or all, by name. */
    int32_t (*topics)(struct queue_store *, const char *name, queue_each_topic, void *arg, pdk_error *);
};

extern const struct queue_store_ops queue_sqlite;

#endif
