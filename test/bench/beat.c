/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child to be supervised: appends "NAME NANOSECONDS\n" to $BEAT_LOG as its first act, then waits to be killed.
 * NAME is its argument, or the folder it runs in (runit and s6 give no arguments). Static, so that what is
 * measured is the supervisor and not the dynamic loader. With $BEAT_LINES it first prints so many lines of 80 bytes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void print_lines(const char *count) {
    for (long left = count ? strtol(count, NULL, 10) : 0; left > 0; left--) printf("%79ld\n", left);
    fflush(stdout);
}

int main(int argc, char **argv) {
    char line[128], folder[4096];
    const char *log = getenv("BEAT_LOG"), *name = argc > 1 ? argv[1] : NULL;
    if (!name && getcwd(folder, sizeof folder)) name = strrchr(folder, '/') + 1;
    if (!log || !name) return 2;
    struct timespec now;
    print_lines(getenv("BEAT_LINES"));
    clock_gettime(CLOCK_MONOTONIC, &now);
    int size =
        snprintf(line, sizeof line, "%s %d %lld\n", name, (int)getpid(), now.tv_sec * 1000000000LL + now.tv_nsec);
    int fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, line, (size_t)size) != size) return 3;
    close(fd);
    for (;;) pause();
}
