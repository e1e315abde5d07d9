/* SPDX-License-Identifier: Apache-2.0 */
/* What of a command can be told to be impossible before anything is tried. */
#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "core/process/plan.h"

enum { MAX_PASSED = 1024, MAX_GROUPS = 65536, MAX_RLIMITS = 64, LAST_STREAM = PDK_STREAM_FD };

#define KNOWN_FLAGS                                                                                         \
    (PDK_COMMAND_NO_NEW_PRIVILEGES | PDK_COMMAND_KEEP_CAPABILITIES | PDK_COMMAND_BLOCK | PDK_COMMAND_USER | \
     PDK_COMMAND_PRIVATE_TMP)

static const char *const RLIMITS[] = {
    [RLIMIT_CPU] = "CPU",           [RLIMIT_FSIZE] = "FSIZE",
    [RLIMIT_DATA] = "DATA",         [RLIMIT_STACK] = "STACK",
    [RLIMIT_CORE] = "CORE",         [RLIMIT_RSS] = "RSS",
    [RLIMIT_NPROC] = "NPROC",       [RLIMIT_NOFILE] = "NOFILE",
    [RLIMIT_MEMLOCK] = "MEMLOCK",   [RLIMIT_AS] = "AS",
    [RLIMIT_LOCKS] = "LOCKS",       [RLIMIT_SIGPENDING] = "SIGPENDING",
    [RLIMIT_MSGQUEUE] = "MSGQUEUE", [RLIMIT_NICE] = "NICE",
    [RLIMIT_RTPRIO] = "RTPRIO",     [RLIMIT_RTTIME] = "RTTIME",
};

const char *pdk_rlimit_name(int32_t resource) {
    size_t count = sizeof RLIMITS / sizeof *RLIMITS;
    return resource >= 0 && (size_t)resource < count && RLIMITS[resource] ? RLIMITS[resource] : "?";
}

int32_t pdk_process_error(pdk_error *err, int32_t code, const char *format, ...) {
    if (!err) return code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->code = code;
    err->hint[0] = 0;
    return code;
}

/* The numbers that have a range of their own. UNCHANGED is always fine. */
struct range {
    const char *name;
    size_t offset;
    int32_t from, to;
};

static const struct range RANGES[] = {
    {"stdout_to", offsetof(pdk_command, stdout_to), 0, LAST_STREAM},
    {"stderr_to", offsetof(pdk_command, stderr_to), 0, LAST_STREAM},
    {"umask", offsetof(pdk_command, umask), -1, 0777},
    {"nice", offsetof(pdk_command, nice), -20, 19},
    {"io_class", offsetof(pdk_command, io_class), 0, 3},
    {"io_level", offsetof(pdk_command, io_level), 0, 7},
    {"oom_score", offsetof(pdk_command, oom_score), -1000, 1000},
};

static int32_t check_ranges(const pdk_command *command, pdk_error *err) {
    for (size_t i = 0; i < sizeof RANGES / sizeof *RANGES; i++) {
        const struct range *range = &RANGES[i];
        int32_t value;
        memcpy(&value, (const char *)command + range->offset, sizeof value);
        if (value >= range->from && value <= range->to) continue;
        if (value == PDK_UNCHANGED && (range->from == -20 || range->from == -1000)) continue;
        return pdk_process_error(err, -EINVAL, "%s is %d, not one of %d to %d", range->name, value, range->from,
                                 range->to);
    }
    return 0;
}

static int32_t check_text(const pdk_command *command, pdk_error *err) {
    if (!command->argv || !command->argv[0]) return pdk_process_error(err, -EINVAL, "the command is empty");
    const char *program = command->program ? command->program : command->argv[0];
    if (!*program) return pdk_process_error(err, -EINVAL, "the name of the program is empty");
    for (const char *const *env = command->env; env && *env; env++) {
        const char *equals = strchr(*env, '=');
        if (!equals || equals == *env)
            return pdk_process_error(err, -EINVAL, "environment: \"%.80s\" is not NAME=value", *env);
    }
    return 0;
}

static int32_t check_streams(const pdk_command *command, pdk_error *err) {
    if (command->stdout_to == PDK_STREAM_JOIN)
        return pdk_process_error(err, -EINVAL, "stdout cannot go to where stdout goes");
    if (command->pass_count > MAX_PASSED)
        return pdk_process_error(err, -EINVAL, "%u fds to pass, at most %d are possible", command->pass_count,
                                 MAX_PASSED);
    return 0;
}

static int32_t check_rlimits(const pdk_command *command, pdk_error *err) {
    if (command->rlimit_count > MAX_RLIMITS)
        return pdk_process_error(err, -EINVAL, "%u limits, at most %d are possible", command->rlimit_count,
                                 MAX_RLIMITS);
    for (uint32_t i = 0; i < command->rlimit_count; i++) {
        const pdk_rlimit *limit = &command->rlimits[i];
        const char *name = pdk_rlimit_name(limit->resource);
        if (*name == '?') return pdk_process_error(err, -EINVAL, "there is no limit number %d", limit->resource);
        if (limit->soft > limit->hard)
            return pdk_process_error(err, -EINVAL, "limit %s: soft %llu is above hard %llu", name,
                                     (unsigned long long)limit->soft, (unsigned long long)limit->hard);
    }
    return 0;
}

static int32_t check_privileges(const pdk_command *command, pdk_error *err) {
    if (command->flags & ~(uint32_t)KNOWN_FLAGS)
        return pdk_process_error(err, -EINVAL, "flags 0x%x are unknown here", command->flags & ~(uint32_t)KNOWN_FLAGS);
    if (command->flags & PDK_COMMAND_USER && (command->uid == UINT32_MAX || command->gid == UINT32_MAX))
        return pdk_process_error(err, -EINVAL, "%u is no user or group", UINT32_MAX);
    if (command->group_count > MAX_GROUPS)
        return pdk_process_error(err, -EINVAL, "%u groups, at most %d are possible", command->group_count, MAX_GROUPS);
    if (command->seccomp && (command->seccomp_count == 0 || command->seccomp_count > BPF_MAXINSNS))
        return pdk_process_error(err, -EINVAL, "a seccomp filter of %u instructions, 1 to %d are possible",
                                 command->seccomp_count, BPF_MAXINSNS);
    if (command->cpu_max != 0 && !(command->cpu_max >= 0.01 && command->cpu_max <= 1e6))
        return pdk_process_error(err, -EINVAL, "a limit of %g cores, at least 0.01 is possible", command->cpu_max);
    return 0;
}

int32_t pdk_command_check(const pdk_command *command, pdk_error *err) {
    static int32_t (*const CHECKS[])(const pdk_command *, pdk_error *) = {check_text, check_ranges, check_streams,
                                                                          check_rlimits, check_privileges};
    if (command->struct_size < sizeof(pdk_command))
        return pdk_process_error(err, -EINVAL, "a pdk_command of %u bytes, at least %zu were expected",
                                 command->struct_size, sizeof(pdk_command));
    int32_t r = 0;
    for (size_t i = 0; i < sizeof CHECKS / sizeof *CHECKS && r == 0; i++) r = CHECKS[i](command, err);
    return r;
}
