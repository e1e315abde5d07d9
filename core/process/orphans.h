/* SPDX-License-Identifier: Apache-2.0 */
/* Children that left their group by setsid and a double fork: as the subreaper of the process we inherit them. */
#ifndef CORE_PROCESS_ORPHANS_H
#define CORE_PROCESS_ORPHANS_H

#include "core/process/spawner.h"

/* Become the subreaper. */
int32_t pdk_orphans_create(struct pdk_spawner *spawner, struct pdk_orphans **ret);

/* Reaps the strangers that are left. NULL is fine. */
void pdk_orphans_free(struct pdk_orphans *orphans);

/* Kill and reap all orphans that are child's (NULL: nobody's); reap strangers that have been dead for a while. True:
 * some of child's still live. */
bool pdk_orphans_hunt(struct pdk_spawner *spawner, struct pdk_child_state *child);

#endif
