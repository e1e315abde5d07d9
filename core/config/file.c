/* SPDX-License-Identifier: Apache-2.0 */
/* One file: found, opened, read, parsed. The only place that touches the disk. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/config/load.h"
#include "core/spec/interpolate.h"
#include "core/yaml/yaml.h"

/* At the include that names the file, or at the file itself. */
static void fault(struct pdk_loading *loading, const char *name, const pdk_value *at, int32_t code,
                  const char *expected, const char *message) {
    struct pdk_fault fault = {
        .code = code, .place = {.file = name}, .path = "", .message = message, .expected = expected};
    if (at)
        code = pdk_value_fault(loading->report, code, at, expected, NULL, "%s: %s", name, message);
    else
        code = pdk_report_add(loading->report, &fault);
    pdk_loading_error(loading, code);
}

static void fault_errno(struct pdk_loading *loading, const char *name, const pdk_value *at, int code) {
    char message[128];
    const char *text = strerrordesc_np(code);
    (void)snprintf(message, sizeof message, "cannot be read: %s", text ? text : "unknown error");
    fault(loading, name, at, -code, NULL, message);
}

static void warn_writable(struct pdk_loading *loading, const char *name) {
    struct pdk_fault warning = {.severity = PDK_SEVERITY_WARNING,
                                .code = -EACCES,
                                .place = {.file = name},
                                .path = "",
                                .message = "others may write this file",
                                .expected = "chmod o-w"};
    (void)pdk_report_add(loading->report, &warning);
}

/* "a.yaml -> b.yaml -> a.yaml" */
static void fault_circle(struct pdk_loading *loading, const char *name, const pdk_value *at, uint32_t first) {
    struct pdk_buffer way = PDK_BUFFER(400);
    pdk_buffer_text(&way, "this includes itself: ");
    for (uint32_t i = first; i < loading->opened_count; i++)
        if (loading->opened[i].open) pdk_buffer_format(&way, "%s -> ", loading->opened[i].name);
    pdk_buffer_text(&way, name);
    fault(loading, name, at, -ELOOP, "break the circle", pdk_buffer_string(&way));
    pdk_buffer_free(&way);
}

/* Note that this file was opened. False: it is not to be read (again). */
static bool enter(struct pdk_loading *loading, const char *name, const pdk_value *at, const struct stat *st) {
    for (uint32_t i = 0; i < loading->opened_count; i++) {
        const struct pdk_opened *opened = &loading->opened[i];
        if (opened->device != st->st_dev || opened->inode != st->st_ino) continue;
        if (opened->open) fault_circle(loading, name, at, i);
        return false;
    }
    if (loading->opened_count == PDK_FILES_LIMIT) {
        fault(loading, name, at, -EMFILE, NULL, "more than 1000 files");
        return false;
    }
    name = pdk_arena_text(&loading->config->arena, name, strlen(name));
    if (!name)
        pdk_loading_error(loading, -ENOMEM);
    else
        loading->opened[loading->opened_count++] =
            (struct pdk_opened){st->st_dev, st->st_ino, name, st->st_uid, st->st_mode, true};
    return name != NULL;
}

/* All that fd has, up to the limit. */
static int32_t read_all(int fd, struct pdk_buffer *buffer) {
    char *piece = malloc(65536);
    ssize_t n = -1;
    if (!piece) return -ENOMEM;
    while (buffer->error == 0 && ((n = read(fd, piece, 65536)) > 0 || (n < 0 && errno == EINTR)))
        if (n > 0) pdk_buffer_add(buffer, piece, (size_t)n);
    n = n < 0 ? -errno : 0;
    free(piece);
    return buffer->error ? buffer->error : (int32_t)n;
}

