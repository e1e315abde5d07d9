/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
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

/* Digits with zeros before them, at the end of a field. */
static void put_digits(char *end, uint64_t number, int count) {
    for (; count; count--, number /= 10) *--end = (char)('0' + number % 10);
}

/* By hand: a run has up to five of these, and with strftime and snprintf they were a fifth of what it takes to describe
 * one. A year has four digits, for 64 bits of nanoseconds end in 2554. */
const char *pdk_time_text(uint64_t unix_ns, char *buf, size_t size) {
    char text[] = "0000-00-00T00:00:00.000000000Z";
    time_t seconds = (time_t)(unix_ns / PDK_SECOND);
    struct tm tm = {0};
    (void)gmtime_r(&seconds, &tm);
    put_digits(text + 4, (uint64_t)tm.tm_year + 1900, 4);
    put_digits(text + 7, (uint64_t)tm.tm_mon + 1, 2);
    put_digits(text + 10, (uint64_t)tm.tm_mday, 2);
    put_digits(text + 13, (uint64_t)tm.tm_hour, 2);
    put_digits(text + 16, (uint64_t)tm.tm_min, 2);
    put_digits(text + 19, (uint64_t)tm.tm_sec, 2);
    put_digits(text + 29, unix_ns % PDK_SECOND, 9);
    (void)strlcpy(buf, text, size);
    return buf;
}
