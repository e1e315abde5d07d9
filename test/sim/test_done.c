/* SPDX-License-Identifier: Apache-2.0 */
/* Dones that come twice, too late or too early, and plugins that die. */
#include "sim.h"

#define DEAF "'on_cancel':'deaf'"

static struct sim_task *running(struct sim *sim, pdk_run *run, const char *fields) {
    *run = sim_submit(sim, "a", fields);
    assert_int_equal(sim_state(sim, *run), PDK_STATE_RUNNING);
    return sim_task(sim, "a");
}

static void cancel(struct sim *sim, pdk_run run) {
    assert_int_equal(sim->control->cancel(sim->control, run, NULL), 0);
}

static void double_done(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "");
    assert_int_equal(sim_done(task, PDK_SUCCESS), 0);
    assert_int_equal(sim_done(task, PDK_FAILURE), -EALREADY);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    assert_int_equal(sim->misbehaved, 1);
    assert_string_equal(sim->last_log, "fake: plugin fake misbehaves: done twice for a-1/1");
    pdk_run next = sim_submit(sim, "a", "'with':{'script':'S'}");
    sim_advance(sim, S);
    sim_expect(sim, next, PDK_END_SUCCEEDED, NULL);
    sim_end(sim);
}

static void *say_done(void *task) {
    (void)sim_done(task, PDK_SUCCESS);
    return NULL;
}

/* Nothing else happens: the done itself has to wake the loop. */
static void done_from_a_thread_wakes(void **state) {
    struct sim *sim = sim_new();
    pthread_t thread;
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "");
    assert_int_equal(sim->call_count, 0);
    assert_int_equal(pthread_create(&thread, NULL, say_done, task), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sim->call_count, 1);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    sim_end(sim);
}

static void stale_done_next_attempt(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "'restart':'on-failure','backoff':'1ms','with':{'script':'F -'}");
    sim_advance(sim, S);
    assert_int_equal(task->starts, 2);
    pdk_result result = PDK_RESULT(PDK_FAILURE, 0, NULL);
    assert_int_equal(task->host->done(task->host, task->previous, &result), -ESTALE);
    assert_int_equal(task->host->output(task->host, task->previous, PDK_STDOUT, "x", 1), -ESTALE);
    assert_int_equal(task->host->progress(task->host, task->previous, 0.5, "x"), -ESTALE);
    assert_int_equal(task->host->ready(task->host, task->previous), -ESTALE);
    assert_int_equal(task->host->done(task->host, 0xdeadbeefcafe, &result), -ESTALE);
    sim_turn(sim);
    assert_int_equal(sim_state(sim, run), PDK_STATE_RUNNING);
    assert_int_equal(sim->misbehaved, 2);
    sim_end(sim);
}

static void done_inside_start(void **state) {
    struct sim *sim = sim_new();
    char text[256];
    (void)state;
    sim_listen(sim);
    pdk_run run = sim_submit(sim, "a", "'with':{'script':'!S'}");
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    assert_string_equal(sim_events(sim, run, text, sizeof text), "ACCEPTED STARTED ENDED OUTCOME");
    assert_int_equal(sim_outcome(sim, run)->attempts, 1);
    sim_end(sim);
}

static void done_inside_failing_start(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a", "'with':{'script':'!E5'}");
    sim_advance(sim, S);
    sim_expect(sim, run, PDK_END_FAILED, "start_failed");
    assert_int_equal(sim_outcome(sim, run)->attempts, 1);
    assert_int_equal(sim->misbehaved, 1);
    assert_int_equal(sim->s->running, 0);
    /* its cell is whole again */
    run = sim_submit(sim, "a", "'with':{'script':'!S'}");
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    sim_end(sim);
}

static void start_error_classes(void **state) {
    static const struct {
        int error;
        bool fatal;
    } classes[] = {{EAGAIN, false}, {EIO, false},   {ENOMEM, false}, {ENOSPC, false},
                   {ENOTSUP, true}, {EINVAL, true}, {ENOENT, true},  {EACCES, true}};
    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        struct sim *sim = sim_new();
        char fields[128];
        (void)snprintf(fields, sizeof fields, "'restart':'always','with':{'script':'E%d -'}", classes[i].error);
        pdk_run run = sim_submit(sim, "a", fields);
        sim_advance(sim, S);
        if (classes[i].fatal) {
            sim_expect(sim, run, PDK_END_FATAL, NULL);
            assert_int_equal(sim->s->running, 0);
            assert_int_equal(sim->s->slots.count, 0);
        } else {
            assert_int_equal(sim_state(sim, run), PDK_STATE_RUNNING);
            assert_int_equal(sim_task(sim, "a")->starts, 2);
        }
        sim_end(sim);
    }
}

static void cancel_myself(struct sim *sim, struct sim_task *task, const pdk_start *info) {
    (void)task, (void)info;
    pdk_run *run = sim->extra;
    assert_int_equal(sim->control->cancel(sim->control, *run, "myself"), 0);
    assert_int_equal(sim_state(sim, *run), PDK_STATE_STARTING);
}

