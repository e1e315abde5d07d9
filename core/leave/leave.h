/* SPDX-License-Identifier: Apache-2.0 */
/* For a program that shall leave nothing behind: not when it exits at once, nor when it was killed. */
#ifndef CORE_LEAVE_LEAVE_H
#define CORE_LEAVE_LEAVE_H

#include <stdbool.h>
#include <stdint.h>

/* Kill and reap every child of this process, also those it inherits as their parents die, if it is the subreaper.
 * Nobody else hears of their ends, so exit is all that may follow. False: some are left after that time. */
bool pdk_leave_no_child(uint32_t patience_ms);

/* Kill every process beside us that has this line (NAME=value) in its environment, and wait until they are dead. *ret_found: how
 * many there were. -ETIMEDOUT: some are left after that time; -ENOMEM. */
int32_t pdk_leave_former(const char *line, uint32_t patience_ms, uint32_t *ret_found);

#endif
