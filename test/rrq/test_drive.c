/* SPDX-License-Identifier: Apache-2.0 */
/* The runner role in virtual time, with real sockets: what a request is to the byte, and what no peer can bring about. */
#include <unistd.h>

#include "core/value/value.h"
#include "fake.h"
#include "frame.h"
#include "support/fail_alloc.h"
#include "support/unit.h"
#include "timestamp.h"

#define SECONDS(n) ((uint64_t)(n)*1000000000U)

struct drive {
    struct fake fake;
    struct pdk_rrq_pool *pool;
    const pdk_value *config, *with;
    pdk_spec spec;
    struct pdk_rrq_job *job;
    int listener, peer;
    uint32_t port;
    char got[2048]; /* the last frame's body */
};

static const pdk_value *json(const char *text) {
    const pdk_value *value = NULL;
    const pdk_values *values = pdk_values_get();
    pdk_error err = PDK_ERROR;
    if (values->parse(values, text, strlen(text), "test", &value, &err)) return NULL;
    return value;
}

/* An external runner on our own listener. */
static int32_t drive_begin_with(struct drive *d, const char *more, bool has_pool) {
    char config[256];
    pdk_error err = PDK_ERROR;
    memset(d, 0, sizeof *d);
    fake_init(&d->fake);
    d->fake.has_pool = has_pool;
    d->listener = fake_listen(&d->port);
    d->peer = -1;
    (void)snprintf(config, sizeof config, "{\"external\":\"127.0.0.1:%u\"%s}", d->port, more);
    d->config = json(config);
    if (!d->config) return -ENOMEM;
    int32_t rc = pdk_rrq_pool_create(&d->fake.host, d->config, &d->pool, &err);
    if (rc) return rc;
    (void)pdk_rrq_pool_start(d->pool, &err);
    fake_settle(&d->fake);
    d->peer = fake_accept(d->listener);
    return 0;
}

static int32_t drive_begin(struct drive *d, const char *more) {
    return drive_begin_with(d, more, false);
}

static int32_t drive_build(struct drive *d, const char *with) {
    pdk_error err = PDK_ERROR;
    void *task = NULL;
    d->with = json(with);
    if (!d->with) return -ENOMEM;
    d->spec = (pdk_spec){.struct_size = sizeof d->spec, .kind = "rrq", .name = "t", .slot = "t", .with = d->with};
    int32_t rc = pdk_rrq_build(d->pool, &d->spec, &task, &err);
    d->job = task;
    return rc;
}

static int32_t drive_start(struct drive *d, uint32_t number, const char *trace) {
    pdk_error err = PDK_ERROR;
    pdk_start start = {.struct_size = sizeof start,
                       .number = number,
                       .attempt = 100 + number,
                       .run_id = "rrq-t-1",
                       .deadline_ns = d->fake.now + SECONDS(60),
                       .trace = trace};
    int32_t rc = pdk_rrq_task_ops.start(d->job, &start, &err);
    fake_settle(&d->fake);
    return rc;
}

static void drive_end(struct drive *d) {
    if (d->job) pdk_rrq_task_ops.destroy(d->job);
    if (d->pool) {
        pdk_rrq_pool_stop(d->pool, fake_stopped, &d->fake);
        if (d->fake.child) d->fake.ops->ended(d->fake.child, &(pdk_exit){.struct_size = sizeof(pdk_exit)});
        fake_settle(&d->fake);
        assert_true(d->fake.stopped);
        pdk_rrq_pool_free(d->pool);
    }
    assert_int_equal(fake_left(&d->fake), 0);
    pdk_values_get()->drop(d->config);
    pdk_values_get()->drop(d->with);
    if (d->peer >= 0) close(d->peer);
    close(d->listener);
}

