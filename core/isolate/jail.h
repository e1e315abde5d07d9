/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin's process may do, looked up and compiled, ready for the process service. */
#ifndef CORE_ISOLATE_JAIL_H
#define CORE_ISOLATE_JAIL_H

#include <linux/filter.h>

#include "core/spec/file.h"
#include "paddock/process.h"

enum { PDK_JAIL_RLIMITS = 4 };

struct pdk_jail {
    struct pdk_resources resources;
    pdk_rlimit rlimits[PDK_JAIL_RLIMITS];
    uint32_t rlimit_count, flags;
    uint32_t uid, gid, group_count;
    uint32_t *groups;
    struct sock_filter *filter;
    uint32_t filter_count;
};

/* Names of users may be asked for far away: not on a loop. -EINVAL, -ENOENT: err says what, and where. */
int32_t pdk_jail_make(const struct pdk_isolation *isolation, struct pdk_jail *ret, pdk_error *err);
void pdk_jail_free(struct pdk_jail *jail);

/* Put it into a command; what it points to stays the jail's. */
void pdk_jail_apply(const struct pdk_jail *jail, pdk_command *command);

/* user.c and filter.c: parts of pdk_jail_make */
int32_t pdk_jail_user(const char *text, const pdk_value *at, struct pdk_jail *jail, pdk_error *err);
int32_t pdk_jail_filter(const char *const *names, const pdk_value *at, struct pdk_jail *jail, pdk_error *err);

#endif
