/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/process.h - children: the service that starts them, listens to them and ends them.
 *
 * Use it instead of fork. It is quick however large the host is, and it keeps the promise that no child
 * outlives its attempt: when the child ends or is killed, everything it started goes with it.
 *
 *     spawn = 0         started                   leader reaped, its group dead, output read to its end
 *   -----------> ASKED --------> RUNNING ---------------------------------------------> ended
 *                  |      signal, kill, pause
 *                  '--> failed: the step and the errno; nothing runs
 *
 * Exactly one of failed and ended comes for each spawn that returned 0, and then the handle is stale. None
 * of the callbacks comes from inside a call of this service.
 */
#ifndef PADDOCK_PROCESS_H
#define PADDOCK_PROCESS_H

#include "loop.h"

PDK_BEGIN

typedef uint64_t pdk_child; /* a child; 0 is never valid, a stale one is harmless */

/* Where a stream of the child goes. */
enum {
    PDK_STREAM_NULL = 0,    /* /dev/null */
    PDK_STREAM_CAPTURE = 1, /* to the output callback, or to the output of the attempt when there is none */
    PDK_STREAM_JOIN = 2,    /* stderr only: where stdout goes */
    PDK_STREAM_FD = 3       /* to the fd given */
};

/* pdk_command.flags */
enum {
    PDK_COMMAND_NO_NEW_PRIVILEGES = 1,
    PDK_COMMAND_KEEP_CAPABILITIES = 2, /* keep those in `capabilities` alone; else unchanged */
    PDK_COMMAND_BLOCK = 4,             /* a slow reader blocks the child; else the oldest output is lost, and counted */
    PDK_COMMAND_USER = 8,              /* change to uid, gid and groups */
    PDK_COMMAND_PRIVATE_TMP = 16       /* an empty /tmp of its own, gone with it */
};

typedef struct pdk_rlimit {
    int32_t resource; /* RLIMIT_... */
    uint32_t reserved;
    uint64_t soft, hard; /* UINT64_MAX: unlimited */
} pdk_rlimit;

/* What to start. Yours; copied before spawn returns, except the fds, which are duplicated. */
typedef struct pdk_command {
    uint32_t struct_size;
    uint32_t flags;          /* PDK_COMMAND_... */
    const char *program;     /* a path, or a name to look for in the PATH of env; NULL: argv[0] */
    const char *const *argv; /* NULL-ended, at least one */
    const char *const *env;  /* NULL-ended "NAME=value": all of it; NULL: none */
    const char *name;        /* for messages and the cgroup: the run id; NULL: the program's */

    int32_t cwd_fd;               /* a folder; -1: as we */
    int32_t input_fd;             /* stdin; -1: /dev/null */
    int32_t stdout_to, stderr_to; /* PDK_STREAM_... */
    int32_t stdout_fd, stderr_fd; /* with PDK_STREAM_FD */
    const int32_t *pass_fds;      /* become 3, 4, ... in the child */
    uint32_t pass_count;
    int32_t umask; /* -1: unchanged */

    const pdk_rlimit *rlimits;
    uint32_t rlimit_count;
    int32_t nice;               /* -20..19, added to nothing: the value itself; PDK_UNCHANGED */
    int32_t io_class, io_level; /* 1 realtime 2 best-effort 3 idle; 0: unchanged */
    int32_t oom_score;          /* -1000..1000; PDK_UNCHANGED */
    uint32_t uid, gid;          /* with PDK_COMMAND_USER */
    uint32_t group_count;
    const uint32_t *groups;
    const void *seccomp;    /* a classic BPF program, struct sock_filter[]; NULL: none */
    uint32_t seccomp_count; /* its instructions */
    uint32_t drain_ms;      /* how long to read on from pipes that others hold; 0: 5000 */
    uint64_t capabilities;  /* a bit per capability number */

    uint64_t memory_max; /* bytes; 0: no limit. These three are hard limits, by a cgroup */
    uint64_t pids_max;
    double cpu_max; /* cores */
} pdk_command;

#define PDK_UNCHANGED 0x7fffffff

enum { PDK_LIMIT_MEMORY = 1, PDK_LIMIT_PIDS = 2 }; /* bits of limited */

/* Static; arg is what spawn was given. All [main]; started, output, lost and limited may be NULL. */
typedef struct pdk_child_ops {
    uint32_t struct_size, reserved;

    void (*started)(void *arg, int32_t pid);

    /* It could not be started: err->message names the step, err->code the errno. Nothing runs. */
    void (*failed)(void *arg, const pdk_error *);

    /* What it wrote. NULL: it goes to the output of the attempt. PDK_PAUSE: stop until resume. */
    int32_t (*output)(void *arg, int32_t stream, const char *data, size_t size);

    /* It is over, for everything it had started too. */
    void (*ended)(void *arg, const pdk_exit *);

    /* Bytes of a stream that nobody will see: the reader was behind for too long, or a stranger kept the pipe.
     * Just before ended, if there were any. */
    void (*lost)(void *arg, int32_t stream, uint64_t bytes);

    /* It ran into hard limits, PDK_LIMIT_...: something of it was killed for lack of memory, or a fork was
     * refused. Just before ended, if so. */
    void (*limited)(void *arg, uint32_t limits);
} pdk_child_ops;

#define PDK_PROCESS_1 "paddock.process/1"

typedef struct pdk_process pdk_process;
struct pdk_process {
    uint32_t struct_size, reserved;
    void *data; /* the host's */

    /* [main] Start a child for an attempt (0: for none). Returns at once; the work is done elsewhere.
     * -EINVAL, with err: what is asked for can never be; -EAGAIN: too many are being started. */
    int32_t (*spawn)(const pdk_process *, pdk_attempt, const pdk_command *, const pdk_child_ops *, void *arg,
                     pdk_child *ret, pdk_error *);

    /* [main] Send a signal, to the group or to its leader alone. -ESTALE: it is over. Before it has started
     * the signal waits for it. */
    int32_t (*signal)(const pdk_process *, pdk_child, int32_t signal, int32_t leader_alone);

    /* [main] KILL to everything it started. ended follows; or failed, if it had not begun. */
    int32_t (*kill)(const pdk_process *, pdk_child);

    /* [main] Read on after PDK_PAUSE. */
    int32_t (*resume)(const pdk_process *, pdk_child);
};

PDK_END
#endif
