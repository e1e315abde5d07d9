/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a supervisor of this kind got wrong and had to fix, in the history of one that came before us: each as a test of
 * how ours holds. The name of the test says what went wrong there.
 */
#include "sim.h"

#define LIMITS(...)                                                \
    &(pdk_supervisor_options) {                                    \
        .struct_size = sizeof(pdk_supervisor_options), __VA_ARGS__ \
    }
#define DEAF "'with':{'on_cancel':'deaf'}"

/* Shutdown took as long as the slowest task. Ours has one deadline for all, to the ns, whatever tasks ask for. */
static void grace_not_enforced_at_shutdown(void **state) {
    struct sim *sim = sim_with(LIMITS(.grace = 10 * S));
    (void)state;
    (void)sim_submit(sim, "a", "'stop':{'grace':'24h'}," DEAF);
    (void)sim_submit(sim, "b", "'stop':{'grace':'24h'},'with':{'on_cancel':'23h'}");
    uint64_t begin = sim->now;
    (void)pdk_supervisor_shutdown(sim->s);
    sim_until(sim, begin + 10 * S);
    assert_int_equal(pdk_supervisor_stopped(sim->s, NULL), 1);
    sim_end(sim);
}

static int32_t count_run(void *arg, const pdk_run_info *info) {
    uint32_t *counts = arg;
    counts[info->state]++;
    return 0;
}

/* The registry said alive of what had ended, and the other way round. Ours is the machine's own state. */
static void registry_liveness(void **state) {
    struct sim *sim = sim_new();
    uint32_t counts[8] = {0};
    (void)state;
    (void)sim_submit(sim, "on", "");
    pdk_run over = sim_submit(sim, "over", "'with':{'script':'!S'}");
    (void)sim_submit(sim, "wait", "'retries':3,'with':{'script':'!F'}");
    pdk_run stop = sim_submit(sim, "stop", DEAF);
    (void)sim->control->cancel(sim->control, stop, NULL);
    sim_turn(sim);
    assert_int_equal(sim->control->list(sim->control, NULL, count_run, counts), 4);
    assert_int_equal(counts[PDK_RUN_RUNNING], 1);
    assert_int_equal(counts[PDK_RUN_ENDED], 1);
    assert_int_equal(counts[PDK_RUN_WAITING], 1);
    assert_int_equal(counts[PDK_RUN_STOPPING], 1);
    pdk_filter filter = {.struct_size = sizeof filter, .run = over};
    assert_int_equal(sim->control->list(sim->control, &filter, count_run, counts), 1);
    filter = (pdk_filter){.struct_size = sizeof filter, .after = over};
    assert_int_equal(sim->control->list(sim->control, &filter, count_run, counts), 2);
    sim_end(sim);
}

/* A cancel that timed out forgot the removal. Ours is noted once and carried through however often one asks. */
static void cancel_with_timeout_race(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    pdk_run run = sim_submit(sim, "a", "'with':{'on_cancel':'9s'}");
    for (int i = 0; i < 8; i++) {
        assert_int_equal(sim->control->cancel(sim->control, run, "again"), 0);
        sim_advance(sim, S);
    }
    sim_advance(sim, 2 * S);
    sim_expect(sim, run, PDK_END_CANCELED, NULL);
    assert_int_equal(sim_task(sim, "a")->all_cancels, 1);
    sim_end(sim);
}

/* A submission under a name that was taken was never answered. Ours always has an outcome. */
static void duplicate_name_pending(void **state) {
    struct sim *sim = sim_new();
    (void)state;
    (void)sim_submit(sim, "a", "");
    for (int i = 0; i < 50; i++) sim_expect(sim, sim_submit(sim, "a", ""), PDK_END_REJECTED, "slot_busy");
    sim_end(sim);
}

