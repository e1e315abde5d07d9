/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation with paddock, from the hello to the end of it. When paddock is gone, so are we. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hosted.h"
#include "paddock/helpers.h"

enum { EXIT_BAD = 1, WAITING_MAX = 4 << 20 };

void pdk_hosted_no_memory(const char *what) {
    fprintf(stderr, "paddock-host: no memory to %s\n", what);
    _exit(EXIT_BAD);
}

void pdk_hosted_write(struct pdk_hosted *hosted, enum pdk_message type, uint64_t id, const struct pdk_wire_part *parts,
                      size_t count) {
    if (pdk_wire_send(hosted->wire, type, id, parts, count) == -ENOMEM) pdk_hosted_no_memory("answer");
}

void pdk_hosted_send(struct pdk_hosted *hosted, enum pdk_message type, uint64_t id, const void *numbers, size_t size,
                     const char *text, size_t text_size) {
    const struct pdk_wire_part parts[] = {{numbers, size}, {text, text_size}};
    pdk_hosted_write(hosted, type, id, parts, 2);
}

static void send_error_at(struct pdk_hosted *hosted, enum pdk_message type, uint64_t id, int32_t code, bool built,
                          const pdk_error *err, const char *at) {
    const struct pdk_wire_error numbers = {.code = code,
                                           .built = built,
                                           .message_size = (uint32_t)strnlen(err->message, sizeof err->message),
                                           .hint_size = (uint32_t)strnlen(err->hint, sizeof err->hint),
                                           .at_size = (uint32_t)strlen(at)};
    const struct pdk_wire_part parts[] = {{&numbers, sizeof numbers},
                                          {err->message, numbers.message_size},
                                          {err->hint, numbers.hint_size},
                                          {at, numbers.at_size}};
    pdk_hosted_write(hosted, type, id, parts, sizeof parts / sizeof *parts);
}

void pdk_hosted_send_error(struct pdk_hosted *hosted, enum pdk_message type, uint64_t id, int32_t code, bool built,
                           const pdk_error *err) {
    static const pdk_error none = PDK_ERROR;
    char at[512] = "";
    if (!err) err = &none;
    if (err->at) pdk_value_pointer(err->at, at, sizeof at);
    send_error_at(hosted, type, id, code, built, err, at);
}

static void leave(struct pdk_hosted *hosted, int code) {
    hosted->exit_code = code;
    pdk_ev_break(hosted->ev);
}

/* ---- the instance */

static char *copy_text(const pdk_value *hello, const char *key) {
    const char *text = "";
    (void)pdk_values_get()->string(pdk_values_get()->get(hello, key), &text);
    return strdup(text);
}

/* The first fault of a report, and where it is: what came as JSON has a pointer for a path. */
static void first_fault(const struct pdk_report *report, pdk_error *err, char *at, size_t size) {
    if (!report->count) return;
    const struct pdk_fault *fault = &report->faults[0];
    (void)strlcpy(err->message, fault->message, sizeof err->message);
    (void)strlcpy(err->hint, fault->expected, sizeof err->hint);
    (void)strlcpy(at, fault->path, size);
}

static int32_t create(struct pdk_hosted *hosted, const pdk_value *hello, pdk_error *err, char *at, size_t size) {
    struct pdk_report report = {0};
    struct pdk_instance_options options = {.name = NULL,
                                           .config = pdk_values_get()->get(hello, "config"),
                                           .host = &hosted->host,
                                           .roles = PDK_ROLE_RUNNER};
    const char *file = "";
    (void)pdk_values_get()->string(pdk_values_get()->get(hello, "file"), &file);
    (void)pdk_values_get()->string(pdk_values_get()->get(hello, "instance"), &options.name);
    int32_t rc = pdk_library_open(file, &hosted->library, err);
    if (rc < 0) return rc;
    options.file = hosted->library.path;
    rc = pdk_instance_create(hosted->library.plugin, &options, &report, &hosted->instance);
    if (rc < 0) first_fault(&report, err, at, size);
    pdk_report_free(&report);
    return rc;
}

static void greet(struct pdk_hosted *hosted, const struct pdk_frame *frame) {
    const pdk_values *v = pdk_values_get();
    struct pdk_frame_rest rest = pdk_frame_rest(frame);
    struct pdk_wire_hello numbers;
    const pdk_value *hello = NULL;
    pdk_error err = PDK_ERROR;
    char at[512] = "";
    int32_t measured = 0;
    pdk_rest_take(&rest, &numbers, sizeof numbers);
    if (numbers.magic != PDK_WIRE_MAGIC || numbers.version != PDK_WIRE_VERSION || hosted->greeted) {
        leave(hosted, EXIT_BAD); /* paddock says so, by our hello */
        return;
    }
    hosted->greeted = true;
    int32_t rc = v->parse(v, rest.data, rest.size, "hello", &hello, &err);
    if (rc == 0) {
        (void)v->boolean(v->get(hello, "metrics"), &measured);
        hosted->measured = measured;
        hosted->host.name = hosted->name = copy_text(hello, "program");
        hosted->host.version = hosted->version = copy_text(hello, "version");
        rc = create(hosted, hello, &err, at, sizeof at);
    }
    send_error_at(hosted, PDK_MESSAGE_CREATED, 0, rc, false, &err, at);
    v->drop(hello);
}

static const char *missing(const struct pdk_instance *instance) {
    const char *const *need = instance->plugin->needs;
    while (need && *need && instance->host.get_extension(&instance->host, *need)) need++;
    return need ? *need : NULL;
}

