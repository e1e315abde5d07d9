/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often one may ask: a bucket of tokens for each address or user, filled at a steady rate, holding two seconds' worth.
 * The table has a fixed size. A newcomer takes the place of who was away the longest among four, so nobody makes it grow.
 */
#include <sys/random.h>

#include "console.h"

enum { WAYS = 4 };

void con_limits_begin(struct con_limits *limits) {
    if (getrandom(&limits->seed, sizeof limits->seed, GRND_NONBLOCK) < 0) limits->seed = 0;
}

/* FNV-1a, begun with what strangers do not know. */
static uint64_t hash(const struct con_limits *limits, const unsigned char key[16]) {
    uint64_t h = UINT64_C(14695981039346656037) ^ limits->seed;
    for (size_t i = 0; i < 16; i++) h = (h ^ key[i]) * UINT64_C(1099511628211);
    return h ^ h >> 29;
}

static struct con_bucket *find(struct con_limits *limits, const unsigned char key[16]) {
    struct con_bucket *set = &limits->buckets[hash(limits, key) % (CON_BUCKETS / WAYS) * WAYS], *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (!memcmp(set[i].key, key, sizeof set[i].key)) return &set[i];
        if (set[i].used < oldest->used) oldest = &set[i];
    }
    memcpy(oldest->key, key, sizeof oldest->key);
    oldest->filled_ns = 0;
    return oldest;
}

uint32_t con_limits_take(struct con_limits *limits, const unsigned char key[16], int64_t rate, uint64_t now) {
    if (rate <= 0) return 0;
    struct con_bucket *bucket = find(limits, key);
    double most = 2.0 * (double)rate;
    if (!bucket->filled_ns) {
        bucket->tokens = most;
    } else {
        bucket->tokens += (double)(now - bucket->filled_ns) / (double)SECOND * (double)rate;
    }
    if (bucket->tokens > most) bucket->tokens = most;
    bucket->filled_ns = bucket->used = now;
    if (bucket->tokens < 1) return (uint32_t)(1 + (1 - bucket->tokens) / (double)rate);
    bucket->tokens -= 1;
    return 0;
}
