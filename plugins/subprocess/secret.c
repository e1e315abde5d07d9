/* SPDX-License-Identifier: Apache-2.0 */
/* Reading files that may hold secrets: whole, capped, never through a device, and wiped when not wanted. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "subprocess.h"

static int32_t check_file(int fd, size_t max) {
    struct stat st;
    if (fstat(fd, &st)) return -errno;
    if (S_ISDIR(st.st_mode)) return -EISDIR;
    if (!S_ISREG(st.st_mode)) return -ENXIO;
    return (uint64_t)st.st_size > max ? -EFBIG : 0;
}

/* Reads to the end, not to st_size: files in /proc say 0, and a file may grow. */
static int32_t read_all(int fd, size_t max, char **ret, size_t *ret_size) {
    size_t size = 0, capacity = 4096;
    char *text = malloc(capacity);
    int32_t rc = text ? 0 : -ENOMEM;
    while (!rc) {
        ssize_t n = read(fd, text + size, capacity - size - 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) rc = -errno;
        if (n <= 0) break;
        size += (size_t)n;
        if (size > max) rc = -EFBIG;
        if (!rc && size + 1 == capacity) {
            char *larger = malloc(capacity * 2);
            if (larger) memcpy(larger, text, size);
            explicit_bzero(text, size);
            free(text);
            text = larger;
            capacity *= 2;
            if (!text) rc = -ENOMEM;
        }
    }
    if (rc) {
        if (text) explicit_bzero(text, size);
        free(text);
        return rc;
    }
    text[size] = '\0';
    *ret = text;
    *ret_size = size;
    return 0;
}

int32_t pdk_sub_read_fd(int32_t fd, size_t max, char **ret, size_t *size) {
    int32_t rc = check_file(fd, max);
    return rc ? rc : read_all(fd, max, ret, size);
}

int32_t pdk_sub_read_file(int32_t dir, const char *path, size_t max, char **ret, size_t *size) {
    /* not blocking: opening a FIFO would wait for its writer */
    int fd = openat(dir < 0 ? AT_FDCWD : dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int32_t rc;
    if (fd < 0) return -errno;
    rc = pdk_sub_read_fd(fd, max, ret, size);
    close(fd);
    return rc;
}

int32_t pdk_sub_secret(struct pdk_sub_env *env, int32_t dir, const char *name, const char *path,
                       struct pdk_sub_end *end) {
    size_t size = 0;
    char *text = NULL;
    int32_t rc = pdk_sub_read_file(dir, path, PDK_SUB_SECRET_MAX, &text, &size);
    if (!text) {
        pdk_sub_say_errno(end, rc, "env %s: secret file %s", name, path);
        return rc;
    }
    if (memchr(text, '\0', size)) {
        pdk_sub_say(end, PDK_FATAL, PDK_CAT_INPUT, "env %s: secret file %s holds a NUL byte", name, path);
        rc = -EINVAL;
    } else {
        pdk_sub_env_add(env, PDK_SUB_TASK, name, strlen(name), text, size - (size > 0 && text[size - 1] == '\n'));
    }
    explicit_bzero(text, size);
    free(text);
    return rc;
}
