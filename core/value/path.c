/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/value/path.h"

struct pdk_path pdk_path_start(char *buf, size_t size) {
    if (size) buf[0] = '\0';
    return (struct pdk_path){buf, size, 0};
}

static void add(struct pdk_path *path, const char *data, size_t size) {
    if (path->used + 1 >= path->size) return;
    size_t room = path->size - path->used - 1;
    if (size > room) size = room;
    memcpy(path->buf + path->used, data, size);
    path->used += size;
    path->buf[path->used] = '\0';
}

/* Can it stand in a path as it is? Also names with a dash or slash, as labels have them, but no dots. */
static bool is_plain(const char *key) {
    const char *usual = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/";
    return *key && key[strspn(key, usual)] == '\0';
}

void pdk_path_key(struct pdk_path *path, const char *key) {
    if (is_plain(key)) {
        if (path->used) add(path, ".", 1);
        add(path, key, strlen(key));
        return;
    }
    add(path, "[\"", 2);
    for (; *key; key++) {
        if (*key == '"' || *key == '\\') add(path, "\\", 1);
        add(path, key, 1);
    }
    add(path, "\"]", 2);
}

void pdk_path_index(struct pdk_path *path, size_t i) {
    char text[32];
    int size = snprintf(text, sizeof(text), "[%zu]", i);
    add(path, text, (size_t)size);
}

void pdk_path_token(struct pdk_path *path, const char *key) {
    add(path, "/", 1);
    for (; *key; key++) {
        if (*key == '~') {
            add(path, "~0", 2);
        } else if (*key == '/') {
            add(path, "~1", 2);
        } else {
            add(path, key, 1);
        }
    }
}
