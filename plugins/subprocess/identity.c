/* SPDX-License-Identifier: Apache-2.0 */
/* Names of users and groups to numbers. May ask LDAP and the like, so never on the main thread. */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "subprocess.h"

enum { BUFFER_MAX = 1024 * 1024, GROUPS_MAX = 65536, NAME_MAX_BYTES = 256 };

/* What a look-up wants to know and finds; one of both records. */
struct lookup {
    const char *name;
    bool numeric;
    uint32_t id;
    union {
        struct passwd user;
        struct group group;
    } found;
    char *buffer;
};

typedef int (*look_up)(struct lookup *l, char *buffer, size_t size, bool *found);

static int look_up_user(struct lookup *l, char *buffer, size_t size, bool *found) {
    struct passwd *result = NULL;
    int code = l->numeric ? getpwuid_r(l->id, &l->found.user, buffer, size, &result)
                          : getpwnam_r(l->name, &l->found.user, buffer, size, &result);
    *found = result != NULL;
    return code;
}

static int look_up_group(struct lookup *l, char *buffer, size_t size, bool *found) {
    struct group *result = NULL;
    int code = getgrnam_r(l->name, &l->found.group, buffer, size, &result);
    *found = result != NULL;
    return code;
}

static bool read_id(const char *name, uint32_t *ret) {
    uint64_t id = 0;
    for (const char *c = name; *c; c++) {
        if (*c < '0' || *c > '9') return false;
        id = id * 10 + (uint64_t)(*c - '0');
        if (id >= UINT32_MAX) return false; /* -1 would mean: unchanged */
    }
    *ret = (uint32_t)id;
    return *name != '\0';
}

/* -ENOENT: there is none. l->buffer is owned when this returns 0. */
static int32_t find(struct lookup *l, look_up ask) {
    for (size_t size = 1024; size <= BUFFER_MAX; size *= 4) {
        bool found = false;
        char *buffer = malloc(size);
        int code;
        if (!buffer) return -ENOMEM;
        code = ask(l, buffer, size, &found);
        if (found) {
            l->buffer = buffer;
            return 0;
        }
        free(buffer);
        if (code == 0 || code == ESRCH) return -ENOENT;
        if (code != ERANGE && code != EINTR) return -code;
    }
    return -ERANGE;
}

static int32_t find_group(const char *name, uint32_t *ret, struct pdk_sub_end *end) {
    struct lookup l = {.name = name};
    int32_t rc;
    if (read_id(name, ret)) return 0;
    rc = find(&l, look_up_group);
    if (rc == -ENOENT)
        pdk_sub_say(end, PDK_FATAL, PDK_CAT_MISSING, "there is no group \"%s\"", name);
    else if (rc)
        pdk_sub_say_errno(end, rc, "looking up the group %s", name);
    else
        *ret = l.found.group.gr_gid;
    free(l.buffer);
    return rc;
}

/* Those that the system gives this user. */
static int32_t groups_of(const char *name, uint32_t gid, struct pdk_sub_identity *ret) {
    for (int count = 32; count <= GROUPS_MAX;) {
        int found = count;
        uint32_t *groups = calloc((size_t)count, sizeof *groups);
        if (!groups) return -ENOMEM;
        if (getgrouplist(name, gid, groups, &found) >= 0) {
            ret->groups = groups;
            ret->group_count = (uint32_t)found;
            return 0;
        }
        free(groups);
        count = found > count ? found : count * 2;
    }
    return -E2BIG;
}

static int32_t groups_listed(const struct pdk_sub_task *task, struct pdk_sub_identity *ret, struct pdk_sub_end *end) {
    const pdk_values *values = task->self->host->values;
    size_t count = values->count(task->groups);
    int32_t rc = 0;
    if (count == 0) return 0;
    ret->groups = calloc(count, sizeof *ret->groups);
    if (!ret->groups) return -ENOMEM;
    for (size_t i = 0; i < count && !rc; i++) {
        const char *name = "";
        values->string(values->at(task->groups, i), &name);
        rc = find_group(name, &ret->groups[i], end);
    }
    ret->group_count = (uint32_t)count;
    return rc;
}

static int32_t find_user(const char *name, struct pdk_sub_identity *ret, struct pdk_sub_env *env, bool with_group,
                         bool with_groups, struct pdk_sub_end *end) {
    struct lookup l = {.name = name};
    int32_t rc;
    l.numeric = read_id(name, &l.id);
    rc = find(&l, look_up_user);
    if (rc == -ENOENT && l.numeric && with_group) { /* a number needs no entry */
        ret->uid = l.id;
        return 0;
    }
    if (rc == -ENOENT)
        pdk_sub_say(end, PDK_FATAL, PDK_CAT_MISSING, "there is no user \"%s\"%s", name,
                    l.numeric ? "; with name:group a number needs no entry" : "");
    else if (rc)
        pdk_sub_say_errno(end, rc, "looking up the user %s", name);
    if (rc) return rc;
    ret->uid = l.found.user.pw_uid;
    ret->gid = l.found.user.pw_gid;
    pdk_sub_env_set(env, PDK_SUB_IDENTITY, "USER", l.found.user.pw_name);
    pdk_sub_env_set(env, PDK_SUB_IDENTITY, "LOGNAME", l.found.user.pw_name);
    pdk_sub_env_set(env, PDK_SUB_IDENTITY, "HOME", l.found.user.pw_dir);
    pdk_sub_env_set(env, PDK_SUB_IDENTITY, "SHELL", l.found.user.pw_shell);
    if (with_groups) rc = groups_of(l.found.user.pw_name, ret->gid, ret);
    if (rc) pdk_sub_say_errno(end, rc, "looking up the groups of %s", name);
    free(l.buffer);
    return rc;
}

int32_t pdk_sub_identify(const struct pdk_sub_task *task, struct pdk_sub_identity *ret, struct pdk_sub_env *env,
                         struct pdk_sub_end *end) {
    char name[NAME_MAX_BYTES];
    const char *colon;
    int32_t rc = 0;
    *ret = (struct pdk_sub_identity){.set = true, .uid = geteuid(), .gid = getegid()};
    if (task->user) {
        colon = strchr(task->user, ':');
        (void)snprintf(name, sizeof name, "%.*s", colon ? (int)(colon - task->user) : (int)sizeof name - 1, task->user);
        rc = find_user(name, ret, env, colon != NULL, task->groups == NULL, end);
        if (!rc && colon) rc = find_group(colon + 1, &ret->gid, end);
    }
    if (!rc && task->groups) rc = groups_listed(task, ret, end);
    if (rc && !end->status) pdk_sub_say_errno(end, rc, "looking up users and groups");
    /* Who is that user already needs no right to become it; root still sheds its groups. */
    if (!task->groups && geteuid() != 0 && ret->uid == geteuid() && ret->gid == getegid()) ret->set = false;
    return rc;
}
