/* SPDX-License-Identifier: Apache-2.0 */
/* Keys come from strangers (files, messages), so they are hashed with a secret: nobody can choose collisions. */
#ifndef CORE_BASE_HASH_H
#define CORE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t pdk_hash(const void *data, size_t size);

#endif
