/* SPDX-License-Identifier: Apache-2.0 */
/* The words of `with` that become members of a pdk_command: limits, priorities, privileges. Tables, mostly. */
#include <signal.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/resource.h>

#include "subprocess.h"

/* By number; see capabilities(7). */
static const char *const capabilities[] = {
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
};

static const struct {
    const char *name;
    int32_t resource;
    bool size; /* in bytes, so 64MiB may be written */
} rlimits[PDK_SUB_RLIMITS] = {
    {"nofile", RLIMIT_NOFILE, false}, {"memlock", RLIMIT_MEMLOCK, true}, {"core", RLIMIT_CORE, true},
    {"fsize", RLIMIT_FSIZE, true},    {"stack", RLIMIT_STACK, true},     {"nproc", RLIMIT_NPROC, false},
    {"cpu", RLIMIT_CPU, false},       {"as", RLIMIT_AS, true},
};

int32_t pdk_sub_signal_number(const char *name) {
    if (!strncmp(name, "SIG", 3)) name += 3;
    if (!strncmp(name, "RTMIN", 5)) {
        int32_t offset = 0;
        const char *c = name + 5;
        if (*c == '\0') return SIGRTMIN;
        if (*c++ != '+' || *c == '\0') return 0;
        for (; *c; c++) {
            if (*c < '0' || *c > '9' || offset > 100) return 0;
            offset = offset * 10 + (*c - '0');
        }
        return SIGRTMIN + offset <= SIGRTMAX ? SIGRTMIN + offset : 0;
    }
    for (int32_t i = 1; i < SIGRTMIN; i++) {
        const char *known = sigabbrev_np(i);
        if (known && !strcmp(known, name)) return i;
    }
    return 0;
}

int32_t pdk_sub_strings(const pdk_host *host, const pdk_value *list, const char *what, const char ***ret,
                        pdk_error *err) {
    size_t count = host->values->count(list);
    const char **strings = calloc(count + 1, sizeof *strings);
    if (!strings) return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const pdk_value *item = host->values->at(list, i);
        if (!pdk_text(host, item, &strings[i])) continue;
        free(strings);
        return pdk_failf(err, -EINVAL, item, "%s is a list of strings without NUL bytes", what);
    }
    *ret = strings;
    return 0;
}

int32_t pdk_sub_inherit_read(const pdk_host *host, const pdk_value *list, struct pdk_sub_inherit *ret, pdk_error *err) {
    size_t count = host->values->count(list);
    *ret = (struct pdk_sub_inherit){NULL, host->values->type(list) == PDK_NULL};
    for (size_t i = 0; i < count; i++) {
        const pdk_value *item = host->values->at(list, i);
        const char *name = "";
        bool word;
        if (pdk_text(host, item, &name) || !pdk_sub_is_name(name, strlen(name)))
            return pdk_failf(err, -EINVAL, item, "all, none or names of variables are wanted, not \"%.40s\"", name);
        word = !strcmp(name, "all") || !strcmp(name, "none");
        if (word && count > 1) return pdk_fail(err, -EINVAL, item, name, " stands alone", NULL);
        if (!word) ret->names = list;
        if (word) ret->all = name[0] == 'a';
    }
    return 0;
}

static int32_t read_umask(const pdk_host *host, const pdk_value *with, int32_t *ret, pdk_error *err) {
    const char *text = NULL;
    int32_t mask = 0, rc = pdk_take_string(host, with, "umask", &text, err);
    if (rc || !text) return rc;
    for (const char *c = text; *c; c++) mask = *c >= '0' && *c <= '7' && mask <= 0777 ? mask * 8 + (*c - '0') : 01000;
    if (!*text || mask > 0777)
        return pdk_failf(err, -EINVAL, host->values->get(with, "umask"), "a mask is octal, 0000 to 0777, not \"%.40s\"",
                         text);
    *ret = mask;
    return 0;
}

