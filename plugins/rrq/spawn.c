/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a worker: where it is to listen, how it is started, and what it writes. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drive.h"

/* ---- the port ---- */

/* Bind it, and let go at once: the runner is to have it. 0: any that is free. Gives the port. */
static int32_t try_port(uint32_t port, uint32_t *ret) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof address;
    int on = 1, rc = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* as runners do, so that old connections in TIME_WAIT count as little as they do for them */
    if (port) (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, size) || getsockname(fd, (struct sockaddr *)&address, &size)) rc = -errno;
    close(fd);
    *ret = ntohs(address.sin_port);
    return rc;
}

static bool is_used(const struct pdk_rrq_worker *worker, uint32_t port) {
    const struct pdk_rrq_pool *pool = worker->pool;
    for (uint32_t i = 0; i < pool->drive.pool_size; i++)
        if (&pool->workers[i] != worker && pool->workers[i].child && pool->workers[i].port == port) return true;
    return false;
}

static int32_t choose_port(struct pdk_rrq_worker *worker, pdk_error *err) {
    uint32_t base = worker->pool->drive.port, port = base ? base + worker->index : 0;
    int32_t rc = 0;
    for (int i = 0; i < 8; i++) {
        rc = try_port(port, &worker->port);
        if (rc || base || !is_used(worker, worker->port)) break;
    }
    if (rc && base) return pdk_failf(err, rc, NULL, "its port %u cannot be had: %s", port, strerror(-rc));
    if (rc) return pdk_failf(err, rc, NULL, "no free port can be had: %s", strerror(-rc));
    return 0;
}

/* ---- the start ---- */

static void fill_command(const struct pdk_rrq_worker *worker, pdk_command *command) {
    const struct pdk_rrq_drive *drive = &worker->pool->drive;
    *command = (pdk_command){.struct_size = sizeof *command,
                             .argv = drive->argv,
                             .name = worker->pool->host->instance,
                             .cwd_fd = -1,
                             .input_fd = -1,
                             .stdout_to = PDK_STREAM_CAPTURE,
                             .stderr_to = PDK_STREAM_CAPTURE,
                             .stdout_fd = -1,
                             .stderr_fd = -1,
                             .umask = -1,
                             .rlimits = drive->rlimits,
                             .rlimit_count = drive->rlimit_count,
                             .nice = PDK_UNCHANGED,
                             .oom_score = PDK_UNCHANGED,
                             .memory_max = drive->memory_max,
                             .pids_max = drive->pids_max,
                             .cpu_max = drive->cpu_max};
}

static int32_t spawn_with(struct pdk_rrq_worker *worker, const pdk_child_ops *ops, int cwd_fd, char *const *env,
                          pdk_error *err) {
    const pdk_process *process = worker->pool->process;
    pdk_command command;
    fill_command(worker, &command);
    command.cwd_fd = cwd_fd;
    command.env = (const char *const *)env;
    return process->spawn(process, 0, &command, ops, worker, &worker->child, err);
}

int32_t pdk_rrq_spawn(struct pdk_rrq_worker *worker, const pdk_child_ops *ops, pdk_error *err) {
    struct pdk_rrq_drive *drive = &worker->pool->drive;
    struct sockaddr_in *address = (struct sockaddr_in *)&worker->address;
    char text[32], **env;
    int32_t rc = choose_port(worker, err);
    int cwd_fd = -1;
    if (rc) return rc;
    memset(&worker->address, 0, sizeof worker->address);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)worker->port);
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    worker->address_size = sizeof *address;
    (void)snprintf(text, sizeof text, "127.0.0.1:%u", worker->port);
    drive->argv[drive->argc] = drive->by_argv ? "--tcp-socket" : NULL;
    drive->argv[drive->argc + 1] = drive->by_argv ? text : NULL;
    if (drive->cwd) cwd_fd = open(drive->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (drive->cwd && cwd_fd < 0) return pdk_failf(err, -errno, NULL, "cwd %.200s: %s", drive->cwd, strerror(errno));
    env = pdk_rrq_environment(worker->pool->host, drive, text);
    rc = env ? spawn_with(worker, ops, cwd_fd, env, err) : -ENOMEM;
    drive->argv[drive->argc] = drive->argv[drive->argc + 1] = NULL;
    free(env);
    if (cwd_fd >= 0) close(cwd_fd);
    return rc;
}

/* ---- what it writes ---- */

static void log_line(const struct pdk_rrq_worker *worker, struct pdk_rrq_partial *line, int32_t level) {
    if (line->size)
        pdk_logf(worker->pool->host, level, 0, "worker %u: %.*s", worker->index + 1, (int)line->size, line->text);
    line->size = 0;
}

static void take_line(struct pdk_rrq_worker *worker, struct pdk_rrq_partial *line, const char *data, size_t size) {
    int32_t level = line == &worker->lines[0] ? PDK_LOG_INFO : PDK_LOG_WARN;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '\n' && line->size < sizeof line->text) line->text[line->size++] = data[i];
        if (data[i] == '\n' || line->size == sizeof line->text) log_line(worker, line, level);
    }
}

/* The words of a process that is at one request alone are that request's; else they go to the log, line by line. */
int32_t pdk_rrq_worker_output(void *arg, int32_t stream, const char *data, size_t size) {
    struct pdk_rrq_worker *worker = arg;
    const pdk_host *host = worker->pool->host;
    struct pdk_rrq_partial *line = &worker->lines[stream == PDK_STDERR];
    const struct pdk_rrq_job *job = TAILQ_FIRST(&worker->jobs);
    if (worker->in_flight == 1 && !line->size)
        (void)host->output(host, job->attempt, stream, data, size); /* it is read on, whoever is behind */
    else
        take_line(worker, line, data, size);
    return 0;
}

void pdk_rrq_worker_flush(struct pdk_rrq_worker *worker) {
    log_line(worker, &worker->lines[0], PDK_LOG_INFO);
    log_line(worker, &worker->lines[1], PDK_LOG_WARN);
}
