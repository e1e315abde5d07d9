/* SPDX-License-Identifier: Apache-2.0 */
/* Out of memory at every place in turn: one clear end, nothing left behind, and the next attempt works. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mock_host.h"

/* The allocator that fails is in the plugin's own file. */
struct failing {
    void (*at)(long);
    bool (*happened)(void);
    bool failed; /* in this round */
};

struct scenario {
    const char *plugin, *config, *kind, *with;
    void (*play)(struct mock *m, const struct scenario *scenario, struct failing *failing);
};

/* From here on there is memory again. */
static void heal(struct failing *failing) {
    failing->failed = failing->failed || failing->happened();
    failing->at(0);
}

/* Both ways to say it are good: start's answer, or a done that may be tried again. */
static void check_end(const struct mock_attempt *attempt, int32_t rc) {
    if (!attempt) {
        assert_int_equal(rc, -ENOMEM);
        return;
    }
    assert_int_equal(attempt->done, 1);
    if (attempt->status == PDK_SUCCESS) return;
    assert_int_equal(attempt->status, PDK_FAILURE);
    if (attempt->category != PDK_CAT_MEMORY && attempt->category != PDK_CAT_PEER)
        fail_msg("category %d: %s", attempt->category, attempt->message);
}

static void finish_children(struct mock *m, const char *result) {
    struct mock_child *child;
    TAILQ_FOREACH(child, &m->children, link) {
        const char *path = mock_env(child, "PADDOCK_OUTPUT");
        FILE *file;
        if (child->over) continue;
        file = path && result ? fopen(path, "we") : NULL;
        if (file) {
            (void)fputs(result, file);
            (void)fclose(file);
        }
        mock_child_started(child, 77);
        mock_child_ended(child, 0, 0);
    }
}

static void play_task(struct mock *m, const struct scenario *s, struct failing *failing) {
    struct mock_task *task;
    struct mock_attempt *attempt;
    pdk_error err = PDK_ERROR;
    int32_t rc = mock_try_build(m, s->kind, s->with, NULL, &task, &err);
    if (rc) {
        assert_int_equal(rc, -ENOMEM);
        heal(failing);
        return;
    }
    rc = mock_try_start(task, NULL, &attempt, &err);
    mock_run_jobs(m);
    if (attempt && !attempt->done && strstr(s->with, "stop")) mock_cancel(task); /* a stop command takes memory too */
    finish_children(m, "{\"a\": 1}");
    finish_children(m, NULL);
    mock_run_jobs(m);
    mock_advance(m, SECONDS(10));
    if (attempt && attempt->status != PDK_CANCELED) check_end(attempt, rc);
    heal(failing);
    rc = mock_try_start(task, NULL, &attempt, &err);
    assert_int_equal(rc, 0);
    mock_run_jobs(m);
    finish_children(m, "a=1");
    mock_run_jobs(m);
    mock_advance(m, SECONDS(10));
    if (attempt->status != PDK_SUCCESS) fail_msg("%s: and then: %s", s->with, attempt->message);
}

static void discard(void *arg, const char *data, size_t size) {
    (void)arg, (void)data, (void)size;
}

static void play_metrics(struct mock *m, const struct scenario *s, struct failing *failing) {
    static const char *const labels[] = {"a", "b", NULL}, *const values[] = {"x", "y", NULL};
    static const pdk_metric metrics[] = {
        {(uint32_t)sizeof(pdk_metric), PDK_COUNTER, "c", "", "", labels, NULL, 0, 0},
        {(uint32_t)sizeof(pdk_metric), PDK_HISTOGRAM, "h", "", "", NULL, NULL, 0, 0},
    };
    const pdk_metrics_ops *ops = m->plugin->metrics;
    (void)s;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 2; i++) {
            pdk_series *series = ops->series(m->self, &metrics[i], values);
            if (round) assert_non_null(series);
            ops->add(m->self, series, 1);
            ops->observe(m->self, series, 1);
        }
        (void)ops->print(m->self, discard, NULL);
        heal(failing);
    }
}

static const struct scenario scenarios[] = {
    {"echo", NULL, "echo", "{'message': {'a': 'b'}, 'print': true}", play_task},
    {"sleep", NULL, "sleep", "{'for': '1s'}", play_task},
    {"subprocess", NULL, "subprocess", "{'command': ['x', 'y'], 'env': {'A': 'b'}, 'pass_fds': [], 'cwd': '/'}",
     play_task},
    {"subprocess", NULL, "subprocess",
     "{'script': {'base64': 'YQ==', 'args': ['b']}, 'env': {'A': {'file': '/proc/sys/kernel/ostype'}},"
     "'input': {'a': [1, 2]}, 'seccomp': 'default', 'user': 'nobody', 'groups': ['adm'], 'cwd': '/',"
     "'stop': {'command': ['s']}, 'reload': {'command': ['r']}, 'notify': true}",
     play_task},
    {"subprocess", NULL, "subprocess",
     "{'command': ['x'], 'env_file': [{'path': '/etc/os-release', 'optional': true}], 'stdin': 'text', 'user': 'root'}",
     play_task},
    {"prometheus", "{'process': false}", NULL, NULL, play_metrics},
};

/* Returns how many allocations there were to fail. */
static long sweep(const struct scenario *s) {
    const struct mock_options options = {.folder = FAILING};
    struct mock *m = mock_load(s->plugin, s->config, &options);
    struct failing failing = {.failed = true};
    long n = 0;
    *(void **)&failing.at = mock_symbol(m, "pdk_fail_at");
    *(void **)&failing.happened = mock_symbol(m, "pdk_fail_happened");
    mock_free(m);
    while (failing.failed) {
        pdk_error err = PDK_ERROR;
        int32_t rc;
        failing.failed = false;
        failing.at(++n);
        rc = mock_try_load(s->plugin, s->config, &options, &m, &err);
        if (!rc) s->play(m, s, &failing);
        if (rc) assert_int_equal(rc, -ENOMEM);
        heal(&failing);
        if (!rc) mock_free(m);
    }
    return n - 1;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        bool others = scenarios[i].with && strstr(scenarios[i].with, "'user'");
        if (!others || geteuid() == 0) assert_true(sweep(&scenarios[i]) > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
