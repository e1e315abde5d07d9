/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a child is to become: a copy of the command, worked out so far that between clone and exec nothing is left
 * to be searched, allocated or formatted.
 */
#ifndef CORE_PROCESS_PLAN_H
#define CORE_PROCESS_PLAN_H

#include <linux/filter.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/base/arena.h"
#include "paddock/process.h"

/* In the order in which the child takes them. STEPS in child.c says how, STEP_TEXTS in launch.c what to call them. */
enum pdk_step {
    PDK_STEP_NONE,
    PDK_STEP_SESSION,
    PDK_STEP_CGROUP,
    PDK_STEP_TMP,
    PDK_STEP_FOLDER,
    PDK_STEP_FDS,
    PDK_STEP_RLIMIT,
    PDK_STEP_UMASK,
    PDK_STEP_NICE,
    PDK_STEP_IO,
    PDK_STEP_OOM,
    PDK_STEP_BOUNDING,
    PDK_STEP_GROUPS,
    PDK_STEP_GROUP,
    PDK_STEP_USER,
    PDK_STEP_CAPABILITIES,
    PDK_STEP_SIGNALS,
    PDK_STEP_DEATH,
    PDK_STEP_NO_NEW_PRIVILEGES,
    PDK_STEP_SECCOMP,
    PDK_STEP_EXEC,
    PDK_STEP_COUNT
};

enum { PDK_CGROUP_KINDS = 4 };

struct pdk_plan {
    uint32_t flags;                /* PDK_COMMAND_... */
    const char *program;           /* as it was asked for */
    const char *const *candidates; /* where it may be, NULL-ended */
    const char *const *argv, *const *env;
    const char *path; /* that was searched; NULL: none was */

    int32_t cwd_fd;
    int32_t *fds; /* fds[i] becomes i; the child's to change */
    uint32_t fd_count;
    uint32_t first_unneeded;             /* from here on the child needs no fd */
    int32_t procs_fds[PDK_CGROUP_KINDS]; /* cgroup.procs of v1; -1: none */

    const pdk_rlimit *rlimits;
    uint32_t rlimit_count;
    int32_t umask, nice, io_class, io_level;
    const char *oom_score; /* as text; NULL: unchanged */
    uint32_t uid, gid, group_count;
    const uint32_t *groups;
    uint64_t capabilities;
    uint64_t ignored_signals; /* a bit per signal, from bit 0 for 1 */
    struct sock_fprog seccomp;
    pid_t parent;

    /* What the child left when it failed. */
    int32_t failed_step, failed_errno, failed_detail;
};

/* Copy the command into *ret; everything is the arena's. On failure *err says what was wrong. */
int32_t pdk_plan_make(const pdk_command *command, struct pdk_arena *arena, struct pdk_plan *ret, pdk_error *err);

/* Is everything in the command such that it could ever be done? 0, or -EINVAL with words. */
int32_t pdk_command_check(const pdk_command *command, pdk_error *err);

/* What the child's life begins with, on its own stack in our memory. Ends in exec or exit. */
void pdk_child_main(struct pdk_plan *plan) __attribute__((noreturn));

/* RLIMIT_... by number: "NOFILE"; "?" when unknown. */
const char *pdk_rlimit_name(int32_t resource);

/* Fill in an error and return its code. */
int32_t pdk_process_error(pdk_error *err, int32_t code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
