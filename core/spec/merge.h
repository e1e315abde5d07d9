/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults under what was written. Internal to this layer and to core/config. */
#ifndef CORE_SPEC_MERGE_H
#define CORE_SPEC_MERGE_H

#include "core/spec/fields.h"

/* One field: `above` if it is not to be merged, else a new map with the keys of both, those of above first. Shorthands
 * of stop and backoff count as the maps they mean. *ret is owned by the caller. */
int32_t pdk_merge_field(const struct pdk_field *row, const pdk_value *below, const pdk_value *above,
                        const pdk_value **ret);

/* Two maps of defaults: those of a file over those of the file that includes it. */
int32_t pdk_merge_defaults(const pdk_value *below, const pdk_value *above, const pdk_value **ret);

/* A map of a task, also of one that is written as its command alone. Owned by the caller. */
int32_t pdk_task_map(const pdk_value *value, const pdk_value **ret);

/* Faults of a map of defaults by itself. options: folder, trusted. 0, -EINVAL, -ENOMEM. */
int32_t pdk_defaults_check(const pdk_value *defaults, const struct pdk_task_options *options,
                           struct pdk_report *report);

#endif
