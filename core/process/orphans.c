/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orphans. Who calls setsid and forks twice leaves its group; when its parent dies the kernel gives it to the
 * nearest subreaper above, and that is us. The list of children of our main thread shows the adopted ones, and
 * those that the main thread has forked by itself; what the threads of the service started is not in it.
 *
 * One is known to be a child's by its session or group, or by PADDOCK_RUN_ID and PADDOCK_ATTEMPT in its
 * environment. A zombie has no environment any more. One that nobody knows is reaped only when it is still there a
 * second later: had somebody in this process forked it and waited for it, it would be gone by then.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/process/orphans.h"

enum { LIST_LIMIT = 1 << 20, ENVIRON_LIMIT = 256 * 1024, STRANGERS = 64 };

#define STRANGER_PATIENCE PDK_SECOND

struct stranger {
    int32_t pid;
    uint64_t seen;
};

struct pdk_orphans {
    struct pdk_spawner *spawner;
    pdk_watch timer; /* 0: no stranger waits */
    int list_fd;
    int was_subreaper;
    char *text; /* of the list, or of an environment */
    struct stranger strangers[STRANGERS];
};

int32_t pdk_orphans_create(struct pdk_spawner *spawner, struct pdk_orphans **ret) {
    char path[64];
    struct pdk_orphans *orphans = calloc(1, sizeof *orphans);
    if (!orphans) return -ENOMEM;
    orphans->spawner = spawner;
    orphans->text = malloc(ENVIRON_LIMIT + 1);
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    orphans->list_fd = pdk_fd_up(open(path, O_RDONLY | O_CLOEXEC));
    int32_t r = !orphans->text ? -ENOMEM : orphans->list_fd < 0 ? -errno : 0;
    if (r == 0 && prctl(PR_GET_CHILD_SUBREAPER, &orphans->was_subreaper) < 0) r = -errno;
    if (r == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) r = -errno;
    if (r < 0) {
        if (orphans->list_fd >= 0) close(orphans->list_fd);
        free(orphans->text);
        free(orphans);
        return r;
    }
    *ret = orphans;
    return 0;
}

static ssize_t read_file(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    size_t got = 0;
    for (ssize_t n = 1; n > 0 && got<size; got += n> 0 ? (size_t)n : 0) n = read(fd, text + got, size - got);
    close(fd);
    text[got] = 0;
    return (ssize_t)got;
}

struct process {
    int32_t pid, group, session;
    char state;
};

static bool look(int32_t pid, struct process *ret) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (read_file(path, text, sizeof text - 1) <= 0) return false;
    const char *rest = strrchr(text, ')'); /* a name may hold anything */
    int parent;
    ret->pid = pid;
    return rest && sscanf(rest + 1, " %c %d %d %d", &ret->state, &parent, &ret->group, &ret->session) == 4;
}

static bool has_line(const char *text, size_t size, const char *line) {
    size_t wanted = strlen(line) + 1;
    for (const char *end = text + size; text < end; text += strnlen(text, (size_t)(end - text)) + 1)
        if ((size_t)(end - text) >= wanted && memcmp(text, line, wanted) == 0) return true;
    return false;
}

static bool has_marks(const struct pdk_orphans *orphans, const struct pdk_child_state *child, int32_t pid) {
    char path[64];
    if (!child->marks[0] && !child->marks[1]) return false;
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    ssize_t size = read_file(path, orphans->text, ENVIRON_LIMIT);
    for (int i = 0; i < 2; i++)
        if (size <= 0 || (child->marks[i] && !has_line(orphans->text, (size_t)size, child->marks[i]))) return false;
    return true;
}

static bool is_its(const struct pdk_orphans *orphans, const struct pdk_child_state *child,
                   const struct process *process) {
    if (process->session == child->pid || process->group == child->pid) return true;
    return has_marks(orphans, child, process->pid);
}

static void reap(int32_t pid) {
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
}

static void on_timer(void *arg) {
    struct pdk_orphans *orphans = arg;
    orphans->timer = 0;
    pdk_orphans_hunt(orphans->spawner, NULL);
}

static void look_again_later(struct pdk_orphans *orphans) {
    const pdk_loop *loop = orphans->spawner->loop;
    if (orphans->timer) return;
    loop->timer(loop, STRANGER_PATIENCE + PDK_MILLISECOND, 0, on_timer, orphans, &orphans->timer);
}

/* Strangers that are gone make place for others after a while. */
static void meet_zombie(struct pdk_orphans *orphans, int32_t pid) {
    struct stranger *place = NULL;
    uint64_t now = pdk_clock_now();
    for (int i = 0; i < STRANGERS; i++) {
        struct stranger *stranger = &orphans->strangers[i];
        uint64_t age = now - stranger->seen;
        if (stranger->pid == pid && age >= STRANGER_PATIENCE) {
            reap(pid);
            orphans->spawner->stats.orphans++;
            stranger->pid = 0;
            return;
        }
        if (stranger->pid == pid) {
            look_again_later(orphans);
            return;
        }
        if (stranger->pid == 0 || age >= 2 * STRANGER_PATIENCE) place = stranger;
    }
    if (place) *place = (struct stranger){pid, now};
    look_again_later(orphans);
}

void pdk_orphans_free(struct pdk_orphans *orphans) {
    if (!orphans) return;
    pdk_orphans_hunt(orphans->spawner, NULL);
    for (int i = 0; i < STRANGERS; i++)
        if (orphans->strangers[i].pid) reap(orphans->strangers[i].pid);
    orphans->spawner->loop->stop(orphans->spawner->loop, orphans->timer);
    prctl(PR_SET_CHILD_SUBREAPER, orphans->was_subreaper);
    close(orphans->list_fd);
    free(orphans->text);
    free(orphans);
}

/* True: it is the child's, and lives. */
static bool meet(struct pdk_spawner *spawner, const struct pdk_child_state *child, int32_t pid) {
    struct process process;
    if (!look(pid, &process)) return false;
    bool dead = process.state == 'Z' || process.state == 'X';
    bool its = child && is_its(spawner->orphans, child, &process);
    if (dead && !its) meet_zombie(spawner->orphans, pid);
    if (!its) return false;
    /* It is a child of ours that nobody has reaped: the number is its own. */
    if (!dead) {
        kill(pid, SIGKILL);
        return true;
    }
    reap(pid);
    spawner->stats.orphans++;
    return false;
}

bool pdk_orphans_hunt(struct pdk_spawner *spawner, struct pdk_child_state *child) {
    char list[4096];
    bool found = false;
    uint64_t reaped = spawner->stats.orphans;
    off_t at = 0;
    int32_t pid = 0;
    ssize_t size;
    while (at < LIST_LIMIT && (size = pread(spawner->orphans->list_fd, list, sizeof list, at)) > 0) {
        for (ssize_t i = 0; i < size; i++) {
            if (list[i] >= '0' && list[i] <= '9') {
                pid = pid * 10 + (list[i] - '0');
            } else if (pid > 0) {
                found |= meet(spawner, child, pid);
                pid = 0;
            }
        }
        at += size;
    }
    /* A list that takes several reads and shrinks between them may have left somebody out. */
    return found || (at > (off_t)sizeof list && spawner->stats.orphans != reaped);
}

void pdk_spawner_reap(struct pdk_spawner *spawner) {
    if (spawner->orphans) (void)pdk_orphans_hunt(spawner, NULL);
}
