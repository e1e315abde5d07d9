/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner role: Paddock drives RRQ runners, processes that listen on a TCP port and execute requests.
 *
 *     job.c --> pool.c --> worker.c --> link.c --> the process
 *     an attempt  who takes it  one process  one connection
 *
 * Everything here is on the main thread, but for the parsing of large replies.
 */
#ifndef RRQ_DRIVE_H
#define RRQ_DRIVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <paddock/helpers.h>
#include <paddock/loop.h>
#include <paddock/process.h>

#include "buffer.h"
#include "parse.h"

enum {
    PDK_RRQ_IN_FLIGHT_MAX = 64,
    PDK_RRQ_POOL_MAX = 256,
    PDK_RRQ_RLIMITS = 5,
    PDK_RRQ_WHY = 256, /* bytes of a reason */
    PDK_RRQ_ID = 37    /* bytes of a UUID with its NUL */
};

struct pdk_rrq_pool;
struct pdk_rrq_worker;
struct pdk_rrq_link;
struct pdk_rrq_job;

/* ---- settings.c: what the instance is told ---- */

struct pdk_rrq_backoff {
    uint64_t first, max, reset;
    double factor;
    bool jitter; /* between half of a pause and all of it */
};

struct pdk_rrq_drive {
    const char **argv; /* owned, of borrowed strings, with room for two more and the NULL; NULL: none */
    size_t argc;
    const char *external; /* HOST:PORT; NULL: none */
    struct sockaddr_storage address;
    socklen_t address_size;
    const pdk_value *env; /* NULL: none */
    char *cwd;            /* owned; NULL: ours */
    uint32_t pool_size, max_in_flight, port, protocol, crash_limit, queue;
    bool by_argv, by_env, probe, shared;
    uint64_t connect_timeout, grace;
    int32_t signal;
    struct pdk_rrq_backoff backoff;
    pdk_rlimit rlimits[PDK_RRQ_RLIMITS];
    uint32_t rlimit_count;
    uint64_t memory_max, pids_max;
    double cpu_max;
};

extern const pdk_param pdk_rrq_backoff_rows[], pdk_rrq_stop_rows[], pdk_rrq_rlimit_rows[], pdk_rrq_resource_rows[];
extern const char *const pdk_rrq_protocols[], *const pdk_rrq_address_ways[];

/* The rows of `config` that are the runner's. */
#define PDK_RRQ_DRIVE_ROWS                                                                                              \
    PDK_PARAM("command", PDK_STRINGS, 0, NULL, "The program that is the RRQ runner, and its arguments"),                \
        PDK_PARAM("external", PDK_STRING, 0, NULL, "HOST:PORT of an RRQ runner that somebody else manages"),            \
        PDK_PARAM("env", PDK_STRING_MAP, PDK_SECRET, NULL, "Its environment, beside what it inherits"),                 \
        PDK_PARAM("cwd", PDK_STRING, 0, NULL, "Its working directory; default: the folder of this file"),               \
        {"pool_size", PDK_INT, 0, "1", "How many processes", NULL, 1.0, PDK_RRQ_POOL_MAX, NULL},                        \
        {"max_in_flight",       PDK_INT, 0, "1", "Requests that one process takes at a time", NULL, 1.0,                \
         PDK_RRQ_IN_FLIGHT_MAX, NULL},                                                                                  \
        {"queue", PDK_INT, 0, "1000", "Attempts that may wait for a process; more fail as busy", NULL, 0.0, 1e6, NULL}, \
        {"port", PDK_INT, 0,       "0", "Port of the first process, the others follow; 0: free ones",                   \
         NULL,   0.0,     65535.0, NULL},                                                                               \
        {"address", PDK_STRING, 0,   "both", "How a process learns where to listen", pdk_rrq_address_ways,              \
         0.0,       0.0,        NULL},                                                                                  \
        {"protocol", PDK_STRING, 0, "2", "Version of the protocol", pdk_rrq_protocols, 0.0, 0.0, NULL},                 \
        PDK_PARAM("multiplex", PDK_BOOL, 0, NULL,                                                                       \
                  "One connection carries all requests of a process; default: with protocol 2"),                        \
        {"connect_timeout", PDK_DURATION, 0, "15s", "A process that is not ready by then is stopped", NULL, 0.001,      \
         86400.0,           NULL},                                                                                      \
        PDK_PARAM("probe", PDK_BOOL, 0, "false", "Ready is who answers a request, not who listens"),                    \
        {"backoff", PDK_MAP, 0, "{}", "Pause before a process is started again", NULL, 0.0, 0.0, pdk_rrq_backoff_rows}, \
        {"crash_limit", PDK_INT, 0,   "5", "Give a process up after so many crashes in a row; 0: never",                \
         NULL,          0.0,     1e6, NULL},                                                                            \
        {"stop", PDK_MAP, 0, "{}", "How a process is asked to end", NULL, 0.0, 0.0, pdk_rrq_stop_rows},                 \
        {"rlimits",          PDK_MAP, 0, NULL, "Limits of each process: a number or unlimited", NULL, 0.0, 0.0,         \
         pdk_rrq_rlimit_rows},                                                                                          \
    {                                                                                                                   \
        "resources", PDK_MAP, 0, NULL, "Hard limits on each process and all it starts", NULL, 0.0, 0.0,                 \
            pdk_rrq_resource_rows                                                                                       \
    }

