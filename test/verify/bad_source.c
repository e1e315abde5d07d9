/* SPDX-License-Identifier: Apache-2.0 */
/* A source that brings something in every ten milliseconds; see bad.h for what is wrong with it. */
#include "bad.h"

struct spring {
    const pdk_host *host;
    const pdk_loop *loop;
    const pdk_source *source;
    pdk_watch timer;
    uint64_t next;
    uint32_t open;
    bool busy, draining, dry, stopping;
};

static void *volatile leaked; /* of 651 */

static void tell_stopped(struct spring *spring) {
    spring->stopping = false;
    spring->host->stopped(spring->host);
}

static int32_t make_spec(struct spring *spring, const pdk_value **ret) {
    const pdk_values *values = spring->host->values;
    pdk_writer *w = values->open(values);
    values->put_map(w);
    values->key(w, "kind");
    values->put_string(w, "echo", 4);
    values->end(w);
    return values->close(w, ret, NULL);
}

static void flow(void *arg) {
    struct spring *spring = arg;
    const pdk_value *spec = NULL;
    pdk_submission submission = {.struct_size = (uint32_t)sizeof submission, .delivery = spring->next};
    pdk_error err = PDK_ERROR;
    int32_t rc;
    if (spring->dry || (spring->draining && !BAD(640)) || (spring->busy && !BAD(620))) return;
    if (make_spec(spring, &spec) < 0) return;
    submission.spec = spec;
    rc = spring->source->submit(spring->source, &submission, NULL, &err);
    if (!BAD(245)) spring->host->values->drop(spec);
    if (rc == -EINVAL && BAD(630)) abort();
    if (rc == -EINVAL && BAD(631)) spring->dry = true;
    spring->busy = rc == -EAGAIN;
    if (rc == 0) spring->open++;
    if (rc == 0 || rc == -EINVAL) spring->next++;
    if (BAD(651)) leaked = malloc(10);
}

static void settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    struct spring *spring = self;
    (void)delivery;
    spring->open--;
    if (BAD(610) && outcome->end == PDK_END_LOST) abort();
    if (BAD(611)) (void)spring->source->cancel(spring->source, 99999);
}

static void resume(void *self) {
    struct spring *spring = self;
    if (!BAD(621)) spring->busy = false;
}

static void drain(void *self) {
    struct spring *spring = self;
    spring->draining = true;
}

static const pdk_source_ops source = {PDK_HEAD(pdk_source_ops), settled, resume, drain, NULL, NULL};

static int32_t begin_to_flow(struct spring *spring) {
    return spring->loop->timer(spring->loop, 10000000, 10000000, flow, spring, &spring->timer);
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct spring *spring = calloc(1, sizeof *spring);
    (void)config, (void)err;
    if (!spring) return -ENOMEM;
    spring->host = host;
    spring->loop = host->get_extension(host, PDK_LOOP_1);
    spring->source = host->get_extension(host, PDK_SOURCE_1);
    spring->next = 1;
    if (BAD(600)) (void)begin_to_flow(spring);
    *ret = spring;
    return 0;
}

static int32_t start(void *self, pdk_error *err) {
    struct spring *spring = self;
    int32_t rc = BAD(600) ? 0 : begin_to_flow(spring);
    if (rc < 0) return pdk_fail(err, rc, NULL, "no timer", NULL, NULL);
    spring->host->health(spring->host, PDK_UP, "flowing");
    return 0;
}

static void stop(void *self) {
    struct spring *spring = self;
    if (!BAD(650)) spring->loop->stop(spring->loop, spring->timer);
    if (!BAD(641)) tell_stopped(spring);
}

static void destroy(void *self) {
    struct spring *spring = self;
    if (BAD(600)) spring->loop->stop(spring->loop, spring->timer);
    free(self);
}

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD, "spring", "1",     "",  "Brings things in", NULL, NULL, NULL, &source, NULL, create,
    start,           stop,     destroy, NULL};
