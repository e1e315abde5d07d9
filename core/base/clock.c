/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
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

const char *pdk_time_text(uint64_t unix_ns, char *buf, size_t size) {
    time_t seconds = (time_t)(unix_ns / PDK_SECOND);
    struct tm tm;
    char day[32];
    if (!gmtime_r(&seconds, &tm) || !strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm)) day[0] = '\0';
    (void)snprintf(buf, size, "%s.%09lluZ", day, (unsigned long long)(unix_ns % PDK_SECOND));
    return buf;
}
