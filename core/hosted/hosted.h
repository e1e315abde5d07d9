/* SPDX-License-Identifier: Apache-2.0 */
/* The process that runs one plugin for a paddock elsewhere: the host that the plugin sees, and what it does. */
#ifndef CORE_HOSTED_HOSTED_H
#define CORE_HOSTED_HOSTED_H

#include <pthread.h>
#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/log.h"
#include "core/loop/loop.h"
#include "core/plugin/instance.h"
#include "core/process/process.h"
#include "core/value/value.h"
#include "core/wire/wire.h"

/* A task and the attempt of it that is on. */
struct pdk_hosted_task {
    const pdk_value *document; /* its spec came in; NULL: there is no such task */
    pdk_spec spec;
    void *task;       /* NULL: not built */
    pdk_error *error; /* why not; NULL: out of memory */
    uint64_t attempt; /* under the lock, as are the next three; 0: none was started */
    bool ended, paused;
    uint64_t unread; /* bytes of its output that paddock has not taken yet */
};

struct pdk_hosted_series;

struct pdk_hosted {
    struct pdk_ev *ev;
    const pdk_loop *loop;
    struct pdk_threads *pool;
    struct pdk_spawner *spawner;
    struct pdk_wire *wire;
    struct pdk_log log;
    struct pdk_library library;
    struct pdk_instance *instance;
    pdk_host host;
    char *name, *version;
    bool greeted, stopping, measured; /* measured: somebody records metrics */
    int exit_code;

    pthread_mutex_t lock;
    struct pdk_hosted_task **tasks;
    uint32_t task_count;
    uint64_t starting;       /* the attempt whose start is on */
    struct pdk_buffer early; /* dones that were made meanwhile: frames */

    pdk_metrics metrics;
    struct pdk_hosted_series *series;
    uint32_t series_count;
};

/* session.c */
int pdk_hosted_run(struct pdk_hosted *hosted, int fd); /* hosted: all zero; the whole of a process. An exit code */
void pdk_hosted_send(struct pdk_hosted *hosted, enum pdk_message type, uint64_t id, const void *numbers, size_t size,
                     const char *text, size_t text_size); /* [any] */
void pdk_hosted_send_error(struct pdk_hosted *hosted, enum pdk_message type, uint64_t id, int32_t code, bool built,
                           const pdk_error *err);

/* Who is told nothing waits for ever, so what there is no memory to say ends the process: paddock sees that. [any] */
void pdk_hosted_write(struct pdk_hosted *hosted, enum pdk_message type, uint64_t id, const struct pdk_wire_part *parts,
                      size_t count);
__attribute__((noreturn)) void pdk_hosted_no_memory(const char *what);

/* host.c: what the plugin is given */
void pdk_hosted_host(struct pdk_hosted *hosted);

/* tasks.c: what the plugin is asked */
void pdk_hosted_build(struct pdk_hosted *hosted, uint64_t id, const char *json, size_t size);
void pdk_hosted_try(struct pdk_hosted *hosted, uint64_t id);
void pdk_hosted_start(struct pdk_hosted *hosted, const struct pdk_frame *frame);
void pdk_hosted_ask(struct pdk_hosted *hosted, const struct pdk_frame *frame); /* CANCEL, KILL, TAKEN, RELOAD */
void pdk_hosted_destroy(struct pdk_hosted *hosted, uint64_t id);
int32_t pdk_hosted_done(const pdk_host *host, pdk_attempt attempt, const pdk_result *result); /* [any] */

/* The task whose attempt this is and is on, or NULL. Under the lock. [any] */
struct pdk_hosted_task *pdk_hosted_on(const struct pdk_hosted *hosted, uint64_t attempt);

/* series.c */
void pdk_hosted_metrics(struct pdk_hosted *hosted);

#endif