static void begin(struct pdk_hosted *hosted) {
    struct pdk_instance *instance = hosted->instance;
    pdk_error err = PDK_ERROR;
    char text[600];
    if (!instance || instance->life != PDK_INSTANCE_MADE) return;
    const char *service = missing(instance);
    int32_t rc = service ? pdk_fail(&err, -ENOTSUP, NULL, "it needs ", service, ", which it is not given")
                         : pdk_instance_start(instance, &err);
    if (rc < 0) {
        (void)snprintf(text, sizeof text, "cannot start: %s", err.message);
        hosted->host.log(&instance->host, PDK_LOG_ERROR, 0, text);
        hosted->host.health(&instance->host, PDK_DOWN, err.message);
    } else if (!PDK_HAS(instance->plugin, start)) {
        hosted->host.health(&instance->host, PDK_UP, "");
    }
}

static void stop(struct pdk_hosted *hosted) {
    struct pdk_instance *instance = hosted->instance;
    if (hosted->stopping) return;
    hosted->stopping = true;
    if (instance && instance->life == PDK_INSTANCE_STARTED)
        pdk_instance_stop(instance);
    else
        hosted->host.stopped(instance ? &instance->host : &hosted->host);
}

/* ---- the wire */

static void on_frame(void *arg, const struct pdk_frame *frame) {
    struct pdk_hosted *hosted = arg;
    if (frame->type == PDK_MESSAGE_HELLO)
        greet(hosted, frame);
    else if (frame->type == PDK_MESSAGE_PING)
        pdk_hosted_send(hosted, PDK_MESSAGE_PONG, frame->id, NULL, 0, NULL, 0);
    else if (frame->type == PDK_MESSAGE_STOP)
        stop(hosted);
    if (!hosted->instance) return;
    switch ((int)frame->type) {
    case PDK_MESSAGE_BEGIN: begin(hosted); break;
    case PDK_MESSAGE_BUILD: pdk_hosted_build(hosted, frame->id, frame->data, frame->size); break;
    case PDK_MESSAGE_TRY: pdk_hosted_try(hosted, frame->id); break;
    case PDK_MESSAGE_START: pdk_hosted_start(hosted, frame); break;
    case PDK_MESSAGE_CANCEL:
    case PDK_MESSAGE_KILL:
    case PDK_MESSAGE_TAKEN:
    case PDK_MESSAGE_RELOAD: pdk_hosted_ask(hosted, frame); break;
    case PDK_MESSAGE_DESTROY: pdk_hosted_destroy(hosted, frame->id); break;
    default: break;
    }
}

static void on_closed(void *arg, const char *why) {
    struct pdk_hosted *hosted = arg;
    if (why) fprintf(stderr, "paddock-host: paddock sent %s\n", why);
    leave(hosted, why || !hosted->stopping ? EXIT_BAD : 0);
}

static const struct pdk_wire_ops wire_ops = {on_frame, on_closed};

/* ---- its life */

static void log_line(void *arg, int32_t level, const char *part, const char *run_id, const char *text) {
    struct pdk_hosted *hosted = arg;
    (void)part, (void)run_id;
    pdk_hosted_send(hosted, PDK_MESSAGE_LOG, 0, &level, sizeof level, text, strlen(text));
}

static int32_t child_output(void *arg, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    const struct pdk_hosted *hosted = arg;
    return hosted->host.output(&hosted->host, attempt, stream, data, size);
}

static int32_t open_session(struct pdk_hosted *hosted, int fd, pdk_error *err) {
    int32_t rc = pdk_ev_create(&hosted->ev);
    if (rc < 0) return rc;
    hosted->loop = pdk_ev_loop(hosted->ev);
    hosted->log = (struct pdk_log){log_line, hosted, PDK_LOG_DEBUG};
    rc = pdk_wire_open(&(struct pdk_wire_options){.loop = hosted->loop,
                                                  .fd = fd,
                                                  .direction = PDK_TO_HOST,
                                                  .limit = WAITING_MAX,
                                                  .block = true,
                                                  .ops = &wire_ops,
                                                  .arg = hosted},
                       &hosted->wire);
    if (rc == 0) rc = pdk_threads_create(hosted->loop, 0, 0, &hosted->pool);
    const struct pdk_spawner_options options = {.loop = hosted->loop,
                                                .log = &hosted->log,
                                                .subreaper = true,
                                                .cgroups = -1,
                                                .output = child_output,
                                                .arg = hosted};
    return rc == 0 ? pdk_spawner_create(&options, &hosted->spawner, err) : rc;
}

/* What the plugin was given stays where it is: a thread of its own, that it should have ended, may still call. */
static void close_session(struct pdk_hosted *hosted) {
    for (uint32_t i = 0; i < hosted->task_count; i++) pdk_hosted_destroy(hosted, i);
    if (hosted->instance) hosted->instance->plugin->destroy(hosted->instance->self);
    pdk_spawner_free(hosted->spawner);
}

/* Only after a stop is it sure that nothing of the plugin runs any more; else all is left as it is. */
int pdk_hosted_run(struct pdk_hosted *hosted, int fd) {
    const struct pdk_wire_hello hello = {PDK_WIRE_MAGIC, PDK_WIRE_VERSION};
    pdk_error err = PDK_ERROR;
    (void)pthread_mutex_init(&hosted->lock, NULL);
    hosted->early = PDK_BUFFER((size_t)64 << 20);
    pdk_hosted_host(hosted);
    int32_t rc = open_session(hosted, fd, &err);
    if (rc < 0) {
        fprintf(stderr, "paddock-host: cannot begin: %s\n", err.message[0] ? err.message : strerror(-rc));
        return EXIT_BAD;
    }
    pdk_hosted_send(hosted, PDK_MESSAGE_HELLO, 0, &hello, sizeof hello, NULL, 0);
    pdk_ev_run(hosted->ev);
    if (hosted->exit_code == 0) close_session(hosted);
    return hosted->exit_code;
}
