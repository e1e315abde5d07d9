/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/runner.h - the role that executes.
 *
 * A task is made once from a spec and started once per attempt:
 *
 *   build_task         start = 0               done
 *  ------------> IDLE -----------> RUNNING -----------> ENDED ---.
 *                ^  |          cancel, kill, resume              |
 *                |  |                                            |
 *                |  '--> destroy          the host takes up the result [main]
 *                '-----------------------------------------------'
 *
 *   - start < 0: nothing was begun and done must not be called. -EAGAIN counts as PDK_FAILURE, -ENOTSUP,
 *     -EINVAL, -ENOENT and -EACCES as PDK_FATAL, all others as PDK_FAILURE.
 *   - cancel asks and kill insists; only done ends. A cancel may cross a done made on another thread and
 *     come while the task is ENDED; there is nothing left to do then. None of them comes while it is IDLE.
 *   - After a cancel, grace, a kill and grace again the host gives a task up: it is reported and its outcome
 *     is PDK_END_LOST. Its slot stays taken. Nothing is called on it any more but destroy, once, when its
 *     late done arrives; until then neither its spec nor its instance goes away.
 */
#ifndef PADDOCK_RUNNER_H
#define PADDOCK_RUNNER_H

#include "host.h"

PDK_BEGIN

/* task is what build_task stored. A static table; all but kill, resume and reload are needed. */
typedef struct pdk_task_ops {
    uint32_t struct_size, reserved;

    /* [main] Begin an attempt and return at once: no waiting, no disk, no names to resolve. */
    int32_t (*start)(void *task, const pdk_start *, pdk_error *);

    /* [main] Please end soon; reason is a PDK_CANCEL_... At most once per attempt. */
    void (*cancel)(void *task, int32_t reason);

    /* [main] Once, after cancel, when its grace is over: end now. Optional. */
    void (*kill)(void *task);

    /* [main] Readers have caught up after PDK_PAUSE. May come when not paused. Optional. */
    void (*resume)(void *task);

    /* [main] Once, when IDLE. The spec ends with it. */
    void (*destroy)(void *task);

    /* [main] While RUNNING: read your configuration again, as on HUP. -ENOTSUP is a good answer. Optional. */
    int32_t (*reload)(void *task);
} pdk_task_ops;

typedef struct pdk_runner_ops {
    uint32_t struct_size, reserved;
    const pdk_schema *const *kinds; /* NULL-ended: the kinds it serves; at least one, each once, of names
                                       [A-Za-z0-9][A-Za-z0-9._-]{0,62} */
    const pdk_task_ops *task;

    /* [main] 1: can run it, 0: cannot, and *why says so when why is not NULL. Asked only for its own kinds,
     * with labels already matched and `with` not yet checked. Pure and quick: no I/O. Optional: 1. */
    int32_t (*supports)(void *self, const pdk_spec *, pdk_error *why);

    /* [main] Make a task. `with` has passed the kind's schema; check the rest. Everything a spec can have
     * wrong is found here, so `paddock check` finds it; nothing is started, opened or connected. A failure
     * means that the spec is invalid; only -ENOMEM means busy. */
    int32_t (*build_task)(void *self, const pdk_spec *, void **ret_task, pdk_error *);
} pdk_runner_ops;

PDK_END
#endif
