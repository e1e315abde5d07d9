/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for one child by its pidfd. The system call itself: unlike the library's waitid it also tells the usage. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/loop/wait.h"

enum { BLOCK_BYTES = 512, KIB = 1024 }; /* the units of getrusage */

/* 1: it ended, 0: it runs, or a negative errno. */
static int32_t look(int32_t pidfd, int options, siginfo_t *info, struct rusage *usage) {
    long r;
    info->si_pid = 0; /* no child that ended is no error, but nothing is stored */
    do {
        r = syscall(SYS_waitid, P_PIDFD, pidfd, info, WEXITED | WNOHANG | options, usage);
    } while (r < 0 && errno == EINTR);
    if (r < 0) return -errno;
    return info->si_pid != 0;
}

static uint64_t nanoseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * PDK_SECOND + (uint64_t)time.tv_usec * PDK_MICROSECOND;
}

static pdk_usage usage_of(const struct rusage *usage) {
    return (pdk_usage){.struct_size = sizeof(pdk_usage),
                       .user_ns = nanoseconds(usage->ru_utime),
                       .system_ns = nanoseconds(usage->ru_stime),
                       .max_rss = (uint64_t)usage->ru_maxrss * KIB,
                       .read_bytes = (uint64_t)usage->ru_inblock * BLOCK_BYTES,
                       .written_bytes = (uint64_t)usage->ru_oublock * BLOCK_BYTES};
}

int32_t pdk_wait_open(int32_t pid) {
    if (pid <= 0) return -EINVAL;
    int32_t fd = (int32_t)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) return errno == ESRCH ? -ECHILD : -errno;
    siginfo_t info;
    struct rusage usage;
    int32_t r = look(fd, WNOWAIT, &info, &usage);
    if (r >= 0) return fd;
    close(fd);
    return r;
}

bool pdk_wait_look(int32_t pidfd, pdk_exit *ret) {
    siginfo_t info;
    struct rusage usage;
    int32_t r = look(pidfd, WNOWAIT, &info, &usage);
    if (r == 0) return false;
    memset(ret, 0, sizeof *ret);
    ret->struct_size = sizeof *ret;
    ret->usage.struct_size = sizeof ret->usage;
    if (r < 0) {
        ret->error = r;
        return true;
    }
    *(info.si_code == CLD_EXITED ? &ret->exit_code : &ret->signal) = info.si_status;
    ret->usage = usage_of(&usage);
    return true;
}

void pdk_wait_reap(int32_t pidfd) {
    siginfo_t info;
    look(pidfd, 0, &info, NULL);
}

void pdk_wait_told(int status, pdk_exit *ret) {
    memset(ret, 0, sizeof *ret);
    ret->struct_size = sizeof *ret;
    ret->usage.struct_size = sizeof ret->usage;
    *(WIFSIGNALED(status) ? &ret->signal : &ret->exit_code) =
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}
