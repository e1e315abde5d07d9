/* SPDX-License-Identifier: Apache-2.0 */
/* A plan at work becomes another one: what stays is left alone, what goes is stopped, what is new waits its turn. */
#include "sim.h"

#include "core/base/buffer.h"
#include "core/plan/internal.h"
#include "core/yaml/yaml.h"
#include "support/fail_alloc.h"

struct bed {
    struct sim *sim;
    struct pdk_plan *plan;
    struct pdk_config *config;
    struct pdk_buffer log;
    uint32_t finished;
};

static struct pdk_config *read_config(const char *tasks) {
    struct pdk_report report = {0};
    struct pdk_config *config = NULL;
    const pdk_value *value = NULL;
    char *text = NULL;
    assert_true(asprintf(&text, "defaults: {kind: fake}\ntasks:\n%s", tasks) > 0);
    assert_int_equal(pdk_yaml_parse("test", text, strlen(text), &report, &value), 0);
    if (pdk_config_read(value, "/", &report, &config) < 0) fail_msg("%s: %s", tasks, report.faults[0].message);
    pdk_values_get()->drop(value);
    pdk_report_free(&report);
    free(text);
    return config;
}

static struct pdk_plan *select_all(const struct pdk_config *config, const char *const *also) {
    const struct pdk_selection selection = {.also = also};
    struct pdk_plan *plan = NULL;
    pdk_error err = PDK_ERROR;
    assert_int_equal(pdk_plan_select(config, &selection, &plan, &err), 0);
    return plan;
}

static void on_event(void *arg, const struct pdk_item *item, const pdk_event *event) {
    struct bed *bed = arg;
    if (!item) return;
    if (event->kind == PDK_EVENT_STARTED) pdk_buffer_format(&bed->log, "start %s; ", item->name);
    if (event->kind == PDK_EVENT_OUTCOME || event->kind == PDK_EVENT_REJECTED)
        pdk_buffer_format(&bed->log, "%s %s%s; ", item->name, pdk_end_word(item->end),
                          pdk_item_leaves(item) ? " leaves" : "");
}

static void on_finished(void *arg) {
    struct bed *bed = arg;
    bed->finished++;
}

static struct bed *begin(const char *tasks) {
    struct bed *bed = calloc(1, sizeof *bed);
    pdk_error err = PDK_ERROR;
    assert_non_null(bed);
    bed->log = PDK_BUFFER(1 << 20);
    bed->sim = sim_new();
    bed->config = read_config(tasks);
    bed->plan = select_all(bed->config, NULL);
    const struct pdk_plan_options options = {.supervisor = bed->sim->s,
                                             .stop_on = PDK_STOP_ON_NEVER,
                                             .stays = true,
                                             .event = on_event,
                                             .finished = on_finished,
                                             .arg = bed};
    assert_int_equal(pdk_plan_start(bed->plan, &options, &err), 0);
    sim_turn(bed->sim);
    return bed;
}

/* What has happened since the last time. */
static void expect(struct bed *bed, const char *log) {
    sim_turn(bed->sim);
    assert_string_equal(pdk_buffer_string(&bed->log), log);
    pdk_buffer_cut(&bed->log, bed->log.size);
}

static int32_t change_to(struct bed *bed, const char *tasks, const char *again, const char *const *also) {
    struct pdk_config *config = read_config(tasks);
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_plan_change(bed->plan, select_all(config, also), again, &err);
    pdk_config_free(bed->config);
    bed->config = config;
    return rc;
}

static void change(struct bed *bed, const char *tasks) {
    assert_int_equal(change_to(bed, tasks, NULL, NULL), 0);
}

static void end(struct bed *bed) {
    pdk_plan_stop(bed->plan);
    for (int i = 0; i < 100 && !bed->finished; i++) sim_advance(bed->sim, S);
    assert_int_equal(bed->finished, 1);
    sim_end(bed->sim);
    pdk_plan_free(bed->plan);
    pdk_config_free(bed->config);
    pdk_buffer_free(&bed->log);
    free(bed);
}

static const struct pdk_item *item_of(const struct bed *bed, const char *name) {
    const struct pdk_item *item, *found = NULL;
    for (size_t i = 0; (item = pdk_plan_item(bed->plan, i)); i++) {
        assert_int_equal(item->index, i);
        if (strcmp(item->name, name) == 0 && !pdk_item_leaves(item)) found = item;
    }
    return found;
}

static void counts(const struct bed *bed, uint32_t groups, uint32_t items) {
    assert_int_equal(bed->plan->group_count, groups);
    assert_int_equal(bed->plan->item_count, items);
}