/* Whoever watched a submission when the controller shut down heard nothing any more. */
static void watched_submissions_lost_at_shutdown(void **state) {
    struct sim *sim = sim_new();
    pdk_run runs[20], unseen;
    (void)state;
    for (int i = 0; i < 20; i++) runs[i] = sim_submit(sim, "a", "'slot':'x','when_busy':'queue'");
    assert_int_equal(sim_try(sim, "b", "'slot':'x','when_busy':'queue'", &unseen), 0);
    (void)pdk_supervisor_shutdown(sim->s);
    sim_advance(sim, MINUTE);
    sim_expect(sim, runs[0], PDK_END_CANCELED, NULL);
    for (int i = 1; i < 20; i++) sim_expect(sim, runs[i], PDK_END_REJECTED, "shutting_down");
    sim_expect(sim, unseen, PDK_END_REJECTED, "shutting_down");
    sim_end(sim);
}

static void count_event(void *arg, const pdk_event *event) {
    uint64_t *counts = arg;
    counts[event->kind == PDK_EVENT_LOST]++;
}

/* Telling of a loss made an event that was lost, and so on. A loss has no number and makes nothing. */
static void lagged_diagnostic_feedback_loop(void **state) {
    struct sim *sim = sim_with(LIMITS(.events = 2));
    uint64_t counts[2] = {0};
    pdk_watch watch;
    (void)state;
    assert_int_equal(sim->control->subscribe(sim->control, NULL, count_event, counts, &watch), 0);
    for (int i = 0; i < 10; i++) {
        pdk_run run;
        assert_int_equal(sim_try(sim, "a", "'with':{'script':'!S'}", &run), 0);
    }
    sim_turn(sim);
    uint64_t events = sim->s->events, lost = counts[1];
    sim_advance(sim, HOUR);
    assert_int_equal(sim->s->events, events);
    assert_int_equal(counts[1], lost);
    assert_true(lost >= 1 && lost <= events);
    sim_end(sim);
}

struct leaver {
    struct sim *sim;
    pdk_watch watch;
    uint32_t heard;
};
static void leave_at_once(void *arg, const pdk_event *event) {
    struct leaver *leaver = arg;
    (void)event;
    leaver->heard++;
    leaver->sim->control->unsubscribe(leaver->sim->control, leaver->watch);
}

/* A callback that left its own list crashed it, or heard more. */
static void unsubscribe_from_inside(void **state) {
    struct sim *sim = sim_new();
    struct leaver leaver = {sim, 0, 0};
    (void)state;
    assert_int_equal(sim->control->subscribe(sim->control, NULL, leave_at_once, &leaver, &leaver.watch), 0);
    (void)sim_submit(sim, "a", "'with':{'script':'!S'}");
    assert_int_equal(leaver.heard, 1);
    assert_int_equal(sim->s->wanted, 0);
    sim_end(sim);
}

/* Shutdown waited for subscribers without end. Ours tells what is there and goes. */
static void unbounded_subscriber_drain(void **state) {
    struct sim *sim = sim_new();
    uint64_t counts[2] = {0};
    pdk_watch watch;
    (void)state;
    assert_int_equal(sim->control->subscribe(sim->control, NULL, count_event, counts, &watch), 0);
    (void)sim_submit(sim, "a", "");
    (void)pdk_supervisor_shutdown(sim->s);
    sim_advance(sim, 0);
    assert_int_equal(pdk_supervisor_stopped(sim->s, NULL), 1);
    sim_end(sim);
}

/* A slot was freed by an event; the event was lost; the slot was taken for ever. */
static void slots_advanced_from_lossy_events(void **state) {
    struct sim *sim = sim_with(LIMITS(.events = 2));
    uint64_t counts[2] = {0};
    pdk_watch watch;
    (void)state;
    assert_int_equal(sim->control->subscribe(sim->control, NULL, count_event, counts, &watch), 0);
    for (int i = 0; i < 90; i++) {
        pdk_run run;
        assert_int_equal(sim_try(sim, "a", "'slot':'x','when_busy':'queue','with':{'script':'!S'}", &run), 0);
    }
    sim_turn(sim);
    assert_int_equal(sim->settled, 90);
    assert_true(counts[1] > 0);
    assert_int_equal(sim->s->slots.count, 0);
    sim_end(sim);
}

