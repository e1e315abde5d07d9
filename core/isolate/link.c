/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process at the other end. Its leader is a warden (core/hosted), which ends all there is when it gets TERM; only when
 * that takes too long is it killed itself.
 */
#include "core/isolate/link.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "paddock/helpers.h"

enum { LINE_BYTES = 4096, WAITING_MAX = 64 << 20 };

#define KILL_PATIENCE    (6 * PDK_SECOND) /* a little more than the warden has */
#define HANG_UP_PATIENCE (2 * PDK_SECOND)

struct pdk_link {
    const pdk_loop *loop;
    const pdk_process *process;
    const struct pdk_link_ops *ops;
    void *arg;
    pdk_child child;
    struct pdk_wire *wire; /* NULL: closed */
    int32_t pid;
    uint32_t limits;
    bool greeted, killed, hung_up;
    pdk_watch patience;
    char why[160]; /* why we ended it; "": it was not us */
    char line[LINE_BYTES];
    size_t line_size;
};

/* ---- what it prints */

static void end_line(struct pdk_link *link) {
    link->line[link->line_size] = '\0';
    if (link->line_size && link->ops->line) link->ops->line(link->arg, link->line);
    link->line_size = 0;
}

static int32_t on_output(void *arg, int32_t stream, const char *data, size_t size) {
    struct pdk_link *link = arg;
    (void)stream;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n' || link->line_size == sizeof link->line - 1) end_line(link);
        if (data[i] != '\n') link->line[link->line_size++] = data[i] ? data[i] : ' ';
    }
    return 0;
}

/* ---- its end */

static const char *limit_words(uint32_t limits) {
    return limits & PDK_LIMIT_MEMORY ? " at its limit of memory"
           : limits & PDK_LIMIT_PIDS ? " at its limit of processes"
                                     : "";
}

static void free_link(struct pdk_link *link) {
    pdk_wire_close(link->wire);
    link->loop->stop(link->loop, link->patience);
    free(link);
}

static void over(struct pdk_link *link, const char *text, bool asked) {
    char words[400];
    if (*link->why)
        (void)snprintf(words, sizeof words, "was killed: %s", link->why);
    else
        (void)strlcpy(words, text, sizeof words);
    struct pdk_link_end end = {link->pid, asked, words};
    if (link->wire) pdk_wire_drain(link->wire); /* what it said before counts */
    end_line(link);
    link->ops->ended(link->arg, &end);
    free_link(link);
}

static void on_ended(void *arg, const pdk_exit *x) {
    struct pdk_link *link = arg;
    char text[200];
    const char *name = x->signal ? pdk_signal_name(x->signal) : NULL;
    link->child = 0;
    if (x->error < 0)
        (void)snprintf(text, sizeof text, "ended, and nobody could tell how: %s", strerror(-x->error));
    else if (x->signal)
        (void)snprintf(text, sizeof text, "was killed by SIG%s%s", name ? name : "?", limit_words(link->limits));
    else
        (void)snprintf(text, sizeof text, "ended with exit code %d%s", x->exit_code, limit_words(link->limits));
    over(link, text, link->hung_up && !link->killed && !x->signal && x->exit_code == 0);
}

static void on_failed(void *arg, const pdk_error *err) {
    struct pdk_link *link = arg;
    char text[600];
    link->child = 0;
    (void)snprintf(text, sizeof text, "could not be started: %s", err->message);
    over(link, text, false);
}

static void on_started(void *arg, int32_t pid) {
    ((struct pdk_link *)arg)->pid = pid;
}

static void on_limited(void *arg, uint32_t limits) {
    ((struct pdk_link *)arg)->limits = limits;
}

static const pdk_child_ops child_ops = {.struct_size = sizeof child_ops,
                                        .started = on_started,
                                        .failed = on_failed,
                                        .output = on_output,
                                        .ended = on_ended,
                                        .limited = on_limited};

static void on_patience(void *arg) {
    struct pdk_link *link = arg;
    link->patience = 0;
    if (!link->killed)
        pdk_link_kill(link, "it did not end");
    else
        (void)link->process->kill(link->process, link->child);
}

static void wait_for(struct pdk_link *link, uint64_t patience) {
    link->loop->stop(link->loop, link->patience);
    link->patience = 0;
    if (link->loop->timer(link->loop, patience, 0, on_patience, link, &link->patience) < 0)
        (void)link->process->kill(link->process, link->child);
}

void pdk_link_kill(struct pdk_link *link, const char *why) {
    if (link->killed) return;
    link->killed = true;
    (void)strlcpy(link->why, why, sizeof link->why);
    (void)link->process->signal(link->process, link->child, SIGTERM, 1);
    wait_for(link, KILL_PATIENCE);
}

void pdk_link_hang_up(struct pdk_link *link) {
    if (link->killed || link->hung_up) return;
    link->hung_up = true;
    pdk_wire_flush(link->wire);
    pdk_wire_close(link->wire);
    link->wire = NULL;
    wait_for(link, HANG_UP_PATIENCE);
}

/* ---- the conversation */

static void greet(struct pdk_link *link, const struct pdk_frame *frame) {
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    struct pdk_wire_hello hello;
    char text[160];
    pdk_rest_take(&rest, &hello, sizeof hello);
    link->greeted = true;
    if (hello.magic == PDK_WIRE_MAGIC && hello.version == PDK_WIRE_VERSION) return;
    (void)snprintf(text, sizeof text, "paddock-host speaks version %u of the protocol, this paddock speaks %u",
                   hello.magic == PDK_WIRE_MAGIC ? hello.version : 0, PDK_WIRE_VERSION);
    pdk_link_kill(link, text);
}

