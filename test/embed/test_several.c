/* SPDX-License-Identifier: Apache-2.0 */
/* Several supervisors and routers in one process: on one loop, on threads of their own, on the loops of others. */
#include "guest.h"
#include "kinds.h"

#include <ev.h>
#include <pthread.h>
#include <unistd.h>

#include "paddock/router.h"

static void submit_three(struct guest *guest) {
    guest_submit(guest, "quiet", ":");
    guest_submit(guest, "loud", "echo to stdout");
    guest_submit(guest, "seven", "exit 7");
}

static void check_three(const struct guest *guest) {
    assert_int_equal(guest->succeeded, 2);
    assert_int_equal(guest->failed, 1);
    if (guest->exit_code != 7) fail_msg("%s", guest->message);
}

static void test_two_on_one_loop(void **state) {
    const struct kind *kind = *state;
    const pdk_loop *loop = NULL;
    void *host = kind->create(&loop);
    struct guest guests[2] = {0};
    for (int i = 0; i < 2; i++) guest_create(&guests[i], loop, NULL);
    for (int i = 0; i < 2; i++) submit_three(&guests[i]);
    while (!guests[0].stopped || !guests[1].stopped) kind->turn(host);
    for (int i = 0; i < 2; i++) {
        guest_destroy(&guests[i]);
        check_three(&guests[i]);
    }
    kind->destroy(host);
}

static void *visit(void *arg) {
    for (int i = 0; i < 3; i++) {
        struct guest guest = {0};
        guest_visit(&guest);
    }
    return arg;
}

static void test_one_on_each_thread(void **state) {
    (void)state;
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, visit, NULL), 0);
    visit(NULL);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
}

/* ---- libev's default loop, which is the host's, and reaps all children */

struct host {
    struct ev_timer tick;
    struct ev_child child;
    int ticks, code;
};

static void on_tick(struct ev_loop *loop, struct ev_timer *timer, int revents) {
    (void)loop, (void)revents;
    struct host *host = timer->data;
    host->ticks++;
}

static void on_child(struct ev_loop *loop, struct ev_child *child, int revents) {
    (void)revents;
    struct host *host = child->data;
    host->code = WEXITSTATUS(child->rstatus);
    ev_child_stop(loop, child);
}

static void host_begin(struct host *host, struct ev_loop *loop) {
    ev_timer_init(&host->tick, on_tick, 0.001, 0.001);
    host->tick.data = host;
    ev_timer_start(loop, &host->tick);
    pid_t pid = fork();
    if (pid == 0) _exit(9);
    ev_child_init(&host->child, on_child, pid, 0);
    host->child.data = host;
    ev_child_start(loop, &host->child);
}

static void host_end(struct host *host, struct ev_loop *loop) {
    while (host->code == 0 || host->ticks == 0) ev_run(loop, EVRUN_ONCE);
    assert_int_equal(host->code, 9);
    ev_timer_stop(loop, &host->tick);
}

/* More children than libev looks at in one turn, most of which end before we hear of their start. */
static void test_in_the_default_loop(void **state) {
    (void)state;
    enum { MANY = 100 };
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    struct host host = {0};
    struct guest guests[2] = {0};
    host_begin(&host, loop);
    for (int i = 0; i < 2; i++) guest_create(&guests[i], NULL, loop);
    assert_int_equal(pdk_supervisor_run(guests[0].supervisor), -ENOTSUP);
    for (int i = 0; i < MANY; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "seven-%d", i);
        guest_submit(&guests[i % 2], name, "exit 7");
    }
    while (!guests[0].stopped || !guests[1].stopped) ev_run(loop, EVRUN_ONCE);
    for (int i = 0; i < 2; i++) {
        guest_destroy(&guests[i]);
        assert_int_equal(guests[i].failed, MANY / 2);
        if (guests[i].exit_code != 7) fail_msg("%s", guests[i].message);
    }
    host_end(&host, loop);
    ev_loop_destroy(loop);
}

/* On a loop and a thread of its own beside it: the host has its timers and its child as ever. The ends of the guest's
 * children may be lost to libev; each run has its outcome all the same. */
static void test_beside_the_default_loop(void **state) {
    (void)state;
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    struct host host = {0};
    struct guest guest = {0};
    pthread_t thread;
    guest_create(&guest, NULL, NULL);
    submit_three(&guest);
    host_begin(&host, loop);
    assert_int_equal(pthread_create(&thread, NULL, (void *(*)(void *))(uintptr_t)pdk_supervisor_run, guest.supervisor),
                     0);
    host_end(&host, loop);
    pthread_join(thread, NULL);
    guest_destroy(&guest);
    assert_int_equal(guest.succeeded + guest.failed, 3);
    ev_loop_destroy(loop);
}

static void test_loop_or_ev_loop(void **state) {
    (void)state;
    pdk_loop loop = {.struct_size = sizeof loop};
    pdk_supervisor_options options = {.struct_size = sizeof options, .loop = &loop, .ev_loop = &loop};
    pdk_supervisor *supervisor;
    pdk_error err = PDK_ERROR;
    assert_int_equal(pdk_supervisor_create(&options, &supervisor, &err), -EINVAL);
    assert_string_equal(err.message, "either loop or ev_loop, not both");
}

int main(void) {
    struct CMUnitTest tests[8] = {
        cmocka_unit_test(test_one_on_each_thread),
        cmocka_unit_test(test_in_the_default_loop),
        cmocka_unit_test(test_beside_the_default_loop),
        cmocka_unit_test(test_loop_or_ev_loop),
    };
    static const char *const names[] = {"own", "ev-default", "poll", "uv"};
    size_t count = 4;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        void *kind = (void *)(uintptr_t)kind_named(names[i]);
        if (kind) tests[count++] = (struct CMUnitTest){names[i], test_two_on_one_loop, NULL, NULL, kind};
    }
    return _cmocka_run_group_tests("several", tests, count, NULL, NULL);
}