static int32_t read_ionice(const pdk_host *host, const pdk_value *with, struct pdk_sub_options *options,
                           pdk_error *err) {
    static const char best_effort[] = "best-effort";
    const size_t size = sizeof best_effort - 1;
    const char *text = NULL;
    int32_t rc = pdk_take_string(host, with, "ionice", &text, err);
    if (rc || !text) return rc;
    if (!strcmp(text, "idle")) {
        options->io_class = 3;
        return 0;
    }
    if (!strncmp(text, best_effort, size)) {
        options->io_class = 2;
        options->io_level = 4; /* what the kernel takes when nobody says */
        if (!text[size]) return 0;
        options->io_level = text[size + 1] - '0';
        if (text[size] == ':' && text[size + 1] >= '0' && text[size + 1] <= '7' && !text[size + 2]) return 0;
    }
    return pdk_failf(err, -EINVAL, host->values->get(with, "ionice"),
                     "idle is wanted, or best-effort:0 to best-effort:7, not \"%.40s\"", text);
}

static int32_t read_small(const pdk_host *host, const pdk_value *with, const char *key, int32_t min, int32_t max,
                          int32_t *ret, pdk_error *err) {
    int64_t number = 0;
    const pdk_value *v = host->values->get(with, key);
    int32_t rc = pdk_take_integer(host, with, key, &number, err);
    if (rc || host->values->type(v) == PDK_NULL) return rc;
    if (number < min || number > max) return pdk_failf(err, -EINVAL, v, "%d to %d is wanted", min, max);
    *ret = (int32_t)number;
    return 0;
}

static bool read_digits(const char *text, size_t size, uint64_t *ret) {
    uint64_t n = 0;
    if (size == 0 || size > 18) return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        n = n * 10 + (uint64_t)(text[i] - '0');
    }
    *ret = n;
    return true;
}

static bool read_bound(const char *text, size_t size, uint64_t *ret) {
    if (size == 9 && !memcmp(text, "unlimited", 9)) {
        *ret = UINT64_MAX;
        return true;
    }
    return read_digits(text, size, ret);
}

/* A number, a size, unlimited, or soft:hard in numbers. */
static bool read_limit(const pdk_host *host, const pdk_value *v, bool size, pdk_rlimit *limit) {
    const char *text = NULL, *colon;
    int64_t number;
    uint64_t bytes;
    if (!host->values->integer(v, &number)) {
        limit->soft = limit->hard = (uint64_t)number;
        return number >= 0;
    }
    if (pdk_text(host, v, &text)) return false;
    colon = strchr(text, ':');
    if (colon)
        return read_bound(text, (size_t)(colon - text), &limit->soft) &&
               read_bound(colon + 1, strlen(colon + 1), &limit->hard) && limit->soft <= limit->hard;
    if (read_bound(text, strlen(text), &limit->soft)) {
        limit->hard = limit->soft;
        return true;
    }
    if (!size || host->values->size(v, &bytes)) return false;
    limit->soft = limit->hard = bytes;
    return true;
}

static int32_t read_rlimits(const pdk_host *host, const pdk_value *map, struct pdk_sub_options *options,
                            pdk_error *err) {
    if (!host->values->count(map)) return 0;
    options->rlimits = calloc(PDK_SUB_RLIMITS, sizeof *options->rlimits);
    if (!options->rlimits) return -ENOMEM;
    for (size_t i = 0; i < PDK_SUB_RLIMITS; i++) {
        const pdk_value *v = host->values->get(map, rlimits[i].name);
        if (host->values->type(v) == PDK_NULL) continue;
        pdk_rlimit *limit = &options->rlimits[options->rlimit_count];
        limit->resource = rlimits[i].resource;
        if (!read_limit(host, v, rlimits[i].size, limit))
            return pdk_failf(err, -EINVAL, v, "'%s' wants a number%s, unlimited, or soft:hard in numbers",
                             rlimits[i].name, rlimits[i].size ? ", a size such as 64MiB" : "");
        options->rlimit_count++;
    }
    return 0;
}

static int32_t read_capabilities(const pdk_host *host, const pdk_value *list, struct pdk_sub_options *options,
                                 pdk_error *err) {
    const size_t known = sizeof capabilities / sizeof *capabilities;
    if (host->values->type(list) == PDK_NULL) return 0;
    options->flags |= PDK_COMMAND_KEEP_CAPABILITIES;
    for (size_t i = 0; i < host->values->count(list); i++) {
        const pdk_value *item = host->values->at(list, i);
        const char *name = "", *bare;
        size_t k = 0;
        (void)pdk_text(host, item, &name);
        bare = strncasecmp(name, "cap_", 4) ? name : name + 4;
        while (k < known && strcasecmp(bare, capabilities[k]) != 0) k++;
        if (k == known)
            return pdk_failf(err, -EINVAL, item, "there is no capability \"%.40s\"; one is net_bind_service", name);
        options->capabilities |= UINT64_C(1) << k;
    }
    return 0;
}

