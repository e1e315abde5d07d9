/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the service: all that is left is killed and reaped here and now, and nobody is told. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/process/cgroup.h"
#include "core/process/orphans.h"
#include "core/process/spawner.h"

enum { LOOK_EVERY_MS = 1 };

/* For all children together. What does not die of SIGKILL (it waits for a disk that is gone) outlives us. */
#define PATIENCE (5 * PDK_SECOND)

static void drop_unbegun(struct pdk_spawner *spawner, struct pdk_request_list *list) {
    while (!STAILQ_EMPTY(list)) {
        struct pdk_request *request = STAILQ_FIRST(list);
        STAILQ_REMOVE_HEAD(list, link);
        request->child->request = NULL;
        if (request->kind == PDK_REQUEST_LAUNCH) {
            pdk_request_drop_plan(request);
            pdk_child_remove(request->child);
        }
        free(request);
    }
    (void)spawner;
}

/* The threads had started it, but nobody has heard yet. */
static void adopt_unheard(struct pdk_child_state *child, struct pdk_request *request) {
    child->pid = request->pid;
    child->cgroup = request->cgroup;
    child->phase = PDK_CHILD_RUNNING;
    close(request->pidfd);
    for (int i = 0; i < 2; i++)
        if (request->out_fds[i] >= 0) close(request->out_fds[i]);
}

static void take_answers(struct pdk_spawner *spawner) {
    struct pdk_request_list list = pdk_workers_take(spawner->workers);
    while (!STAILQ_EMPTY(&list)) {
        struct pdk_request *request = STAILQ_FIRST(&list);
        struct pdk_child_state *child = request->child;
        STAILQ_REMOVE_HEAD(&list, link);
        child->request = NULL;
        if (request->kind == PDK_REQUEST_CLEAR) {
            if (request->empty) child->cgroup = NULL;
        } else if (request->error.code == 0) {
            adopt_unheard(child, request);
        } else {
            pdk_child_remove(child);
        }
        free(request);
    }
}

/* True: gone. */
static bool reap(const struct pdk_child_state *child) {
    siginfo_t info = {0};
    int r = waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG);
    return r < 0 ? errno != EINTR : info.si_pid != 0;
}

static bool clear_cgroup(struct pdk_spawner *spawner, struct pdk_child_state *child) {
    struct pdk_request request = {.kind = PDK_REQUEST_CLEAR, .cgroup = child->cgroup};
    if (!child->cgroup) return true;
    pdk_cgroups_clear(spawner->cgroups, &request);
    if (request.empty) child->cgroup = NULL;
    return request.empty;
}

/* One look at a child. True: nothing is left of it. */
static bool is_gone(struct pdk_spawner *spawner, struct pdk_child_state *child) {
    if (child->phase == PDK_CHILD_RUNNING) {
        if (!reap(child)) return false;
        child->phase = PDK_CHILD_OVER;
    }
    if (child->end.error == 0 && kill(-child->pid, 0) == 0) {
        if (spawner->orphans) pdk_orphans_hunt(spawner, child);
        return kill(-child->pid, 0) < 0;
    }
    return clear_cgroup(spawner, child) && !(spawner->orphans && pdk_orphans_hunt(spawner, child));
}

static void kill_all(struct pdk_spawner *spawner) {
    struct pdk_child_state *child, *next;
    uint64_t until = pdk_clock_now() + PATIENCE;
    TAILQ_FOREACH(child, &spawner->children, all) {
        spawner->loop->stop(spawner->loop, child->watch);
        child->watch = 0;
        if (child->phase == PDK_CHILD_RUNNING) kill(-child->pid, SIGKILL);
    }
    while (!TAILQ_EMPTY(&spawner->children)) {
        for (child = TAILQ_FIRST(&spawner->children); child; child = next) {
            next = TAILQ_NEXT(child, all);
            bool given_up = pdk_clock_now() >= until;
            if (!is_gone(spawner, child) && !given_up) continue;
            if (given_up) pdk_spawner_log(spawner, PDK_LOG_ERROR, "child %d did not die of SIGKILL", child->pid);
            pdk_child_remove(child);
        }
        if (!TAILQ_EMPTY(&spawner->children)) poll(NULL, 0, LOOK_EVERY_MS);
    }
}

void pdk_spawner_free(struct pdk_spawner *spawner) {
    if (!spawner) return;
    if (spawner->workers) {
        struct pdk_request_list left;
        pdk_workers_stop(spawner->workers, &left);
        drop_unbegun(spawner, &left);
        take_answers(spawner);
        kill_all(spawner);
    }
    pdk_workers_free(spawner->workers);
    pdk_orphans_free(spawner->orphans);
    pdk_cgroups_free(spawner->cgroups);
    spawner->loop->stop(spawner->loop, spawner->event_watch);
    spawner->loop->stop(spawner->loop, spawner->later_timer);
    if (spawner->event_fd >= 0) close(spawner->event_fd);
    if (spawner->null_fd >= 0) close(spawner->null_fd);
    pdk_files_lower(spawner);
    free(spawner->slots);
    free(spawner->buffer);
    free(spawner);
}
