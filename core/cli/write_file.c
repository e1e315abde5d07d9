/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are written whole: under another name beside them, which is then renamed, so that nobody sees half of one and
 * what was there stays when it cannot be done. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/cli.h"

int32_t pdk_write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* What is to take the place of a file that is worth keeping has to be on the disk before. The owner stays where we may say
 * so; some file systems cannot be asked to write at once. */
static int32_t make_like(int fd, const struct stat *like) {
    if (fchown(fd, like->st_uid, like->st_gid) < 0 && errno != EPERM) return -errno;
    if (fchmod(fd, like->st_mode & 07777) < 0) return -errno;
    return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

static int32_t write_new(const char *beside, const char *data, size_t size, const struct stat *like) {
    (void)unlink(beside); /* left by a process with our number that was killed */
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, like ? 0600 : 0644);
    if (fd < 0) return -errno;
    int32_t rc = pdk_write_all(fd, data, size);
    if (rc == 0 && like) rc = make_like(fd, like);
    if (close(fd) < 0 && rc == 0) rc = -errno;
    return rc;
}

static char *name_beside(const char *path) {
    char *beside = NULL;
    return asprintf(&beside, "%s.%ld.new", path, (long)getpid()) < 0 ? NULL : beside;
}

int32_t pdk_write_replace(const char *path, const char *data, size_t size, const struct stat *like) {
    char *beside = name_beside(path);
    if (!beside) return -ENOMEM;
    int32_t rc = write_new(beside, data, size, like);
    if (rc == 0 && rename(beside, path) < 0) rc = -errno;
    if (rc < 0) (void)unlink(beside);
    free(beside);
    return rc;
}

int32_t pdk_write_try(const char *path) {
    char *beside = name_beside(path);
    if (!beside) return -ENOMEM;
    int32_t rc = write_new(beside, "", 0, NULL);
    (void)unlink(beside);
    free(beside);
    return rc;
}
