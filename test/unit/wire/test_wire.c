/* SPDX-License-Identifier: Apache-2.0 */
/* Two wires and the socket between them, on a loop that does what the test says. */
#include "support/unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire/wire.h"

struct loop {
    pdk_loop table;
    void (*ready)(void *arg, uint32_t events);
    void *arg;
    pdk_call *call;
    uint32_t events;
    bool watched;
};

struct end {
    struct loop loop;
    struct pdk_wire *wire;
    uint32_t frames, closed;
    char text[128], why[64];
    struct pdk_frame last;
    bool close_on_frame;
    size_t bytes;
};

static int32_t loop_io(const pdk_loop *loop, int32_t fd, uint32_t events, void (*ready)(void *, uint32_t), void *arg,
                       pdk_watch *ret) {
    struct loop *own = loop->data;
    (void)fd;
    own->ready = ready;
    own->arg = arg;
    own->events = events;
    own->watched = true;
    *ret = 1;
    return 0;
}

static int32_t loop_change(const pdk_loop *loop, pdk_watch watch, uint32_t events) {
    (void)watch;
    ((struct loop *)loop->data)->events = events;
    return 0;
}

static void loop_stop(const pdk_loop *loop, pdk_watch watch) {
    (void)watch;
    ((struct loop *)loop->data)->watched = false;
}

static void loop_post(const pdk_loop *loop, pdk_call *call) {
    ((struct loop *)loop->data)->call = call;
}

static void turn(struct end *end) {
    pdk_call *call = end->loop.call;
    end->loop.call = NULL;
    if (call) call->run(call->arg);
    if (end->loop.watched) end->loop.ready(end->loop.arg, end->loop.events);
}

static void on_frame(void *arg, const struct pdk_frame *frame) {
    struct end *end = arg;
    end->frames++;
    end->bytes += frame->size;
    end->last = *frame;
    (void)snprintf(end->text, sizeof end->text, "%.*s", (int)(frame->size < 100 ? frame->size : 100), frame->data);
    if (end->close_on_frame) pdk_wire_close(end->wire);
}

static void on_closed(void *arg, const char *why) {
    struct end *end = arg;
    end->closed++;
    (void)snprintf(end->why, sizeof end->why, "%s", why ? why : "");
}

static const struct pdk_wire_ops ops = {on_frame, on_closed};

static void open_end(struct end *end, int fd, int direction, size_t limit, bool block) {
    memset(end, 0, sizeof *end);
    end->loop.table = (pdk_loop){.struct_size = sizeof end->loop.table,
                                 .data = &end->loop,
                                 .io = loop_io,
                                 .change = loop_change,
                                 .stop = loop_stop,
                                 .post = loop_post};
    const struct pdk_wire_options options = {&end->loop.table, fd, direction, limit, block, &ops, end};
    assert_int_equal(pdk_wire_open(&options, &end->wire), 0);
}

static void open_both(struct end *near, struct end *far, size_t limit, bool block) {
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    open_end(near, fds[0], PDK_TO_PADDOCK, limit, block);
    open_end(far, fds[1], PDK_TO_HOST, limit, block);
}

static void close_end(struct end *end) {
    pdk_wire_close(end->wire);
    if (end->loop.call) end->loop.call->run(end->loop.call->arg); /* it only frees by now */
}

static int32_t build(struct end *end, uint64_t id, const char *data, size_t size) {
    const struct pdk_wire_part part = {data, size};
    return pdk_wire_send(end->wire, PDK_MESSAGE_BUILD, id, &part, 1);
}

/* Many are written at once, and come one by one. */
static void what_is_sent_arrives(void **state) {
    struct end near, far;
    (void)state;
    open_both(&near, &far, 1 << 20, false);
    for (uint64_t i = 0; i < 100; i++) assert_int_equal(build(&near, i, "{}", 2), 0);
    turn(&far);
    assert_int_equal(far.frames, 0);
    turn(&near);
    turn(&far);
    assert_int_equal(far.frames, 100);
    assert_int_equal(far.last.id, 99);
    assert_string_equal(far.text, "{}");
    close_end(&near);
    turn(&far);
    assert_int_equal(far.closed, 1);
    assert_string_equal(far.why, "");
    assert_int_equal(build(&far, 1, "", 0), 0); /* it is found out when it is written */
    close_end(&far);
}

