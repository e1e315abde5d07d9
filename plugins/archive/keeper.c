/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that keeps the folder in bounds: it packs files that are not written any more, and removes the oldest where an
 * attempt, a task or everything has too much, or where they are too old. What a run that is on is writing is never removed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gzip.h"
#include "instance.h"
#include "tree.h"

enum { NICE = 10, PACK_LEAST = 4096, DUE_MAX = 10000, FOLDER_COST = 4096 };

#define SWEEP (600 * SECOND)
#define VAIN  (10 * SECOND)

/* ---- what each task has ---- */

struct of_task {
    uint64_t bytes;
    const char *name; /* behind it */
};

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct of_task *)a)->name, ((const struct of_task *)b)->name);
}

/* NULL: it has nothing. */
static struct of_task *find_task(const struct arc_keeper *keeper, const char *name) {
    const struct of_task key = {.name = name};
    struct of_task *const *found = tfind(&key, &keeper->tasks, by_name);
    return found ? *found : NULL;
}

/* NULL: no memory. */
static struct of_task *make_task(struct arc_keeper *keeper, const char *name) {
    size_t size = strlen(name) + 1;
    struct of_task *task = calloc(1, sizeof *task + size);
    if (!task) return NULL;
    task->name = memcpy(task + 1, name, size);
    if (tsearch(task, &keeper->tasks, by_name)) return task;
    free(task);
    return NULL;
}

static void add(uint64_t *to, int64_t bytes) {
    *to = bytes < 0 && *to < (uint64_t)-bytes ? 0 : *to + (uint64_t)bytes;
}

static void count(struct archive *archive, const char *name, int64_t bytes) {
    struct arc_keeper *keeper = &archive->keeper;
    struct of_task *task = find_task(keeper, name);
    if (!task && bytes > 0) task = make_task(keeper, name);
    if (task) add(&task->bytes, bytes);
    add(&keeper->total, bytes);
}

/* Names come from outside, new ones for ever: a task is known as long as it has a folder. */
static void forget_task(struct archive *archive, const char *name) {
    struct arc_keeper *keeper = &archive->keeper;
    struct of_task *task = find_task(keeper, name);
    char path[ARC_PATH];
    arc_path(path, sizeof path, "%s/output/%s", archive->options.root, name);
    if (!task || access(path, F_OK) == 0 || errno != ENOENT) return;
    add(&keeper->total, -(int64_t)task->bytes);
    (void)tdelete(task, &keeper->tasks, by_name);
    free(task);
}

/* ---- packing ---- */

static void say(struct archive *archive, int32_t rc, const char *what, const char *path) {
    if (rc == archive->keeper.fault) return;
    archive->keeper.fault = rc;
    if (rc) pdk_logf(archive->host, PDK_LOG_ERROR, 0, "%s %s: %s", what, path, strerror(-rc));
}

static int32_t pack_into(int from, const char *fresh) {
    int to = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to < 0) return -errno;
    int32_t rc = arc_gzip_pack(from, to);
    if (rc == 0 && fdatasync(to) < 0) rc = -errno; /* before the plain one goes */
    if (close(to) < 0 && rc == 0) rc = -errno;
    return rc;
}

/* How many bytes it has on the disk now; those of the plain one where it cannot be packed. */
static uint64_t pack(struct archive *archive, const char *path, const struct stat *plain) {
    char fresh[ARC_PATH], packed[ARC_PATH];
    struct stat status = *plain;
    arc_path(packed, sizeof packed, "%s.gz", path);
    arc_path(fresh, sizeof fresh, "%s.new", packed);
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int32_t rc = from < 0 ? -errno : pack_into(from, fresh);
    const struct timespec times[2] = {plain->st_atim, plain->st_mtim}; /* its age is that of what is in it */
    if (from >= 0) (void)close(from);
    if (rc == 0) (void)utimensat(AT_FDCWD, fresh, times, 0);
    if (rc == 0 && rename(fresh, packed) < 0) rc = -errno;
    if (rc < 0)
        (void)unlink(fresh);
    else
        (void)unlink(path);
    if (rc == 0 && stat(packed, &status) < 0) status.st_blocks = 0;
    if (rc != -ENOENT) say(archive, rc, "cannot pack", path);
    return (uint64_t)status.st_blocks * 512;
}

