/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of output: TASK/RUN/files. Looking and removing; what cannot be looked at is left alone. [any thread] */
#ifndef ARCHIVE_TREE_H
#define ARCHIVE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arc_tree_run {
    uint64_t bytes; /* on the disk, with its folder */
    uint64_t newest_ns;
};

/* Each entry of a folder but . and .. */
void arc_tree_each(const char *folder, void (*each)(void *arg, const char *folder, const char *name), void *arg);
void arc_tree_look(const char *folder, struct arc_tree_run *ret);
void arc_tree_unlink(const char *folder); /* with its files */
/* Each run of all tasks. */
void arc_tree_runs(const char *output, void (*run)(void *arg, const char *folder, const char *task, const char *run),
                   void *arg);

/* Remove files of an attempt, oldest first, but not the last, until it has no more than limit. Returns how many bytes. */
uint64_t arc_tree_trim(const char *folder, uint32_t attempt, uint64_t limit, struct arc_tree_run *ret);

struct arc_tree_ops {
    bool (*begin)(void *arg, const char *task, const char *run); /* just before it is removed; false: it stays */
    void (*end)(void *arg, const char *task, const char *run, uint64_t bytes);
    void *arg;
};
/* Remove runs, oldest first, until so many bytes are free. task NULL: of all. Returns how many bytes. */
uint64_t arc_tree_remove(const char *output, const char *task, uint64_t bytes, const struct arc_tree_ops *ops);

#endif
