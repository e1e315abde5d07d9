/* SPDX-License-Identifier: Apache-2.0 */
/* Children, behind paddock/process.h. The only clone3 in the tree. Sees the loop through its table alone. */
#ifndef CORE_PROCESS_PROCESS_H
#define CORE_PROCESS_PROCESS_H

#include <stdbool.h>

#include "core/base/log.h"
#include "paddock/process.h"

struct pdk_spawner;

struct pdk_spawner_options {
    const pdk_loop *loop;
    const struct pdk_log *log; /* NULL: silent */
    uint32_t threads;          /* that start children; 0: as many as cores, at most 2 */
    uint32_t pending;          /* spawns that may wait for a thread; 0 counts as 65536 */
    bool subreaper;            /* the whole process is ours: adopt orphans, so that even without a cgroup a
                                       double fork does not escape, and use all descriptors that
                                       the hard limit allows. Never in an embedder's process */
    int32_t cgroups; /* -1: one per attempt where it can be had; 0: only where a limit needs it; 1: always, or fail */
    /* Output that nobody captures by a callback goes to the attempt. As host->output: PDK_PAUSE pauses. [main] */
    int32_t (*output)(void *arg, pdk_attempt attempt, int32_t stream, const char *data, size_t size);
    /* As many spawns wait for a thread as keep the threads at work, or no longer. More may be asked for, but they would only
     * take memory: a copy of the command and its environment each. NULL: nobody minds. [main] */
    void (*busy)(void *arg, bool busy);
    void (*started)(void *arg, pdk_attempt attempt, int32_t pid); /* of each attempt's child; NULL: not told. [main] */
    void *arg;
};

int32_t pdk_spawner_create(const struct pdk_spawner_options *options, struct pdk_spawner **ret, pdk_error *err);
const pdk_process *pdk_spawner_service(struct pdk_spawner *spawner);

/* Kill and reap all that is left, waiting for it; no callback comes any more. NULL is fine. */
void pdk_spawner_free(struct pdk_spawner *spawner);

/* See whether a child has ended that nobody knows, and reap it a second later. Nothing without subreaper. */
void pdk_spawner_reap(struct pdk_spawner *spawner);

/* For tests and benchmarks. */
struct pdk_spawner_stats {
    uint64_t spawned, failed, ended, killed, orphans;
    uint64_t output_bytes, output_lost;
    uint32_t children; /* that are there now */
};
void pdk_spawner_stats(const struct pdk_spawner *spawner, struct pdk_spawner_stats *ret);

#endif
