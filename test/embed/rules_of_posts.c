/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of calls from other threads: once, in order, on the main thread. And what is left at the end. */
#include "rules.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POSTERS = 4, POSTS = 20000 };

struct poster {
    pthread_t thread;
    struct seen *seen;
    pdk_call call;
    _Atomic uint32_t written;
    uint32_t read, runs;
};

static void poster_run(void *arg) {
    struct poster *poster = arg;
    poster->runs++;
    uint32_t now = poster->written;
    if (poster->read < POSTS && now == POSTS) rules_count(poster->seen);
    poster->read = now;
}

static void *poster_main(void *arg) {
    struct poster *poster = arg;
    for (int i = 0; i < POSTS; i++) {
        poster->written++;
        poster->seen->loop->post(poster->seen->loop, &poster->call);
    }
    return NULL;
}

/* However they coalesce, the last write before a post is seen by a run after it. */
static void test_posts_coalesce_and_lose_nothing(void **state) {
    struct seen *seen = *state;
    struct poster posters[POSTERS] = {0};
    seen->wanted = POSTERS;
    for (int i = 0; i < POSTERS; i++) {
        posters[i].seen = seen;
        posters[i].call = (pdk_call){.run = poster_run, .arg = &posters[i]};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, poster_main, &posters[i]), 0);
    }
    rules_run(seen);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        assert_int_equal(posters[i].read, POSTS);
        assert_true(posters[i].runs <= POSTS);
    }
    rules_settle(seen); /* a last run may still wait in the list */
}

struct numbered {
    pdk_call call;
    struct seen *seen;
    int number;
};

static void in_order(void *arg) {
    struct numbered *mine = arg;
    assert_int_equal(mine->number, mine->seen->count);
    struct seen *seen = mine->seen;
    free(mine); /* it is ours again */
    rules_count(seen);
}

static void test_posts_run_in_order_and_not_inside(void **state) {
    struct seen *seen = *state;
    seen->wanted = 100;
    for (int i = 0; i < 100; i++) {
        struct numbered *one = calloc(1, sizeof *one);
        *one = (struct numbered){.call = {.run = in_order, .arg = one}, .seen = seen, .number = i};
        seen->loop->post(seen->loop, &one->call);
        seen->loop->post(seen->loop, &one->call); /* waits already */
    }
    assert_int_equal(seen->count, 0);
    rules_run(seen);
    rules_settle(seen);
    assert_int_equal(seen->count, 100);
}

struct again {
    pdk_call call;
    struct seen *seen;
};

static void post_again(void *arg) {
    struct again *again = arg;
    again->seen->loop->post(again->seen->loop, &again->call);
}

/* A call that posts itself for ever must not keep an fd from its turn. */
static void test_post_does_not_starve_io(void **state) {
    struct seen *seen = *state;
    int fds[2];
    struct again again = {.seen = seen};
    again.call = (pdk_call){.run = post_again, .arg = &again};
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(seen->loop->io(seen->loop, fds[0], PDK_READ, rules_ready, seen, &seen->watch), 0);
    seen->loop->post(seen->loop, &again.call);
    assert_int_equal(write(fds[1], "x", 1), 1);
    rules_run(seen);
    assert_int_equal(seen->count, 1);
    close(fds[1]);
    seen->loop->stop(seen->loop, seen->watch);
    close(fds[0]);
}

/* What is left is stopped; the child, which nobody waits for any more, is ours again. */
static void test_destroyed_while_watching(void **state) {
    (void)state;
    const pdk_loop *loop;
    pdk_watch watch;
    int fds[2];
    void *host = rules_kind->create(&loop);
    pid_t pid = rules_child(0, true);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(loop->io(loop, fds[0], PDK_READ, rules_never_ready, NULL, &watch), 0);
    assert_int_equal(loop->io(loop, fds[1], 0, rules_never_ready, NULL, &watch), 0);
    assert_int_equal(loop->timer(loop, 0, 0, rules_never, NULL, &watch), 0);
    assert_int_equal(loop->child(loop, pid, -1, rules_never_ended, NULL, &watch), 0);
    rules_kind->destroy(host);
    close(fds[0]);
    close(fds[1]);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int rules_of_posts(void) {
    const struct CMUnitTest tests[] = {
        WITH_LOOP(test_posts_coalesce_and_lose_nothing),
        WITH_LOOP(test_posts_run_in_order_and_not_inside),
        WITH_LOOP(test_post_does_not_starve_io),
        cmocka_unit_test(test_destroyed_while_watching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
