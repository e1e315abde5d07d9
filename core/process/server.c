/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that is killed takes its children along, by the kernel, but not what they have started. So each has in its
 * environment whose it is, also when it inherits nothing else, and the next server of the same state folder kills what it
 * finds by that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/process/spawner.h"

#define NAME "PADDOCK_STATE_ID"

static const char *line_of(struct pdk_arena *arena, const char *value) {
    size_t size = sizeof NAME "=" + strlen(value);
    char *line = pdk_arena_alloc(arena, size);
    if (line) (void)snprintf(line, size, NAME "=%s", value);
    return line;
}

int32_t pdk_server_keep(const struct pdk_spawner *spawner, struct pdk_arena *arena, struct pdk_plan *plan) {
    const char *value = spawner->orphans ? getenv(NAME) : NULL;
    size_t count = 0, kept = 1;
    if (!value || !*value) return 0;
    while (plan->env[count]) count++;
    const char **env = pdk_arena_alloc(arena, (count + 2) * sizeof *env);
    if (!env || !(env[0] = line_of(arena, value))) return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (strncmp(plan->env[i], NAME "=", sizeof NAME) != 0) env[kept++] = plan->env[i];
    env[kept] = NULL;
    plan->env = env;
    return 0;
}
