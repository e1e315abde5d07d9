/* SPDX-License-Identifier: Apache-2.0 */
/* Specs that come one by one: a JSON object on each line of a file, or of a pipe whose writer may take its time. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/cli/submit.h"

#define CHUNK ((size_t)64 << 10)

int pdk_lines_open(struct pdk_lines *lines, const char *path) {
    bool standard = strcmp(path, "-") == 0;
    *lines =
        (struct pdk_lines){.name = standard ? "standard input" : path, .text = PDK_BUFFER(PDK_SUBMIT_FILE_MAX + CHUNK)};
    lines->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (lines->fd >= 0) return 0;
    pdk_say("%s: %s", path, strerror(errno));
    return PDK_EXIT_FILE;
}

void pdk_lines_close(struct pdk_lines *lines) {
    if (lines->fd > STDERR_FILENO) (void)close(lines->fd);
    pdk_buffer_free(&lines->text);
}

/* Until there is something to read. False: somebody wants the end. */
static bool wait_for_more(const struct pdk_lines *lines, struct pdk_remote *remote) {
    struct pollfd fd = {lines->fd, POLLIN, 0};
    while (!pdk_remote_look(remote)) {
        if (poll(&fd, 1, 0) > 0) return true;
        if (!pdk_remote_flush(remote))
            return false; /* ids that were printed: who reads them may write the next lines */
        pdk_remote_wait(remote, PDK_SECOND, lines->fd);
    }
    return false;
}

static int read_more(struct pdk_lines *lines, struct pdk_remote *remote) {
    char chunk[CHUNK];
    pdk_buffer_cut(&lines->text, lines->at);
    lines->at = 0;
    if (lines->text.size > PDK_SUBMIT_FILE_MAX) {
        pdk_say("%s:%llu: larger than 4MiB, wanted a JSON object", lines->name, (unsigned long long)lines->number + 1);
        return PDK_EXIT_FILE;
    }
    if (!wait_for_more(lines, remote)) return PDK_EXIT_FAILED; /* close says by what */
    ssize_t size = read(lines->fd, chunk, sizeof chunk);
    if (size < 0 && errno != EINTR && errno != EAGAIN) {
        pdk_say("%s: %s", lines->name, strerror(errno));
        return PDK_EXIT_FILE;
    }
    lines->ended = size == 0;
    if (size > 0) pdk_buffer_add(&lines->text, chunk, (size_t)size);
    return lines->text.error ? pdk_say_memory() : 0;
}

/* *ret_size SIZE_MAX: there is none any more. The text lives until the next. */
static int next_line(struct pdk_lines *lines, struct pdk_remote *remote, const char **ret, size_t *ret_size) {
    for (;;) {
        const char *from = pdk_buffer_string(&lines->text) + lines->at;
        size_t left = lines->text.size - lines->at;
        const char *newline = left ? memchr(from, '\n', left) : NULL;
        *ret = from;
        *ret_size = newline ? (size_t)(newline - from) : lines->ended && left ? left : SIZE_MAX;
        if (*ret_size != SIZE_MAX) {
            lines->at += *ret_size + (newline != NULL);
            lines->number++;
        }
        if (*ret_size != SIZE_MAX || lines->ended) return 0;
        int code = read_more(lines, remote);
        if (code) return code;
    }
}

static bool is_blank(const char *text, size_t size) {
    while (size && strchr(" \t\r", text[size - 1]) && text[size - 1]) size--;
    return !size;
}

/* The parser says "JSON:1:12: why", of what is one line to it, or "JSON: why". */
static int refuse(const struct pdk_lines *lines, const pdk_error *err) {
    static const char place[] = "JSON:1:", origin[] = "JSON:";
    const char *why = err->message;
    if (strncmp(why, place, sizeof place - 1) == 0)
        why += sizeof place - 1;
    else if (strncmp(why, origin, sizeof origin - 1) == 0)
        why += sizeof origin - 1;
    pdk_say("%s:%llu:%s", lines->name, (unsigned long long)lines->number, why);
    return PDK_EXIT_FILE;
}

int pdk_lines_next(struct pdk_lines *lines, struct pdk_remote *remote, const pdk_value **ret) {
    static const char *const types[] = {[PDK_NULL] = "null",       [PDK_BOOL] = "true or false", [PDK_INT] = "a number",
                                        [PDK_NUMBER] = "a number", [PDK_STRING] = "text",        [PDK_LIST] = "a list"};
    const pdk_values *v = pdk_values_get();
    const char *text = NULL;
    size_t size = 0;
    pdk_error err = PDK_ERROR;
    int code;
    *ret = NULL;
    do code = next_line(lines, remote, &text, &size);
    while (code == 0 && size != SIZE_MAX && is_blank(text, size));
    if (code || size == SIZE_MAX) return code;
    int32_t rc = v->parse(v, text, size, "JSON", ret, &err);
    if (rc == -ENOMEM) return pdk_say_memory();
    if (rc < 0) return refuse(lines, &err);
    if (v->type(*ret) == PDK_MAP) return 0;
    pdk_say("%s:%llu: found %s, wanted an object such as {\"kind\": \"echo\", \"input\": \"hi\"}", lines->name,
            (unsigned long long)lines->number, types[v->type(*ret)]);
    v->drop(*ret);
    *ret = NULL;
    return PDK_EXIT_FILE;
}
