/* SPDX-License-Identifier: Apache-2.0 */
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A small file, as text. Empty if it cannot be read. */
static void read_file(const char *path, char *buf, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);
    buf[n > 0 ? n : 0] = '\0';
    if (fd >= 0) (void)close(fd);
}

/* Field 22, and 0 for what has ended. The name in field 2 may hold anything: what counts is behind its last ')'. */
static int64_t start_of(int64_t pid) {
    char path[64], text[1024], *at;
    (void)snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    read_file(path, text, sizeof text);
    at = strrchr(text, ')');
    if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X') return 0;
    at += 2;
    for (int field = 3; field < 22 && at; field++) {
        at = strchr(at, ' ');
        if (at) at++;
    }
    return at ? strtoll(at, NULL, 10) : 0;
}

static void boot_id(char buf[40]) {
    read_file("/proc/sys/kernel/random/boot_id", buf, 40);
    buf[strcspn(buf, "\n")] = '\0';
}

void queue_owner_self(struct queue_owner *ret) {
    boot_id(ret->boot);
    ret->pid = getpid();
    ret->start = start_of(ret->pid);
}

bool queue_owner_lives(const struct queue_owner *owner) {
    char boot[40];
    boot_id(boot);
    return strcmp(boot, owner->boot) == 0 && owner->start != 0 && start_of(owner->pid) == owner->start;
}

bool queue_owner_same(const struct queue_owner *a, const struct queue_owner *b) {
    return strcmp(a->boot, b->boot) == 0 && a->pid == b->pid && a->start == b->start;
}

static int32_t take(int fd, int64_t *ret_pid) {
    char text[32] = "";
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int32_t rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
        ssize_t n = pread(fd, text, sizeof text - 1, 0);
        *ret_pid = n > 0 ? strtoll(text, NULL, 10) : 0;
        return rc;
    }
    int n = snprintf(text, sizeof text, "%lld\n", (long long)getpid());
    /* Whom it is told to is a message only: a full disk is no reason to refuse. */
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) != n) return fd;
    return fd;
}

int32_t queue_owner_lock(const char *path, int64_t *ret_pid) {
    char name[4096];
    *ret_pid = 0;
    if ((size_t)snprintf(name, sizeof name, "%s.lock", path) >= sizeof name) return -ENAMETOOLONG;
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return -errno;
    int32_t rc = take(fd, ret_pid);
    if (rc < 0) (void)close(fd);
    return rc;
}
