/* SPDX-License-Identifier: Apache-2.0 */
/* What travels between the main thread and the threads that start children, and the way it takes. */
#ifndef CORE_PROCESS_REQUEST_H
#define CORE_PROCESS_REQUEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "core/process/plan.h"

struct pdk_cgroups;
struct pdk_cgroup;
struct pdk_child_state;

enum pdk_request_kind {
    PDK_REQUEST_LAUNCH, /* start a child */
    PDK_REQUEST_CLEAR   /* kill what is left in a cgroup, look whether it is empty, and give it back then */
};

struct pdk_request {
    STAILQ_ENTRY(pdk_request) link;
    enum pdk_request_kind kind;
    struct pdk_child_state *child;

    /* launch: asked */
    struct pdk_arena arena; /* of the plan */
    struct pdk_plan plan;
    int32_t stdout_to, stderr_to;
    uint64_t memory_max, pids_max;
    double cpu_max;
    bool track; /* in a cgroup even without a limit */
    atomic_bool canceled;
    int32_t into_fd; /* the folder of a cgroup of v2; -1: none */

    /* launch: the answer */
    int32_t pid, pidfd;
    int32_t out_fds[2]; /* our ends of stdout and stderr; -1: none */
    pdk_error error;    /* code 0: it runs */

    /* both */
    struct pdk_cgroup *cgroup;

    /* clear: the answer */
    bool empty;
    uint32_t limits; /* PDK_LIMIT_... it ran into */
    uint64_t peak;   /* of memory, in bytes; 0: unknown */
};

STAILQ_HEAD(pdk_request_list, pdk_request);

struct pdk_workers;

/* event_fd becomes readable when answers wait. threads at most PDK_WORKERS_MAX. cgroups may be NULL. */
enum { PDK_WORKERS_MAX = 16 };
int32_t pdk_workers_create(uint32_t threads, int event_fd, int null_fd, struct pdk_cgroups *cgroups,
                           struct pdk_workers **ret);

/* 0, or a negative errno when there is no thread to do it. */
int32_t pdk_workers_push(struct pdk_workers *workers, struct pdk_request *request);

/* Take all answers that are there. */
struct pdk_request_list pdk_workers_take(struct pdk_workers *workers);

/* Let the threads end what they are at, and end. Requests nobody began come back in *ret_left. */
void pdk_workers_stop(struct pdk_workers *workers, struct pdk_request_list *ret_left);
void pdk_workers_free(struct pdk_workers *workers);

/* What a thread needs for launching: nothing of it is shared. */
struct pdk_launcher {
    char *stack; /* of the children between clone and exec, one after the other */
    int null_fd;
    uint64_t ignored_signals;
    uint64_t looked_at_all;  /* when all signals were asked after */
    bool lets_children_pass; /* SIGCHLD is not blocked */
    int32_t parent;
    struct pdk_cgroups *cgroups;
    pthread_mutex_t *users; /* one change of user at a time of this service; see launch.c */
};

int32_t pdk_launcher_init(struct pdk_launcher *launcher);
void pdk_launcher_finish(struct pdk_launcher *launcher);

/* Look again which signals are ignored; once for a batch, for it is many system calls. */
void pdk_launcher_refresh(struct pdk_launcher *launcher);

/* Start the child; the answer is in the request. Closes what the plan held. */
void pdk_launch(struct pdk_launcher *launcher, struct pdk_request *request);

/* Close what was duplicated for the plan, and free it. */
void pdk_request_drop_plan(struct pdk_request *request);

/* The same fd, moved up to where it does not take the place of those a child needs. It may stay where it is. */
int pdk_fd_up(int fd);

#endif
