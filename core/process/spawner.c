/* SPDX-License-Identifier: Apache-2.0 */
/* The service: what others call, and its own beginning and end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/process/cgroup.h"
#include "core/process/orphans.h"
#include "core/process/spawner.h"

enum { DEFAULT_PENDING = 65536, DEFAULT_THREADS = 2, BUSY = 64, LAST_SIGNAL = 64, END_STEP_MS = 1 };

#define END_PATIENCE (5 * PDK_SECOND)

void pdk_spawner_log(const struct pdk_spawner *spawner, int32_t level, const char *format, ...) {
    char text[256];
    va_list args;
    if (!spawner->options.log) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pdk_log_line(spawner->options.log, level, "process", "", "%s", text);
}

/* ---- spawn ---- */

static int32_t duplicate(int32_t fd, const char *what, int32_t *ret, pdk_error *err) {
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 64); /* above those that a child needs: it may have to wait its turn */
    if (copy < 0) copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return pdk_process_error(err, -errno, "%s: fd %d: %s", what, fd, strerror(errno));
    *ret = copy;
    return 0;
}

static int32_t duplicate_fds(const pdk_command *command, struct pdk_plan *plan, pdk_error *err) {
    int32_t r = 0;
    if (command->cwd_fd >= 0) r = duplicate(command->cwd_fd, "folder", &plan->cwd_fd, err);
    if (r == 0 && command->input_fd >= 0) r = duplicate(command->input_fd, "stdin", &plan->fds[0], err);
    if (r == 0 && command->stdout_to == PDK_STREAM_FD) r = duplicate(command->stdout_fd, "stdout", &plan->fds[1], err);
    if (r == 0 && command->stderr_to == PDK_STREAM_FD) r = duplicate(command->stderr_fd, "stderr", &plan->fds[2], err);
    for (uint32_t i = 0; i < command->pass_count && r == 0; i++)
        r = duplicate(command->pass_fds[i], "fd to pass", &plan->fds[3 + i], err);
    return r;
}

static int32_t make_request(const struct pdk_spawner *spawner, const pdk_command *command, struct pdk_request **ret,
                            pdk_error *err) {
    struct pdk_request *request = calloc(1, sizeof *request);
    if (!request) return pdk_process_error(err, -ENOMEM, "no memory to start a process");
    request->kind = PDK_REQUEST_LAUNCH;
    request->pidfd = request->into_fd = request->out_fds[0] = request->out_fds[1] = -1;
    request->plan.cwd_fd = -1;
    request->error = (pdk_error)PDK_ERROR;
    request->stdout_to = command->stdout_to;
    request->stderr_to = command->stderr_to;
    request->memory_max = command->memory_max;
    request->pids_max = command->pids_max;
    request->cpu_max = command->cpu_max;
    int32_t r = pdk_plan_make(command, &request->arena, &request->plan, err);
    if (r == 0) r = pdk_files_keep(spawner, &request->arena, &request->plan);
    if (r == 0) r = pdk_server_keep(spawner, &request->arena, &request->plan);
    if (r == 0) r = duplicate_fds(command, &request->plan, err);
    if (r < 0) {
        pdk_request_drop_plan(request);
        free(request);
        return r;
    }
    *ret = request;
    return 0;
}

/* What an orphan is known by: the variables that name the run and the attempt. */
static int32_t copy_marks(struct pdk_child_state *child, const char *const *env) {
    static const char *const NAMES[2] = {"PADDOCK_RUN_ID=", "PADDOCK_ATTEMPT="};
    for (; env && *env; env++) {
        for (int i = 0; i < 2; i++) {
            if (child->marks[i] || strncmp(*env, NAMES[i], strlen(NAMES[i])) != 0) continue;
            child->marks[i] = strdup(*env);
            if (!child->marks[i]) return -ENOMEM;
        }
    }
    return 0;
}

