/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"
#include "text.h"

enum { FOLDER_COST = 4096, PATH_SIZE = PATH_MAX + 1024 };

void arc_tree_each(const char *folder, void (*each)(void *arg, const char *folder, const char *name), void *arg) {
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) each(arg, folder, entry->d_name);
    if (dir) (void)closedir(dir);
}

static void look_at(void *arg, const char *folder, const char *name) {
    struct arc_tree_run *run = arg;
    char path[PATH_SIZE];
    struct stat status;
    arc_path(path, sizeof path, "%s/%s", folder, name);
    if (lstat(path, &status) < 0) return;
    uint64_t changed = (uint64_t)status.st_mtim.tv_sec * 1000000000u + (uint64_t)status.st_mtim.tv_nsec;
    run->bytes += (uint64_t)status.st_blocks * 512;
    if (run->newest_ns < changed) run->newest_ns = changed;
}

void arc_tree_look(const char *folder, struct arc_tree_run *ret) {
    *ret = (struct arc_tree_run){.bytes = FOLDER_COST};
    arc_tree_each(folder, look_at, ret);
}

static void unlink_file(void *arg, const char *folder, const char *name) {
    char path[PATH_SIZE];
    (void)arg;
    arc_path(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

void arc_tree_unlink(const char *folder) {
    char path[PATH_SIZE];
    arc_tree_each(folder, unlink_file, NULL);
    (void)rmdir(folder);
    arc_path(path, sizeof path, "%s", folder);
    char *slash = strrchr(path, '/');
    if (slash) *slash = '\0';
    (void)rmdir(path); /* of the task, if this was its last */
}

/* ---- all runs ---- */

struct walk {
    void (*run)(void *arg, const char *folder, const char *task, const char *run);
    void *arg;
    const char *task;
};

static void walk_run(void *arg, const char *folder, const char *name) {
    const struct walk *walk = arg;
    char path[PATH_SIZE];
    struct stat status;
    arc_path(path, sizeof path, "%s/%s", folder, name);
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) walk->run(walk->arg, path, walk->task, name);
}

static void walk_task(void *arg, const char *folder, const char *name) {
    struct walk walk = *(const struct walk *)arg;
    char path[PATH_SIZE];
    walk.task = name;
    arc_path(path, sizeof path, "%s/%s", folder, name);
    arc_tree_each(path, walk_run, &walk);
}

void arc_tree_runs(const char *output, void (*run)(void *arg, const char *folder, const char *task, const char *run),
                   void *arg) {
    struct walk walk = {run, arg, NULL};
    arc_tree_each(output, walk_task, &walk);
}

/* ---- the oldest of them ---- */

struct found {
    uint64_t newest_ns, bytes;
    char *path, *task, *run; /* one block */
};

struct list {
    struct found *items;
    size_t count, capacity;
};

static void find_run(void *arg, const char *folder, const char *task, const char *run) {
    struct list *list = arg;
    struct arc_tree_run of;
    size_t size = strlen(folder) + 1;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 256;
        struct found *items = realloc(list->items, capacity * sizeof *items);
        if (!items) return;
        list->items = items;
        list->capacity = capacity;
    }
    char *path = malloc(size + strlen(task) + 1);
    if (!path) return;
    memcpy(path, folder, size);
    memcpy(path + size, task, strlen(task) + 1);
    arc_tree_look(folder, &of);
    list->items[list->count++] =
        (struct found){of.newest_ns, of.bytes, path, path + size, path + size - 1 - strlen(run)};
}

static int by_age(const void *a, const void *b) {
    const struct found *x = a, *y = b;
    return (x->newest_ns > y->newest_ns) - (x->newest_ns < y->newest_ns);
}

uint64_t arc_tree_remove(const char *output, const char *task, uint64_t bytes, const struct arc_tree_ops *ops) {
    struct list list = {0};
    struct walk walk = {find_run, &list, NULL};
    uint64_t freed = 0;
    if (task)
        walk_task(&walk, output, task);
    else
        arc_tree_each(output, walk_task, &walk);
    if (list.count) qsort(list.items, list.count, sizeof *list.items, by_age);
    for (size_t i = 0; i < list.count; i++) {
        const struct found *run = &list.items[i];
        if (freed < bytes && ops->begin(ops->arg, run->task, run->run)) {
            arc_tree_unlink(run->path);
            ops->end(ops->arg, run->task, run->run, run->bytes);
            freed += run->bytes;
        }
        free(run->path);
    }
    free(list.items);
    return freed;
}

/* ---- files of one attempt ---- */

struct part {
    uint64_t start, bytes;
    char name[ARC_SEGMENT_MAX];
};

struct parts {
    struct part *items;
    size_t count, capacity;
    uint64_t bytes;
    uint32_t attempt;
};

static void find_part(void *arg, const char *folder, const char *name) {
    struct parts *parts = arg;
    struct arc_segment segment;
    struct arc_tree_run of = {0};
    if (!arc_segment_parse(name, &segment) || segment.attempt != parts->attempt) return;
    if (parts->count == parts->capacity) {
        size_t capacity = parts->capacity ? parts->capacity * 2 : 32;
        struct part *items = realloc(parts->items, capacity * sizeof *items);
        if (!items) return;
        parts->items = items;
        parts->capacity = capacity;
    }
    look_at(&of, folder, name);
    struct part *part = &parts->items[parts->count++];
    *part = (struct part){.start = segment.start, .bytes = of.bytes};
    arc_path(part->name, sizeof part->name, "%s", name);
    parts->bytes += of.bytes;
}

static int by_start(const void *a, const void *b) {
    const struct part *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

uint64_t arc_tree_trim(const char *folder, uint32_t attempt, uint64_t limit, struct arc_tree_run *ret) {
    struct parts parts = {.attempt = attempt};
    uint64_t freed = 0;
    arc_tree_each(folder, find_part, &parts);
    if (parts.count) qsort(parts.items, parts.count, sizeof *parts.items, by_start);
    for (size_t i = 0; i + 1 < parts.count && parts.bytes - freed > limit; i++) {
        unlink_file(NULL, folder, parts.items[i].name);
        freed += parts.items[i].bytes;
    }
    ret->bytes = parts.bytes - freed;
    free(parts.items);
    return freed;
}
