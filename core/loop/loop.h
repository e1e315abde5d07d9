/* SPDX-License-Identifier: Apache-2.0 */
/* The loop on libev and the pool of threads, behind the tables of paddock/loop.h. The only user of libev. */
#ifndef CORE_LOOP_LOOP_H
#define CORE_LOOP_LOOP_H

#include "paddock/loop.h"

struct pdk_ev; /* a loop of our own, or one we were lent */

/* A new loop (ev_loop_new, never the default one). */
int32_t pdk_ev_create(struct pdk_ev **ret);

/* An adapter over a struct ev_loop that the embedder runs himself; void keeps ev.h out of here. libev's default loop
 * reaps all children of the process; on it an end that libev saw first is told all the same, without its usage. */
int32_t pdk_ev_adopt(void *ev_loop, struct pdk_ev **ret);

const pdk_loop *pdk_ev_loop(struct pdk_ev *ev);

/* How many watches there are, of all kinds. [main] */
uint32_t pdk_ev_watches(const struct pdk_ev *ev);

/* Run until pdk_ev_break; only for a loop of our own, and on another break does nothing. */
void pdk_ev_run(struct pdk_ev *ev);
void pdk_ev_break(struct pdk_ev *ev); /* [main] */

/* One turn that waits for nothing: for what was posted by those who are gone, before the loop goes too. [main] */
void pdk_ev_once(struct pdk_ev *ev);

/* Watches that are left are stopped; posts that are left do not run. NULL is fine. */
void pdk_ev_free(struct pdk_ev *ev);

struct pdk_threads;

/* threads: 0 counts as 4. queue: jobs that may wait, 0 counts as 4096. Threads start with the first job and
 * block all signals. */
int32_t pdk_threads_create(const pdk_loop *loop, uint32_t threads, uint32_t queue, struct pdk_threads **ret);
const pdk_pool *pdk_threads_pool(struct pdk_threads *threads);

/* How many jobs are not done yet. */
uint32_t pdk_threads_jobs(struct pdk_threads *threads);

/* Jobs that wait get done(-ECANCELED); waits for those that run, and runs their done. [main] NULL is fine. */
void pdk_threads_free(struct pdk_threads *threads);

#endif
