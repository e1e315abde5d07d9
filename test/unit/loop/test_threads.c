/* SPDX-License-Identifier: Apache-2.0 */
/* The pool: order, bounds, cancelling, and what free does with what is left. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/loop/loop.h"

struct fixture {
    struct pdk_ev *ev;
    struct pdk_threads *threads;
    const pdk_pool *pool;
    sem_t gate, entered;
    int done, wanted;
    int order[64];
};

struct task {
    pdk_job job;
    struct fixture *fixture;
    int number, ran, ended;
    int32_t status;
    sigset_t mask;
};

static void start(struct fixture *fixture, uint32_t threads, uint32_t queue) {
    *fixture = (struct fixture){.wanted = 1};
    sem_init(&fixture->gate, 0, 0);
    sem_init(&fixture->entered, 0, 0);
    assert_int_equal(pdk_ev_create(&fixture->ev), 0);
    assert_int_equal(pdk_threads_create(pdk_ev_loop(fixture->ev), threads, queue, &fixture->threads), 0);
    fixture->pool = pdk_threads_pool(fixture->threads);
}

static void stop(struct fixture *fixture) {
    pdk_threads_free(fixture->threads);
    pdk_ev_free(fixture->ev);
    sem_destroy(&fixture->gate);
    sem_destroy(&fixture->entered);
}

static void work(void *arg) {
    struct task *task = arg;
    task->ran++;
    pthread_sigmask(SIG_SETMASK, NULL, &task->mask);
}

static void work_behind_gate(void *arg) {
    struct task *task = arg;
    sem_post(&task->fixture->entered);
    sem_wait(&task->fixture->gate);
    task->ran++;
}

static void done(void *arg, int32_t status) {
    struct task *task = arg;
    struct fixture *fixture = task->fixture;
    task->status = status;
    task->ended++;
    if (fixture->done < 64) fixture->order[fixture->done] = task->number;
    if (++fixture->done == fixture->wanted) pdk_ev_break(fixture->ev);
}

static struct task task_of(struct fixture *fixture, int number, void (*what)(void *)) {
    return (struct task){
        .job = {.struct_size = sizeof(pdk_job), .work = what, .done = done}, .fixture = fixture, .number = number};
}

static int32_t submit(struct task *task) {
    task->job.arg = task;
    return task->fixture->pool->submit(task->fixture->pool, &task->job);
}

static void test_runs_in_order(void **state) {
    (void)state;
    struct fixture fixture;
    struct task tasks[64];
    start(&fixture, 1, 0);
    fixture.wanted = 64;
    for (int i = 0; i < 64; i++) {
        tasks[i] = task_of(&fixture, i, work);
        assert_int_equal(submit(&tasks[i]), 0);
    }
    assert_int_equal(fixture.done, 0); /* never on the spot */
    pdk_ev_run(fixture.ev);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(fixture.order[i], i);
        assert_int_equal(tasks[i].ran, 1);
        assert_int_equal(tasks[i].status, 0);
        assert_int_equal(sigismember(&tasks[i].mask, SIGTERM), 1);
    }
    fixture.wanted = 65; /* a job may be used again */
    assert_int_equal(submit(&tasks[3]), 0);
    pdk_ev_run(fixture.ev);
    assert_int_equal(tasks[3].ran, 2);
    stop(&fixture);
}

static void test_bounds_and_cancel(void **state) {
    (void)state;
    struct fixture fixture;
    start(&fixture, 1, 2);
    struct task running = task_of(&fixture, 0, work_behind_gate), first = task_of(&fixture, 1, work),
                second = task_of(&fixture, 2, work), third = task_of(&fixture, 3, work);
    assert_int_equal(submit(&running), 0);
    sem_wait(&fixture.entered);
    assert_int_equal(submit(&first), 0);
    assert_int_equal(submit(&first), -EBUSY);
    assert_int_equal(submit(&second), 0);
    assert_int_equal(submit(&third), -EAGAIN);
    const pdk_pool *pool = fixture.pool;
    assert_int_equal(pool->cancel(pool, &running.job), -EBUSY);
    assert_int_equal(pool->cancel(pool, &third.job), -EBUSY);
    assert_int_equal(pool->cancel(pool, &first.job), 0);
    assert_int_equal(pool->cancel(pool, &first.job), -EBUSY);
    assert_int_equal(first.ended, 0);
    assert_int_equal(submit(&third), 0);
    sem_post(&fixture.gate);
    fixture.wanted = 4;
    pdk_ev_run(fixture.ev);
    assert_int_equal(first.ran, 0);
    assert_int_equal(first.status, -ECANCELED);
    assert_int_equal(second.ran + third.ran + running.ran, 3);
    assert_int_equal(pool->cancel(pool, &second.job), -EBUSY);
    stop(&fixture);
}

static void *open_gate(void *arg) {
    sem_post(arg);
    return NULL;
}

static void test_free_with_work_left(void **state) {
    (void)state;
    struct fixture fixture;
    pthread_t opener;
    start(&fixture, 1, 0);
    struct task running = task_of(&fixture, 0, work_behind_gate), waiting = task_of(&fixture, 1, work);
    assert_int_equal(submit(&running), 0);
    sem_wait(&fixture.entered);
    assert_int_equal(submit(&waiting), 0);
    fixture.wanted = -1;
    assert_int_equal(pthread_create(&opener, NULL, open_gate, &fixture.gate), 0);
    stop(&fixture);
    pthread_join(opener, NULL);
    assert_int_equal(running.ran, 1);
    assert_int_equal(running.status, 0);
    /* Whether free or the thread came first to the one that waited: it ran or was canceled, never both. */
    assert_int_equal(waiting.ran, waiting.status == 0);
    assert_true(waiting.status == 0 || waiting.status == -ECANCELED);
    assert_int_equal(running.ended + waiting.ended, 2);
    pdk_threads_free(NULL);
}

static void test_all_threads_are_used(void **state) {
    (void)state;
    struct fixture fixture;
    struct task tasks[4];
    start(&fixture, 4, 0);
    fixture.wanted = 4;
    for (int i = 0; i < 4; i++) {
        tasks[i] = task_of(&fixture, i, work_behind_gate);
        assert_int_equal(submit(&tasks[i]), 0);
    }
    for (int i = 0; i < 4; i++) sem_wait(&fixture.entered); /* hangs unless all four run at once */
    for (int i = 0; i < 4; i++) sem_post(&fixture.gate);
    pdk_ev_run(fixture.ev);
    stop(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_in_order),
        cmocka_unit_test(test_bounds_and_cancel),
        cmocka_unit_test(test_free_with_work_left),
        cmocka_unit_test(test_all_threads_are_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