/* ---- too much ---- */

/* path: below the root. buf: ARC_NAME_MAX. */
static void task_of(const char *path, char *buf) {
    const char *task = path + strlen("output/");
    arc_path(buf, ARC_NAME_MAX, "%.*s", (int)strcspn(task, "/"), task);
}

/* The oldest files of an attempt, but not the newest. */
static void trim_attempt(struct archive *archive, const char *path) {
    const char *slash = strrchr(path, '/');
    struct arc_segment segment;
    struct arc_tree_run run = {0};
    char folder[ARC_PATH], task[ARC_NAME_MAX];
    if (!arc_segment_parse(slash + 1, &segment)) return;
    arc_path(folder, sizeof folder, "%s/%.*s", archive->options.root, (int)(slash - path), path);
    uint64_t freed = arc_tree_trim(folder, segment.attempt, archive->options.attempt, &run);
    task_of(path, task);
    if (freed) count(archive, task, -(int64_t)freed);
}

static bool begin_removal(void *arg, const char *task, const char *run) {
    char folder[ARC_PATH];
    arc_path(folder, sizeof folder, "%s/%s", task, run);
    return arc_keeper_claim(arg, folder);
}

static void end_removal(void *arg, const char *task, const char *run, uint64_t bytes) {
    struct archive *archive = arg;
    char folder[ARC_PATH];
    arc_path(folder, sizeof folder, "%s/%s", task, run);
    arc_keeper_give_back(archive, folder);
    count(archive, task, -(int64_t)bytes);
    forget_task(archive, task);
}

/* task NULL: of all. */
static uint64_t remove_oldest(struct archive *archive, const char *task, uint64_t bytes) {
    char folder[ARC_PATH];
    const struct arc_tree_ops ops = {begin_removal, end_removal, archive};
    arc_path(folder, sizeof folder, "%s/output", archive->options.root);
    return arc_tree_remove(folder, task, bytes, &ops);
}

static uint64_t all_bytes(const struct archive *archive) {
    return archive->keeper.total + atomic_load(&archive->keeper.open_bytes);
}

/* Nine tenths are left, so that this is not done for every file. */
static void enforce(struct archive *archive, const char *task) {
    const struct arc_options *o = &archive->options;
    const struct of_task *of = task ? find_task(&archive->keeper, task) : NULL;
    if (of && of->bytes > o->task) (void)remove_oldest(archive, task, of->bytes - o->task / 10 * 9);
    uint64_t all = all_bytes(archive), now = archive->host->now_ns(archive->host), wanted = all - o->total / 10 * 9;
    if (all > o->total && now >= archive->keeper.vain_ns && remove_oldest(archive, NULL, wanted) < wanted)
        archive->keeper.vain_ns = now + VAIN; /* all that is left is in use: no need to look for every file */
    atomic_store(&archive->keeper.full, all_bytes(archive) > o->total);
}

/* ---- files that are finished ---- */

/* Of its run, "task/run". buf: 2 * ARC_NAME_MAX. */
static void folder_of(const char *path, char *buf) {
    const char *folder = path + strlen("output/");
    arc_path(buf, (size_t)2 * ARC_NAME_MAX, "%.*s", (int)(strrchr(folder, '/') - folder), folder);
}

static void pack_item(struct archive *archive, const struct arc_item *item) {
    char path[ARC_PATH], task[ARC_NAME_MAX];
    struct stat status;
    arc_path(path, sizeof path, "%s/%s", archive->options.root, item->path);
    if (!archive->options.compress || stat(path, &status) < 0 || status.st_size < PACK_LEAST) return;
    uint64_t before = (uint64_t)status.st_blocks * 512, after = pack(archive, path, &status);
    if (item->is & ARC_VOLUME) return;
    task_of(item->path, task);
    count(archive, task, (int64_t)after - (int64_t)before);
}

static void count_item(struct archive *archive, struct arc_item *item) {
    char path[ARC_PATH], task[ARC_NAME_MAX], folder[2 * ARC_NAME_MAX];
    struct stat status;
    if (item->counted || item->is & ARC_VOLUME) return;
    item->counted = true;
    arc_path(path, sizeof path, "%s/%s", archive->options.root, item->path);
    atomic_fetch_sub(&archive->keeper.open_bytes, item->size);
    task_of(item->path, task);
    if (stat(path, &status) == 0)
        count(archive, task, status.st_blocks * 512 + (item->is & ARC_FOLDER ? FOLDER_COST : 0));
    folder_of(item->path, folder);
    if (item->held) arc_keeper_release(archive, folder);
}

