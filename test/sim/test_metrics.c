/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted, by two backends at once, and by none. */
#include "sim.h"

struct point {
    struct point *next;
    char name[128];
    double value;
};
struct backend {
    struct point *points;
};
static struct backend backends[2];
static uint32_t made;

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)host, (void)config, (void)err;
    *ret = &backends[made++];
    return 0;
}
static void destroy(void *self) {
    struct backend *backend = self;
    while (backend->points) {
        struct point *point = backend->points;
        backend->points = point->next;
        free(point);
    }
}

static pdk_series *series(void *self, const pdk_metric *metric, const char *const *values) {
    struct backend *backend = self;
    char name[128];
    (void)strlcpy(name, metric->name, sizeof name);
    for (size_t i = 0; metric->labels && metric->labels[i]; i++) {
        (void)strlcat(name, " ", sizeof name);
        (void)strlcat(name, values[i], sizeof name);
    }
    for (struct point *point = backend->points; point; point = point->next) {
        if (!strcmp(point->name, name)) return (pdk_series *)(void *)point;
    }
    struct point *point = calloc(1, sizeof *point);
    assert_non_null(point);
    (void)strlcpy(point->name, name, sizeof point->name);
    point->next = backend->points;
    backend->points = point;
    return (pdk_series *)(void *)point;
}
static void add(void *self, pdk_series *series, double n) {
    (void)self;
    ((struct point *)(void *)series)->value += n;
}
static void set(void *self, pdk_series *series, double n) {
    (void)self;
    ((struct point *)(void *)series)->value = n;
}

static const pdk_metrics_ops ops = {sizeof ops, 0, series, add, set, add, NULL, NULL, NULL};
static const pdk_plugin plugin = {PDK_PLUGIN_HEAD, "count", "1",  "",      "",  NULL, NULL, NULL, NULL, &ops,
                                  create,          NULL,    NULL, destroy, NULL};

static double value(const struct backend *backend, const char *name) {
    for (const struct point *point = backend->points; point; point = point->next) {
        if (!strcmp(point->name, name)) return point->value;
    }
    fail_msg("there is no series %s", name);
    return -1;
}

static const struct {
    const char *name;
    double value;
} expected[] = {
    {"paddock_runs_submitted ", 5},
    {"paddock_runs_ended fake succeeded", 1},
    {"paddock_runs_ended fake failed", 1},
    {"paddock_runs_ended fake lost", 1},
    {"paddock_runs_rejected slot_busy", 1},
    {"paddock_runs waiting", 0},
    {"paddock_runs running", 1},
    {"paddock_runs stuck", 1},
    {"paddock_attempts_started fake", 5},
    {"paddock_attempts_ended fake succeeded", 1},
    {"paddock_attempts_ended fake failed", 2},
    {"paddock_attempts_running fake", 2},
    {"paddock_backoffs fake", 1},
    {"paddock_kills fake user", 1},
    {"paddock_slots_busy", 2},
    {"paddock_plugin_up fake", 1},
    {"paddock_plugin_errors fake exit", 2},
    {"paddock_output fake stderr", 5},
    {"paddock_run_attempts rejected", 0},
};

static void counted_by_all(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    made = 0;
    for (int i = 0; i < 2; i++) {
        pdk_router_entry entry = {.struct_size = (uint32_t)sizeof entry, .name = i ? "two" : "one"};
        assert_int_equal(pdk_supervisor_add(sim->s, &plugin, &entry, NULL), 0);
    }
    (void)sim_submit(sim, "on", "");
    (void)sim_submit(sim, "twice", "'slot':'on'");
    (void)sim_submit(sim, "ok", "'with':{'script':'S'}");
    (void)sim_submit(sim, "bad", "'retries':1,'backoff':'1s','with':{'script':'F'}");
    pdk_run lost = sim_submit(sim, "lost", "'with':{'on_cancel':'deaf'}");
    const struct sim_task *task = sim_task(sim, "on");
    assert_int_equal(task->host->output(task->host, task->attempt, PDK_STDERR, "12345", 5), 0);
    (void)sim->control->cancel(sim->control, lost, NULL);
    sim_advance(sim, MINUTE);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        for (int k = 0; k < 2; k++) {
            if (value(&backends[k], expected[i].name) != expected[i].value)
                fail_msg("%s is %g", expected[i].name, value(&backends[k], expected[i].name));
        }
    }
    sim_end(sim);
}

static void count_lost(void *arg, const pdk_event *event) {
    if (event->kind == PDK_EVENT_LOST) *(double *)arg += (double)event->number;
}

/* Of each who listens by the name of whom it listens for. */
static void dropped_events(void **state) {
    struct sim *sim =
        sim_with(&(pdk_supervisor_options){.struct_size = sizeof(pdk_supervisor_options), .events = 2, .name = "mine"});
    static const struct pdk_instance_limits limits = {.control = true};
    const pdk_host *host = &sim_instance(sim, "fake")->host;
    pdk_filter filter = {.struct_size = sizeof filter, .events = 1u << PDK_EVENT_OUTCOME};
    pdk_watch watch;
    double lost[2] = {0};
    (void)state;
    made = 0;
    assert_int_equal(pdk_supervisor_add(sim->s, &plugin, NULL, NULL), 0);
    assert_int_equal(pdk_supervisor_limit(sim->s, "fake", &limits), 0);
    const pdk_control *control = host->get_extension(host, PDK_CONTROL_1);
    assert_int_equal(control->subscribe(control, &filter, count_lost, &lost[0], &watch), 0);
    assert_int_equal(sim->control->subscribe(sim->control, NULL, count_lost, &lost[1], &watch), 0);
    pdk_run run;
    for (int i = 0; i < 10; i++)
        assert_int_equal(sim_try(sim, "ok", "'when_busy':'queue','with':{'script':'S'}", &run), 0);
    sim_turn(sim);
    sim_advance(sim, MINUTE);
    assert_true(lost[0] == 0 && value(&backends[0], "paddock_events_dropped fake") == 0);
    assert_true(lost[1] > 0 && value(&backends[0], "paddock_events_dropped mine") == lost[1]);
    sim_end(sim);
}

static void nothing_without_a_backend(void **state) {
    static const pdk_metric metric = {sizeof metric, PDK_COUNTER, "x", "", "", NULL, NULL, 0, 0};
    struct sim *sim = sim_new();
    const pdk_host *host = &sim_instance(sim, "fake")->host;
    const pdk_metrics *metrics = host->get_extension(host, PDK_METRICS_1);
    (void)state;
    assert_non_null(metrics);
    assert_null(metrics->series(metrics, &metric, NULL));
    metrics->add(metrics, NULL, 1);
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(counted_by_all), cmocka_unit_test(dropped_events),
                                       cmocka_unit_test(nothing_without_a_backend)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