static int32_t read_pass_fds(const pdk_host *host, const pdk_value *list, struct pdk_sub_options *options,
                             pdk_error *err) {
    size_t count = host->values->count(list);
    if (count > PDK_SUB_PASS_FDS)
        return pdk_failf(err, -EINVAL, list, "at most %d descriptors are passed", PDK_SUB_PASS_FDS);
    if (count == 0) return 0;
    options->pass_fds = calloc(count, sizeof *options->pass_fds);
    if (!options->pass_fds) return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        int64_t fd = 0;
        if (host->values->integer(host->values->at(list, i), &fd) || fd < 3 || fd > 1048575)
            return pdk_fail(err, -EINVAL, host->values->at(list, i), "a descriptor from 3 upwards is wanted", NULL,
                            NULL);
        options->pass_fds[i] = (int32_t)fd;
    }
    options->pass_count = (uint32_t)count;
    return 0;
}

static int32_t read_resources(const pdk_host *host, const pdk_value *map, struct pdk_sub_options *options,
                              pdk_error *err) {
    int64_t pids = 0;
    int32_t rc = pdk_take_number(host, map, "cpu", &options->cpu_max, err);
    if (!rc) rc = pdk_take_size(host, map, "memory", &options->memory_max, err);
    if (!rc) rc = pdk_take_integer(host, map, "pids", &pids, err);
    if (!rc && (pids < 0 || !(options->cpu_max >= 0)))
        rc = pdk_fail(err, -EINVAL, map, "a limit is not negative", NULL, NULL);
    options->pids_max = (uint64_t)pids;
    return rc;
}

static int32_t read_flags(const pdk_host *host, const pdk_value *with, struct pdk_sub_options *options,
                          pdk_error *err) {
    uint64_t drain = 0;
    int32_t privileges = 0, tmp = 0, merge = 0;
    int32_t rc = pdk_take_boolean(host, with, "no_new_privileges", &privileges, err);
    if (!rc) rc = pdk_take_boolean(host, with, "private_tmp", &tmp, err);
    if (!rc) rc = pdk_take_boolean(host, with, "merge_stderr", &merge, err);
    if (!rc) rc = pdk_take_duration(host, with, "drain", &drain, err);
    if (privileges) options->flags |= PDK_COMMAND_NO_NEW_PRIVILEGES;
    if (tmp) options->flags |= PDK_COMMAND_PRIVATE_TMP;
    options->merge_stderr = merge != 0;
    drain = (drain + 999999) / 1000000;
    options->drain_ms = drain > 3600000 ? 3600000 : (uint32_t)drain;
    return rc;
}

int32_t pdk_sub_options_read(const pdk_host *host, const pdk_value *with, struct pdk_sub_options *options,
                             pdk_error *err) {
    const pdk_values *values = host->values;
    int32_t rc;
    options->umask = -1;
    options->nice = options->oom_score = PDK_UNCHANGED;
    options->flags = PDK_COMMAND_BLOCK; /* the host says when to pause; then the child waits and nothing is lost */
    rc = read_flags(host, with, options, err);
    if (!rc) rc = read_umask(host, with, &options->umask, err);
    if (!rc) rc = read_small(host, with, "nice", -20, 19, &options->nice, err);
    if (!rc) rc = read_small(host, with, "oom_score", -1000, 1000, &options->oom_score, err);
    if (!rc) rc = read_ionice(host, with, options, err);
    if (!rc) rc = read_rlimits(host, values->get(with, "rlimits"), options, err);
    if (!rc) rc = read_capabilities(host, values->get(with, "capabilities"), options, err);
    if (!rc) rc = read_pass_fds(host, values->get(with, "pass_fds"), options, err);
    if (!rc) rc = read_resources(host, values->get(with, "resources"), options, err);
    return rc;
}