static void plugin_cancels_from_start(void **state) {
    struct sim *sim = sim_new();
    pdk_run run = 0;
    (void)state;
    sim->extra = &run;
    sim->on_start = cancel_myself;
    assert_int_equal(sim_try(sim, "a", "", &run), 0);
    sim_advance(sim, S);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_task(sim, "a")->all_cancels, 1);
    sim_end(sim);
}

static void host_killed(void *arg) {
    struct sim *sim = arg;
    sim->host_kills++;
}

static const struct pdk_hosted_ops host_ops = {.kill = host_killed};

static struct pdk_instance *hosted(struct sim *sim) {
    struct pdk_instance *instance = sim_instance(sim, "fake");
    pdk_supervisor_instance_hosted(sim->s, instance, &host_ops, sim);
    return instance;
}

static void host_exit_running(void **state) {
    struct sim *sim = sim_new();
    pdk_run run[3];
    const char *names[] = {"a", "b", "c"};
    (void)state;
    sim_listen(sim);
    struct pdk_instance *instance = hosted(sim);
    for (int i = 0; i < 2; i++) run[i] = sim_submit(sim, names[i], "'retries':1,'backoff':'1s','with':{'script':'-'}");
    run[2] = sim_submit(sim, names[2], "'restart':'never','with':{'script':'-'}");
    struct sim_task *old = sim_task(sim, "a");
    sim_host_dies(sim, instance);
    sim_turn(sim);
    sim_expect(sim, run[2], PDK_END_FAILED, "plugin_gone");
    for (int i = 0; i < 2; i++) assert_int_equal(sim_state(sim, run[i]), PDK_STATE_WAITING);
    sim_advance(sim, 2 * S);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sim_state(sim, run[i]), PDK_STATE_RUNNING);
        assert_string_equal(sim_event_text(sim, run[i], PDK_EVENT_ENDED, 0), "the process of its plugin has died");
        assert_null(sim_event_text(sim, run[i], PDK_EVENT_ENDED, 1));
    }
    assert_ptr_not_equal(sim_task(sim, "a"), old);
    assert_int_equal(old->destroys, 0);
    sim_end(sim);
}

static void host_exit_done_in_flight(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct pdk_instance *instance = hosted(sim);
    struct sim_task *task = running(sim, &run, "");
    (void)sim_done(task, PDK_SUCCESS);
    sim_host_dies(sim, instance);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    /* with the done still in the inbox */
    task = running(sim, &run, "");
    (void)sim_done(task, PDK_SUCCESS);
    task->gone = true; /* and nothing is to be destroyed */
    pdk_step(sim->s, sim_run(sim, run), PDK_INPUT_GONE, 0, NULL);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    sim_end(sim);
}

static void hosted_deaf_is_killed(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct pdk_instance *instance = hosted(sim);
    (void)running(sim, &run, "'with':{" DEAF "}");
    cancel(sim, run);
    sim_advance(sim, 15 * S);
    assert_int_equal(sim->host_kills, 1);
    assert_int_equal(sim_state(sim, run), PDK_STATE_KILLING);
    sim_host_dies(sim, instance);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    sim_end(sim);
}

static void rebuild_fails(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    struct pdk_instance *instance = hosted(sim);
    pdk_run run = sim_submit(sim, "a", "'retries':5,'backoff':'1s','with':{'script':'F'}");
    sim_advance(sim, 100 * MS);
    assert_int_equal(sim_state(sim, run), PDK_STATE_WAITING);
    sim_host_dies(sim, instance);
    sim->fail_builds = -EIO;
    sim_advance(sim, 5 * S);
    sim_expect(sim, run, PDK_END_FATAL, NULL);
    assert_int_equal(sim->s->slots.count, 0);
    sim_end(sim);
}

/* Our own judgement of an attempt: not ready in time. It is stopped like one that ran out of time. */
static void unfit_attempt_fails(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    sim_listen(sim);
    struct sim_task *task = running(sim, &run, "'with':{'on_cancel':'3s'}");
    assert_int_equal(pdk_supervisor_fail_attempt(sim->s, run, "not_ready", "not ready within 5s"), 0);
    sim_advance(sim, 4 * S);
    sim_expect(sim, run, PDK_END_FAILED, "not_ready");
    assert_int_equal(task->reason, PDK_CANCEL_TIMEOUT);
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_STOPPING, 0), "not ready within 5s; killed in 10s");
    assert_int_equal(pdk_supervisor_fail_attempt(sim->s, run, "not_ready", ""), -ESTALE);
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(double_done),
        cmocka_unit_test(done_from_a_thread_wakes),
        cmocka_unit_test(stale_done_next_attempt),
        cmocka_unit_test(done_inside_start),
        cmocka_unit_test(done_inside_failing_start),
        cmocka_unit_test(start_error_classes),
        cmocka_unit_test(plugin_cancels_from_start),
        cmocka_unit_test(host_exit_running),
        cmocka_unit_test(host_exit_done_in_flight),
        cmocka_unit_test(hosted_deaf_is_killed),
        cmocka_unit_test(rebuild_fails),
        cmocka_unit_test(unfit_attempt_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
