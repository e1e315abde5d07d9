/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RRQ_TIMESTAMP_H
#define RRQ_TIMESTAMP_H

#include <stddef.h>
#include <stdint.h>

/* A time of RFC 3339, 2026-01-01T00:00:00.123Z or with an offset, as nanoseconds since 1970. What is before 1970 is
 * 0; digits beyond nanoseconds are cut. 0, or -EINVAL. */
int32_t pdk_rrq_time_parse(const char *text, uint64_t *ret);

/* The other way, in UTC and with all nine digits: 2026-01-01T00:00:00.123456789Z */
void pdk_rrq_time_print(uint64_t unix_ns, char *buf, size_t size);

#endif
