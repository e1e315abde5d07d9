/* SPDX-License-Identifier: Apache-2.0 */
/* The loops that the rules are tried on: those of the library, and the adapters of examples/embed_supervisor. */
#ifndef TEST_EMBED_KINDS_H
#define TEST_EMBED_KINDS_H

#include "paddock/loop.h"

struct kind {
    const char *name;
    void *(*create)(const pdk_loop **ret);
    void (*turn)(void *host); /* may wait */
    void (*destroy)(void *host);
    int reaps_all; /* children of others, too; and how much one used is not told */
};

/* NULL: it is not known, or was not built. */
const struct kind *kind_named(const char *name);

#endif
