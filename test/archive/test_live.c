/* SPDX-License-Identifier: Apache-2.0 */
/* What is on: when a run is known, and until when; and what the writer gets of it. There is no writer here. */
#include <errno.h>

#include "core/value/value.h"
#include "instance.h"
#include "support/unit.h"

static struct archive *a;
static int32_t state, subscribes, heard;
static void (*output)(void *arg, const pdk_event *event);
static void (*event)(void *arg, const pdk_event *event);

static uint64_t get_now(const pdk_host *host) {
    (void)host;
    return SECOND;
}

static int32_t tap(const pdk_control *control, void (*on_output)(void *, const pdk_event *), void *arg,
                   pdk_watch *ret) {
    (void)control, (void)arg;
    output = on_output;
    heard++;
    *ret = 1;
    return 0;
}

static int32_t subscribe(const pdk_control *control, const pdk_filter *filter,
                         void (*on_event)(void *, const pdk_event *), void *arg, pdk_watch *ret) {
    (void)control, (void)filter, (void)arg;
    if (subscribes < 0) return subscribes;
    event = on_event;
    heard++;
    *ret = 2;
    return 0;
}

static void unsubscribe(const pdk_control *control, pdk_watch watch) {
    (void)control;
    assert_true(watch == 1 || watch == 2);
    heard--;
}

/* Every run that it is asked for is in this state. */
static int32_t list(const pdk_control *control, const pdk_filter *filter, int32_t (*each)(void *, const pdk_run_info *),
                    void *arg) {
    const pdk_run_info info = {.struct_size = sizeof info,
                               .state = state,
                               .run = filter->run,
                               .run_id = "r-1",
                               .name = "web",
                               .kind = "",
                               .slot = "",
                               .runner = "",
                               .text = "",
                               .code = ""};
    (void)control;
    if (filter->run) (void)each(arg, &info);
    return 0;
}

static void post(const pdk_loop *loop, pdk_call *call) {
    (void)loop, (void)call;
}

static int32_t timer(const pdk_loop *loop, uint64_t delay, uint64_t repeat, void (*fire)(void *), void *arg,
                     pdk_watch *ret) {
    (void)loop, (void)delay, (void)repeat, (void)fire, (void)arg;
    *ret = 3;
    return 0;
}

static int begin(void **unused) {
    static const pdk_control control = {
        .struct_size = sizeof control, .tap = tap, .subscribe = subscribe, .unsubscribe = unsubscribe, .list = list};
    static const pdk_loop loop = {.struct_size = sizeof loop, .post = post, .timer = timer};
    static pdk_host host;
    (void)unused;
    host = (pdk_host){.struct_size = sizeof host, .values = pdk_values_get(), .now_ns = get_now, .unix_ns = get_now};
    a = calloc(1, sizeof *a);
    if (!a) return -1;
    a->host = &host;
    a->control = &control;
    a->loop = &loop;
    a->options.buffer = 1000;
    TAILQ_INIT(&a->young);
    TAILQ_INIT(&a->writer.gathered);
    state = PDK_RUN_RUNNING;
    subscribes = heard = 0;
    return 0;
}

static int end(void **unused) {
    (void)unused;
    arc_live_free(a);
    free(a);
    return 0;
}

static pdk_event of_run(int32_t kind, uint32_t attempt) {
    return (pdk_event){.struct_size = sizeof(pdk_event),
                       .kind = kind,
                       .run = 1,
                       .run_id = "r-1",
                       .attempt = attempt,
                       .text = "",
                       .code = "",
                       .name = "web",
                       .runner = "",
                       .trace_id = "",
                       .span_id = "",
                       .slot = ""};
}

static void happens(int32_t kind, uint32_t attempt) {
    const pdk_event one = of_run(kind, attempt);
    event(a, &one);
}

static void prints(uint32_t attempt) {
    pdk_event one = of_run(PDK_EVENT_OUTPUT, attempt);
    one.data = "x\n";
    one.size = 2;
    one.stream = PDK_STDOUT;
    output(a, &one);
}

/* As the writer would, and back. Returns how many there were of this kind. */
static int hand_over(enum arc_op_kind kind) {
    int count = 0;
    for (struct arc_op *op = TAILQ_FIRST(&a->writer.gathered); op; op = TAILQ_FIRST(&a->writer.gathered)) {
        TAILQ_REMOVE(&a->writer.gathered, op, link);
        count += op->kind == kind;
        switch (op->kind) {
        case ARC_CHUNK: free(op); break;
        case ARC_CLOSE: arc_live_closed(a, (struct arc_attempt *)(void *)op); break;
        case ARC_BEGIN: fail_msg("it is too young for the journal"); break;
        case ARC_END: arc_live_written(a, (struct arc_run *)(void *)op); break;
        }
    }
    return count;
}