/* Read them. On failure nothing is left to free. */
int32_t pdk_rrq_drive_read(const pdk_host *host, const pdk_value *config, struct pdk_rrq_drive *ret, pdk_error *err);
void pdk_rrq_drive_free(struct pdk_rrq_drive *drive);
bool pdk_rrq_drive_is_set(const struct pdk_rrq_drive *drive);

/* ---- environ.c ---- */
/* Ours, changed by env, and the variables that say where to listen. One block, to be freed; NULL: no memory. */
char **pdk_rrq_environment(const pdk_host *host, const struct pdk_rrq_drive *drive, const char *address);

/* ---- request.c: what is sent and what comes back ---- */

struct pdk_rrq_reply {
    const pdk_value *payload;        /* all of it, borrowed */
    const char *request_id, *job_id; /* NULL: absent */
    const char *status;              /* one of the four, or NULL: see wrong */
    const char *wrong;               /* why it is unusable; NULL: it is not */
    const char *type, *code, *message;
    const pdk_value *result, *details; /* borrowed */
    uint64_t retry_after;              /* ns */
    bool has_retry_after;
};

/* Each adds a whole frame. -E2BIG: more than a frame holds; -ENOMEM. On failure nothing was added. */
int32_t pdk_rrq_request_write(const struct pdk_rrq_job *job, struct pdk_rrq_buffer *to, pdk_error *err);
int32_t pdk_rrq_cancel_write(const struct pdk_rrq_job *job, struct pdk_rrq_buffer *to);
int32_t pdk_rrq_probe_write(struct pdk_rrq_pool *pool, const char *id, struct pdk_rrq_buffer *to);
/* payload lives on; strings in *ret are borrowed from it. */
void pdk_rrq_reply_read(const pdk_host *host, const pdk_value *payload, struct pdk_rrq_reply *ret);
void pdk_rrq_uuid(char ret[PDK_RRQ_ID]);
uint64_t pdk_rrq_random(void);

/* ---- job.c: a task, and its attempt ---- */

enum pdk_rrq_job_state { PDK_RRQ_JOB_IDLE, PDK_RRQ_JOB_WAITING, PDK_RRQ_JOB_SENT };

struct pdk_rrq_job {
    TAILQ_ENTRY(pdk_rrq_job) line;    /* of those that wait, or of its worker */
    TAILQ_ENTRY(pdk_rrq_job) on_link; /* while link is set */
    struct pdk_rrq_pool *pool;
    const pdk_spec *spec;
    const char *function, *queue_name, *job_id; /* job_id NULL: the run's */
    const pdk_value *params, *args, *kwargs, *correlation;

    /* of the attempt */
    enum pdk_rrq_job_state state;
    pdk_attempt attempt;
    uint32_t number;
    uint64_t deadline, enqueued; /* Unix time; 0: none */
    char *run_id;
    char trace[128], id[PDK_RRQ_ID];
    struct pdk_rrq_worker *worker; /* while SENT */
    struct pdk_rrq_link *link;     /* NULL: its connection is lost */
    bool asked, killed;            /* by the host: cancel, kill */
    bool announced;                /* that it waits */
};

TAILQ_HEAD(pdk_rrq_jobs, pdk_rrq_job);

