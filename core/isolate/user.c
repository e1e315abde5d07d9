/* SPDX-License-Identifier: Apache-2.0 */
/* "name", or "name:group", to numbers and the groups that the system gives that user. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/isolate/jail.h"
#include "paddock/helpers.h"

enum { BUFFER_SIZE = 64 * 1024, GROUPS_MAX = 65536 };

static int32_t find_user(const char *name, char *buffer, struct passwd *ret, const pdk_value *at, pdk_error *err) {
    struct passwd *found = NULL;
    const char *why = NULL;
    uint32_t id = (uint32_t)strtonum(name, 0, UINT32_MAX - 1, &why);
    int rc =
        why ? getpwnam_r(name, ret, buffer, BUFFER_SIZE, &found) : getpwuid_r(id, ret, buffer, BUFFER_SIZE, &found);
    if (found) return 0;
    if (rc) return pdk_failf(err, -rc, at, "cannot look up the user \"%.100s\": %s", name, strerror(rc));
    return pdk_failf(err, -ENOENT, at, "there is no user \"%.100s\"", name);
}

static int32_t find_group(const char *name, char *buffer, uint32_t *ret, const pdk_value *at, pdk_error *err) {
    struct group group, *found = NULL;
    const char *why = NULL;
    uint32_t id = (uint32_t)strtonum(name, 0, UINT32_MAX - 1, &why);
    int rc = why ? getgrnam_r(name, &group, buffer, BUFFER_SIZE, &found) : 0;
    if (found) id = group.gr_gid;
    if (rc) return pdk_failf(err, -rc, at, "cannot look up the group \"%.100s\": %s", name, strerror(rc));
    if (why && !found) return pdk_failf(err, -ENOENT, at, "there is no group \"%.100s\"", name);
    *ret = id;
    return 0;
}

static int32_t find_groups(const struct passwd *user, struct pdk_jail *jail, const pdk_value *at, pdk_error *err) {
    int count = GROUPS_MAX;
    gid_t *groups = calloc((size_t)count, sizeof *groups);
    if (!groups) return -ENOMEM;
    if (getgrouplist(user->pw_name, jail->gid, groups, &count) < 0) {
        free(groups);
        return pdk_failf(err, -E2BIG, at, "the user \"%.100s\" is in too many groups", user->pw_name);
    }
    jail->groups = groups;
    jail->group_count = (uint32_t)count;
    return 0;
}

/* Who is that user already needs no right to become it. */
static bool is_us(const struct pdk_jail *jail) {
    return geteuid() != 0 && geteuid() == jail->uid && getegid() == jail->gid;
}

int32_t pdk_jail_user(const char *text, const pdk_value *at, struct pdk_jail *jail, pdk_error *err) {
    char name[256], *group;
    struct passwd user;
    char *buffer = malloc(BUFFER_SIZE), *more = malloc(BUFFER_SIZE);
    (void)strlcpy(name, text, sizeof name);
    group = strchr(name, ':');
    if (group) *group++ = '\0';
    int32_t rc = buffer && more ? find_user(name, buffer, &user, at, err) : -ENOMEM;
    if (rc == 0) {
        jail->uid = user.pw_uid;
        jail->gid = user.pw_gid;
        if (group) rc = find_group(group, more, &jail->gid, at, err);
    }
    if (rc == 0) rc = find_groups(&user, jail, at, err);
    if (rc == 0 && !is_us(jail)) jail->flags |= PDK_COMMAND_USER;
    free(buffer);
    free(more);
    return rc;
}
