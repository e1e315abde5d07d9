/* SPDX-License-Identifier: Apache-2.0 */
/* ${NAME}, ${NAME:-text}, ${NAME:?message} in the values of a file, from our environment. Internal to this layer and to
 * core/config. */
#ifndef CORE_SPEC_INTERPOLATE_H
#define CORE_SPEC_INTERPOLATE_H

#include "core/value/value.h"

enum pdk_interpolate { PDK_INTERPOLATE_TASK, PDK_INTERPOLATE_FILE }; /* what the root is: one task, or a whole file */

/* A copy in which all is put in, or value itself where nothing is to do. Commands that are text stay as they are: the
 * shell expands them, from the environment of the child. *ret is owned by the caller; where a variable is not set it
 * still is, with the text as written. 0, -EINVAL, -ENOMEM. */
int32_t pdk_interpolate(const pdk_value *value, enum pdk_interpolate root, struct pdk_report *report,
                        const pdk_value **ret);

#endif
