/* SPDX-License-Identifier: Apache-2.0 */
/* process_...: what every program tells Prometheus of itself, by the names that all of them use. From /proc. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "prometheus.h"

static void put_one(struct pdk_prom_page *page, const char *name, const char *type, const char *help, double value) {
    pdk_prom_put_head(page, name, type, help);
    pdk_prom_put_sample(page, name, "", "", value);
}

static bool read_small(const char *path, char *buf, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
    if (fd >= 0) close(fd);
    if (n <= 0) return false;
    buf[n] = '\0';
    return true;
}

/* Linux 6.2 tells it as the folder's size; before, somebody must count. */
static double open_fds(void) {
    struct stat st;
    double count = 0;
    DIR *folder;
    if (!stat("/proc/self/fd", &st) && st.st_size > 0) return (double)st.st_size;
    folder = opendir("/proc/self/fd");
    while (folder && readdir(folder)) count++;
    if (folder) closedir(folder);
    return count > 3 ? count - 3 : 0; /* not . nor .. nor the folder's own */
}

static void put_limits(struct pdk_prom_page *page) {
    struct rlimit limit;
    put_one(page, "process_open_fds", "gauge", "Number of open file descriptors.", open_fds());
    if (!getrlimit(RLIMIT_NOFILE, &limit))
        put_one(page, "process_max_fds", "gauge", "Maximum number of open file descriptors.", (double)limit.rlim_cur);
}

/* Seconds since 1970 at which the machine was started: the zero of the times in stat. */
static double boot_time(void) {
    struct timespec now = {0, 0}, since = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)clock_gettime(CLOCK_BOOTTIME, &since);
    return (double)(now.tv_sec - since.tv_sec) + (double)(now.tv_nsec - since.tv_nsec) / 1e9;
}

void pdk_prom_put_process(struct pdk_prom_page *page) {
    char text[1024], *at;
    unsigned long long user, system, start, size;
    long long threads, resident;
    double ticks = (double)sysconf(_SC_CLK_TCK);
    put_limits(page);
    if (!read_small("/proc/self/stat", text, sizeof text)) return;
    at = strrchr(text, ')'); /* a program's name may hold blanks and brackets */
    if (!at ||
        sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %lld %*d %llu %llu %lld",
               &user, &system, &threads, &start, &size, &resident) != 6)
        return;
    put_one(page, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
            (double)(user + system) / ticks);
    put_one(page, "process_threads", "gauge", "Number of threads.", (double)threads);
    put_one(page, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", (double)size);
    put_one(page, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
            (double)resident * (double)sysconf(_SC_PAGESIZE));
    put_one(page, "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.",
            boot_time() + (double)start / ticks);
}
