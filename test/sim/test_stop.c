/* SPDX-License-Identifier: Apache-2.0 */
/* Timeouts, cancels, kills, and what is stuck. */
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

static void timeout_cancel_grace_kill(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    sim_listen(sim);
    struct sim_task *task = running(sim, &run, "'timeout':'5s','with':{" DEAF "}");
    uint64_t begin = sim->now;
    sim_advance(sim, HOUR);
    assert_int_equal(task->canceled_at - begin, 5 * S);
    assert_int_equal(task->reason, PDK_CANCEL_TIMEOUT);
    assert_int_equal(task->killed_at - begin, 15 * S);
    sim_expect(sim, run, PDK_END_LOST, NULL);
    assert_int_equal(sim_outcome(sim, run)->at - begin, 20 * S);
    assert_int_equal(sim_state(sim, run), PDK_STATE_STUCK);
    assert_int_equal(sim->s->running, 1);
    assert_int_equal(sim->s->slots.count, 1);
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_STOPPING, 0), "timed out after 5s; killed in 10s");
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_STOPPING, 1), "killed; grace of 10s is over");
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_STUCK, 0), "a-1 does not stop: its slot stays taken");
    sim_end(sim);
}

static void timeout_done_in_grace(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    sim_listen(sim);
    struct sim_task *task =
        running(sim, &run, "'timeout':'5s','restart':'on-failure','with':{" DEAF ",'script':'S:7s -'}");
    sim_advance(sim, 8 * S);
    assert_int_equal(task->starts, 2);
    char text[256];
    assert_string_equal(sim_events(sim, run, text, sizeof text), "ACCEPTED STARTED STOPPING ENDED WAITING STARTED");
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_ENDED, 0), "timed out after 5s");
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    run = sim_submit(sim, "b", "'timeout':'5s','restart':'never','with':{" DEAF ",'script':'S:7s'}");
    sim_advance(sim, 8 * S);
    sim_expect(sim, run, PDK_END_TIMED_OUT, NULL);
    sim_end(sim);
}

static void timeout_holds_slot(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *first = running(sim, &run, "'slot':'x','timeout':'5s','with':{" DEAF "}");
    pdk_run next = sim_submit(sim, "b", "'slot':'x','when_busy':'queue'");
    sim_advance(sim, 12 * S);
    assert_int_equal(sim_state(sim, run), PDK_STATE_STOPPING);
    assert_int_equal(sim_state(sim, next), PDK_STATE_QUEUED);
    (void)sim_done(first, PDK_SUCCESS);
    assert_int_equal(sim_state(sim, next), PDK_STATE_QUEUED);
    sim_turn(sim);
    assert_true(first->destroyed);
    assert_int_equal(sim_state(sim, next), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void timeout_zero_none(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    (void)running(sim, &run, "'timeout':'none','deadline':'none'");
    assert_int_equal(sim->s->timers.count, 0);
    assert_int_equal(sim->timer_count, 0);
    sim_advance(sim, 30 * 365 * 24 * HOUR);
    assert_int_equal(sim_state(sim, run), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void done_crosses_timeout(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "'timeout':'5s'");
    sim_advance(sim, 5 * S - 1);
    sim->now += 1; /* both are due now, and neither has been heard */
    (void)sim_done(task, PDK_SUCCESS);
    sim_advance(sim, S);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    assert_int_equal(task->all_cancels, 0);
    sim_end(sim);
}

/* The machine alone, with the done posted and not taken up: nobody asks. */
static void done_posted_nobody_asks(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "'timeout':'5s','deadline':'1h'");
    (void)sim_done(task, PDK_SUCCESS);
    pdk_step(sim->s, sim_run(sim, run), PDK_INPUT_T_ATTEMPT, 0, NULL);
    pdk_step(sim->s, sim_run(sim, run), PDK_INPUT_T_TOTAL, 0, NULL);
    assert_int_equal(sim_state(sim, run), PDK_STATE_RUNNING);
    assert_int_equal(task->all_cancels, 0);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    sim_end(sim);
}

static void done_crosses_cancel(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "'restart':'on-failure'");
    cancel(sim, run);
    (void)sim_done(task, PDK_FAILURE); /* dones come before commands */
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_outcome(sim, run)->reason, PDK_CANCEL_USER);
    assert_int_equal(task->all_cancels, 0);
    task = running(sim, &run, "'restart':'on-failure'");
    cancel(sim, run);
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    /* and the other way round: the cancel is carried out while the done lies in the inbox */
    task = running(sim, &run, "'restart':'on-failure'");
    (void)sim_done(task, PDK_FAILURE);
    pdk_step(sim->s, sim_run(sim, run), PDK_INPUT_CANCEL, PDK_CANCEL_USER, NULL);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    assert_int_equal(task->all_cancels, 0);
    sim_end(sim);
}

