/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How children ended that libev has reaped. Its default loop waits for every child of the process, ours among them; then
 * it alone can tell, and may do so before we know that the child is ours.
 */
#ifndef CORE_LOOP_REAPED_H
#define CORE_LOOP_REAPED_H

#include <stdbool.h>
#include <stdint.h>

struct pdk_reaped; /* who is awaited, and the ends of the last few thousand of whom nobody did */

struct pdk_reaped *pdk_reaped_create(void); /* NULL: no memory */
void pdk_reaped_free(struct pdk_reaped *reaped);

/* From now on who awaits the end of pid. It may have been told already: forget says so. 0 or -ENOMEM. */
int32_t pdk_reaped_await(struct pdk_reaped *reaped, int32_t pid, void *who);

/* A child has ended; status as of waitpid. Who awaits it; or NULL, and it is kept for who will. */
void *pdk_reaped_tell(struct pdk_reaped *reaped, int32_t pid, int status);

/* Who awaits nothing any more. True: the end had been told before he asked. */
bool pdk_reaped_forget(struct pdk_reaped *reaped, const void *who, int *ret_status);

#endif
