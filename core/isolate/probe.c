/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before anything is started, the plugin itself can be asked whether its config and its tasks are good, in a process that
 * does nothing else, on a loop that runs only while we wait. So `paddock check` finds with isolation what it finds
 * without, and `paddock run` finds limits that cannot be had before the first task begins.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/isolate/proxy.h"
#include "core/loop/loop.h"
#include "core/process/process.h"
#include "paddock/helpers.h"

struct pdk_probe {
    struct pdk_ev *ev;
    const pdk_loop *loop;
    struct pdk_spawner *spawner;
    struct pdk_link *link; /* NULL: it is over */
    enum pdk_message awaited;
    bool answered;
    struct pdk_remote_error answer;
    char end[400], printed[200];
};

static void on_frame(void *arg, const struct pdk_frame *frame) {
    struct pdk_probe *probe = arg;
    if (frame->type != probe->awaited) return;
    probe->answered = pdk_remote_error_read(frame, &probe->answer);
    pdk_ev_break(probe->ev);
}

static void on_line(void *arg, const char *text) {
    struct pdk_probe *probe = arg;
    (void)strlcpy(probe->printed, text, sizeof probe->printed);
}

static void on_ended(void *arg, const struct pdk_link_end *end) {
    struct pdk_probe *probe = arg;
    probe->link = NULL;
    (void)strlcpy(probe->end, end->text, sizeof probe->end);
    pdk_ev_break(probe->ev);
}

static const struct pdk_link_ops link_ops = {on_frame, on_line, on_ended};

static void on_late(void *arg) {
    struct pdk_probe *probe = arg;
    if (probe->link) pdk_link_kill(probe->link, "it did not answer in time");
}

/* Wait for a message of that type. -EPIPE: the process is gone. */
static int32_t await(struct pdk_probe *probe, enum pdk_message type, uint64_t patience) {
    pdk_watch late = 0;
    int32_t rc = probe->loop->timer(probe->loop, patience, 0, on_late, probe, &late);
    if (rc < 0) return rc;
    probe->awaited = type;
    probe->answered = false;
    while (probe->link && !probe->answered) pdk_ev_run(probe->ev);
    probe->loop->stop(probe->loop, late);
    return probe->answered ? 0 : -EPIPE;
}

static int32_t gone(const struct pdk_probe *probe, int32_t rc, const pdk_value *at, pdk_error *err) {
    const char *printed = probe->printed;
    if (rc == -EPIPE)
        return pdk_failf(err, -EIO, at, "the plugin's process %s%s%s", probe->end, *printed ? "; it printed: " : "",
                         printed);
    return pdk_fail(err, rc, at, "cannot ask the plugin's process: ", strerror(-rc), NULL);
}

static int32_t open_parts(struct pdk_probe *probe, struct pdk_proxy *proxy, const pdk_value *config, pdk_error *err) {
    const struct pdk_isolated *isolated = proxy->isolated;
    int32_t rc = pdk_ev_create(&probe->ev);
    if (rc < 0) return pdk_fail(err, rc, NULL, "cannot make a loop: ", strerror(-rc), NULL);
    probe->loop = pdk_ev_loop(probe->ev);
    rc = pdk_spawner_create(&(struct pdk_spawner_options){.loop = probe->loop, .threads = 1}, &probe->spawner, err);
    if (rc < 0) return rc;
    return pdk_link_open(&(struct pdk_link_options){.loop = probe->loop,
                                                    .process = pdk_spawner_service(probe->spawner),
                                                    .program = isolated->program,
                                                    .instance = proxy->instance->name,
                                                    .file = isolated->library.path,
                                                    .name = proxy->host->name,
                                                    .version = proxy->host->version,
                                                    .config = config,
                                                    .jail = isolated->supervisor ? &isolated->jail : NULL,
                                                    .ops = &link_ops,
                                                    .arg = probe},
                         &probe->link, err);
}

/* What is at fault, here. */
static int32_t tell(const struct pdk_probe *probe, const pdk_value *at, pdk_error *err) {
    if (err) {
        *err = probe->answer.error;
        err->at = at;
    }
    return probe->answer.numbers.code;
}

int32_t pdk_probe_open(struct pdk_proxy *proxy, const pdk_value *config, pdk_error *err) {
    struct pdk_probe *probe = calloc(1, sizeof *probe);
    if (!probe) return -ENOMEM;
    proxy->probe = probe;
    int32_t rc = open_parts(probe, proxy, config, err);
    if (rc == 0) {
        rc = await(probe, PDK_MESSAGE_CREATED, proxy->isolated->ping_timeout);
        const char *at = probe->answer.at;
        if (rc < 0)
            rc = gone(probe, rc, proxy->instance->at, err);
        else if (probe->answer.numbers.code < 0)
            rc = tell(probe, strncmp(at, "/config", 7) == 0 ? pdk_pointer_follow(config, at + 7) : NULL, err);
    }
    if (rc < 0) pdk_probe_close(proxy);
    return rc;
}

int32_t pdk_probe_try(struct pdk_proxy *proxy, const pdk_spec *spec, pdk_error *err) {
    struct pdk_probe *probe = proxy->probe;
    struct pdk_buffer json = PDK_BUFFER(PDK_PAYLOAD_MAX);
    int32_t rc = probe->link ? pdk_spec_print(spec, &json) : -EPIPE;
    if (rc == 0) rc = pdk_link_send(probe->link, PDK_MESSAGE_BUILD, 0, json.data, json.size, NULL, 0);
    if (rc == 0) rc = pdk_link_send(probe->link, PDK_MESSAGE_TRY, 0, NULL, 0, NULL, 0);
    if (rc == 0) rc = pdk_link_send(probe->link, PDK_MESSAGE_DESTROY, 0, NULL, 0, NULL, 0);
    if (rc == 0) rc = await(probe, PDK_MESSAGE_TRIED, proxy->isolated->ping_timeout);
    pdk_buffer_free(&json);
    if (rc < 0) return gone(probe, rc, NULL, err);
    return probe->answer.numbers.code < 0 ? tell(probe, pdk_pointer_in_spec(spec, probe->answer.at), err) : 0;
}

/* Told to end, so that nothing that it has started is left; its service kills what is left even so. */
void pdk_probe_close(struct pdk_proxy *proxy) {
    struct pdk_probe *probe = proxy->probe;
    if (!probe) return;
    proxy->probe = NULL;
    if (probe->link) {
        pdk_link_kill(probe->link, "it is not needed any more");
        (void)await(probe, PDK_MESSAGE_COUNT, 10 * PDK_SECOND);
    }
    pdk_spawner_free(probe->spawner);
    pdk_link_free(probe->link);
    if (probe->ev) pdk_ev_once(probe->ev);
    pdk_ev_free(probe->ev);
    free(probe);
}