/* Commands piled up. Ours says no before it accepts. */
static void unbounded_queue(void **state) {
    struct sim *sim = sim_with(LIMITS(.accepted = 10, .slot_queue = 3));
    pdk_run run;
    (void)state;
    for (int i = 0; i < 10; i++) assert_int_equal(sim_try(sim, "a", "'slot':'x','when_busy':'queue'", &run), 0);
    assert_int_equal(sim_try(sim, "a", "'slot':'x','when_busy':'queue'", &run), -EAGAIN);
    sim_turn(sim);
    assert_int_equal(sim->settled, 6); /* one runs, three wait, for the others the queue is full */
    sim_end(sim);
}

/* Adding answered before the thing was there. After submit, list has it. */
static void add_returned_before_registration(void **state) {
    struct sim *sim = sim_new();
    uint32_t counts[8] = {0};
    pdk_run run;
    (void)state;
    assert_int_equal(sim_try(sim, "a", "", &run), 0);
    assert_int_equal(sim->control->list(sim->control, NULL, count_run, counts), 1);
    assert_int_equal(counts[PDK_RUN_QUEUED], 1);
    assert_int_equal(sim->control->cancel(sim->control, run, NULL), 0); /* and may be cancelled already */
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_REJECTED, "canceled");
    assert_int_equal(sim_task(sim, "a")->starts, 0);
    sim_end(sim);
}

/* One bad task of a batch left the others half started. Here each is accepted or refused by itself, before it begins. */
static void static_batch_partial_start(void **state) {
    struct sim *sim = sim_new();
    pdk_run run;
    (void)state;
    assert_int_equal(sim_try(sim, "a", "", &run), 0);
    assert_int_equal(sim_try(sim, "b", "'selector':{'r':'nobody'}", &run), -ENOENT);
    assert_int_equal(sim_task(sim, "a")->starts, 0);
    assert_int_equal(sim->s->in_state[PDK_STATE_NEW], 1); /* nothing is left of the second */
    sim_turn(sim);
    assert_int_equal(sim_task(sim, "a")->starts, 1);
    sim_end(sim);
}

/* A number that is too large is brought within bounds; only where none makes sense does the largest mean none. */
static void options_have_bounds(void **state) {
    struct sim *sim = sim_with(LIMITS(.accepted = UINT32_MAX, .events = UINT32_MAX, .line = UINT32_MAX,
                                      .history = UINT32_MAX, .slot_queue = UINT32_MAX));
    const pdk_supervisor_options *options = &sim->s->options;
    (void)state;
    assert_int_equal(options->accepted, 10000000);
    assert_int_equal(options->events, 1000000);
    assert_int_equal(options->line, 1 << 20);
    assert_int_equal(options->history, 0);
    assert_int_equal(options->slot_queue, 0);
    sim_end(sim);
}

/* And so long. */
static void history_has_an_age(void **state) {
    struct sim *sim = sim_with(LIMITS(.history_age = 60 * MINUTE));
    (void)state;
    pdk_run first = sim_submit(sim, "a", "'with':{'script':'S'}");
    sim_turn(sim);
    sim_advance(sim, 30 * MINUTE);
    pdk_run second = sim_submit(sim, "b", "'with':{'script':'S'}"), on = sim_submit(sim, "c", "");
    sim_advance(sim, 29 * MINUTE);
    assert_non_null(pdk_record_find(sim->s, first));
    sim_advance(sim, MINUTE);
    assert_null(pdk_record_find(sim->s, first));
    assert_non_null(pdk_record_find(sim->s, second));
    sim_advance(sim, 30 * MINUTE);
    assert_null(pdk_record_find(sim->s, second));
    assert_non_null(pdk_record_find(sim->s, on)); /* what has not ended has no age */
    sim_end(sim);
    sim = sim_with(LIMITS(.history_age = UINT64_MAX));
    first = sim_submit(sim, "a", "'with':{'script':'S'}");
    sim_advance(sim, 100000 * MINUTE);
    assert_non_null(pdk_record_find(sim->s, first));
    sim_end(sim);
}

