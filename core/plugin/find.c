/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins by name, in folders. Nothing is opened: a file's name is what `use` says, the entry's name what it is. */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/table.h"
#include "core/base/text.h"
#include "core/plugin/instance.h"
#include "paddock/helpers.h"

enum { FILES_MAX = 10000, FOLDERS_MAX = 64 };

struct found {
    const char *name, *file;
};

struct listing {
    struct pdk_arena arena;
    struct pdk_table names; /* name -> found */
    struct found *all;
    size_t count, capacity;
};

static void listing_free(struct listing *listing) {
    pdk_table_free(&listing->names);
    pdk_arena_free(&listing->arena);
    free(listing->all);
}

/* The next folder of "a:b::c", empty ones left out. false: no more. */
static bool next_folder(const char **path, char folder[static PATH_MAX]) {
    while (*path && **path) {
        size_t size = strcspn(*path, ":");
        const char *start = *path;
        *path += size + (start[size] == ':');
        if (size == 0 || size >= PATH_MAX) continue;
        memcpy(folder, start, size);
        folder[size] = '\0';
        return true;
    }
    return false;
}

static int32_t listing_reserve(struct listing *listing) {
    size_t capacity = listing->capacity ? listing->capacity * 2 : 32;
    struct found *all;

    if (listing->count < listing->capacity) return 0;
    if (listing->count >= FILES_MAX) return -E2BIG;
    all = reallocarray(listing->all, capacity, sizeof *all);
    if (!all) return -ENOMEM;
    listing->all = all;
    listing->capacity = capacity;
    return 0;
}

static int32_t listing_add(struct listing *listing, const char *folder, const char *file) {
    size_t size = strlen(file) - strlen(".so"), path_size = strlen(folder) + 1 + strlen(file);
    char *name, *path;
    int32_t rc;

    if (pdk_table_get(&listing->names, file, size)) return 0; /* the first folder wins */
    rc = listing_reserve(listing);
    if (rc < 0) return rc;
    name = pdk_arena_text(&listing->arena, file, size);
    path = pdk_arena_alloc(&listing->arena, path_size + 1);
    if (!name || !path || pdk_table_put(&listing->names, name, size, name) < 0) return -ENOMEM;
    snprintf(path, path_size + 1, "%s/%s", folder, file);
    listing->all[listing->count++] = (struct found){name, path};
    return 0;
}

static bool is_plugin_file(const char *name) {
    size_t size = strlen(name);
    return size > strlen(".so") && name[0] != '.' && strcmp(name + size - strlen(".so"), ".so") == 0;
}

/* A folder that is not there is as good as an empty one. */
static int32_t listing_folder(struct listing *listing, const char *folder) {
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int32_t rc = 0;

    if (!dir) return errno == ENOMEM ? -ENOMEM : 0;
    while (rc == 0 && (entry = readdir(dir)))
        if (is_plugin_file(entry->d_name)) rc = listing_add(listing, folder, entry->d_name);
    closedir(dir);
    return rc;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static int32_t listing_fill(struct listing *listing, const char *path) {
    char folder[PATH_MAX];
    int32_t rc = 0;

    for (int i = 0; rc == 0 && i < FOLDERS_MAX && next_folder(&path, folder); i++) rc = listing_folder(listing, folder);
    if (listing->count) qsort(listing->all, listing->count, sizeof *listing->all, by_name);
    return rc;
}

int32_t pdk_library_scan(const char *path, int32_t (*each)(void *arg, const char *name, const char *file), void *arg) {
    struct listing listing = {0};
    int32_t rc = listing_fill(&listing, path);

    for (size_t i = 0; rc == 0 && i < listing.count; i++) rc = each(arg, listing.all[i].name, listing.all[i].file);
    listing_free(&listing);
    return rc;
}

/* Offer the file whose name is nearest. */
static void suggest(const char *use, const char *path, pdk_error *err) {
    struct listing listing = {0};
    const char **words = NULL, *nearest = NULL;

    if (listing_fill(&listing, path) == 0) words = calloc(listing.count + 1, sizeof *words);
    for (size_t i = 0; words && i < listing.count; i++) words[i] = listing.all[i].name;
    if (words) nearest = pdk_nearest(use, words);
    if (nearest) snprintf(err->hint, sizeof err->hint, "did you mean \"%s\"?", nearest);
    free(words);
    listing_free(&listing);
}

static int32_t not_found(const char *use, const char *path, pdk_error *err) {
    if (!err) return -ENOENT;
    suggest(use, path, err);
    return pdk_failf(err, -ENOENT, NULL, "there is no plugin \"%.64s\" in %s", use,
                     path && *path ? path : "the plugin path, which is empty");
}

static char *joined(const char *folder, const char *use) {
    size_t size = strlen(folder) + strlen(use) + sizeof "/.so";
    char *file = malloc(size);

    if (file) snprintf(file, size, "%s/%s.so", folder, use);
    return file;
}

int32_t pdk_library_find(const char *use, const char *path, char **ret, pdk_error *err) {
    const char *rest = path;
    char folder[PATH_MAX];
    char *file;

    if (strchr(use, '/')) {
        if (access(use, F_OK) < 0) return pdk_failf(err, -ENOENT, NULL, "there is no file %.400s", use);
        file = strdup(use);
        if (!file) return -ENOMEM;
        *ret = file;
        return 0;
    }
    for (int i = 0; i < FOLDERS_MAX && next_folder(&rest, folder); i++) {
        file = joined(folder, use);
        if (!file) return -ENOMEM;
        if (access(file, F_OK) == 0) {
            *ret = file;
            return 0;
        }
        free(file);
    }
    return not_found(use, path, err);
}
