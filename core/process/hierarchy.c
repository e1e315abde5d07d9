/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the hierarchies, from what /proc says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/process/hierarchy.h"

enum { PROC_LIMIT = 1 << 20 };

const char *const PDK_CONTROLLER_NAMES[PDK_CONTROLLERS] = {"memory", "pids", "cpu"};

/* Which of ours are in a list of words. */
static uint32_t controllers_in(const char *list, const char *separators) {
    uint32_t found = 0;
    for (list += strspn(list, separators); *list; list += strspn(list, separators)) {
        size_t size = strcspn(list, separators);
        for (int i = 0; i < PDK_CONTROLLERS; i++)
            if (strlen(PDK_CONTROLLER_NAMES[i]) == size && strncmp(list, PDK_CONTROLLER_NAMES[i], size) == 0)
                found |= 1u << i;
        list += size;
    }
    return found;
}

/* Our path in the hierarchy with these controllers (0: v2), from lines "4:memory:/some/where". */
static bool own_path(const char *own, uint32_t controllers, char *ret, size_t size) {
    for (const char *line = own; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        char list[256], path[PATH_MAX];
        int number;
        if (controllers == 0) {
            if (sscanf(line, "0::%4095[^\n]", path) != 1) continue;
        } else if (sscanf(line, "%d:%255[^:]:%4095[^\n]", &number, list, path) != 3 ||
                   !(controllers_in(list, ",") & controllers)) {
            continue;
        }
        return strlcpy(ret, path, size) < size;
    }
    return false;
}

/* One line: "36 35 0:30 ROOT POINT options... - TYPE source OPTIONS". A mount may show a part of its hierarchy only. */
static bool parse_mount(const char *line, const char *own, struct pdk_hierarchy *ret) {
    char root[PATH_MAX], point[PATH_MAX], type[32], options[512], path[PATH_MAX];
    const char *dash = strstr(line, " - "), *end = strchr(line, '\n');
    if (!dash || (end && dash > end)) return false;
    if (sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2) return false;
    if (sscanf(dash, " - %31s %*s %511s", type, options) != 2) return false;
    *ret = (struct pdk_hierarchy){.base_fd = -1};
    if (strcmp(type, "cgroup2") == 0)
        ret->version = 2;
    else if (strcmp(type, "cgroup") == 0 && (ret->controllers = controllers_in(options, ",")) != 0)
        ret->version = 1;
    else
        return false;
    if (!own_path(own, ret->controllers, path, sizeof path)) return false;
    size_t above = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(path, root, above) != 0) return false;
    int size = snprintf(ret->path, sizeof ret->path, "%s%s", point, path + above);
    return size > 0 && (size_t)size < sizeof ret->path;
}

int32_t pdk_hierarchies_parse(const char *mounts, const char *own, struct pdk_hierarchy ret[PDK_HIERARCHIES]) {
    int32_t count = 0;
    uint32_t seen = 0;
    for (int version = 2; version >= 1; version--) {
        for (const char *line = mounts; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
            struct pdk_hierarchy *next = &ret[count];
            if (count == PDK_HIERARCHIES) return count;
            if (!parse_mount(line, own, next) || next->version != version) continue;
            bool again = version == 2 ? count > 0 : (next->controllers & seen) != 0;
            if (again) continue;
            seen |= next->controllers;
            count++;
        }
    }
    return count;
}

static char *read_proc(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : malloc(PROC_LIMIT + 1);
    size_t size = 0;
    for (ssize_t got = 1; text && got > 0 && size<PROC_LIMIT; size += got> 0 ? (size_t)got : 0)
        got = read(fd, text + size, PROC_LIMIT - size);
    if (text) text[size] = 0;
    if (fd >= 0) close(fd);
    return text;
}

/* What v2 has to offer is in a file of the cgroup itself. What v1 has already cannot be had there. */
static void read_controllers(struct pdk_hierarchy *hierarchy) {
    char path[PATH_MAX + 32], list[512];
    snprintf(path, sizeof path, "%s/cgroup.controllers", hierarchy->path);
    if (pdk_cgroup_read(AT_FDCWD, path, list, sizeof list) > 0) hierarchy->controllers = controllers_in(list, " \n");
}

int32_t pdk_hierarchies_find(struct pdk_hierarchy ret[PDK_HIERARCHIES]) {
    char *mounts = read_proc("/proc/self/mountinfo"), *own = read_proc("/proc/self/cgroup");
    int32_t count = mounts && own ? pdk_hierarchies_parse(mounts, own, ret) : -ENOENT;
    for (int32_t i = 0; i < count; i++)
        if (ret[i].version == 2) read_controllers(&ret[i]);
    free(mounts);
    free(own);
    return count;
}