/* Ended runs are remembered, so many and no more; one that is on is never forgotten. */
static void history_is_bounded(void **state) {
    struct sim *sim = sim_with(LIMITS(.history = 5));
    uint32_t counts[8] = {0};
    (void)state;
    (void)sim_submit(sim, "on", "");
    for (int i = 0; i < 50; i++) (void)sim_submit(sim, "a", "'with':{'script':'!S'}");
    assert_int_equal(sim->control->list(sim->control, NULL, count_run, counts), 6);
    assert_int_equal(counts[PDK_RUN_RUNNING], 1);
    sim_end(sim);
}

/* Lines, cut where they are too long; the end of it is kept; a flood is paused, and what it loses is counted. */
static void output_lines_and_floods(void **state) {
    struct sim *sim = sim_with(LIMITS(.line = 256));
    static char flood[400 * 1024];
    (void)state;
    sim_listen(sim);
    pdk_run run = sim_submit(sim, "a", "");
    struct sim_task *task = sim_task(sim, "a");
    const pdk_host *host = task->host;
    assert_int_equal(host->output(host, task->attempt, PDK_STDOUT, "one\ntw", 6), 0);
    assert_int_equal(host->output(host, task->attempt, PDK_STDERR, "err\n", 4), 0);
    sim_turn(sim);
    assert_int_equal(host->output(host, task->attempt, PDK_STDOUT, "o\nrest", 6), 0);
    sim_turn(sim);
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_OUTPUT, 0), "one");
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_OUTPUT, 1), "err");
    assert_string_equal(sim_event_text(sim, run, PDK_EVENT_OUTPUT, 2), "two");
    assert_null(sim_event_text(sim, run, PDK_EVENT_OUTPUT, 3));
    memset(flood, 'x', sizeof flood);
    assert_int_equal(host->output(host, task->attempt, PDK_STDOUT, flood, 300), 0);
    sim_turn(sim);
    assert_non_null(sim_event_text(sim, run, PDK_EVENT_OUTPUT, 3)); /* cut at 256, "rest" included */
    assert_int_equal(host->output(host, task->attempt, PDK_STDOUT, flood, sizeof flood), PDK_PAUSE);
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    sim_expect(sim, run, PDK_END_SUCCEEDED, NULL);
    assert_int_equal(sim_run(sim, run)->output_lost, sizeof flood - 256 * 1024);
    const pdk_value *tail = NULL;
    assert_int_equal(sim->control->inspect(sim->control, "output", run, NULL, &tail, NULL), 0);
    assert_true(pdk_values_get()->count(tail) >= 8192);
    pdk_values_get()->drop(tail);
    sim_end(sim);
}

/* More lines at once than a listener has room for, and the end of the attempt right behind: all are heard. */
static void no_line_is_lost(void **state) {
    struct sim *sim = sim_with(LIMITS(.events = 16));
    char line[32];
    uint32_t heard = 0;
    (void)state;
    sim_listen(sim);
    for (int again = 0; again < 2; again++) {
        (void)sim_submit(sim, "a", "");
        struct sim_task *task = sim_task(sim, "a");
        for (int i = 0; i < 9000; i++) {
            int size = snprintf(line, sizeof line, "line %d\n", i);
            (void)task->host->output(task->host, task->attempt, PDK_STDOUT, line, (size_t)size);
        }
        if (again) sim_turn(sim);
        (void)sim_done(task, PDK_SUCCESS);
        sim_turn(sim);
    }
    for (uint32_t i = 0; i < sim->event_count; i++) {
        if (sim->events[i].event.kind != PDK_EVENT_OUTPUT) continue;
        (void)snprintf(line, sizeof line, "line %u", heard++ % 9000);
        assert_string_equal(sim->events[i].text, line);
    }
    assert_int_equal(heard, 18000);
    assert_int_equal(sim->events_lost, 0);
    sim_end(sim);
}

