/* SPDX-License-Identifier: Apache-2.0 */
/* The shutdown: drain, grace, kill, flush. */
#include "sim.h"

#define LIMITS(...)                                                \
    &(pdk_supervisor_options) {                                    \
        .struct_size = sizeof(pdk_supervisor_options), __VA_ARGS__ \
    }

static void shut_down(struct sim *sim) {
    assert_int_equal(pdk_supervisor_shutdown(sim->s), 0);
    sim_turn(sim);
}

static uint32_t stuck_after(struct sim *sim) {
    uint32_t stuck = 99;
    assert_int_equal(pdk_supervisor_stopped(sim->s, &stuck), 1);
    return stuck;
}

static void remember_pending(void *arg, const char *text) {
    (void)strlcpy(arg, text, 256);
}

static void shutdown_mixed(void **state) {
    struct sim *sim = sim_with(LIMITS(.grace = 30 * S));
    char pending[256] = "";
    (void)state;
    sim_listen(sim);
    pdk_run polite = sim_submit(sim, "p", "'with':{'on_cancel':'2s'}");
    pdk_run deaf = sim_submit(sim, "deaf", "'stop':{'grace':'1h'},'with':{'on_cancel':'deaf'}");
    pdk_run queued = sim_submit(sim, "q", "'slot':'p','when_busy':'queue'");
    pdk_run waits = sim_submit(sim, "w", "'retries':9,'backoff':'1h','with':{'script':'F'}");
    sim_advance(sim, 1 * MS);
    uint64_t begin = sim->now, down = 0;
    shut_down(sim);
    sim_expect(sim, queued, PDK_END_REJECTED, "shutting_down");
    sim_expect(sim, waits, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_outcome(sim, waits)->reason, PDK_CANCEL_SHUTDOWN);
    pdk_run late;
    assert_int_equal(sim_try(sim, "late", "", &late), -ESHUTDOWN);
    sim_advance(sim, 3 * S);
    sim_expect(sim, polite, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_outcome(sim, polite)->reason, PDK_CANCEL_SHUTDOWN);
    sim_until(sim, begin + 25 * S);
    assert_int_equal(sim_task(sim, "deaf")->killed_at, begin + 25 * S); /* an hour of grace is cut short */
    sim_until(sim, begin + 30 * S - 1);
    assert_int_equal(pdk_supervisor_stopped(sim->s, NULL), 0);
    sim_until(sim, begin + 30 * S);
    down = sim->now;
    assert_int_equal(stuck_after(sim), 1);
    assert_int_equal(down - begin, 30 * S);
    sim_expect(sim, deaf, PDK_END_LOST, NULL);
    assert_int_equal(sim_outcome(sim, deaf)->reason, PDK_CANCEL_SHUTDOWN);
    pdk_supervisor_pending(sim->s, remember_pending, pending);
    assert_string_equal(pending, "deaf-2 (runner fake, attempt 1)");
    assert_string_equal(sim_event_text(sim, 0, PDK_EVENT_SHUTDOWN, 0), "stopping: 2 running, 1 queued given back");
    sim_end(sim);
}

static void shutdown_drain_lets_finish(void **state) {
    struct sim *sim = sim_with(LIMITS(.drain = 20 * S));
    (void)state;
    pdk_run good = sim_submit(sim, "g", "'with':{'script':'S:15s'}");
    pdk_run bad = sim_submit(sim, "b", "'retries':9,'with':{'script':'F:10s'}");
    shut_down(sim);
    sim_advance(sim, 16 * S);
    sim_expect(sim, good, PDK_END_SUCCEEDED, NULL);
    sim_expect(sim, bad, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_outcome(sim, bad)->reason, PDK_CANCEL_SHUTDOWN);
    assert_int_equal(sim_task(sim, "b")->starts, 1);
    assert_int_equal(sim_task(sim, "b")->all_cancels, 0);
    assert_int_equal(stuck_after(sim), 0);
    sim_end(sim);
}

/* An attempt that may finish is still bound by its deadline. */
static void drain_keeps_deadlines(void **state) {
    struct sim *sim = sim_with(LIMITS(.drain = 20 * S));
    (void)state;
    pdk_run run = sim_submit(sim, "a", "'deadline':'10s'");
    uint64_t begin = sim->now;
    shut_down(sim);
    sim_advance(sim, MINUTE);
    sim_expect(sim, run, PDK_END_TIMED_OUT, NULL);
    assert_int_equal(sim_outcome(sim, run)->at - begin, 10 * S);
    assert_int_equal(sim_task(sim, "a")->reason, PDK_CANCEL_DEADLINE);
    sim_end(sim);
}

/* Who asked first counts: the shutdown was there before the user. */
static void first_cause_counts(void **state) {
    struct sim *sim = sim_with(LIMITS(.drain = 20 * S));
    (void)state;
    pdk_run run = sim_submit(sim, "a", "");
    shut_down(sim);
    assert_int_equal(sim->control->cancel(sim->control, run, "me"), 0);
    sim_advance(sim, S);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_outcome(sim, run)->reason, PDK_CANCEL_SHUTDOWN);
    sim_end(sim);
}

static uint32_t stops;
static const pdk_host *stopper_host;
static int32_t stopper_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    stopper_host = host;
    return sim_plugin.create(host, config, ret, err);
}
static void stopper_stop(void *self) {
    (void)self;
    stops++;
    stopper_host->stopped(stopper_host);
}

