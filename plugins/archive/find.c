/* SPDX-License-Identifier: Apache-2.0 */
#include "find.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "names.h"
#include "text.h"
#include "tree.h"

struct search {
    char name[ARC_NAME_MAX];
    char *buf;
    size_t size;
    bool found;
    uint64_t seq;
};

static bool is_folder(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static void look_in_task(void *arg, const char *output, const char *task) {
    struct search *search = arg;
    if (search->found) return;
    arc_path(search->buf, search->size, "%s/%s/%s", output, task, search->name);
    search->found = is_folder(search->buf);
}

static void take_newest(void *arg, const char *folder, const char *run) {
    struct search *search = arg;
    uint64_t seq = arc_seq(run);
    if (search->found && seq < search->seq) return;
    arc_path(search->buf, search->size, "%s/%s", folder, run);
    search->found = true;
    search->seq = seq;
}

bool arc_find_run(const char *output, const char *name, char *buf, size_t size) {
    struct search search = {.buf = buf, .size = size};
    char folder[PATH_MAX + 1024];
    arc_name(search.name, name);
    arc_tree_each(output, look_in_task, &search);
    if (search.found) return true;
    arc_path(folder, sizeof folder, "%s/%s", output, search.name);
    arc_tree_each(folder, take_newest, &search);
    return search.found;
}

/* ---- attempts ---- */

struct attempts {
    uint32_t after, found;
};

static void look_at_attempt(void *arg, const char *folder, const char *name) {
    struct attempts *attempts = arg;
    struct arc_segment segment;
    (void)folder;
    if (!arc_segment_parse(name, &segment)) return;
    if (!attempts->after && segment.attempt > attempts->found) attempts->found = segment.attempt;
    if (attempts->after && segment.attempt > attempts->after && (!attempts->found || segment.attempt < attempts->found))
        attempts->found = segment.attempt;
}

uint32_t arc_find_attempt(const char *folder, uint32_t after) {
    struct attempts attempts = {after, 0};
    arc_tree_each(folder, look_at_attempt, &attempts);
    return attempts.found;
}

/* ---- its files ---- */

struct starts {
    uint32_t attempt;
    uint64_t *items;
    size_t count, capacity;
    bool failed;
};

static void take_start(void *arg, const char *folder, const char *name) {
    struct starts *starts = arg;
    struct arc_segment segment;
    (void)folder;
    if (!arc_segment_parse(name, &segment) || segment.attempt != starts->attempt) return;
    if (starts->count == starts->capacity) {
        size_t capacity = starts->capacity ? starts->capacity * 2 : 32;
        uint64_t *items = realloc(starts->items, capacity * sizeof *items);
        if (!items) {
            starts->failed = true;
            return;
        }
        starts->items = items;
        starts->capacity = capacity;
    }
    starts->items[starts->count++] = segment.start;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int64_t arc_find_starts(const char *folder, uint32_t attempt, uint64_t **ret) {
    struct starts starts = {.attempt = attempt};
    size_t kept = 0;
    arc_tree_each(folder, take_start, &starts);
    *ret = starts.items;
    if (starts.failed) return -ENOMEM;
    if (starts.count) qsort(starts.items, starts.count, sizeof *starts.items, compare);
    for (size_t i = 0; i < starts.count; i++) /* while one is packed it is there twice */
        if (!i || starts.items[i] != starts.items[i - 1]) starts.items[kept++] = starts.items[i];
    return (int64_t)kept;
}

int arc_find_open(const char *folder, uint32_t attempt, uint64_t start, char *path, size_t size) {
    struct arc_segment segment = {attempt, start, false};
    char name[ARC_SEGMENT_MAX];
    int fd = -1;
    for (int i = 0; i < 3 && fd < 0; i++) { /* plain; packed; or it was packed between the two looks */
        segment.cold = i == 1;
        arc_segment_name(name, &segment);
        arc_path(path, size, "%s/%s", folder, name);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && errno != ENOENT) return -errno;
    }
    return fd < 0 ? -ENOENT : fd;
}