/* READY is told once, by name, before the end; progress ten times in a second at most. */
static void ready_and_progress(void **state) {
    struct sim *sim = sim_new();
    char text[512];
    (void)state;
    sim_listen(sim);
    pdk_run run = sim_submit(sim, "a", "");
    struct sim_task *task = sim_task(sim, "a");
    const pdk_host *host = task->host;
    assert_int_equal(host->ready(host, task->attempt), 0);
    assert_int_equal(host->ready(host, task->attempt), 0);
    sim_turn(sim);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(host->progress(host, task->attempt, i / 50.0, "on"), 0);
        sim_advance(sim, 5 * MS);
    }
    (void)sim_done(task, PDK_SUCCESS);
    sim_turn(sim);
    assert_string_equal(sim_events(sim, run, text, sizeof text),
                        "ACCEPTED STARTED READY PROGRESS PROGRESS PROGRESS ENDED OUTCOME");
    sim_end(sim);
}

static const char *const subjects[] = {"status", "plugins", "slots", "spec", "output"};
static void inspect_everything(void **state) {
    struct sim *sim = sim_new();
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    (void)state;
    pdk_run run = sim_submit(sim, "a", "");
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        assert_int_equal(sim->control->inspect(sim->control, subjects[i], run, NULL, &value, &err), 0);
        pdk_values_get()->drop(value);
    }
    assert_int_equal(sim->control->inspect(sim->control, "spec", 12345, NULL, &value, &err), -ENOENT);
    assert_int_equal(sim->control->inspect(sim->control, "nothing", run, NULL, &value, &err), -ENOENT);
    assert_string_equal(err.message, "there is no subject \"nothing\"");
    sim_end(sim);
}

static void count_up(void *arg, const pdk_event *event) {
    *(uint32_t *)arg += event->kind == PDK_EVENT_UP;
}

static void announce_up(void *arg, const pdk_event *event) {
    struct sim *sim = arg;
    if (event->kind == PDK_EVENT_ACCEPTED) pdk_supervisor_announce(sim->s, PDK_EVENT_UP, "up");
}

static void who_listens_before_hears_what_a_listener_does(void **state) {
    struct sim *sim = sim_new();
    pdk_watch early, late;
    uint32_t heard = 0;
    (void)state;
    assert_int_equal(sim->control->subscribe(sim->control, NULL, count_up, &heard, &early), 0);
    assert_int_equal(sim->control->subscribe(sim->control, NULL, announce_up, sim, &late), 0);
    (void)sim_submit(sim, "a", "'with':{'script':'S:1s'}");
    sim_turn(sim);
    assert_int_equal(heard, 1);
    sim_advance(sim, 2 * S);
    sim->control->unsubscribe(sim->control, early);
    sim->control->unsubscribe(sim->control, late);
    sim_end(sim);
}

/* What happens before the first turn has a time of day as well. */
static void wall_clock_before_the_first_turn(void **state) {
    struct sim *sim = sim_new();
    uint64_t now = sim->s->host.unix_ns(&sim->s->host);
    (void)state;
    assert_in_range(pdk_unix_of(sim->s, sim->s->now), now - MINUTE, now + MINUTE);
    sim_end(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grace_not_enforced_at_shutdown),
        cmocka_unit_test(registry_liveness),
        cmocka_unit_test(cancel_with_timeout_race),
        cmocka_unit_test(duplicate_name_pending),
        cmocka_unit_test(watched_submissions_lost_at_shutdown),
        cmocka_unit_test(lagged_diagnostic_feedback_loop),
        cmocka_unit_test(unsubscribe_from_inside),
        cmocka_unit_test(unbounded_subscriber_drain),
        cmocka_unit_test(slots_advanced_from_lossy_events),
        cmocka_unit_test(unbounded_queue),
        cmocka_unit_test(add_returned_before_registration),
        cmocka_unit_test(static_batch_partial_start),
        cmocka_unit_test(options_have_bounds),
        cmocka_unit_test(history_is_bounded),
        cmocka_unit_test(history_has_an_age),
        cmocka_unit_test(output_lines_and_floods),
        cmocka_unit_test(no_line_is_lost),
        cmocka_unit_test(ready_and_progress),
        cmocka_unit_test(inspect_everything),
        cmocka_unit_test(who_listens_before_hears_what_a_listener_does),
        cmocka_unit_test(wall_clock_before_the_first_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