static void on_frame(void *arg, const struct pdk_frame *frame) {
    struct pdk_link *link = arg;
    if (frame->type == PDK_MESSAGE_HELLO)
        greet(link, frame);
    else if (!link->greeted)
        pdk_link_kill(link, "it did not greet");
    else
        link->ops->frame(link->arg, frame);
}

/* Gone, or soon to be: its end tells more than this. */
static void on_closed(void *arg, const char *why) {
    struct pdk_link *link = arg;
    char text[128];
    (void)snprintf(text, sizeof text, "it sent %s", why ? why : "");
    if (why)
        pdk_link_kill(link, text);
    else if (!link->killed)
        wait_for(link, HANG_UP_PATIENCE);
}

static const struct pdk_wire_ops wire_ops = {on_frame, on_closed};

int32_t pdk_link_send_parts(struct pdk_link *link, enum pdk_message type, uint64_t id,
                            const struct pdk_wire_part *parts, size_t count) {
    return link->wire ? pdk_wire_send(link->wire, type, id, parts, count) : -EPIPE;
}

int32_t pdk_link_send(struct pdk_link *link, enum pdk_message type, uint64_t id, const void *numbers, size_t size,
                      const char *text, size_t text_size) {
    const struct pdk_wire_part parts[] = {{numbers, size}, {text, text_size}};
    return pdk_link_send_parts(link, type, id, parts, 2);
}

int32_t pdk_link_pid(const struct pdk_link *link) {
    return link ? link->pid : 0;
}

/* ---- its beginning */

static void put_text(pdk_writer *w, const char *key, const char *text) {
    pdk_values_get()->key(w, key);
    pdk_values_get()->put_string(w, text, strlen(text));
}

static int32_t say_hello(struct pdk_link *link, const struct pdk_link_options *options) {
    const struct pdk_wire_hello numbers = {PDK_WIRE_MAGIC, PDK_WIRE_VERSION};
    const pdk_values *v = pdk_values_get();
    struct pdk_buffer json = PDK_BUFFER(PDK_PAYLOAD_MAX - 64);
    const pdk_value *hello = NULL;
    pdk_writer *w = v->open(v);
    v->put_map(w);
    put_text(w, "file", options->file);
    put_text(w, "instance", options->instance);
    put_text(w, "program", options->name);
    put_text(w, "version", options->version);
    v->key(w, "metrics");
    v->put_bool(w, options->metrics);
    v->key(w, "config");
    v->put_value(w, options->config);
    v->end(w);
    int32_t rc = v->close(w, &hello, NULL);
    if (rc == 0) rc = v->print(v, hello, PDK_JSON_PLAIN, pdk_buffer_write, &json);
    if (rc == 0) rc = json.error;
    if (rc == 0) rc = pdk_link_send(link, PDK_MESSAGE_HELLO, 0, &numbers, sizeof numbers, json.data, json.size);
    v->drop(hello);
    pdk_buffer_free(&json);
    return rc;
}

static int32_t spawn(struct pdk_link *link, const struct pdk_link_options *options, int fd, pdk_error *err) {
    const char *const argv[] = {options->program, options->instance, NULL};
    pdk_command command = {.struct_size = sizeof command,
                           .argv = argv,
                           .env = (const char *const *)environ,
                           .name = options->instance,
                           .cwd_fd = -1,
                           .input_fd = -1,
                           .stdout_to = PDK_STREAM_CAPTURE,
                           .stderr_to = PDK_STREAM_JOIN,
                           .pass_fds = &fd,
                           .pass_count = 1,
                           .umask = -1,
                           .nice = PDK_UNCHANGED,
                           .oom_score = PDK_UNCHANGED};
    if (options->jail) pdk_jail_apply(options->jail, &command);
    return options->process->spawn(options->process, 0, &command, &child_ops, link, &link->child, err);
}

static int32_t connect_to(struct pdk_link *link, const struct pdk_link_options *options, pdk_error *err) {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        int32_t rc = -errno;
        return pdk_fail(err, rc, NULL, "cannot make a socket: ", strerror(-rc), NULL);
    }
    int32_t rc = pdk_wire_open(&(struct pdk_wire_options){.loop = options->loop,
                                                          .fd = fds[0],
                                                          .direction = PDK_TO_PADDOCK,
                                                          .limit = WAITING_MAX,
                                                          .ops = &wire_ops,
                                                          .arg = link},
                               &link->wire);
    if (rc == 0) rc = say_hello(link, options);
    if (rc < 0)
        pdk_fail(err, rc, NULL, "cannot talk to its process: ", strerror(-rc), NULL);
    else
        rc = spawn(link, options, fds[1], err);
    close(fds[1]);
    return rc;
}

int32_t pdk_link_open(const struct pdk_link_options *options, struct pdk_link **ret, pdk_error *err) {
    struct pdk_link *link = calloc(1, sizeof *link);
    if (!link) return pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    link->loop = options->loop;
    link->process = options->process;
    link->ops = options->ops;
    link->arg = options->arg;
    int32_t rc = connect_to(link, options, err);
    if (rc < 0) {
        free_link(link);
        return rc;
    }
    *ret = link;
    return 0;
}

void pdk_link_free(struct pdk_link *link) {
    if (link) free_link(link);
}
