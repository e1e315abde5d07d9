/* SPDX-License-Identifier: Apache-2.0 */
/* Keys come from strangers (files, messages), so they are hashed with a secret: nobody can choose collisions. */
#ifndef CORE_BASE_HASH_H
#define CORE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The secret of this process; the same at every call. */
struct pdk_hash_key {
    uint64_t words[2];
};
struct pdk_hash_key pdk_hash_key(void);

uint64_t pdk_hash(const struct pdk_hash_key *key, const void *data, size_t size);

#endif
