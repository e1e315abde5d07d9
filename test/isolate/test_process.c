/* SPDX-License-Identifier: Apache-2.0 */
/* What comes over whole, what is left behind by nobody, and the life of the process itself. */
#include "isolate/world.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"

static const char tally[] = BAD_PLUGINS "/tally.so", subprocess[] = PLUGINS "/subprocess.so";

static void isolate(struct world *world, const char *file, const char *name, bool probe) {
    const struct pdk_isolation isolation = world_isolation();
    pdk_error err = PDK_ERROR;
    if (world_isolate(world, file, name, NULL, &isolation, probe, &err) < 0) fail_msg("%s", err.message);
}

/* ---- a backend that remembers the one counter */

static double counted;
static char counted_name[64], counted_label[64];

static pdk_series *series(void *self, const pdk_metric *metric, const char *const *values) {
    (void)self;
    if (!strstr(metric->name, "tally")) return (pdk_series *)&counted_label;
    (void)strlcpy(counted_name, metric->name, sizeof counted_name);
    (void)snprintf(counted_label, sizeof counted_label, "%s=%s", metric->labels[0], values[0]);
    return (pdk_series *)&counted;
}

static void record(void *self, pdk_series *at, double number) {
    (void)self;
    if ((void *)at == (void *)&counted) counted += number;
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    *ret = (void *)(uintptr_t)host;
    return 0;
}

static void destroy(void *self) {
    (void)self;
}

static const pdk_metrics_ops metrics_ops = {
    PDK_HEAD(pdk_metrics_ops), series, record, record, record, NULL, NULL, NULL};
static const pdk_plugin backend = {PDK_PLUGIN_HEAD, "memory", "1",  "",   "",      NULL, NULL, NULL, NULL,
                                   &metrics_ops,    create,   NULL, NULL, destroy, NULL};

/* The spec over there is the spec here, and the result here is the result there. */
static void all_comes_over(void **state) {
    pdk_error err = PDK_ERROR;
    (void)state;
    struct world *world = world_begin();
    assert_int_equal(pdk_supervisor_add(world->supervisor, &backend, NULL, &err), 0);
    isolate(world, tally, "far", true);
    world_start(world);
    for (int i = 1; i <= 2; i++) {
        const struct world_run *run =
            world_submit(world,
                         "{'name': 't', 'kind': 'tally', 'with': {}, 'input': {'a': [1, null, "
                         "'\\u00e4\\n']}, 'timeout': '30s'}",
                         0);
        world_until(world, run->settled);
        assert_int_equal(run->end, PDK_END_SUCCEEDED);
        assert_string_equal(run->code, "TALLY");
        assert_string_equal(run->message, "counted");
        assert_int_equal(run->usage.max_rss, 3);
        assert_int_equal(run->usage.written_bytes, 5);
        char wanted[512];
        (void)snprintf(wanted, sizeof wanted,
                       "{\"run\":\"far-t-%d\",\"trace\":\"\",\"name\":\"t\",\"host\":\"paddock\",\"instance\":\"far\","
                       "\"number\":1,\"in_time\":true,\"with\":{\"n\":7},\"input\":{\"a\":[1,null,\"\u00e4\\n\"]}}",
                       i);
        assert_string_equal(run->output, wanted);
    }
    assert_non_null(strstr(world->log, "far: far-t-1: counting"));
    world_until(world, counted == 4.0);
    assert_string_equal(counted_name, "paddock_tally_started");
    assert_string_equal(counted_label, "where=there");
    world_end(world);
}