/* All that has come is counted before anything is removed for it: what is removed is taken from what was counted. */
static void gather(struct archive *archive) {
    struct arc_keeper *keeper = &archive->keeper;
    struct arc_item *item;
    (void)pthread_mutex_lock(&keeper->lock);
    TAILQ_CONCAT(&keeper->taken, &keeper->fresh, all);
    (void)pthread_mutex_unlock(&keeper->lock);
    TAILQ_FOREACH(item, &keeper->taken, all) count_item(archive, item);
}

static void enforce_item(struct archive *archive, const struct arc_item *item) {
    char task[ARC_NAME_MAX];
    if (item->is & ARC_VOLUME) {
        arc_history_trim(archive);
        return;
    }
    if (item->is & ARC_ROTATED) trim_attempt(archive, item->path);
    task_of(item->path, task);
    enforce(archive, task);
}

/* What is too much goes at once; packing can wait, and what is gone by then was not worth it. */
static void take_item(struct archive *archive, struct arc_item *item) {
    struct arc_keeper *keeper = &archive->keeper;
    enforce_item(archive, item);
    if (!archive->options.compress) {
        free(item);
    } else if (item->is & ARC_ROTATED) {
        TAILQ_INSERT_TAIL(&keeper->cold, item, all);
    } else {
        TAILQ_INSERT_TAIL(&keeper->due, item, all);
        keeper->due_count++;
    }
}

/* NULL: nothing is to be packed now. */
static struct arc_item *next_cold(struct archive *archive) {
    struct arc_keeper *keeper = &archive->keeper;
    struct arc_item *item = TAILQ_FIRST(&keeper->cold);
    if (item) {
        TAILQ_REMOVE(&keeper->cold, item, all);
        return item;
    }
    item = TAILQ_FIRST(&keeper->due);
    if (!item || (item->due_ns > archive->host->now_ns(archive->host) && keeper->due_count <= DUE_MAX)) return NULL;
    TAILQ_REMOVE(&keeper->due, item, all);
    keeper->due_count--;
    return item;
}

static void free_items(struct arc_items *items) {
    for (struct arc_item *item = TAILQ_FIRST(items); item; item = TAILQ_FIRST(items)) {
        TAILQ_REMOVE(items, item, all);
        free(item);
    }
}

