/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/host.h - what the host does for a plugin.
 *
 * Every instance of a plugin has a host of its own, valid from create until destroy has returned.
 * The host never calls back into the plugin from inside one of these calls.
 */
#ifndef PADDOCK_HOST_H
#define PADDOCK_HOST_H

#include "task.h"

PDK_BEGIN

/* level of log. BUG is what the host itself says of a plugin that breaks a rule. */
enum { PDK_LOG_DEBUG = 0, PDK_LOG_INFO = 1, PDK_LOG_WARN = 2, PDK_LOG_ERROR = 3, PDK_LOG_BUG = 4 };

/* state of health. While DOWN, runs routed to this instance wait, without using up an attempt. */
enum { PDK_UP = 0, PDK_DEGRADED = 1, PDK_DOWN = 2 };

enum { PDK_STDOUT = 1, PDK_STDERR = 2 }; /* stream of output */

/* Result of output: taken, but please pause until the task's resume. */
#define PDK_PAUSE 1

enum { PDK_ROLE_RUNNER = 1, PDK_ROLE_SOURCE = 2, PDK_ROLE_METRICS = 4 };

struct pdk_host {
    uint32_t struct_size, abi_version;
    const char *name, *version; /* of the program we are in */
    const char *instance;       /* what the operator calls this instance of the plugin */
    uint32_t roles, reserved;   /* PDK_ROLE_...: those the operator wants it to play */
    void *data;                 /* the host's */
    const pdk_values *values;

    /* [any] Nanoseconds, never going back. A test may run it faster than the sun. */
    uint64_t (*now_ns)(const pdk_host *);

    /* [any] Nanoseconds since 1970. */
    uint64_t (*unix_ns)(const pdk_host *);

    /* [any] One line. The host adds time, instance and, if attempt is not 0, the run. */
    void (*log)(const pdk_host *, int32_t level, pdk_attempt attempt, const char *text);

    /* [any] How this instance is: PDK_UP... and a line saying why. Say it when it changes; nobody polls. */
    void (*health)(const pdk_host *, int32_t state, const char *text);

    /* [any] The last word after stop: no thread, watch, job or call of this instance is left. Once. */
    void (*stopped)(const pdk_host *);

    /* [any] The attempt has ended. Exactly once for each start that returned 0, also from inside start.
     * Do it last: from then on the host may destroy or restart the task on its own thread.
     * -EALREADY, -ESTALE: it had ended before; the first result stands and the plugin is reported. */
    int32_t (*done)(const pdk_host *, pdk_attempt, const pdk_result *);

    /* [any] Bytes the attempt wrote, copied before return. One stream keeps its order when one thread
     * writes it. Nothing is ever refused for lack of room: PDK_PAUSE says that readers are behind, so stop
     * reading until resume. Who reads on, or has no resume, loses the oldest bytes first, and the number
     * lost is shown. -ESTALE after done. */
    int32_t (*output)(const pdk_host *, pdk_attempt, int32_t stream, const char *data, size_t size);

    /* [any] fraction 0..1, negative: unknown. text NULL: unchanged. Cheap; the host forwards the newest. */
    int32_t (*progress)(const pdk_host *, pdk_attempt, double fraction, const char *text);

    /* [any] The attempt is up and serves, for who waits on that (`ready: notify`). Once per attempt; more
     * are ignored. -ESTALE after done. */
    int32_t (*ready)(const pdk_host *, pdk_attempt);

    /* [any] A service by id, or NULL when this host has none or the operator does not allow it. Valid as
     * long as the host. Ids end in a revision and never change: PDK_LOOP_1 is "paddock.loop/1". */
    const void *(*get_extension)(const pdk_host *, const char *id);
};

PDK_END
#endif
