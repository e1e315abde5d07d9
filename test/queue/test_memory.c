/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory at every place in turn, in the queue and in the supervisor around it, on both threads: what was
 * acknowledged ends all the same, everything asked is answered once, and nothing is left behind (the sanitizers look).
 */
#include "support/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/supervise/supervisor.h"
#include "paddock/queue.h"
#include "support/asking.h"
#include "support/extension.h"
#include "support/fail_alloc.h"
#include "support/runner.h"

static pdk_supervisor *supervisor;
static const pdk_loop *loop;
static const pdk_queue *queue;
static const pdk_values *values;
static char folder[] = "/tmp/paddock-memory-XXXXXX";
static uint32_t open_asks, accepted, starts;
static bool healed, happened;
static pdk_watch heal_watch;

static int32_t start(void *task, const pdk_start *info, pdk_error *err) {
    pdk_result result = PDK_RESULT(PDK_SUCCESS, PDK_CAT_NONE, NULL);
    (void)task, (void)err;
    starts++;
    return runner_host->done(runner_host, info->attempt, &result);
}

/* ---- asking ---- */

static void look(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err);

static void ask_again(void *arg) {
    (void)arg;
    if (queue->ask(queue, "stats", NULL, look, NULL) < 0) fail_msg("stats cannot be asked");
}

/* Until everything has ended. */
static void look(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    const pdk_value *totals = values->get(value, "totals");
    static const char *const states[] = {"delayed", "ready", "running"};
    int64_t left = 0, n;
    pdk_watch watch;
    (void)arg, (void)err;
    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (values->integer(values->get(totals, states[i]), &n) == 0) left += n;
    if (rc == 0 && left == 0)
        (void)pdk_supervisor_shutdown(supervisor);
    else
        assert_int_equal(loop->timer(loop, 5000000, 0, ask_again, NULL, &watch), 0);
}

static void answered(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    (void)value, (void)err;
    open_asks--;
    if (rc == 0 && arg) accepted++;
    if (rc < 0 && rc != -ENOMEM && rc != -ENOENT && rc != -EINVAL && rc != -EIO) fail_msg("%d %s", rc, err->message);
}

/* Until one has failed, or none is left to fail: then there is memory again. */
static void heal(void *arg) {
    (void)arg;
    if (open_asks || !(pdk_fail_happened() || starts == 2)) return;
    loop->stop(loop, heal_watch);
    happened = pdk_fail_happened();
    pdk_fail_at(0);
    healed = true;
    ask_again(NULL);
}

static const char *const asked[][2] = {
    {"submit", "{\"spec\":{\"name\":\"a\",\"kind\":\"noop\",\"input\":[1,2]},\"topic\":\"t\",\"key\":\"k\"}"},
    {"submit",
     "{\"spec\":{\"name\":\"b\",\"kind\":\"noop\",\"retries\":2,\"backoff\":\"1ms\"},\"unique\":{\"key\":\"u\"}}"},
    {"submit", "{\"spec\":{\"name\":\"a\",\"kind\":\"noop\"},\"topic\":\"t\",\"key\":\"k\"}"},
    {"list", "{}"},
    {"show", "{\"job_id\":1}"},
    {"pause", "{\"topic\":\"other\"}"},
    {"cancel", "{\"job_id\":999}"},
    {"stats", "{}"},
};
static const pdk_value *prepared[COUNT_OF(asked)];

static void ask_all(void *arg) {
    static char yes;
    long at = *(long *)arg;
    pdk_fail_at(at);
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        bool submits = strcmp(asked[i][0], "submit") == 0;
        open_asks++;
        if (queue->ask(queue, asked[i][0], prepared[i], answered, submits ? &yes : NULL) < 0) open_asks--;
    }
}

static bool round_with(long at) {
    static const char *const own[] = {"noop", NULL};
    static struct pdk_task *const no_tasks[] = {NULL};
    static const struct pdk_grant grant = {no_tasks, own, NULL};
    const struct pdk_instance_limits limits = {.grant = &grant};
    pdk_supervisor_options options = {.struct_size = sizeof options, .log = quiet};
    pdk_router_entry entry = {.struct_size = sizeof entry};
    pdk_error err = PDK_ERROR;
    char config[256];
    pdk_watch watch;
    (void)snprintf(config, sizeof config, "{\"path\":\"%s/%ld.db\",\"durability\":\"relaxed\"}", folder, at);
    entry.config = parse(config);
    accepted = starts = 0;
    healed = false;
    assert_int_equal(pdk_supervisor_create(&options, &supervisor, &err), 0);
    loop = pdk_supervisor_loop(supervisor);
    assert_int_equal(pdk_supervisor_limit(supervisor, "queue", &limits), 0);
    assert_int_equal(pdk_supervisor_add(supervisor, &noop, NULL, &err), 0);
    assert_int_equal(pdk_supervisor_add(supervisor, &pdk_plugin_entry, &entry, &err), 0);
    assert_int_equal(pdk_supervisor_start(supervisor, &err), 0);
    queue = find_extension(supervisor, PDK_QUEUE_1);
    assert_int_equal(loop->timer(loop, 1, 0, ask_all, &at, &watch), 0);
    assert_int_equal(loop->timer(loop, 1000000, 1000000, heal, NULL, &heal_watch), 0);
    (void)pdk_supervisor_run(supervisor);
    pdk_supervisor_destroy(supervisor);
    values->drop(entry.config);
    assert_true(healed);
    /* the third is a duplicate of the first; and an attempt that there is no memory for has failed before it starts */
    assert_true(starts + (accepted > 2 && happened) >= (accepted > 2 ? 2 : accepted > 1 ? 1 : 0));
    return happened;
}

static void memory_fails_everywhere(void **state) {
    long at = 1, misses = 0;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(asked); i++) prepared[i] = parse(asked[i][1]);
    for (; misses < 3 && at < 5000; at++)
        misses = round_with(at) ? 0 : misses + 1; /* two threads: their order varies */
    for (size_t i = 0; i < COUNT_OF(asked); i++) values->drop(prepared[i]);
    assert_true(at > 50);
}

static int make_folder(void **state) {
    (void)state;
    values = pdk_values_get();
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char path[128];
    (void)state;
    for (long at = 1; at < 5000; at++)
        for (size_t i = 0; i < COUNT_OF(ends); i++) {
            (void)snprintf(path, sizeof path, "%s/%ld.db%s", folder, at, ends[i]);
            (void)unlink(path);
        }
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_fails_everywhere)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
