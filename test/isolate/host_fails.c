/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock-host, of which one allocation fails: the n-th, in the first process of the instance whose name is n. It is armed
 * by the file FAILS/n, which is named n.armed then, and goes when the allocation has failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/fail_alloc.h"

static char armed[300];

static void told(void) {
    (void)unlink(armed);
}

__attribute__((constructor)) static void arm(int argc, char **argv) {
    const char *folder = getenv("FAILS");
    char path[280];
    if (!folder || argc != 2) return;
    (void)snprintf(path, sizeof path, "%s/%s", folder, argv[1]);
    (void)snprintf(armed, sizeof armed, "%s.armed", path);
    if (rename(path, armed) < 0) return; /* it is not the first */
    pdk_fail_tell(told);
    pdk_fail_at(strtol(argv[1], NULL, 10));
}
