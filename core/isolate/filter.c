/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of system calls to a BPF program that answers them with EPERM and allows all others. A deny list is not a
 * sandbox: it takes the levers of the machine away from a plugin that means no harm. Calls of another architecture than
 * ours (32-bit programs) all get EPERM, or they would be a way around.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/base/text.h"
#include "core/isolate/jail.h"
#include "core/process/host_control.h"
#include "paddock/helpers.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define FOREIGN      0x40000000u /* from here on: x32 */
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define FOREIGN      0xffffffffu
#endif

static const struct {
    const char *name;
    uint32_t number;
} calls[] = {
#include "calls.inc"
};
enum { CALLS = sizeof calls / sizeof *calls };

static const char *const host_control[] = {PDK_HOST_CONTROL_CALLS, NULL};

/* Without these its process could not even begin, or end. */
static const char *const vital[] = {"execve", "execveat", "exit", "exit_group", "mmap", "read", "write", NULL};

static bool has(const char *const *words, const char *word) {
    while (*words && strcmp(*words, word) != 0) words++;
    return *words != NULL;
}

static int find(const char *name) {
    for (int i = 0; i < CALLS; i++)
        if (strcmp(calls[i].name, name) == 0) return i;
    return -1;
}

static const char *nearest(const char *name) {
    const char *words[CALLS + 1];
    for (int i = 0; i < CALLS; i++) words[i] = calls[i].name;
    words[CALLS] = NULL;
    return pdk_nearest(name, words);
}

static int32_t check(const char *const *names, const pdk_value *at, pdk_error *err) {
    const pdk_values *v = pdk_values_get();
    for (size_t i = 0; names[i]; i++) {
        const pdk_value *item = v->type(at) == PDK_LIST ? v->at(at, i) : at;
        if (has(vital, names[i])) return pdk_failf(err, -EINVAL, item, "without %s nothing runs", names[i]);
        if (strcmp(names[i], "default") == 0 || find(names[i]) >= 0 || has(host_control, names[i])) continue;
        const char *near = nearest(names[i]);
        if (near && err) (void)snprintf(err->hint, sizeof err->hint, "did you mean \"%s\"?", near);
        return pdk_failf(err, -EINVAL, item, "there is no system call \"%.40s\"", names[i]);
    }
    return 0;
}

static void mark(bool *denied, const char *const *names) {
    for (; *names; names++) {
        int i = find(*names);
        if (strcmp(*names, "default") == 0)
            mark(denied, host_control);
        else if (i >= 0)
            denied[i] = true;
    }
}

#ifdef ARCHITECTURE
static const struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
static const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

static uint32_t write_program(const bool *denied, struct sock_filter *to) {
    struct sock_filter *at = to;
    *at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    *at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    *at++ = refuse;
    *at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    *at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN, 0, 1);
    *at++ = refuse;
    for (int i = 0; i < CALLS; i++) {
        if (!denied[i]) continue;
        *at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
        *at++ = refuse;
    }
    *at++ = allow;
    return (uint32_t)(at - to);
}
#endif

int32_t pdk_jail_filter(const char *const *names, const pdk_value *at, struct pdk_jail *jail, pdk_error *err) {
    bool denied[CALLS] = {false};
    int32_t rc = check(names, at, err);
    if (rc < 0) return rc;
    mark(denied, names);
#ifdef ARCHITECTURE
    jail->filter = calloc(2 * CALLS + 8, sizeof *jail->filter);
    if (!jail->filter) return -ENOMEM;
    jail->filter_count = write_program(denied, jail->filter);
    jail->flags |= PDK_COMMAND_NO_NEW_PRIVILEGES;
    return 0;
#else
    (void)jail;
    return pdk_fail(err, -ENOTSUP, at, "seccomp is not known on this machine", NULL, NULL);
#endif
}
