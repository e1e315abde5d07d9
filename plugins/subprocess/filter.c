/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of system calls to a BPF program that answers them with EPERM and allows all others. A deny list is not a
 * sandbox: it takes the levers of the machine away from a program that means no harm. Made once per list of names
 * and shared by the tasks of an instance. [main]
 */
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/process/host_control.h"
#include "subprocess.h"

enum { CACHED_MAX = 64, KEY_MAX = 16384, INSTRUCTION = 8 /* bytes, sizeof(struct sock_filter) */ };

/* `default`. */
static const char *const host_control[] = {PDK_HOST_CONTROL_CALLS};

/* Without these the program could not even begin, or end. */
static const char *const vital[] = {"execve", "execveat", "exit", "exit_group"};

/* The same machine's other word size: else a 32-bit program would slip through, or be killed. */
static uint32_t other_architecture(void) {
    switch (seccomp_arch_native()) {
    case SCMP_ARCH_X86_64: return SCMP_ARCH_X86;
    case SCMP_ARCH_AARCH64: return SCMP_ARCH_ARM;
    case SCMP_ARCH_PPC64: return SCMP_ARCH_PPC;
    case SCMP_ARCH_S390X: return SCMP_ARCH_S390;
    default: return 0;
    }
}

int32_t pdk_sub_filter_check(const pdk_host *host, const pdk_value *names, pdk_error *err) {
    for (size_t i = 0; i < host->values->count(names); i++) {
        const pdk_value *item = host->values->at(names, i);
        const char *name = NULL;
        if (pdk_text(host, item, &name))
            return pdk_fail(err, -EINVAL, item, "a name of a system call is wanted", NULL, NULL);
        for (size_t k = 0; k < sizeof vital / sizeof *vital; k++)
            if (!strcmp(name, vital[k])) return pdk_failf(err, -EINVAL, item, "without %s nothing runs", name);
        if (strcmp(name, "default") != 0 && seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR)
            return pdk_failf(err, -EINVAL, item, "there is no system call \"%.40s\"", name);
    }
    return 0;
}

/* A call that this architecture lacks gives a negative number below -1, which libseccomp passes over. */
static int32_t deny(scmp_filter_ctx filter, const char *name) {
    int number = seccomp_syscall_resolve_name(name);
    int32_t rc = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
    return rc == -EDOM || rc == -EEXIST ? 0 : rc;
}

static int32_t deny_all(scmp_filter_ctx filter, const pdk_host *host, const pdk_value *names) {
    int32_t rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
    uint32_t other = other_architecture();
    if (!rc && other) rc = seccomp_arch_add(filter, other);
    for (size_t i = 0; i < host->values->count(names) && !rc; i++) {
        const char *name = "";
        host->values->string(host->values->at(names, i), &name);
        if (strcmp(name, "default") != 0) {
            rc = deny(filter, name);
            continue;
        }
        for (size_t k = 0; k < sizeof host_control / sizeof *host_control && !rc; k++)
            rc = deny(filter, host_control[k]);
    }
    return rc;
}

/* libseccomp writes to an fd alone. */
static int32_t read_program(int fd, struct pdk_sub_filter *filter) {
    off_t size = lseek(fd, 0, SEEK_END);
    if (size <= 0) return size < 0 ? -errno : -EINVAL;
    filter->program = malloc((size_t)size);
    if (!filter->program) return -ENOMEM;
    if (pread(fd, filter->program, (size_t)size, 0) != size) return -EIO;
    filter->count = (uint32_t)(size / INSTRUCTION);
    return 0;
}

static int32_t compile(const pdk_host *host, const pdk_value *names, struct pdk_sub_filter *filter) {
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    int32_t rc;
    int fd;
    if (!context) return -ENOMEM;
    rc = deny_all(context, host, names);
    fd = rc ? -1 : memfd_create("paddock-filter", MFD_CLOEXEC);
    if (!rc && fd < 0) rc = -errno;
    if (!rc) rc = seccomp_export_bpf(context, fd);
    if (!rc) rc = read_program(fd, filter);
    if (fd >= 0) close(fd);
    seccomp_release(context);
    return rc;
}

/* "default ptrace ": names hold no blanks, for check knows them all. */
static int32_t make_key(const pdk_host *host, const pdk_value *names, char *key, size_t size) {
    size_t used = 0;
    key[0] = '\0';
    for (size_t i = 0; i < host->values->count(names); i++) {
        const pdk_value *item = host->values->at(names, i);
        const char *name = "";
        host->values->string(item, &name);
        if (host->values->count(item) + 2 > size - used) return -E2BIG;
        used += (size_t)snprintf(key + used, size - used, "%s ", name);
    }
    return 0;
}

int32_t pdk_sub_filter_get(struct pdk_sub *self, const pdk_value *names, struct pdk_sub_filter **ret) {
    char key[KEY_MAX];
    struct pdk_sub_filter *filter;
    size_t size;
    int32_t rc = make_key(self->host, names, key, sizeof key);
    if (rc) return rc;
    LIST_FOREACH(filter, &self->filters, link) {
        if (strcmp(filter->key, key) != 0) continue;
        filter->users++;
        *ret = filter;
        return 0;
    }
    size = strlen(key) + 1;
    filter = calloc(1, sizeof *filter + size);
    if (!filter) return -ENOMEM;
    filter->users = 1;
    memcpy(filter->key, key, size);
    rc = compile(self->host, names, filter);
    if (rc) {
        pdk_sub_filter_drop(filter);
        return rc;
    }
    if (self->filter_count < CACHED_MAX) {
        self->filter_count++;
        filter->users++;
        LIST_INSERT_HEAD(&self->filters, filter, link);
    }
    *ret = filter;
    return 0;
}

void pdk_sub_filter_drop(struct pdk_sub_filter *filter) {
    if (!filter || --filter->users) return;
    free(filter->program);
    free(filter);
}

void pdk_sub_filters_free(struct pdk_sub *self) {
    while (!LIST_EMPTY(&self->filters)) {
        struct pdk_sub_filter *filter = LIST_FIRST(&self->filters);
        LIST_REMOVE(filter, link);
        pdk_sub_filter_drop(filter);
    }
}
