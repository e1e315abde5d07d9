/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for one test, and files in it. */
#ifndef TEST_ARCHIVE_PLACE_H
#define TEST_ARCHIVE_PLACE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"

static char place[64];

static __attribute__((unused)) int make_place(void **state) {
    (void)state;
    (void)snprintf(place, sizeof place, "/tmp/paddock-archive-XXXXXX");
    return mkdtemp(place) ? 0 : -1;
}

static __attribute__((unused)) int remove_place(void **state) {
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", place);
    FILE *shell = popen(command, "r");
    return shell ? pclose(shell) : -1;
}

static __attribute__((unused)) const char *in_place(const char *name) {
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", place, name);
    return path;
}

static __attribute__((unused)) void write_bytes(const char *name, const char *data, size_t size) {
    int fd = open(in_place(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    (void)close(fd);
}

static __attribute__((unused)) void write_text(const char *name, const char *text) {
    write_bytes(name, text, strlen(text));
}

/* What is in it; static. NULL: it is not there. */
static __attribute__((unused)) const char *read_text(const char *name) {
    static char text[1 << 20];
    int fd = open(in_place(name), O_RDONLY);
    if (fd < 0) return NULL;
    ssize_t size = read(fd, text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    (void)close(fd);
    return text;
}

static __attribute__((unused)) bool exists(const char *name) {
    return access(in_place(name), F_OK) == 0;
}

#endif