static void cancel_queued(void **state) {
    struct sim *sim = sim_new();
    pdk_run first, run[3];
    (void)state;
    struct sim_task *task = running(sim, &first, "'slot':'x'");
    const char *names[] = {"p", "q", "r"};
    for (int i = 0; i < 3; i++) run[i] = sim_submit(sim, names[i], "'slot':'x','when_busy':'queue'");
    cancel(sim, run[1]);
    sim_turn(sim);
    sim_expect(sim, run[1], PDK_END_REJECTED, "canceled");
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    assert_int_equal(sim_state(sim, run[0]), PDK_STATE_RUNNING);
    assert_int_equal(sim_state(sim, run[2]), PDK_STATE_QUEUED);
    (void)sim_done(sim_task(sim, "p"), PDK_SUCCESS);
    sim_turn(sim);
    assert_int_equal(sim_state(sim, run[2]), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void cancel_ready(void **state) {
    struct sim *sim = sim_with(&(pdk_supervisor_options){.struct_size = sizeof(pdk_supervisor_options), .running = 1});
    (void)state;
    sim_listen(sim);
    pdk_run again = sim_submit(sim, "b", "'retries':5,'with':{'script':'F'}");
    sim_advance(sim, 1 * MS); /* it has failed and waits */
    pdk_run holder = sim_submit(sim, "a", "");
    pdk_run fresh = sim_submit(sim, "c", "");
    sim_advance(sim, 10 * S);
    assert_int_equal(sim_state(sim, holder), PDK_STATE_RUNNING);
    assert_int_equal(sim_state(sim, fresh), PDK_STATE_READY);
    assert_int_equal(sim_state(sim, again), PDK_STATE_READY);
    cancel(sim, fresh);
    cancel(sim, again);
    sim_turn(sim);
    sim_expect(sim, fresh, PDK_END_REJECTED, "canceled");
    sim_expect(sim, again, PDK_END_CANCELED, NULL);
    assert_int_equal(sim->s->ready, 0);
    char text[256];
    assert_string_equal(sim_events(sim, fresh, text, sizeof text), "ACCEPTED REJECTED");
    sim_end(sim);
}

static void cancel_backoff(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a", "'slot':'x','backoff':'30s','retries':5,'with':{'script':'F'}");
    pdk_run next = sim_submit(sim, "b", "'slot':'x','when_busy':'queue'");
    sim_advance(sim, 1 * S);
    assert_int_equal(sim_state(sim, run), PDK_STATE_WAITING);
    cancel(sim, run);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    assert_int_equal(sim->s->timers.count, 1); /* when it is to be forgotten */
    assert_true(pdk_timer_runs(&sim->s->history_timer));
    assert_int_equal(sim_state(sim, next), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void cancel_running_ok_is_canceled(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "'with':{" DEAF "}");
    cancel(sim, run);
    sim_turn(sim);
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_outcome(sim, run)->reason, PDK_CANCEL_USER);
    assert_int_equal(sim_outcome(sim, run)->last_status, PDK_SUCCESS);
    sim_end(sim);
}

static void cancel_twice_one_call(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "'slot':'x','with':{'on_cancel':'3s'}");
    cancel(sim, run);
    sim_turn(sim);
    (void)sim_submit(sim, "b", "'slot':'x','when_busy':'replace'");
    assert_int_equal(sim->control->cancel(sim->control, run, NULL), 0);
    sim_advance(sim, 4 * S);
    assert_int_equal(task->all_cancels, 1);
    assert_int_equal(task->reason, PDK_CANCEL_USER);
    assert_int_equal(sim_outcome(sim, run)->reason, PDK_CANCEL_USER);
    assert_int_equal(sim->control->cancel(sim->control, run, NULL), -ESTALE);
    sim_end(sim);
}

static void cancel_during_timeout_grace(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "'timeout':'5s','retries':9,'with':{'on_cancel':'3s'}");
    sim_advance(sim, 6 * S);
    assert_int_equal(sim_state(sim, run), PDK_STATE_STOPPING);
    cancel(sim, run);
    sim_advance(sim, MINUTE);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_outcome(sim, run)->reason, PDK_CANCEL_USER);
    assert_int_equal(task->all_cancels, 1);
    assert_int_equal(task->starts, 1);
    sim_end(sim);
}

