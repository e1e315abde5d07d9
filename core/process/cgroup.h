/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroups: hard limits, and a hold on everything a child starts. On the threads only: their files are slow.
 *
 * Below the cgroup that we are in there is a folder paddock-PID of ours, in each hierarchy that is needed (for further
 * supervisors in one process paddock-PID-2 and so on), and in it one folder per attempt. Making one costs as much as starting a child, so they are used again when empty. A lock on
 * our folder says that we live; those of the dead are removed by the next who comes.
 */
#ifndef CORE_PROCESS_CGROUP_H
#define CORE_PROCESS_CGROUP_H

#include "core/process/request.h"

/* always: an error when none can be made. whole: the process is all ours, so it may be moved to a cgroup of its own
 * where that is needed. */
int32_t pdk_cgroups_create(bool always, bool whole, struct pdk_cgroups **ret, pdk_error *err);

/* Can a child be held together by v2, where all in a cgroup can be killed at once? Makes our folder. */
bool pdk_cgroups_can_track(struct pdk_cgroups *cgroups);

/* Removes what it has made. */
void pdk_cgroups_free(struct pdk_cgroups *cgroups);

/* Find one for request->track and its limits, and set them. request->cgroup stays NULL when none is needed. On
 * failure request->error has the words. */
int32_t pdk_cgroups_take(struct pdk_cgroups *cgroups, struct pdk_request *request);

/* Open what joining takes: files for v1, and the folder of v2 for CLONE_INTO_CGROUP. -1 where there is none. */
int32_t pdk_cgroup_open(struct pdk_cgroups *cgroups, struct pdk_request *request);
void pdk_cgroup_close(struct pdk_request *request);

/* Kill what is in request->cgroup; when it is empty say what it has seen, and give it back. */
void pdk_cgroups_clear(struct pdk_cgroups *cgroups, struct pdk_request *request);

/* Nobody is in it: it may be used again. NULL is fine. */
void pdk_cgroups_give(struct pdk_cgroups *cgroups, struct pdk_cgroup *cgroup);

#endif
