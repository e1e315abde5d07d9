/* SPDX-License-Identifier: Apache-2.0 */
/* cgroups: hard limits, and a hold on everything a child starts. On the threads only: files of cgroups are slow. */
#ifndef CORE_PROCESS_CGROUP_H
#define CORE_PROCESS_CGROUP_H

#include "core/process/request.h"

/* Look where cgroups can be made. always: without one it is an error. whole: the process is all ours, so that it may
 * be moved to a cgroup of its own where that is needed. */
int32_t pdk_cgroups_create(bool always, bool whole, struct pdk_cgroups **ret, pdk_error *err);

/* Removes what it has made. */
void pdk_cgroups_free(struct pdk_cgroups *cgroups);

/* Find one for request->track and its limits, and set them. request->cgroup stays NULL when none is needed. On
 * failure request->error has the words. */
int32_t pdk_cgroups_take(struct pdk_cgroups *cgroups, struct pdk_request *request);

/* An fd for CLONE_INTO_CGROUP or -1, and the files for those of v1. */
int pdk_cgroup_join(const struct pdk_cgroup *cgroup, int32_t procs_fds[PDK_CGROUP_KINDS]);

/* Kill what is in request->cgroup; when it is empty say what it has seen, and give it back. */
void pdk_cgroups_clear(struct pdk_cgroups *cgroups, struct pdk_request *request);

/* Nobody is in it: it may be used again. NULL is fine. */
void pdk_cgroups_give(struct pdk_cgroups *cgroups, struct pdk_cgroup *cgroup);

#endif
