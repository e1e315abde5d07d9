/* SPDX-License-Identifier: Apache-2.0 */
/* A schema check with what a task hands on. Internal to this layer. */
#ifndef CORE_SPEC_COMPLETION_H
#define CORE_SPEC_COMPLETION_H

#include "core/spec/body.h"
#include "core/spec/schema.h"

struct pdk_completion {
    const pdk_schema *schema;
    const char *plugin;
    const pdk_value *value;           /* what was written: a map or null */
    const pdk_value *at;              /* as it was written, if value was made of it and of defaults; NULL */
    const struct pdk_task_body *body; /* the task whose `with` this is, which hands on its own fields; NULL: none */
    const pdk_value *blank;           /* of a task that says nothing: what is the same is shared with it; NULL */
    bool strict;                      /* check even the fallbacks */
};

int32_t pdk_completion_run(const struct pdk_completion *completion, struct pdk_report *report, const pdk_value **ret);

#endif