static int32_t add_child(struct pdk_spawner *spawner, const pdk_command *command, struct pdk_request *request,
                         pdk_child *ret) {
    struct pdk_child_state *child = pdk_child_add(spawner, ret);
    if (!child) return -ENOMEM;
    child->block = command->flags & PDK_COMMAND_BLOCK;
    child->drain_ms = command->drain_ms ? command->drain_ms : PDK_DRAIN_MS;
    child->request = request;
    request->child = child;
    int32_t r = spawner->orphans ? copy_marks(child, command->env) : 0;
    if (r == 0) r = pdk_workers_push(spawner->workers, request);
    if (r < 0) pdk_child_remove(child);
    return r;
}

static void tell_busy(struct pdk_spawner *spawner, bool busy) {
    spawner->is_busy = busy;
    if (spawner->options.busy) spawner->options.busy(spawner->options.arg, busy);
}

static int32_t spawner_spawn(const pdk_process *table, pdk_attempt attempt, const pdk_command *command,
                             const pdk_child_ops *ops, void *arg, pdk_child *ret, pdk_error *err) {
    struct pdk_spawner *spawner = table->data;
    struct pdk_request *request = NULL;
    pdk_child handle = 0;
    if (spawner->asked >= spawner->options.pending)
        return pdk_process_error(err, -EAGAIN, "%u processes wait to be started already", spawner->asked);
    int32_t r = make_request(spawner, command, &request, err);
    if (!request) return r;
    request->track = spawner->track;
    r = add_child(spawner, command, request, &handle);
    if (r < 0) {
        pdk_request_drop_plan(request);
        free(request);
        return pdk_process_error(err, r, "start a process: %s", strerror(-r));
    }
    /* The threads may have it by now, but they do not look at these. */
    struct pdk_child_state *child = pdk_child_find(spawner, handle);
    child->ops = ops;
    child->arg = arg;
    child->attempt = attempt;
    *ret = handle;
    if (++spawner->asked >= BUSY && !spawner->is_busy) tell_busy(spawner, true);
    return 0;
}

/* ---- the other calls ---- */

static int32_t spawner_signal(const pdk_process *table, pdk_child handle, int32_t number, int32_t leader_alone) {
    struct pdk_child_state *child = pdk_child_find(table->data, handle);
    if (number < 1 || number > LAST_SIGNAL) return -EINVAL;
    if (!child || child->phase == PDK_CHILD_OVER) return -ESTALE;
    if (child->phase == PDK_CHILD_ASKED) {
        uint64_t bit = UINT64_C(1) << (number - 1);
        *(leader_alone ? &child->leader_signals : &child->group_signals) |= bit;
        return 0;
    }
    return kill(leader_alone ? child->pid : -child->pid, number) < 0 ? -errno : 0;
}

static int32_t spawner_kill(const pdk_process *table, pdk_child handle) {
    struct pdk_child_state *child = pdk_child_find(table->data, handle);
    if (!child) return -ESTALE;
    if (!child->kill_wanted) child->spawner->stats.killed++;
    child->kill_wanted = true;
    switch (child->phase) {
    case PDK_CHILD_ASKED: atomic_store(&child->request->canceled, true); break;
    case PDK_CHILD_RUNNING: kill(-child->pid, SIGKILL); break;
    case PDK_CHILD_OVER: pdk_child_later(child); break;
    }
    return 0;
}

static int32_t spawner_resume(const pdk_process *table, pdk_child handle) {
    struct pdk_child_state *child = pdk_child_find(table->data, handle);
    if (!child) return -ESTALE;
    if (!child->streams[0].paused && !child->streams[1].paused) return 0;
    child->streams[0].paused = child->streams[1].paused = false;
    pdk_child_later(child);
    return 0;
}

/* ---- beginning ---- */

static void on_answers(void *arg, uint32_t events) {
    (void)events;
    struct pdk_spawner *spawner = arg;
    eventfd_t count;
    eventfd_read(spawner->event_fd, &count);
    struct pdk_request_list list = pdk_workers_take(spawner->workers);
    while (!STAILQ_EMPTY(&list)) {
        struct pdk_request *request = STAILQ_FIRST(&list);
        STAILQ_REMOVE_HEAD(&list, link);
        pdk_child_answered(request->child, request);
    }
    if (spawner->is_busy && spawner->asked <= BUSY / 2) tell_busy(spawner, false);
}

