/* SPDX-License-Identifier: Apache-2.0 */
/* Bump allocation from chunks, each as large as all before it, so a small tree costs one malloc and a large one few, and
 * half of it is used at least. Structs are taken from the front of a chunk, texts from its back, where they need no
 * alignment. */
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena.h"

#define CHUNK_FIRST   ((size_t)1 << 10)
#define CHUNK_LARGEST ((size_t)256 << 10)
#define ALIGNMENT     ((size_t)8)

struct pdk_arena_chunk {
    struct pdk_arena_chunk *older;
    size_t size;
    alignas(8) char data[];
};

static size_t chunk_size(const struct pdk_arena *arena) {
    if (!arena->chunks) return CHUNK_FIRST - sizeof(struct pdk_arena_chunk);
    size_t size = arena->chunks->size;
    if (arena->chunks->older) size *= 2;
    return size < CHUNK_LARGEST ? size : CHUNK_LARGEST;
}

static size_t room(const struct pdk_arena *arena) {
    return (size_t)(arena->end - arena->next);
}

static size_t round_up(size_t size) {
    return size ? (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1) : ALIGNMENT;
}

/* A piece from a new chunk. */
static void *new_chunk(struct pdk_arena *arena, size_t wanted, size_t usual) {
    wanted = round_up(wanted);
    size_t size = wanted > usual ? wanted : usual;
    struct pdk_arena_chunk *chunk = malloc(sizeof(*chunk) + size);
    if (!chunk) return NULL;
    chunk->size = size > CHUNK_LARGEST ? CHUNK_LARGEST : size;

    /* A large piece gets a chunk of its own behind the current one, which still has room for small ones. */
    if (arena->chunks && size - wanted < room(arena)) {
        chunk->older = arena->chunks->older;
        arena->chunks->older = chunk;
        return chunk->data;
    }
    chunk->older = arena->chunks;
    arena->chunks = chunk;
    arena->next = chunk->data + wanted;
    arena->end = chunk->data + size;
    return chunk->data;
}

void *pdk_arena_begin(struct pdk_arena *arena, size_t size, size_t more) {
    void *piece = new_chunk(arena, size, round_up(size) + more);
    return piece ? memset(piece, 0, size) : NULL;
}

void *pdk_arena_alloc(struct pdk_arena *arena, size_t size) {
    if (size > PTRDIFF_MAX / 2) return NULL;
    void *piece = arena->next;
    size_t taken = round_up(size);
    if (taken <= room(arena)) {
        arena->next += taken;
    } else {
        piece = new_chunk(arena, size, chunk_size(arena));
    }
    return piece ? memset(piece, 0, size) : NULL;
}

char *pdk_arena_text(struct pdk_arena *arena, const char *data, size_t size) {
    if (size > PTRDIFF_MAX / 2) return NULL;
    char *text;
    if (size < room(arena)) {
        text = arena->end -= size + 1;
    } else {
        text = new_chunk(arena, size + 1, chunk_size(arena));
        if (!text) return NULL;
    }
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

void pdk_arena_free(struct pdk_arena *arena) {
    for (struct pdk_arena_chunk *chunk = arena->chunks, *older; chunk; chunk = older) {
        older = chunk->older;
        free(chunk);
    }
    *arena = (struct pdk_arena){0};
}
