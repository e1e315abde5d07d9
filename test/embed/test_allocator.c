/* SPDX-License-Identifier: Apache-2.0 */
/* A host with an allocator of its own, which counts: the guest uses it as it is, and gives everything back. */
#include "guest.h"

#include <stdatomic.h>

static atomic_long living, calls;

/* The C library's, by their other names. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

#define OURS __attribute__((visibility("default"))) /* so that libraries find these first */

static void *counted(void *block) {
    if (block) atomic_fetch_add(&living, 1);
    atomic_fetch_add(&calls, 1);
    return block;
}

OURS void *malloc(size_t size) {
    return counted(__libc_malloc(size));
}

OURS void *calloc(size_t count, size_t size) {
    return counted(__libc_calloc(count, size));
}

OURS void *aligned_alloc(size_t alignment, size_t size) {
    return counted(__libc_memalign(alignment, size));
}

OURS void *realloc(void *old, size_t size) {
    void *block = __libc_realloc(old, size);
    atomic_fetch_add(&calls, 1);
    if (!old && block) atomic_fetch_add(&living, 1);
    if (old && !block && size == 0) atomic_fetch_sub(&living, 1);
    return block;
}

OURS void free(void *block) {
    if (block) atomic_fetch_sub(&living, 1);
    __libc_free(block);
}

/* What is lost is lost with each visit; what the C library keeps for threads to come may differ now and then. */
static void test_everything_is_given_back(void **state) {
    (void)state;
    enum { VISITS = 12, WARM = 2 };
    long last = 0;
    for (int i = 0; i < VISITS; i++) {
        struct guest guest = {0};
        long before = calls;
        guest_visit(&guest);
        assert_true(calls - before > 100);
        if (i >= WARM && living == last) return;
        last = living;
    }
    fail_msg("each visit leaves memory behind; %ld blocks by now", last);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_everything_is_given_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
