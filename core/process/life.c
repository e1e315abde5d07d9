/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a child, on the main thread.
 *
 * When the leader has ended it is still a zombie while we hear of it, so its number is nobody else's and its group
 * can be killed. Then, in the next turn, when it is reaped: wait until the group is empty (a group keeps its number
 * while anybody is in it), then the cgroup, then the orphans; and meanwhile read the output to its end. Whoever is
 * still there after drain_ms is named in the log, and no longer waited for.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/process/cgroup.h"
#include "core/process/orphans.h"
#include "core/process/spawner.h"

#define CLEAR_FIRST (PDK_MILLISECOND)
#define CLEAR_MOST  (50 * PDK_MILLISECOND)

/* ---- the two ends ---- */

static void tell_failed(struct pdk_child_state *child, const pdk_error *error) {
    const pdk_child_ops *ops = child->ops;
    void *arg = child->arg;
    child->spawner->stats.failed++;
    pdk_child_remove(child);
    ops->failed(arg, error);
}

static void tell_ended(struct pdk_child_state *child) {
    const pdk_child_ops *ops = child->ops;
    void *arg = child->arg;
    pdk_exit end = child->end;
    uint64_t lost[2] = {child->streams[0].lost, child->streams[1].lost};
    uint32_t limits = child->limits;
    child->spawner->stats.ended++;
    pdk_child_remove(child);
    for (int32_t i = 0; i < 2; i++)
        if (lost[i] && PDK_HAS(ops, lost)) ops->lost(arg, i == 0 ? PDK_STDOUT : PDK_STDERR, lost[i]);
    if (limits && PDK_HAS(ops, limited)) ops->limited(arg, limits);
    ops->ended(arg, &end);
}

/* ---- clearing away what it started ---- */

static void on_clear_timer(void *arg) {
    struct pdk_child_state *child = arg;
    child->clear_timer = 0;
    pdk_child_progress(child);
}

/* Look again soon, unless it has taken too long. */
static void clear_later(struct pdk_child_state *child, const char *who) {
    const pdk_loop *loop = child->spawner->loop;
    uint64_t now = loop->now_ns(loop);
    if (child->clear_until == 0) {
        child->clear_until = pdk_time_add(now, child->drain_ms * PDK_MILLISECOND);
        child->clear_delay = CLEAR_FIRST;
    }
    if (now >= child->clear_until) {
        pdk_spawner_log(child->spawner, PDK_LOG_ERROR, "child %d is over, but %s did not die of SIGKILL", child->pid,
                        who);
        child->is_cleared = true;
        pdk_child_later(child);
        return;
    }
    if (child->clear_timer) return;
    if (loop->timer(loop, child->clear_delay, 0, on_clear_timer, child, &child->clear_timer) < 0)
        pdk_child_later(child);
    child->clear_delay = child->clear_delay < CLEAR_MOST / 2 ? child->clear_delay * 2 : CLEAR_MOST;
}

/* The threads work on cgroups, never we. */
static bool clear_cgroup(struct pdk_child_state *child) {
    if (!child->cgroup || child->request) return !child->cgroup;
    struct pdk_request *request = calloc(1, sizeof *request);
    if (request) {
        request->kind = PDK_REQUEST_CLEAR;
        request->child = child;
        request->cgroup = child->cgroup;
        child->request = request;
        if (pdk_workers_push(child->spawner->workers, request) == 0) return false;
        child->request = NULL;
        free(request);
    }
    clear_later(child, "its cgroup");
    return false;
}

static void clear(struct pdk_child_state *child) {
    if (child->is_cleared || child->clear_timer) return;
    if (child->end.error == 0 && kill(-child->pid, 0) == 0) {
        if (child->spawner->orphans) pdk_orphans_hunt(child->spawner, child);
        clear_later(child, "somebody in its group");
    } else if (!clear_cgroup(child)) {
        return;
    } else if (child->spawner->orphans && pdk_orphans_hunt(child->spawner, child)) {
        clear_later(child, "an orphan of it");
    } else {
        child->is_cleared = true;
    }
}

static void cleared_cgroup(struct pdk_child_state *child, const struct pdk_request *request) {
    child->limits |= request->limits;
    if (request->peak > child->end.usage.max_rss) child->end.usage.max_rss = request->peak;
    if (request->empty) child->cgroup = NULL;
    if (child->cgroup && child->phase == PDK_CHILD_OVER)
        clear_later(child, "somebody in its cgroup");
    else
        pdk_child_later(child);
}

/* ---- reading to the end ---- */

static void on_drain_timer(void *arg) {
    struct pdk_child_state *child = arg;
    child->drain_timer = 0;
    child->is_drained = true;
    pdk_child_later(child);
}

