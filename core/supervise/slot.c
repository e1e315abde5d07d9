/* SPDX-License-Identifier: Apache-2.0 */
/* Slots that are owned, by name. The name is the owner's, so nothing is copied; who inherits a slot renames it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"

static uint64_t word_at(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* The last bytes, up to eight: in two halves that may overlap, since a word that was just put together from bytes is
 * slow to read. */
static uint64_t rest_of(const char *at, size_t size) {
    uint32_t low, high;
    if (size < sizeof low)
        return size ? (uint64_t)(uint8_t)at[0] << 16 | (uint64_t)(uint8_t)at[size / 2] << 8 | (uint8_t)at[size - 1] : 0;
    memcpy(&low, at, sizeof low);
    memcpy(&high, at + size - sizeof high, sizeof high);
    return (uint64_t)high << 32 | low;
}

/* Names come from messages, so the hash has a secret: words are multiplied by it, and both halves of the product count.
 * Weaker than pdk_hash, which was measured to cost every run 5 ns more; what can be won by it is one slow slot. */
static uint64_t mix(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static uint64_t hash_of(const struct pdk_hash_key *key, const char *name, size_t size) {
    uint64_t h = key->words[0] ^ size, secret = key->words[1] | 1;
    for (; size > 8; size -= 8, name += 8) h = mix(h ^ word_at(name), secret);
    return mix(h ^ rest_of(name, size), secret);
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
    uint64_t hash = hash_of(&slots->key, name, size);
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
