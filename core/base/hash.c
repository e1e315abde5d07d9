/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-1-3 (Aumasson and Bernstein), keyed by the 16 random bytes that the kernel gives every process. */
#include <string.h>
#include <sys/auxv.h>

#include "core/base/hash.h"

struct state {
    uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

static inline void mix(struct state *s) {
    s->a += s->b;
    s->c += s->d;
    s->b = rotate(s->b, 13) ^ s->a;
    s->d = rotate(s->d, 16) ^ s->c;
    s->a = rotate(s->a, 32) + s->d;
    s->c += s->b;
    s->b = rotate(s->b, 17) ^ s->c;
    s->d = rotate(s->d, 21) ^ s->a;
    s->c = rotate(s->c, 32);
}

static inline void absorb(struct state *s, uint64_t word) {
    s->d ^= word;
    mix(s);
    s->a ^= word;
}

struct pdk_hash_key pdk_hash_key(void) {
    struct pdk_hash_key key = {{0, 0}};
    unsigned long random = getauxval(AT_RANDOM);                /* an address, in the kernel's clothes */
    if (random) memcpy(&key, (const void *)random, sizeof key); // NOLINT(performance-no-int-to-ptr)
    return key;
}

uint64_t pdk_hash(const struct pdk_hash_key *key, const void *data, size_t size) {
    uint64_t first = key->words[0], second = key->words[1];
    struct state s = {first ^ UINT64_C(0x736f6d6570736575), second ^ UINT64_C(0x646f72616e646f6d),
                      first ^ UINT64_C(0x6c7967656e657261), second ^ UINT64_C(0x7465646279746573)};
    const unsigned char *bytes = data;
    uint64_t last = (uint64_t)size << 56, word;
    for (; size >= 8; bytes += 8, size -= 8) {
        memcpy(&word, bytes, 8);
        absorb(&s, word);
    }
    for (size_t i = 0; i < size; i++) last |= (uint64_t)bytes[i] << (8 * i);
    absorb(&s, last);
    s.c ^= 0xff;
    mix(&s);
    mix(&s);
    mix(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}