/* One that is larger than any buffer, with the socket full now and then. */
static void a_large_one_arrives(void **state) {
    enum { SIZE = 3 << 20 };
    struct end near, far;
    char *data = malloc(SIZE);
    (void)state;
    memset(data, 'x', SIZE);
    open_both(&near, &far, 1 << 20, false);
    assert_int_equal(build(&near, 5, data, SIZE), 0);
    assert_int_equal(build(&near, 6, "", 0), -EAGAIN); /* too much waits */
    for (int i = 0; i < 1000 && !far.frames; i++) {
        turn(&near);
        turn(&far);
    }
    assert_int_equal(far.frames, 1);
    assert_int_equal(far.bytes, SIZE);
    assert_int_equal(pdk_wire_waiting(near.wire), 0);
    assert_int_equal(build(&near, 6, "", 0), 0);
    free(data);
    close_end(&near);
    close_end(&far);
}

static void too_large_is_not_sent(void **state) {
    struct end near, far;
    (void)state;
    open_both(&near, &far, 1 << 20, false);
    assert_int_equal(build(&near, 5, NULL, (size_t)PDK_PAYLOAD_MAX + 1), -EMSGSIZE);
    close_end(&near);
    close_end(&far);
}

static void nonsense_closes(void **state) {
    struct end near;
    const struct pdk_frame_head head = {1u << 30, PDK_MESSAGE_LOG, 0, 0};
    int fds[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    open_end(&near, fds[0], PDK_TO_PADDOCK, 1 << 20, false);
    assert_int_equal(write(fds[1], &head, sizeof head), sizeof head);
    turn(&near);
    assert_int_equal(near.closed, 1);
    assert_string_equal(near.why, "a message that is too large");
    assert_false(near.loop.watched);
    close(fds[1]);
    close_end(&near);
}

/* The frames behind the one that closed it are not heard of. */
static void closed_by_a_frame(void **state) {
    struct end near, far;
    (void)state;
    open_both(&near, &far, 1 << 20, false);
    far.close_on_frame = true;
    for (uint64_t i = 0; i < 3; i++) assert_int_equal(build(&near, i, "{}", 2), 0);
    turn(&near);
    turn(&far);
    assert_int_equal(far.frames, 1);
    assert_false(far.loop.watched);
    close_end(&near);
}

static void *read_all(void *arg) {
    struct end *far = arg;
    while (far->frames < 1000) turn(far);
    return NULL;
}

/* The side that may block waits for the other, and keeps no more than its limit and a frame. */
static void a_fast_one_waits(void **state) {
    enum { LIMIT = 256 << 10, SIZE = 64 << 10 };
    struct end near, far;
    char *data = calloc(1, SIZE);
    pthread_t reader;
    (void)state;
    open_both(&near, &far, LIMIT, true);
    assert_int_equal(pthread_create(&reader, NULL, read_all, &far), 0);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(build(&near, i, data, SIZE), 0);
        assert_true(pdk_wire_waiting(near.wire) <= LIMIT);
    }
    while (pdk_wire_waiting(near.wire)) pdk_wire_flush(near.wire);
    pthread_join(reader, NULL);
    assert_int_equal(far.bytes, (size_t)1000 * SIZE);
    free(data);
    close_end(&near);
    close_end(&far);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_arrives),  cmocka_unit_test(a_large_one_arrives),
        cmocka_unit_test(too_large_is_not_sent), cmocka_unit_test(nonsense_closes),
        cmocka_unit_test(closed_by_a_frame),     cmocka_unit_test(a_fast_one_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
