/* SPDX-License-Identifier: Apache-2.0 */
/* Texts from the disk, with caps, and what is beside them. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/import/internal.h"

static struct pdk_import_source *keep(struct pdk_import *import, struct pdk_import_source *source) {
    if (!source || import->error) return NULL;
    if (import->source_count == import->source_capacity) {
        uint32_t capacity = import->source_capacity ? 2 * import->source_capacity : 8;
        void *sources = reallocarray(import->sources, capacity, sizeof *import->sources);
        if (!sources) {
            import->error = -ENOMEM;
            return NULL;
        }
        import->sources = sources;
        import->source_capacity = capacity;
    }
    import->sources[import->source_count++] = source;
    return source;
}

static void check_bytes(struct pdk_import *import, const struct pdk_import_source *source) {
    int64_t fault = pdk_utf8_fault(source->text, source->size);
    struct pdk_import_at at = {.source = source, .line = 1};
    if (fault < 0) return;
    for (int64_t i = 0; i < fault; i++) at.line += source->text[i] == '\n';
    unsigned byte = (unsigned char)source->text[fault];
    (void)pdk_import_fault(import, at, NULL, byte < 0x80 ? "remove it" : "save the file as UTF-8",
                           byte < 0x80 ? "a control character, 0x%02X" : "this is not UTF-8: byte 0x%02X", byte);
}

struct pdk_import_source *pdk_import_source(struct pdk_import *import, const char *file, const char *folder,
                                            const char *text, size_t size) {
    struct pdk_import_source *source = pdk_import_alloc(import, sizeof *source);
    struct pdk_import_at at = {.source = source};
    if (!source) return NULL;
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        size -= 3;
    }
    if (pdk_utf8_fault(file, strlen(file)) >= 0) file = "(a name that is not UTF-8)";
    source->file = pdk_import_copy(import, file, strlen(file));
    source->folder = pdk_import_copy(import, folder, strlen(folder));
    source->text = "";
    if (import->error) return NULL;
    import->bytes += size;
    if (size > PDK_IMPORT_FILE_BYTES)
        (void)pdk_import_fault(import, at, NULL, "is this the right file?", "larger than 4MiB");
    else if (import->bytes > PDK_IMPORT_ALL_BYTES)
        (void)pdk_import_fault(import, at, NULL, "import fewer at once", "all files together are larger than 16MiB");
    else if (import->source_count == PDK_IMPORT_FILES)
        (void)pdk_import_fault(import, at, NULL, "import fewer at once", "more than %d files", PDK_IMPORT_FILES);
    else
        source->text = pdk_import_copy(import, text, size);
    source->size = size;
    if (!import->error) check_bytes(import, source);
    return keep(import, source);
}

bool pdk_import_is_read(const struct pdk_import *import, const char *path) {
    for (uint32_t i = 0; i < import->source_count; i++)
        if (strcmp(import->sources[i]->file, path) == 0) return true;
    return false;
}

/* ---- reading */

static int32_t read_all(int fd, struct pdk_buffer *to) {
    char data[16384];
    ssize_t size;
    while ((size = read(fd, data, sizeof data)) != 0 && !to->error) {
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return -errno;
        pdk_buffer_add(to, data, (size_t)size);
    }
    return to->error == -E2BIG ? -EFBIG : to->error;
}

static int32_t read_path(const char *path, struct pdk_buffer *to) {
    struct stat st;
    int32_t rc;
    if (strcmp(path, "-") == 0) return read_all(STDIN_FILENO, to);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return -errno;
    /* opening does not wait, reading does: <(crontab -l) is a pipe whose writer may come later */
    rc = fcntl(fd, F_SETFL, 0) < 0 || fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode) ? -EISDIR : read_all(fd, to);
    (void)close(fd);
    return rc;
}

static void unreadable(struct pdk_import *import, const char *path, int32_t rc) {
    struct pdk_fault fault = {
        .code = rc, .place = {.file = path}, .path = "", .expected = "", .suggestion = "", .plugin = ""};
    import->error = rc;
    if (rc == -ENOMEM) return;
    struct pdk_buffer text = PDK_BUFFER(256);
    pdk_buffer_format(&text, "cannot be read: %s", strerror(-rc));
    fault.message = pdk_buffer_string(&text);
    (void)pdk_report_add(import->report, &fault);
    pdk_buffer_free(&text);
}

/* The folder of a file, with no links in it; "" if there is none. */
static const char *folder_of(struct pdk_import *import, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? pdk_import_copy(import, path, (size_t)(slash - path) + (slash == path)) : ".";
    char *real = folder ? realpath(folder, NULL) : NULL;
    const char *copy =
        real && pdk_utf8_fault(real, strlen(real)) < 0 ? pdk_import_copy(import, real, strlen(real)) : "";
    free(real);
    return copy;
}

struct pdk_import_source *pdk_import_read(struct pdk_import *import, const char *path, bool optional) {
    struct pdk_buffer text = PDK_BUFFER(PDK_IMPORT_FILE_BYTES + 4);
    struct pdk_import_source *source = NULL;
    bool input = path && strcmp(path, "-") == 0;
    if (import->error || !path) return NULL;
    const char *name = input ? "standard input" : path;
    int32_t rc = read_path(path, &text);
    if (rc < 0 && !(optional && (rc == -ENOENT || rc == -ENOTDIR)))
        unreadable(import, name, rc);
    else if (rc == 0)
        source =
            pdk_import_source(import, name, input ? "" : folder_of(import, path), pdk_buffer_string(&text), text.size);
    pdk_buffer_free(&text);
    return source;
}

const char *const *pdk_import_glob(struct pdk_import *import, const char *pattern) {
    static const char *const none[] = {NULL};
    const char **paths;
    glob_t found;
    if (import->error || !pattern || glob(pattern, 0, NULL, &found) != 0) return none;
    size_t count = found.gl_pathc < PDK_IMPORT_FILES + 1 ? found.gl_pathc : PDK_IMPORT_FILES + 1;
    paths = pdk_import_alloc(import, (count + 1) * sizeof *paths);
    for (size_t i = 0; paths && i < count; i++)
        paths[i] = pdk_import_copy(import, found.gl_pathv[i], strlen(found.gl_pathv[i]));
    globfree(&found);
    return paths && !import->error ? paths : none;
}