static void set_defaults(struct pdk_spawner_options *options) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (options->threads == 0) options->threads = cores < DEFAULT_THREADS ? 1 : DEFAULT_THREADS;
    if (options->pending == 0) options->pending = DEFAULT_PENDING;
}

static int32_t open_fds(struct pdk_spawner *spawner, pdk_error *err) {
    spawner->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC); /* low: every child needs it */
    if (spawner->null_fd < 0) return pdk_process_error(err, -errno, "open /dev/null: %s", strerror(errno));
    spawner->event_fd = pdk_fd_up(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (spawner->event_fd < 0) return pdk_process_error(err, -errno, "make an eventfd: %s", strerror(errno));
    int32_t r =
        spawner->loop->io(spawner->loop, spawner->event_fd, PDK_READ, on_answers, spawner, &spawner->event_watch);
    return r < 0 ? pdk_process_error(err, r, "watch an eventfd: %s", strerror(-r)) : 0;
}

static int32_t open_parts(struct pdk_spawner *spawner, pdk_error *err) {
    int32_t r = open_fds(spawner, err);
    if (r < 0) return r;
    r = pdk_cgroups_create(spawner->options.cgroups == 1, spawner->options.subreaper, &spawner->cgroups, err);
    if (r < 0) return r;
    /* A cgroup each makes a small child cost a quarter more; the reaper of orphans needs none. */
    spawner->track = spawner->options.cgroups == 1 || (spawner->options.cgroups < 0 && !spawner->options.subreaper &&
                                                       pdk_cgroups_can_track(spawner->cgroups));
    if (spawner->options.subreaper) r = pdk_orphans_create(spawner, &spawner->orphans);
    if (r == -ENOENT) return pdk_process_error(err, r, "/proc is needed, and is not mounted here");
    if (r < 0) return pdk_process_error(err, r, "become the reaper of orphans: %s", strerror(-r));
    r = pdk_workers_create(spawner->options.threads, spawner->event_fd, spawner->null_fd, spawner->cgroups,
                           &spawner->workers);
    return r < 0 ? pdk_process_error(err, r, "no memory for the threads that start processes") : 0;
}

int32_t pdk_spawner_create(const struct pdk_spawner_options *options, struct pdk_spawner **ret, pdk_error *err) {
    struct pdk_spawner *spawner = calloc(1, sizeof *spawner);
    char *buffer = malloc(PDK_READ_BUFFER);
    if (!spawner || !buffer) {
        free(spawner);
        free(buffer);
        return pdk_process_error(err, -ENOMEM, "no memory for the process service");
    }
    spawner->table = (pdk_process){.struct_size = sizeof(pdk_process),
                                   .data = spawner,
                                   .spawn = spawner_spawn,
                                   .signal = spawner_signal,
                                   .kill = spawner_kill,
                                   .resume = spawner_resume};
    spawner->options = *options;
    set_defaults(&spawner->options);
    spawner->loop = options->loop;
    spawner->buffer = buffer;
    spawner->event_fd = spawner->null_fd = -1;
    TAILQ_INIT(&spawner->children);
    TAILQ_INIT(&spawner->later);
    if (options->subreaper) pdk_files_raise(spawner);
    int32_t r = open_parts(spawner, err);
    if (r < 0) {
        pdk_spawner_free(spawner);
        return r;
    }
    *ret = spawner;
    return 0;
}

const pdk_process *pdk_spawner_service(struct pdk_spawner *spawner) {
    return &spawner->table;
}

void pdk_spawner_stats(const struct pdk_spawner *spawner, struct pdk_spawner_stats *ret) {
    const struct pdk_child_state *child;
    *ret = spawner->stats;
    TAILQ_FOREACH(child, &spawner->children, all) ret->children++;
}
