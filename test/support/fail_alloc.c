/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#include "support/fail_alloc.h"

static atomic_long countdown; /* 1: the next one fails; 0: none does */
static atomic_bool happened;
static void (*tell)(void);

void pdk_fail_at(long n) {
    atomic_store(&happened, false);
    atomic_store(&countdown, n);
}

void pdk_fail_tell(void (*told)(void)) {
    tell = told;
}

bool pdk_fail_happened(void) {
    return atomic_load(&happened);
}

static bool must_fail(void) {
    if (atomic_load(&countdown) <= 0 || atomic_fetch_sub(&countdown, 1) != 1) return false;
    atomic_store(&happened, true);
    if (tell) tell();
    errno = ENOMEM;
    return true;
}

/* The linker sends calls of NAME to __wrap_NAME; __real_NAME is the C library's, or the sanitizer's. */
#define WRAP(name, declared, passed)  \
    void *__real_##name declared;     \
    void *__wrap_##name declared;     \
    void *__wrap_##name declared {    \
        if (must_fail()) return NULL; \
        return __real_##name passed;  \
    }

WRAP(malloc, (size_t size), (size))
WRAP(calloc, (size_t count, size_t size), (count, size))
WRAP(realloc, (void *old, size_t size), (old, size))
WRAP(reallocarray, (void *old, size_t count, size_t size), (old, count, size))
WRAP(strdup, (const char *text), (text))
WRAP(strndup, (const char *text, size_t size), (text, size))

long pdk_fail_sweep(int32_t (*run)(void *arg), void *arg) {
    for (long n = 1;; n++) {
        pdk_fail_at(n);
        int32_t rc = run(arg);
        bool failed = pdk_fail_happened();
        pdk_fail_at(0);
        if (!failed) return rc == 0 ? n - 1 : rc;
        if (rc != 0 && rc != -ENOMEM) return rc;
    }
}
