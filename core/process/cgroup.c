/* SPDX-License-Identifier: Apache-2.0 */
/* One cgroup per attempt: taken, limited, joined, cleared, given back. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/process/cgroup.h"
#include "core/process/hierarchy.h"

enum { POOLED = 64, NAME_SIZE = 32, PATH_SIZE = 128, TEXT_SIZE = 64, CPU_PERIOD_US = 100000 };

/* No limit was ever written: what is there is not known. */
#define UNKNOWN UINT64_MAX

struct pdk_cgroup {
    SLIST_ENTRY(pdk_cgroup) link;
    char name[NAME_SIZE];
    uint32_t made;                    /* a bit per hierarchy: its folder is there */
    uint32_t joins;                   /* a bit per hierarchy: this attempt uses it */
    uint64_t limits[PDK_CONTROLLERS]; /* as written: bytes, processes, microseconds per period; 0: none */
    uint64_t seen[PDK_CONTROLLERS];   /* how often a limit was met, as of the last attempt */
};

SLIST_HEAD(pool, pdk_cgroup);

struct pdk_cgroups {
    pthread_mutex_t lock; /* guards all; a cgroup that is taken is its taker's */
    bool searched, always, whole;
    struct pdk_hierarchy hierarchies[PDK_HIERARCHIES];
    int32_t count;
    struct pool pool;
    uint32_t pooled, number;
};

/* ---- hierarchies ---- */

/* Which has this controller; -1: none. */
static int32_t holder(const struct pdk_cgroups *cgroups, int controller) {
    for (int32_t i = 0; i < cgroups->count; i++)
        if (cgroups->hierarchies[i].controllers >> controller & 1) return i;
    return -1;
}

/* Which shows who is in a cgroup: v2 can kill them all at once; of v1 pids can keep them from forking on. */
static int32_t tracker(const struct pdk_cgroups *cgroups) {
    if (cgroups->count > 0 && cgroups->hierarchies[0].version == 2) return 0;
    int32_t pids = holder(cgroups, PDK_CGROUP_PIDS);
    return pids >= 0 ? pids : cgroups->count - 1;
}

/* With the lock held. */
static int32_t open_hierarchy(struct pdk_cgroups *cgroups, int32_t i, uint32_t controllers, pdk_error *err) {
    return pdk_hierarchy_open(&cgroups->hierarchies[i], controllers, cgroups->whole, err);
}

static void search(struct pdk_cgroups *cgroups) {
    if (cgroups->searched) return;
    cgroups->count = pdk_hierarchies_find(cgroups->hierarchies);
    if (cgroups->count < 0) cgroups->count = 0;
    cgroups->searched = true;
}

int32_t pdk_cgroups_create(bool always, bool whole, struct pdk_cgroups **ret, pdk_error *err) {
    struct pdk_cgroups *cgroups = calloc(1, sizeof *cgroups);
    if (!cgroups) return pdk_process_error(err, -ENOMEM, "no memory for cgroups");
    pthread_mutex_init(&cgroups->lock, NULL);
    cgroups->always = always;
    cgroups->whole = whole;
    SLIST_INIT(&cgroups->pool);
    int32_t r = 0;
    if (always) {
        search(cgroups);
        int32_t i = tracker(cgroups);
        r = i < 0 ? pdk_process_error(err, -ENOTSUP, "this machine has no cgroups")
                  : open_hierarchy(cgroups, i, 0, err);
    }
    if (r < 0)
        pdk_cgroups_free(cgroups);
    else
        *ret = cgroups;
    return r;
}

bool pdk_cgroups_can_track(struct pdk_cgroups *cgroups) {
    pdk_error why = PDK_ERROR;
    pthread_mutex_lock(&cgroups->lock);
    search(cgroups);
    bool can = cgroups->count > 0 && cgroups->hierarchies[0].version == 2 && open_hierarchy(cgroups, 0, 0, &why) == 0;
    pthread_mutex_unlock(&cgroups->lock);
    return can;
}

static void remove_folders(struct pdk_cgroups *cgroups, const struct pdk_cgroup *cgroup) {
    for (int32_t i = 0; i < cgroups->count; i++)
        if (cgroup->made >> i & 1) unlinkat(cgroups->hierarchies[i].base_fd, cgroup->name, AT_REMOVEDIR);
}

void pdk_cgroups_free(struct pdk_cgroups *cgroups) {
    if (!cgroups) return;
    for (struct pdk_cgroup *cgroup; (cgroup = SLIST_FIRST(&cgroups->pool));) {
        SLIST_REMOVE_HEAD(&cgroups->pool, link);
        remove_folders(cgroups, cgroup);
        free(cgroup);
    }
    for (int32_t i = 0; i < cgroups->count; i++) pdk_hierarchy_close(&cgroups->hierarchies[i]);
    pthread_mutex_destroy(&cgroups->lock);
    free(cgroups);
}

