/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run costs, over what it cannot cost less than, measured in the same process and in turns with it.
 *
 *   attempt     start, done inside start, take up, two timestamps, counters: the difference that one more attempt makes
 *   run         from a source by template, submit .. settled, a slot each
 *   posted      a done from another thread: the call itself, and a run through it
 *   traced      an attempt and a run with a backend that takes spans and does nothing, over those without a backend
 *   timers      a million pending: insert and stop, expire, and the turn of a loop they must not slow down
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

enum { ROUNDS = 9, BATCH = 1000 };

static uint64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *values) {
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

/* ---- a loop that only posts, so that the supervisor is measured and not libev */
struct loop {
    pdk_loop table;
    pdk_call *call;
};

static uint64_t loop_now(const pdk_loop *loop) {
    (void)loop;
    return clock_ns();
}
static void loop_post(const pdk_loop *loop, pdk_call *call) {
    ((struct loop *)loop->data)->call = call;
}
static int32_t loop_timer(const pdk_loop *loop, uint64_t delay, uint64_t repeat, void (*fire)(void *), void *arg,
                          pdk_watch *ret) {
    (void)loop, (void)delay, (void)repeat, (void)fire, (void)arg;
    *ret = 1;
    return 0;
}
static void loop_stop(const pdk_loop *loop, pdk_watch watch) {
    (void)loop, (void)watch;
}
static int32_t no_io(const pdk_loop *loop, int32_t fd, uint32_t events, void (*ready)(void *, uint32_t), void *arg,
                     pdk_watch *ret) {
    (void)loop, (void)fd, (void)events, (void)ready, (void)arg, (void)ret;
    return -ENOTSUP;
}
static int32_t no_change(const pdk_loop *loop, pdk_watch watch, uint32_t events) {
    (void)loop, (void)watch, (void)events;
    return -ENOTSUP;
}
static int32_t no_child(const pdk_loop *loop, int32_t pid, int32_t pidfd, void (*ended)(void *, const pdk_exit *),
                        void *arg, pdk_watch *ret) {
    (void)loop, (void)pid, (void)pidfd, (void)ended, (void)arg, (void)ret;
    return -ENOTSUP;
}
static void loop_run(struct loop *loop) {
    while (loop->call) {
        pdk_call *call = loop->call;
        loop->call = NULL;
        call->run(call->arg);
    }
}

/* ---- a plugin of both roles that does nothing: `again` attempts fail at once, the next succeeds */
struct noop {
    const pdk_host *host;
    const pdk_source *source;
    uint64_t settled, starts;
    uint32_t again;
    bool by_thread;
    pdk_attempt attempts[BATCH];
    uint32_t attempt_count;
};
static struct noop noop;

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    noop.host = host;
    noop.source = host->get_extension(host, PDK_SOURCE_1);
    *ret = &noop;
    return 0;
}
static void destroy(void *self) {
    (void)self;
}
static int32_t start(void *task, const pdk_start *info, pdk_error *err) {
    pdk_result result = PDK_RESULT(PDK_SUCCESS, PDK_CAT_NONE, NULL);
    (void)task, (void)err;
    noop.starts++;
    if (noop.by_thread) {
        noop.attempts[noop.attempt_count++] = info->attempt;
        return 0;
    }
    result.status = info->number <= noop.again ? PDK_FAILURE : PDK_SUCCESS;
    return noop.host->done(noop.host, info->attempt, &result);
}
static void cancel(void *task, int32_t reason) {
    (void)task, (void)reason;
}
static void end_task(void *task) {
    (void)task;
}
static int32_t build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    (void)spec, (void)err;
    *ret = self;
    return 0;
}
static void settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    (void)self, (void)delivery, (void)outcome;
    noop.settled++;
}
static void nothing(void *self) {
    (void)self;
}

