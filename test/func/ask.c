/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A console without a face: it hands what comes on a datagram socket, $PADDOCK_ASK, to control/1, and sends the answer back:
 *
 *     {"inspect": "server"}      {"command": "reload", "params": {}}      ->  {"rc": 0, "answer": ..., "message": ""}
 */
#include <paddock/control.h>
#include <paddock/helpers.h>
#include <paddock/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const pdk_param params[] = {PDK_PARAM_END};
static const pdk_schema config_schema = PDK_SCHEMA("", "Asks", params);

struct instance {
    const pdk_host *host;
    const pdk_loop *loop;
    pdk_watch watch;
    int fd;
};

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct instance *instance = calloc(1, sizeof *instance);
    (void)config, (void)err;
    if (!instance) return -ENOMEM;
    instance->host = host;
    instance->loop = host->get_extension(host, PDK_LOOP_1);
    instance->fd = -1;
    *ret = instance;
    return 0;
}

static int32_t ask(const struct instance *instance, const pdk_value *question, const pdk_value **answer,
                   pdk_error *err) {
    const pdk_values *v = instance->host->values;
    const pdk_control *control = instance->host->get_extension(instance->host, PDK_CONTROL_1);
    const pdk_value *subject = v->get(question, "inspect"), *verb = v->get(question, "command");
    if (!control) return pdk_fail(err, -EPERM, NULL, "no control", NULL, NULL);
    const char *text = "";
    if (v->string(subject ? subject : verb, &text) < 0) return -EINVAL;
    if (subject) return control->inspect(control, text, 0, NULL, answer, err);
    return control->command(control, text, v->get(question, "params"), answer, err);
}

struct text {
    char data[65536];
    size_t size;
};

static void add(void *arg, const char *data, size_t size) {
    struct text *text = arg;
    if (size > sizeof text->data - text->size) size = sizeof text->data - text->size;
    memcpy(text->data + text->size, data, size);
    text->size += size;
}

static void reply(const struct instance *instance, int32_t rc, const pdk_value *answer, const char *message,
                  const struct sockaddr_un *to, socklen_t size) {
    static struct text text;
    const pdk_values *v = instance->host->values;
    const pdk_value *value = NULL;
    pdk_writer *w = v->open(v);
    text.size = 0;
    v->put_map(w);
    v->key(w, "rc");
    v->put_int(w, rc);
    v->key(w, "message");
    v->put_string(w, message, strlen(message));
    v->key(w, "answer");
    v->put_value(w, answer);
    v->end(w);
    if (v->close(w, &value, NULL) == 0) (void)v->print(v, value, 0, add, &text);
    (void)sendto(instance->fd, text.data, text.size, MSG_NOSIGNAL, (const struct sockaddr *)to, size);
    v->drop(value);
}

static void on_question(void *arg, uint32_t events) {
    const struct instance *instance = arg;
    const pdk_values *v = instance->host->values;
    const pdk_value *question = NULL, *answer = NULL;
    struct sockaddr_un from;
    socklen_t from_size = sizeof from;
    pdk_error err = PDK_ERROR;
    char data[8192];
    (void)events;
    ssize_t size = recvfrom(instance->fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);
    if (size <= 0) return;
    int32_t rc = v->parse(v, data, (size_t)size, "question", &question, &err);
    if (rc == 0) rc = ask(instance, question, &answer, &err);
    reply(instance, rc, answer, err.message, &from, from_size);
    v->drop(answer);
    v->drop(question);
}

static int32_t start(void *self, pdk_error *err) {
    struct instance *instance = self;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("PADDOCK_ASK");
    if (!path) return pdk_fail(err, -EINVAL, NULL, "PADDOCK_ASK is not set", NULL, NULL);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    instance->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (instance->fd < 0 || bind(instance->fd, (struct sockaddr *)&address, sizeof address) < 0)
        return pdk_fail(err, -errno, NULL, "cannot listen at ", path, NULL);
    int32_t rc = instance->loop->io(instance->loop, instance->fd, PDK_READ, on_question, instance, &instance->watch);
    if (rc == 0) instance->host->health(instance->host, PDK_UP, "asks");
    return rc;
}

static void stop(void *self) {
    struct instance *instance = self;
    instance->loop->stop(instance->loop, instance->watch);
    if (instance->fd >= 0) (void)close(instance->fd);
    instance->fd = -1;
    instance->host->stopped(instance->host);
}

static void settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    (void)self, (void)delivery, (void)outcome;
}

static void resume(void *self) {
    (void)self;
}

static const pdk_source_ops source = {PDK_HEAD(pdk_source_ops), .settled = settled, .resume = resume, .drain = resume};
static const char *const needs[] = {PDK_LOOP_1, NULL};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD,
    .name = "ask",
    .version = "1",
    .author = "",
    .description = "Asks what a console may",
    .needs = needs,
    .config = &config_schema,
    .source = &source,
    .create = create,
    .start = start,
    .stop = stop,
    .destroy = free,
};