/* What the peer has been sent: one frame, whole. */
static const char *receive(struct drive *d) {
    unsigned char head[4];
    assert_int_equal(recv(d->peer, head, 4, 0), 4);
    size_t size = (size_t)head[2] << 8 | head[3];
    assert_true(!head[0] && !head[1] && size < sizeof d->got);
    assert_int_equal(recv(d->peer, d->got, size, 0), (ssize_t)size);
    d->got[size] = '\0';
    return d->got;
}

static void reply(struct drive *d, const char *rest) {
    char frame[512] = {0}, *body = frame + 4;
    int size = snprintf(body, sizeof frame - 4,
                        "{\"type\":\"response\",\"payload\":{\"job_id\":\"rrq-t-1\",\"request_id\":\"%s\",%s}}",
                        d->job->id, rest);
    frame[2] = (char)(size >> 8);
    frame[3] = (char)size;
    assert_int_equal(send(d->peer, frame, (size_t)size + 4, MSG_NOSIGNAL), size + 4); /* in one, as runners do */
    fake_settle(&d->fake);
}

static void a_request_to_the_byte(void **state) {
    struct drive d;
    char expected[1024];
    (void)state;
    assert_int_equal(drive_begin(&d, ""), 0);
    assert_int_equal(drive_build(&d, "{\"function\":\"echo\",\"params\":{\"k\":\"v\"},\"correlation\":{\"c\":\"1\"}}"),
                     0);
    assert_int_equal(drive_start(&d, 2, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), 0);
    (void)snprintf(
        expected, sizeof expected,
        "{\"type\":\"request\",\"payload\":{\"protocol_version\":\"2\",\"request_id\":\"%s\",\"job_id\":\"rrq-t-1\","
        "\"function_name\":\"echo\",\"params\":{\"k\":\"v\"},\"context\":{\"job_id\":\"rrq-t-1\",\"attempt\":2,"
        "\"enqueue_time\":\"2026-01-01T00:00:01.000000000Z\",\"queue_name\":\"rrq:queue:default\","
        "\"deadline\":\"2026-01-01T00:01:01.000000000Z\",\"trace_context\":{\"traceparent\":"
        "\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"},\"correlation_context\":{\"c\":\"1\"},"
        "\"worker_id\":\"%s\"}}}",
        d.job->id, d.pool->worker_id);
    assert_string_equal(receive(&d), expected);
    reply(&d, "\"status\":\"success\"");
    assert_int_equal(d.fake.done, 1);
    assert_int_equal(d.fake.attempt, 102);
    drive_end(&d);
}

static void a_cancel_to_the_byte(void **state) {
    struct drive d;
    char expected[256];
    (void)state;
    assert_int_equal(drive_begin(&d, ""), 0);
    assert_int_equal(drive_build(&d, "{\"function\":\"f\",\"job_id\":\"rrq-t-1\"}"), 0);
    assert_int_equal(drive_start(&d, 1, ""), 0);
    (void)receive(&d);
    pdk_rrq_task_ops.cancel(d.job, PDK_CANCEL_USER);
    (void)snprintf(
        expected, sizeof expected,
        "{\"type\":\"cancel\",\"payload\":{\"protocol_version\":\"2\",\"job_id\":\"rrq-t-1\",\"request_id\":\"%s\","
        "\"hard_kill\":false}}",
        d.job->id);
    assert_string_equal(receive(&d), expected);
    assert_int_equal(d.fake.done, 0);
    reply(&d, "\"status\":\"error\",\"error\":{\"message\":\"Job cancelled\",\"type\":\"cancelled\"}");
    assert_int_equal(d.fake.status, PDK_CANCELED);
    drive_end(&d);
}

/* A peer that listens and does not read is not waited for. */
static void a_request_that_nobody_reads(void **state) {
    static char with[4 << 20];
    struct drive d;
    (void)state;
    assert_int_equal(drive_begin(&d, ""), 0);
    int used = snprintf(with, sizeof with, "{\"function\":\"f\",\"params\":{\"text\":\"");
    memset(with + used, 'x', sizeof with - (size_t)used - 4);
    memcpy(with + sizeof with - 4, "\"}}", 4);
    assert_int_equal(drive_build(&d, with), 0);
    assert_int_equal(drive_start(&d, 1, ""), 0);
    pdk_rrq_task_ops.cancel(d.job, PDK_CANCEL_TIMEOUT);
    assert_int_equal(d.fake.done, 0);
    pdk_rrq_task_ops.kill(d.job);
    assert_int_equal(d.fake.done, 1);
    assert_int_equal(d.fake.status, PDK_CANCELED);
    drive_end(&d);
}

