/* SPDX-License-Identifier: Apache-2.0 */
#include "core/testhost/slots.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A slot for calls, which may not have been filled yet; other kinds are known by what they hold. */
#if defined(__x86_64__)
#define JUMP_SLOT R_X86_64_JUMP_SLOT
#elif defined(__aarch64__)
#define JUMP_SLOT R_AARCH64_JUMP_SLOT
#else
#define JUMP_SLOT UINT32_MAX
#endif

struct walk {
    void (*each)(void *arg, const struct pdk_object *object);
    void *arg;
    size_t count;
};

static void measure(const struct dl_phdr_info *info, struct pdk_object *object) {
    object->begin = UINTPTR_MAX;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t begin = info->dlpi_addr + part->p_vaddr, end = begin + part->p_memsz;
        if (part->p_type == PT_DYNAMIC) object->dynamic = (const void *)begin;
        if (part->p_type != PT_LOAD) continue;
        if (begin < object->begin) object->begin = begin;
        if (end > object->end) object->end = end;
    }
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg) {
    struct walk *walk = arg;
    struct pdk_object object = {.name = info->dlpi_name, .index = walk->count++, .base = info->dlpi_addr};
    (void)size;
    if (!walk->each) return 0;
    measure(info, &object);
    if (object.begin < object.end) walk->each(walk->arg, &object);
    return 0;
}

void pdk_slots_each(void (*each)(void *arg, const struct pdk_object *object), void *arg) {
    struct walk walk = {each, arg, 0};
    (void)dl_iterate_phdr(visit, &walk);
}

size_t pdk_slots_count(void) {
    struct walk walk = {NULL, NULL, 0};
    (void)dl_iterate_phdr(visit, &walk);
    return walk.count;
}

/* ---- an address ---- */

struct looking {
    uintptr_t address;
    char *buf;
    size_t size;
};

static void look_in(void *arg, const struct pdk_object *object) {
    const struct looking *looking = arg;
    const char *slash = strrchr(object->name, '/');
    if (looking->address < object->begin || looking->address >= object->end) return;
    (void)snprintf(looking->buf, looking->size, "%s+0x%llx",
                   slash           ? slash + 1
                   : object->index ? object->name
                                   : "the program",
                   (unsigned long long)(looking->address - object->base));
}

const char *pdk_place(uintptr_t address, char *buf, size_t size) {
    struct looking looking = {address, buf, size};
    (void)snprintf(buf, size, "0x%llx", (unsigned long long)address);
    pdk_slots_each(look_in, &looking);
    return buf;
}

/* ---- the tables of one file ---- */

struct tables {
    const ElfW(Sym) * symbols;
    const char *names;
    const ElfW(Rela) * rows[2];
    size_t counts[2];
};

/* The loader has made addresses of most entries, but not on every machine. */
static const void *address(const struct pdk_object *object, uintptr_t value) {
    return (const void *)(value < object->base ? value + object->base : value);
}

static void find_tables(const struct pdk_object *object, struct tables *ret) {
    for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
        switch (entry->d_tag) {
        case DT_SYMTAB: ret->symbols = address(object, entry->d_un.d_ptr); break;
        case DT_STRTAB: ret->names = address(object, entry->d_un.d_ptr); break;
        case DT_RELA: ret->rows[0] = address(object, entry->d_un.d_ptr); break;
        case DT_RELASZ: ret->counts[0] = entry->d_un.d_val / sizeof *ret->rows[0]; break;
        case DT_JMPREL: ret->rows[1] = address(object, entry->d_un.d_ptr); break;
        case DT_PLTRELSZ: ret->counts[1] = entry->d_un.d_val / sizeof *ret->rows[1]; break;
        default: break;
        }
    }
}

/* The slots of most files are made read-only once they are filled. */
static void write_slot(uintptr_t slot, uintptr_t value) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = slot & ~(page - 1);
    if (mprotect((void *)begin, page, PROT_READ | PROT_WRITE) < 0) return;
    memcpy((void *)slot, &value, sizeof value);
}

static void turn_row(const struct pdk_object *object, const struct tables *tables, const ElfW(Rela) * row,
                     const struct pdk_slot *slots, size_t count) {
    const char *name = tables->names + tables->symbols[ELF64_R_SYM(row->r_info)].st_name;
    uintptr_t slot = object->base + row->r_offset, now;
    if (ELF64_R_SYM(row->r_info) == 0 || slot < object->begin || slot > object->end - sizeof now) return;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(slots[i].name, name) != 0) continue;
        memcpy(&now, (const void *)slot, sizeof now);
        if (now == slots[i].from || (ELF64_R_TYPE(row->r_info) == JUMP_SLOT && now != slots[i].to))
            write_slot(slot, slots[i].to);
        return;
    }
}

void pdk_slots_turn(const struct pdk_object *object, const struct pdk_slot *slots, size_t count) {
    struct tables tables = {NULL, NULL, {NULL, NULL}, {0, 0}};
    find_tables(object, &tables);
    if (!tables.symbols || !tables.names) return;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; tables.rows[k] && i < tables.counts[k]; i++)
            turn_row(object, &tables, &tables.rows[k][i], slots, count);
}
