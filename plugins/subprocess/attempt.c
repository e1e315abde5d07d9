/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one attempt. All on the main thread but the jobs, which touch the attempt alone while they run.
 *
 *     start -> PREPARING -> SPAWNING -> RUNNING -> COLLECTING -> OVER -> done
 *                 |             |                                ^
 *                 '-------------'---- not started ---------------'
 *
 * A plain command skips PREPARING, one that left no results skips COLLECTING. OVER waits for stop and reload
 * commands that still run, for they know the attempt's address.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "subprocess.h"

static void settle(struct pdk_sub_attempt *attempt);

static void close_fd(int32_t *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void attempt_free(struct pdk_sub_attempt *attempt) {
    pdk_sub_notify_close(attempt);
    pdk_sub_results_remove(attempt);
    pdk_sub_env_free(&attempt->env);
    close_fd(&attempt->script_fd);
    close_fd(&attempt->input_fd);
    free(attempt->identity.groups);
    free(attempt->problem.message);
    free(attempt->output_problem.message);
    free(attempt->end.message);
    free(attempt->run_id);
    free(attempt);
}

static bool is_alive(const struct pdk_sub_attempt *attempt) {
    return attempt->state == PDK_SUB_SPAWNING || attempt->state == PDK_SUB_RUNNING;
}

static bool has_helpers(const struct pdk_sub_task *task) {
    return task->stop.argv || task->reload.argv;
}

/* ---- the command ---- */

static void fill_command(const struct pdk_sub_attempt *attempt, pdk_command *command) {
    const struct pdk_sub_task *task = attempt->task;
    const struct pdk_sub_options *o = &task->options;
    *command = (pdk_command){
        .struct_size = sizeof *command,
        .flags = o->flags | (attempt->identity.set ? PDK_COMMAND_USER : 0U),
        .argv = task->argv,
        .env = attempt->env.list,
        .name = attempt->run_id,
        .cwd_fd = task->cwd_fd,
        .input_fd = attempt->input_fd,
        .stdout_to = PDK_STREAM_CAPTURE,
        .stderr_to = o->merge_stderr ? PDK_STREAM_JOIN : PDK_STREAM_CAPTURE,
        .stdout_fd = -1,
        .stderr_fd = -1,
        .umask = o->umask,
        .rlimits = o->rlimits,
        .rlimit_count = o->rlimit_count,
        .nice = o->nice,
        .io_class = o->io_class,
        .io_level = o->io_level,
        .oom_score = o->oom_score,
        .uid = attempt->identity.uid,
        .gid = attempt->identity.gid,
        .groups = attempt->identity.groups,
        .group_count = attempt->identity.group_count,
        .drain_ms = o->drain_ms,
        .capabilities = o->capabilities,
        .seccomp = task->filter ? task->filter->program : NULL,
        .seccomp_count = task->filter ? task->filter->count : 0,
        .memory_max = o->memory_max,
        .pids_max = o->pids_max,
        .cpu_max = o->cpu_max,
    };
}

/* ---- stop and reload commands ---- */

static void send_stop_signal(struct pdk_sub_attempt *attempt) {
    const pdk_process *process = attempt->task->self->process;
    const struct pdk_sub_ask *stop = &attempt->task->stop;
    if (is_alive(attempt)) (void)process->signal(process, attempt->child, stop->signal, stop->leader);
}

static void helper_over(struct pdk_sub_helper *helper, const char *problem) {
    struct pdk_sub_attempt *attempt = helper->attempt;
    helper->runs = false;
    helper->child = 0;
    if (problem && is_alive(attempt)) {
        pdk_logf(attempt->task->self->host, PDK_LOG_WARN, attempt->handle, "%s command: %s", helper->word, problem);
        if (helper == &attempt->stopper) send_stop_signal(attempt);
    }
    settle(attempt);
}

static void helper_failed(void *arg, const pdk_error *err) {
    helper_over(arg, err->message);
}

static void helper_ended(void *arg, const pdk_exit *how) {
    char text[64];
    (void)snprintf(text, sizeof text, how->signal ? "killed by signal %d" : "exit code %d",
                   how->signal ? how->signal : how->exit_code);
    helper_over(arg, how->signal || how->exit_code || how->error ? text : NULL);
}

static const pdk_child_ops helper_ops = {
    PDK_HEAD(pdk_child_ops), NULL, helper_failed, NULL, helper_ended, NULL, NULL,
};

static int32_t run_helper(struct pdk_sub_helper *helper, const struct pdk_sub_ask *ask) {
    struct pdk_sub_attempt *attempt = helper->attempt;
    const pdk_process *process = attempt->task->self->process;
    pdk_error err = PDK_ERROR;
    pdk_command command;
    char pid[16];
    int32_t rc;
    if (helper->runs) return -EBUSY;
    if (!attempt->pid_told) { /* once: a service may be reloaded for years */
        (void)snprintf(pid, sizeof pid, "%d", attempt->pid);
        pdk_sub_env_set(&attempt->env, PDK_SUB_OURS, "PADDOCK_PID", pid);
        attempt->pid_told = true;
    }
    rc = pdk_sub_env_finish(&attempt->env);
    if (rc) return rc;
    fill_command(attempt, &command);
    command.argv = ask->argv;
    command.env = attempt->env.list;
    command.input_fd = -1;
    /* It must not stand still because nobody reads, nor count against the limits of what it stops. */
    command.flags &= ~(uint32_t)PDK_COMMAND_BLOCK;
    command.memory_max = command.pids_max = 0;
    command.cpu_max = 0;
    rc = process->spawn(process, attempt->handle, &command, &helper_ops, helper, &helper->child, &err);
    if (rc && err.message[0])
        pdk_logf(attempt->task->self->host, PDK_LOG_WARN, attempt->handle, "%s command: %s", helper->word, err.message);
    helper->runs = rc == 0;
    return rc;
}

static void kill_helper(struct pdk_sub_helper *helper) {
    const pdk_process *process = helper->attempt->task->self->process;
    if (helper->runs) (void)process->kill(process, helper->child);
}

/* ---- the end ---- */

/* The last thing that happens: from done on, the host may start or destroy the task. */
static void settle(struct pdk_sub_attempt *attempt) {
    const pdk_host *host = attempt->task->self->host;
    pdk_attempt handle = attempt->handle;
    struct pdk_sub_end end = {0};
    pdk_usage usage = attempt->usage;
    const pdk_value *output = attempt->output;
    pdk_result result = PDK_RESULT(attempt->end.status, attempt->end.category, attempt->end.message);
    if (attempt->state != PDK_SUB_OVER || attempt->stopper.runs || attempt->reloader.runs) return;
    pdk_sub_end_move(&end, &attempt->end);
    if (!end.message && end.status != PDK_SUCCESS) result.message = "it ended, and there is no memory to say how";
    result.exit_code = attempt->exit_code;
    result.signal = attempt->signal;
    result.output = output;
    result.usage = attempt->measured ? &usage : NULL;
    attempt->task->attempt = NULL;
    attempt_free(attempt);
    (void)host->done(host, handle, &result);
    host->values->drop(output);
    free(end.message);
}

static void take_results(struct pdk_sub_attempt *attempt) {
    struct pdk_sub_end *problem = &attempt->output_problem;
    attempt->state = PDK_SUB_OVER;
    if (problem->status && attempt->end.status == PDK_SUCCESS)
        pdk_sub_end_move(&attempt->end, problem);
    else if (problem->message)
        pdk_logf(attempt->task->self->host, PDK_LOG_WARN, attempt->handle, "%s", problem->message);
    settle(attempt);
}

static void collect(void *arg) {
    pdk_sub_results_read(arg);
}

static void collected(void *arg, int32_t status) {
    if (status) collect(arg); /* the pool closes; a megabyte at most, and it would be lost */
    take_results(arg);
}

/* The process is gone, or there never was one. */
static void over(struct pdk_sub_attempt *attempt) {
    const pdk_pool *pool = attempt->task->self->pool;
    attempt->child = 0;
    pdk_sub_notify_close(attempt);
    kill_helper(&attempt->stopper);
    kill_helper(&attempt->reloader);
    attempt->state = PDK_SUB_OVER;
    if (!attempt->started || !pdk_sub_results_there(attempt)) {
        settle(attempt);
        return;
    }
    attempt->state = PDK_SUB_COLLECTING;
    attempt->job = (pdk_job){PDK_HEAD(pdk_job), collect, collected, attempt, {0}};
    if (pool->submit(pool, &attempt->job)) collected(attempt, -ECANCELED);
}

/* Takes what why holds. */
static void not_started(struct pdk_sub_attempt *attempt, struct pdk_sub_end *why) {
    pdk_sub_end_move(&attempt->end, why);
    if (attempt->asked) pdk_sub_say(&attempt->end, PDK_CANCELED, PDK_CAT_NONE, "canceled before it started");
    over(attempt);
}

/* ---- the process ---- */

static void stop_now(struct pdk_sub_attempt *attempt) {
    const struct pdk_sub_ask *stop = &attempt->task->stop;
    if (!stop->argv || run_helper(&attempt->stopper, stop)) send_stop_signal(attempt);
}

static void started(void *arg, int32_t pid) {
    struct pdk_sub_attempt *attempt = arg;
    attempt->pid = pid;
    attempt->started = true;
    attempt->state = PDK_SUB_RUNNING;
    if (attempt->asked && attempt->task->stop.argv) stop_now(attempt);
}

static void failed(void *arg, const pdk_error *err) {
    struct pdk_sub_end why = {0};
    /* the words are the service's, which knows the step; the class is ours */
    pdk_sub_say_errno(&why, err->code, "%s", "");
    if (why.category == PDK_CAT_INPUT) why.category = PDK_CAT_DENIED; /* it is there, and may not be executed */
    if (err->message[0]) pdk_sub_say(&why, why.status, why.category, "%s", err->message);
    if (err->hint[0]) {
        pdk_sub_say_more(&why, "; ");
        pdk_sub_say_more(&why, err->hint);
    }
    not_started(arg, &why);
}

static void ended(void *arg, const pdk_exit *how) {
    struct pdk_sub_attempt *attempt = arg;
    attempt->started = true;
    pdk_sub_judge(attempt, how);
    attempt->measured = PDK_REACHES(how, usage) && how->usage.struct_size >= sizeof how->usage;
    if (attempt->measured) attempt->usage = how->usage;
    attempt->usage.struct_size = sizeof attempt->usage;
    over(attempt);
}

static void lost(void *arg, int32_t stream, uint64_t bytes) {
    const struct pdk_sub_attempt *attempt = arg;
    pdk_logf(attempt->task->self->host, PDK_LOG_WARN, attempt->handle, "%llu bytes of %s are lost",
             (unsigned long long)bytes, stream == PDK_STDERR ? "stderr" : "stdout");
}

static void limited(void *arg, uint32_t limits) {
    ((struct pdk_sub_attempt *)arg)->limits |= limits;
}

static const pdk_child_ops child_ops = {PDK_HEAD(pdk_child_ops), started, failed, NULL, ended, lost, limited};

static int32_t spawn(struct pdk_sub_attempt *attempt, struct pdk_sub_end *why) {
    const struct pdk_sub_task *task = attempt->task;
    const pdk_process *process = task->self->process;
    int32_t fds[PDK_SUB_PASS_FDS + 1], rc;
    pdk_error err = PDK_ERROR;
    pdk_command command;
    rc = pdk_sub_env_finish(&attempt->env);
    if (rc) {
        pdk_sub_say_errno(why, rc, "the environment");
        return rc;
    }
    fill_command(attempt, &command);
    if (task->options.pass_count) memcpy(fds, task->options.pass_fds, task->options.pass_count * sizeof *fds);
    command.pass_count = task->options.pass_count;
    if (attempt->script_fd >= 0) fds[command.pass_count++] = attempt->script_fd;
    command.pass_fds = fds;
    rc = process->spawn(process, attempt->handle, &command, &child_ops, attempt, &attempt->child, &err);
    if (rc) pdk_sub_say_errno(why, rc, "%.300s", err.message[0] ? err.message : "it cannot be started");
    return rc;
}

static void launch(struct pdk_sub_attempt *attempt) {
    struct pdk_sub_end why = {0};
    if (spawn(attempt, &why)) {
        not_started(attempt, &why);
        return;
    }
    attempt->state = PDK_SUB_SPAWNING;
    close_fd(&attempt->script_fd); /* the service has copies */
    close_fd(&attempt->input_fd);
    if (!has_helpers(attempt->task)) pdk_sub_env_free(&attempt->env);
}

/* ---- the start ---- */

static void prepare(void *arg) {
    pdk_sub_prepare(arg);
}

static void prepared(void *arg, int32_t status) {
    struct pdk_sub_attempt *attempt = arg;
    if (status && !attempt->asked)
        pdk_sub_say(&attempt->problem, PDK_FAILURE, PDK_CAT_BUSY, "the pool of threads has closed");
    if (attempt->asked || attempt->problem.status)
        not_started(attempt, &attempt->problem);
    else
        launch(attempt);
}

/* Quick: a path of a local disk. It stays open, so what is renamed later does not send attempts elsewhere; only
 * when it was removed, another one of that name will do. */
static int32_t open_cwd(struct pdk_sub_task *task, struct pdk_sub_end *why) {
    struct stat st;
    if (!task->cwd) return 0;
    if (task->cwd_fd >= 0 && !fstat(task->cwd_fd, &st) && st.st_nlink > 0) return 0;
    close_fd(&task->cwd_fd);
    task->cwd_fd = open(task->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (task->cwd_fd >= 0) return 0;
    pdk_sub_say_errno(why, -errno, "cwd %s", task->cwd);
    return -EINVAL;
}

/* All our own descriptors are close-on-exec: one that is not came from whoever started us. */
static int32_t check_pass_fds(const struct pdk_sub_task *task, struct pdk_sub_end *why) {
    for (uint32_t i = 0; i < task->options.pass_count; i++) {
        int32_t fd = task->options.pass_fds[i];
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !(flags & FD_CLOEXEC)) continue;
        pdk_sub_say(why, PDK_FATAL, PDK_CAT_INPUT, "pass_fds: Paddock was not started with a descriptor %d", fd);
        return -EBADF;
    }
    return 0;
}

static int32_t gather(struct pdk_sub_attempt *attempt, const pdk_start *start) {
    struct pdk_sub_task *task = attempt->task;
    struct pdk_sub_end *why = &attempt->problem;
    int32_t rc = open_cwd(task, why);
    if (!rc) rc = check_pass_fds(task, why);
    if (!rc && task->seccomp && !task->filter) {
        rc = pdk_sub_filter_get(task->self, task->seccomp, &task->filter);
        if (rc) pdk_sub_say_errno(why, rc, "the filter of system calls");
    }
    if (!rc) {
        rc = pdk_sub_results_place(attempt);
        if (rc) pdk_sub_say_errno(why, rc, "the place for results");
    }
    if (rc) return rc;
    pdk_sub_environment(attempt, start);
    if (why->status) return -EINVAL;
    rc = task->notify ? pdk_sub_notify_open(attempt) : 0;
    if (rc) pdk_sub_say_errno(why, rc, "NOTIFY_SOCKET");
    return rc;
}

static struct pdk_sub_attempt *make_attempt(struct pdk_sub_task *task, const pdk_start *start) {
    struct pdk_sub_attempt *attempt = calloc(1, sizeof *attempt);
    if (!attempt) return NULL;
    attempt->task = task;
    attempt->handle = start->attempt;
    attempt->script_fd = attempt->input_fd = attempt->notify.fd = -1;
    attempt->stopper = (struct pdk_sub_helper){attempt, "stop", 0, false};
    attempt->reloader = (struct pdk_sub_helper){attempt, "reload", 0, false};
    attempt->run_id = strdup(start->run_id);
    if (attempt->run_id) return attempt;
    free(attempt);
    return NULL;
}

static int32_t start(void *data, const pdk_start *how, pdk_error *err) {
    struct pdk_sub_task *task = data;
    const struct pdk_sub *self = task->self;
    struct pdk_sub_attempt *attempt;
    int32_t rc;
    if (!self->loop || !self->pool || !self->process)
        return pdk_fail(err, -ENOTSUP, NULL, "this host starts no processes", NULL, NULL);
    attempt = make_attempt(task, how);
    if (!attempt) return -ENOMEM;
    task->attempt = attempt;
    if (gather(attempt, how)) {
        not_started(attempt, &attempt->problem);
        return 0;
    }
    if (!pdk_sub_needs_job(task)) {
        launch(attempt);
        return 0;
    }
    attempt->state = PDK_SUB_PREPARING;
    attempt->job = (pdk_job){PDK_HEAD(pdk_job), prepare, prepared, attempt, {0}};
    rc = self->pool->submit(self->pool, &attempt->job);
    if (!rc) return 0;
    task->attempt = NULL;
    attempt_free(attempt);
    return pdk_fail(err, rc, NULL, "the pool of threads is full", NULL, NULL);
}

/* ---- what the host asks ---- */

static void cancel(void *data, int32_t reason) {
    struct pdk_sub_task *task = data;
    struct pdk_sub_attempt *attempt = task->attempt;
    (void)reason;
    if (!attempt || attempt->asked) return;
    if (attempt->state == PDK_SUB_PREPARING) {
        attempt->asked = true;
        (void)task->self->pool->cancel(task->self->pool, &attempt->job); /* prepared follows either way */
    } else if (is_alive(attempt)) {
        attempt->asked = true;
        /* A signal waits for the start, a stop command needs to know the process. */
        if (attempt->state == PDK_SUB_RUNNING || !task->stop.argv) stop_now(attempt);
    }
}

static void insist(void *data) {
    struct pdk_sub_task *task = data;
    struct pdk_sub_attempt *attempt = task->attempt;
    const pdk_process *process = task->self->process;
    if (!attempt) return;
    if (attempt->state == PDK_SUB_PREPARING || is_alive(attempt)) attempt->asked = attempt->killed = true;
    if (is_alive(attempt)) (void)process->kill(process, attempt->child);
    kill_helper(&attempt->stopper);
    kill_helper(&attempt->reloader);
}

static void resume(void *data) {
    struct pdk_sub_attempt *attempt = ((struct pdk_sub_task *)data)->attempt;
    const pdk_process *process = ((struct pdk_sub_task *)data)->self->process;
    if (attempt && is_alive(attempt)) (void)process->resume(process, attempt->child);
    if (attempt && attempt->stopper.runs) (void)process->resume(process, attempt->stopper.child);
    if (attempt && attempt->reloader.runs) (void)process->resume(process, attempt->reloader.child);
}

static int32_t reload(void *data) {
    struct pdk_sub_task *task = data;
    struct pdk_sub_attempt *attempt = task->attempt;
    const pdk_process *process = task->self->process;
    const struct pdk_sub_ask *ask = &task->reload;
    if (!ask->argv && !ask->signal) return -ENOTSUP;
    if (!attempt || attempt->state > PDK_SUB_RUNNING) return -ESTALE;
    if (attempt->state < PDK_SUB_RUNNING) return 0; /* it reads its configuration when it begins */
    if (ask->argv) return run_helper(&attempt->reloader, ask);
    return process->signal(process, attempt->child, ask->signal, ask->leader);
}

static void destroy(void *data) {
    pdk_sub_task_free(data);
}

const pdk_task_ops pdk_sub_task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, insist, resume, destroy, reload};
