/* SPDX-License-Identifier: Apache-2.0 */
#include "core/verify/image.h"

#include <elf.h>
#include <string.h>

enum { FUNCTIONS_MAX = 1000 };

struct symbols {
    const ElfW(Sym) * rows;
    size_t count;
    const char *names;
    size_t names_size;
};

/* NULL: that part lies outside of the file, or not where numbers lie. */
static const void *part(const struct pdk_image *image, uint64_t offset, uint64_t size, size_t alignment) {
    bool inside = offset <= image->size && size <= image->size - offset;
    return inside && offset % alignment == 0 ? image->data + offset : NULL;
}

bool pdk_image_open(const void *data, size_t size, struct pdk_image *image) {
    const ElfW(Ehdr) *head = data;
    *image = (struct pdk_image){.data = data, .size = size};
    if (size < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return false;
    if (head->e_shentsize != sizeof *image->sections) return false;
    image->sections = part(image, head->e_shoff, (uint64_t)head->e_shnum * sizeof *image->sections, sizeof(uintptr_t));
    image->count = image->sections ? head->e_shnum : 0;
    return image->sections != NULL;
}

static const ElfW(Shdr) * section(const struct pdk_image *image, uint32_t type) {
    for (size_t i = 0; i < image->count; i++)
        if (image->sections[i].sh_type == type) return &image->sections[i];
    return NULL;
}

static struct symbols symbols(const struct pdk_image *image, uint32_t type) {
    const ElfW(Shdr) *table = section(image, type), *names = NULL;
    struct symbols s = {0};
    if (!table || table->sh_link >= image->count) return s;
    names = &image->sections[table->sh_link];
    s.rows = part(image, table->sh_offset, table->sh_size, sizeof(uintptr_t));
    s.names = part(image, names->sh_offset, names->sh_size, 1);
    if (!s.rows || !s.names || names->sh_size == 0 || s.names[names->sh_size - 1]) return (struct symbols){0};
    s.names_size = names->sh_size;
    s.count = table->sh_size / sizeof *s.rows;
    return s;
}

static const char *name_of(const struct symbols *s, const ElfW(Sym) * row) {
    return row->st_name < s->names_size ? s->names + row->st_name : "";
}

static bool is_exported(const ElfW(Sym) * row) {
    unsigned bind = ELF64_ST_BIND(row->st_info), visibility = ELF64_ST_VISIBILITY(row->st_other);
    return row->st_shndx != SHN_UNDEF && (bind == STB_GLOBAL || bind == STB_WEAK || bind == STB_GNU_UNIQUE) &&
           (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

void pdk_image_exports(const struct pdk_image *image, pdk_image_each each, void *arg) {
    struct symbols s = symbols(image, SHT_DYNSYM);
    for (size_t i = 1; i < s.count; i++)
        if (is_exported(&s.rows[i])) each(arg, name_of(&s, &s.rows[i]));
}

void pdk_image_imports(const struct pdk_image *image, pdk_image_each each, void *arg) {
    struct symbols s = symbols(image, SHT_DYNSYM);
    for (size_t i = 1; i < s.count; i++)
        if (s.rows[i].st_shndx == SHN_UNDEF) each(arg, name_of(&s, &s.rows[i]));
}

void pdk_image_libraries(const struct pdk_image *image, pdk_image_each each, void *arg) {
    const ElfW(Shdr) *dynamic = section(image, SHT_DYNAMIC);
    struct symbols s = symbols(image, SHT_DYNSYM);
    const ElfW(Dyn) *rows = dynamic ? part(image, dynamic->sh_offset, dynamic->sh_size, sizeof(uintptr_t)) : NULL;
    for (size_t i = 0; rows && i < dynamic->sh_size / sizeof *rows && rows[i].d_tag != DT_NULL; i++)
        if (rows[i].d_tag == DT_NEEDED && rows[i].d_un.d_val < s.names_size) each(arg, s.names + rows[i].d_un.d_val);
}

static const char *function_at(const struct symbols *s, uint64_t address) {
    for (size_t i = 1; i < s->count; i++)
        if (s->rows[i].st_value == address && ELF64_ST_TYPE(s->rows[i].st_info) == STT_FUNC)
            return name_of(s, &s->rows[i]);
    return NULL;
}

/* What the loader will find in a slot of this file. */
static uint64_t relocated(const struct pdk_image *image, uint64_t slot) {
    for (size_t k = 0; k < image->count; k++) {
        const ElfW(Shdr) *table = &image->sections[k];
        const ElfW(Rela) *rows = NULL;
        if (table->sh_type == SHT_RELA) rows = part(image, table->sh_offset, table->sh_size, sizeof(uintptr_t));
        for (size_t i = 0; rows && i < table->sh_size / sizeof *rows; i++)
            if (rows[i].r_offset == slot) return (uint64_t)rows[i].r_addend;
    }
    return 0;
}

void pdk_image_functions(const struct pdk_image *image, uint32_t type, pdk_image_each each, void *arg) {
    const ElfW(Shdr) *array = section(image, type);
    struct symbols s = symbols(image, SHT_SYMTAB);
    uint64_t count = array ? array->sh_size / sizeof(uintptr_t) : 0;
    for (uint64_t i = 0; i < count && i < FUNCTIONS_MAX; i++) {
        uint64_t address = relocated(image, array->sh_addr + i * sizeof(uintptr_t));
        each(arg, address ? function_at(&s, address) : NULL);
    }
}
