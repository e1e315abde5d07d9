/* SPDX-License-Identifier: Apache-2.0 */
/* Slots that are owned, by name. The name is the owner's, so nothing is copied; who inherits a slot renames it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"

/* Names come from messages, so the hash has a secret. */
static uint64_t hash_of(const struct pdk_slots *slots, const char *name, size_t size) {
    uint64_t h = slots->secret ^ size, word = 0;
    for (; size >= 8; size -= 8, name += 8) {
        memcpy(&word, name, 8);
        h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    word = 0;
    memcpy(&word, name, size);
    h = (h ^ word) * UINT64_C(0xBF58476D1CE4E5B9);
    return h ^ h >> 32;
}

static int32_t widen(struct pdk_slots *slots) {
    uint32_t size = slots->buckets ? (slots->mask + 1) * 2 : 64;
    struct pdk_slot **buckets = calloc(size, sizeof(*buckets));
    if (!buckets) return -ENOMEM;
    for (uint32_t i = 0; slots->buckets && i <= slots->mask; i++) {
        struct pdk_slot *slot = slots->buckets[i];
        while (slot) {
            struct pdk_slot *next = slot->next;
            slot->next = buckets[slot->hash & (size - 1)];
            buckets[slot->hash & (size - 1)] = slot;
            slot = next;
        }
    }
    free(slots->buckets);
    slots->buckets = buckets;
    slots->mask = size - 1;
    return 0;
}

int32_t pdk_slots_reserve(struct pdk_slots *slots, uint32_t count) {
    while (!slots->buckets || slots->mask < count) {
        int32_t rc = widen(slots);
        if (rc < 0) return rc;
    }
    while (slots->reserved < count) {
        struct pdk_slot *slot = calloc(1, sizeof *slot);
        if (!slot) return -ENOMEM;
        slot->next = slots->free;
        slots->free = slot;
        slots->reserved++;
    }
    return 0;
}

struct pdk_slot *pdk_slot_find(const struct pdk_slots *slots, const char *name, size_t size, uint64_t *ret_hash) {
    uint64_t hash = hash_of(slots, name, size);
    *ret_hash = hash;
    for (struct pdk_slot *slot = slots->buckets[hash & slots->mask]; slot; slot = slot->next) {
        const struct pdk_record *owner = slot->owner;
        if (slot->hash == hash && owner->slot_size == size && !memcmp(owner->slot_name, name, size)) return slot;
    }
    return NULL;
}

struct pdk_slot *pdk_slot_take(struct pdk_slots *slots, uint64_t hash, struct pdk_record *owner) {
    struct pdk_slot *slot = slots->free, **bucket = &slots->buckets[hash & slots->mask];
    slots->free = slot->next;
    *slot = (struct pdk_slot){.next = *bucket, .hash = hash, .owner = owner};
    TAILQ_INIT(&slot->queue);
    *bucket = slot;
    slots->count++;
    return slot;
}

void pdk_slot_wait(struct pdk_slot *slot, struct pdk_record *run) {
    if (run->replacing) {
        slot->head = run;
    } else {
        TAILQ_INSERT_TAIL(&slot->queue, run, line);
        slot->waiting++;
    }
}

void pdk_slot_leave(struct pdk_slot *slot, struct pdk_record *run) {
    if (slot->head == run) {
        slot->head = NULL;
    } else {
        TAILQ_REMOVE(&slot->queue, run, line);
        slot->waiting--;
    }
}

struct pdk_record *pdk_slot_pass(struct pdk_slots *slots, struct pdk_slot *slot) {
    struct pdk_record *next = slot->head ? slot->head : TAILQ_FIRST(&slot->queue);
    if (next) {
        pdk_slot_leave(slot, next);
        slot->owner = next;
        return next;
    }
    struct pdk_slot **at = &slots->buckets[slot->hash & slots->mask];
    while (*at != slot) at = &(*at)->next;
    *at = slot->next;
    slot->next = slots->free;
    slots->free = slot;
    slots->count--;
    return NULL;
}

void pdk_slots_free(struct pdk_slots *slots) {
    for (uint32_t i = 0; slots->buckets && i <= slots->mask; i++) {
        for (struct pdk_slot *slot = slots->buckets[i], *next; slot; slot = next) {
            next = slot->next;
            free(slot);
        }
    }
    for (struct pdk_slot *slot = slots->free, *next; slot; slot = next) {
        next = slot->next;
        free(slot);
    }
    free(slots->buckets);
    *slots = (struct pdk_slots){0};
}
