/* SPDX-License-Identifier: Apache-2.0 */
/* The four jitters, in whole nanoseconds. */
#include "core/supervise/jitter.h"

#include "core/base/clock.h"

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

struct draws {
    uint64_t state, count;
};

uint64_t pdk_jitter_mix(uint64_t z) {
    z += GOLDEN;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t draw(struct draws *draws) {
    return pdk_jitter_mix(draws->state + draws->count++ * GOLDEN);
}

/* 0..most inclusive, every value as likely as the next: draws that would tilt it are thrown away. */
static uint64_t uniform(struct draws *draws, uint64_t most) {
    if (most == UINT64_MAX) return draw(draws);
    uint64_t n = most + 1;
    uint64_t tail = (UINT64_MAX % n + 1) % n; /* 2^64 mod n */
    uint64_t r = draw(draws);
    while (tail && r > UINT64_MAX - tail) r = draw(draws);
    return r % n;
}

static uint64_t between(uint64_t value, uint64_t low, uint64_t high) {
    return value < low ? low : value > high ? high : value;
}

static uint64_t spread(const struct pdk_policy *policy, uint64_t base, struct draws *draws) {
    switch (policy->jitter) {
    case PDK_JITTER_FULL: return uniform(draws, base);
    case PDK_JITTER_EQUAL: return base / 2 + uniform(draws, base - base / 2);
    case PDK_JITTER_DECORRELATED: {
        uint64_t low = policy->backoff_first < policy->backoff_max ? policy->backoff_first : policy->backoff_max;
        uint64_t triple = base > UINT64_MAX / 3 ? UINT64_MAX : 3 * base;
        uint64_t high = triple < policy->backoff_max ? triple : policy->backoff_max;
        if (high < low) high = low;
        return low + uniform(draws, high - low);
    }
    case PDK_JITTER_NONE:
    default: return base;
    }
}

uint64_t pdk_jitter_delay(const struct pdk_policy *policy, uint64_t base, uint64_t seed, uint64_t seq,
                          uint32_t attempt) {
    if (!base) return 0;
    struct draws draws = {pdk_jitter_mix(pdk_jitter_mix(seed + seq) + attempt), 0};
    uint64_t max = policy->backoff_max;
    uint64_t floor = PDK_MILLISECOND < max ? PDK_MILLISECOND : max;
    return between(spread(policy, base, &draws), floor, max);
}