#define RUNS "with: {script: '-', on_cancel: 2s}"

static void the_same_stays(void **state) {
    struct bed *bed = begin("  a: {" RUNS "}\n  b: {" RUNS ", replicas: 2}\n");
    (void)state;
    expect(bed, "start a; start b.1; start b.2; ");
    change(bed, "  b: {replicas: 2, description: new, with: {on_cancel: 2s, script: '-'}}\n  a: {" RUNS "}\n");
    expect(bed, "");
    counts(bed, 2, 3);
    assert_string_equal(pdk_plan_item(bed->plan, 0)->name, "b.1"); /* in the order of the file as it is now */
    assert_int_equal(bed->plan->leaving, 0);
    end(bed);
}

static void come_and_go(void **state) {
    struct bed *bed = begin("  a: {" RUNS "}\n  b: {" RUNS "}\n");
    (void)state;
    expect(bed, "start a; start b; ");
    change(bed, "  c: {" RUNS "}\n  b: {" RUNS "}\n");
    expect(bed, "start c; "); /* at once: a does not hold its slot */
    counts(bed, 3, 3);
    assert_true(item_of(bed, "a") == NULL);
    sim_advance(bed->sim, 2 * S);
    expect(bed, "a canceled leaves; ");
    counts(bed, 2, 2);
    assert_int_equal(bed->plan->runs.count, 2);
    change(bed, "  {}\n");
    sim_advance(bed->sim, 2 * S);
    expect(bed, "c canceled leaves; b canceled leaves; ");
    counts(bed, 0, 0);
    assert_int_equal(bed->finished, 0); /* more may come */
    change(bed, "  d: {with: {script: S}}\n");
    sim_advance(bed->sim, 0);
    expect(bed, "start d; d succeeded; ");
    end(bed);
}

static void a_changed_one_begins_anew_when_the_old_has_ended(void **state) {
    struct bed *bed = begin("  a: {" RUNS "}\n");
    (void)state;
    expect(bed, "start a; ");
    change(bed, "  a: {" RUNS ", labels: {x: 1.10}}\n");
    expect(bed, "");
    change(bed, "  a: {" RUNS ", labels: {x: 1.1}}\n"); /* once more before that: the one between never starts */
    expect(bed, "a rejected leaves; ");
    sim_advance(bed->sim, 2 * S);
    expect(bed, "a canceled leaves; start a; ");
    counts(bed, 1, 1);
    change(bed, "  b: {" RUNS ", slot: a}\n"); /* under another name, but in its slot */
    sim_advance(bed->sim, 2 * S);
    expect(bed, "a canceled leaves; start b; ");
    end(bed);
}

static void what_waits_waits_for_the_new_one(void **state) {
    struct bed *bed = begin("  a: {with: {script: '-', on_cancel: polite}}\n  b: {" RUNS ", needs: a}\n");
    (void)state;
    expect(bed, "start a; ");
    change(bed, "  a: {with: {script: 'S:1s'}}\n  b: {" RUNS ", needs: a}\n");
    sim_advance(bed->sim, 0);
    expect(bed, "a canceled leaves; start a; ");
    sim_advance(bed->sim, S);
    expect(bed, "a succeeded; start b; ");
    change(bed, "  a: {with: {script: 'S:1s'}}\n  b: {" RUNS ", needs: a}\n  c: {" RUNS ", needs: a, after: b}\n");
    expect(bed, "start c; "); /* what it waits for is so already */
    end(bed);
}

static void one_that_waits_may_go(void **state) {
    struct bed *bed = begin("  a: {" RUNS "}\n  b: {" RUNS ", needs: a}\n");
    (void)state;
    expect(bed, "start a; ");
    change(bed, "  a: {" RUNS "}\n");
    expect(bed, "b canceled leaves; ");
    counts(bed, 1, 1);
    end(bed);
}

static void the_let_down_get_another_chance(void **state) {
    struct bed *bed = begin("  a: {with: {script: F}}\n  b: {" RUNS ", needs: a}\n  c: {" RUNS ", needs: b}\n");
    (void)state;
    sim_advance(bed->sim, 0);
    expect(bed, "start a; a failed; b rejected; c rejected; ");
    change(bed, "  a: {with: {script: F}}\n  b: {" RUNS ", needs: a}\n  c: {" RUNS ", needs: b}\n");
    expect(bed, "");
    change(bed, "  a: {with: {script: S}}\n  b: {" RUNS ", needs: a}\n  c: {" RUNS ", after: b}\n");
    sim_advance(bed->sim, 0);
    expect(bed, "start a; a succeeded; start b; start c; ");
    counts(bed, 3, 3);
    end(bed);
}

