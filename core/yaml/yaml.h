/* SPDX-License-Identifier: Apache-2.0 */
/* YAML to values, by the rules and limits of core/spec/README.md, section 5. The only user of libyaml. */
#ifndef CORE_YAML_YAML_H
#define CORE_YAML_YAML_H

#include "core/value/value.h"

/* Read one document. name is the file's, for messages. All faults go to the report; -EINVAL if there were any,
 * or -ENOMEM. *ret is owned by the caller in every case (NULL only without memory): after a fault it is a null
 * that keeps the text, which the report quotes, so drop it after the report was printed. [any] */
int32_t pdk_yaml_parse(const char *name, const char *data, size_t size, struct pdk_report *report,
                       const pdk_value **ret);

#endif
