/* SPDX-License-Identifier: Apache-2.0 */
/* Running out of memory, on purpose: each allocation that the code under test makes is made to fail in turn. Shared
 * libraries keep theirs; only what is linked into the test is reached. */
#ifndef TEST_SUPPORT_FAIL_ALLOC_H
#define TEST_SUPPORT_FAIL_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

/* From now on the n-th allocation fails, and that one alone; 0: none. Forgets what was before. */
void pdk_fail_at(long n);

/* told is called, once, in the thread whose allocation has failed; NULL: nobody is. For a process that is not asked. */
void pdk_fail_tell(void (*told)(void));

/* Has it failed? */
bool pdk_fail_happened(void);

/* run is called again and again, failing the first, second, third ... allocation, until none is left to fail. It returns
 * 0, or -ENOMEM; both are fine while something failed, only 0 at the end. Returns how many were failed, or what run
 * should not have returned. */
long pdk_fail_sweep(int32_t (*run)(void *arg), void *arg);

#endif
