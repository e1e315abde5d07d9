/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes to a file that is turned over when it is full: FILE, FILE.1, FILE.2 .. Only the pool touches the disk. While
 * one batch is being written the next gathers here, up to a limit; what is beyond, or cannot be written, is counted
 * and said once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/plan/internal.h"

#define WAITING_LIMIT (4u << 20)

struct pdk_log_file {
    struct pdk_log_file *next;
    struct pdk_plan *plan;
    char *path;
    uint64_t max_size;         /* [main] of who asked last */
    uint32_t keep;             /* [main] */
    struct pdk_buffer waiting; /* [main] */
    uint64_t lost;             /* [main] bytes */
    int32_t told;              /* [main] the error that was said last; 0: all is well */
    uint32_t users;            /* [main] */
    bool stale;                /* [main] to be opened anew */
    bool busy;                 /* [main] the members below are the pool's */

    pdk_job job;
    struct pdk_buffer writing;
    int fd;
    bool reopen;
    uint64_t most;
    uint32_t kept;
    uint64_t size; /* of the file */
    int32_t error;
};

/* FILE.n-1 becomes FILE.n, and FILE is FILE.1; without any to keep it begins anew. [worker] */
static int32_t turn_over(struct pdk_log_file *log) {
    size_t size = strlen(log->path) + 16;
    char *from = malloc(2 * size), *to = from ? from + size : NULL;
    if (!from) return -ENOMEM;
    for (uint32_t n = log->kept; n > 0; n--) {
        (void)snprintf(to, size, "%s.%u", log->path, n);
        if (n > 1)
            (void)snprintf(from, size, "%s.%u", log->path, n - 1);
        else
            (void)strlcpy(from, log->path, size);
        if (rename(from, to) < 0 && errno != ENOENT) break;
    }
    if (log->kept == 0) (void)unlink(log->path);
    free(from);
    (void)close(log->fd);
    log->fd = -1;
    return 0;
}

