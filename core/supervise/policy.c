/* SPDX-License-Identifier: Apache-2.0 */
/* Retries, back-off, start limit and deadline. Integer nanoseconds; sums saturate, products have 128 bits. */
#include "core/supervise/policy.h"

#include "core/base/clock.h"
#include "core/supervise/jitter.h"

void pdk_ring_push(struct pdk_ring *ring, uint64_t time) {
    if (!ring->size) return;
    ring->times[ring->next] = time;
    ring->next = (ring->next + 1) % ring->size;
    if (ring->count < ring->size) ring->count++;
}

uint64_t pdk_ring_oldest(const struct pdk_ring *ring) {
    return ring->times[ring->next];
}

static uint32_t ring_size(uint32_t wanted) {
    return wanted < PDK_POLICY_RING_LIMIT ? wanted : PDK_POLICY_RING_LIMIT;
}

uint32_t pdk_policy_starts(const struct pdk_policy *policy) {
    return policy->start_within ? ring_size(policy->start_burst) : 0;
}

uint32_t pdk_policy_failures(const struct pdk_policy *policy) {
    return policy->retries_within && policy->retries != PDK_RETRIES_UNLIMITED ? ring_size(policy->retries) : 0;
}

static void end(struct pdk_next *next, int32_t how, const char *code) {
    *next = (struct pdk_next){.kind = PDK_NEXT_END, .end = how, .code = code};
}

/* Is there no retry left? By the streak, or by the failures of the last while. */
static bool exhausted(const struct pdk_policy *policy, const struct pdk_past *past, uint64_t now) {
    if (policy->retries == PDK_RETRIES_UNLIMITED) return false;
    const struct pdk_ring *ring = &past->failures;
    if (!ring->size) return past->retries >= policy->retries;
    return ring->count == ring->size && now - pdk_ring_oldest(ring) < policy->retries_within;
}

static uint64_t grow(const struct pdk_policy *policy, uint64_t base) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)base * policy->backoff_factor >> 20;
    return product > policy->backoff_max ? policy->backoff_max : (uint64_t)product;
}

/* The pause before the next retry. A long healthy attempt lets it begin anew, but not the count of retries:
 * a task that works for hours and always fails must come to an end too. */
static uint64_t next_base(const struct pdk_policy *policy, const struct pdk_past *past, uint64_t lived) {
    bool healthy = policy->backoff_reset && lived >= policy->backoff_reset;
    if (!past->base || healthy) return policy->backoff_first;
    return grow(policy, past->base);
}

/* next->end is there already, if it comes to that. */
static void retry(const struct pdk_policy *policy, const struct pdk_past *past, const struct pdk_ending *ending,
                  struct pdk_next *next) {
    if (exhausted(policy, past, ending->now)) {
        next->kind = PDK_NEXT_END;
        next->exhausted = policy->retries > 0;
        return;
    }
    next->kind = PDK_NEXT_RETRY;
    next->base = past->base;
    next->retries = past->retries < UINT32_MAX ? past->retries + 1 : UINT32_MAX;
    if (ending->status == PDK_RETRY && !ending->timed_out) {
        next->delay = ending->retry_after < PDK_MILLISECOND ? PDK_MILLISECOND : ending->retry_after;
        if (next->delay > PDK_RETRY_AFTER_MAX) next->delay = PDK_RETRY_AFTER_MAX;
        return;
    }
    next->base = next_base(policy, past, ending->lived);
    next->delay = pdk_jitter_delay(policy, next->base, ending->seed, ending->seq, past->attempts);
}

/* Not more than `burst` starts in any `within`. What runs every so often has a pace of its own, but for its retries. */
static void limit_starts(const struct pdk_policy *policy, const struct pdk_past *past, const struct pdk_ending *ending,
                         struct pdk_next *next) {
    const struct pdk_ring *ring = &past->starts;
    if (!ring->size || ring->count < ring->size) return;
    uint64_t earliest = pdk_time_add(pdk_ring_oldest(ring), policy->start_within);
    if (earliest <= pdk_time_add(ending->now, next->delay)) return;
    if (policy->start_fail) {
        end(next, PDK_END_FAILED, "start_limit");
        return;
    }
    next->delay = earliest - ending->now;
    next->held_back = true;
}

void pdk_policy_next(const struct pdk_policy *policy, const struct pdk_past *past, const struct pdk_ending *ending,
                     struct pdk_next *next) {
    bool success = ending->status == PDK_SUCCESS && !ending->timed_out;
    int32_t last = success ? PDK_END_SUCCEEDED : ending->timed_out ? PDK_END_TIMED_OUT : PDK_END_FAILED;
    end(next, last, NULL);
    if (policy->restart == PDK_RESTART_NEVER || (success && policy->restart == PDK_RESTART_ON_FAILURE)) return;
    if (success) {
        next->kind = PDK_NEXT_AGAIN;
        next->delay = policy->every;
    } else {
        retry(policy, past, ending, next);
    }
    bool paced = next->kind == PDK_NEXT_AGAIN && policy->every;
    if (next->kind != PDK_NEXT_END && !paced) limit_starts(policy, past, ending, next);
    if (next->kind == PDK_NEXT_END || !ending->deadline) return;
    if (pdk_time_add(ending->now, next->delay) >= ending->deadline) end(next, last, "deadline");
}