/* Asked beforehand, the plugin's words come with the value that they are about; else they come as the end of the run. */
static void what_cannot_be_built(void **state) {
    const struct pdk_isolation isolation = world_isolation();
    static const char spec[] = "{'name': 't', 'kind': 'tally', 'with': {'odd': 'very'}}";
    pdk_error err = PDK_ERROR;
    (void)state;
    struct world *world = world_begin();
    assert_int_equal(world_isolate(world, tally, NULL, "{'bad': 'yes'}", &isolation, true, &err), -EINVAL);
    assert_non_null(strstr(err.message, "it is bad indeed"));
    isolate(world, tally, NULL, true);
    const char *json = "{\"name\": \"t\", \"kind\": \"tally\", \"with\": {\"odd\": \"very\"}}";
    const pdk_value *value = NULL;
    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), json, strlen(json), "spec", &value, &err), 0);
    pdk_run run;
    assert_int_equal(pdk_supervisor_submit(world->supervisor, value, NULL, &run, &err), -EINVAL);
    assert_non_null(strstr(err.message, "this is too odd"));
    pdk_values_get()->drop(value);
    world_start(world);
    world_until(world, world_is_up(world, "tally"));
    const struct world_run *late = world_submit(world, spec, 0);
    world_until(world, late->settled);
    assert_int_equal(late->end, PDK_END_FATAL);
    assert_int_equal(late->category, PDK_CAT_INPUT);
    assert_string_equal(late->message, "test /with/odd: this is too odd");
    world_end(world);
}

/* ---- children of the plugin's process */

static const char family[] = "{'name': 'family', 'kind': 'subprocess', 'command': 'sleep 1000 & echo $!; setsid sh -c "
                             "\\\"sleep 1000 & echo \\\\$!; "
                             "wait\\\" & (setsid sh -c \\\"sleep 1000 & echo \\\\$!\\\" &); echo $$; wait'}";

static void read_pids(const struct world *world, int32_t pids[static 4]) {
    const char *at = world->out;
    for (int i = 0; i < 4; i++, at = strchr(at, '\n') + 1) pids[i] = (int32_t)strtol(at, NULL, 10);
    for (int i = 0; i < 4; i++) assert_true(world_lives(pids[i]));
}

static const struct world_run *begin_family(struct world *world, int32_t pids[static 4]) {
    world->out[0] = '\0';
    const struct world_run *run = world_submit(world, family, 0);
    world_until(world, world_count(world->out, "\n") == 4);
    read_pids(world, pids);
    return run;
}

static void expect_none(struct world *world, const struct world_run *run, const int32_t pids[static 4]) {
    world_until(world, run->settled);
    assert_string_equal(run->code, "plugin_gone");
    for (int i = 0; i < 4; i++) assert_false(world_lives(pids[i]));
}

/* No child outlives its attempt, also when the process that would see to that is killed. */
static void no_child_is_left(void **state) {
    int32_t pids[4];
    (void)state;
    struct world *world = world_begin();
    isolate(world, subprocess, NULL, false);
    world_start(world);
    const struct world_run *run = begin_family(world, pids);
    assert_int_equal(kill(world_host(world, "subprocess"), SIGKILL), 0);
    expect_none(world, run, pids);
    run = begin_family(world, pids);
    assert_int_equal(kill(world_host(world, "subprocess"), SIGUSR1), 0);
    expect_none(world, run, pids);
    assert_non_null(strstr(run->message, "killed by SIGUSR1"));
    world_end(world);
}

/* The shutdown ends it in order, and leaves nothing. */
static void none_is_left_at_the_end(void **state) {
    int32_t pids[4];
    (void)state;
    struct world *world = world_begin();
    isolate(world, subprocess, NULL, true);
    world_start(world);
    (void)begin_family(world, pids);
    int32_t warden = world_warden(world, "subprocess"), host = world_host(world, "subprocess");
    assert_true(world_lives(warden) && world_lives(host));
    world_end(world);
    assert_false(world_lives(warden) || world_lives(host));
    for (int i = 0; i < 4; i++) assert_false(world_lives(pids[i]));
}

/* ---- the process itself */

/* One that ends at once is started again later and later. */
static void a_crash_loop_does_not_spin(void **state) {
    const struct pdk_isolation isolation = world_isolation();
    pdk_error err = PDK_ERROR;
    (void)state;
    setenv("PADDOCK_HOST_PROGRAM", "/bin/false", 1);
    struct world *world = world_begin();
    assert_int_equal(world_isolate(world, tally, NULL, NULL, &isolation, false, &err), 0);
    unsetenv("PADDOCK_HOST_PROGRAM");
    uint64_t began = pdk_clock_now();
    world_start(world);
    world_until(world, world_count(world->log, "ended with exit code 1") == 4);
    /* Three pauses, of at least 100, 200 and 400 ms: jitter takes half at most. */
    assert_true(pdk_clock_now() - began >= 700 * PDK_MILLISECOND);
    assert_false(world_is_up(world, "tally"));
    world_end(world);
}

