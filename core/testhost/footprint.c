/* SPDX-License-Identifier: Apache-2.0 */
/* How much of everything there is: what was not there before was started, what is still there was left behind. */
#include <dirent.h>
#include <stdlib.h>
#include <time.h>

#include "core/testhost/heap.h"
#include "core/testhost/internal.h"

static uint32_t entries(const char *path) {
    DIR *folder = opendir(path);
    uint32_t n = 0;
    while (folder && readdir(folder)) n++;
    if (folder) closedir(folder);
    return n;
}

uint32_t pdk_test_threads(void) {
    uint32_t n = entries("/proc/self/task") - 2; /* . and .. */
#ifdef __SANITIZE_THREAD__
    if (n > 1) n--; /* the sanitizer has one of its own from when there are two */
#endif
    return n;
}

uint64_t pdk_test_wall(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * PDK_SECOND + (uint64_t)now.tv_nsec;
}

void pdk_test_footprint(pdk_test *t, struct footprint *ret) {
    const struct watch *watch;
    const struct job *job;
    const struct child *child;
    *ret = (struct footprint){.fds = entries("/proc/self/fd"),
                              .threads = pdk_test_threads(),
                              .heap = pdk_heap_time(),
                              .watches = 0,
                              .jobs = 0,
                              .children = 0};
    LIST_FOREACH(watch, &t->watches, link) ret->watches++;
    TAILQ_FOREACH(job, &t->jobs, link) ret->jobs++;
    TAILQ_FOREACH(child, &t->children, link) ret->children += child->public.over == 0;
}

static void compare(pdk_test *t, uint32_t before, uint32_t now, const char *call, const char *what) {
    if (now > before) pdk_test_break(t, PDK_TEST_RULE_PURE, "%s %s", call, what);
}

void pdk_test_pure(pdk_test *t, const struct footprint *before, const char *call) {
    struct footprint now;
    pdk_test_footprint(t, &now);
    compare(t, before->fds, now.fds, call, "opened a descriptor");
    compare(t, before->watches, now.watches, call, "began to watch something");
    compare(t, before->jobs, now.jobs, call, "submitted a job");
    compare(t, before->children, now.children, call, "started a child");
    compare(t, before->threads, now.threads, call, "started a thread");
}