static int32_t open_file(struct pdk_log_file *log) {
    struct stat st;
    if (log->fd >= 0) return 0;
    log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (log->fd < 0) return -errno;
    log->size = fstat(log->fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    return 0;
}

static int32_t write_all(struct pdk_log_file *log, const char *data, size_t size, size_t *written) {
    while (*written < size) {
        ssize_t n = write(log->fd, data + *written, size - *written);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        *written += (size_t)n;
        log->size += (uint64_t)n;
    }
    return 0;
}

/* As much as fits into this file, at a line's end if there is one. */
static size_t fitting(const struct pdk_log_file *log, const char *data, size_t size) {
    uint64_t room = log->most > log->size ? log->most - log->size : 0;
    if (log->most == 0 || size <= room) return size;
    const char *newline = room ? memrchr(data, '\n', (size_t)room) : NULL;
    if (newline) return (size_t)(newline - data) + 1;
    return log->size ? 0 : (size_t)log->most;
}

static int32_t write_batch(struct pdk_log_file *log, size_t *written) {
    while (*written < log->writing.size) {
        int32_t rc = open_file(log);
        if (rc < 0) return rc;
        const char *data = log->writing.data + *written;
        size_t done = 0, size = fitting(log, data, log->writing.size - *written);
        rc = size ? write_all(log, data, size, &done) : turn_over(log);
        *written += done;
        if (rc < 0) return rc;
    }
    return 0;
}

static void work(void *arg) {
    struct pdk_log_file *log = arg;
    size_t written = 0;
    if (log->reopen && log->fd >= 0) {
        (void)close(log->fd);
        log->fd = -1;
    }
    log->error = write_batch(log, &written);
    pdk_buffer_cut(&log->writing, written);
}

static void begin(struct pdk_log_file *log);

static void dispose(struct pdk_log_file *log) {
    if (log->fd >= 0) (void)close(log->fd);
    pdk_buffer_free(&log->waiting);
    pdk_buffer_free(&log->writing);
    free(log->path);
    free(log);
}

static void let_go(struct pdk_log_file *log) {
    struct pdk_log_file **at = &log->plan->logs;
    while (*at != log) at = &(*at)->next;
    *at = log->next;
    dispose(log);
}

static void said(struct pdk_log_file *log) {
    if (log->error == log->told) return;
    if (log->error)
        pdk_plan_warn(log->plan, "cannot write %s: %s; its output is lost until that is better", log->path,
                      strerror(-log->error));
    else
        pdk_plan_warn(log->plan, "%s is written again; %llu bytes were lost", log->path, (unsigned long long)log->lost);
    log->told = log->error;
}

static void done(void *arg, int32_t status) {
    struct pdk_log_file *log = arg;
    log->busy = false;
    if (status < 0) log->error = status;
    log->lost += log->writing.size; /* what work has left over */
    said(log);
    log->writing.size = 0;
    begin(log);
    if (log->busy) return;
    struct pdk_plan *plan = log->plan;
    if (log->users == 0) let_go(log);
    pdk_plan_check_end(plan);
}

/* Hand what has gathered to the pool. */
static void begin(struct pdk_log_file *log) {
    const pdk_pool *pool = pdk_supervisor_pool(log->plan->options.supervisor);
    if (log->busy || log->waiting.size == 0) return;
    struct pdk_buffer empty = log->writing;
    log->writing = log->waiting;
    log->waiting = empty;
    log->waiting.size = 0;
    log->waiting.error = 0;
    log->reopen = log->stale;
    log->stale = false;
    log->most = log->max_size;
    log->kept = log->keep;
    log->job = (pdk_job){.struct_size = sizeof log->job, .work = work, .done = done, .arg = log};
    log->busy = pool->submit(pool, &log->job) == 0;
    if (log->busy) return;
    log->lost += log->writing.size;
    log->writing.size = 0;
}

void pdk_log_file_add(struct pdk_log_file *log, const char *data, size_t size, bool newline) {
    size_t before = log->waiting.size;
    pdk_buffer_add(&log->waiting, data, size);
    if (newline) pdk_buffer_add(&log->waiting, "\n", 1);
    log->lost += before + size + newline - log->waiting.size;
    begin(log);
}

int32_t pdk_log_file_get(struct pdk_plan *plan, const char *path, uint64_t max_size, uint32_t keep,
                         struct pdk_log_file **ret) {
    for (struct pdk_log_file *log = plan->logs; log; log = log->next)
        if (strcmp(log->path, path) == 0) {
            log->users++;
            log->max_size = max_size;
            log->keep = keep;
            *ret = log;
            return 0;
        }
    struct pdk_log_file *log = calloc(1, sizeof *log);
    char *copy = strdup(path);
    if (!log || !copy) {
        free(log);
        free(copy);
        return -ENOMEM;
    }
    *log = (struct pdk_log_file){.next = plan->logs, .plan = plan, .path = copy, .max_size = max_size, .keep = keep};
    log->users = 1;
    log->fd = -1;
    log->waiting = log->writing = PDK_BUFFER(WAITING_LIMIT);
    *ret = plan->logs = log;
    return 0;
}

void pdk_log_file_drop(struct pdk_log_file *log) {
    if (log && --log->users == 0 && !log->busy) let_go(log);
}

void pdk_log_files_reopen(struct pdk_plan *plan) {
    for (struct pdk_log_file *log = plan->logs; log; log = log->next) log->stale = true;
}

bool pdk_log_files_idle(const struct pdk_plan *plan) {
    for (const struct pdk_log_file *log = plan->logs; log; log = log->next)
        if (log->busy || log->waiting.size) return false;
    return true;
}

void pdk_log_files_free(struct pdk_plan *plan) {
    for (struct pdk_log_file *log = plan->logs, *next; log; log = next) {
        next = log->next;
        dispose(log);
    }
    plan->logs = NULL;
}
