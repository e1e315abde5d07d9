/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an instance that is elsewhere: its process is started, asked whether it lives, and when it is gone its
 * attempts are over and another one comes, after a pause that grows.
 *
 *     MADE -- start --> process -- died --> pause --.
 *                         ^                         |
 *                         '-------------------------'        stop: from wherever it is
 */
#include "core/isolate/proxy.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "paddock/helpers.h"

#define STOP_PATIENCE (4 * PDK_SECOND) /* less than the flush of a shutdown */

/* Between two processes. */
static const struct pdk_policy policy = {.restart = PDK_RESTART_ON_FAILURE,
                                         .jitter = PDK_JITTER_EQUAL,
                                         .retries = PDK_RETRIES_UNLIMITED,
                                         .backoff_first = 200 * PDK_MILLISECOND,
                                         .backoff_max = 30 * PDK_SECOND,
                                         .backoff_factor = UINT64_C(2) << 20,
                                         .backoff_reset = PDK_MINUTE};

static const char *const starts_labels[] = {"runner", NULL};
static const pdk_metric starts_metric = {.struct_size = (uint32_t)sizeof starts_metric,
                                         .type = PDK_COUNTER,
                                         .name = "plugin_process_starts",
                                         .unit = "",
                                         .help = "Processes that were started for a plugin with a process of its own",
                                         .labels = starts_labels};

static void say_health(struct pdk_proxy *proxy, int32_t state, const char *text) {
    /* At once, so that nothing is started there in the turn that is on. */
    if (state == PDK_DOWN) atomic_store(&proxy->instance->health, state);
    proxy->host->health(proxy->host, state, text);
}

/* ---- is it alive */

static void on_ping(void *arg) {
    struct pdk_proxy *proxy = arg;
    const struct pdk_isolated *isolated = proxy->isolated;
    char text[120], time[32];
    if (!proxy->link) return;
    if (proxy->unanswered && proxy->unanswered >= isolated->ping_timeout / isolated->ping_every) {
        (void)snprintf(text, sizeof text, "its loop thread did not answer for %s",
                       pdk_duration_format(isolated->ping_timeout, time, sizeof time));
        pdk_link_kill(proxy->link, text);
        return;
    }
    proxy->unanswered++;
    (void)pdk_link_send(proxy->link, PDK_MESSAGE_PING, ++proxy->pings, NULL, 0, NULL, 0);
}

/* Counted, not timed: if all of us slept, nobody is to blame. */
static void watch_over(struct pdk_proxy *proxy) {
    uint64_t every = proxy->isolated->ping_every;
    proxy->unanswered = 0;
    if (proxy->loop->timer(proxy->loop, every, every, on_ping, proxy, &proxy->ping) < 0) proxy->ping = 0;
    on_ping(proxy);
}

static void stop_watch(const struct pdk_proxy *proxy, pdk_watch *watch) {
    proxy->loop->stop(proxy->loop, *watch);
    *watch = 0;
}

/* ---- what it says */

static void hear_created(struct pdk_proxy *proxy, const struct pdk_frame *frame) {
    struct pdk_remote_error remote;
    char text[160];
    if (!pdk_remote_error_read(frame, &remote)) return;
    if (remote.numbers.code == 0) {
        proxy->created = true;
        (void)pdk_link_send(proxy->link, PDK_MESSAGE_BEGIN, 0, NULL, 0, NULL, 0);
        return;
    }
    (void)strlcpy(text, remote.error.message[0] ? remote.error.message : strerror(-remote.numbers.code), sizeof text);
    pdk_link_kill(proxy->link, text);
}

static void hear_health(struct pdk_proxy *proxy, const struct pdk_frame *frame) {
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    char text[512];
    int32_t state;
    pdk_rest_take(&rest, &state, sizeof state);
    (void)snprintf(text, sizeof text, "%.*s", (int)(rest.size < 500 ? rest.size : 500), rest.data);
    proxy->host->health(proxy->host, state, text);
}