/* ---- limits ---- */

/* What a controller's files are called, in v1 and v2. */
static const struct limit_files {
    const char *limit[2], *events[2], *event[2], *none[2];
} FILES[PDK_CONTROLLERS] = {
    [PDK_CGROUP_MEMORY] = {{"memory.limit_in_bytes", "memory.max"},
                           {"memory.oom_control", "memory.events"},
                           {"oom_kill", "oom_kill"},
                           {"-1", "max"}},
    [PDK_CGROUP_PIDS] = {{"pids.max", "pids.max"}, {"pids.events", "pids.events"}, {"max", "max"}, {"max", "max"}},
    [PDK_CGROUP_CPU] = {{"cpu.cfs_quota_us", "cpu.max"}, {NULL, NULL}, {NULL, NULL}, {"-1", "max"}},
};

static int32_t write_file(const struct pdk_hierarchy *hierarchy, const struct pdk_cgroup *cgroup, const char *file,
                          const char *text) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", cgroup->name, file);
    return pdk_cgroup_write(hierarchy->base_fd, path, text);
}

/* Swap would make a limit of memory a limit of nothing. v1 counts both together, and the sum must never be below the
 * limit, so the order depends on which way it goes. Kernels without swap accounting have no such file. */
static int32_t write_memory(const struct pdk_hierarchy *hierarchy, const struct pdk_cgroup *cgroup, const char *text,
                            bool none) {
    if (hierarchy->version == 2) {
        int32_t r = write_file(hierarchy, cgroup, "memory.max", text);
        if (r == 0) r = write_file(hierarchy, cgroup, "memory.swap.max", none ? "max" : "0");
        if (r == 0 || r == -ENOENT) r = write_file(hierarchy, cgroup, "memory.oom.group", none ? "0" : "1");
        return r == -ENOENT ? 0 : r;
    }
    write_file(hierarchy, cgroup, "memory.memsw.limit_in_bytes", "-1");
    int32_t r = write_file(hierarchy, cgroup, "memory.limit_in_bytes", text);
    if (r < 0 || none) return r;
    write_file(hierarchy, cgroup, "memory.max_usage_in_bytes", "0");
    r = write_file(hierarchy, cgroup, "memory.memsw.limit_in_bytes", text);
    return r == -ENOENT ? 0 : r;
}

static int32_t write_limit(const struct pdk_hierarchy *hierarchy, const struct pdk_cgroup *cgroup, int controller,
                           uint64_t value) {
    char text[TEXT_SIZE];
    const char *none = FILES[controller].none[hierarchy->version - 1];
    if (value == 0)
        strlcpy(text, none, sizeof text);
    else if (controller == PDK_CGROUP_CPU && hierarchy->version == 2)
        snprintf(text, sizeof text, "%llu %d", (unsigned long long)value, CPU_PERIOD_US);
    else
        snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    if (controller == PDK_CGROUP_MEMORY) return write_memory(hierarchy, cgroup, text, value == 0);
    return write_file(hierarchy, cgroup, FILES[controller].limit[hierarchy->version - 1], text);
}

/* How often the limit was met since the cgroup was made. */
static uint64_t met(const struct pdk_cgroups *cgroups, const struct pdk_cgroup *cgroup, int controller) {
    int32_t i = holder(cgroups, controller);
    const struct pdk_hierarchy *hierarchy = &cgroups->hierarchies[i];
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", cgroup->name, FILES[controller].events[hierarchy->version - 1]);
    return pdk_cgroup_number(hierarchy->base_fd, path, FILES[controller].event[hierarchy->version - 1]);
}

/* ---- take ---- */

struct wish {
    uint64_t limits[PDK_CONTROLLERS];
    uint32_t joins;
    uint32_t controllers; /* a bit for each that is limited */
};

static int32_t make_wish(const struct pdk_cgroups *cgroups, const struct pdk_request *request, struct wish *ret,
                         pdk_error *err) {
    *ret = (struct wish){{request->memory_max, request->pids_max, (uint64_t)llround(request->cpu_max * CPU_PERIOD_US)},
                         1u << tracker(cgroups),
                         0};
    for (int c = 0; c < PDK_CONTROLLERS; c++) {
        int32_t i = ret->limits[c] ? holder(cgroups, c) : 0;
        if (i < 0) {
            pdk_process_error(err, -ENOTSUP, "limit %s: no cgroup controller for it here", PDK_CONTROLLER_NAMES[c]);
            strlcpy(err->hint, "under systemd, a service or scope with Delegate=yes has them", sizeof err->hint);
            return -ENOTSUP;
        }
        if (!ret->limits[c]) continue;
        ret->joins |= 1u << i;
        ret->controllers |= 1u << c;
    }
    return 0;
}