/* Who holds a pipe of ours and could not be killed gets drain_ms. A reader that made us pause gets its time. */
static void drain(struct pdk_child_state *child) {
    const pdk_loop *loop = child->spawner->loop;
    for (int i = 0; i < 2; i++) {
        struct pdk_stream *stream = &child->streams[i];
        pdk_stream_read(child, stream);
        if (stream->fd < 0) continue;
        bool waits = stream->paused && child->block;
        if ((child->kill_wanted && child->is_cleared) || (child->is_drained && !waits))
            pdk_stream_close(child, stream);
        else if (!waits && !child->drain_timer &&
                 loop->timer(loop, child->drain_ms * PDK_MILLISECOND, 0, on_drain_timer, child, &child->drain_timer) <
                     0)
            pdk_stream_close(child, stream);
    }
}

static bool is_read(const struct pdk_child_state *child) {
    return child->streams[0].fd < 0 && child->streams[1].fd < 0;
}

static void progress_over(struct pdk_child_state *child) {
    clear(child);
    /* Before all are killed and the loop has looked, a pipe that is still open means nothing. */
    drain(child);
    if (!child->is_cleared || child->request || !is_read(child)) return;
    for (int i = 0; i < 2; i++) pdk_stream_flush(child, &child->streams[i], true);
    tell_ended(child);
}

void pdk_child_progress(struct pdk_child_state *child) {
    for (int i = 0; i < 2; i++) {
        struct pdk_stream *stream = &child->streams[i];
        pdk_stream_flush(child, stream, false);
        if (!stream->paused && stream->fd >= 0 && stream->watch == 0) pdk_stream_read(child, stream);
    }
    if (child->phase == PDK_CHILD_OVER) progress_over(child);
}

static void on_leader_ended(void *arg, const pdk_exit *end) {
    struct pdk_child_state *child = arg;
    child->watch = 0;
    child->phase = PDK_CHILD_OVER;
    child->end = *end;
    /* With an error somebody else has reaped it, and the number may be a stranger's by now. */
    if (end->error == 0)
        kill(-child->pid, SIGKILL);
    else
        pdk_spawner_log(child->spawner, PDK_LOG_ERROR, "child %d was reaped by somebody else", child->pid);
    pdk_child_later(child);
}

/* ---- the beginning ---- */

/* It runs, but we could not hear of its end: so it must not. */
static void end_unheard(struct pdk_child_state *child, int32_t pidfd, int32_t error) {
    siginfo_t info;
    kill(-child->pid, SIGKILL);
    while (waitid(P_PID, (id_t)child->pid, &info, WEXITED) < 0 && errno == EINTR) {}
    close(pidfd);
    child->phase = PDK_CHILD_OVER;
    child->end = (pdk_exit){.struct_size = sizeof child->end,
                            .signal = SIGKILL,
                            .error = error,
                            .usage = {.struct_size = sizeof child->end.usage}};
    pdk_spawner_log(child->spawner, PDK_LOG_ERROR, "child %d was killed, for it could not be watched: %s", child->pid,
                    strerror(-error));
    pdk_child_later(child);
}

/* Its pidfd and pipes are ours from here on. */
static bool watch_child(struct pdk_child_state *child, const struct pdk_request *request) {
    const pdk_loop *loop = child->spawner->loop;
    int32_t r = 0;
    for (int i = 0; i < 2; i++) {
        if (request->out_fds[i] < 0) continue;
        if (r == 0)
            r = pdk_stream_open(child, i, request->out_fds[i]);
        else
            close(request->out_fds[i]);
    }
    if (r == 0) r = loop->child(loop, request->pid, request->pidfd, on_leader_ended, child, &child->watch);
    if (r < 0) end_unheard(child, request->pidfd, r);
    return r == 0;
}

static void send_waiting(struct pdk_child_state *child) {
    for (int i = 0; i < 64; i++) {
        if (child->group_signals >> i & 1) kill(-child->pid, i + 1);
        if (child->leader_signals >> i & 1) kill(child->pid, i + 1);
    }
    if (child->kill_wanted) kill(-child->pid, SIGKILL);
}

static void launched(struct pdk_child_state *child, const struct pdk_request *request) {
    struct pdk_spawner *spawner = child->spawner;
    spawner->asked--;
    if (request->error.code < 0) {
        tell_failed(child, &request->error);
        return;
    }
    spawner->stats.spawned++;
    child->cgroup = request->cgroup;
    child->pid = request->pid;
    child->phase = PDK_CHILD_RUNNING;
    if (!watch_child(child, request)) return;
    send_waiting(child);
    if (child->attempt && spawner->options.started)
        spawner->options.started(spawner->options.arg, child->attempt, child->pid);
    if (child->ops->started) child->ops->started(child->arg, child->pid);
}

void pdk_child_answered(struct pdk_child_state *child, struct pdk_request *request) {
    child->request = NULL;
    if (request->kind == PDK_REQUEST_LAUNCH)
        launched(child, request);
    else
        cleared_cgroup(child, request);
    free(request);
}