extern const pdk_schema pdk_rrq_kind;
extern const pdk_task_ops pdk_rrq_task_ops;
int32_t pdk_rrq_build(struct pdk_rrq_pool *pool, const pdk_spec *spec, void **ret, pdk_error *err);
/* It is on nobody's list any more when these are called; the host may start it again at once. */
void pdk_rrq_job_end(struct pdk_rrq_job *job, const pdk_result *result);
void pdk_rrq_job_answer(struct pdk_rrq_job *job, const struct pdk_rrq_reply *outcome);
void pdk_rrq_job_fail(struct pdk_rrq_job *job, int32_t status, int32_t category, const char *code, const char *why);

/* ---- link.c: a connection ---- */

enum pdk_rrq_link_use { PDK_RRQ_LINK_SHARED, PDK_RRQ_LINK_ONE_JOB, PDK_RRQ_LINK_CANCEL };

TAILQ_HEAD(pdk_rrq_links, pdk_rrq_link);

/* Begin to connect. NULL: it cannot even begin, *error says why. */
struct pdk_rrq_link *pdk_rrq_link_open(struct pdk_rrq_worker *worker, enum pdk_rrq_link_use use, int32_t *error);
/* Shut it down and forget it. Safe from inside what it calls. Jobs on it have no link from then on. */
void pdk_rrq_link_close(struct pdk_rrq_link *link);
/* What is to be sent is added here, and goes out by flush. What cannot be sent is noticed by reading. */
struct pdk_rrq_buffer *pdk_rrq_link_out(struct pdk_rrq_link *link);
void pdk_rrq_link_flush(struct pdk_rrq_link *link);
void pdk_rrq_link_add(struct pdk_rrq_link *link, struct pdk_rrq_job *job);
void pdk_rrq_link_remove(struct pdk_rrq_job *job);
enum pdk_rrq_link_use pdk_rrq_link_use(const struct pdk_rrq_link *link);
bool pdk_rrq_link_is_connected(const struct pdk_rrq_link *link);
struct pdk_rrq_jobs *pdk_rrq_link_jobs(struct pdk_rrq_link *link);

/* ---- worker.c: a process ---- */

enum pdk_rrq_worker_state {
    PDK_RRQ_STOPPED,    /* nothing is there */
    PDK_RRQ_SPAWNING,   /* process/1 has been asked */
    PDK_RRQ_CONNECTING, /* it runs, or is said to; we knock */
    PDK_RRQ_PROBING,    /* connected; the reserved request is out */
    PDK_RRQ_READY,
    PDK_RRQ_STOPPING, /* asked to end, then killed */
    PDK_RRQ_PAUSING,  /* back-off */
    PDK_RRQ_GIVEN_UP
};

struct pdk_rrq_partial {
    size_t size;
    char text[1024];
};

struct pdk_rrq_worker {
    struct pdk_rrq_pool *pool;
    uint32_t index;
    enum pdk_rrq_worker_state state;
    pdk_child child; /* 0: none */
    int32_t pid;
    uint32_t port;
    struct sockaddr_storage address;
    socklen_t address_size;
    pdk_watch timer; /* of the state: the next knock, the end of grace or of a pause */
    uint64_t knock_until, knock_delay;
    struct pdk_rrq_link *link; /* the shared one, or the one that knocks; NULL: none */
    struct pdk_rrq_links links;
    char probe[PDK_RRQ_ID];
    struct pdk_rrq_jobs jobs;
    uint32_t in_flight, unconfirmed; /* unconfirmed: cancels that nobody has answered */
    uint32_t starts, crashes;        /* crashes: in a row */
    uint32_t closes;                 /* of idle connections, since the last outcome */
    uint64_t pause, ready_since;
    bool wanted;                  /* it ends because we want it: no crash */
    char why[PDK_RRQ_WHY];        /* what was wrong last; "": nothing */
    struct pdk_rrq_job *answered; /* its outcome is there and waits to be told; NULL: none */
    struct pdk_rrq_reply answer;  /* holds its payload */
    pdk_call call;
    uint32_t turns;
    bool called;                     /* the loop has `call` */
    struct pdk_rrq_partial lines[2]; /* stdout, stderr */
};

