/* SPDX-License-Identifier: Apache-2.0 */
/* What routes.c builds and pick.c reads. */
#ifndef CORE_ROUTER_INTERNAL_H
#define CORE_ROUTER_INTERNAL_H

#include "index.h"
#include "routes.h"

struct pdk_route {
    void *runner;
    const pdk_value *labels;
};

struct pdk_routes {
    struct pdk_table by_kind;  /* kind -> index */
    struct pdk_index **kinds;  /* the same, for freeing */
    const char **names;        /* of those that have a candidate, NULL-ended, in order of coming */
    struct pdk_route *runners; /* in routing order */
    uint32_t kind_count, name_count;
    uint32_t count, capacity; /* of runners */
};

#endif
