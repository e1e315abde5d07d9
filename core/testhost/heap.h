/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of plugins: who allocated what, what is left, and allocations that fail on purpose.
 *
 * The calls of malloc and its kin that a loaded file makes go through slots of that file, and here those slots are
 * turned to functions of ours. So nothing has to be linked or preloaded, and the program that tests keeps the allocator
 * that it has. A process has one allocator, so there is one state for all hosts in it.
 */
#ifndef CORE_TESTHOST_HEAP_H
#define CORE_TESTHOST_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Before a plugin's file is loaded, and after: what came with it is its own. entry is an address in its file.
 * -ENOTSUP: this cannot be done on this machine. [main] */
size_t pdk_heap_before(void);
int32_t pdk_heap_after(size_t before, const void *entry);

/* Blocks that were allocated later than this are younger. Two that follow each other differ. */
uint64_t pdk_heap_time(void);

struct pdk_heap_left {
    uint64_t blocks, bytes;
    char first[128]; /* where the first of them was allocated: "greet.so+0x1234" */
};

/* Blocks younger than `since` that nobody has freed: those that the plugins' own files allocated, or with `all` those of
 * the libraries that came with them too. */
void pdk_heap_left(uint64_t since, bool all, struct pdk_heap_left *ret);

/* `after` allocations of plugins (with `all` those of their libraries too) go well, then `times` fail. times 0: none. */
void pdk_heap_fail(bool all, uint32_t after, uint32_t times);
uint32_t pdk_heap_struck(void);

#endif
