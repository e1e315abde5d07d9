/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which folders of runs are in use: the writer holds those that it writes to, and a file that is finished holds its own until
 * the keeper has counted it. What is held is not removed, and what is being removed cannot be held: so nothing is written
 * into a folder that is about to go. The lock is not kept over the removal: only who would write to this very run waits.
 */
#include "instance.h"

#include <search.h>

struct in_use {
    uint32_t count;
    bool removing;      /* by the keeper: who wants to use it waits until it is gone */
    const char *folder; /* behind it */
};

static int by_folder(const void *a, const void *b) {
    return strcmp(((const struct in_use *)a)->folder, ((const struct in_use *)b)->folder);
}

/* With the lock held, as the next one. */
static struct in_use *find_use(const struct arc_keeper *keeper, const char *folder) {
    const struct in_use key = {.folder = folder};
    struct in_use *const *found = tfind(&key, &keeper->live, by_folder);
    return found ? *found : NULL;
}

/* NULL: no memory. */
static struct in_use *make_use(struct arc_keeper *keeper, const char *folder) {
    size_t size = strlen(folder) + 1;
    struct in_use *use = calloc(1, sizeof *use + size);
    if (!use) return NULL;
    use->folder = memcpy(use + 1, folder, size);
    if (tsearch(use, &keeper->live, by_folder)) return use;
    free(use);
    return NULL;
}

bool arc_keeper_hold(struct archive *archive, const char *folder) {
    struct arc_keeper *keeper = &archive->keeper;
    struct in_use *use;
    (void)pthread_mutex_lock(&keeper->lock);
    while ((use = find_use(keeper, folder)) && use->removing) (void)pthread_cond_wait(&keeper->gone, &keeper->lock);
    if (!use) use = make_use(keeper, folder);
    if (use) use->count++;
    (void)pthread_mutex_unlock(&keeper->lock);
    return use != NULL;
}

void arc_keeper_release(struct archive *archive, const char *folder) {
    struct arc_keeper *keeper = &archive->keeper;
    (void)pthread_mutex_lock(&keeper->lock);
    struct in_use *use = find_use(keeper, folder);
    if (use && --use->count == 0) {
        (void)tdelete(use, &keeper->live, by_folder);
        free(use);
    }
    (void)pthread_mutex_unlock(&keeper->lock);
}

bool arc_keeper_holds(struct archive *archive, const char *folder) {
    (void)pthread_mutex_lock(&archive->keeper.lock);
    bool found = find_use(&archive->keeper, folder) != NULL;
    (void)pthread_mutex_unlock(&archive->keeper.lock);
    return found;
}

bool arc_keeper_claim(struct archive *archive, const char *folder) {
    struct arc_keeper *keeper = &archive->keeper;
    (void)pthread_mutex_lock(&keeper->lock);
    struct in_use *use = find_use(keeper, folder) ? NULL : make_use(keeper, folder);
    if (use) *use = (struct in_use){1, true, use->folder};
    (void)pthread_mutex_unlock(&keeper->lock);
    return use != NULL;
}

void arc_keeper_give_back(struct archive *archive, const char *folder) {
    arc_keeper_release(archive, folder);
    (void)pthread_cond_broadcast(&archive->keeper.gone);
}