static void a_request_beyond_16_mib(void **state) {
    char *with = calloc(1, 16777000);
    struct drive d;
    (void)state;
    assert_non_null(with);
    assert_int_equal(drive_begin(&d, ""), 0);
    int used = snprintf(with, 100, "{\"function\":\"f\",\"params\":{\"text\":\"");
    memset(with + used, 'x', 16777000 - (size_t)used - 4);
    memcpy(with + 16777000 - 4, "\"}}", 4);
    assert_int_equal(drive_build(&d, with), 0);
    free(with);
    assert_int_equal(drive_start(&d, 1, ""), 0);
    assert_int_equal(d.fake.done, 1);
    assert_int_equal(d.fake.status, PDK_FATAL);
    assert_string_equal(d.fake.code, "too_large");
    drive_end(&d);
}

/* Its words behind the reply are of no interest any more, but its connection is still good. */
static void the_next_attempt_has_another_id(void **state) {
    struct drive d;
    char first[PDK_RRQ_ID];
    (void)state;
    assert_int_equal(drive_begin(&d, ""), 0);
    assert_int_equal(drive_build(&d, "{\"function\":\"f\"}"), 0);
    assert_int_equal(drive_start(&d, 1, ""), 0);
    (void)receive(&d);
    memcpy(first, d.job->id, sizeof first);
    reply(&d, "\"status\":\"retry\",\"retry_after_seconds\":1e300");
    assert_int_equal(d.fake.status, PDK_RETRY);
    assert_int_equal(d.fake.retry_after, SECONDS(1000000000));
    assert_int_equal(drive_start(&d, 2, ""), 0);
    (void)receive(&d);
    assert_string_not_equal(first, d.job->id);
    reply(&d, "\"status\":\"success\"");
    assert_int_equal(d.fake.done, 2);
    drive_end(&d);
}

/* One whole life, with what can be refused on the way. */
static int32_t one_life(void *arg) {
    struct drive d;
    const char *how = arg;
    int32_t rc = drive_begin(&d, how);
    if (!rc) rc = drive_build(&d, "{\"function\":\"f\",\"params\":{\"a\":[1]},\"correlation\":{\"x\":\"y\"}}");
    for (int i = 0; !rc && i < 40 && (d.peer < 0 || d.fake.health == PDK_DOWN); i++) { /* it was refused a connection */
        fake_advance(&d.fake, SECONDS(1));
        if (d.peer < 0) d.peer = fake_accept(d.listener);
    }
    if (!rc) rc = drive_start(&d, 1, "");
    if (!rc && !d.fake.done && d.peer >= 0) {
        char drain[4096];
        if (d.peer >= 0) (void)recv(d.peer, drain, sizeof drain, 0);
        int other = fake_accept(d.listener); /* a connection each, or a new one */
        if (other >= 0) {
            close(d.peer);
            d.peer = other;
            fake_settle(&d.fake);
        }
        reply(&d, "\"status\":\"success\",\"result\":{\"x\":[1,2,{\"y\":null}]}");
    }
    if (!rc && !d.fake.done) { /* nobody heard the reply: its connection had to be given up */
        pdk_rrq_task_ops.cancel(d.job, PDK_CANCEL_USER);
        fake_settle(&d.fake);
        if (!d.fake.done) pdk_rrq_task_ops.kill(d.job);
    }
    if (!rc) assert_int_equal(d.fake.done, 1);
    bool good = rc == 0 && d.fake.status == PDK_SUCCESS;
    drive_end(&d);
    return good ? 0 : -ENOMEM;
}

