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

static void add_digits(char *at, uint64_t number, size_t count) {
    for (size_t i = count; i--; number /= 10) at[i] = (char)('0' + number % 10);
}

/* By hand: a history of short runs has ten of them for each. */
const char *pdk_time_text(uint64_t unix_ns, char *buf, size_t size) {
    time_t seconds = (time_t)(unix_ns / PDK_SECOND);
    struct tm tm = {0};
    char text[] = "0000-00-00T00:00:00.000000000Z";
    static const size_t places[] = {5, 8, 11, 14, 17};
    (void)gmtime_r(&seconds, &tm);
    const int parts[] = {tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec};
    add_digits(text, (uint64_t)tm.tm_year + 1900, 4);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) add_digits(text + places[i], (uint64_t)parts[i], 2);
    add_digits(text + 20, unix_ns % PDK_SECOND, 9);
    (void)snprintf(buf, size, "%s", text);
    return buf;
}