static void on_frame(void *arg, const struct pdk_frame *frame) {
    struct pdk_proxy *proxy = arg;
    switch ((int)frame->type) {
    case PDK_MESSAGE_CREATED: hear_created(proxy, frame); break;
    case PDK_MESSAGE_HEALTH: hear_health(proxy, frame); break;
    case PDK_MESSAGE_SERIES: pdk_proxy_meet_series(proxy, frame); break;
    case PDK_MESSAGE_RECORD: pdk_proxy_record(proxy, frame); break;
    case PDK_MESSAGE_PONG:
        if (frame->id == proxy->pings) proxy->unanswered = 0;
        break;
    case PDK_MESSAGE_STOPPED:
        if (proxy->life == PDK_PROXY_STOPPING) pdk_link_hang_up(proxy->link);
        break;
    default: pdk_proxy_hear(proxy, frame);
    }
}

static void on_line(void *arg, const char *text) {
    const struct pdk_proxy *proxy = arg;
    pdk_logf(proxy->host, PDK_LOG_WARN, 0, "printed: %s", text);
}

/* ---- processes that come and go */

static void open_process(struct pdk_proxy *proxy);

static void on_retry(void *arg) {
    struct pdk_proxy *proxy = arg;
    proxy->retry = 0;
    open_process(proxy);
}

static uint64_t pause_after(struct pdk_proxy *proxy) {
    uint64_t now = proxy->host->now_ns(proxy->host);
    const struct pdk_ending ending = {
        .status = PDK_FAILURE, .lived = now - proxy->born, .now = now, .seed = now, .seq = proxy->processes};
    struct pdk_next next;
    proxy->past.attempts++;
    pdk_policy_next(&policy, &proxy->past, &ending, &next);
    proxy->past.retries = next.retries;
    proxy->past.base = next.base;
    return next.delay;
}

static void start_again_later(struct pdk_proxy *proxy, const char *text) {
    uint64_t pause = pause_after(proxy);
    char about[32];
    pdk_logf(proxy->host, PDK_LOG_ERROR, 0, "%s; %u attempt%s with it; started again in %s", text, proxy->running,
             proxy->running == 1 ? " ends" : "s end", pdk_duration_about(pause, about, sizeof about));
    if (proxy->loop->timer(proxy->loop, pause, 0, on_retry, proxy, &proxy->retry) == 0) return;
    proxy->retry = 0;
    pdk_logf(proxy->host, PDK_LOG_ERROR, 0, "it is not started again: no memory for a timer");
}

static void on_ended(void *arg, const struct pdk_link_end *end) {
    struct pdk_proxy *proxy = arg;
    char text[500], whole[560];
    stop_watch(proxy, &proxy->ping);
    pdk_proxy_hear_all(proxy);
    proxy->link = NULL;
    proxy->created = false;
    pdk_proxy_forget_numbers(proxy);
    (void)snprintf(text, sizeof text, "its plugin's process %s", end->text);
    if (proxy->life == PDK_PROXY_STOPPING) {
        if (!end->asked) pdk_logf(proxy->host, PDK_LOG_WARN, 0, "the process %s", end->text);
        if (proxy->running) pdk_supervisor_instance_gone(proxy->isolated->supervisor, proxy->instance, text);
        stop_watch(proxy, &proxy->retry);
        proxy->host->stopped(proxy->host);
        return;
    }
    (void)snprintf(whole, sizeof whole, "the process (pid %d) %s", end->pid, end->text);
    if (!end->pid) (void)snprintf(whole, sizeof whole, "the process %s", end->text);
    say_health(proxy, PDK_DOWN, whole);
    start_again_later(proxy, whole);
    pdk_supervisor_instance_gone(proxy->isolated->supervisor, proxy->instance, text);
}

static const struct pdk_link_ops link_ops = {on_frame, on_line, on_ended};

static void open_process(struct pdk_proxy *proxy) {
    const struct pdk_isolated *isolated = proxy->isolated;
    const struct pdk_link_options options = {.loop = proxy->loop,
                                             .process = proxy->process,
                                             .program = isolated->program,
                                             .instance = proxy->instance->name,
                                             .file = isolated->library.path,
                                             .name = proxy->host->name,
                                             .version = proxy->host->version,
                                             .config = proxy->instance->config,
                                             .jail = &isolated->jail,
                                             .metrics = proxy->process_starts != NULL,
                                             .ops = &link_ops,
                                             .arg = proxy};
    pdk_error err = PDK_ERROR;
    char text[600];
    proxy->processes++;
    proxy->born = proxy->host->now_ns(proxy->host);
    int32_t rc = pdk_link_open(&options, &proxy->link, &err);
    if (rc == 0) {
        pdk_count(proxy->metrics, proxy->process_starts, 1);
        watch_over(proxy);
        return;
    }
    (void)snprintf(text, sizeof text, "the process could not be started: %s", err.message);
    say_health(proxy, PDK_DOWN, text);
    start_again_later(proxy, text);
}

