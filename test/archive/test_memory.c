/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory at every place in turn, in the archive and in the supervisor around it, on all threads: runs end all the
 * same, everything asked is answered once, what was kept can be read, and nothing is left behind (the sanitizers look).
 */
#include "core/supervise/supervisor.h"
#include "paddock/archive.h"
#include "paddock/loop.h"
#include "place.h"
#include "support/asking.h"
#include "support/extension.h"
#include "support/fail_alloc.h"
#include "support/runner.h"

static pdk_supervisor *supervisor;
static const pdk_loop *loop;
static const pdk_archive *archive;
static const pdk_values *values;
static uint32_t open_asks, open_runs;
static bool happened;

/* It prints, and fails once. */
static int32_t start(void *task, const pdk_start *info, pdk_error *err) {
    pdk_result result = PDK_RESULT(info->number > 1 ? PDK_SUCCESS : PDK_FAILURE, PDK_CAT_NONE, NULL);
    (void)task, (void)err;
    for (int i = 0; i < 3; i++) {
        (void)runner_host->output(runner_host, info->attempt, PDK_STDOUT, "a line\nand ", 11);
        (void)runner_host->output(runner_host, info->attempt, PDK_STDERR, "another\n", 8);
    }
    return runner_host->done(runner_host, info->attempt, &result);
}

/* ---- asking ---- */

static void answered(void) {
    if (--open_asks || open_runs) return;
    happened = pdk_fail_happened();
    pdk_fail_at(0);
    (void)pdk_supervisor_shutdown(supervisor);
}

static int32_t on_piece(void *arg, const pdk_piece *piece) {
    (void)arg;
    assert_true(piece->size <= 4096 && piece->attempt <= 2);
    return 0;
}

static void on_end(void *arg, int32_t rc, const pdk_error *err) {
    (void)arg;
    if (rc < 0 && rc != -ENOMEM && rc != -ENOENT && rc != -EIO && rc != -ESHUTDOWN) fail_msg("%d %s", rc, err->message);
    answered();
}

static void on_show(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    assert_true(rc < 0 || values->type(value) == PDK_MAP);
    on_end(arg, rc, err);
}

static void ask(const char *run_id) {
    static const pdk_read_options all = {.struct_size = sizeof all, .follow = 1},
                                  tail = {.struct_size = sizeof tail, .tail = 2, .stream = PDK_STDERR};
    pdk_reading_id id;
    open_asks += 5;
    if (archive->read(archive, run_id, &all, on_piece, on_end, NULL, &id) < 0) answered();
    if (archive->read(archive, run_id, &tail, on_piece, on_end, NULL, &id) < 0) answered();
    if (archive->show(archive, run_id, NULL, on_show, NULL) < 0) answered();
    if (archive->show(archive, NULL, NULL, on_show, NULL) < 0) answered();
    answered();
}

static void on_settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    (void)arg, (void)run;
    open_runs--;
    ask(outcome->run_id);
}

static void begin(void *arg) {
    const pdk_submit_options options = {.struct_size = sizeof options, .settled = on_settled};
    const pdk_value *spec = arg;
    open_runs = 2;
    open_asks = 1;
    for (uint32_t i = 0, given = open_runs; i < given; i++)
        if (pdk_supervisor_submit(supervisor, spec, &options, NULL, NULL) < 0) open_runs--;
    answered();
}

struct job {
    long at;
    const pdk_value *spec;
};

static void begin_failing(void *arg) {
    const struct job *job = arg;
    pdk_fail_at(job->at);
    begin((void *)(uintptr_t)job->spec);
}

static bool round_with(long at, const pdk_value *spec) {
    const struct pdk_instance_limits trusted = {.control = true};
    pdk_supervisor_options options = {.struct_size = sizeof options, .log = quiet};
    pdk_router_entry entry = {.struct_size = sizeof entry};
    pdk_error err = PDK_ERROR;
    struct job job = {at, spec};
    char config[256];
    pdk_watch watch;
    (void)snprintf(config, sizeof config, "{\"path\":\"%s/%ld\",\"output\":{\"compress_after\":\"0s\"}}", place,
                   at % 8);
    entry.config = parse(config);
    assert_int_equal(pdk_supervisor_create(&options, &supervisor, &err), 0);
    loop = pdk_supervisor_loop(supervisor);
    assert_int_equal(pdk_supervisor_limit(supervisor, "archive", &trusted), 0);
    assert_int_equal(pdk_supervisor_add(supervisor, &noop, NULL, &err), 0);
    assert_int_equal(pdk_supervisor_add(supervisor, &pdk_plugin_entry, &entry, &err), 0);
    assert_int_equal(pdk_supervisor_start(supervisor, &err), 0);
    archive = find_extension(supervisor, PDK_ARCHIVE_1);
    assert_int_equal(loop->timer(loop, 1, 0, begin_failing, &job, &watch), 0);
    (void)pdk_supervisor_run(supervisor);
    pdk_supervisor_destroy(supervisor);
    values->drop(entry.config);
    assert_int_equal(open_asks, 0);
    return happened;
}

static void memory_fails_everywhere(void **state) {
    long at = 1, misses = 0;
    (void)state;
    values = pdk_values_get();
    const pdk_value *spec = parse("{\"name\":\"p\",\"kind\":\"noop\",\"retries\":1,\"backoff\":\"1ms\"}");
    for (; misses < 5 && at < 5000; at++)
        misses = round_with(at, spec) ? 0 : misses + 1; /* several threads: their order varies */
    values->drop(spec);
    assert_true(at > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_fails_everywhere, make_place, remove_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