static void force_kills_now(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "'with':{" DEAF "}");
    assert_int_equal(sim->control->force(sim->control, run, "now"), 0);
    sim_turn(sim);
    assert_int_equal(task->all_cancels, 1);
    assert_int_equal(task->all_kills, 1);
    assert_int_equal(task->killed_at, task->canceled_at);
    (void)sim_done(task, PDK_CANCELED);
    sim_turn(sim);
    task = running(sim, &run, "'with':{" DEAF "}");
    cancel(sim, run);
    sim_advance(sim, S);
    assert_int_equal(task->all_kills, 0);
    assert_int_equal(sim->control->force(sim->control, run, NULL), 0);
    sim_turn(sim);
    assert_int_equal(sim->control->force(sim->control, run, NULL), 0);
    sim_advance(sim, S);
    assert_int_equal(task->all_kills, 1);
    assert_int_equal(task->all_cancels, 1);
    sim_end(sim);
}

static void grace_zero(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = running(sim, &run, "'stop':{'grace':'0'},'with':{" DEAF "}");
    uint32_t steps = sim->steps;
    pdk_step(sim->s, sim_run(sim, run), PDK_INPUT_CANCEL, PDK_CANCEL_USER, NULL);
    assert_int_equal(sim->steps, steps + 1);
    assert_int_equal(task->all_cancels, 1);
    assert_int_equal(task->all_kills, 1);
    assert_int_equal(sim_state(sim, run), PDK_STATE_KILLING);
    sim_end(sim);
}

static void no_kill_op(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    const pdk_value *labels = NULL;
    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), "{\"r\":\"m\"}", 9, "test", &labels, NULL), 0);
    pdk_router_entry entry = {.struct_size = (uint32_t)sizeof entry, .name = "meek", .labels = labels};
    assert_int_equal(pdk_supervisor_add(sim->s, &sim_meek, &entry, NULL), 0);
    pdk_values_get()->drop(labels);
    pdk_run run;
    struct sim_task *task = running(sim, &run, "'selector':{'r':'m'},'with':{" DEAF "}");
    cancel(sim, run);
    uint64_t begin = sim->now;
    sim_advance(sim, MINUTE);
    sim_expect(sim, run, PDK_END_LOST, NULL);
    assert_int_equal(sim_outcome(sim, run)->at - begin, 15 * S);
    assert_int_equal(task->all_kills, 0);
    sim_end(sim);
}

static struct sim_task *stuck(struct sim *sim, pdk_run *run, const char *slot) {
    char fields[128];
    (void)snprintf(fields, sizeof fields, "'slot':'%s','when_busy':'queue','with':{" DEAF "}", slot);
    struct sim_task *task = running(sim, run, fields);
    cancel(sim, *run);
    sim_advance(sim, 15 * S);
    assert_int_equal(sim_state(sim, *run), PDK_STATE_STUCK);
    return task;
}

