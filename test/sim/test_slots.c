/* SPDX-License-Identifier: Apache-2.0 */
/* Slots, permits, pauses, deadlines and listeners. */
#include "sim.h"

#define LIMITS(...)                                                \
    &(pdk_supervisor_options) {                                    \
        .struct_size = sizeof(pdk_supervisor_options), __VA_ARGS__ \
    }

static void cancel(struct sim *sim, pdk_run run) {
    assert_int_equal(sim->control->cancel(sim->control, run, NULL), 0);
}

/* A run in slot x that is in the state wanted. */
static pdk_run owner_in(struct sim *sim, enum pdk_state state) {
    pdk_run run = 0, other;
    switch (state) {
    case PDK_STATE_READY: (void)sim_submit(sim, "busy", ""); break;
    case PDK_STATE_HELD: (void)sim_submit(sim, "busy", ""); break;
    default: break;
    }
    const char *fields = state == PDK_STATE_WAITING ? "'slot':'x','retries':9,'backoff':'1h','with':{'script':'F'}"
                                                    : "'slot':'x','with':{'on_cancel':'deaf'}";
    assert_int_equal(sim_try(sim, "owner", fields, &run), 0);
    other = run;
    sim_advance(sim, 1 * MS);
    if (state == PDK_STATE_HELD) assert_int_equal(sim->control->pause(sim->control, run), 0);
    if (state == PDK_STATE_STOPPING || state == PDK_STATE_KILLING || state == PDK_STATE_STUCK) cancel(sim, run);
    sim_turn(sim);
    if (state == PDK_STATE_KILLING) sim_advance(sim, 11 * S);
    if (state == PDK_STATE_STUCK) sim_advance(sim, 20 * S);
    assert_int_equal(sim_state(sim, other), state);
    return run;
}

static void drop_busy_all_states(void **state) {
    static const enum pdk_state states[] = {PDK_STATE_READY,   PDK_STATE_HELD,  PDK_STATE_RUNNING, PDK_STATE_STOPPING,
                                            PDK_STATE_KILLING, PDK_STATE_STUCK, PDK_STATE_WAITING};
    (void)state;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        struct sim *sim = sim_with(LIMITS(.running = 1));
        pdk_run run;
        (void)owner_in(sim, states[i]);
        assert_int_equal(sim_try(sim, "d", "'slot':'x'", &run), 0);
        assert_int_equal(sim_outcome(sim, run)->told, 0);
        sim_turn(sim);
        sim_expect(sim, run, PDK_END_REJECTED, "slot_busy");
        assert_int_equal(sim_outcome(sim, run)->attempts, 0);
        sim_end(sim);
    }
}

static void queue_fifo_100(void **state) {
    struct sim *sim = sim_new();
    pdk_run runs[101];
    char name[16];
    (void)state;
    (void)sim_submit(sim, "owner", "'slot':'x','with':{'script':'S:1s'}");
    for (int i = 0; i < 101; i++) {
        (void)snprintf(name, sizeof name, "q%d", i);
        runs[i] = sim_submit(sim, name, "'slot':'x','when_busy':'queue','with':{'script':'S:1s'}");
    }
    sim_expect(sim, runs[100], PDK_END_REJECTED, "queue_full");
    sim_advance(sim, 200 * S);
    for (int i = 0; i < 100; i++) {
        sim_expect(sim, runs[i], PDK_END_SUCCEEDED, NULL);
        if (i) assert_int_equal(sim_outcome(sim, runs[i])->at - sim_outcome(sim, runs[i - 1])->at, 1 * S);
    }
    assert_int_equal(sim->peak, 1);
    sim_end(sim);
    sim = sim_with(LIMITS(.slot_queue = UINT32_MAX));
    (void)sim_submit(sim, "owner", "'slot':'x'");
    sim_expect(sim, sim_submit(sim, "q", "'slot':'x','when_busy':'queue'"), PDK_END_REJECTED, "queue_full");
    sim_end(sim);
}

