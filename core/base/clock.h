/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BASE_CLOCK_H
#define CORE_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define PDK_MICROSECOND UINT64_C(1000)
#define PDK_MILLISECOND UINT64_C(1000000)
#define PDK_SECOND      UINT64_C(1000000000)
#define PDK_MINUTE      (60 * PDK_SECOND)
#define PDK_HOUR        (60 * PDK_MINUTE)
#define PDK_DAY         (24 * PDK_HOUR)

uint64_t pdk_clock_now(void);  /* CLOCK_MONOTONIC in ns */
uint64_t pdk_clock_unix(void); /* CLOCK_REALTIME in ns */

/* RFC 3339 in UTC with ns. Returns buf. */
const char *pdk_time_text(uint64_t unix_ns, char *buf, size_t size);

/* a + b, and UINT64_MAX rather than an overflow. */
static inline uint64_t pdk_time_add(uint64_t a, uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
