/* SPDX-License-Identifier: Apache-2.0 */
/* Our folder in a hierarchy: making it, removing it, and removing those that the dead have left. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/process/hierarchy.h"
#include "core/process/request.h"

#define BASE      "paddock-%d"
#define OURSELVES "self" /* where we live when v2 wants no processes in between */

enum { NAME_SIZE = 64, PATH_SIZE = 512, LIST_SIZE = 64 * 1024, BASES_MAX = 10000 };

/* ---- files ---- */

int32_t pdk_cgroup_write(int folder_fd, const char *path, const char *text) {
    int fd = openat(folder_fd, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int32_t r = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    close(fd);
    return r;
}

int32_t pdk_cgroup_read(int folder_fd, const char *path, char *text, size_t size) {
    int fd = openat(folder_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    size_t got = 0;
    for (ssize_t n = 1; n > 0 && got + 1 < size; got += n > 0 ? (size_t)n : 0) n = read(fd, text + got, size - 1 - got);
    close(fd);
    text[got] = 0;
    return (int32_t)got;
}

uint64_t pdk_cgroup_number(int folder_fd, const char *path, const char *word) {
    char text[1024] = "";
    size_t size = strlen(word);
    if (pdk_cgroup_read(folder_fd, path, text, sizeof text) <= 0) return 0;
    for (char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (strncmp(line, word, size) == 0 && line[size] == ' ') return strtoull(line + size, NULL, 10);
    return 0;
}

/* ---- killing ---- */

bool pdk_cgroup_empty(const struct pdk_hierarchy *hierarchy, int base_fd, const char *folder) {
    char path[PATH_SIZE], text[16];
    if (hierarchy->version == 2) {
        snprintf(path, sizeof path, "%s/cgroup.events", folder);
        return pdk_cgroup_number(base_fd, path, "populated") == 0;
    }
    snprintf(path, sizeof path, "%s/cgroup.procs", folder);
    return pdk_cgroup_read(base_fd, path, text, sizeof text) <= 0;
}

/* A number may have become somebody else's since the list was read. But if whoever has it now is in the folder, then
 * the pidfd from before is his, or that of a dead one. */
static void kill_member(int32_t pid, const char *where) {
    char path[NAME_SIZE], text[4096];
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) return;
    snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
    if (pdk_cgroup_read(AT_FDCWD, path, text, sizeof text) > 0 && strstr(text, where))
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    close(pidfd);
}

static void kill_members(int base_fd, const char *base, const char *folder) {
    char path[PATH_SIZE], where[PATH_SIZE];
    char *list = malloc(LIST_SIZE);
    if (!list) return;
    *list = '\0';
    snprintf(path, sizeof path, "%s/pids.max", folder); /* where there is one: who cannot fork cannot run away */
    pdk_cgroup_write(base_fd, path, "0");
    snprintf(path, sizeof path, "%s/cgroup.procs", folder);
    snprintf(where, sizeof where, "/%s/%s\n", base, folder);
    if (pdk_cgroup_read(base_fd, path, list, LIST_SIZE) > 0)
        for (char *at = list; *at; at += strcspn(at, "\n"), at += *at == '\n') {
            int32_t pid = (int32_t)strtol(at, NULL, 10);
            if (pid > 0) kill_member(pid, where);
        }
    free(list);
}

void pdk_cgroup_kill(const struct pdk_hierarchy *hierarchy, int base_fd, const char *base, const char *folder) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/cgroup.kill", folder);
    if (hierarchy->version == 2 && pdk_cgroup_write(base_fd, path, "1") == 0) return;
    kill_members(base_fd, base, folder);
}

/* ---- those of the dead ---- */

static void remove_attempts(const struct pdk_hierarchy *hierarchy, int base_fd, const char *base) {
    DIR *folder = fdopendir(dup(base_fd));
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
        if (!pdk_cgroup_empty(hierarchy, base_fd, entry->d_name))
            pdk_cgroup_kill(hierarchy, base_fd, base, entry->d_name);
        unlinkat(base_fd, entry->d_name, AT_REMOVEDIR); /* still busy: whoever comes next */
    }
    closedir(folder);
}

/* The process of "paddock-PID" or "paddock-PID-NUMBER"; 0: it is neither. */
static int owner_of(const char *name) {
    int pid, used = 0;
    unsigned number;
    if (sscanf(name, BASE "%n", &pid, &used) != 1 || pid <= 0) return 0;
    if (name[used] == 0) return pid;
    name += used;
    return sscanf(name, "-%u%n", &number, &used) == 1 && name[used] == 0 ? pid : 0;
}

/* Dead is who has neither a process nor the lock: in another namespace our number says nothing. */
static void remove_dead(const struct pdk_hierarchy *hierarchy, int parent_fd) {
    DIR *parent = fdopendir(dup(parent_fd));
    if (!parent) return;
    for (struct dirent *entry; (entry = readdir(parent));) {
        int pid = owner_of(entry->d_name);
        if (pid == 0 || kill(pid, 0) == 0 || errno != ESRCH) continue;
        int fd = openat(parent_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            remove_attempts(hierarchy, fd, entry->d_name);
            unlinkat(parent_fd, entry->d_name, AT_REMOVEDIR);
        }
        close(fd);
    }
    closedir(parent);
}

/* ---- ours ---- */