void pdk_rrq_worker_init(struct pdk_rrq_worker *worker, struct pdk_rrq_pool *pool, uint32_t index);
void pdk_rrq_worker_start(struct pdk_rrq_worker *worker);
void pdk_rrq_worker_stop(struct pdk_rrq_worker *worker); /* for good: the pool stops */
/* The job did not end when it was asked. The process is killed with all it is at; an external one is left alone. */
void pdk_rrq_worker_kill(struct pdk_rrq_worker *worker, struct pdk_rrq_job *job);
int32_t pdk_rrq_worker_give(struct pdk_rrq_worker *worker, struct pdk_rrq_job *job, pdk_error *err);
void pdk_rrq_worker_cancel(struct pdk_rrq_worker *worker, struct pdk_rrq_job *job);
/* Take a job off its worker; it has no reply to wait for any more. */
void pdk_rrq_worker_release(struct pdk_rrq_job *job);

/* What links tell. connected: error 0 or a negative errno. lost: why; the link is gone after it. */
void pdk_rrq_worker_connected(struct pdk_rrq_worker *worker, struct pdk_rrq_link *link, int32_t error);
void pdk_rrq_worker_lost(struct pdk_rrq_worker *worker, struct pdk_rrq_link *link, const char *why);
/* An outcome came. 0, or negative: the link cannot be trusted any more, and *why says why. */
int32_t pdk_rrq_worker_outcome(struct pdk_rrq_worker *worker, struct pdk_rrq_link *link,
                               const struct pdk_rrq_reply *outcome, const char **why);

/* ---- reply.c: the outcomes of requests ---- */
/* As pdk_rrq_worker_outcome. */
int32_t pdk_rrq_reply_take(struct pdk_rrq_worker *worker, struct pdk_rrq_link *link,
                           const struct pdk_rrq_reply *outcome, const char **why);
void pdk_rrq_reply_now(struct pdk_rrq_worker *worker); /* tell what waits to be told */

/* ---- spawn.c: the process itself ---- */
int32_t pdk_rrq_spawn(struct pdk_rrq_worker *worker, const pdk_child_ops *ops, pdk_error *err);
int32_t pdk_rrq_worker_output(void *arg, int32_t stream, const char *data, size_t size);
void pdk_rrq_worker_flush(struct pdk_rrq_worker *worker); /* what has no end of line */

/* ---- pool.c ---- */

struct pdk_rrq_pool {
    const pdk_host *host;
    const pdk_loop *loop;
    const pdk_process *process;
    struct pdk_rrq_parses parses;
    struct pdk_rrq_drive drive;
    struct pdk_rrq_worker *workers; /* drive.pool_size */
    uint32_t next;                  /* who is looked at first */
    struct pdk_rrq_jobs waiting;
    uint32_t waiting_count;
    char worker_id[48];
    bool stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
    int32_t health; /* the last said; -1: none */
    char health_text[PDK_RRQ_WHY];
    struct pdk_rrq_meters {
        const pdk_metrics *metrics; /* NULL: none */
        pdk_series *workers[PDK_RRQ_GIVEN_UP + 1], *in_flight, *waiting, *crashes, *restarts;
    } meters;
};

/* Without `command` and `external` the pool takes no task. */
int32_t pdk_rrq_pool_create(const pdk_host *host, const pdk_value *config, struct pdk_rrq_pool **ret, pdk_error *err);
int32_t pdk_rrq_pool_start(struct pdk_rrq_pool *pool, pdk_error *err);
/* stopped is called once, here or later. */
void pdk_rrq_pool_stop(struct pdk_rrq_pool *pool, void (*stopped)(void *arg), void *arg);
void pdk_rrq_pool_free(struct pdk_rrq_pool *pool);
int32_t pdk_rrq_pool_supports(const struct pdk_rrq_pool *pool, pdk_error *why);

/* 0: it waits or is sent. Else what start is to answer. */
int32_t pdk_rrq_pool_take(struct pdk_rrq_pool *pool, struct pdk_rrq_job *job, pdk_error *err);
void pdk_rrq_pool_leave(struct pdk_rrq_pool *pool, struct pdk_rrq_job *job); /* it waits no more */
void pdk_rrq_pool_pump(struct pdk_rrq_pool *pool);                           /* there may be room */
void pdk_rrq_pool_changed(struct pdk_rrq_pool *pool);                        /* a worker is in another state */
uint64_t pdk_rrq_now(const struct pdk_rrq_pool *pool);

/* ---- meters.c ---- */
void pdk_rrq_meters_make(struct pdk_rrq_pool *pool);
void pdk_rrq_meters_states(const struct pdk_rrq_pool *pool);
void pdk_rrq_meters_load(const struct pdk_rrq_pool *pool);

#endif
