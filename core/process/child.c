/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in the child between clone and exec. It runs in our memory, so: no allocation, no lock, no library;
 * only system calls on what the plan holds. A step returns 0 or a negative errno; the first that fails is told
 * through the plan, and nothing runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/process/plan.h"
#include "core/process/raw.h"

enum { KERNEL_SIGSET_SIZE = 8, CAPABILITIES = 64, SIGNALS = 64 };

PDK_CHILD_CODE static long step_session(struct pdk_plan *plan) {
    (void)plan;
    return pdk_raw(SYS_setsid, 0, 0, 0, 0, 0);
}

PDK_CHILD_CODE static long step_cgroup(struct pdk_plan *plan) {
    long r = 0;
    for (int i = 0; i < PDK_CGROUP_KINDS && r >= 0; i++)
        if (plan->procs_fds[i] >= 0) r = PDK_RAW(SYS_write, plan->procs_fds[i], "0", 1);
    return r;
}

PDK_CHILD_CODE static long step_tmp(struct pdk_plan *plan) {
    if (!(plan->flags & PDK_COMMAND_PRIVATE_TMP)) return 0;
    long r = PDK_RAW(SYS_unshare, CLONE_NEWNS);
    /* Else what is mounted here would show up outside. */
    if (r >= 0) r = PDK_RAW(SYS_mount, "none", "/", NULL, MS_REC | MS_SLAVE, NULL);
    if (r >= 0) r = PDK_RAW(SYS_mount, "tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
    return r;
}

PDK_CHILD_CODE static long step_folder(struct pdk_plan *plan) {
    return plan->cwd_fd < 0 ? 0 : PDK_RAW(SYS_fchdir, plan->cwd_fd);
}

/* Until the first line has run, the table of fds is our parent's own. With it the kernel copies only the lowest
 * fds, however many there are. */
PDK_CHILD_CODE static long step_fds(struct pdk_plan *plan) {
    long r = PDK_RAW(SYS_close_range, plan->first_unneeded, ~0u, CLOSE_RANGE_UNSHARE);
    long count = (long)plan->fd_count;
    for (long i = 0; i < count && r >= 0; i++) { /* out of the way of what comes next */
        if (plan->fds[i] >= count) continue;
        r = PDK_RAW(SYS_fcntl, plan->fds[i], F_DUPFD, count);
        plan->fds[i] = (int32_t)r;
    }
    for (long i = 0; i < count && r >= 0; i++) r = PDK_RAW(SYS_dup3, plan->fds[i], i, 0);
    /* Whoever forgot close-on-exec elsewhere in this process: not here. */
    return r < 0 ? r : PDK_RAW(SYS_close_range, count, ~0u, 0);
}

PDK_CHILD_CODE static long step_rlimits(struct pdk_plan *plan) {
    for (uint32_t i = 0; i < plan->rlimit_count; i++) {
        const pdk_rlimit *limit = &plan->rlimits[i];
        uint64_t pair[2] = {limit->soft, limit->hard};
        plan->failed_detail = limit->resource;
        long r = PDK_RAW(SYS_prlimit64, 0, limit->resource, pair, NULL);
        if (r < 0) return r;
    }
    return 0;
}

PDK_CHILD_CODE static long step_umask(struct pdk_plan *plan) {
    if (plan->umask >= 0) PDK_RAW(SYS_umask, plan->umask);
    return 0;
}

PDK_CHILD_CODE static long step_nice(struct pdk_plan *plan) {
    return plan->nice == PDK_UNCHANGED ? 0 : PDK_RAW(SYS_setpriority, PRIO_PROCESS, 0, plan->nice);
}

PDK_CHILD_CODE static long step_io(struct pdk_plan *plan) {
    if (plan->io_class == 0) return 0;
    return PDK_RAW(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(plan->io_class, plan->io_level));
}

PDK_CHILD_CODE static long step_oom(struct pdk_plan *plan) {
    if (!plan->oom_score) return 0;
    long size = 0, fd = PDK_RAW(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return fd;
    while (plan->oom_score[size]) size++;
    long r = PDK_RAW(SYS_write, fd, plan->oom_score, size);
    PDK_RAW(SYS_close, fd);
    return r;
}

PDK_CHILD_CODE static long step_bounding(struct pdk_plan *plan) {
    if (!(plan->flags & PDK_COMMAND_KEEP_CAPABILITIES)) return 0;
    for (int i = 0; i < CAPABILITIES; i++) {
        if (plan->capabilities >> i & 1) continue;
        long r = PDK_RAW(SYS_prctl, PR_CAPBSET_READ, i, 0, 0, 0);
        if (r < 0) break; /* the kernel knows no more of them */
        if (r == 1) r = PDK_RAW(SYS_prctl, PR_CAPBSET_DROP, i, 0, 0, 0);
        if (r < 0) return r;
    }
    /* Or the change of user takes all with it. */
    return PDK_RAW(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

PDK_CHILD_CODE static long step_groups(struct pdk_plan *plan) {
    return plan->flags & PDK_COMMAND_USER ? PDK_RAW(SYS_setgroups, plan->group_count, plan->groups) : 0;
}

PDK_CHILD_CODE static long step_group(struct pdk_plan *plan) {
    return plan->flags & PDK_COMMAND_USER ? PDK_RAW(SYS_setresgid, plan->gid, plan->gid, plan->gid) : 0;
}

PDK_CHILD_CODE static long step_user(struct pdk_plan *plan) {
    return plan->flags & PDK_COMMAND_USER ? PDK_RAW(SYS_setresuid, plan->uid, plan->uid, plan->uid) : 0;
}

PDK_CHILD_CODE static long step_capabilities(struct pdk_plan *plan) {
    if (!(plan->flags & PDK_COMMAND_KEEP_CAPABILITIES)) return 0;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        uint32_t word = (uint32_t)(plan->capabilities >> 32 * i);
        data[i].effective = data[i].permitted = data[i].inheritable = word;
    }
    long r = PDK_RAW(SYS_capset, &header, data);
    if (r >= 0) r = PDK_RAW(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    /* Ambient ones are those that an exec as another user than root leaves. */
    for (int i = 0; i < CAPABILITIES && r >= 0; i++)
        if (plan->capabilities >> i & 1) r = PDK_RAW(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0);
    return r;
}

/* clone3 has cleared the handlers; what the parent ignores, the child would ignore too. */
PDK_CHILD_CODE static long step_signals(struct pdk_plan *plan) {
    unsigned long action[4] = {0, 0, 0, 0}, none = 0; /* the kernel's struct sigaction: SIG_DFL */
    for (int i = 0; i < SIGNALS; i++)
        if (plan->ignored_signals >> i & 1) PDK_RAW(SYS_rt_sigaction, i + 1, action, NULL, KERNEL_SIGSET_SIZE);
    return PDK_RAW(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, KERNEL_SIGSET_SIZE);
}

/* After the change of user, which clears it. */
PDK_CHILD_CODE static long step_death(struct pdk_plan *plan) {
    long r = PDK_RAW(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (r < 0) return r;
    /* Had it died before that call, nobody would have told us. */
    return pdk_raw(SYS_getppid, 0, 0, 0, 0, 0) == plan->parent ? 0 : -ESRCH;
}

PDK_CHILD_CODE static long step_no_new_privileges(struct pdk_plan *plan) {
    if (!(plan->flags & PDK_COMMAND_NO_NEW_PRIVILEGES)) return 0;
    return PDK_RAW(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

PDK_CHILD_CODE static long step_seccomp(struct pdk_plan *plan) {
    return plan->seccomp.len ? PDK_RAW(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &plan->seccomp) : 0;
}

/* As execvp goes through PATH: on from what is not there, and one that may not be run is remembered. */
PDK_CHILD_CODE static long step_exec(struct pdk_plan *plan) {
    long r = -ENOENT;
    int denied = 0;
    for (const char *const *path = plan->candidates; *path; path++) {
        r = PDK_RAW(SYS_execve, *path, plan->argv, plan->env);
        if (r == -EACCES)
            denied = 1;
        else if (r != -ENOENT && r != -ENOTDIR && r != -ESTALE && r != -ENODEV && r != -ETIMEDOUT)
            return r;
    }
    return denied ? -EACCES : r;
}

static long (*const STEPS[PDK_STEP_COUNT])(struct pdk_plan *) = {
    [PDK_STEP_SESSION] = step_session,
    [PDK_STEP_CGROUP] = step_cgroup,
    [PDK_STEP_TMP] = step_tmp,
    [PDK_STEP_FOLDER] = step_folder,
    [PDK_STEP_FDS] = step_fds,
    [PDK_STEP_RLIMIT] = step_rlimits,
    [PDK_STEP_UMASK] = step_umask,
    [PDK_STEP_NICE] = step_nice,
    [PDK_STEP_IO] = step_io,
    [PDK_STEP_OOM] = step_oom,
    [PDK_STEP_BOUNDING] = step_bounding,
    [PDK_STEP_GROUPS] = step_groups,
    [PDK_STEP_GROUP] = step_group,
    [PDK_STEP_USER] = step_user,
    [PDK_STEP_CAPABILITIES] = step_capabilities,
    [PDK_STEP_SIGNALS] = step_signals,
    [PDK_STEP_DEATH] = step_death,
    [PDK_STEP_NO_NEW_PRIVILEGES] = step_no_new_privileges,
    [PDK_STEP_SECCOMP] = step_seccomp,
    [PDK_STEP_EXEC] = step_exec,
};

PDK_CHILD_CODE void pdk_child_main(struct pdk_plan *plan) {
    for (int step = PDK_STEP_NONE + 1; step < PDK_STEP_COUNT; step++) {
        long r = STEPS[step](plan);
        if (r >= 0) continue;
        plan->failed_errno = (int32_t)-r;
        plan->failed_step = step;
        break;
    }
    for (;;) PDK_RAW(SYS_exit_group, 127);
}