static void a_new_one_cannot_hope_for_what_has_failed(void **state) {
    struct bed *bed = begin("  a: {with: {script: F}}\n");
    (void)state;
    sim_advance(bed->sim, 0);
    expect(bed, "start a; a failed; ");
    change(bed, "  a: {with: {script: F}}\n  b: {" RUNS ", needs: a}\n");
    expect(bed, "b rejected; ");
    end(bed);
}

static void one_that_does_not_stop_holds_its_slot_alone(void **state) {
    struct bed *bed = begin("  a: {with: {script: '-', on_cancel: deaf}, stop: {grace: 1s}}\n  b: {" RUNS "}\n");
    (void)state;
    expect(bed, "start a; start b; ");
    struct sim_task *old = sim_task(bed->sim, "a");
    change(bed, "  a: {" RUNS "}\n  b: {" RUNS "}\n");
    sim_advance(bed->sim, 30 * S);
    expect(bed, "a lost leaves; "); /* the new one waits: two would run at once */
    assert_int_equal(item_of(bed, "a")->state, PDK_ITEM_QUEUED);
    (void)sim_done(old, PDK_SUCCESS);
    sim_advance(bed->sim, 0);
    expect(bed, "start a; ");
    end(bed);
}

static void by_name(void **state) {
    static const char *const also[] = {"m", "gone", NULL};
    const char *tasks = "  a: {" RUNS "}\n  m: {" RUNS ", manual: true}\n";
    struct bed *bed = begin(tasks);
    (void)state;
    expect(bed, "start a; ");
    assert_int_equal(pdk_plan_task_open(bed->plan, "m"), -1);
    assert_int_equal(change_to(bed, tasks, NULL, also), 0);
    expect(bed, "start m; ");
    assert_int_equal(change_to(bed, tasks, "a", also), 0);
    sim_advance(bed->sim, 2 * S);
    expect(bed, "a canceled leaves; start a; ");
    assert_int_equal(pdk_plan_stop_task(bed->plan, "x"), -ENOENT);
    assert_int_equal(pdk_plan_stop_task(bed->plan, "m"), 0);
    sim_advance(bed->sim, 2 * S);
    expect(bed, "m canceled; ");
    assert_int_equal(pdk_plan_task_open(bed->plan, "m"), 0);
    assert_int_equal(pdk_plan_stop_task(bed->plan, "m"), -EALREADY);
    end(bed);
}

static void not_while_it_stops(void **state) {
    struct bed *bed = begin("  a: {" RUNS "}\n");
    (void)state;
    pdk_plan_stop(bed->plan);
    assert_int_equal(change_to(bed, "  b: {" RUNS "}\n", NULL, NULL), -ESHUTDOWN);
    end(bed);
}

/* Any allocation may fail: then nothing has changed. */
static int32_t try_change(void *arg) {
    struct bed *bed = arg;
    struct pdk_plan *wanted = NULL;
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_plan_select(bed->config, &(struct pdk_selection){0}, &wanted, &err);
    return rc < 0 ? rc : pdk_plan_change(bed->plan, wanted, NULL, &err);
}

static void without_memory(void **state) {
    struct bed *bed = begin("  a: {" RUNS "}\n  b: {" RUNS "}\n");
    (void)state;
    expect(bed, "start a; start b; ");
    pdk_config_free(bed->config);
    bed->config = read_config("  a: {" RUNS ", labels: {x: y}}\n"
                              "  c: {" RUNS ", needs: a, ready: {tcp: 'h:1'}, log: /nowhere/log}\n");
    assert_true(pdk_fail_sweep(try_change, bed) > 10); /* even the asking may fail: it is done again */
    sim_advance(bed->sim, 2 * S);
    expect(bed, "b canceled leaves; a canceled leaves; start a; ");
    counts(bed, 2, 2);
    end(bed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_stays),
        cmocka_unit_test(come_and_go),
        cmocka_unit_test(a_changed_one_begins_anew_when_the_old_has_ended),
        cmocka_unit_test(what_waits_waits_for_the_new_one),
        cmocka_unit_test(one_that_waits_may_go),
        cmocka_unit_test(the_let_down_get_another_chance),
        cmocka_unit_test(a_new_one_cannot_hope_for_what_has_failed),
        cmocka_unit_test(one_that_does_not_stop_holds_its_slot_alone),
        cmocka_unit_test(by_name),
        cmocka_unit_test(not_while_it_stops),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