static int32_t freed_status(const struct sim *sim) {
    const struct sim_event *last = NULL;
    for (uint32_t i = 0; i < sim->event_count; i++)
        if (sim->events[i].event.kind == PDK_EVENT_FREED) last = &sim->events[i];
    assert_non_null(last);
    return last->event.status;
}

static void late_done_frees(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    sim_listen(sim);
    struct sim_task *task = stuck(sim, &run, "x");
    pdk_run next = sim_submit(sim, "b", "'slot':'x','when_busy':'queue'");
    sim_advance(sim, 41 * S);
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_LOST, NULL);
    assert_int_equal(task->destroys, 1);
    assert_int_equal(sim_state(sim, next), PDK_STATE_RUNNING);
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_FREED, 0), "x-1 has stopped after all, 41s late");
    assert_int_equal(freed_status(sim), 0);
    sim_end(sim);
}

static void stuck_blocks_drop_queue_replace(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = stuck(sim, &run, "x");
    pdk_run drop = sim_submit(sim, "d", "'slot':'x','when_busy':'drop'");
    pdk_run queue = sim_submit(sim, "q", "'slot':'x','when_busy':'queue'");
    pdk_run head = sim_submit(sim, "h", "'slot':'x','when_busy':'replace'");
    sim_advance(sim, MINUTE);
    sim_expect(sim, drop, PDK_END_REJECTED, "slot_busy");
    assert_string_equal(sim_outcome(sim, drop)->message, "x-1 does not stop");
    assert_int_equal(sim_state(sim, queue), PDK_STATE_QUEUED);
    assert_int_equal(sim_state(sim, head), PDK_STATE_QUEUED);
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    assert_int_equal(sim_state(sim, head), PDK_STATE_RUNNING);
    assert_int_equal(sim_state(sim, queue), PDK_STATE_QUEUED);
    sim_end(sim);
}

static void abandon_frees_and_late_done_destroys(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    struct sim_task *task = stuck(sim, &run, "x");
    pdk_run next = sim_submit(sim, "b", "'slot':'x','when_busy':'queue'");
    assert_int_equal(sim->control->abandon(sim->control, next), -EBUSY);
    sim_listen(sim);
    assert_int_equal(sim->control->abandon(sim->control, run), 0);
    task->leaked = true;
    sim_turn(sim);
    assert_int_equal(sim_state(sim, next), PDK_STATE_RUNNING);
    assert_false(task->destroyed);
    assert_int_equal(sim->control->abandon(sim->control, run), -ESTALE);
    assert_int_equal(freed_status(sim), 1);
    sim_advance(sim, S);
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    assert_int_equal(task->destroys, 1);
    assert_int_equal(sim_state(sim, next), PDK_STATE_RUNNING);
    sim_expect(sim, run, PDK_END_LOST, NULL);
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timeout_cancel_grace_kill),
        cmocka_unit_test(timeout_done_in_grace),
        cmocka_unit_test(timeout_holds_slot),
        cmocka_unit_test(timeout_zero_none),
        cmocka_unit_test(done_crosses_timeout),
        cmocka_unit_test(done_posted_nobody_asks),
        cmocka_unit_test(done_crosses_cancel),
        cmocka_unit_test(cancel_queued),
        cmocka_unit_test(cancel_ready),
        cmocka_unit_test(cancel_backoff),
        cmocka_unit_test(cancel_running_ok_is_canceled),
        cmocka_unit_test(cancel_twice_one_call),
        cmocka_unit_test(cancel_during_timeout_grace),
        cmocka_unit_test(force_kills_now),
        cmocka_unit_test(grace_zero),
        cmocka_unit_test(no_kill_op),
        cmocka_unit_test(late_done_frees),
        cmocka_unit_test(stuck_blocks_drop_queue_replace),
        cmocka_unit_test(abandon_frees_and_late_done_destroys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
