/* SPDX-License-Identifier: Apache-2.0 */
/* The ELF header of a plugin against our own. */
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <unistd.h>

#include "file.h"
#include "paddock/helpers.h"

enum { SEGMENTS_MAX = 100, HEAD_SIZE = 2048 };

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

/* The head of a file: all of the header and nearly always the table of segments, in one read. */
struct head {
    ElfW(Ehdr) elf;
    char rest[HEAD_SIZE - sizeof(ElfW(Ehdr))];
};

static bool read_segments(int fd, const struct head *head, size_t got, ElfW(Phdr) segments[static SEGMENTS_MAX]) {
    size_t table = head->elf.e_phnum * sizeof *segments;

    if (head->elf.e_phoff > got || table > got - head->elf.e_phoff)
        return pread(fd, segments, table, (off_t)head->elf.e_phoff) == (ssize_t)table;
    memcpy(segments, (const char *)head + head->elf.e_phoff, table);
    return true;
}

static int32_t check_segments(int fd, uint64_t size, const struct head *head, size_t got, pdk_error *err) {
    ElfW(Phdr) segments[SEGMENTS_MAX];
    uint64_t end;

    if (!read_segments(fd, head, got, segments))
        return truncated(size, head->elf.e_phoff + head->elf.e_phnum * sizeof *segments, err);
    for (unsigned i = 0; i < head->elf.e_phnum; i++) {
        if (segments[i].p_type != PT_LOAD || segments[i].p_filesz == 0) continue;
        if (__builtin_add_overflow((uint64_t)segments[i].p_offset, (uint64_t)segments[i].p_filesz, &end))
            end = UINT64_MAX;
        if (end > size) return truncated(size, end, err);
    }
    return 0;
}

int32_t pdk_file_elf(int fd, off_t size, pdk_error *err) {
    struct head head;
    ssize_t got = pread(fd, &head, sizeof head, 0);
    int32_t rc;

    if (got < SELFMAG || memcmp(&head, ELFMAG, SELFMAG) != 0)
        return pdk_fail(err, -EINVAL, NULL, "not a shared object: it is no ELF file", NULL, NULL);
    if (got < (ssize_t)sizeof head.elf) return truncated((uint64_t)size, sizeof head.elf, err);
    rc = check_machine(&head.elf, err);
    return rc < 0 ? rc : check_segments(fd, (uint64_t)size, &head, (size_t)got, err);
}
