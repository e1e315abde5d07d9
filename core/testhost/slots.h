/* SPDX-License-Identifier: Apache-2.0 */
/* The slots through which a loaded file calls functions of others. */
#ifndef CORE_TESTHOST_SLOTS_H
#define CORE_TESTHOST_SLOTS_H

#include <stddef.h>
#include <stdint.h>

/* A file that is loaded; index 0 is the program. */
struct pdk_object {
    const char *name;
    size_t index;
    uintptr_t base, begin, end;
    const void *dynamic;
};

struct pdk_slot {
    const char *name;
    uintptr_t from, to; /* the function, and what to call in its place */
};

size_t pdk_slots_count(void);
void pdk_slots_each(void (*each)(void *arg, const struct pdk_object *object), void *arg);

/* Where an address of code lies, for people and addr2line: "greet.so+0x1234". Returns buf. */
enum { PDK_PLACE_MAX = 128 };
const char *pdk_place(uintptr_t address, char *buf, size_t size);

/* Who called the function that this stands in. */
#define PDK_CALLER ((uintptr_t)__builtin_return_address(0))

/* Turn the slots of these functions. Those that are turned already stay so. */
void pdk_slots_turn(const struct pdk_object *object, const struct pdk_slot *slots, size_t count);

#endif