/* Nothing but its process, which is started, ends, and is started again. */
static int32_t one_process(void *arg) {
    struct drive d = {.peer = -1};
    pdk_error err = PDK_ERROR;
    (void)arg;
    fake_init(&d.fake);
    d.listener = fake_listen(&d.port);
    d.config = json("{\"command\":[\"x\"],\"env\":{\"A\":\"b\"},\"cwd\":\"/\"}");
    int32_t rc = d.config ? pdk_rrq_pool_create(&d.fake.host, d.config, &d.pool, &err) : -ENOMEM;
    if (!rc) rc = pdk_rrq_pool_start(d.pool, &err);
    bool good = d.fake.child != NULL;
    for (int i = 0; !rc && i < 2; i++) {
        if (d.fake.child) d.fake.ops->ended(d.fake.child, &(pdk_exit){.struct_size = sizeof(pdk_exit)});
        d.fake.child = NULL;
        fake_advance(&d.fake, SECONDS(1));
        good = good && d.fake.child;
    }
    drive_end(&d);
    return good ? rc : -ENOMEM;
}

static void every_allocation_may_fail(void **state) {
    static char shared[] = "", each[] = ",\"multiplex\":false";
    (void)state;
    assert_true(pdk_fail_sweep(one_life, shared) > 10);
    assert_true(pdk_fail_sweep(one_life, each) > 10);
    assert_true(pdk_fail_sweep(one_process, NULL) > 5);
}

/* ---- a process that is made up ---- */

static void begin_managed(struct drive *d, const char *more) {
    char config[256];
    pdk_error err = PDK_ERROR;
    memset(d, 0, sizeof *d);
    fake_init(&d->fake);
    d->listener = fake_listen(&d->port);
    d->peer = -1;
    close(d->listener); /* the port is free again: it is the one to be given */
    (void)snprintf(config, sizeof config, "{\"command\":[\"x\"],\"port\":%u%s}", d->port, more);
    d->config = json(config);
    assert_non_null(d->config);
    assert_int_equal(pdk_rrq_pool_create(&d->fake.host, d->config, &d->pool, &err), 0);
    assert_int_equal(pdk_rrq_pool_start(d->pool, &err), 0);
}

static void ended(struct drive *d, int32_t code) {
    void *child = d->fake.child;
    d->fake.child = NULL;
    d->fake.ops->ended(child, &(pdk_exit){.struct_size = sizeof(pdk_exit), .exit_code = code});
    fake_settle(&d->fake);
}

static void readiness_has_its_time(void **state) {
    struct drive d;
    (void)state;
    begin_managed(&d, ",\"connect_timeout\":\"2s\",\"stop\":{\"grace\":\"1s\"}");
    assert_int_equal(d.pool->workers[0].state, PDK_RRQ_SPAWNING);
    d.fake.ops->started(d.fake.child, 77);
    fake_advance(&d.fake, SECONDS(2) - 1);
    assert_int_equal(d.pool->workers[0].state, PDK_RRQ_CONNECTING);
    assert_int_equal(d.fake.signal, 0);
    fake_advance(&d.fake, 1);
    assert_int_equal(d.pool->workers[0].state, PDK_RRQ_STOPPING);
    assert_int_equal(d.fake.signal, 15);
    fake_advance(&d.fake, SECONDS(1) - 1);
    assert_false(d.fake.killed);
    fake_advance(&d.fake, 1);
    assert_true(d.fake.killed);
    ended(&d, 0);
    assert_int_equal(d.pool->workers[0].state, PDK_RRQ_PAUSING);
    assert_int_equal(d.fake.health, PDK_DOWN);
    drive_end(&d);
}