static void replace_waits_for_end(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run old = sim_submit(sim, "a", "'slot':'x','with':{'on_cancel':'3s'}");
    pdk_run run = sim_submit(sim, "b", "'slot':'x','when_busy':'replace'");
    assert_int_equal(sim_task(sim, "a")->reason, PDK_CANCEL_REPLACED);
    sim_advance(sim, 2 * S);
    assert_int_equal(sim_state(sim, run), PDK_STATE_QUEUED);
    sim_advance(sim, 2 * S);
    sim_expect(sim, old, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_outcome(sim, old)->reason, PDK_CANCEL_REPLACED);
    assert_int_equal(sim_state(sim, run), PDK_STATE_RUNNING);
    assert_int_equal(sim_task(sim, "a")->all_cancels, 1);
    sim_end(sim);
}

/* Who is leaving for another reason keeps it, and is not asked again. */
static void replace_of_a_leaving_owner(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run old = sim_submit(sim, "a", "'slot':'x','deadline':'5s','with':{'on_cancel':'3s'}");
    sim_advance(sim, 6 * S);
    pdk_run run = sim_submit(sim, "b", "'slot':'x','when_busy':'replace'");
    sim_advance(sim, 3 * S);
    sim_expect(sim, old, PDK_END_TIMED_OUT, "deadline");
    assert_int_equal(sim_outcome(sim, old)->reason, PDK_CANCEL_DEADLINE);
    assert_int_equal(sim_task(sim, "a")->all_cancels, 1);
    assert_int_equal(sim_state(sim, run), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void replace_storm(void **state) {
    struct sim *sim = sim_with(LIMITS(.history = 2000));
    pdk_run runs[1000];
    (void)state;
    sim->check_every = 97;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(sim_try(sim, "r", "'slot':'x','when_busy':'replace','with':{'on_cancel':'1s'}", &runs[i]), 0);
    sim_advance(sim, MINUTE);
    assert_int_equal(sim->peak, 1);
    assert_int_equal(sim->settled, 999);
    for (int i = 0; i < 999; i++) {
        const struct sim_outcome *o = sim_outcome(sim, runs[i]);
        assert_true(o->end == PDK_END_REJECTED || o->end == PDK_END_CANCELED);
        assert_int_equal(o->reason, PDK_CANCEL_REPLACED);
    }
    assert_int_equal(sim_state(sim, runs[999]), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void replace_keeps_queue(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    (void)sim_submit(sim, "o", "'slot':'x','with':{'script':'S:9s'}");
    (void)sim_submit(sim, "A", "'slot':'x','when_busy':'queue','with':{'script':'S:1s'}");
    (void)sim_submit(sim, "B", "'slot':'x','when_busy':'queue','with':{'script':'S:1s'}");
    (void)sim_submit(sim, "R", "'slot':'x','when_busy':'replace','with':{'script':'S:1s'}");
    sim->journal[0] = '\0';
    sim_advance(sim, MINUTE);
    assert_string_equal(sim->journal, "settled o; start R; settled R; start A; settled A; start B; settled B; ");
    sim_end(sim);
}

static void replace_ready_owner(void **state) {
    struct sim *sim = sim_with(LIMITS(.running = 1));
    (void)state;
    pdk_run old = owner_in(sim, PDK_STATE_READY), run;
    assert_int_equal(sim_try(sim, "b", "'slot':'x','when_busy':'replace'", &run), 0);
    uint32_t steps = sim->steps;
    sim_turn(sim);
    assert_int_equal(sim->steps, steps + 2); /* one of admission, one of settling */
    sim_expect(sim, old, PDK_END_REJECTED, "replaced");
    assert_int_equal(sim_state(sim, run), PDK_STATE_READY);
    sim_end(sim);
}

static void permit_never_leaks(void **state) {
    static const char *const scripts[] = {"S:1s", "F:2s", "E5", "!S",    "X:1s", "R1s S",
                                          "C:1s", "!E5",  "S",  "F F S", "-",    "!F !S"};
    struct sim *sim = sim_with(LIMITS(.running = 2));
    (void)state;
    uint64_t dice = 7;
    for (int i = 0; i < 200; i++) {
        char name[16], fields[160];
        pdk_run run;
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        (void)snprintf(name, sizeof name, "t%d", i);
        (void)snprintf(fields, sizeof fields, "'retries':2,'timeout':'3s','with':{'script':'%s'}",
                       scripts[(dice >> 33) % 12]);
        assert_int_equal(sim_try(sim, name, fields, &run), 0);
        if ((dice >> 40) % 5 == 0) cancel(sim, run);
        if ((dice >> 44) % 3 == 0) sim_advance(sim, 700 * MS);
    }
    sim_advance(sim, HOUR);
    assert_int_equal(sim->settled, 200);
    assert_int_equal(sim->s->running, 0);
    assert_int_equal(sim->peak, 2);
    sim_end(sim);
}

static void runner_limit_no_hol(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    assert_int_equal(pdk_supervisor_limit(sim->s, "a", &(struct pdk_instance_limits){.running = 1}), 0);
    (void)sim_add(sim, "a", "a");
    (void)sim_add(sim, "b", "b");
    pdk_run first = sim_submit(sim, "a1", "'selector':{'r':'a'},'with':{'script':'S:5s'}");
    pdk_run second = sim_submit(sim, "a2", "'selector':{'r':'a'}");
    pdk_run other = sim_submit(sim, "b1", "'selector':{'r':'b'}");
    assert_int_equal(sim_state(sim, first), PDK_STATE_RUNNING);
    assert_int_equal(sim_state(sim, second), PDK_STATE_READY);
    assert_int_equal(sim_state(sim, other), PDK_STATE_RUNNING);
    sim_advance(sim, 6 * S);
    assert_int_equal(sim_state(sim, second), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void backoff_holds_no_permit(void **state) {
    struct sim *sim = sim_with(LIMITS(.running = 1));
    (void)state;
    pdk_run waits = sim_submit(sim, "a", "'retries':3,'backoff':'30s','with':{'script':'F'}");
    sim_advance(sim, 1 * MS);
    assert_int_equal(sim_state(sim, waits), PDK_STATE_WAITING);
    assert_int_equal(sim_state(sim, sim_submit(sim, "b", "")), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void pause_run(struct sim *sim, pdk_run run) {
    assert_int_equal(sim->control->pause(sim->control, run), 0);
    sim_turn(sim);
}

static void resume_run(struct sim *sim, pdk_run run) {
    assert_int_equal(sim->control->resume(sim->control, run), 0);
    sim_turn(sim);
}

static void pause_resume(void **state) {
    struct sim *sim = sim_with(LIMITS(.running = 1));
    (void)state;
    pdk_run on = sim_submit(sim, "on", "'slot':'x','with':{'script':'S:9s'}");
    pdk_run queued = sim_submit(sim, "q", "'slot':'x','when_busy':'queue'");
    pdk_run ready = sim_submit(sim, "r", "");
    pdk_run later = sim_submit(sim, "l", "'with':{'script':'S'}");
    pause_run(sim, ready);
    assert_int_equal(sim_state(sim, ready), PDK_STATE_HELD);
    pause_run(sim, on);
    pause_run(sim, queued);
    assert_int_equal(sim_state(sim, on), PDK_STATE_RUNNING);
    resume_run(sim, ready); /* behind l now */
    sim->journal[0] = '\0';
    sim_advance(sim, 10 * S);
    sim_expect(sim, on, PDK_END_SUCCEEDED, NULL);
    sim_expect(sim, later, PDK_END_SUCCEEDED, NULL);
    assert_string_equal(sim->journal, "settled on; start l; settled l; start r; ");
    assert_int_equal(sim_state(sim, queued), PDK_STATE_HELD); /* got its slot, no more */
    (void)sim_done(sim_task(sim, "r"), PDK_SUCCESS);
    sim_turn(sim);
    resume_run(sim, queued);
    assert_int_equal(sim_state(sim, queued), PDK_STATE_RUNNING);
    (void)sim_done(sim_task(sim, "q"), PDK_SUCCESS);
    pdk_run waits = sim_submit(sim, "w", "'retries':3,'backoff':'1s','with':{'script':'F -'}");
    sim_advance(sim, 1 * MS);
    pause_run(sim, waits);
    sim_advance(sim, 5 * S);
    assert_int_equal(sim_state(sim, waits), PDK_STATE_HELD);
    resume_run(sim, waits);
    assert_int_equal(sim_state(sim, waits), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void pause_all(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pause_run(sim, 0);
    pdk_run run = sim_submit(sim, "a", "");
    sim_advance(sim, S);
    assert_int_equal(sim_state(sim, run), PDK_STATE_READY);
    resume_run(sim, 0);
    assert_int_equal(sim_state(sim, run), PDK_STATE_RUNNING);
    sim_end(sim);
}

static void deadline_everywhere(void **state) {
    (void)state;
    struct sim *sim = sim_with(LIMITS(.running = 2));
    pdk_run on = sim_submit(sim, "on", "'deadline':'10s','slot':'x','with':{'on_cancel':'1s'}");
    pdk_run queued = sim_submit(sim, "q", "'deadline':'10s','slot':'x','when_busy':'queue'");
    pdk_run waits = sim_submit(sim, "w", "'deadline':'10s','retries':9,'backoff':'9s','with':{'script':'F'}");
    sim_advance(sim, 1 * MS);
    pdk_run full = sim_submit(sim, "full", "");
    pdk_run ready = sim_submit(sim, "r", "'deadline':'9999ms'");
    pdk_run held = sim_submit(sim, "h", "'deadline':'9999ms'");
    pause_run(sim, held);
    uint64_t begin = sim->now - 1 * MS;
    sim_until(sim, begin + 12 * S);
    sim_expect(sim, queued, PDK_END_REJECTED, "deadline");
    sim_expect(sim, ready, PDK_END_REJECTED, "deadline");
    sim_expect(sim, held, PDK_END_REJECTED, "deadline");
    sim_expect(sim, on, PDK_END_TIMED_OUT, "deadline");
    assert_int_equal(sim_outcome(sim, on)->at - begin, 11 * S);
    assert_int_equal(sim_task(sim, "on")->reason, PDK_CANCEL_DEADLINE);
    assert_int_equal(sim_outcome(sim, queued)->at - begin, 10 * S);
    /* its second attempt would have been at 9s, but there was no permit then; at 10s it is over */
    sim_expect(sim, waits, PDK_END_TIMED_OUT, "deadline");
    assert_int_equal(sim_task(sim, "w")->starts, 1);
    assert_int_equal(sim_state(sim, full), PDK_STATE_RUNNING);
    sim_end(sim);
}

/* The deadline comes between the timers of a turn and its starts: nothing starts at or after it. */
static void deadline_at_the_start(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    pdk_submit_options options = {.struct_size = sizeof options, .deadline_ns = sim->now};
    (void)state;
    assert_int_equal(sim_try(sim, "a", "'deadline':'1ms'", &run), 0);
    (void)options;
    sim->now += 1 * MS;
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_REJECTED, "deadline");
    assert_int_equal(sim_task(sim, "a")->starts, 0);
    sim_end(sim);
}

static void deadline_beats_backoff(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    uint64_t begin = sim->now;
    pdk_run run = sim_submit(sim, "a", "'deadline':'10s','retries':9,'backoff':'3s','with':{'script':'F:9s'}");
    sim_advance(sim, MINUTE);
    sim_expect(sim, run, PDK_END_FAILED, "deadline");
    assert_int_equal(sim_outcome(sim, run)->at - begin, 9 * S);
    sim_end(sim);
}

static void settled_before_next_start(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    (void)sim_submit(sim, "one", "'slot':'x','with':{'script':'S:1s'}");
    (void)sim_submit(sim, "two", "'slot':'x','when_busy':'queue','with':{'script':'S:1s'}");
    sim_advance(sim, 5 * S);
    assert_string_equal(sim->journal, "start one; settled one; start two; settled two; ");
    sim_end(sim);
}

static void ignore_event(void *arg, const pdk_event *event) {
    uint64_t *sums = arg;
    if (event->kind == PDK_EVENT_LOST) {
        sums[1] += event->number;
    } else {
        sums[0]++;
        assert_true(event->number > sums[2]);
        sums[2] = event->number;
    }
}

static uint32_t ends(struct sim *sim, int32_t end) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < SIM_RUNS; i++) count += sim->outcomes[i].told && sim->outcomes[i].end == end;
    return count;
}

static void lost_events_change_nothing(void **state) {
    uint64_t sums[3] = {0};
    uint32_t outcomes[2];
    (void)state;
    for (int listen = 0; listen < 2; listen++) {
        struct sim *sim = sim_with(LIMITS(.events = 4, .history = UINT32_MAX));
        pdk_watch watch;
        uint64_t before = sim->s->events;
        sim->check_every = 1000;
        if (listen) assert_int_equal(sim->control->subscribe(sim->control, NULL, ignore_event, sums, &watch), 0);
        for (int i = 0; i < 10000; i++) {
            pdk_run run;
            assert_int_equal(sim_try(sim, "a", i % 3 ? "'with':{'script':'!S'}" : "'with':{'script':'!F'}", &run), 0);
            if (i % 10 == 9) sim_turn(sim);
        }
        sim_turn(sim);
        assert_int_equal(sim->settled, 10000);
        outcomes[listen] = ends(sim, PDK_END_SUCCEEDED) * 16384 + ends(sim, PDK_END_FAILED);
        if (listen) assert_int_equal(sums[0] + sums[1], sim->s->events - before);
        if (listen) assert_true(sums[1] > 0);
        sim_end(sim);
    }
    assert_int_equal(outcomes[0], outcomes[1]);
}

/* Runs of a runner that is down wait, without using up an attempt. */
static void down_runner_waits(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    const pdk_host *host = &sim_instance(sim, "fake")->host;
    host->health(host, PDK_DOWN, "no database");
    sim_turn(sim);
    pdk_run run = sim_submit(sim, "a", "");
    sim_advance(sim, MINUTE);
    assert_int_equal(sim_state(sim, run), PDK_STATE_READY);
    host->health(host, PDK_DEGRADED, "slow");
    sim_turn(sim);
    assert_int_equal(sim_state(sim, run), PDK_STATE_RUNNING);
    assert_int_equal(sim_task(sim, "a")->starts, 1);
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drop_busy_all_states),
        cmocka_unit_test(queue_fifo_100),
        cmocka_unit_test(replace_waits_for_end),
        cmocka_unit_test(replace_storm),
        cmocka_unit_test(replace_of_a_leaving_owner),
        cmocka_unit_test(replace_keeps_queue),
        cmocka_unit_test(replace_ready_owner),
        cmocka_unit_test(permit_never_leaks),
        cmocka_unit_test(runner_limit_no_hol),
        cmocka_unit_test(backoff_holds_no_permit),
        cmocka_unit_test(pause_resume),
        cmocka_unit_test(pause_all),
        cmocka_unit_test(deadline_everywhere),
        cmocka_unit_test(deadline_at_the_start),
        cmocka_unit_test(deadline_beats_backoff),
        cmocka_unit_test(settled_before_next_start),
        cmocka_unit_test(lost_events_change_nothing),
        cmocka_unit_test(down_runner_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
