/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --metrics-file: what the backend prints, into a file for others to read. It is gathered on the loop and written by
 * the pool, under another name that is then renamed, so that a reader never sees half of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/clock.h"
#include "core/cli/run.h"

#define INTERVAL   (5 * PDK_SECOND)
#define MOST_BYTES (256u << 20)

struct pdk_run_metrics {
    struct pdk_session *session;
    struct pdk_instance *instance; /* the backend */
    const char *path;
    struct pdk_buffer text; /* the pool's while busy */
    pdk_job job;
    pdk_watch timer;
    bool busy, ending, told;
    int32_t error; /* 0 or -errno, of the last time */
    void (*then)(void *arg);
    void *arg;
};

static struct pdk_instance *find_backend(struct pdk_session *session) {
    pdk_router *router = pdk_supervisor_router(session->supervisor);
    struct pdk_instance *instance;
    for (size_t i = 0; (instance = pdk_router_instance(router, i)); i++)
        if (instance->plugin->metrics && PDK_HAS(instance->plugin->metrics, print)) return instance;
    return NULL;
}

static void work(void *arg) {
    struct pdk_run_metrics *metrics = arg;
    metrics->error = pdk_write_replace(metrics->path, pdk_buffer_string(&metrics->text), metrics->text.size, NULL);
}

static void begin(struct pdk_run_metrics *metrics);

static void done(void *arg, int32_t status) {
    struct pdk_run_metrics *metrics = arg;
    metrics->busy = false;
    if (metrics->error && !metrics->told) {
        metrics->told = true;
        pdk_run_talk(metrics->session, PDK_LOG_ERROR, "", "cannot write %s: %s", metrics->path,
                     strerror(-metrics->error));
    }
    if (metrics->then && metrics->ending) {
        metrics->then(metrics->arg);
    } else if (metrics->then) {
        metrics->ending = true;
        if (status == 0) begin(metrics);
        if (!metrics->busy) metrics->then(metrics->arg);
    }
}

static void begin(struct pdk_run_metrics *metrics) {
    const pdk_pool *pool = pdk_supervisor_pool(metrics->session->supervisor);
    const pdk_metrics_ops *ops = metrics->instance->plugin->metrics;
    if (metrics->busy) return;
    metrics->text.size = 0;
    metrics->text.error = 0;
    if (ops->print(metrics->instance->self, pdk_buffer_write, &metrics->text) < 0 || metrics->text.error) return;
    metrics->job = (pdk_job){.struct_size = sizeof metrics->job, .work = work, .done = done, .arg = metrics};
    metrics->busy = pool->submit(pool, &metrics->job) == 0;
}

static void on_timer(void *arg) {
    begin(arg);
}

/* The backend that was configured, else prometheus. */
static struct pdk_instance *backend(struct pdk_session *session) {
    struct pdk_instance *instance = find_backend(session);
    if (instance) return instance;
    if (pdk_setup_enter_metrics(&session->setup, session->supervisor, "prometheus") < 0) return NULL;
    return find_backend(session);
}

/* A rename would put a file in the place of a device, a pipe or a socket. */
static bool is_no_file(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && !S_ISREG(found.st_mode);
}

int pdk_run_metrics_begin(struct pdk_session *session) {
    const char *path = session->arguments->metrics_file;
    if (!path) return 0;
    if (is_no_file(path))
        return pdk_say_usage(session->arguments->verb, "", "--metrics-file: %s is there and no regular file", path);
    struct pdk_run_metrics *metrics = calloc(1, sizeof *metrics);
    if (!metrics) return pdk_say_memory();
    session->metrics = metrics;
    *metrics = (struct pdk_run_metrics){.session = session, .path = path, .text = PDK_BUFFER(MOST_BYTES)};
    metrics->instance = backend(session);
    if (!metrics->instance) {
        pdk_say("--metrics-file needs a metrics backend, and there is no plugin \"prometheus\"");
        return PDK_EXIT_PLUGIN;
    }
    int32_t rc = pdk_write_try(path);
    if (rc == -ENOMEM) return pdk_say_memory();
    if (rc == 0)
        return session->loop->timer(session->loop, INTERVAL, INTERVAL, on_timer, metrics, &metrics->timer) < 0
                   ? pdk_say_memory()
                   : 0;
    pdk_say("cannot write %s: %s", path, strerror(-rc));
    return PDK_EXIT_USAGE;
}

void pdk_run_metrics_end(struct pdk_session *session, void (*then)(void *arg), void *arg) {
    struct pdk_run_metrics *metrics = session->metrics;
    if (!metrics) {
        then(arg);
        return;
    }
    session->loop->stop(session->loop, metrics->timer);
    metrics->then = then;
    metrics->arg = arg;
    if (metrics->busy) return; /* one that is older than the end is being written: another follows */
    metrics->ending = true;
    begin(metrics);
    if (!metrics->busy) then(arg);
}

void pdk_run_metrics_free(struct pdk_session *session) {
    if (!session->metrics) return;
    pdk_buffer_free(&session->metrics->text);
    free(session->metrics);
}
