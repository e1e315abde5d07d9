/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First match, by index. Knows kinds, labels and order; nothing of plugins.
 *
 * Each kind has its candidates in routing order, and for every label (key, value) that occurs among them a set
 * of bits, one per candidate. A selector is a few of these sets combined, so the cost of a route grows by a
 * word for every 64 candidates, whatever the labels. The texts of a selector are looked up once per route.
 */
#ifndef CORE_ROUTER_ROUTES_H
#define CORE_ROUTER_ROUTES_H

#include "core/spec/selector.h"

struct pdk_routes;

int32_t pdk_routes_create(struct pdk_routes **ret);
void pdk_routes_free(struct pdk_routes *routes); /* NULL is fine */

/* Append a runner: the last in order. kinds NULL-ended; labels a map of strings or NULL. Both are read now;
 * labels must live as long as the routes (explanations print them). runner is what pick returns.
 * -ENOMEM, -E2BIG: nothing has changed. */
int32_t pdk_routes_add(struct pdk_routes *routes, void *runner, const char *const *kinds, const pdk_value *labels);

/* Does this runner, which matches kind and selector, take it? NULL for accept below: all do. */
typedef bool (*pdk_accept)(void *arg, void *runner);

/* The first runner that serves kind, matches the selector, and is accepted; or NULL. */
void *pdk_routes_pick(const struct pdk_routes *routes, const char *kind, const struct pdk_selector *selector,
                      pdk_accept accept, void *arg);

enum pdk_verdict { PDK_VERDICT_TAKEN, PDK_VERDICT_SHADOWED, PDK_VERDICT_KIND, PDK_VERDICT_LABEL, PDK_VERDICT_REFUSED };

/* Explain for every runner, in order, why it was taken or not. failed is set with PDK_VERDICT_LABEL. */
typedef void (*pdk_explain)(void *arg, void *runner, enum pdk_verdict verdict, const struct pdk_requirement *failed);
void pdk_routes_explain(const struct pdk_routes *routes, const char *kind, const struct pdk_selector *selector,
                        pdk_accept accept, void *accept_arg, pdk_explain explain, void *arg);

/* The kinds served, for "no runner serves ...": NULL-ended, lives until the next add. */
const char *const *pdk_routes_kinds(const struct pdk_routes *routes);

#endif
