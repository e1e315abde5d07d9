/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which roles a plugin's file says it plays, without loading it. Its entry is constant data: a role's pointer is NULL
 * when its bytes are 0 and no relocation will fill them in, on whatever machine. What is not plain to see is left to the
 * loader: nothing is refused here.
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/instance.h"
#include "file.h"
#include "paddock/helpers.h"

enum { SECTIONS_MAX = 1000, FILE_MAX = 1 << 30 };

struct image {
    const unsigned char *bytes;
    size_t size;
    const ElfW(Ehdr) * header;
    const ElfW(Shdr) * sections;
};

/* So many bytes of the file; NULL: they are not all there, or not aligned for any table. */
static const void *part(const struct image *image, uint64_t offset, uint64_t size) {
    if (offset > image->size || size > image->size - offset || offset % sizeof(ElfW(Addr))) return NULL;
    return image->bytes + offset;
}

static bool find_sections(struct image *image) {
    const ElfW(Ehdr) *header = part(image, 0, sizeof *header);

    if (!header || header->e_shentsize != sizeof *image->sections || header->e_shnum > SECTIONS_MAX) return false;
    image->header = header;
    image->sections = part(image, header->e_shoff, header->e_shnum * sizeof *image->sections);
    return image->sections;
}

/* Where the file has what will be at this address; NULL: nowhere, so it is 0. */
static const void *loaded(const struct image *image, uint64_t address, uint64_t size) {
    const ElfW(Phdr) *segments = part(image, image->header->e_phoff, image->header->e_phnum * sizeof(ElfW(Phdr)));

    for (unsigned i = 0; segments && i < image->header->e_phnum; i++) {
        const ElfW(Phdr) *segment = &segments[i];
        if (segment->p_type != PT_LOAD || address < segment->p_vaddr) continue;
        if (address - segment->p_vaddr > segment->p_filesz) continue;
        if (size <= segment->p_filesz - (address - segment->p_vaddr))
            return part(image, segment->p_offset + (address - segment->p_vaddr), size);
    }
    return NULL;
}

static bool is_named(const struct image *image, const ElfW(Shdr) * texts, uint64_t at, const char *name) {
    size_t size = strlen(name) + 1;

    return at <= texts->sh_size && size <= texts->sh_size - at && texts->sh_offset <= image->size &&
           texts->sh_size <= image->size - texts->sh_offset &&
           memcmp(image->bytes + texts->sh_offset + at, name, size) == 0;
}

/* The address of the data by this name; 0: not found. */
static uint64_t find_symbol(const struct image *image, const ElfW(Shdr) * table, const char *name, uint64_t least) {
    const ElfW(Sym) *symbols = part(image, table->sh_offset, table->sh_size);

    if (!symbols || table->sh_link >= image->header->e_shnum) return 0;
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++)
        if (symbols[i].st_shndx != SHN_UNDEF &&
            is_named(image, &image->sections[table->sh_link], symbols[i].st_name, name))
            return ELF64_ST_TYPE(symbols[i].st_info) == STT_OBJECT && symbols[i].st_size >= least ? symbols[i].st_value
                                                                                                  : 0;
    return 0;
}

static uint64_t find_entry(const struct image *image) {
    for (unsigned i = 0; i < image->header->e_shnum; i++)
        if (image->sections[i].sh_type == SHT_DYNSYM)
            return find_symbol(image, &image->sections[i], "pdk_plugin_entry", sizeof(pdk_plugin));
    return 0;
}

static bool is_relocated(const struct image *image, uint64_t address) {
    for (unsigned i = 0; i < image->header->e_shnum; i++) {
        const ElfW(Shdr) *section = &image->sections[i];
        size_t step = section->sh_type == SHT_RELA ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
        const unsigned char *all = part(image, section->sh_offset, section->sh_size);
        if ((section->sh_type != SHT_RELA && section->sh_type != SHT_REL) || !(section->sh_flags & SHF_ALLOC)) continue;
        if (!all) return true;
        for (size_t k = 0; k + step <= section->sh_size; k += step) {
            ElfW(Addr) where;
            memcpy(&where, all + k, sizeof where); /* the first member of both */
            if (where == address) return true;
        }
    }
    return false;
}

static bool is_set(const struct image *image, const unsigned char *entry, uint64_t address, size_t member) {
    static const unsigned char zero[sizeof(void *)];

    return memcmp(entry + member, zero, sizeof zero) != 0 || is_relocated(image, address + member);
}

static int32_t read_roles(struct image *image, uint32_t *ret) {
    static const struct {
        size_t member;
        uint32_t role;
    } roles[] = {{offsetof(pdk_plugin, runner), PDK_ROLE_RUNNER},
                 {offsetof(pdk_plugin, source), PDK_ROLE_SOURCE},
                 {offsetof(pdk_plugin, metrics), PDK_ROLE_METRICS}};
    uint64_t address = find_sections(image) ? find_entry(image) : 0;
    const unsigned char *entry = address ? loaded(image, address, sizeof(pdk_plugin)) : NULL;
    uint32_t head[2];

    if (!entry) return -ENOTSUP;
    memcpy(head, entry, sizeof head);
    if (head[0] != PDK_MAGIC || head[1] >> 16 != PDK_ABI >> 16) return -ENOTSUP;
    *ret = 0;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (is_set(image, entry, address, roles[i].member)) *ret |= roles[i].role;
    return 0;
}

static int32_t map_and_read(int fd, uint32_t *ret) {
    struct image image = {0};
    struct stat st;
    void *bytes;
    int32_t rc;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > FILE_MAX) return -ENOTSUP;
    if (pdk_file_elf(fd, st.st_size, NULL) < 0) return -ENOTSUP;
    image.size = (size_t)st.st_size;
    bytes = mmap(NULL, image.size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return -ENOTSUP;
    image.bytes = bytes;
    rc = read_roles(&image, ret);
    munmap(bytes, image.size);
    return rc;
}

int32_t pdk_library_roles(const char *path, uint32_t *ret) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int32_t rc;

    if (fd < 0) return -ENOTSUP;
    rc = map_and_read(fd, ret);
    close(fd);
    return rc;
}
