/* SPDX-License-Identifier: Apache-2.0 */
/* A schema check with what a task hands on. Internal to this layer. */
#ifndef CORE_SPEC_COMPLETION_H
#define CORE_SPEC_COMPLETION_H

#include "core/spec/schema.h"

struct pdk_completion {
    const pdk_schema *schema;
    const char *plugin;
    const pdk_value *value;  /* what was written: a map or null */
    const pdk_value *handed; /* a map of fields that come from elsewhere, all of them rows of the schema; NULL: none */
    const pdk_value *at;     /* as it was written, if value was made of it and of defaults; NULL */
    bool strict;             /* check even the fallbacks */
    const pdk_value *task;   /* where to point at when there is no `with` to point at; NULL */
};

int32_t pdk_completion_run(const struct pdk_completion *completion, struct pdk_report *report, const pdk_value **ret);

#endif
