/* SPDX-License-Identifier: Apache-2.0 */
/* Random delays that can be told in advance: they depend on the seed, the run and the attempt, and on nothing else. */
#ifndef CORE_SUPERVISE_JITTER_H
#define CORE_SUPERVISE_JITTER_H

#include "core/spec/spec.h"

/* The delay of a base, before a run's next attempt. attempt is the number of the one that failed. */
uint64_t pdk_jitter_delay(const struct pdk_policy *policy, uint64_t base, uint64_t seed, uint64_t seq,
                          uint32_t attempt);

/* splitmix64, one round. */
uint64_t pdk_jitter_mix(uint64_t z);

#endif
