/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of an instance: what was configured, and what we know of it ourselves. */
#ifndef CORE_PLUGIN_LABELS_H
#define CORE_PLUGIN_LABELS_H

#include "core/value/value.h"

/* Check `labels` (a map, or NULL) and add paddock/plugin, /name, /host and /arch. *ret is owned by the caller. */
int32_t pdk_instance_labels(const char *plugin, const char *name, const pdk_value *labels, struct pdk_report *report,
                            const pdk_value **ret);

#endif
