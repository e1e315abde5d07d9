/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Not simulated: a real loop, a real clock, and threads that say done, write output, tell progress and misbehave while
 * the loop cancels. Meant for ThreadSanitizer; each run must still have exactly one outcome.
 */
#include "sim.h"

#include <sched.h>

enum { RUNS = 3000, THREADS = 4, RING = 256 };

struct told {
    const pdk_host *host;
    pdk_attempt attempt;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct told ring[RING];
    uint32_t first, count;
    bool closed;
    const pdk_host *host;
    pdk_supervisor *s;
    uint32_t submitted, settled, alive;
    uint8_t outcomes[RUNS + 1];
} world;

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    world.host = host;
    *ret = &world;
    return 0;
}
static void destroy(void *self) {
    (void)self;
}
static int32_t start(void *task, const pdk_start *info, pdk_error *err) {
    (void)task, (void)err;
    pthread_mutex_lock(&world.lock);
    bool room = world.count < RING;
    if (room) world.ring[(world.first + world.count++) % RING] = (struct told){world.host, info->attempt};
    pthread_cond_signal(&world.more);
    pthread_mutex_unlock(&world.lock);
    return room ? 0 : -EAGAIN;
}
static void cancel(void *task, int32_t reason) {
    (void)task, (void)reason; /* the threads end it soon enough */
}
static void end_task(void *task) {
    (void)task;
}
static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    (void)spec, (void)err;
    *ret = self;
    return 0;
}

static const pdk_param params[] = {PDK_PARAM_END};
static const pdk_schema kind = PDK_SCHEMA("race", "Ended by threads", params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_task_ops ops = {sizeof ops, 0, start, cancel, NULL, NULL, end_task, NULL};
static const pdk_runner_ops runner = {sizeof runner, 0, kinds, &ops, NULL, build};
static const pdk_plugin plugin = {PDK_PLUGIN_HEAD, "race", "1",  "",      "",  NULL, NULL, &runner, NULL, NULL,
                                  create,          NULL,   NULL, destroy, NULL};

static bool take(struct told *told) {
    pthread_mutex_lock(&world.lock);
    while (!world.count && !world.closed) pthread_cond_wait(&world.more, &world.lock);
    bool any = world.count > 0;
    if (any) {
        *told = world.ring[world.first];
        world.first = (world.first + 1) % RING;
        world.count--;
    }
    pthread_mutex_unlock(&world.lock);
    return any;
}

static void *work(void *arg) {
    struct told told;
    uint64_t dice = (uint64_t)(uintptr_t)arg * 977 + 1;
    while (take(&told)) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        uint32_t n = (uint32_t)(dice >> 40);
        pdk_result result = PDK_RESULT(n % 3 ? PDK_SUCCESS : PDK_FAILURE, PDK_CAT_OTHER, "said by a thread");
        const pdk_host *host = told.host;
        if (n % 2) (void)host->output(host, told.attempt, 1 + (int32_t)(n % 2), "a line\nand a half", 17);
        if (n % 5 == 0) (void)host->progress(host, told.attempt, 0.5, "half");
        if (n % 7 == 0) (void)host->ready(host, told.attempt);
        if (n % 11 == 0) host->log(host, PDK_LOG_INFO, told.attempt, "on its way");
        if (n % 13 == 0) host->health(host, PDK_DEGRADED, "so so");
        if (n % 17 == 0) sched_yield();
        (void)host->done(host, told.attempt, &result);
        if (n % 19 == 0) (void)host->done(host, told.attempt, &result);
        if (n % 23 == 0) (void)host->output(host, told.attempt, PDK_STDOUT, "late", 4);
        if (n % 29 == 0) host->log(host, PDK_LOG_INFO, told.attempt, "late");
    }
    return NULL;
}

static void settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    (void)arg, (void)outcome;
    uint64_t seq = run >> PDK_INDEX_BITS;
    assert_true(seq <= RUNS);
    assert_int_equal(world.outcomes[seq]++, 0);
    world.settled++;
}

static void feed(void *arg);
static pdk_call feeder = {feed, NULL, {NULL, NULL}};

/* A few at a time, and now and then one of them is cancelled at once. */
static void feed(void *arg) {
    const pdk_values *v = pdk_values_get();
    const pdk_control *control = pdk_supervisor_control(world.s);
    (void)arg;
    for (int i = 0; i < 20 && world.submitted < RUNS; i++) {
        char text[160];
        const pdk_value *spec = NULL;
        pdk_submit_options options = {sizeof options, 0, settled, NULL, NULL, 0, NULL};
        pdk_run run;
        (void)snprintf(text, sizeof text,
                       "{\"name\":\"t%u\",\"kind\":\"race\",\"retries\":2,\"backoff\":\"1ms\",\"timeout\":\"2s\"}",
                       world.submitted);
        assert_int_equal(v->parse(v, text, strlen(text), "race", &spec, NULL), 0);
        assert_int_equal(pdk_supervisor_submit(world.s, spec, &options, &run, NULL), 0);
        v->drop(spec);
        world.submitted++;
        if (world.submitted % 9 == 0) assert_int_equal(control->cancel(control, run, "race"), 0);
    }
    const pdk_loop *loop = pdk_supervisor_loop(world.s);
    if (world.submitted == RUNS && world.settled == RUNS) {
        (void)pdk_supervisor_shutdown(world.s);
    } else {
        loop->post(loop, &feeder);
    }
}

static void heard(void *arg, const pdk_event *event) {
    (*(uint64_t *)arg) += event->size;
}

static void on_log(void *arg, int32_t level, const char *part, const char *run_id, const char *text) {
    (void)arg, (void)level, (void)part;
    assert_true(strlen(run_id) < 160 && strlen(text) > 0);
}

static void threads_race(void **state) {
    pdk_supervisor_options options = {.struct_size = sizeof options, .seed = 1, .running = 100, .log = on_log};
    pthread_t threads[THREADS];
    pdk_error err = PDK_ERROR;
    uint64_t bytes = 0;
    pdk_watch watch;
    (void)state;
    assert_int_equal(pthread_mutex_init(&world.lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&world.more, NULL), 0);
    if (pdk_supervisor_create(&options, &world.s, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(pdk_supervisor_add(world.s, &plugin, NULL, &err), 0);
    assert_int_equal(pdk_supervisor_start(world.s, &err), 0);
    const pdk_control *control = pdk_supervisor_control(world.s);
    pdk_filter filter = {.struct_size = sizeof filter, .events = 0xffff};
    assert_int_equal(control->subscribe(control, &filter, heard, &bytes, &watch), 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
    feed(NULL);
    assert_int_equal(pdk_supervisor_run(world.s), 0);
    pthread_mutex_lock(&world.lock);
    world.closed = true;
    pthread_cond_broadcast(&world.more);
    pthread_mutex_unlock(&world.lock);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_int_equal(world.settled, RUNS);
    assert_int_equal(world.s->running, 0);
    assert_int_equal(pdk_supervisor_stopped(world.s, NULL), 1);
    assert_true(bytes > 0);
    char text[256];
    assert_null(pdk_supervisor_check(world.s, text, sizeof text));
    pdk_supervisor_destroy(world.s);
    pthread_mutex_destroy(&world.lock);
    pthread_cond_destroy(&world.more);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_race)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
