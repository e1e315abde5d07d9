/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of paddock/loop.h, one by one, for any loop that says it keeps them:
 *     loop-rules KIND        one of those in kinds.c */
#include "rules.h"

#include <time.h>
#include <unistd.h>

const struct kind *rules_kind;

uint64_t rules_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

int rules_setup(void **state) {
    struct seen *seen = calloc(1, sizeof *seen);
    seen->host = rules_kind->create(&seen->loop);
    assert_non_null(seen->host);
    seen->wanted = 1;
    *state = seen;
    return 0;
}

int rules_teardown(void **state) {
    struct seen *seen = *state;
    rules_kind->destroy(seen->host);
    free(seen);
    return 0;
}

void rules_run(struct seen *seen) {
    while (seen->count < seen->wanted) rules_kind->turn(seen->host);
}

void rules_count(void *arg) {
    struct seen *seen = arg;
    if (seen->count < 8) seen->times[seen->count] = rules_now();
    seen->count++;
}

void rules_ready(void *arg, uint32_t events) {
    struct seen *seen = arg;
    seen->events = events;
    rules_count(seen);
}

void rules_never(void *arg) {
    (void)arg;
    fail_msg("a stopped watch was called");
}

/* Run until nothing is left to be done: everything that is ready now has run before these timers. */
void rules_settle(struct seen *seen) {
    struct seen done = {.host = seen->host, .loop = seen->loop};
    for (done.wanted = 1; done.wanted <= 3; done.wanted++) {
        assert_int_equal(seen->loop->timer(seen->loop, MILLISECOND, 0, rules_count, &done, &done.watch), 0);
        rules_run(&done);
    }
}

pid_t rules_child(int code, bool waits) {
    pid_t pid = fork();
    if (pid == 0) {
        while (waits) pause();
        _exit(code);
    }
    return pid;
}

void rules_never_ready(void *arg, uint32_t events) {
    (void)events;
    rules_never(arg);
}

void rules_never_ended(void *arg, const pdk_exit *end) {
    (void)end;
    rules_never(arg);
}

int main(int argc, char **argv) {
    rules_kind = argc > 1 ? kind_named(argv[1]) : NULL;
    if (!rules_kind) {
        (void)fprintf(stderr, "SKIPPED: there is no loop %s here (uv: libuv1-dev)\n", argc > 1 ? argv[1] : "");
        return getenv("CI") ? 1 : 77;
    }
    return rules_of_fds() + rules_of_timers() + rules_of_children() + rules_of_posts() != 0;
}