static void pauses_grow_and_begin_anew(void **state) {
    static const uint64_t pauses[] = {200, 400, 800, 1600, 3200, 5000, 5000};
    struct drive d;
    (void)state;
    begin_managed(&d, ",\"crash_limit\":0,\"backoff\":{\"max\":\"5s\",\"jitter\":\"none\"}");
    for (size_t i = 0; i < COUNT_OF(pauses); i++) {
        ended(&d, 1);
        assert_int_equal(d.pool->workers[0].state, PDK_RRQ_PAUSING);
        fake_advance(&d.fake, pauses[i] * 1000000 - 1);
        assert_null(d.fake.child);
        fake_advance(&d.fake, 1);
        assert_non_null(d.fake.child);
    }
    drive_end(&d);
}

static void crashes_have_a_limit(void **state) {
    struct drive d;
    (void)state;
    begin_managed(&d, ",\"crash_limit\":3");
    for (int i = 0; i < 3; i++) {
        assert_non_null(d.fake.child);
        ended(&d, 1);
        fake_advance(&d.fake, SECONDS(60));
    }
    assert_int_equal(d.pool->workers[0].state, PDK_RRQ_GIVEN_UP);
    assert_int_equal(d.fake.health, PDK_DEGRADED);
    assert_int_equal(drive_build(&d, "{\"function\":\"f\"}"), 0);
    assert_int_equal(drive_start(&d, 1, ""), 0);
    assert_int_equal(d.fake.done, 1);
    assert_int_equal(d.fake.status, PDK_FATAL);
    assert_string_equal(d.fake.code, "crash_loop");
    drive_end(&d);
}

/* A stop that comes before the process was started, and one that comes twice. */
static void stop_at_any_time(void **state) {
    struct drive d;
    (void)state;
    begin_managed(&d, "");
    pdk_rrq_pool_stop(d.pool, fake_stopped, &d.fake);
    assert_int_equal(d.fake.signal, 15);
    assert_false(d.fake.stopped);
    d.fake.ops->started(d.fake.child, 77);
    ended(&d, 0);
    assert_true(d.fake.stopped);
    assert_int_equal(d.pool->workers[0].state, PDK_RRQ_STOPPED);
    drive_end(&d);
}

static void times_of_rfc_3339(void **state) {
    char text[48];
    (void)state;
    pdk_rrq_time_print(0, text, sizeof text);
    assert_string_equal(text, "1970-01-01T00:00:00.000000000Z");
    pdk_rrq_time_print(UINT64_C(1893456300123456789), text, sizeof text);
    assert_string_equal(text, "2030-01-01T00:05:00.123456789Z");
}

/* ---- replies that a thread parses */

static void send_all(struct drive *d, const char *data, size_t size) {
    while (size) {
        ssize_t n = send(d->peer, data, size, MSG_NOSIGNAL);
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
        assert_true(n > 0 || errno == EAGAIN);
        fake_settle(&d->fake);
    }
}

/* A reply of more than PDK_RRQ_LARGE bytes, of which `wrong` is no JSON; and `behind` comes right behind it. */
static void large_reply(struct drive *d, bool wrong, const char *behind, size_t behind_size) {
    size_t room = PDK_RRQ_LARGE + 1024;
    char *frame = malloc(room + behind_size), *body = frame + PDK_RRQ_HEAD;
    assert_non_null(frame);
    int size = snprintf(body, room - PDK_RRQ_HEAD,
                        "{\"type\":\"response\",\"payload\":{\"job_id\":\"rrq-t-1\",\"request_id\":\"%s\","
                        "\"status\":\"success\",\"result\":\"%0*d\"%s}}",
                        d->job->id, (int)PDK_RRQ_LARGE, 7, wrong ? "]" : "");
    pdk_rrq_frame_head(frame, (size_t)size);
    memcpy(body + size, behind, behind_size);
    send_all(d, frame, PDK_RRQ_HEAD + (size_t)size + behind_size);
    free(frame);
}

static void large_begin(struct drive *d) {
    assert_int_equal(drive_begin_with(d, "", true), 0);
    assert_int_equal(drive_build(d, "{\"function\":\"echo\"}"), 0);
    assert_int_equal(drive_start(d, 1, ""), 0);
    (void)receive(d);
}

