/* SPDX-License-Identifier: Apache-2.0 */
/* The system call waitid, since the function of that name does not tell the usage. */
#include "child.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int32_t look(int32_t pidfd, int options, siginfo_t *info, struct rusage *usage) {
    long r;
    info->si_pid = 0;
    do {
        r = syscall(SYS_waitid, P_PIDFD, pidfd, info, WEXITED | WNOHANG | options, usage);
    } while (r < 0 && errno == EINTR);
    if (r < 0) return -errno;
    return info->si_pid != 0;
}

int32_t child_open(int32_t pid) {
    siginfo_t info;
    struct rusage usage;
    int32_t fd = (int32_t)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) return errno == ESRCH ? -ECHILD : -errno;
    int32_t r = look(fd, WNOWAIT, &info, &usage);
    if (r >= 0) return fd;
    close(fd);
    return r;
}

static uint64_t nanoseconds(struct timeval t) {
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

int child_look(int32_t pidfd, pdk_exit *ret) {
    siginfo_t info;
    struct rusage usage = {0};
    int32_t r = look(pidfd, WNOWAIT, &info, &usage);
    if (r == 0) return 0;
    memset(ret, 0, sizeof *ret);
    ret->struct_size = (uint32_t)sizeof *ret;
    ret->usage.struct_size = (uint32_t)sizeof ret->usage;
    if (r < 0) {
        ret->error = r; /* somebody else has reaped it */
        return 1;
    }
    if (info.si_code == CLD_EXITED) {
        ret->exit_code = info.si_status;
    } else {
        ret->signal = info.si_status;
    }
    ret->usage.user_ns = nanoseconds(usage.ru_utime);
    ret->usage.system_ns = nanoseconds(usage.ru_stime);
    ret->usage.max_rss = (uint64_t)usage.ru_maxrss * 1024u;
    ret->usage.read_bytes = (uint64_t)usage.ru_inblock * 512u;
    ret->usage.written_bytes = (uint64_t)usage.ru_oublock * 512u;
    return 1;
}

void child_reap(int32_t pidfd) {
    siginfo_t info;
    look(pidfd, 0, &info, NULL);
}
