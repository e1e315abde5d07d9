/* SPDX-License-Identifier: Apache-2.0 */
/* Runners in order and one index per kind; picking and explaining are in pick.c. */
#include "routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { RUNNERS_MAX = 1 << 20, KINDS_MAX = 1 << 16 };

int32_t pdk_routes_create(struct pdk_routes **ret) {
    struct pdk_routes *routes = calloc(1, sizeof *routes);

    if (routes) routes->names = calloc(1, sizeof *routes->names);
    if (!routes || !routes->names) {
        free(routes);
        return -ENOMEM;
    }
    *ret = routes;
    return 0;
}

void pdk_routes_free(struct pdk_routes *routes) {
    if (!routes) return;
    for (uint32_t i = 0; i < routes->kind_count; i++) pdk_index_free(routes->kinds[i]);
    pdk_table_free(&routes->by_kind);
    free(routes->kinds);
    free(routes->names);
    free(routes->runners);
    free(routes);
}

static int32_t kind_add(struct pdk_routes *routes, const char *kind, struct pdk_index **ret) {
    size_t count = routes->kind_count;
    struct pdk_index **kinds;
    struct pdk_index *index;

    if (count == KINDS_MAX) return -E2BIG;
    kinds = reallocarray(routes->kinds, count + 1, sizeof *kinds);
    if (!kinds) return -ENOMEM;
    routes->kinds = kinds;
    index = pdk_index_create(kind);
    if (!index) return -ENOMEM;
    if (pdk_table_put(&routes->by_kind, index->kind, strlen(index->kind), index) < 0) {
        pdk_index_free(index);
        return -ENOMEM;
    }
    kinds[routes->kind_count++] = index;
    *ret = index;
    return 0;
}

static int32_t kind_reserve(struct pdk_routes *routes, const char *kind, const pdk_value *labels) {
    struct pdk_index *index = pdk_table_get(&routes->by_kind, kind, strlen(kind));
    int32_t rc = index ? 0 : kind_add(routes, kind, &index);

    return rc < 0 ? rc : pdk_index_reserve(index, labels);
}

static int32_t runner_reserve(struct pdk_routes *routes) {
    uint32_t capacity = routes->capacity ? routes->capacity * 2 : 8;
    struct pdk_route *runners;

    if (routes->count < routes->capacity) return 0;
    if (routes->count >= RUNNERS_MAX) return -E2BIG;
    runners = reallocarray(routes->runners, capacity, sizeof *runners);
    if (!runners) return -ENOMEM;
    routes->runners = runners;
    routes->capacity = capacity;
    return 0;
}

/* Kinds that lost their only runner to a failure half-way have an index, but no name here. */
static int32_t names_reserve(struct pdk_routes *routes) {
    const char **names = reallocarray(routes->names, routes->kind_count + 1U, sizeof *names);

    if (!names) return -ENOMEM;
    routes->names = names;
    return 0;
}

/* A kind named twice counts once. */
static void kind_commit(struct pdk_routes *routes, const char *kind, const pdk_value *labels) {
    struct pdk_index *index = pdk_table_get(&routes->by_kind, kind, strlen(kind));

    if (index->count && index->candidates[index->count - 1] == routes->count) return;
    if (index->count == 0) {
        routes->names[routes->name_count++] = index->kind;
        routes->names[routes->name_count] = NULL;
    }
    pdk_index_commit(index, routes->count, labels);
}

int32_t pdk_routes_add(struct pdk_routes *routes, void *runner, const char *const *kinds, const pdk_value *labels) {
    int32_t rc = runner_reserve(routes);

    for (size_t i = 0; rc == 0 && kinds[i]; i++) rc = kind_reserve(routes, kinds[i], labels);
    if (rc == 0) rc = names_reserve(routes);
    if (rc < 0) return rc;

    for (size_t i = 0; kinds[i]; i++) kind_commit(routes, kinds[i], labels);
    routes->runners[routes->count++] = (struct pdk_route){runner, labels};
    return 0;
}

const char *const *pdk_routes_kinds(const struct pdk_routes *routes) {
    return routes->names;
}
