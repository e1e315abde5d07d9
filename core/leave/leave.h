/* SPDX-License-Identifier: Apache-2.0 */
/* For a program that exits at once and shall leave nothing behind. */
#ifndef CORE_LEAVE_LEAVE_H
#define CORE_LEAVE_LEAVE_H

#include <stdbool.h>
#include <stdint.h>

/* Kill and reap every child of this process, also those it inherits as their parents die, if it is the subreaper.
 * Nobody else hears of their ends, so exit is all that may follow. False: some are left after that time. */
bool pdk_leave_no_child(uint32_t patience_ms);

#endif
