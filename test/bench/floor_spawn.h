/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: the barest program that starts children and waits for them. It captures nothing, checks nothing, and no
 * child of it is killed with its group; only the exit status is looked at.
 */
#ifndef TEST_BENCH_FLOOR_SPAWN_H
#define TEST_BENCH_FLOOR_SPAWN_H

#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/process/raw.h"

enum { FLOOR_STACK = 64 * 1024, FLOOR_MAX_WAIT = 64 };

struct floor_spawner {
    char *stack;
    int null_fd, epoll_fd;
    const char *argv[3];
};

PDK_CHILD_CODE static void floor_child(void *arg) {
    struct floor_spawner *spawner = arg;
    static const char *const no_env[] = {NULL};
    PDK_RAW(SYS_close_range, 64, ~0u, CLOSE_RANGE_UNSHARE);
    for (int i = 0; i < 3; i++) PDK_RAW(SYS_dup3, spawner->null_fd, i, 0);
    PDK_RAW(SYS_execve, spawner->argv[0], spawner->argv, no_env);
    for (;;) PDK_RAW(SYS_exit_group, 127);
}

static inline void floor_open(struct floor_spawner *spawner, const char *program, const char *argument) {
    spawner->stack = mmap(NULL, FLOOR_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    spawner->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    spawner->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    spawner->argv[0] = program;
    spawner->argv[1] = argument;
    spawner->argv[2] = NULL;
    if (spawner->stack == MAP_FAILED || spawner->null_fd < 0 || spawner->epoll_fd < 0) exit(1);
}

static inline void floor_close(struct floor_spawner *spawner) {
    munmap(spawner->stack, FLOOR_STACK);
    close(spawner->null_fd);
    close(spawner->epoll_fd);
}

/* The pidfd; *ret_pid may be NULL. */
static inline int floor_start(struct floor_spawner *spawner, pid_t *ret_pid) {
    int pidfd = -1;
    struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_FILES | CLONE_CLEAR_SIGHAND,
                              .pidfd = (uintptr_t)&pidfd,
                              .exit_signal = SIGCHLD,
                              .stack = (uintptr_t)spawner->stack,
                              .stack_size = FLOOR_STACK};
    long pid = pdk_clone(&args, floor_child, spawner);
    if (pid < 0) {
        fprintf(stderr, "floor: clone: %s\n", strerror((int)-pid));
        exit(1);
    }
    int up = fcntl(pidfd, F_DUPFD_CLOEXEC, 64);
    close(pidfd);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = up};
    epoll_ctl(spawner->epoll_fd, EPOLL_CTL_ADD, up, &event);
    if (ret_pid) *ret_pid = (pid_t)pid;
    return up;
}

/* Reap some that have ended, waiting for one at least; returns how many. */
static inline int floor_reap(struct floor_spawner *spawner, int want_signal) {
    struct epoll_event events[FLOOR_MAX_WAIT];
    int count = epoll_wait(spawner->epoll_fd, events, FLOOR_MAX_WAIT, -1);
    for (int i = 0; i < count; i++) {
        siginfo_t info;
        memset(&info, 0, sizeof info);
        waitid(P_PIDFD, (id_t)events[i].data.fd, &info, WEXITED);
        if (info.si_status != want_signal) {
            fprintf(stderr, "floor: a child ended with %d\n", info.si_status);
            exit(1);
        }
        /* Another thread's child may hold a copy for a moment: closing alone would leave it in the epoll, and its
         * number will soon be somebody else's. */
        epoll_ctl(spawner->epoll_fd, EPOLL_CTL_DEL, events[i].data.fd, NULL);
        close(events[i].data.fd);
    }
    return count;
}

#endif
