/* SPDX-License-Identifier: Apache-2.0 */
/* From a command to a plan. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/process/plan.h"

/* Far above what any kernel takes (it says E2BIG itself), so that a mistake does not take all memory. */
#define MAX_TEXT ((size_t)64 << 20)

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static void *copy(struct pdk_arena *arena, const void *data, size_t size) {
    void *result = pdk_arena_alloc(arena, size ? size : 1);
    return result && size ? memcpy(result, data, size) : result;
}

/* A list of strings with all their bytes in one piece. */
static int32_t copy_list(struct pdk_arena *arena, const char *const *list, size_t limit, const char *const **ret) {
    size_t count = 0, bytes = 0;
    while (list && list[count]) bytes += strlen(list[count++]) + 1;
    if (bytes > limit) return -E2BIG;
    char **result = pdk_arena_alloc(arena, (count + 1) * sizeof *result);
    char *text = result ? pdk_arena_alloc(arena, bytes + 1) : NULL;
    if (!text) return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(list[i]) + 1;
        result[i] = memcpy(text, list[i], size);
        text += size;
    }
    *ret = (const char *const *)result;
    return 0;
}

static const char *path_of(const char *const *env) {
    for (; env && *env; env++)
        if (strncmp(*env, "PATH=", 5) == 0) return *env + 5;
    return DEFAULT_PATH;
}

/* An empty part of PATH is the folder we are in. */
static char *join(struct pdk_arena *arena, const char *folder, size_t size, const char *name) {
    size_t name_size = strlen(name) + 1;
    char *result = pdk_arena_alloc(arena, size + 1 + name_size);
    if (!result) return NULL;
    memcpy(result, folder, size);
    if (size) result[size++] = '/';
    memcpy(result + size, name, name_size);
    return result;
}

static int32_t make_candidates(struct pdk_arena *arena, struct pdk_plan *plan) {
    const char *path = strchr(plan->program, '/') ? "" : path_of(plan->env);
    size_t count = 1;
    for (const char *c = path; *c; c++) count += *c == ':';
    const char **list = pdk_arena_alloc(arena, (count + 1) * sizeof *list);
    if (!list) return -ENOMEM;
    plan->candidates = list;
    if (strchr(plan->program, '/')) {
        list[0] = plan->program;
        return 0;
    }
    plan->path = path;
    for (size_t i = 0; i < count; i++) {
        size_t size = strcspn(path, ":");
        list[i] = join(arena, path, size, plan->program);
        if (!list[i]) return -ENOMEM;
        path += size + 1;
    }
    return 0;
}

static int32_t copy_text(const pdk_command *command, struct pdk_arena *arena, struct pdk_plan *plan, pdk_error *err) {
    int32_t r = copy_list(arena, command->argv, MAX_TEXT, &plan->argv);
    if (r == 0) r = copy_list(arena, command->env, MAX_TEXT, &plan->env);
    if (r == -E2BIG) return pdk_process_error(err, r, "arguments and environment are too long");
    if (r < 0) return r;
    plan->program = plan->argv[0];
    if (command->program) plan->program = pdk_arena_text(arena, command->program, strlen(command->program));
    if (!plan->program) return -ENOMEM;
    return make_candidates(arena, plan);
}

static int32_t copy_arrays(const pdk_command *command, struct pdk_arena *arena, struct pdk_plan *plan) {
    plan->rlimit_count = command->rlimit_count;
    plan->group_count = command->group_count;
    plan->fd_count = 3 + command->pass_count;
    plan->seccomp.len = command->seccomp ? (unsigned short)command->seccomp_count : 0;
    plan->fds = pdk_arena_alloc(arena, plan->fd_count * sizeof *plan->fds);
    plan->rlimits = copy(arena, command->rlimits, plan->rlimit_count * sizeof *plan->rlimits);
    plan->groups = copy(arena, command->groups, plan->group_count * sizeof *plan->groups);
    plan->seccomp.filter = copy(arena, command->seccomp, plan->seccomp.len * sizeof *plan->seccomp.filter);
    if (!plan->fds || !plan->rlimits || !plan->groups || !plan->seccomp.filter) return -ENOMEM;
    for (uint32_t i = 0; i < plan->fd_count; i++) plan->fds[i] = -1;
    return 0;
}

static int32_t copy_oom_score(const pdk_command *command, struct pdk_arena *arena, struct pdk_plan *plan) {
    if (command->oom_score == PDK_UNCHANGED) return 0;
    char text[16];
    int size = snprintf(text, sizeof text, "%d", command->oom_score);
    plan->oom_score = pdk_arena_text(arena, text, (size_t)size);
    return plan->oom_score ? 0 : -ENOMEM;
}

int32_t pdk_plan_make(const pdk_command *command, struct pdk_arena *arena, struct pdk_plan *ret, pdk_error *err) {
    struct pdk_plan plan = {.flags = command->flags,
                            .cwd_fd = -1,
                            .umask = command->umask,
                            .nice = command->nice,
                            .io_class = command->io_class,
                            .io_level = command->io_level,
                            .uid = command->uid,
                            .gid = command->gid,
                            .capabilities = command->capabilities};
    for (int i = 0; i < PDK_CGROUP_KINDS; i++) plan.procs_fds[i] = -1;
    int32_t r = pdk_command_check(command, err);
    if (r < 0) return r;
    r = copy_text(command, arena, &plan, err);
    if (r == 0) r = copy_arrays(command, arena, &plan);
    if (r == 0) r = copy_oom_score(command, arena, &plan);
    if (r == -ENOMEM) pdk_process_error(err, r, "no memory to start \"%.200s\"", command->argv[0]);
    if (r == 0) *ret = plan;
    return r;
}
