/* SPDX-License-Identifier: Apache-2.0 */
/* The service as its own files see it: the children on the main thread. */
#ifndef CORE_PROCESS_SPAWNER_H
#define CORE_PROCESS_SPAWNER_H

#include <stdbool.h>
#include <sys/queue.h>

#include "core/process/process.h"
#include "core/process/request.h"

enum { PDK_READ_BUFFER = 64 * 1024, PDK_DRAIN_MS = 5000 };

enum pdk_child_phase {
    PDK_CHILD_ASKED,   /* with the threads */
    PDK_CHILD_RUNNING, /* its leader is */
    PDK_CHILD_OVER     /* the leader is not; what it started is cleared away, its output read to the end */
};

/* What a slow reader has not taken yet: the newest bytes, in a circle. */
struct pdk_backlog;

struct pdk_stream {
    int32_t fd; /* our end; -1: closed */
    pdk_watch watch;
    bool paused;
    struct pdk_backlog *backlog; /* NULL: none yet */
    uint64_t lost;
};

struct pdk_child_state {
    struct pdk_spawner *spawner;
    TAILQ_ENTRY(pdk_child_state) all, later;
    uint32_t index;
    enum pdk_child_phase phase;
    bool is_later, is_cleared, is_drained, block;
    uint32_t drain_ms;
    const pdk_child_ops *ops;
    void *arg;
    pdk_attempt attempt;

    struct pdk_request *request; /* what the threads have of it; NULL: nothing */
    struct pdk_cgroup *cgroup;
    char *marks[2];                         /* of its environment, to know orphans by; NULL: none */
    uint64_t group_signals, leader_signals; /* to be sent when it runs; a bit per signal, from bit 0 for 1 */
    bool kill_wanted;

    int32_t pid;
    pdk_watch watch, drain_timer, clear_timer;
    uint64_t clear_until, clear_delay; /* when to stop waiting for what was killed; 0: not begun */
    struct pdk_stream streams[2];
    uint32_t limits;
    pdk_exit end;
};

TAILQ_HEAD(pdk_child_list, pdk_child_state);

struct pdk_slot {
    struct pdk_child_state *child;
    uint32_t generation, next_free;
};

struct pdk_orphans;

struct pdk_spawner {
    pdk_process table;
    struct pdk_spawner_options options;
    const pdk_loop *loop;
    struct pdk_workers *workers;
    struct pdk_cgroups *cgroups;
    struct pdk_orphans *orphans; /* NULL: we are not the subreaper */
    bool track;                  /* every child in a cgroup */
    int event_fd, null_fd;
    pdk_watch event_watch, later_timer;
    struct pdk_slot *slots;
    uint32_t slot_count, free_slot, asked;
    bool is_busy; /* and that was told */
    struct pdk_child_list children, later;
    char *buffer;
    struct pdk_spawner_stats stats;
    pdk_rlimit files; /* of descriptors, as we were given it */
    bool raised;      /* we have more now */
};

void pdk_spawner_log(const struct pdk_spawner *spawner, int32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- files.c: how many descriptors there may be ---- */

/* Take all that the hard limit allows; and give it back. */
void pdk_files_raise(struct pdk_spawner *spawner);
void pdk_files_lower(struct pdk_spawner *spawner);

/* The child of this plan starts with the limit that we were given, unless its command says another. 0 or -ENOMEM. */
int32_t pdk_files_keep(const struct pdk_spawner *spawner, struct pdk_arena *arena, struct pdk_plan *plan);

/* ---- server.c: what children are known by when we were killed ---- */

/* What our own environment says of it goes into that of the child, whatever else is in there. 0 or -ENOMEM. */
int32_t pdk_server_keep(const struct pdk_spawner *spawner, struct pdk_arena *arena, struct pdk_plan *plan);

/* ---- children.c: the slots ---- */

/* NULL: no memory. */
struct pdk_child_state *pdk_child_add(struct pdk_spawner *spawner, pdk_child *ret);
struct pdk_child_state *pdk_child_find(const struct pdk_spawner *spawner, pdk_child handle);

/* Closes what it holds, stops its watches; its handle is stale. */
void pdk_child_remove(struct pdk_child_state *child);

/* Have pdk_child_progress called, soon and not from inside this. */
void pdk_child_later(struct pdk_child_state *child);
void pdk_children_progress(void *arg); /* arg: the struct pdk_spawner */

/* ---- life.c: what happens to a child ---- */

/* The threads have answered. */
void pdk_child_answered(struct pdk_child_state *child, struct pdk_request *request);

/* Go on from wherever it is: read, clear away, end. */
void pdk_child_progress(struct pdk_child_state *child);

/* ---- stream.c ---- */

int32_t pdk_stream_open(struct pdk_child_state *child, int number, int32_t fd);

/* Read what is there, within a turn's bound, and hand it on. */
void pdk_stream_read(struct pdk_child_state *child, struct pdk_stream *stream);

/* After resume, and at the end (when last): hand on what was kept. */
void pdk_stream_flush(struct pdk_child_state *child, struct pdk_stream *stream, bool last);

/* Read no more; what is unread is lost. */
void pdk_stream_close(struct pdk_child_state *child, struct pdk_stream *stream);
void pdk_stream_free(struct pdk_child_state *child, struct pdk_stream *stream);

#endif