static const pdk_param params[] = {PDK_PARAM_END};
static const pdk_schema kind = PDK_SCHEMA("noop", "Nothing", params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_task_ops task_ops = {sizeof task_ops, 0, start, cancel, NULL, NULL, end_task, NULL};
static const pdk_runner_ops runner = {sizeof runner, 0, kinds, &task_ops, NULL, build};
static const pdk_source_ops source_ops = {sizeof source_ops, 0, settled, nothing, nothing, NULL, NULL};
static const pdk_plugin plugin = {PDK_PLUGIN_HEAD, "noop", "1",    "",   "",   NULL,    NULL, &runner,
                                  &source_ops,     NULL,   create, NULL, NULL, destroy, NULL};

/* ---- a backend that takes spans and keeps nothing */
static pdk_series *no_series(void *self, const pdk_metric *metric, const char *const *values) {
    (void)self, (void)metric, (void)values;
    return NULL;
}
static void no_record(void *self, pdk_series *series, double n) {
    (void)self, (void)series, (void)n;
}
static uint64_t spans;
static void take_span(void *self, const pdk_span *span) {
    (void)self, (void)span;
    spans++;
}
static const pdk_metrics_ops backend_ops = {sizeof backend_ops, 0,    no_series, no_record, no_record,
                                            no_record,          NULL, take_span, NULL};
static int32_t create_backend(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)host, (void)config, (void)err;
    *ret = &spans;
    return 0;
}
static const pdk_plugin backend = {PDK_PLUGIN_HEAD, "null",         "1",  "",   "",      NULL, NULL, NULL, NULL,
                                   &backend_ops,    create_backend, NULL, NULL, destroy, NULL};

static struct loop loop;
static bool traced;
static pdk_supervisor *supervisor;
static const pdk_template *base;
static char slots[BATCH][16];

