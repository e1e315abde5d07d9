/* SPDX-License-Identifier: Apache-2.0 */
/* The ELF header of a plugin against our own. */
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include "file.h"
#include "paddock/helpers.h"

enum { SEGMENTS_MAX = 128 };

/* Put at the start of whatever we are linked into, by the linker: what we are ourselves. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static const struct {
    unsigned machine;
    const char *name;
} machines[] = {{EM_X86_64, "x86-64"}, {EM_AARCH64, "aarch64"}, {EM_386, "i386"},       {EM_ARM, "arm"},
                {EM_RISCV, "riscv"},   {EM_PPC64, "ppc64"},     {EM_S390, "s390"},      {EM_LOONGARCH, "loongarch"},
                {EM_MIPS, "mips"},     {EM_PPC, "ppc"},         {EM_SPARCV9, "sparc64"}};

static const char *machine_name(unsigned machine, char buf[static 32]) {
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
        if (machines[i].machine == machine) return machines[i].name;
    snprintf(buf, 32, "machine %u", machine);
    return buf;
}

static int32_t check_machine(const ElfW(Ehdr) * header, pdk_error *err) {
    const ElfW(Ehdr) *ours = &__ehdr_start;
    char theirs_name[32], ours_name[32];

    if (header->e_ident[EI_CLASS] != ours->e_ident[EI_CLASS])
        return pdk_failf(err, -EINVAL, NULL, "built for %d bits, this host has %d",
                         header->e_ident[EI_CLASS] == ELFCLASS32 ? 32 : 64,
                         ours->e_ident[EI_CLASS] == ELFCLASS32 ? 32 : 64);
    if (header->e_ident[EI_DATA] != ours->e_ident[EI_DATA])
        return pdk_fail(err, -EINVAL, NULL, "built for another byte order", NULL, NULL);
    if (header->e_machine != ours->e_machine)
        return pdk_failf(err, -EINVAL, NULL, "built for %s, this host is %s",
                         machine_name(header->e_machine, theirs_name), machine_name(ours->e_machine, ours_name));
    if (header->e_type != ET_DYN) return pdk_fail(err, -EINVAL, NULL, "not a shared object", NULL, NULL);
    if (header->e_phentsize != sizeof(ElfW(Phdr)) || header->e_phnum == 0 || header->e_phnum > SEGMENTS_MAX)
        return pdk_fail(err, -EINVAL, NULL, "not a shared object: its ELF header makes no sense", NULL, NULL);
    return 0;
}

static int32_t truncated(uint64_t size, uint64_t wanted, pdk_error *err) {
    return pdk_failf(err, -EINVAL, NULL, "truncated: it has %llu bytes of %llu", (unsigned long long)size,
                     (unsigned long long)wanted);
}

static int32_t check_segment(int fd, uint64_t size, uint64_t offset, pdk_error *err) {
    ElfW(Phdr) segment;
    uint64_t end;

    if (pread(fd, &segment, sizeof segment, (off_t)offset) != (ssize_t)sizeof segment)
        return truncated(size, offset + sizeof segment, err);
    if (segment.p_type != PT_LOAD || segment.p_filesz == 0) return 0;
    if (__builtin_add_overflow((uint64_t)segment.p_offset, (uint64_t)segment.p_filesz, &end)) end = UINT64_MAX;
    return end > size ? truncated(size, end, err) : 0;
}

static int32_t check_segments(int fd, uint64_t size, const ElfW(Ehdr) * header, pdk_error *err) {
    uint64_t table = (uint64_t)header->e_phnum * sizeof(ElfW(Phdr));
    int32_t rc = 0;

    if (header->e_phoff > size || table > size - header->e_phoff) return truncated(size, header->e_phoff + table, err);
    for (unsigned i = 0; rc == 0 && i < header->e_phnum; i++)
        rc = check_segment(fd, size, header->e_phoff + i * sizeof(ElfW(Phdr)), err);
    return rc;
}

int32_t pdk_file_elf(int fd, off_t size, pdk_error *err) {
    ElfW(Ehdr) header;
    ssize_t got = pread(fd, &header, sizeof header, 0);
    int32_t rc;

    if (got < SELFMAG || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return pdk_fail(err, -EINVAL, NULL, "not a shared object: it is no ELF file", NULL, NULL);
    if (got < (ssize_t)sizeof header) return truncated((uint64_t)size, sizeof header, err);
    rc = check_machine(&header, err);
    return rc < 0 ? rc : check_segments(fd, (uint64_t)size, &header, err);
}
