/* SPDX-License-Identifier: Apache-2.0 */
/* May this file be loaded? Whoever can change it, or swap it for another, can run code as us. */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "paddock/helpers.h"

static bool owned_well(const struct stat *st) {
    return st->st_uid == 0 || st->st_uid == geteuid();
}

static bool others_may_write(const struct stat *st) {
    if (st->st_mode & S_IWOTH) return true;
    return (st->st_mode & S_IWGRP) && st->st_gid != 0 && st->st_gid != getegid();
}

/* what is "", or "its folder ". */
static int32_t trust(const struct stat *st, const char *what, pdk_error *err) {
    if (!owned_well(st))
        return pdk_failf(err, -EACCES, NULL, "%sowned by uid %u, neither root nor ours", what, st->st_uid);
    if (!others_may_write(st)) return 0;
    if (err) strlcpy(err->hint, "chmod go-w", sizeof err->hint);
    return pdk_failf(err, -EACCES, NULL, "%swritable by others (mode %04o)", what, st->st_mode & 07777U);
}

static int32_t folder_stat(const char *path, struct stat *st, pdk_error *err) {
    char folder[PATH_MAX];
    char *slash;

    if (strlcpy(folder, path, sizeof folder) >= sizeof folder)
        return pdk_fail(err, -ENAMETOOLONG, NULL, "its path is too long", NULL, NULL);
    slash = strrchr(folder, '/');
    if (!slash)
        folder[0] = '.', folder[1] = '\0';
    else
        slash[slash == folder] = '\0'; /* of "/x.so" the slash itself remains */
    if (stat(folder, st) < 0) {
        int32_t code = -errno;
        return pdk_fail(err, code, NULL, "its folder: ", strerror(-code), NULL);
    }
    return 0;
}

int32_t pdk_file_trust(const struct stat *file, const char *path, pdk_error *err) {
    int32_t rc = trust(file, "", err);
    struct stat folder = {0};

    if (rc == 0) rc = folder_stat(path, &folder, err);
    return rc < 0 ? rc : trust(&folder, "its folder is ", err);
}