/* An instance with a task that is stuck is not stopped: its code may be running. Without one it is, once. */
static void stuck_instance_is_left_alone(void **state) {
    (void)state;
    for (int deaf = 0; deaf < 2; deaf++) {
        struct sim *sim = sim_new();
        pdk_plugin plugin = sim_plugin;
        plugin.create = stopper_create;
        plugin.stop = stopper_stop;
        pdk_router_entry entry = {.struct_size = (uint32_t)sizeof entry, .name = "stopper"};
        const pdk_value *labels = NULL;
        assert_int_equal(pdk_values_get()->parse(pdk_values_get(), "{\"r\":\"s\"}", 9, "test", &labels, NULL), 0);
        entry.labels = labels;
        stops = 0;
        assert_int_equal(pdk_supervisor_add(sim->s, &plugin, &entry, NULL), 0);
        pdk_values_get()->drop(labels);
        sim_turn(sim);
        (void)sim_submit(sim, "a", deaf ? "'selector':{'r':'s'},'with':{'on_cancel':'deaf'}" : "'selector':{'r':'s'}");
        shut_down(sim);
        sim_advance(sim, MINUTE);
        assert_int_equal(stuck_after(sim), deaf);
        assert_int_equal(stops, deaf ? 0 : 1);
        sim_end(sim);
    }
}

static void shutdown_escalates(void **state) {
    struct sim *sim = sim_with(LIMITS(.drain = 20 * S, .grace = 30 * S));
    (void)state;
    pdk_run run = sim_submit(sim, "d", "'with':{'on_cancel':'deaf'}");
    struct sim_task *task = sim_task(sim, "d");
    uint64_t begin = sim->now;
    shut_down(sim);
    sim_advance(sim, S);
    assert_int_equal(task->all_cancels, 0);
    shut_down(sim);
    assert_int_equal(task->all_cancels, 1);
    sim_advance(sim, S);
    assert_int_equal(task->all_kills, 0);
    shut_down(sim);
    assert_int_equal(task->all_kills, 1);
    shut_down(sim);
    sim_until(sim, begin + 60 * S);
    sim_expect(sim, run, PDK_END_LOST, NULL); /* kill_wait over: known long before t3 */
    assert_int_equal(sim_outcome(sim, run)->at, begin + 7 * S);
    assert_int_equal(stuck_after(sim), 1);
    sim_end(sim);
}

static void shutdown_grace_zero(void **state) {
    struct sim *sim = sim_with(LIMITS(.grace = UINT64_MAX));
    (void)state;
    pdk_run a = sim_submit(sim, "a", "'with':{'on_cancel':'deaf'}");
    pdk_run b = sim_submit(sim, "b", "'with':{'on_cancel':'deaf'}");
    uint64_t begin = sim->now;
    shut_down(sim);
    assert_int_equal(sim->now, begin);
    sim_expect(sim, a, PDK_END_LOST, NULL);
    sim_expect(sim, b, PDK_END_LOST, NULL);
    assert_int_equal(sim_task(sim, "a")->all_kills, 1);
    assert_int_equal(stuck_after(sim), 2);
    sim_end(sim);
}

/* A done that lies in the inbox when everything is given up is taken up there. */
static void giveup_takes_up_done(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a", "");
    (void)sim_done(sim_task(sim, "a"), PDK_SUCCESS);
    pdk_step(sim->s, sim_run(sim, run), PDK_INPUT_GIVEUP, 0, NULL);
    assert_int_equal(sim_state(sim, run), PDK_STATE_ENDED);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    sim_end(sim);
}

static void host_killed(void *arg) {
    struct sim *sim = arg;
    if (!sim->host_kills++) sim_host_dies(sim, sim_instance(sim, "fake"));
}

static const struct pdk_hosted_ops host_ops = {.kill = host_killed};

static void hosted_killed_before_the_end(void **state) {
    struct sim *sim = sim_with(LIMITS(.grace = 8 * S));
    (void)state;
    pdk_supervisor_instance_hosted(sim->s, sim_instance(sim, "fake"), &host_ops, sim);
    pdk_run run = sim_submit(sim, "a", "'with':{'on_cancel':'deaf'}");
    uint64_t begin = sim->now;
    shut_down(sim);
    sim_advance(sim, MINUTE);
    assert_int_equal(sim->host_kills, 1);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_outcome(sim, run)->at - begin, 7 * S);
    assert_int_equal(stuck_after(sim), 0);
    sim_end(sim);
}

static uint32_t told;
static void stopped(void *arg) {
    (void)arg;
    told++;
}

static void shutdown_of_nothing(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    told = 0;
    sim->s->options.stopped = stopped;
    uint64_t begin = sim->now;
    shut_down(sim);
    shut_down(sim);
    assert_int_equal(sim->now, begin);
    assert_int_equal(stuck_after(sim), 0);
    assert_int_equal(told, 1);
    sim_end(sim);
}

/* In the middle of everything, with no outcomes: nothing leaks, and tasks are destroyed. */
static void destroy_without_shutdown(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    (void)sim_submit(sim, "w", "'retries':9,'backoff':'1h','with':{'script':'F'}");
    (void)sim_submit(sim, "o", "'slot':'x','with':{'script':'S'}");
    (void)sim_submit(sim, "q", "'slot':'x','when_busy':'queue','with':{'script':'S'}");
    pdk_run run;
    assert_int_equal(sim_try(sim, "new", "", &run), 0);
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shutdown_mixed),
        cmocka_unit_test(shutdown_drain_lets_finish),
        cmocka_unit_test(drain_keeps_deadlines),
        cmocka_unit_test(first_cause_counts),
        cmocka_unit_test(stuck_instance_is_left_alone),
        cmocka_unit_test(shutdown_escalates),
        cmocka_unit_test(shutdown_grace_zero),
        cmocka_unit_test(giveup_takes_up_done),
        cmocka_unit_test(hosted_killed_before_the_end),
        cmocka_unit_test(shutdown_of_nothing),
        cmocka_unit_test(destroy_without_shutdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
