/* SPDX-License-Identifier: Apache-2.0 */
#include "core/isolate/jail.h"

#include <stdlib.h>
#include <sys/resource.h>

static void add_rlimit(struct pdk_jail *jail, int32_t resource, uint64_t most) {
    if (most) jail->rlimits[jail->rlimit_count++] = (pdk_rlimit){resource, 0, most, most};
}

static const pdk_value *field(const struct pdk_isolation *isolation, const char *name) {
    const pdk_values *v = pdk_values_get();
    return v->type(isolation->at) == PDK_MAP ? v->get(isolation->at, name) : isolation->at;
}

int32_t pdk_jail_make(const struct pdk_isolation *isolation, struct pdk_jail *ret, pdk_error *err) {
    struct pdk_jail jail = {.resources = isolation->resources};
    int32_t rc = 0;
    add_rlimit(&jail, RLIMIT_NOFILE, isolation->nofile);
    add_rlimit(&jail, RLIMIT_FSIZE, isolation->fsize);
    add_rlimit(&jail, RLIMIT_MEMLOCK, isolation->memlock);
    add_rlimit(&jail, RLIMIT_STACK, isolation->stack);
    if (isolation->user) rc = pdk_jail_user(isolation->user, field(isolation, "user"), &jail, err);
    if (rc == 0 && isolation->seccomp && isolation->seccomp[0])
        rc = pdk_jail_filter(isolation->seccomp, field(isolation, "seccomp"), &jail, err);
    if (rc < 0)
        pdk_jail_free(&jail);
    else
        *ret = jail;
    return rc;
}

void pdk_jail_free(struct pdk_jail *jail) {
    free(jail->groups);
    free(jail->filter);
    *jail = (struct pdk_jail){.flags = 0};
}

void pdk_jail_apply(const struct pdk_jail *jail, pdk_command *command) {
    command->flags |= jail->flags;
    command->rlimits = jail->rlimits;
    command->rlimit_count = jail->rlimit_count;
    command->uid = jail->uid;
    command->gid = jail->gid;
    command->groups = jail->groups;
    command->group_count = jail->group_count;
    command->seccomp = jail->filter;
    command->seccomp_count = jail->filter_count;
    command->memory_max = jail->resources.memory;
    command->pids_max = jail->resources.pids;
    command->cpu_max = jail->resources.cpu;
}
