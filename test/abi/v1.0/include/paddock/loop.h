/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/loop.h - the host's event loop and its pool of threads.
 *
 * Both are plain tables, so an embedder with a loop of his own fills one in and gives it to the supervisor,
 * and plugins see the very same. A host may have no pool, and the router alone has neither: then
 * get_extension answers NULL.
 *
 * One stop for everything that is watched, and no surprise after it: once stop has returned, on the main
 * thread, the callback does not run any more. Stopping twice, or a timer that has fired, is harmless.
 */
#ifndef PADDOCK_LOOP_H
#define PADDOCK_LOOP_H

#include "task.h"

PDK_BEGIN

enum { PDK_READ = 1, PDK_WRITE = 2, PDK_HANGUP = 4 }; /* hangup or error: always told, never asked for */

/* How a child ended. Lives during the callback. */
typedef struct pdk_exit {
    uint32_t struct_size;
    int32_t exit_code; /* 0 when signal is not 0 */
    int32_t signal;    /* 0: ended by itself */
    int32_t error;     /* negative errno when nobody could tell, e.g. somebody else reaped it; else 0 */
    pdk_usage usage;   /* the last member for ever: pdk_usage can grow */
} pdk_exit;

/* Something to be run on the main thread. Yours; it must stay where it is until it has run. Set run and arg,
 * zero the rest. */
typedef struct pdk_call {
    void (*run)(void *arg); /* [main] */
    void *arg;
    void *host_use[2];
} pdk_call;

#define PDK_LOOP_1 "paddock.loop/1"

typedef struct pdk_loop pdk_loop;
struct pdk_loop {
    uint32_t struct_size, reserved;
    void *data; /* the loop's */

    /* [main] Call ready while fd is readable or writable: level-triggered. The fd stays yours; stop before
     * you close it. One watch per fd; change says what to wait for, 0 being nothing but a hangup. */
    int32_t (*io)(const pdk_loop *, int32_t fd, uint32_t events, void (*ready)(void *arg, uint32_t events), void *arg,
                  pdk_watch *ret);
    int32_t (*change)(const pdk_loop *, pdk_watch, uint32_t events);

    /* [main] Call fire after delay_ns, and then every repeat_ns; 0: once. Never inside this call. */
    int32_t (*timer)(const pdk_loop *, uint64_t delay_ns, uint64_t repeat_ns, void (*fire)(void *arg), void *arg,
                     pdk_watch *ret);

    /* [main] Wait for a child of this process; call ended, once; then reap it, it alone. While ended runs
     * the pid is not yet free for others: kill(-pid, SIGKILL) there clears its group and nobody else's.
     * pidfd: from clone3, becomes the loop's; or -1. After stop it is still reaped, but you hear nothing. */
    int32_t (*child)(const pdk_loop *, int32_t pid, int32_t pidfd, void (*ended)(void *arg, const pdk_exit *),
                     void *arg, pdk_watch *ret);

    /* [main] Stop any of them. 0 and stale watches are ignored. */
    void (*stop)(const pdk_loop *, pdk_watch);

    /* [any] Run a call on the main thread, soon and in order, never inside this. Takes no memory and cannot
     * fail. Posting what is still waiting does nothing: it will run once. When it runs it is yours again. */
    void (*post)(const pdk_loop *, pdk_call *);

    /* [any] Nanoseconds, never going back: the clock that timer goes by. A test may run it faster than the sun. */
    uint64_t (*now_ns)(const pdk_loop *);
};

/* Work for another thread. The host's from submit until it calls done; zero host_use before. A task that
 * works in a job ends in the job's done, not in its work: the task may be gone by the time done comes. */
typedef struct pdk_job {
    uint32_t struct_size, reserved;
    void (*work)(void *arg);                 /* [worker] may block */
    void (*done)(void *arg, int32_t status); /* [main] always, once: 0, or -ECANCELED when work never ran */
    void *arg;
    void *host_use[4];
} pdk_job;

#define PDK_POOL_1 "paddock.pool/1"

typedef struct pdk_pool pdk_pool;
struct pdk_pool {
    uint32_t struct_size, reserved;
    void *data; /* the pool's */

    /* [main] Queue a job. -EAGAIN: too many are waiting. Never runs it on the spot. */
    int32_t (*submit)(const pdk_pool *, pdk_job *);

    /* [main] 0: it will not run, done(-ECANCELED) follows. -EBUSY: it runs, has run, or was not submitted. */
    int32_t (*cancel)(const pdk_pool *, pdk_job *);
};

PDK_END
#endif