void arc_keeper_take(struct archive *archive, const char *path, uint64_t size, uint32_t is) {
    struct arc_keeper *keeper = &archive->keeper;
    char folder[2 * ARC_NAME_MAX];
    size_t length = strlen(path) + 1;
    struct arc_item *item = calloc(1, sizeof *item + length);
    if (!item) return; /* the next sweep finds it */
    item->due_ns = archive->host->now_ns(archive->host) + archive->options.compress_after;
    item->size = size;
    item->is = is;
    memcpy(item->path, path, length);
    if (!(is & ARC_VOLUME)) {
        folder_of(path, folder);
        item->held = arc_keeper_hold(archive, folder);
    }
    (void)pthread_mutex_lock(&keeper->lock);
    TAILQ_INSERT_TAIL(&keeper->fresh, item, all);
    (void)pthread_cond_signal(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
}

/* ---- sweeps ---- */

struct sweep {
    struct archive *archive;
    bool first;
};

/* What a program that was killed has left is packed, or thrown away where it was not done. */
static void tidy(void *arg, const char *folder, const char *name) {
    struct archive *archive = arg;
    char path[ARC_PATH];
    struct stat status;
    size_t size = strlen(name);
    arc_path(path, sizeof path, "%s/%s", folder, name);
    if (size > 4 && !strcmp(name + size - 4, ".new"))
        (void)unlink(path);
    else if (size > 4 && !strcmp(name + size - 4, ".log") && archive->options.compress && stat(path, &status) == 0 &&
             status.st_size >= PACK_LEAST)
        (void)pack(archive, path, &status);
}

static void sweep_run(void *arg, const char *folder, const char *task, const char *run) {
    const struct sweep *sweep = arg;
    struct archive *archive = sweep->archive;
    struct arc_tree_run of = {0};
    uint64_t now = archive->host->unix_ns(archive->host), age = archive->options.output_age;
    char name[ARC_PATH];
    arc_path(name, sizeof name, "%s/%s", task, run);
    if (arc_keeper_holds(archive, name)) return; /* what this life has written is counted file by file */
    if (sweep->first) arc_tree_each(folder, tidy, archive);
    arc_tree_look(folder, &of);
    if (sweep->first) count(archive, task, (int64_t)of.bytes);
    if (now < age || of.newest_ns >= now - age || !begin_removal(archive, task, run)) return;
    arc_tree_unlink(folder);
    end_removal(archive, task, run, of.bytes);
}

void arc_keeper_sweep(struct archive *archive, bool first) {
    struct sweep of = {archive, first};
    char folder[ARC_PATH];
    archive->keeper.swept_ns = archive->host->now_ns(archive->host);
    arc_path(folder, sizeof folder, "%s/output", archive->options.root);
    arc_tree_runs(folder, sweep_run, &of);
    arc_history_trim(archive);
    gather(archive);
    enforce(archive, NULL);
}

/* ---- the thread ---- */

/* With the lock held. */
static void wait_for(struct archive *archive) {
    struct arc_keeper *keeper = &archive->keeper;
    const struct arc_item *first = TAILQ_FIRST(&keeper->due);
    uint64_t now = archive->host->now_ns(archive->host), due = keeper->swept_ns + SWEEP;
    struct timespec until;
    if (first && first->due_ns < due) due = first->due_ns;
    uint64_t delay = due > now ? due - now : 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(delay / SECOND) + 1;
    bool idle = TAILQ_EMPTY(&keeper->fresh) && TAILQ_EMPTY(&keeper->taken) && TAILQ_EMPTY(&keeper->cold) &&
                keeper->due_count <= DUE_MAX;
    if (!keeper->stop && idle && delay) (void)pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
}

/* False: it is to stop. */
static bool wait_turn(struct archive *archive) {
    (void)pthread_mutex_lock(&archive->keeper.lock);
    wait_for(archive);
    bool stop = archive->keeper.stop;
    (void)pthread_mutex_unlock(&archive->keeper.lock);
    return !stop;
}

void arc_keeper_turn(struct archive *archive) {
    struct arc_keeper *keeper = &archive->keeper;
    struct arc_item *item;
    gather(archive);
    while ((item = TAILQ_FIRST(&keeper->taken))) {
        TAILQ_REMOVE(&keeper->taken, item, all);
        take_item(archive, item);
    }
    item = next_cold(archive);
    if (item) pack_item(archive, item);
    free(item);
    if (archive->host->now_ns(archive->host) - keeper->swept_ns >= SWEEP) arc_keeper_sweep(archive, false);
}

static void *work(void *arg) {
    struct archive *archive = arg;
    /* This thread alone, and not at the real-time priority of a program that has one: packing can wait for all else. */
    (void)sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    arc_keeper_sweep(archive, true);
    while (wait_turn(archive)) arc_keeper_turn(archive);
    return NULL;
}

int32_t arc_keeper_start(struct archive *archive, pdk_error *err) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&archive->keeper.thread, NULL, work, archive);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc) return pdk_fail(err, -rc, NULL, "no thread: ", strerror(rc), NULL);
    (void)pthread_setname_np(archive->keeper.thread, "paddock-keeper");
    archive->keeper.started = true;
    return 0;
}

/* It ends after the file that it is packing; what waited is found by the next program. */
void arc_keeper_stop(struct archive *archive) {
    struct arc_keeper *keeper = &archive->keeper;
    if (keeper->started) {
        (void)pthread_mutex_lock(&keeper->lock);
        keeper->stop = true;
        (void)pthread_cond_signal(&keeper->wake);
        (void)pthread_mutex_unlock(&keeper->lock);
        (void)pthread_join(keeper->thread, NULL);
    }
    keeper->started = false;
    struct arc_items *const lists[] = {&keeper->fresh, &keeper->taken, &keeper->cold, &keeper->due};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) free_items(lists[i]);
    tdestroy(keeper->tasks, free);
    tdestroy(keeper->live, free);
    keeper->tasks = keeper->live = NULL;
}