static void make(const char *spec) {
    static const pdk_pool pool = {sizeof pool, 0, NULL, NULL, NULL};
    static const pdk_process process = {sizeof process, 0, NULL, NULL, NULL, NULL, NULL};
    loop.table =
        (pdk_loop){sizeof loop.table, 0, &loop, no_io, no_change, loop_timer, no_child, loop_stop, loop_post, loop_now};
    pdk_supervisor_options options = {.struct_size = sizeof options,
                                      .loop = &loop.table,
                                      .pool = &pool,
                                      .process = &process,
                                      .seed = 1,
                                      .history = UINT32_MAX};
    pdk_error err = PDK_ERROR;
    const pdk_value *value = NULL;
    if (pdk_supervisor_create(&options, &supervisor, &err) < 0 ||
        (traced && pdk_supervisor_add(supervisor, &backend, NULL, &err) < 0) ||
        pdk_supervisor_add(supervisor, &plugin, NULL, &err) < 0 || pdk_supervisor_start(supervisor, &err) < 0 ||
        pdk_values_get()->parse(pdk_values_get(), spec, strlen(spec), "bench", &value, &err) < 0 ||
        noop.source->prepare(noop.source, value, &base, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    pdk_values_get()->drop(value);
    for (int i = 0; i < BATCH; i++) snprintf(slots[i], sizeof slots[i], "slot-%d", i);
    loop_run(&loop);
}

static void end(void) {
    noop.source->release(noop.source, base);
    pdk_supervisor_shutdown(supervisor);
    loop_run(&loop);
    pdk_supervisor_destroy(supervisor);
    memset(&noop, 0, sizeof noop);
}

static void submit_batch(void) {
    for (int i = 0; i < BATCH; i++) {
        pdk_submission given = {
            .struct_size = sizeof given, .delivery = (pdk_delivery)i, .base = base, .slot = slots[i]};
        if (noop.source->submit(noop.source, &given, NULL, NULL) < 0) exit(1);
    }
}

static double runs(int batches, double *ret_turns) {
    uint64_t begin = clock_ns(), before = noop.settled, turns = 0;
    for (int i = 0; i < batches; i++) {
        submit_batch();
        uint64_t at = clock_ns();
        loop_run(&loop);
        turns += clock_ns() - at;
    }
    if (ret_turns) *ret_turns = (double)turns / (batches * BATCH);
    if (noop.settled - before != (uint64_t)batches * BATCH) exit(1);
    return (double)(clock_ns() - begin) / (batches * BATCH);
}

/* The least of an attempt: indirect call, two clock reads, count, sum, maximum, a task from malloc through a queue. */
static double floor_attempt(void) {
    struct node {
        struct node *next;
        void (*call)(struct node *);
        char body[48];
    };
    static volatile uint64_t count, sum, most;
    uint64_t begin = clock_ns();
    for (int i = 0; i < 1000000; i++) {
        struct node *volatile node = malloc(sizeof *node);
        node->next = NULL;
        uint64_t at = clock_ns();
        count++;
        uint64_t took = clock_ns() - at;
        sum += took;
        if (took > most) most = took;
        free(node);
    }
    return (double)(clock_ns() - begin) / 1000000;
}

static void *finish_all(void *arg) {
    pdk_result result = PDK_RESULT(PDK_SUCCESS, PDK_CAT_NONE, NULL);
    uint64_t begin = clock_ns();
    for (uint32_t i = 0; i < noop.attempt_count; i++) (void)noop.host->done(noop.host, noop.attempts[i], &result);
    *(double *)arg = (double)(clock_ns() - begin) / noop.attempt_count;
    return NULL;
}

/* A thread says done for a thousand attempts; then the loop takes them up. Both are told apart from the starts. */
static void posted(double *call, double *take_up) {
    double calls[ROUNDS], takes[ROUNDS];
    noop.by_thread = true;
    for (int round = 0; round < ROUNDS; round++) {
        double sum_call = 0, sum_take = 0;
        for (int i = 0; i < 50; i++) {
            pthread_t thread;
            double one = 0;
            noop.attempt_count = 0;
            submit_batch();
            loop_run(&loop);
            pthread_create(&thread, NULL, finish_all, &one);
            pthread_join(thread, NULL);
            uint64_t begin = clock_ns();
            loop_run(&loop);
            sum_take += (double)(clock_ns() - begin) / BATCH;
            sum_call += one;
        }
        calls[round] = sum_call / 50;
        takes[round] = sum_take / 50;
    }
    *call = median(calls);
    *take_up = median(takes);
    noop.by_thread = false;
}

/* The same as a stack that many threads push to and one takes: malloc, compare-and-swap, take all. */
static double floor_posted(void) {
    struct node {
        struct node *next;
    };
    static _Atomic(struct node *) stack;
    uint64_t begin = clock_ns();
    for (int i = 0; i < 1000; i++) {
        for (int k = 0; k < 1000; k++) {
            struct node *node = malloc(sizeof *node), *head = atomic_load(&stack);
            do node->next = head;
            while (!atomic_compare_exchange_weak(&stack, &head, node));
        }
        for (struct node *node = atomic_exchange(&stack, NULL), *next; node; node = next) {
            next = node->next;
            free(node);
        }
    }
    return (double)(clock_ns() - begin) / 1000000;
}

/* ---- timers */
static double timers_insert_stop(struct pdk_timers *heap, struct pdk_timer *timers, uint32_t pending, uint64_t *dice) {
    enum { MORE = 100000 };
    uint64_t begin = clock_ns();
    for (uint32_t i = pending; i < pending + MORE; i++) {
        *dice = *dice * 6364136223846793005u + 1442695040888963407u;
        pdk_timer_start(heap, &timers[i], *dice >> 20, i);
    }
    for (uint32_t i = pending; i < pending + MORE; i++) pdk_timer_stop(heap, &timers[i]);
    return (double)(clock_ns() - begin) / MORE;
}

static void timers(uint32_t pending) {
    struct pdk_timer *all = calloc(pending + 100000, sizeof *all);
    struct pdk_timers heap = {0};
    uint64_t dice = 1;
    double both[ROUNDS], expire, insert;
    if (!all || pdk_timers_reserve(&heap, pending + 100000) < 0) exit(1);
    uint64_t begin = clock_ns();
    for (uint32_t i = 0; i < pending; i++) {
        dice = dice * 6364136223846793005u + 1442695040888963407u;
        pdk_timer_start(&heap, &all[i], dice >> 20, i);
    }
    insert = (double)(clock_ns() - begin) / pending;
    for (int round = 0; round < ROUNDS; round++) both[round] = timers_insert_stop(&heap, all, pending, &dice);
    begin = clock_ns();
    uint64_t last = 0;
    for (struct pdk_timer *first = pdk_timers_first(&heap); first; first = pdk_timers_first(&heap)) {
        if (first->due < last) exit(1);
        last = first->due;
        pdk_timer_stop(&heap, first);
    }
    expire = (double)(clock_ns() - begin) / pending;
    printf("  %7u pending   insert %6.1f ns   insert+stop %6.1f ns   expire %6.1f ns\n", pending, insert, median(both),
           expire);
    pdk_timers_free(&heap);
    free(all);
}

static void floors(double *ret_posted) {
    double tasks[ROUNDS], pushes[ROUNDS], clocks[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = clock_ns();
        for (int i = 0; i < 1000000; i++) (void)clock_ns();
        clocks[round] = (double)(clock_ns() - begin) / 1000000;
        tasks[round] = floor_attempt();
        pushes[round] = floor_posted();
    }
    *ret_posted = median(pushes);
    printf("  floors: clock %.1f ns; task %.1f ns; push and take %.1f ns\n", median(clocks), median(tasks),
           *ret_posted);
}

/* What was measured in each round, over the floor of the same round: others' load comes and goes. */
static void print_rounds(const char *what, double *values, const double *tasks) {
    double ratios[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) ratios[round] = values[round] / tasks[round];
    printf("  %-36s %6.1f ns   %.2fx the floor\n", what, median(values), median(ratios));
}

static void bench_runs(double posted_floor) {
    double all[ROUNDS], turns[ROUNDS], tasks[ROUNDS], call, take_up;
    make("{\"name\":\"noop\",\"kind\":\"noop\",\"restart\":\"never\"}");
    (void)runs(100, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        tasks[round] = floor_attempt();
        all[round] = runs(300, &turns[round]);
    }
    print_rounds("run by template, submit .. settled", all, tasks);
    print_rounds("  of it from the command on", turns, tasks);
    posted(&call, &take_up);
    printf("  %-36s %6.1f ns   %.2fx the floor\n", "done from another thread", call, call / posted_floor);
    printf("  %-36s %6.1f ns\n", "  taken up, run ended and told", take_up);
    end();
}

static void make_failing(void) {
    make("{\"name\":\"noop\",\"kind\":\"noop\",\"restart\":\"on-failure\",\"backoff\":{\"first\":\"1ms\",\"max\":"
         "\"1ms\",\"factor\":1,"
         "\"jitter\":\"none\"}}");
    /* No pause at all, as between two successes of `always`: the machine is measured, not the clock. */
    struct pdk_task *task = pdk_template_task(base);
    task->policy.backoff_first = task->policy.backoff_max = 0;
}

/* Sixteen attempts against one: what each more costs, its way through the policy and the FIFO too. */
static double one_more(double *ret_one) {
    enum { AGAIN = 15 };
    noop.again = 0;
    double one = runs(60, NULL);
    noop.again = AGAIN;
    if (ret_one) *ret_one = one;
    return (runs(60, NULL) - one) / AGAIN;
}

static void bench_attempts(void) {
    double more[ROUNDS], tasks[ROUNDS];
    make_failing();
    for (int round = 0; round < ROUNDS; round++) {
        tasks[round] = floor_attempt();
        more[round] = one_more(NULL);
    }
    print_rounds("one attempt more", more, tasks);
    end();
}

static void bench_traced(void) {
    double attempt[2][ROUNDS], run[2][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        for (int on = 0; on < 2; on++) {
            traced = on;
            make_failing();
            (void)runs(20, NULL);
            attempt[on][round] = one_more(&run[on][round]);
            end();
        }
    }
    traced = false;
    if (!spans) exit(1);
    double off = median(attempt[0]), on = median(attempt[1]), off_run = median(run[0]), on_run = median(run[1]);
    printf("  %-36s %6.1f ns   with spans %6.1f ns: %.1f ns more\n", "one attempt more, no backend", off, on, on - off);
    printf("  %-36s %6.1f ns   with spans %6.1f ns: %.1f ns more\n", "run of one attempt, no backend", off_run, on_run,
           on_run - off_run);
}

int main(int argc, char **argv) {
    const char *only = argc > 1 ? argv[1] : "";
    double posted_floor;
    floors(&posted_floor);
    if (!*only || !strcmp(only, "runs")) bench_runs(posted_floor);
    if (!*only || !strcmp(only, "attempts")) bench_attempts();
    if (!*only || !strcmp(only, "traced")) bench_traced();
    if (!*only || !strcmp(only, "timers")) timers(100000);
    if (!*only || !strcmp(only, "timers")) timers(1000000);
    return 0;
}
