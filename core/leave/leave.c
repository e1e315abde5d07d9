/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children die with the thread that started them, but grandchildren do not: they become ours. So kill and reap, and
 * look again, until there is none. The list of children is one for each thread.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "core/leave/leave.h"

static void kill_children_of(const char *thread) {
    char path[64];
    int pid;
    (void)snprintf(path, sizeof path, "/proc/self/task/%.20s/children", thread);
    FILE *list = fopen(path, "re");
    if (!list) return;
    while (fscanf(list, "%d", &pid) == 1) (void)kill(pid, SIGKILL);
    (void)fclose(list);
}

static void kill_children(void) {
    const struct dirent *entry;
    DIR *threads = opendir("/proc/self/task");
    if (!threads) return;
    while ((entry = readdir(threads)))
        if (entry->d_name[0] != '.') kill_children_of(entry->d_name);
    (void)closedir(threads);
}

bool pdk_leave_no_child(uint32_t patience_ms) {
    for (uint32_t waited = 0;; waited++) {
        pid_t pid;
        kill_children();
        while ((pid = waitpid(-1, NULL, WNOHANG | __WALL)) > 0) {}
        if (pid < 0 && errno == ECHILD) return true;
        if (waited >= patience_ms) return false;
        (void)poll(NULL, 0, 1);
    }
}