/* v2 hands its controllers down only where a cgroup says so. */
static int32_t hand_down(int fd, uint32_t controllers) {
    int32_t r = 0;
    for (int i = 0; i < PDK_CONTROLLERS && r == 0; i++) {
        char text[NAME_SIZE];
        if (!(controllers >> i & 1)) continue;
        snprintf(text, sizeof text, "+%s", PDK_CONTROLLER_NAMES[i]);
        r = pdk_cgroup_write(fd, "cgroup.subtree_control", text);
    }
    return r;
}

static int32_t hand_down_all(struct pdk_hierarchy *hierarchy, int parent_fd, uint32_t controllers, bool whole,
                             pdk_error *err) {
    int32_t r = hand_down(parent_fd, controllers);
    if (r == -EBUSY && whole) { /* only a cgroup without processes of its own may: that is, without us */
        mkdirat(hierarchy->base_fd, OURSELVES, 0755); /* if it fails, so does the next */
        r = pdk_cgroup_write(hierarchy->base_fd, OURSELVES "/cgroup.procs", "0");
        hierarchy->moved = r == 0;
        if (r == 0) r = hand_down(parent_fd, controllers);
    }
    if (r == 0) r = hand_down(hierarchy->base_fd, controllers);
    if (r == 0) return 0;
    pdk_process_error(err, r, "hand the controllers of cgroup %.200s down: %s", hierarchy->path, strerror(-r));
    strlcpy(err->hint, "it must be ours alone: under systemd, a service or scope with Delegate=yes", sizeof err->hint);
    return r;
}

/* Between opening and locking it may have been removed by who had it. */
static bool is_there(int parent_fd, const char *name, int fd) {
    struct stat by_name, by_fd;
    return fstatat(parent_fd, name, &by_name, 0) == 0 && fstat(fd, &by_fd) == 0 && by_name.st_ino == by_fd.st_ino;
}

/* An fd; -EBUSY: somebody has it. What was there without a lock is of a dead one that had our number. */
static int32_t take_base(const struct pdk_hierarchy *hierarchy, int parent_fd) {
    bool is_new = mkdirat(parent_fd, hierarchy->base, 0755) == 0;
    if (!is_new && errno != EEXIST) return -errno;
    int fd = pdk_fd_up(openat(parent_fd, hierarchy->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0) return errno == ENOENT ? -EBUSY : -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 || !is_there(parent_fd, hierarchy->base, fd)) {
        close(fd);
        return -EBUSY;
    }
    if (!is_new) remove_attempts(hierarchy, fd, hierarchy->base);
    return fd;
}

/* One for each supervisor of this process. */
static int32_t make_base(struct pdk_hierarchy *hierarchy, int parent_fd) {
    int32_t r = -EBUSY;
    for (int i = 1; i <= BASES_MAX && r == -EBUSY; i++) {
        int size = snprintf(hierarchy->base, sizeof hierarchy->base, BASE, getpid());
        if (i > 1) snprintf(hierarchy->base + size, sizeof hierarchy->base - (size_t)size, "-%d", i);
        r = take_base(hierarchy, parent_fd);
    }
    if (r < 0) return r;
    hierarchy->base_fd = r;
    return 0;
}

static int32_t open_base(struct pdk_hierarchy *hierarchy, int parent_fd, pdk_error *err) {
    if (hierarchy->base_fd >= 0) return 0;
    remove_dead(hierarchy, parent_fd);
    int32_t r = make_base(hierarchy, parent_fd);
    if (r == 0) return 0;
    pdk_process_error(err, r, "make a cgroup in %.200s: %s", hierarchy->path, strerror(-r));
    strlcpy(err->hint, "it must be ours to write: under systemd, a service or scope with Delegate=yes",
            sizeof err->hint);
    return r;
}

int32_t pdk_hierarchy_open(struct pdk_hierarchy *hierarchy, uint32_t controllers, bool whole, pdk_error *err) {
    uint32_t missing = hierarchy->version == 2 ? controllers & ~hierarchy->handed : 0;
    if (hierarchy->base_fd >= 0 && !missing) return 0;
    int parent_fd = open(hierarchy->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent_fd < 0)
        return pdk_process_error(err, -errno, "open cgroup %.200s: %s", hierarchy->path, strerror(errno));
    int32_t r = open_base(hierarchy, parent_fd, err);
    if (r == 0 && missing) r = hand_down_all(hierarchy, parent_fd, missing, whole, err);
    if (r == 0) hierarchy->handed |= missing;
    close(parent_fd);
    return r;
}

/* Take back what was handed down, and ourselves with it. */
static void move_back(const struct pdk_hierarchy *hierarchy, int parent_fd) {
    for (int i = 0; i < PDK_CONTROLLERS; i++) {
        char text[NAME_SIZE];
        snprintf(text, sizeof text, "-%s", PDK_CONTROLLER_NAMES[i]);
        pdk_cgroup_write(hierarchy->base_fd, "cgroup.subtree_control", text);
        pdk_cgroup_write(parent_fd, "cgroup.subtree_control", text);
    }
    pdk_cgroup_write(parent_fd, "cgroup.procs", "0");
}

void pdk_hierarchy_close(struct pdk_hierarchy *hierarchy) {
    if (hierarchy->base_fd < 0) return;
    int parent_fd = open(hierarchy->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (hierarchy->moved) move_back(hierarchy, parent_fd);
    remove_attempts(hierarchy, hierarchy->base_fd, hierarchy->base);
    unlinkat(parent_fd, hierarchy->base, AT_REMOVEDIR);
    if (parent_fd >= 0) close(parent_fd);
    close(hierarchy->base_fd);
    hierarchy->base_fd = -1;
}
