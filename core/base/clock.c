/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "core/base/clock.h"

/* Neither clock can fail on Linux with these numbers. */
static uint64_t read_clock(clockid_t clock) {
    struct timespec now = {0, 0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * PDK_SECOND + (uint64_t)now.tv_nsec;
}

uint64_t pdk_clock_now(void) {
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t pdk_clock_unix(void) {
    return read_clock(CLOCK_REALTIME);
}
