/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process of ours that was killed has left. Its children die with it, by the kernel, but not those that they have
 * started: they are known by a line of their environment, which all of them inherit. Who has changed that is not found.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/leave/leave.h"

enum { ENVIRON_LIMIT = 1 << 20, PAUSE_MS = 2 };

static size_t read_environment(int pid, char *text) {
    char path[64];
    size_t got = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/environ", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    for (ssize_t n; got < ENVIRON_LIMIT && (n = read(fd, text + got, ENVIRON_LIMIT - got)) > 0;) got += (size_t)n;
    (void)close(fd);
    return got;
}

static bool has_line(int pid, const char *line, char *text) {
    size_t wanted = strlen(line) + 1;
    const char *at = text, *end = text + read_environment(pid, text);
    for (; at < end; at += strnlen(at, (size_t)(end - at)) + 1)
        if ((size_t)(end - at) >= wanted && memcmp(at, line, wanted) == 0) return true;
    return false;
}

/* By a descriptor, so that its number is not a stranger's by the time that it is hit. A zombie has no environment. */
static bool kill_marked(int pid, const char *line, char *text) {
    if (pid == getpid() || !has_line(pid, line, text)) return false;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    bool its = fd >= 0 && has_line(pid, line, text);
    if (its) (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    if (fd >= 0) (void)close(fd);
    return its;
}

/* How many were there. */
static uint32_t kill_all(const char *line, char *text) {
    const struct dirent *entry;
    uint32_t count = 0;
    DIR *processes = opendir("/proc");
    if (!processes) return 0;
    while ((entry = readdir(processes))) {
        int pid = (int)strtol(entry->d_name, NULL, 10);
        if (pid > 0) count += kill_marked(pid, line, text);
    }
    (void)closedir(processes);
    return count;
}

int32_t pdk_leave_former(const char *line, uint32_t patience_ms, uint32_t *ret_found) {
    char *text = malloc(ENVIRON_LIMIT);
    if (!text) return -ENOMEM;
    uint32_t left = *ret_found = kill_all(line, text);
    for (uint32_t waited = 0; left && waited < patience_ms; waited += PAUSE_MS) {
        (void)poll(NULL, 0, PAUSE_MS);
        left = kill_all(line, text); /* one that was forked meanwhile is found now */
    }
    free(text);
    return left ? -ETIMEDOUT : 0;
}
