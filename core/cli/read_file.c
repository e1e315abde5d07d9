/* SPDX-License-Identifier: Apache-2.0 */
/* Files that options and operands name, read whole. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/cli/cli.h"

static int tell(const char *option, const char *name, const char *why) {
    pdk_say("%s%s%s%s: %s", option ? "--" : "", option ? option : "", option ? ": " : "", name, why);
    return PDK_EXIT_FILE;
}

int pdk_read_whole(const char *option, const char *path, struct pdk_buffer *to) {
    bool standard = !option && strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    FILE *file = standard ? stdin : fopen(path, "re");
    char piece[8192], large[40];
    size_t size;
    if (!file) return tell(option, name, strerror(errno));
    while (!to->error && (size = fread(piece, 1, sizeof piece, file))) pdk_buffer_add(to, piece, size);
    int error = ferror(file) ? errno : 0;
    if (!standard) (void)fclose(file);
    if (error) return tell(option, name, strerror(error));
    if (to->error == -ENOMEM) return pdk_say_memory();
    (void)snprintf(large, sizeof large, "larger than %zuMiB", to->limit >> 20);
    return to->error ? tell(option, name, large) : 0;
}