static int open_file(struct pdk_loading *loading, const char *name, const pdk_value *at) {
    struct stat st;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0) {
        fault_errno(loading, name, at, errno);
    } else if (!S_ISREG(st.st_mode)) {
        fault(loading, name, at, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL, NULL, "not a regular file");
    } else if (enter(loading, name, at, &st)) {
        if (st.st_mode & S_IWOTH) warn_writable(loading, name);
        return fd;
    }
    if (fd >= 0) (void)close(fd);
    return -1;
}

/* The absolute folder of a file, in the loading's arena. */
static const char *folder_of(struct pdk_loading *loading, const char *name) {
    const char *slash = strrchr(name, '/');
    char *folder = slash ? strndup(name, slash == name ? 1 : (size_t)(slash - name)) : strdup("."), *real, *copy = NULL;
    if (folder && (real = realpath(folder, NULL))) {
        copy = pdk_arena_text(&loading->arena, real, strlen(real));
        free(real);
    }
    free(folder);
    if (!copy) pdk_loading_error(loading, -ENOMEM);
    return copy;
}

/* A variable begins with ${, in quotes perhaps as an escape. Most files have none, and need not be walked through. */
static bool may_have_variables(const char *text) {
    return strstr(text, "${") || strchr(text, '\\');
}

/* Variables in its values are put in. Owned by the configuration from then on; NULL after a fault. */
static const pdk_value *parse(struct pdk_loading *loading, const char *name, const char *folder,
                              const struct pdk_buffer *text) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *value = NULL, *expanded = NULL;
    int32_t rc = pdk_yaml_parse(name, pdk_buffer_string(text), text->size, loading->report, &value);
    pdk_loading_error(loading, rc);
    if (!value || pdk_loading_keep(loading, value) < 0) return NULL;
    pdk_loading_error(loading, pdk_value_set_folder(value, folder));
    loading->config->file_count++;
    if (rc < 0) return NULL;
    if (!may_have_variables(pdk_buffer_string(text))) return value;
    pdk_loading_error(loading, pdk_interpolate(value, PDK_INTERPOLATE_FILE, loading->report, &expanded));
    if (!expanded) return NULL;
    if (expanded == value) {
        values->drop(expanded);
        return value;
    }
    /* It keeps the one with the text alive. */
    loading->config->documents[loading->config->document_count - 1] = expanded;
    values->drop(value);
    return expanded;
}

static void load_text(struct pdk_loading *loading, const char *name, const struct pdk_buffer *text,
                      const struct pdk_file_source *includer, const char *folder) {
    struct pdk_file_source source = {.name = name,
                                     .folder = folder,
                                     .defaults = includer ? includer->defaults : NULL,
                                     .depth = includer ? includer->depth + 1 : 0};
    const pdk_value *value = parse(loading, name, folder, text);
    if (value) pdk_load_value(loading, value, &source);
}

void pdk_load_file(struct pdk_loading *loading, const char *name, const struct pdk_file_source *includer,
                   const pdk_value *at) {
    bool is_stdin = !at && !strcmp(name, "-");
    struct pdk_buffer text = PDK_BUFFER(PDK_FILE_BYTES);
    uint32_t mine = loading->opened_count;
    const char *folder;
    int32_t rc;
    int fd = is_stdin ? STDIN_FILENO : open_file(loading, name, at);
    if (fd < 0) return;
    rc = read_all(fd, &text);
    if (!is_stdin) (void)close(fd);
    loading->bytes += text.size;
    if (is_stdin) name = "stdin";
    folder = folder_of(loading, name);
    if (rc == -E2BIG)
        fault(loading, name, at, -EFBIG, NULL, "larger than 4MiB");
    else if (rc == -ENOMEM)
        pdk_loading_error(loading, rc);
    else if (rc < 0)
        fault_errno(loading, name, at, -rc);
    else if (loading->bytes > PDK_ALL_BYTES)
        fault(loading, name, at, -EFBIG, NULL, "all files together are larger than 16MiB");
    else if (folder)
        load_text(loading, name, &text, includer, folder);
    pdk_buffer_free(&text);
    if (!is_stdin) loading->opened[mine].open = false;
}
