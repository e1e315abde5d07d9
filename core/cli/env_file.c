/* SPDX-License-Identifier: Apache-2.0 */
/* --env-file: lines NAME=value, blank ones, and comments. What is set already stays as it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/load.h"

#define MOST_BYTES (1u << 20)

static bool is_name(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && !(i && c >= '0' && c <= '9')) return false;
    }
    return size > 0;
}

/* "a b" and 'a b' lose their quotes. */
static char *unquote(char *value) {
    size_t size = strlen(value);
    bool quoted = size >= 2 && (*value == '"' || *value == '\'') && value[size - 1] == *value;
    if (!quoted) return value;
    value[size - 1] = '\0';
    return value + 1;
}

static int take_line(const char *path, unsigned number, char *line) {
    while (*line == ' ' || *line == '\t') line++;
    line[strcspn(line, "\r\n")] = '\0';
    if (*line == '\0' || *line == '#') return 0;
    char *equals = strchr(line, '=');
    if (!equals || !is_name(line, (size_t)(equals - line))) {
        pdk_say("%s:%u: expected NAME=value", path, number);
        return PDK_EXIT_FILE;
    }
    *equals = '\0';
    return setenv(line, unquote(equals + 1), 0) < 0 ? pdk_say_memory() : 0;
}

int pdk_env_file_read(const char *path) {
    char *line = NULL;
    size_t capacity = 0, total = 0;
    ssize_t size;
    unsigned number = 0;
    int code = 0;
    FILE *file = fopen(path, "re");
    if (!file) {
        pdk_say("cannot read %s: %s", path, strerror(errno));
        return PDK_EXIT_FILE;
    }
    while (code == 0 && (size = getline(&line, &capacity, file)) >= 0) {
        total += (size_t)size;
        if (total > MOST_BYTES) {
            pdk_say("%s: larger than 1MiB", path);
            code = PDK_EXIT_FILE;
        } else {
            code = take_line(path, ++number, line);
        }
    }
    if (code == 0 && ferror(file)) {
        pdk_say("cannot read %s: %s", path, strerror(errno));
        code = PDK_EXIT_FILE;
    }
    free(line);
    (void)fclose(file);
    return code;
}
