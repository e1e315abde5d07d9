/* SPDX-License-Identifier: Apache-2.0 */
/* Memory in blocks, for what is made piece by piece and goes all at once. */
#include <stdalign.h>
#include <stdlib.h>

#include "otlp.h"

enum { BLOCK_SIZE = 16384 };

struct pdk_otlp_block {
    struct pdk_otlp_block *next;
    size_t used, size;
    alignas(max_align_t) unsigned char data[];
};

static struct pdk_otlp_block *grow(struct pdk_otlp_arena *arena, size_t size) {
    size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct pdk_otlp_block *block = calloc(1, sizeof *block + room);
    if (!block) return NULL;
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *pdk_otlp_take(struct pdk_otlp_arena *arena, size_t count, size_t size) {
    const size_t step = alignof(max_align_t);
    struct pdk_otlp_block *block = arena->blocks;
    if (size && count > (SIZE_MAX / 4) / size) {
        arena->failed = true;
        return NULL;
    }
    size = (count * size + step - 1) / step * step;
    if (!size) size = step;
    if (!block || block->size - block->used < size) block = grow(arena, size);
    if (!block) {
        arena->failed = true;
        return NULL;
    }
    void *taken = block->data + block->used;
    block->used += size;
    return taken;
}

char *pdk_otlp_text(struct pdk_otlp_arena *arena, const char *text, size_t size) {
    char *copy = pdk_otlp_take(arena, size + 1, 1);
    if (copy && size) memcpy(copy, text, size);
    return copy;
}

void pdk_otlp_arena_free(struct pdk_otlp_arena *arena) {
    for (struct pdk_otlp_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (struct pdk_otlp_arena){0};
}
