/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is given back all at once. One thread at a time. */
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include <stddef.h>

struct pdk_arena_chunk;
struct pdk_arena {
    struct pdk_arena_chunk *chunks;
    char *next, *end;
};

/* Zeroed, aligned for pointers and numbers of 64 bits; NULL when there is no memory. A zeroed struct pdk_arena is an empty arena. */
void *pdk_arena_alloc(struct pdk_arena *arena, size_t size);

/* The same as the first piece of an empty arena whose size is known: there is room for `more` bytes besides. */
void *pdk_arena_begin(struct pdk_arena *arena, size_t size, size_t more);

/* A copy of size bytes with a NUL behind them. */
char *pdk_arena_text(struct pdk_arena *arena, const char *data, size_t size);

void pdk_arena_free(struct pdk_arena *arena);

#endif