/* ---- what the supervisor asks */

static void kill_process(void *arg) {
    struct pdk_proxy *proxy = arg;
    if (proxy->link) pdk_link_kill(proxy->link, "a run of it did not stop, even when killed");
}

static void forgotten(void *arg) {
    pdk_proxy_forget_tasks(arg);
}

const struct pdk_hosted_ops pdk_proxy_hosted_ops = {kill_process, forgotten};

/* The host is the first member of its instance. */
static struct pdk_instance *instance_of(const pdk_host *host) {
    union {
        const pdk_host *host;
        struct pdk_instance *instance;
    } both = {host};
    return both.instance;
}

static struct pdk_isolated *isolated_of(const struct pdk_instance *instance) {
    union {
        const pdk_plugin *plugin;
        struct pdk_isolated *isolated;
    } both = {instance->plugin};
    return both.isolated;
}

int32_t pdk_proxy_create(const pdk_host *host, const pdk_value *config, void **ret_self, pdk_error *err) {
    struct pdk_instance *instance = instance_of(host);
    struct pdk_proxy *proxy = calloc(1, sizeof *proxy);
    if (!proxy) return -ENOMEM;
    proxy->isolated = isolated_of(instance);
    proxy->host = host;
    proxy->instance = instance;
    proxy->loop = host->get_extension(host, PDK_LOOP_1);
    proxy->process = host->get_extension(host, PDK_PROCESS_1);
    proxy->metrics = host->get_extension(host, PDK_METRICS_1);
    int32_t rc = proxy->isolated->probe ? pdk_probe_open(proxy, config, err) : 0;
    if (rc < 0) {
        free(proxy);
        return rc;
    }
    if (proxy->isolated->supervisor)
        pdk_supervisor_instance_hosted(proxy->isolated->supervisor, instance, &pdk_proxy_hosted_ops, proxy);
    proxy->isolated->users++;
    *ret_self = proxy;
    return 0;
}

int32_t pdk_proxy_start(void *self, pdk_error *err) {
    struct pdk_proxy *proxy = self;
    const char *const values[] = {proxy->instance->name, NULL};
    (void)err;
    pdk_probe_close(proxy);
    proxy->life = PDK_PROXY_STARTED;
    if (proxy->metrics) proxy->process_starts = proxy->metrics->series(proxy->metrics, &starts_metric, values);
    open_process(proxy);
    return 0;
}

static void on_stop_patience(void *arg) {
    struct pdk_proxy *proxy = arg;
    proxy->retry = 0;
    if (proxy->link) pdk_link_kill(proxy->link, "it did not stop");
}

void pdk_proxy_stop(void *self) {
    struct pdk_proxy *proxy = self;
    proxy->life = PDK_PROXY_STOPPING;
    stop_watch(proxy, &proxy->retry);
    if (!proxy->link) {
        proxy->host->stopped(proxy->host);
        return;
    }
    (void)pdk_link_send(proxy->link, PDK_MESSAGE_STOP, 0, NULL, 0, NULL, 0);
    if (proxy->loop->timer(proxy->loop, STOP_PATIENCE, 0, on_stop_patience, proxy, &proxy->retry) < 0)
        pdk_link_kill(proxy->link, "it could not be waited for");
}

void pdk_isolated_drop(struct pdk_isolated *isolated) {
    if (--isolated->users) return;
    pdk_jail_free(&isolated->jail);
    pdk_library_free(&isolated->library);
    free(isolated->program);
    free(isolated);
}

/* A link that is left belongs to a process service that is gone, and so is what it led to. */
void pdk_proxy_destroy(void *self) {
    struct pdk_proxy *proxy = self;
    pdk_probe_close(proxy);
    if (proxy->loop) {
        stop_watch(proxy, &proxy->ping);
        stop_watch(proxy, &proxy->retry);
    }
    pdk_link_free(proxy->link);
    pdk_proxy_free_tasks(proxy);
    pdk_proxy_free_series(proxy);
    pdk_isolated_drop(proxy->isolated);
    free(proxy);
}
