/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the process service share: a loop, a service, and children that note all they are told. */
#ifndef TEST_UNIT_PROCESS_HARNESS_H
#define TEST_UNIT_PROCESS_HARNESS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/loop/loop.h"
#include "core/process/process.h"

enum { KEPT_OUTPUT = 1 << 20 };

struct world {
    struct pdk_ev *ev;
    struct pdk_spawner *spawner;
    const pdk_process *process;
    int over, wanted; /* children that ended or failed */
    int fds;
};

struct child {
    struct world *world;
    pdk_child handle;
    int32_t pid, started, failed, ended;
    pdk_exit end;
    pdk_error error;
    size_t sizes[3];
    char *texts[3];
    int32_t answer; /* what output is to return */
    uint64_t lost[3];
    uint32_t limits;
    bool break_on_output, break_on_start;
};

/* Asked for once: in a mount namespace of its own a process in a chroot is told another path. */
static inline const char *helper_path(void) {
    static char path[4096];
    if (path[0]) return path;
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 32);
    assert_true(size > 0);
    path[size] = 0;
    char *name = strrchr(path, '/') + 1;
    strlcpy(name, "process-helper", sizeof path - (size_t)(name - path));
    return path;
}

static inline int count_fds(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static inline void world_open_with(struct world *world, struct pdk_spawner_options options) {
    pdk_error err = PDK_ERROR;
    memset(world, 0, sizeof *world);
    world->fds = count_fds();
    assert_int_equal(pdk_ev_create(&world->ev), 0);
    options.loop = pdk_ev_loop(world->ev);
    if (pdk_spawner_create(&options, &world->spawner, &err) < 0) fail_msg("%s", err.message);
    world->process = pdk_spawner_service(world->spawner);
}

static inline void world_open(struct world *world) {
    world_open_with(world, (struct pdk_spawner_options){.cgroups = -1});
}

/* Nothing may be left: no fd, and no child of ours. */
static inline void world_close(struct world *world) {
    pdk_spawner_free(world->spawner);
    pdk_ev_free(world->ev);
    assert_int_equal(count_fds(), world->fds);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static inline void one_over(struct child *child) {
    struct world *world = child->world;
    if (++world->over == world->wanted) pdk_ev_break(world->ev);
}

static inline void child_started(void *arg, int32_t pid) {
    struct child *child = arg;
    child->pid = pid;
    child->started++;
    if (child->break_on_start) pdk_ev_break(child->world->ev);
}

static inline void child_failed(void *arg, const pdk_error *err) {
    struct child *child = arg;
    child->error = *err;
    child->failed++;
    if (child->break_on_output) pdk_ev_break(child->world->ev);
    one_over(child);
}

static inline int32_t child_output(void *arg, int32_t stream, const char *data, size_t size) {
    struct child *child = arg;
    assert_int_equal(child->ended, 0);
    assert_int_equal(child->started, 1);
    if (!child->texts[stream]) child->texts[stream] = calloc(1, KEPT_OUTPUT + 1);
    size_t room = child->sizes[stream] < KEPT_OUTPUT ? KEPT_OUTPUT - child->sizes[stream] : 0;
    memcpy(child->texts[stream] + (KEPT_OUTPUT - room), data, size < room ? size : room);
    child->sizes[stream] += size;
    if (child->break_on_output) pdk_ev_break(child->world->ev);
    return child->answer;
}

static inline void child_ended(void *arg, const pdk_exit *end) {
    struct child *child = arg;
    child->end = *end;
    child->ended++;
    one_over(child);
}

static inline void child_lost(void *arg, int32_t stream, uint64_t bytes) {
    struct child *child = arg;
    child->lost[stream] += bytes;
}

static inline void child_limited(void *arg, uint32_t limits) {
    struct child *child = arg;
    child->limits = limits;
}

static const pdk_child_ops CHILD_OPS = {sizeof CHILD_OPS, 0,           child_started, child_failed,
                                        child_output,     child_ended, child_lost,    child_limited};

static inline pdk_command command_of(const char *const *argv) {
    static const char *const ENV[] = {"PATH=/usr/bin:/bin", "PADDOCK_RUN_ID=test-1", "PADDOCK_ATTEMPT=1", NULL};
    return (pdk_command){.struct_size = sizeof(pdk_command),
                         .argv = argv,
                         .program = helper_path(),
                         .env = ENV,
                         .cwd_fd = -1,
                         .input_fd = -1,
                         .stdout_to = PDK_STREAM_CAPTURE,
                         .stderr_to = PDK_STREAM_CAPTURE,
                         .umask = -1,
                         .nice = PDK_UNCHANGED,
                         .oom_score = PDK_UNCHANGED};
}

/* argv of the helper in one go: HELPER("exit", "3"). */
#define HELPER(...) ((const char *const[]){"helper", __VA_ARGS__, NULL})

static inline void child_start(struct world *world, struct child *child, const pdk_command *command) {
    pdk_error err = PDK_ERROR;
    memset(child, 0, sizeof *child);
    child->world = world;
    if (world->process->spawn(world->process, 0, command, &CHILD_OPS, child, &child->handle, &err) < 0)
        fail_msg("spawn: %s", err.message);
}

static inline void run_until_over(struct world *world, int count) {
    world->wanted = count;
    if (world->over < count) pdk_ev_run(world->ev);
}

/* Start it and wait until it is over. */
static inline void child_run(struct world *world, struct child *child, const pdk_command *command) {
    child_start(world, child, command);
    run_until_over(world, world->over + 1);
    assert_int_equal(child->failed + child->ended, 1);
}

static inline void child_free(struct child *child) {
    for (int i = 0; i < 3; i++) free(child->texts[i]);
}

/* Until it has said something. */
static inline void run_until_output(struct world *world, struct child *child) {
    child->break_on_output = true;
    while (child->sizes[1] + child->sizes[2] == 0 && !child->failed) pdk_ev_run(world->ev);
    child->break_on_output = false;
    if (child->failed) fail_msg("%s", child->error.message);
}

static inline const char *text_of(const struct child *child, int stream) {
    return child->texts[stream] ? child->texts[stream] : "";
}

/* R, S, Z, ... as in /proc; 0: there is no such process. */
static inline char state_of(pid_t pid) {
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    bool read = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    const char *state = strrchr(text, ')');
    return read && state ? state[2] : 0;
}

static inline bool lives(pid_t pid) {
    char state = state_of(pid);
    return state && state != 'Z' && state != 'X';
}

#endif
