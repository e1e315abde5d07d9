/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup hierarchies of this machine: v2, v1, or both side by side; where we are in each, and a folder there. */
#ifndef CORE_PROCESS_HIERARCHY_H
#define CORE_PROCESS_HIERARCHY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "paddock/base.h"

enum pdk_controller { PDK_CGROUP_MEMORY, PDK_CGROUP_PIDS, PDK_CGROUP_CPU, PDK_CONTROLLERS };

extern const char *const PDK_CONTROLLER_NAMES[PDK_CONTROLLERS];

struct pdk_hierarchy {
    int32_t version;      /* 1 or 2 */
    uint32_t controllers; /* a bit each */
    char path[PATH_MAX];  /* of the cgroup we are in */
    int base_fd;          /* of our folder in it; -1: not made yet */
    char base[32];        /* what it is called */
    uint32_t handed;      /* controllers that its children have, in v2 */
    bool moved;           /* we have moved ourselves below it */
};

enum { PDK_HIERARCHIES = 4 };

/* Read /proc/self/mountinfo and /proc/self/cgroup, given as text. Those without use to us are left out. Returns how
 * many there are; v2 comes first. */
int32_t pdk_hierarchies_parse(const char *mounts, const char *own, struct pdk_hierarchy ret[PDK_HIERARCHIES]);

/* The same from this machine. A negative errno when /proc cannot be read. */
int32_t pdk_hierarchies_find(struct pdk_hierarchy ret[PDK_HIERARCHIES]);

/* Make our folder if it is not there, and remove those of the dead; have these controllers for its children. 0 or a
 * negative errno; err gets words. whole: we may move ourselves. */
int32_t pdk_hierarchy_open(struct pdk_hierarchy *hierarchy, uint32_t controllers, bool whole, pdk_error *err);
void pdk_hierarchy_close(struct pdk_hierarchy *hierarchy);

/* Write, or read at most size - 1 bytes of, a file below a folder. 0 (or the size), or a negative errno. */
int32_t pdk_cgroup_write(int folder_fd, const char *path, const char *text);
int32_t pdk_cgroup_read(int folder_fd, const char *path, char *text, size_t size);

/* The number behind a word in a file of words and numbers; 0 when it is not there. */
uint64_t pdk_cgroup_number(int folder_fd, const char *path, const char *word);

/* Kill whatever is in a folder, below a base folder of this name. True: it is empty. */
bool pdk_cgroup_empty(const struct pdk_hierarchy *hierarchy, int base_fd, const char *folder);
void pdk_cgroup_kill(const struct pdk_hierarchy *hierarchy, int base_fd, const char *base, const char *folder);

#endif