static void a_large_reply(void **state) {
    static const char behind[] = "\0\0\0\x02{}"; /* ignored, but a frame */
    struct drive d;
    (void)state;
    large_begin(&d);
    large_reply(&d, false, behind, sizeof behind - 1);
    assert_int_equal(d.fake.job_count, 1);
    assert_int_equal(d.fake.done, 0);
    assert_true(fake_work(&d.fake));
    assert_int_equal(d.fake.done, 1);
    assert_int_equal(d.fake.status, PDK_SUCCESS);
    assert_int_equal(drive_start(&d, 2, ""), 0); /* the connection is as good as before */
    (void)receive(&d);
    reply(&d, "\"status\":\"success\"");
    assert_int_equal(d.fake.done, 2);
    drive_end(&d);
}

static void a_large_reply_that_is_no_json(void **state) {
    struct drive d;
    (void)state;
    large_begin(&d);
    large_reply(&d, true, "", 0);
    assert_true(fake_work(&d.fake));
    assert_int_equal(d.fake.done, 1);
    assert_int_equal(d.fake.status, PDK_FAILURE);
    assert_non_null(strstr(d.fake.message, "no JSON"));
    drive_end(&d);
}

/* Its end is found when what came before it has been read, though it is told of at once. */
static void a_large_reply_and_the_end(void **state) {
    struct drive d;
    (void)state;
    large_begin(&d);
    large_reply(&d, false, "", 0);
    close(d.peer);
    d.peer = -1;
    fake_settle(&d.fake);
    assert_int_equal(d.fake.done, 0);
    assert_true(fake_work(&d.fake));
    assert_int_equal(d.fake.done, 1);
    assert_int_equal(d.fake.status, PDK_SUCCESS);
    drive_end(&d);
}

/* The instance stops when the thread is done with its text, and not before. */
static void a_large_reply_that_nobody_waits_for(void **state) {
    struct drive d;
    (void)state;
    large_begin(&d);
    large_reply(&d, false, "", 0);
    pdk_rrq_task_ops.kill(d.job);
    fake_settle(&d.fake);
    assert_int_equal(d.fake.done, 1);
    assert_int_not_equal(d.fake.status, PDK_SUCCESS);
    pdk_rrq_task_ops.destroy(d.job);
    d.job = NULL;
    pdk_rrq_pool_stop(d.pool, fake_stopped, &d.fake);
    fake_settle(&d.fake);
    assert_false(d.fake.stopped);
    assert_true(fake_work(&d.fake));
    assert_true(d.fake.stopped);
    assert_int_equal(d.fake.done, 1);
    pdk_rrq_pool_free(d.pool);
    d.pool = NULL;
    drive_end(&d);
}

/* Then it is parsed where it came. */
static void the_pool_is_full(void **state) {
    struct drive d;
    (void)state;
    large_begin(&d);
    d.fake.job_count = FAKE_JOBS;
    large_reply(&d, false, "", 0);
    assert_int_equal(d.fake.done, 1);
    assert_int_equal(d.fake.status, PDK_SUCCESS);
    d.fake.job_count = 0;
    drive_end(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_to_the_byte),
        cmocka_unit_test(a_cancel_to_the_byte),
        cmocka_unit_test(a_request_that_nobody_reads),
        cmocka_unit_test(a_request_beyond_16_mib),
        cmocka_unit_test(the_next_attempt_has_another_id),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(readiness_has_its_time),
        cmocka_unit_test(pauses_grow_and_begin_anew),
        cmocka_unit_test(crashes_have_a_limit),
        cmocka_unit_test(stop_at_any_time),
        cmocka_unit_test(times_of_rfc_3339),
        cmocka_unit_test(a_large_reply),
        cmocka_unit_test(a_large_reply_that_is_no_json),
        cmocka_unit_test(a_large_reply_and_the_end),
        cmocka_unit_test(a_large_reply_that_nobody_waits_for),
        cmocka_unit_test(the_pool_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
