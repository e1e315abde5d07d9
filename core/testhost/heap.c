/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks by address, in a table of open addresses; and the functions that stand in for the C library's. */
#include "core/testhost/heap.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/testhost/slots.h"

enum { RANGES_MAX = 64, FIRST_SIZE = 1024 };

struct range {
    uintptr_t begin, end, base;
    bool own;
    char name[64];
};

struct block {
    uintptr_t hidden; /* the address, inverted, so that no leak checker takes this for a user of it; 0: never used */
    uint64_t time;
    size_t size;
    uintptr_t caller;
};

static struct {
    pthread_mutex_t lock;
    struct range ranges[RANGES_MAX];
    size_t range_count;
    struct block *blocks;
    size_t live, used, capacity; /* used: live, or gone; capacity is a power of two */
    uint64_t time;
    uint32_t after, times, struck;
    bool all; /* libraries that came with a plugin fail too */
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

static const uintptr_t gone = UINTPTR_MAX; /* was used; no block lies at address 0 */

static const struct range *range_of(uintptr_t caller) {
    for (size_t i = 0; i < heap.range_count; i++)
        if (caller >= heap.ranges[i].begin && caller < heap.ranges[i].end) return &heap.ranges[i];
    return NULL;
}

static struct block *slot_of(struct block *blocks, size_t capacity, uintptr_t hidden) {
    size_t i = (size_t)((uint64_t)hidden * 0x9E3779B97F4A7C15u >> 20) & (capacity - 1);
    while (blocks[i].hidden && blocks[i].hidden != hidden) i = (i + 1) & (capacity - 1);
    return &blocks[i];
}

/* Those that are gone go; twice the room only when it is needed. */
static bool grow(void) {
    size_t capacity = heap.capacity ? heap.capacity : FIRST_SIZE;
    if (4 * heap.live > capacity) capacity *= 2;
    struct block *blocks = calloc(capacity, sizeof *blocks);
    if (!blocks) return false;
    heap.used = 0;
    for (size_t i = 0; i < heap.capacity; i++) {
        if (!heap.blocks[i].hidden || heap.blocks[i].hidden == gone) continue;
        *slot_of(blocks, capacity, heap.blocks[i].hidden) = heap.blocks[i];
        heap.used++;
    }
    free(heap.blocks);
    heap.blocks = blocks;
    heap.capacity = capacity;
    return true;
}

/* A block of which there is no room to keep count is never missed. */
static void add(const void *address, size_t size, uintptr_t caller) {
    if (!address) return;
    (void)pthread_mutex_lock(&heap.lock);
    if (range_of(caller) && (2 * heap.used < heap.capacity || grow())) {
        struct block *block = slot_of(heap.blocks, heap.capacity, ~(uintptr_t)address);
        if (!block->hidden) heap.used++;
        if (!block->hidden) heap.live++;
        *block = (struct block){~(uintptr_t)address, heap.time++, size, caller};
    }
    (void)pthread_mutex_unlock(&heap.lock);
}

/* Returns who had allocated it, 0: somebody else. */
static uintptr_t drop(const void *address) {
    uintptr_t caller = 0;
    if (!address) return 0;
    (void)pthread_mutex_lock(&heap.lock);
    if (heap.capacity) {
        struct block *block = slot_of(heap.blocks, heap.capacity, ~(uintptr_t)address);
        if (block->hidden) {
            caller = block->caller;
            block->hidden = gone;
            heap.live--;
        }
    }
    (void)pthread_mutex_unlock(&heap.lock);
    return caller;
}

static bool strikes(uintptr_t caller) {
    const struct range *range;
    bool struck = false;
    (void)pthread_mutex_lock(&heap.lock);
    range = heap.times ? range_of(caller) : NULL;
    if (range && (range->own || heap.all)) {
        struck = heap.after == 0;
        if (struck) {
            heap.struck++;
            if (heap.times != UINT32_MAX) heap.times--;
        } else {
            heap.after--;
        }
    }
    (void)pthread_mutex_unlock(&heap.lock);
    if (struck) errno = ENOMEM;
    return struck;
}

/* ---- what stands in for the C library's ---- */

static void *heap_malloc(size_t size) {
    uintptr_t caller = PDK_CALLER;
    void *made = strikes(caller) ? NULL : malloc(size);
    add(made, size, caller);
    return made;
}

static void *heap_calloc(size_t count, size_t size) {
    uintptr_t caller = PDK_CALLER;
    void *made = strikes(caller) ? NULL : calloc(count, size);
    add(made, count * size, caller);
    return made;
}

/* Whoever makes it larger, it stays the block of whom it was. */
static void *resize(void *old, size_t count, size_t size, uintptr_t caller) {
    uintptr_t before;
    size_t all;
    void *made;
    if (strikes(caller)) return NULL;
    if (__builtin_mul_overflow(count, size, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    before = drop(old);
    made = realloc(old, all); /* reallocarray of the C library calls realloc by a slot that is turned */
    if (made)
        add(made, all, before ? before : caller);
    else if (before && all)
        add(old, 0, before);
    return made;
}

static void *heap_realloc(void *old, size_t size) {
    return resize(old, 1, size, PDK_CALLER);
}

static void *heap_reallocarray(void *old, size_t count, size_t size) {
    return resize(old, count, size, PDK_CALLER);
}

static char *copy(const char *text, size_t size, uintptr_t caller) {
    char *made = strikes(caller) ? NULL : malloc(size + 1);
    if (!made) return NULL;
    memcpy(made, text, size);
    made[size] = '\0';
    add(made, size + 1, caller);
    return made;
}

static char *heap_strdup(const char *text) {
    return copy(text, strlen(text), PDK_CALLER);
}

static char *heap_strndup(const char *text, size_t size) {
    return copy(text, strnlen(text, size), PDK_CALLER);
}

static void *heap_aligned_alloc(size_t alignment, size_t size) {
    uintptr_t caller = PDK_CALLER;
    void *made = strikes(caller) ? NULL : aligned_alloc(alignment, size);
    add(made, size, caller);
    return made;
}

static int heap_posix_memalign(void **ret, size_t alignment, size_t size) {
    uintptr_t caller = PDK_CALLER;
    int rc = strikes(caller) ? ENOMEM : posix_memalign(ret, alignment, size);
    if (rc == 0) add(*ret, size, caller);
    return rc;
}

static void heap_free(void *block) {
    (void)drop(block);
    free(block);
}

#define TURN(name) \
    { #name, (uintptr_t)name, (uintptr_t)heap_##name }

static size_t turns(const struct pdk_slot **ret) {
    static struct pdk_slot table[9];
    const struct pdk_slot all[] = {TURN(malloc),        TURN(calloc),         TURN(realloc),
                                   TURN(reallocarray),  TURN(strdup),         TURN(strndup),
                                   TURN(aligned_alloc), TURN(posix_memalign), TURN(free)};
    memcpy(table, all, sizeof all);
    *ret = table;
    return sizeof all / sizeof *all;
}

/* ---- for the host ---- */

size_t pdk_heap_before(void) {
    return pdk_slots_count();
}

static void add_range(const struct pdk_object *object, bool own) {
    struct range *range = &heap.ranges[heap.range_count];
    const char *slash = strrchr(object->name, '/');
    /* what `new` allocates is the plugin's */
    if (strstr(object->name, "/libstdc++.") || strstr(object->name, "/libc++.")) own = true;
    if (heap.range_count == RANGES_MAX) return;
    *range = (struct range){.begin = object->begin, .end = object->end, .base = object->base, .own = own};
    (void)snprintf(range->name, sizeof range->name, "%s", slash ? slash + 1 : object->name);
    heap.range_count++;
}

struct finding {
    size_t before;
    uintptr_t entry;
};

/* The allocator of a sanitizer, and the loader, see to themselves. */
static bool is_apart(const char *name) {
    static const char *const words[] = {
        "libasan", "libtsan", "libubsan", "liblsan", "/ld-linux", "linux-vdso",
#ifdef __SANITIZE_THREAD__
        "/libc.so" /* it allocates in threads that the sanitizer does not know yet */
#endif
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(name, words[i])) return true;
    return false;
}

static void each(void *arg, const struct pdk_object *object) {
    const struct finding *finding = arg;
    uintptr_t here = (uintptr_t)heap_free;
    bool own = finding->entry >= object->begin && finding->entry < object->end;
    const struct pdk_slot *table;
    size_t count = turns(&table);
    if (object->index == 0 || is_apart(object->name) || (here >= object->begin && here < object->end)) return;
    (void)pthread_mutex_lock(&heap.lock);
    if ((object->index >= finding->before || own) && !range_of(object->begin)) add_range(object, own);
    (void)pthread_mutex_unlock(&heap.lock);
    pdk_slots_turn(object, table, count);
}

int32_t pdk_heap_after(size_t before, const void *entry) {
    struct finding finding = {before, (uintptr_t)entry};
    bool known;
    pdk_slots_each(each, &finding);
    (void)pthread_mutex_lock(&heap.lock);
    known = range_of((uintptr_t)entry) != NULL;
    (void)pthread_mutex_unlock(&heap.lock);
    return known ? 0 : -ENOTSUP;
}

uint64_t pdk_heap_time(void) {
    uint64_t time;
    (void)pthread_mutex_lock(&heap.lock);
    time = heap.time++;
    (void)pthread_mutex_unlock(&heap.lock);
    return time;
}

void pdk_heap_left(uint64_t since, bool all, struct pdk_heap_left *ret) {
    uint64_t first = UINT64_MAX;
    *ret = (struct pdk_heap_left){0, 0, ""};
    (void)pthread_mutex_lock(&heap.lock);
    for (size_t i = 0; i < heap.capacity; i++) {
        const struct block *block = &heap.blocks[i];
        const struct range *range;
        if (!block->hidden || block->hidden == gone || block->time < since) continue;
        range = range_of(block->caller);
        if (!range || (!all && !range->own)) continue;
        ret->blocks++;
        ret->bytes += block->size;
        if (block->time >= first) continue;
        first = block->time;
        (void)snprintf(ret->first, sizeof ret->first, "%s+0x%llx", range->name,
                       (unsigned long long)(block->caller - range->base));
    }
    (void)pthread_mutex_unlock(&heap.lock);
}

void pdk_heap_fail(bool all, uint32_t after, uint32_t times) {
    (void)pthread_mutex_lock(&heap.lock);
    heap.all = all;
    heap.after = after;
    heap.times = times;
    heap.struck = 0;
    (void)pthread_mutex_unlock(&heap.lock);
}

uint32_t pdk_heap_struck(void) {
    uint32_t struck;
    (void)pthread_mutex_lock(&heap.lock);
    struck = heap.struck;
    (void)pthread_mutex_unlock(&heap.lock);
    return struck;
}
