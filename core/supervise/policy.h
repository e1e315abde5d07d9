/* SPDX-License-Identifier: Apache-2.0 */
/* What follows the end of an attempt. A pure function of the spec, the past and the result: states.md section 7. */
#ifndef CORE_SUPERVISE_POLICY_H
#define CORE_SUPERVISE_POLICY_H

#include <stdbool.h>

#include "core/spec/spec.h"

#define PDK_RETRY_AFTER_MAX   (UINT64_C(3600) * 1000000000)
#define PDK_POLICY_RING_LIMIT 65536

/* The last `size` times of something, oldest first from `next` once it is full. */
struct pdk_ring {
    uint64_t *times;
    uint32_t size, count, next;
};

/* What of a run's past the policy looks at. */
struct pdk_past {
    uint32_t attempts;
    uint32_t retries;         /* of this streak */
    uint64_t base;            /* the last pause before jitter; 0: none yet in this streak */
    struct pdk_ring starts;   /* size 0: no start limit */
    struct pdk_ring failures; /* size 0: retries count by streaks */
};

/* How an attempt ended, as far as the policy cares. */
struct pdk_ending {
    int32_t status;       /* PDK_SUCCESS, PDK_FAILURE or PDK_RETRY */
    bool timed_out;       /* a failure, whatever the plugin said */
    uint64_t retry_after; /* of PDK_RETRY */
    uint64_t lived;       /* ns */
    uint64_t now;         /* when it ended */
    uint64_t deadline;    /* of the run; 0: none */
    uint64_t seed, seq;   /* of the jitter */
};

enum pdk_next_kind { PDK_NEXT_END, PDK_NEXT_RETRY, PDK_NEXT_AGAIN };

struct pdk_next {
    enum pdk_next_kind kind;
    int32_t end;      /* PDK_END_... */
    const char *code; /* of an end the host decides: "deadline", "start_limit"; else NULL */
    bool exhausted;   /* an end for want of retries */
    bool held_back;   /* the start limit made the delay longer */
    uint64_t delay;
    uint32_t retries; /* the past's, from now on */
    uint64_t base;
};

void pdk_policy_next(const struct pdk_policy *policy, const struct pdk_past *past, const struct pdk_ending *ending,
                     struct pdk_next *next);

/* The size of the rings that a policy needs; 0: none. */
uint32_t pdk_policy_starts(const struct pdk_policy *policy);
uint32_t pdk_policy_failures(const struct pdk_policy *policy);

void pdk_ring_push(struct pdk_ring *ring, uint64_t time);
uint64_t pdk_ring_oldest(const struct pdk_ring *ring); /* of a full one */

#endif