static void write_program(char path[static 64], const char *text) {
    (void)strlcpy(path, "/tmp/paddock-isolate-XXXXXX", 64);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, 0755), 0);
    close(fd);
}

/* Whoever talks nonsense is told so and ended. */
static void strangers(void **state) {
    static const struct {
        const char *program, *words;
    } cases[] = {{"#!/bin/sh\nprintf 'HTTP/1.1 400 Bad Request and more' >&3; exec sleep 1000\n",
                  "was killed: it sent a message of no known type"},
                 {"#!/bin/sh\nprintf "
                  "'\\010\\000\\000\\000\\001\\000\\000\\000\\0\\0\\0\\0\\0\\0\\0\\0PDKH\\011\\0\\0\\0' >&3; exec "
                  "sleep 1000\n",
                  "was killed: paddock-host speaks version 9 of the protocol, this paddock speaks 1"},
                 {"#!/bin/sh\necho some words >&2; exec 3>&-; exit 5\n", "ended with exit code 5"}};
    const struct pdk_isolation isolation = world_isolation();
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char path[64];
        pdk_error err = PDK_ERROR;
        write_program(path, cases[i].program);
        setenv("PADDOCK_HOST_PROGRAM", path, 1);
        struct world *world = world_begin();
        assert_int_equal(world_isolate(world, tally, NULL, NULL, &isolation, true, &err), -EIO);
        if (!strstr(err.message, cases[i].words)) fail_msg("%s", err.message);
        assert_int_equal(world_isolate(world, tally, NULL, NULL, &isolation, false, &err), 0);
        world_start(world);
        world_until(world, strstr(world->log, cases[i].words));
        world_end(world);
        unsetenv("PADDOCK_HOST_PROGRAM");
        unlink(path);
    }
}

static void what_cannot_be_isolated(void **state) {
    const struct pdk_isolation isolation = world_isolation();
    pdk_error err = PDK_ERROR;
    (void)state;
    struct world *world = world_begin();
    assert_int_equal(world_isolate(world, PLUGINS "/prometheus.so", NULL, NULL, &isolation, false, &err), -ENOTSUP);
    assert_string_equal(err.message,
                        "only a runner can have a process of its own, and plugin \"prometheus\" is a metrics "
                        "backend");
    setenv("PADDOCK_HOST_PROGRAM", "/nowhere/paddock-host", 1);
    assert_int_equal(world_isolate(world, tally, NULL, NULL, &isolation, false, &err), -ENOENT);
    assert_string_equal(err.message, "cannot run /nowhere/paddock-host: No such file or directory");
    unsetenv("PADDOCK_HOST_PROGRAM");
    world_end(world);
}

/* Many at once, and a shutdown in the middle. */
static void many(void **state) {
    (void)state;
    struct world *world = world_begin();
    isolate(world, tally, NULL, false);
    world_start(world);
    struct world_run *runs[50];
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        char spec[128];
        (void)snprintf(spec, sizeof spec, "{'name': 't%zu', 'kind': 'tally', 'with': {'n': %zu}}", i, i);
        runs[i] = world_submit(world, spec, 0);
    }
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        char wanted[32];
        (void)snprintf(wanted, sizeof wanted, "\"with\":{\"n\":%zu}", i);
        world_until(world, runs[i]->settled);
        assert_int_equal(runs[i]->end, PDK_END_SUCCEEDED);
        assert_non_null(strstr(runs[i]->output, wanted));
    }
    world_end(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_comes_over),
        cmocka_unit_test(what_cannot_be_built),
        cmocka_unit_test(no_child_is_left),
        cmocka_unit_test(none_is_left_at_the_end),
        cmocka_unit_test(a_crash_loop_does_not_spin),
        cmocka_unit_test(strangers),
        cmocka_unit_test(what_cannot_be_isolated),
        cmocka_unit_test(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
