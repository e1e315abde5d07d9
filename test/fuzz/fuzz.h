/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What libFuzzer calls. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is; also in builds without asserts. */
#define MUST(condition) ((condition) ? (void)0 : abort())

/* A pdk_write for texts that only have to be made. */
static inline void ignore_text(void *arg, const char *data, size_t size) {
    (void)arg;
    (void)data;
    (void)size;
}

#endif
