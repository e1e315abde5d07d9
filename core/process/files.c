/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many descriptors the process may have. A child that runs needs three, and 1024 in all is still a usual soft
 * limit, kept that low for programs that call select. So we take what the hard limit allows, if the process is ours,
 * and children start with what we were given ourselves.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "core/process/spawner.h"

enum { ENOUGH = 1 << 20 };

void pdk_files_raise(struct pdk_spawner *spawner) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max || limit.rlim_cur >= ENOUGH) return;
    pdk_rlimit given = {RLIMIT_NOFILE, 0, limit.rlim_cur, limit.rlim_max};
    limit.rlim_cur = limit.rlim_max < ENOUGH ? limit.rlim_max : ENOUGH;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return;
    spawner->files = given;
    spawner->raised = true;
}

void pdk_files_lower(struct pdk_spawner *spawner) {
    const struct rlimit limit = {spawner->files.soft, spawner->files.hard};
    if (spawner->raised) (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int32_t pdk_files_keep(const struct pdk_spawner *spawner, struct pdk_arena *arena, struct pdk_plan *plan) {
    if (!spawner->raised) return 0;
    pdk_rlimit *limits = pdk_arena_alloc(arena, (plan->rlimit_count + 1) * sizeof *limits);
    if (!limits) return -ENOMEM;
    limits[0] = spawner->files;
    if (plan->rlimit_count) memcpy(limits + 1, plan->rlimits, plan->rlimit_count * sizeof *limits);
    plan->rlimits = limits;
    plan->rlimit_count++;
    return 0;
}
