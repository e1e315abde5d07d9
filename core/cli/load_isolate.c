/* SPDX-License-Identifier: Apache-2.0 */
/* Plugins with a process of their own, and where the program of that process is. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/load.h"
#include "core/isolate/isolate.h"

/* Where it may be from where we are: in a tree that was built, and in one that was installed. */
static const char *const beside[] = {"paddock-host", "../libexec/paddock/paddock-host"};

static bool find_beside(char *path, size_t size) {
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return false;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash) return false;
    *slash = '\0';
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        int length = snprintf(path, size, "%s/%s", self, beside[i]);
        if (length > 0 && (size_t)length < size && access(path, X_OK) == 0) return true;
    }
    return false;
}

static void find_program(char *path, size_t size) {
    const char *given = getenv("PADDOCK_HOST_PROGRAM");
    if (given && *given)
        (void)strlcpy(path, given, size);
    else if (!find_beside(path, size))
        (void)strlcpy(path, PADDOCK_LIBEXEC_DIR "/paddock-host", size);
}

int32_t pdk_setup_isolate(const struct pdk_listed *listed, const pdk_router_entry *entry, pdk_router *router,
                          pdk_supervisor *supervisor, pdk_error *err) {
    char program[PATH_MAX];
    find_program(program, sizeof program);
    const struct pdk_isolate_options options = {
        .program = program, .isolation = &listed->entry->isolation, .probe = true};
    return pdk_isolate_load(supervisor, router, listed->file, entry, &options, err);
}
