/* SPDX-License-Identifier: Apache-2.0 */
/* W3C traceparent: 00-<32 hex digits: trace>-<16: parent>-<2: flags>, not all 0 in either. */
#include "job.h"

static bool is_hex(const char *text, size_t size, bool may_be_zero) {
    size_t zeros = 0;
    for (size_t i = 0; i < size; i++) {
        if (!text[i] || !strchr("0123456789abcdef", text[i])) return false;
        zeros += text[i] == '0';
    }
    return may_be_zero || zeros < size;
}

bool queue_trace_is(const char *text) {
    if (strlen(text) != QUEUE_TRACE_SIZE - 1) return false;
    if (strncmp(text, "00-", 3) != 0 || text[35] != '-' || text[52] != '-') return false;
    return is_hex(text + 3, 32, false) && is_hex(text + 36, 16, false) && is_hex(text + 53, 2, true);
}

/* Never 0. */
static uint64_t mix(uint64_t z) {
    return queue_mix(z) | 1;
}

static void put_hex(char *at, uint64_t number) {
    for (int shift = 60; shift >= 0; shift -= 4) *at++ = "0123456789abcdef"[number >> shift & 15];
}

void queue_trace_make(char ret[static QUEUE_TRACE_SIZE], uint64_t seed, int64_t id) {
    uint64_t own = mix(seed ^ mix((uint64_t)id));
    memcpy(ret, "00-00000000000000000000000000000000-0000000000000000-01", QUEUE_TRACE_SIZE);
    put_hex(ret + 3, own);
    put_hex(ret + 19, mix(own));
    put_hex(ret + 36, mix(own + 1));
}