/* With the lock held: one whose limits are right already, or any, or a new one. */
static struct pdk_cgroup *pick(struct pdk_cgroups *cgroups, const struct wish *wish) {
    struct pdk_cgroup *cgroup, *found = SLIST_FIRST(&cgroups->pool);
    SLIST_FOREACH(cgroup, &cgroups->pool, link)
    if (memcmp(cgroup->limits, wish->limits, sizeof wish->limits) == 0) {
        found = cgroup;
        break;
    }
    if (found) {
        SLIST_REMOVE(&cgroups->pool, found, pdk_cgroup, link);
        cgroups->pooled--;
        return found;
    }
    found = calloc(1, sizeof *found);
    if (found) snprintf(found->name, sizeof found->name, "a%u", ++cgroups->number);
    return found;
}

static int32_t make_folders(struct pdk_cgroups *cgroups, struct pdk_cgroup *cgroup, pdk_error *err) {
    for (int32_t i = 0; i < cgroups->count; i++) {
        if (!(cgroup->joins >> i & 1) || cgroup->made >> i & 1) continue;
        if (mkdirat(cgroups->hierarchies[i].base_fd, cgroup->name, 0755) < 0 && errno != EEXIST)
            return pdk_process_error(err, -errno, "make a cgroup: %s", strerror(errno));
        cgroup->made |= 1u << i;
    }
    return 0;
}

/* Does this attempt use the controller's hierarchy? Elsewhere old limits may stay: nobody is there. */
static bool is_joined(const struct pdk_cgroups *cgroups, const struct pdk_cgroup *cgroup, int controller) {
    int32_t i = holder(cgroups, controller);
    return i >= 0 && cgroup->joins >> i & 1;
}

static int32_t set_limits(const struct pdk_cgroups *cgroups, struct pdk_cgroup *cgroup, const struct wish *wish,
                          pdk_error *err) {
    for (int c = 0; c < PDK_CONTROLLERS; c++) {
        if (cgroup->limits[c] == wish->limits[c] || !is_joined(cgroups, cgroup, c)) continue;
        int32_t r = write_limit(&cgroups->hierarchies[holder(cgroups, c)], cgroup, c, wish->limits[c]);
        cgroup->limits[c] = r == 0 ? wish->limits[c] : UNKNOWN;
        if (r < 0)
            return pdk_process_error(err, r, "limit %s to %llu: %s", PDK_CONTROLLER_NAMES[c],
                                     (unsigned long long)wish->limits[c], strerror(-r));
    }
    return 0;
}

/* With the lock held. */
static int32_t find(struct pdk_cgroups *cgroups, struct pdk_request *request, struct wish *wish) {
    pdk_error *err = &request->error;
    search(cgroups);
    if (cgroups->count == 0) return pdk_process_error(err, -ENOTSUP, "this machine has no cgroups for limits");
    int32_t r = make_wish(cgroups, request, wish, err);
    for (int32_t i = 0; i < cgroups->count && r == 0; i++)
        if (wish->joins >> i & 1)
            r = open_hierarchy(cgroups, i, wish->controllers & cgroups->hierarchies[i].controllers, err);
    if (r < 0) return r;
    request->cgroup = pick(cgroups, wish);
    return request->cgroup ? 0 : pdk_process_error(err, -ENOMEM, "no memory for a cgroup");
}

static int32_t take(struct pdk_cgroups *cgroups, struct pdk_request *request) {
    struct wish wish = {0};
    pthread_mutex_lock(&cgroups->lock);
    int32_t r = find(cgroups, request, &wish);
    pthread_mutex_unlock(&cgroups->lock);
    if (r < 0) return r;
    request->cgroup->joins = wish.joins;
    r = make_folders(cgroups, request->cgroup, &request->error);
    return r < 0 ? r : set_limits(cgroups, request->cgroup, &wish, &request->error);
}

int32_t pdk_cgroups_take(struct pdk_cgroups *cgroups, struct pdk_request *request) {
    bool limited = request->memory_max || request->pids_max || request->cpu_max > 0;
    if (!request->track && !limited) return 0;
    int32_t r = take(cgroups, request);
    if (r == 0 || limited || cgroups->always) return r;
    /* Nobody asked for it. */
    pdk_cgroups_give(cgroups, request->cgroup);
    request->cgroup = NULL;
    request->error.code = 0;
    return 0;
}

/* ---- join ---- */

