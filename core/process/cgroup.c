/* SPDX-License-Identifier: Apache-2.0 */
/* Without cgroups: a limit that needs one is refused. */
#include "core/process/cgroup.h"
#include <errno.h>
#include <stdlib.h>
int32_t pdk_cgroups_create(bool always, bool whole, struct pdk_cgroups **ret, pdk_error *err) {
    (void)whole;
    *ret = NULL;
    return always ? pdk_process_error(err, -ENOTSUP, "no cgroups") : 0;
}
void pdk_cgroups_free(struct pdk_cgroups *cgroups) {
    (void)cgroups;
}
int32_t pdk_cgroups_take(struct pdk_cgroups *cgroups, struct pdk_request *request) {
    (void)cgroups;
    return request->memory_max || request->pids_max || request->cpu_max > 0
               ? pdk_process_error(&request->error, -ENOTSUP, "limits by cgroup: not supported")
               : 0;
}
int pdk_cgroup_join(const struct pdk_cgroup *cgroup, int32_t procs_fds[PDK_CGROUP_KINDS]) {
    (void)cgroup;
    (void)procs_fds;
    return -1;
}
void pdk_cgroups_clear(struct pdk_cgroups *cgroups, struct pdk_request *request) {
    (void)cgroups;
    request->empty = true;
}
void pdk_cgroups_give(struct pdk_cgroups *cgroups, struct pdk_cgroup *cgroup) {
    (void)cgroups;
    (void)cgroup;
}