static void test_one_that_is_rejected_has_ended(void **unused) {
    (void)unused;
    pdk_error err = PDK_ERROR;
    assert_int_equal(arc_live_begin(a, &err), 0);
    happens(PDK_EVENT_ACCEPTED, 0);
    assert_int_equal(a->run_count, 1);
    state = PDK_RUN_ENDED;
    happens(PDK_EVENT_REJECTED, 0);
    assert_int_equal(hand_over(ARC_END), 1);
    assert_int_equal(a->run_count, 0);
}

/* What it prints then would be taken for a new run, whose files are in the place of its own. */
static void test_one_that_is_stuck_does_not_begin_again(void **unused) {
    (void)unused;
    pdk_error err = PDK_ERROR;
    assert_int_equal(arc_live_begin(a, &err), 0);
    happens(PDK_EVENT_STARTED, 1);
    prints(1);
    state = PDK_RUN_STUCK;
    happens(PDK_EVENT_OUTCOME, 1);
    happens(PDK_EVENT_STUCK, 1);
    assert_int_equal(hand_over(ARC_END), 1);
    assert_null(arc_live_find(a, "r-1")); /* what is kept of it is all there is */
    prints(1);
    happens(PDK_EVENT_ENDED, 1);
    assert_true(TAILQ_EMPTY(&a->writer.gathered));
    happens(PDK_EVENT_FREED, 1);
    assert_int_equal(a->run_count, 0);
}

static void test_one_that_is_abandoned_may_print_on(void **unused) {
    (void)unused;
    pdk_error err = PDK_ERROR;
    pdk_event abandoned = of_run(PDK_EVENT_FREED, 1);
    assert_int_equal(arc_live_begin(a, &err), 0);
    happens(PDK_EVENT_STARTED, 1);
    state = PDK_RUN_STUCK;
    happens(PDK_EVENT_OUTCOME, 1);
    assert_int_equal(hand_over(ARC_END), 1);
    abandoned.status = 1;
    event(a, &abandoned);
    prints(1);
    assert_true(TAILQ_EMPTY(&a->writer.gathered));
}

static void test_one_that_is_freed_at_once_is_written_all_the_same(void **unused) {
    (void)unused;
    pdk_error err = PDK_ERROR;
    assert_int_equal(arc_live_begin(a, &err), 0);
    happens(PDK_EVENT_STARTED, 1);
    state = PDK_RUN_STUCK;
    happens(PDK_EVENT_OUTCOME, 1);
    happens(PDK_EVENT_FREED, 1);
    assert_int_equal(a->run_count, 1);
    assert_int_equal(hand_over(ARC_END), 1);
    assert_int_equal(a->run_count, 0);
}

/* The writer may be at it when the last of its files are closed. */
static void test_one_that_has_ended_stays_as_it_is(void **unused) {
    (void)unused;
    pdk_error err = PDK_ERROR;
    assert_int_equal(arc_live_begin(a, &err), 0);
    for (uint32_t attempt = 1; attempt <= ARC_TRIES + 5; attempt++) {
        happens(PDK_EVENT_STARTED, attempt);
        prints(attempt);
        happens(PDK_EVENT_ENDED, attempt);
    }
    const struct arc_run *run = arc_live_find(a, "r-1");
    state = PDK_RUN_ENDED;
    happens(PDK_EVENT_OUTCOME, ARC_TRIES + 5);
    struct arc_op *its_end = TAILQ_LAST(&a->writer.gathered, arc_ops);
    TAILQ_REMOVE(&a->writer.gathered, its_end, link);
    assert_int_equal(hand_over(ARC_CLOSE), ARC_TRIES + 5);
    assert_int_equal(run->try_count, ARC_TRIES + 5);
    TAILQ_INSERT_TAIL(&a->writer.gathered, its_end, link);
    assert_int_equal(hand_over(ARC_END), 1);
    assert_int_equal(a->run_count, 0);
}

static void test_who_does_not_start_hears_nothing(void **unused) {
    (void)unused;
    pdk_error err = PDK_ERROR;
    subscribes = -ENOMEM;
    assert_int_equal(arc_live_begin(a, &err), -ENOMEM);
    arc_live_end(a);
    assert_int_equal(heard, 0);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        LIVE(test_one_that_is_rejected_has_ended),     LIVE(test_one_that_is_stuck_does_not_begin_again),
        LIVE(test_one_that_is_abandoned_may_print_on), LIVE(test_one_that_is_freed_at_once_is_written_all_the_same),
        LIVE(test_one_that_has_ended_stays_as_it_is),  LIVE(test_who_does_not_start_hears_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