int32_t pdk_cgroup_open(struct pdk_cgroups *cgroups, struct pdk_request *request) {
    const struct pdk_cgroup *cgroup = request->cgroup;
    int count = 0;
    for (int32_t i = 0; cgroup && i < cgroups->count; i++) {
        const struct pdk_hierarchy *hierarchy = &cgroups->hierarchies[i];
        char path[PATH_SIZE];
        if (!(cgroup->joins >> i & 1)) continue;
        snprintf(path, sizeof path, "%s/cgroup.procs", cgroup->name);
        int fd = hierarchy->version == 2 ? openat(hierarchy->base_fd, cgroup->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                                         : openat(hierarchy->base_fd, path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) return pdk_process_error(&request->error, -errno, "open its cgroup: %s", strerror(errno));
        *(hierarchy->version == 2 ? &request->into_fd : &request->plan.procs_fds[count++]) = fd;
    }
    return 0;
}

void pdk_cgroup_close(struct pdk_request *request) {
    if (request->into_fd >= 0) close(request->into_fd);
    request->into_fd = -1;
    for (int i = 0; i < PDK_CGROUP_KINDS; i++) {
        if (request->plan.procs_fds[i] >= 0) close(request->plan.procs_fds[i]);
        request->plan.procs_fds[i] = -1;
    }
}

/* ---- clear and give back ---- */

static void look_back(const struct pdk_cgroups *cgroups, struct pdk_request *request) {
    static const uint32_t BITS[PDK_CONTROLLERS] = {PDK_LIMIT_MEMORY, PDK_LIMIT_PIDS, 0};
    struct pdk_cgroup *cgroup = request->cgroup;
    for (int c = 0; c < PDK_CONTROLLERS; c++) {
        if (!cgroup->limits[c] || !BITS[c] || !is_joined(cgroups, cgroup, c)) continue;
        uint64_t now = met(cgroups, cgroup, c);
        if (now > cgroup->seen[c]) request->limits |= BITS[c];
        cgroup->seen[c] = now;
    }
    int32_t i = holder(cgroups, PDK_CGROUP_MEMORY);
    if (!cgroup->limits[PDK_CGROUP_MEMORY] || !is_joined(cgroups, cgroup, PDK_CGROUP_MEMORY)) return;
    if (cgroups->hierarchies[i].version == 2) return; /* its peak is that of all attempts before */
    char path[PATH_SIZE], text[TEXT_SIZE];
    snprintf(path, sizeof path, "%s/memory.max_usage_in_bytes", cgroup->name);
    if (pdk_cgroup_read(cgroups->hierarchies[i].base_fd, path, text, sizeof text) > 0)
        request->peak = strtoull(text, NULL, 10);
}

void pdk_cgroups_clear(struct pdk_cgroups *cgroups, struct pdk_request *request) {
    struct pdk_cgroup *cgroup = request->cgroup;
    const struct pdk_hierarchy *hierarchy = &cgroups->hierarchies[tracker(cgroups)];
    request->empty = pdk_cgroup_empty(hierarchy, hierarchy->base_fd, cgroup->name);
    if (!request->empty) {
        pdk_cgroup_kill(hierarchy, hierarchy->base_fd, hierarchy->base, cgroup->name);
        /* None may fork there any more. */
        if (is_joined(cgroups, cgroup, PDK_CGROUP_PIDS)) cgroup->limits[PDK_CGROUP_PIDS] = UNKNOWN;
        request->empty = pdk_cgroup_empty(hierarchy, hierarchy->base_fd, cgroup->name);
    }
    if (!request->empty) return;
    look_back(cgroups, request);
    pdk_cgroups_give(cgroups, cgroup);
}

/* Zombies that init has not reaped yet are in no list, and still count as processes. */
static bool is_reusable(const struct pdk_cgroups *cgroups, const struct pdk_cgroup *cgroup) {
    char path[PATH_SIZE], text[TEXT_SIZE] = "0";
    if (!is_joined(cgroups, cgroup, PDK_CGROUP_PIDS) || !cgroup->limits[PDK_CGROUP_PIDS]) return true;
    snprintf(path, sizeof path, "%s/pids.current", cgroup->name);
    pdk_cgroup_read(cgroups->hierarchies[holder(cgroups, PDK_CGROUP_PIDS)].base_fd, path, text, sizeof text);
    return strtoull(text, NULL, 10) == 0;
}

void pdk_cgroups_give(struct pdk_cgroups *cgroups, struct pdk_cgroup *cgroup) {
    if (!cgroup) return;
    bool keep = is_reusable(cgroups, cgroup);
    pthread_mutex_lock(&cgroups->lock);
    keep = keep && cgroups->pooled < POOLED;
    if (keep) {
        SLIST_INSERT_HEAD(&cgroups->pool, cgroup, link);
        cgroups->pooled++;
    } else {
        remove_folders(cgroups, cgroup);
    }
    pthread_mutex_unlock(&cgroups->lock);
    if (!keep) free(cgroup);
}
